"""Disputes: an objection to a document or to an amount of it. That part is held; the rest is still owed and asked for."""

from __future__ import annotations

import datetime as dt

from django.db.models import Sum

from tieout.core.evidence import Actor, Refused
from tieout.core.money import minor_text
from tieout.stages.base import audit, feed
from tieout.stages.cash import account
from tieout.stages.dialogue import hold
from tieout.stages.dialogue.models import Dispute
from tieout.stages.ledger.models import Document

#: What people object to, for the choice on a page; other words are kept as they are given.
CATEGORIES = ("price", "quantity", "quality", "not delivered", "duplicate", "not ordered", "paid already", "other")


def open(
    *, document: Document, amount_minor: int | None = None, category: str = "other", said: str = "", stated_id: int | None = None, actor: Actor,
    now: dt.datetime,
) -> Dispute | Refused:
    """Record an objection to `amount_minor` of an invoice (None: to all that is not disputed yet) and hold that part.

    Refused: more than the invoice leaves to dispute; a document that is no open invoice.
    """
    account.lock([document.customer_id])
    document = Document.objects.select_related("customer").get(pk=document.pk)
    disputed = Dispute.objects.filter(document=document, state="open").aggregate(total=Sum("amount_minor"))["total"] or 0
    left = document.amount_minor - disputed
    amount = left if amount_minor is None else amount_minor
    if document.kind != "invoice" or document.status not in ("open", "unknown"):
        return Refused(f"{document.number} is not an invoice that asks for money, so there is nothing to dispute")
    if not 0 < amount <= left:
        of = f"{minor_text(left, document.currency)} {document.currency}"
        return Refused(f"the disputed amount must be more than nothing and at most the {of} of {document.number} not disputed yet")
    held = hold.put(
        customer=document.customer, reason="dispute", document=document, amount_minor=amount, until=None, note=said, actor=actor, now=now
    )
    row: Dispute = Dispute.objects.create(
        customer=document.customer, document=document, currency=document.currency, amount_minor=amount, category=category.strip()[:32] or "other",
        said=said, opened_at=now, opened_by=actor.name, hold=held, stated_id=stated_id,
    )
    _tell("dispute.open", row, actor=actor, now=now, reason=said)
    return row


def settle(*, dispute: Dispute, state: str, answer: str = "", actor: Actor, now: dt.datetime) -> Dispute | Refused:
    """Close a dispute as upheld, rejected or withdrawn, and release its hold. An upheld one is credited or written off apart."""
    if state not in ("upheld", "rejected", "withdrawn"):
        return Refused(f"a dispute ends upheld, rejected or withdrawn, not {state!r}")
    account.lock([dispute.customer_id])
    row: Dispute = dispute.lock()
    if row.state != Dispute.State.OPEN:
        return row if row.state == state else Refused(f"this dispute was settled already: {row.get_state_display().lower()}")
    row.state, row.settled_at, row.settled_by, row.answer = state, now, actor.name, answer
    row.save(update_fields=["state", "settled_at", "settled_by", "answer"])
    hold.lift(row.hold, reason=f"dispute {state}", actor=actor, now=now)
    _tell("dispute.settle", row, actor=actor, now=now, reason=answer)
    return row


def reopen(*, dispute: Dispute, reason: str, actor: Actor, now: dt.datetime) -> Dispute | Refused:
    """Take the settlement back: the dispute is open again, under a new hold."""
    account.lock([dispute.customer_id])
    row: Dispute = dispute.lock()
    if row.state == Dispute.State.OPEN:
        return row
    others = Dispute.objects.filter(document_id=row.document_id, state="open").aggregate(total=Sum("amount_minor"))["total"] or 0
    if others + row.amount_minor > row.document.amount_minor:
        return Refused(f"other disputes of {row.document.number} leave no room for this one")
    row.hold = hold.put(
        customer=row.customer, reason="dispute", document=row.document, amount_minor=row.amount_minor, until=None, note=reason, actor=actor, now=now
    )
    row.state, row.settled_at, row.settled_by, row.answer = Dispute.State.OPEN, None, "", ""
    row.save(update_fields=["state", "settled_at", "settled_by", "answer", "hold"])
    _tell("dispute.reopen", row, actor=actor, now=now, reason=reason)
    return row


def remark(*, dispute: Dispute, answer: str, actor: Actor, now: dt.datetime) -> Dispute:
    """Write beside an open dispute what has become of it elsewhere; it stays open, and held, until somebody settles it."""
    row: Dispute = dispute.lock()
    if row.state == Dispute.State.OPEN and row.answer != answer:
        row.answer = answer
        row.save(update_fields=["answer"])
        _tell("dispute.remark", row, actor=actor, now=now, reason=answer)
    return row


def _tell(action: str, row: Dispute, *, actor: Actor, now: dt.datetime, reason: str) -> None:
    feed.publish(kind="dispute", ids=[row.pk], customer_ids=[row.customer_id], cause=action, now=now)
    detail = {"document_id": row.document_id, "amount_minor": row.amount_minor, "currency": row.currency, "category": row.category}
    audit.write(actor=actor, action=action, object_kind="dispute", object_id=row.pk, now=now, reason=reason, detail=detail)
