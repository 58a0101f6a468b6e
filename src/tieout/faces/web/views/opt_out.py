"""The page behind the link in every letter: no sign-in, no script, nothing to type.

Opening it changes nothing, since mail scanners open links; the button does. Mail programs post to it themselves
(RFC 8058, `List-Unsubscribe=One-Click`), without a cookie, so it asks for no CSRF token: the token in the address is the key.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from tieout.faces.web.may import public
from tieout.flow import clock
from tieout.stages.base import walls
from tieout.stages.outreach import opt_out, tokens


@public
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET, act on POST; doing it twice changes nothing."""
    found = tokens.of_link(token)
    if found is None:
        raise Http404
    organisation_id, key = found
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    with walls.inside(organisation_id):
        if request.method == "POST":
            how = "one click in the mail program" if one_click else "the link in the letter"
            asked = opt_out.by_token(token=key, how=how, now=clock.now())
        else:
            asked = opt_out.look(token=key)
    if asked is None:
        raise Http404
    if one_click:
        return HttpResponse("done\n", content_type="text/plain; charset=utf-8")
    answer = render(request, "web/opt_out.html", {"asked": asked, "german": asked.language == "de"})
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer
