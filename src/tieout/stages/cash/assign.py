"""Assign: say whose money a payment is. It then counts for that customer, applied or not."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused, may_overwrite
from tieout.stages.base import audit, feed
from tieout.stages.cash import account
from tieout.stages.ledger.models import Customer, Payment, PaymentVersion


def customer(*, payment: Payment, customer: Customer | None, actor: Actor, now: dt.datetime, reason: str = "") -> Payment | Refused:
    """Count a payment for a customer (None: nobody knows whose it is, again). What it is applied to stays applied.

    Refused: what a person assigned, only a person assigns elsewhere.
    """
    account.lock([payment.customer_id, customer.pk if customer else None])
    row: Payment = payment.lock()
    before = row.customer_id
    if before == (customer.pk if customer else None) and row.customer_rank >= actor.rank:
        return row
    if not may_overwrite(actor, row.customer_rank):
        return Refused("a person assigned this payment; a person assigns it elsewhere")
    row.customer, row.customer_rank = customer, actor.rank
    row.save(update_fields=["customer", "customer_rank"])
    PaymentVersion.objects.filter(payment=row, superseded_at__isnull=True).update(superseded_at=now)
    PaymentVersion.objects.create(
        payment=row, customer_id=row.customer_id, date=row.date, currency=row.currency, amount_minor=row.amount_minor, status=row.status,
        recorded_at=now, cause="cash.assign",
    )
    touched = [i for i in (before, row.customer_id) if i is not None]
    feed.publish(kind="payment", ids=[row.pk], customer_ids=touched, cause="cash.assign", now=now)
    detail = {"before": before, "after": row.customer_id}
    audit.write(actor=actor, action="cash.assign", object_kind="payment", object_id=row.pk, now=now, reason=reason, detail=detail)
    return row
