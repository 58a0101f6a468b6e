"""A customer's timeline in words: each event as an icon, a tint, a sentence, and the page behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.urls import reverse

from tieout.faces.web.templatetags.figures import amount, day
from tieout.stages.dialogue.models import Hold
from tieout.stages.dialogue.queries import Event
from tieout.stages.outreach.models import Message

HOLD_WORDS = {value: str(label).lower() for value, label in Hold.Reason.choices}
MESSAGE_WORDS = {value: str(label).lower() for value, label in Message.State.choices}

#: Kind → (icon, tint).
LOOKS: dict[str, tuple[str, str]] = {
    "hold": ("pause", "mute"), "release": ("play", "mute"), "promise": ("handshake", "calm"), "promise_end": ("handshake", "calm"),
    "dispute": ("scale", "warn"), "dispute_end": ("scale", "good"), "note": ("sticky-note", "mute"), "touch": ("send", "calm"),
    "reply": ("reply", "warn"), "payment": ("landmark", "good"), "invoice": ("receipt-text", "mute"), "credit_note": ("receipt-text", "mute"),
    "decision": ("list-checks", "mute"), "message": ("mail", "calm"),
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line; `undo` is the kind of act that takes it back, where the line itself offers one."""

    at: dt.datetime
    icon: str
    tint: str
    title: str
    text: str
    by: str
    href: str
    kind: str
    object_id: int


def told(events: Iterable[Event]) -> list[Line]:
    """The events as lines, in their order."""
    return [_line(event) for event in events]


def _line(event: Event) -> Line:
    icon, tint = LOOKS.get(event.kind, ("circle", "mute"))
    if (event.kind, event.word) in (("promise_end", "broken"), ("message", "bounced")):
        tint = "bad"
    if (event.kind, event.word) == ("promise_end", "kept"):
        tint = "good"
    return Line(
        at=event.at, icon=icon, tint=tint, title=_title(event), text=event.text, by=event.by if event.kind != "touch" else "", href=_href(event),
        kind=event.kind, object_id=event.object_id,
    )


def _title(event: Event) -> str:
    money = f"{amount(event.amount_minor, event.currency)} {event.currency}" if event.amount_minor is not None and event.currency else ""
    on = f" on {event.document_number}" if event.document_number else ""
    until = f" until {day(event.date)}" if event.date else ""
    arrived = "" if event.word in ("succeeded", "settled") else f", {event.word}"
    sentences = {
        "hold": f"Held: {HOLD_WORDS.get(event.word, event.word)}{on}{f', {money}' if money else ''}{until}",
        "release": f"Hold released: {HOLD_WORDS.get(event.word, event.word)}{on}",
        "promise": f"Promised {money} by {day(event.date)}{on}",
        "promise_end": f"Promise of {money} for {day(event.date)} {event.word}{on}",
        "dispute": f"Disputed {money}{on}: {event.word}",
        "dispute_end": f"Dispute of {money}{on} {event.word}",
        "note": f"Note{on}",
        "touch": f"{'E-mail' if event.word == 'email' else event.word.capitalize()} to them{f': {event.by}' if event.by else ''}",
        "reply": f"Reply, {'waiting for an answer' if event.word == 'open' else event.word}",
        "payment": f"Payment of {money}{f', {day(event.date)}' if event.date else ''}{arrived}",
        "invoice": f"Invoice {event.document_number} of {money}",
        "credit_note": f"Credit note {event.document_number} of {money}",
        "decision": f"Decided: {event.word}{f' ({event.by})' if event.by else ''}",
        "message": f"Message {MESSAGE_WORDS.get(event.word, event.word)}",
    }
    return sentences.get(event.kind, event.kind)


def _href(event: Event) -> str:
    if event.kind == "payment":
        return reverse("cash_payment", args=[event.object_id])
    if event.kind == "message":
        return reverse("message", args=[event.object_id])
    if event.kind == "reply":
        return reverse("replies")
    return reverse("invoice", args=[event.document_id]) if event.document_id else ""
