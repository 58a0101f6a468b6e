"""The door webhooks come to: proven on the raw body, kept, answered; what it means is looked at afterwards.

The address names organisation and connection and carries a token; the signature is the connector's to check. What is not genuine
is refused with 400 and kept nowhere; what is here already is answered as the first time.
"""

from __future__ import annotations

import hmac
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tieout.adapters.ports.connector import NotGenuine
from tieout.flow import hooked

#: No vendor we know sends more at once; what is larger is not read.
MOST_BYTES = 1024 * 1024


@csrf_exempt
@require_POST
def door(request: HttpRequest, organisation: UUID, connection: int, token: str) -> HttpResponse:
    """Take one delivery."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        return _said("too large", 413)
    whose = hooked.whose(organisation, connection)
    if whose is None or not hmac.compare_digest(whose.token, token):
        return _said("there is no such door", 404)
    body = request.body
    if len(body) > MOST_BYTES:
        return _said("too large", 413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        hooked.receive(whose, headers=headers, body=body, url=request.build_absolute_uri())
    except NotGenuine as refusal:
        return _said(str(refusal), 400)
    return _said("taken", 200)


def _said(words: str, status: int) -> HttpResponse:
    body = f"{words}\n".encode()
    # What the middleware of pages would add: a door is reached without it.
    headers = {"Content-Length": str(len(body)), "X-Content-Type-Options": "nosniff"}
    return HttpResponse(body, status=status, content_type="text/plain; charset=utf-8", headers=headers)


door.act, door.post_act = "public", "public"  # type: ignore[attr-defined]
