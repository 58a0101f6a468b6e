"""The living sample: its time is moved on, and what a day brings happens; one click takes it away."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from tieout.faces.web import asked
from tieout.faces.web.aside import outside
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.rehearsal import demo
from tieout.stages.base import queries

#: How far one click goes: the next day, the next week, a fortnight.
STEPS = ((1, "One day"), (7, "One week"), (14, "Two weeks"))


@may("demo")
def page(request: Request) -> HttpResponse:
    """Which day it is in the sample, what happened lately, and the buttons that move it on."""
    sample = queries.is_demo()
    return render(request, "web/demo.html", {"sample": sample, "steps": STEPS, "state": demo.state(request.organisation_id) if sample else None})


@may_post("demo")
def advance(request: Request) -> HttpResponse:
    """Let days pass: invoices fall due, money arrives, reminders go out, somebody answers."""
    _sample_only()
    days = asked.number(request.POST, "days")
    if days not in dict(STEPS):
        raise Http404
    outside(lambda: demo.advance(request.organisation_id, days))
    messages.success(request, f"{days} day{'' if days == 1 else 's'} went by. What happened stands below, and in every room.")
    return redirect("demo")


@may_post("settings")
def delete(request: Request) -> HttpResponse:
    """Take the sample away with everything in it; other organisations are not touched."""
    _sample_only()
    organisation_id = request.organisation_id
    outside(lambda: demo.delete(organisation_id))
    if any(m.organisation_id != organisation_id for m in queries.memberships_of(person_id=int(request.user.pk or 0))):
        request.session.pop("organisation", None)
        return redirect("overview")
    logout(request)
    return redirect("account_login")


def _sample_only() -> None:
    if not queries.is_demo():
        raise Http404
