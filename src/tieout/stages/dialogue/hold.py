"""Holds: why somebody or something is not to be asked for money. One kind for all reasons, released and never deleted."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused, may_overwrite
from tieout.core.money import minor_text
from tieout.stages.base import audit, feed
from tieout.stages.base import queries as base
from tieout.stages.cash import account
from tieout.stages.dialogue.models import Dispute, Hold, Promise, Reply
from tieout.stages.ledger.models import Customer, Document


def place(
    *, customer: Customer, reason: str, document: Document | None = None, amount_minor: int | None = None, until: dt.date | None = None,
    note: str = "", actor: Actor, now: dt.datetime,
) -> Hold | Refused:
    """Hold a customer, one of its documents, or an amount of a document, from today up to (not including) `until`.

    The same hold placed twice is one. Refused: an unknown reason, an amount without its document, an end that has passed.
    """
    account.lock([customer.pk])
    today = base.today_of(base.profile(), now)
    wrong = _wrong(customer, reason, document, amount_minor, until, today)
    if wrong:
        return Refused(wrong)
    same = Hold.objects.filter(
        customer=customer, document=document, reason=reason, amount_minor=amount_minor, until_date=until, note=note, released_at__isnull=True
    ).first()
    if same:
        found: Hold = same
        return found
    row = put(customer=customer, reason=reason, document=document, amount_minor=amount_minor, until=until, note=note, actor=actor, now=now)
    tell("hold.place", row, actor=actor, now=now, reason=note)
    return row


def put(
    *, customer: Customer, reason: str, document: Document | None, amount_minor: int | None, until: dt.date | None, note: str, actor: Actor,
    now: dt.datetime,
) -> Hold:
    """Write the row, unasked and untold: for the verbs that hold as part of an act of their own and tell it themselves."""
    row: Hold = Hold.objects.create(
        customer=customer, document=document, reason=reason, amount_minor=amount_minor,
        currency=document.currency if document and amount_minor is not None else "", from_date=base.today_of(base.profile(), now), until_date=until,
        note=note, placed_at=now, placed_by=actor.name, placed_by_id=actor.id, rank=actor.rank,
    )
    return row


def release(*, hold: Hold, reason: str, actor: Actor, now: dt.datetime) -> Hold | Refused:
    """End a hold; it stays on record. Releasing it twice changes nothing.

    Refused: a machine may not release what a person holds; the hold of an open dispute, promise or reply ends with that.
    """
    account.lock([hold.customer_id])
    row: Hold = hold.lock()
    if row.released_at is not None:
        return row
    if not may_overwrite(actor, row.rank):
        return Refused(f"{row.placed_by} placed this hold; a person releases it")
    carrier = _carrier(row)
    if carrier:
        return Refused(carrier)
    lift(row, reason=reason, actor=actor, now=now)
    tell("hold.release", row, actor=actor, now=now, reason=reason)
    return row


def lift(row: Hold | None, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Mark the row released, unasked and untold: for the verb that settles what the hold stands for."""
    if row is not None and row.released_at is None:
        row.released_at, row.released_by, row.released_reason = now, actor.name, reason
        row.save(update_fields=["released_at", "released_by", "released_reason"])


def tell(action: str, row: Hold, *, actor: Actor, now: dt.datetime, reason: str = "") -> None:
    """Publish and audit what happened to a hold; call it last."""
    feed.publish(kind="hold", ids=[row.pk], customer_ids=[row.customer_id], cause=action, now=now)
    detail = {
        "customer_id": row.customer_id, "document_id": row.document_id, "kind": row.reason, "amount_minor": row.amount_minor, "until": row.until_date,
    }
    audit.write(actor=actor, action=action, object_kind="hold", object_id=row.pk, now=now, reason=reason, detail=detail)


def _wrong(
    customer: Customer, reason: str, document: Document | None, amount_minor: int | None, until: dt.date | None, today: dt.date
) -> str:
    if reason not in Hold.Reason.values:
        return f"{reason!r} is not a reason to hold; it is one of {', '.join(Hold.Reason.values)}"
    if until is not None and until <= today:
        return f"the hold would have ended already: {until} is not after today ({today})"
    if document is None:
        return "an amount can be held only of one document" if amount_minor is not None else ""
    if document.customer_id != customer.pk:
        return f"{document.number} does not belong to {customer.name}"
    if amount_minor is not None and not 0 < amount_minor <= document.amount_minor:
        return f"the amount to hold must be more than nothing and at most {minor_text(document.amount_minor, document.currency)} {document.currency}"
    return ""


def _carrier(row: Hold) -> str:
    if Dispute.objects.filter(hold=row, state="open").exists():
        return "this hold stands for an open dispute; settle the dispute, which releases it"
    if Promise.objects.filter(hold=row, state="open").exists():
        return "this hold stands for an open promise; withdraw the promise, which releases it"
    if Reply.objects.filter(hold=row, state="open").exists():
        return "this hold stands for a reply nobody has closed; close the reply, which releases it"
    return ""
