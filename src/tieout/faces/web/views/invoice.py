"""An invoice or credit note: what settled it and why, what was known when, and what can be done about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from tieout.core import days
from tieout.core.money import Money
from tieout.faces.web import asked
from tieout.faces.web.answer import actor_of, attempt
from tieout.faces.web.asked import Request
from tieout.faces.web.may import may, may_post
from tieout.stages.base import permit
from tieout.stages.cash import queries as cash
from tieout.stages.cash import undo as undoing
from tieout.stages.cash import write_off as writing_off
from tieout.stages.dialogue import dispute as disputes
from tieout.stages.dialogue.models import Dispute
from tieout.stages.insight import document as documents
from tieout.stages.insight.stood import stood as stood_on
from tieout.stages.ledger import correct as corrections
from tieout.stages.ledger import origin
from tieout.stages.ledger.models import Allocation, Correction, Document

FIELDS = {
    "due_date": "Due date", "issue_date": "Issue date", "number": "Number", "po_number": "Purchase order", "amount_minor": "Amount",
    "status": "Status",
}
STATUSES = ("open", "void")


@may("view")
def page(request: Request, invoice_id: int) -> HttpResponse:
    """The document with its allocations, versions on two clocks, disputes, messages and sources."""
    card = documents.card(document_id=invoice_id, today=request.today)
    if card is None:
        raise Http404
    allocations = cash.allocations(document_id=invoice_id)
    notices: list[str] = []
    day, known = _moment(request, "day", notices), _moment(request, "known", notices)
    asking = day is not None or known is not None
    stood = None
    if asking:
        zone = days.zone(request.profile.time_zone)
        known_at = min(request.now, dt.datetime.combine(known + dt.timedelta(days=1), dt.time(), zone)) if known else request.now
        stood = stood_on(card=card, allocations=allocations, day=day or request.today, known_at=known_at)
    values: dict[str, Any] = {
        "card": card,
        "head": card.head,
        "word": _state(card, request.today),
        "allocations": allocations,
        "asking": asking, "day": day or request.today, "known": known, "stood": stood, "notices": notices,
        "origins": _origins(card),
        "categories": disputes.CATEGORIES, "fields": FIELDS.items(), "statuses": STATUSES,
        "left_minor": card.head.amount_minor - card.head.allocated_minor - card.head.written_off_minor,
        "open_disputed": sum(d.amount_minor for d in card.disputes if d.state == "open"),
        "here": reverse("invoice", args=[invoice_id]),
    }
    return render(request, "web/invoice.html", values)


@may_post("apply_cash")
def undo(request: Request, invoice_id: int) -> HttpResponse:
    """Take an allocation back; a write-off by those who may write off."""
    key = asked.number(request.POST, "allocation") or 0
    row = Allocation.objects.filter(pk=key, document_id=invoice_id).first() or Allocation.objects.filter(pk=key, credit_note_id=invoice_id).first()
    if row is None:
        raise Http404
    if row.kind == "write_off":
        permit.require(request.membership.role, "write_off")
    reason = asked.text(request.POST, "reason") or "undone on the invoice's page"
    return attempt(
        request, lambda: undoing.allocation(allocation=row, reason=reason, actor=actor_of(request), now=request.now),
        done="Taken back. The invoice is open again for that amount, and no machine will apply the same money to it again.",
        to=reverse("invoice", args=[invoice_id]),
    )


@may_post("talk")
def dispute(request: Request, invoice_id: int) -> HttpResponse:
    """Record an objection to all or a part of it."""
    document = _document(invoice_id)

    def act() -> Any:
        typed = asked.text(request.POST, "amount")
        return disputes.open(
            document=document, amount_minor=asked.minor(typed, document.currency) if typed else None, category=asked.text(request.POST, "category"),
            said=asked.text(request.POST, "said"), actor=actor_of(request), now=request.now,
        )

    done = "The dispute is open; that amount is not asked for, the rest still is."
    return attempt(request, act, done=done, to=reverse("invoice", args=[invoice_id]))


@may_post("talk")
def settle(request: Request, invoice_id: int) -> HttpResponse:
    """Close a dispute, or open it again."""
    row = Dispute.objects.filter(pk=asked.number(request.POST, "dispute") or 0, document_id=invoice_id).first()
    if row is None:
        raise Http404
    here = reverse("invoice", args=[invoice_id])
    if "reopen" in request.POST:
        return attempt(
            request, lambda: disputes.reopen(dispute=row, reason="opened again on the invoice's page", actor=actor_of(request), now=request.now),
            done="The dispute is open again.", to=here,
        )
    state = asked.text(request.POST, "state")
    return attempt(
        request, lambda: disputes.settle(
            dispute=row, state=state, answer=asked.text(request.POST, "answer"), actor=actor_of(request), now=request.now),
        done=f"The dispute is {state}; its hold is released.", to=here,
    )


@may_post("write_off")
def write_off(request: Request, invoice_id: int) -> HttpResponse:
    """Write off an amount, with a reason."""
    document = _document(invoice_id)
    return attempt(
        request, lambda: writing_off.document(
            document=document, amount_minor=asked.minor(asked.text(request.POST, "amount"), document.currency),
            reason=asked.text(request.POST, "reason"), actor=actor_of(request), now=request.now),
        done="Written off; undo it beside the entry.", to=reverse("invoice", args=[invoice_id]),
    )


@may_post("correct")
def correct(request: Request, invoice_id: int) -> HttpResponse:
    """Correct a field, or take a correction back."""
    document = _document(invoice_id)
    here, refusals = reverse("invoice", args=[invoice_id]), (ValueError, corrections.CorrectionRefused)
    given = asked.number(request.POST, "retract")
    if given is not None:
        row = Correction.objects.filter(pk=given, kind=document.kind, target_id=invoice_id).first()
        if row is None:
            raise Http404
        return attempt(
            request, lambda: corrections.retract(correction=row, actor=actor_of(request), now=request.now), to=here, refusals=refusals,
            done="The correction is taken back; the source's word counts again.",
        )

    def act() -> Any:
        name = asked.text(request.POST, "field", longest=32)
        value = _value(name, asked.text(request.POST, "value", longest=200), document.currency)
        return corrections.field(
            kind=document.kind, target_id=invoice_id, field=name, value=value, reason=asked.text(request.POST, "reason"),
            actor=actor_of(request), now=request.now,
        )

    return attempt(request, act, done="Corrected. Your word outranks every source until you take it back.", to=here, refusals=refusals)


def _origins(card: documents.Card) -> list[tuple[str, str, origin.Origin]]:
    """Each field that can be traced: its word, its value as shown, and where it comes from."""
    head = card.head
    values = {name: getattr(head, name) for name in FIELDS}
    by_hand = {c.field: origin.ByHand(c.value, c.by, c.recorded_at) for c in card.corrections if c.retracted_at is None}
    found = origin.of_document(
        kind=head.kind, document_id=head.id, born_in=head.connection, since=head.recorded_at, currency=head.currency, values=values, by_hand=by_hand,
    )  # fmt: skip
    shown = {**values, "amount_minor": str(Money(head.amount_minor, head.currency))}
    return [(word, str(shown[name] or "none"), found[name]) for name, word in FIELDS.items()]


def _value(name: str, value: str, currency: str) -> Any:
    """What may be stored in the field. Raises asked.Unreadable with what would be right."""
    if name in ("due_date", "issue_date"):
        if not value:
            return None
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise asked.Unreadable(f"{value} is not a day: write it as 2026-06-30") from None
    if name == "amount_minor":
        return asked.minor(value, currency)
    if name == "status" and value not in STATUSES:
        raise asked.Unreadable(f"the status is one of {', '.join(STATUSES)}")
    if name not in FIELDS:
        raise asked.Unreadable(f"{name or 'nothing'} is not a field that can be corrected here")
    if name == "number" and not value:
        raise asked.Unreadable("a document needs a number")
    return value


def _state(card: documents.Card, today: dt.date) -> str:
    head = card.head
    if head.status not in ("open", "unknown"):
        return head.status
    if head.open_minor == 0:
        return "written_off" if head.written_off_minor else "used" if head.kind == "credit_note" else "paid"
    if head.kind == "credit_note":
        return "available"
    if any(d.state == "open" for d in card.disputes):
        return "disputed"
    if card.promises:
        return "promised"
    if card.holds:
        return card.holds[0].reason
    due = min((d.due_date for d in card.dues), default=head.due_date)
    return "overdue" if due and due < today else "partially_paid" if head.allocated_minor else "due"


def _moment(request: Request, name: str, notices: list[str]) -> dt.date | None:
    try:
        return asked.day(request.GET, name)
    except asked.Unreadable as error:
        notices.append(f"{error}.")
        return None


def _document(invoice_id: int) -> Any:
    found = Document.objects.filter(pk=invoice_id).first()
    if found is None:
        raise Http404
    return found
