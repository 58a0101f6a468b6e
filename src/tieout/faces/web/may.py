"""Who may open a page or do an act: `@may("view")`, `@may("view", post="talk")`. Denied by default, denied in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from tieout.stages.base import permit

View = Callable[..., HttpResponse]


def may(act: str, *, post: str | None = None) -> Callable[[View], View]:
    """The view needs `act` to be read; with `post`, that act to be posted to; without, only GET and HEAD are answered."""

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            posting = request.method not in ("GET", "HEAD")
            if posting and (post is None or request.method != "POST"):
                return HttpResponseNotAllowed(["GET"] if post is None else ["GET", "POST"])
            return _enter(request, post if posting and post else act) or view(request, *args, **kwargs)

        guarded.act, guarded.post_act = act, post  # type: ignore[attr-defined]
        return guarded

    return around


def may_post(act: str) -> Callable[[View], View]:
    """The view is an act: POST only, by roles that may do `act`."""

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            return _enter(request, act) or view(request, *args, **kwargs)

        guarded.act, guarded.post_act = None, act  # type: ignore[attr-defined]
        return guarded

    return around


def public(view: View) -> View:
    """The view answers anybody: opt-out links and the health check. Written out, so that nothing is public by accident."""
    view.act, view.post_act = "public", "public"  # type: ignore[attr-defined]
    return view


def _enter(request: HttpRequest, act: str) -> HttpResponse | None:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    membership = getattr(request, "membership", None)
    permit.require(membership.role if membership else None, act)
    return None
