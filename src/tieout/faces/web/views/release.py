"""Release newly connected history for chasing: by a person, in waves, softly first, beside the baseline frozen at the first."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import nightly
from tieout.stages.collect import baseline, queries, waves
from tieout.stages.collect import release as releasing
from tieout.stages.collect.models import Wave


@may("view")
def page(request: Request) -> HttpResponse:
    """The backlog in waves, who stands apart and why, the waves released, and the effect since the first."""
    return render(request, "web/release.html", {
        "preview": waves.preview(today=request.today), "waves": queries.waves(), "effect": baseline.compare(today=request.today),
    })


@may_post("release")
def wave(request: Request) -> HttpResponse:
    """Release the ticked customers of a group, or all of it."""
    ids = asked.numbers(request.POST, "customer")
    if "whole" in request.POST:
        groups = waves.preview(today=request.today)
        kind = request.POST.get("group", "")
        # Only what was proposed and shown is released as a whole; its members are read again, not taken from the form.
        ids = next((list(g.customer_ids) for g in (*groups.waves, *groups.apart) if g.name == kind), [])
    name = asked.text(request.POST, "name", longest=200)

    def act() -> Any:
        made = releasing.wave(customer_ids=ids, name=name, actor=actor_of(request), now=request.now)
        if isinstance(made, Wave):
            nightly.judge(request.organisation_id, sorted(set(ids)))
        return made

    return attempt(
        request, act, done="Released: they are planned for from now on, and the first message is a soft one. The undo stands below.",
        to=reverse("releases"),
    )


@may_post("release")
def undo(request: Request) -> HttpResponse:
    """Withdraw a wave; what was sent stays sent."""
    row = get_object_or_404(Wave.objects, pk=asked.number(request.POST, "wave"))
    reason = asked.text(request.POST, "reason", longest=500) or "withdrawn on the release page"
    return attempt(
        request, lambda: releasing.undo(wave=row, reason=reason, actor=actor_of(request), now=request.now),
        done="Withdrawn: these customers are not planned for until somebody releases them again.", to=reverse("releases"),
    )
