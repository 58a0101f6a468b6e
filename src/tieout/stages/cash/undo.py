"""Undo: take an allocation back and keep the payment. The document is open again, the money waits again, history stays."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused, may_overwrite
from tieout.stages.cash import account, entry
from tieout.stages.ledger.models import Allocation, Document, Payment


def allocation(*, allocation: Allocation, reason: str, actor: Actor, now: dt.datetime) -> Allocation | Refused:
    """Take one allocation (cash, credit or write-off) back. Twice changes nothing.

    Refused: a machine may not undo what a person applied.
    """
    account.lock([_payer(allocation), *Document.objects.filter(pk=allocation.document_id).values_list("customer_id", flat=True)])
    row: Allocation = allocation.lock()
    if row.retracted_at is not None:
        return row
    if not may_overwrite(actor, row.rank):
        return Refused(f"{row.actor_name} applied this; a person undoes it")
    entry.tell("cash.undo", entry.retract([row], reason=reason, actor=actor, now=now), actor=actor, now=now, reason=reason)
    row.refresh_from_db()
    return row


def payment(*, payment: Payment, reason: str, actor: Actor, now: dt.datetime) -> list[Allocation] | Refused:
    """Take back everything a payment was applied to, and keep the payment. Refused like `allocation`; then nothing is undone."""
    documents = {row.document_id for row in entry.of_payments([payment.pk])}
    account.lock([payment.customer_id, *Document.objects.filter(pk__in=documents).values_list("customer_id", flat=True)])
    payment.lock()
    rows = entry.of_payments([payment.pk])
    by_person = [row for row in rows if not may_overwrite(actor, row.rank)]
    if by_person:
        return Refused(f"{by_person[0].actor_name} applied this; a person undoes it")
    entry.tell("cash.undo", entry.retract(rows, reason=reason, actor=actor, now=now), actor=actor, now=now, reason=reason)
    return list(Allocation.objects.filter(pk__in=[row.pk for row in rows]).order_by("id"))


def _payer(allocation: Allocation) -> int | None:
    return Payment.objects.filter(pk=allocation.payment_id).values_list("customer_id", flat=True).first() if allocation.payment_id else None
