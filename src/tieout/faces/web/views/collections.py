"""The work list and its tasks: who to see to first and why, the next step, and what a person did about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from tieout.core.evidence import Refused
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import nightly
from tieout.stages.base import queries as base
from tieout.stages.collect import queries
from tieout.stages.collect import task as tasking
from tieout.stages.collect.listing import STATES
from tieout.stages.collect.models import Task, WorkItem
from tieout.stages.dialogue import touch
from tieout.stages.dialogue.models import Hold
from tieout.stages.ledger.models import Customer

PAGE = 40
TIERS = ("low", "medium", "high", "unknown")
#: Reasons a person holds for from here; disputes and promises hold through their own acts.
HOLD_REASONS = [(value, label) for value, label in Hold.Reason.choices if value in ("manual", "plan", "legal", "insolvency")]


@may("view")
def worklist(request: Request) -> HttpResponse:
    """Customers with something open, ranked by what seeing to them is expected to bring, each with its reasons."""
    given = request.GET
    state, tier = given.get("state", ""), given.get("tier", "")
    filters = queries.Filters(
        state=state if state in STATES else None, tier=tier if tier in TIERS else None, owner=asked.number(given, "owner"),
        currency=asked.text(given, "currency", longest=3).upper() or None, text=asked.text(given, "text", longest=200),
    )
    page = queries.worklist(filters=filters, after=_mark(request), limit=PAGE, today=request.today)
    return render(request, "web/collections.html", {
        "rows": page.rows, "next": _written(page.next), "filters": filters, "counts": queries.counts(), "states": STATES, "tiers": TIERS,
        "team": base.team(),
        "filtered": filters != queries.Filters(), "going_on": "after" in given,
    })


@may("view", post="talk")
def say(request: Request, customer_id: int) -> HttpResponse:
    """GET: the forms for what was said. POST: log a call or a letter; it counts as a contact and shows as the last signal."""
    customer = get_object_or_404(Customer.objects, pk=customer_id)
    if request.method != "POST":
        item = WorkItem.objects.filter(customer=customer).first()
        currencies = sorted(item.open_minor) if item else [request.profile.base_currency]
        return render(request, "web/_do.html", {
            "customer": customer, "currencies": currencies, "hold_reasons": HOLD_REASONS, "next": asked.text(request.GET, "next", longest=500)})
    channel = request.POST.get("channel", "")
    channel = channel if channel in ("call", "letter", "email") else "call"
    outcome = "reached" if request.POST.get("reached", "yes") == "yes" else "failed"
    summary = asked.text(request.POST, "summary", longest=500)

    def act() -> Any:
        if not summary:
            return Refused("say in a few words how it went")
        return touch.record(customer=customer, channel=channel, outcome=outcome, summary=summary, actor=actor_of(request), now=request.now)

    return attempt(request, act, done="Logged: it stands in the timeline and counts as a contact.", to=reverse("collections"))


@may_post("talk")
def plan(request: Request) -> HttpResponse:
    """Judge the day again, now; a second time changes nothing."""
    nightly.run(request.organisation_id)
    messages.success(request, "Judged: the list, the tasks and the drafts are as of now.")
    return redirect("collections")


@may("view")
def tasks(request: Request) -> HttpResponse:
    """What only a person can do, what is due first."""
    state = request.GET.get("state", "open")
    state = state if state in Task.State.values else "open"
    kind = request.GET.get("kind", "")
    return render(request, "web/tasks.html", {
        "tasks": queries.tasks(state=state, kind=kind if kind in tasking.KINDS else None, customer_id=asked.number(request.GET, "customer")),
        "here": state, "states": Task.State.choices, "kinds": tasking.KINDS, "kind": kind,
    })


@may_post("talk")
def settle(request: Request, task_id: int) -> HttpResponse:
    """Done, not needed, later, or (undo) open again."""
    row = get_object_or_404(Task.objects, pk=task_id)
    how = request.POST.get("how", "done")
    said = asked.text(request.POST, "outcome", longest=1000)
    who = {"actor": actor_of(request), "now": request.now}

    def act() -> Any:
        if how == "later":
            until = asked.day(request.POST, "until") or request.today + dt.timedelta(days=1)
            return tasking.postpone(task=row, until=until, note=said, tried="tried" in request.POST, **who)
        if how == "reopen":
            return tasking.reopen(task=row, reason=said, **who)
        channel = row.kind if row.kind in ("call", "letter") and how == "done" else ""
        return tasking.settle(task=row, outcome=said, channel=channel, drop=how == "drop", **who)

    done = {"later": "Put off.", "reopen": "Open again.", "drop": "Dropped. The undo stands under No longer needed."}
    return attempt(request, act, done=done.get(how, "Done. The undo stands under Done."), to=reverse("tasks"), refusals=(asked.Unreadable,))


def _mark(request: Request) -> queries.Mark | None:
    parts = request.GET.get("after", "").split("~")
    try:
        score, customer, waiting, waiting_customer = parts
        return queries.Mark(int(score[:18]), int(customer[:18]), dt.date.fromisoformat(waiting) if waiting else None, int(waiting_customer[:18]))
    except ValueError:
        return None


def _written(mark: queries.Mark | None) -> str:
    return f"{mark.score}~{mark.score_customer}~{mark.waiting or ''}~{mark.waiting_customer}" if mark else ""
