"""The map: one sentence a line, which documents are born where and belong where; drawn and changed by people."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import on_map
from tieout.stages.intake.models import Connection
from tieout.stages.writeback import pours, route
from tieout.stages.writeback.models import Route
from tieout.stages.writeback.route import MapRefused

_REFUSALS = (MapRefused, asked.Unreadable)


@may("view")
def page(request: Request) -> HttpResponse:
    """Every line, by the system it leads to, and a form for one more."""
    lines = route.shown()
    places = on_map.places()
    targets = [place for place in places if place.takes]
    target = next((place.id for place in targets if "invoice" in place.takes), None)
    origin = next((place.id for place in places if "invoice" in place.gives and place.id != target), None)
    return render(request, "web/map.html", {
        "lines": lines, "targets": targets, "origins": [place for place in places if place.gives],
        "whats": [(what, words[:1].upper() + words[1:]) for what, words in route.NAMES.items()], "origin": origin, "target": target,
    })  # fmt: skip


@may_post("connect")
def add(request: Request) -> HttpResponse:
    """One more line."""
    what = asked.text(request.POST, "what", longest=16)
    target = get_object_or_404(Connection.objects, pk=asked.number(request.POST, "target") or 0)
    origin_id = asked.number(request.POST, "origin")
    origin = get_object_or_404(Connection.objects, pk=origin_id) if origin_id and what != "status" else None

    def act() -> Any:
        since = asked.day(request.POST, "since") or request.today
        if origin is None and what != "status":
            raise MapRefused("say in which source these are born")
        return on_map.draw(origin=origin, target=target, what=what, since=since, actor=actor_of(request), now=request.now)

    return attempt(request, act, done="The line is on the map.", to=reverse("map"), refusals=_REFUSALS)


@may_post("connect")
def switch(request: Request, line_id: int) -> HttpResponse:
    """On or off."""
    line = get_object_or_404(Route.objects, pk=line_id)
    on = request.POST.get("on") == "yes"
    done = "Switched on." if on else "Switched off: nothing more is told by it, and what was told stays there."
    return attempt(
        request, lambda: route.set(line=line, enabled=on, actor=actor_of(request), now=request.now), done=done, to=reverse("map"), refusals=_REFUSALS
    )


@may("view", post="connect")
def since(request: Request, line_id: int) -> HttpResponse:
    """Another day from which on a line holds, with what that would pour over, before anything is."""
    line = get_object_or_404(Route.objects.select_related("origin", "target"), pk=line_id)
    if request.method == "POST":
        def act() -> Any:
            day = asked.day(request.POST, "since")
            if day is None:
                raise asked.Unreadable("say from which day on")
            return route.move(line=line, since=day, actor=actor_of(request), now=request.now)

        return attempt(request, act, done="The line holds from that day on.", to=reverse("map"), refusals=_REFUSALS)
    try:
        day, wrong = asked.day(request.GET, "since") or line.since, ""
    except asked.Unreadable as error:
        day, wrong = line.since, str(error)
    dated = line.what in route.DATED and line.origin_id is not None
    pour = pours.count(origin_id=line.origin_id, target_id=line.target_id, what=line.what, since=day) if dated else None
    return render(request, "web/map_since.html", {
        "line": line, "day": day, "wrong": wrong, "pour": pour, "what": route.NAMES[line.what],
        "called": route.NAMES[line.what].removesuffix("s") if pour and pour.count == 1 else route.NAMES[line.what],
        "said": route.sentence(what=line.what, origin=line.origin.name if line.origin else "", target=line.target.name, since=line.since),
    })  # fmt: skip


@may_post("connect")
def remove(request: Request, line_id: int) -> HttpResponse:
    """Off the map."""
    line = get_object_or_404(Route.objects, pk=line_id)
    return attempt(
        request, lambda: route.remove(line=line, actor=actor_of(request), now=request.now), to=reverse("map"), refusals=_REFUSALS,
        done="The line is off the map. What was told by it stays there.",
    )  # fmt: skip
