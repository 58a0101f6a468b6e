"""Keys of systems that push their records: seen, made (and shown this once), revoked."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import pushed
from tieout.stages.base import api_key
from tieout.stages.intake.connect import NameTaken
from tieout.stages.intake.models import Connection


@may("connect")
def page(request: Request) -> HttpResponse:
    """Every key, and the systems it lets in."""
    return _page(request)


@may_post("connect")
@never_cache
def make(request: Request) -> HttpResponse:
    """A key for a system that pushes already, or for a new one; it is shown on this answer and never again."""
    name = asked.text(request.POST, "name", longest=200)
    connection = asked.number(request.POST, "connection")
    if not name:
        return _page(request, wrong="Say what shows the key, so that you know later which one to revoke.")
    try:
        if connection is None:
            issued = pushed.open(request.organisation_id, name=name, actor=actor_of(request))
        else:
            issued = pushed.another_key(request.organisation_id, connection_id=connection, name=name, actor=actor_of(request))
    except (NameTaken, pushed.Closed) as error:
        return _page(request, wrong=f"{str(error)[:1].upper()}{str(error)[1:]}. Choose it in the list, or another name.")
    return _page(request, issued=issued)


@may_post("connect")
def revoke(request: Request, key_id: int) -> HttpResponse:
    """Let nobody in with it any more."""
    try:
        api_key.revoke(key_id=key_id, actor=actor_of(request), now=request.now)
        messages.success(request, "Revoked: nobody is let in with it any more.")
    except api_key.NoSuchKey as error:
        messages.error(request, f"Not revoked: {error}.")
    return redirect("api_keys")


def _page(request: Request, *, issued: api_key.Issued | None = None, wrong: str = "") -> HttpResponse:
    systems = dict(Connection.objects.filter(kind="push").order_by("name").values_list("pk", "name"))
    keys = [{"key": key, "system": systems.get(key.connection_id, "")} for key in api_key.kept()]
    return render(request, "web/api_keys.html", {
        "keys": keys, "systems": systems.items(), "issued": issued, "wrong": wrong, "address": request.build_absolute_uri("/api/v1/"),
    }, status=400 if wrong else 200)  # fmt: skip
