"""Caught mail: the letters of a demo, which went no further than this machine, and answering them as the debtor would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tieout.faces.web import asked
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.flow import on_mail
from tieout.rehearsal import catcher
from tieout.stages.base import queries
from tieout.stages.intake.models import Connection
from tieout.stages.outreach import sending

#: What debtors write, for those who do not want to type.
ANSWERS = (
    "Thank you for the reminder. We will transfer the amount by the end of next week.",
    "We paid this last Tuesday. Please check your account.",
    "Part of the delivery arrived damaged. We have told your colleagues and will not pay this part.",
    "Could you send me a copy of the invoice, please?",
    "Please take me off this list.",
)


@may("view")
def page(request: Request) -> HttpResponse:
    """Every caught letter of this organisation, the newest first."""
    place = _place()
    letters = catcher.listed(place, organisation_id=request.organisation_id) if place else []
    return render(request, "web/catcher.html", {"letters": letters, "answers": ANSWERS, "answerable": _maildir() is not None})


@may_post("demo")
def reply(request: Request) -> HttpResponse:
    """Answer a letter as its recipient, or let it bounce; it comes in through the mailbox like any mail."""
    place, box = _place(), _maildir()
    caught = catcher.one(place, organisation_id=request.organisation_id, file=asked.text(request.POST, "file", longest=200)) if place else None
    if caught is None or box is None:
        raise Http404
    if "bounce" in request.POST:
        catcher.bounce(caught=caught, mailbox_place=box, now=request.now)
        done = "The letter came back as undeliverable."
    else:
        text = asked.text(request.POST, "text", longest=5000) or asked.text(request.POST, "ready", longest=500)
        if not text:
            messages.error(request, "Write something, or choose one of the answers.")
            return redirect("catcher")
        catcher.answer(caught=caught, mailbox_place=box, text=text, now=request.now)
        done = "Answered: it came in through the mailbox."
    fetched = on_mail.fetch(request.organisation_id)
    messages.success(request, done) if not fetched.failed else messages.error(request, fetched.failed[0])
    return redirect(reverse("catcher") if "bounce" in request.POST else reverse("replies"))


def _place() -> Path | None:
    """Where the letters of this demo lie; only a demo has such a place."""
    settings: dict[str, Any] = (sending.stored() or {}) if queries.is_demo() else {}
    return Path(settings["caught"]) if settings.get("caught") else None


def _maildir() -> Path | None:
    if not queries.is_demo():
        return None
    box = Connection.objects.filter(kind="mailbox", settings__scheme="maildir").order_by("id").first()
    return Path(box.settings["path"]) if box else None
