"""Alerts: what needs somebody now, with what to do; acknowledged, put off, and over."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from tieout.core.evidence import Refused
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import jobs
from tieout.stages.health import answer, lookers, queries
from tieout.stages.health.models import Alert

#: For how long an alert can be put off, as the page offers it.
DAYS = ((1, "a day"), (3, "three days"), (7, "a week"), (30, "a month"))


@may("view")
def page(request: Request) -> HttpResponse:
    """The list, filtered by state and kind."""
    state = request.GET.get("state", "open")
    state = state if state in queries.STATES else "open"
    kind = request.GET.get("kind", "")
    kind = kind if kind in lookers.kinds() else ""
    counts = queries.counts(now=request.now)
    return render(request, "web/alerts.html", {
        "states": [(name, word, counts[name]) for name, word in queries.STATES.items()], "here": state, "kinds": lookers.kinds(), "kind": kind,
        "alerts": [(one, _where(one)) for one in queries.alerts(state=state, kind=kind, now=request.now)], "days": DAYS, "counts": counts,
    })  # fmt: skip


@may_post("talk")
def say(request: Request, alert_id: int) -> HttpResponse:
    """Acknowledge it, put it off, or take either back."""
    alert = get_object_or_404(Alert.objects, pk=alert_id)
    acts = {
        "acknowledge": (lambda: answer.acknowledge(alert=alert, actor=actor_of(request), now=request.now), "Acknowledged: nobody is reminded of it."),
        "snooze": (
            lambda: answer.snooze(alert=alert, days=asked.number(request.POST, "days") or 0, actor=actor_of(request), now=request.now),
            "Put off: it comes back by itself if its cause still lasts.",
        ),
        "wake": (lambda: answer.wake(alert=alert, actor=actor_of(request), now=request.now), "It is among the open ones again."),
    }  # fmt: skip
    act, done = acts.get(request.POST.get("how", ""), (lambda: Refused("choose what to do about it"), ""))
    return attempt(request, act, done=done, to=reverse("alerts"))


@may_post("talk")
def look(request: Request) -> HttpResponse:
    """Look again now, by a worker."""
    jobs.later(jobs.watch, organisation=request.organisation_id, lock="watch")
    messages.success(request, "Everything is being looked at again; what has ended closes by itself.")
    return redirect("alerts")


def _where(one: queries.Shown) -> str:
    path = reverse(one.page, args=[one.page_key] if one.page_key is not None else [])
    return path + (f"?{one.page_query}" if one.page_query else "")
