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
    state = demo.state(request.organisation_id)
    return render(request, "web/demo.html", {"steps": STEPS, "state": state, "watch": demo.watching.watch() if state else None})


@may("demo")
def flow(request: Request) -> HttpResponse:
    """The panel again, asked for by itself every second; no content while it is as it was seen, so that nothing moves on the page."""
    _sample_only()
    found = demo.watching.watch()
    if found is None or request.GET.get("seen") == found.digest:
        return HttpResponse(status=204)
    return render(request, "web/_flow.html", {"watch": found})


@may_post("demo")
def raise_one(request: Request) -> HttpResponse:
    """Somebody orders in the web shop: an invoice is raised in its Stripe, and nowhere else."""
    _sample_only()
    organisation_id = request.organisation_id
    try:
        number = outside(lambda: demo.selling.raise_one(organisation_id))
    except demo.Unreachable as error:
        messages.error(request, f"{_sentence(error)}. Start the demo again; nothing is lost.")
    else:
        messages.success(request, f"{number} was raised in Stripe. Watch it arrive.")
    return redirect("demo")


@may_post("demo")
def advance(request: Request) -> HttpResponse:
    """Let days pass: invoices fall due, money arrives, reminders go out, somebody answers."""
    _sample_only()
    days = asked.number(request.POST, "days")
    if days not in dict(STEPS):
        raise Http404
    try:
        lived: demo.Lived = outside(lambda: demo.advance(request.organisation_id, days))
    except (demo.Busy, demo.NoSample) as error:
        messages.error(request, _sentence(error))
    else:
        messages.success(request, _told(lived))
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


def _told(lived: demo.Lived) -> str:
    """What the days brought, in one sentence."""
    parts = [
        f"{n:,} {one if n == 1 else many}"
        for n, one, many in (
            (lived.files, "file came in", "files came in"), (lived.rows, "row was new", "rows were new"), (lived.sent, "letter left", "letters left"),
            (lived.held, "time a letter was held back", "times a letter was held back"), (lived.answers, "answer came", "answers came"),
            (lived.shop, "thing happened in the web shop", "things happened in the web shop"),
        )
        if n
    ]
    days = "1 day" if lived.days == 1 else f"{lived.days} days"
    return f"{days} went by: {', '.join(parts) or 'quiet days, nothing happened'}."


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]


def _sample_only() -> None:
    if not queries.is_demo():
        raise Http404
