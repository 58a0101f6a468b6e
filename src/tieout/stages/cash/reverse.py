"""Money that came back: what it paid is open again, whoever had applied it, for the money is not there any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, feed
from tieout.stages.cash import account, entry
from tieout.stages.ledger.models import Allocation, Document, Payment, PaymentVersion

_SOURCE = Actor("source", "the source")

#: A payment in one of these states is no money: a bounced cheque, a chargeback, a debit returned, a transfer called off.
GONE = ("failed", "cancelled", "reversed")


def payment(
    *, payment: Payment, reason: str, actor: Actor, now: dt.datetime, status: str = "reversed"
) -> Payment | Refused:
    """Say that a payment's money came back (`reversed`), never came (`failed`) or was called off (`cancelled`), and reopen what it paid.

    Twice changes nothing. Refused: a machine (sources and people know), or no reason.
    """
    if status not in GONE:
        return Refused(f"a payment that is gone is {', '.join(GONE)}, not {status!r}")
    if actor.kind == "machine" or not reason.strip():
        return Refused("a person or the source says that money came back, and why")
    account.lock([payment.customer_id, *_owners(entry.of_payments([payment.pk]))])
    row: Payment = payment.lock()
    if row.status == status:
        return row
    undone = entry.retract(entry.of_payments([row.pk]), reason=reason, actor=_fact(actor), now=now)
    PaymentVersion.objects.filter(payment=row, superseded_at__isnull=True).update(superseded_at=now)
    row.status = status
    row.save(update_fields=["status"])
    _version(row, now, f"cash.{status}")
    row.refresh_from_db()
    feed.publish(kind="payment", ids=[row.pk], customer_ids=[row.customer_id] if row.customer_id else [], cause=f"cash.{status}", now=now)
    entry.tell("cash.undo", undone, actor=actor, now=now, reason=reason)
    audit.write(actor=actor, action=f"cash.{status}", object_kind="payment", object_id=row.pk, now=now, reason=reason)
    return row


def by_source(*, payment_ids: Iterable[int] | None = None, now: dt.datetime) -> list[entry.Entry]:
    """Reopen what was paid with money a source has since reported as gone (of these payments; None: of all), set-wise."""
    gone = Payment.objects.filter(status__in=GONE, allocated_minor__gt=0)
    if payment_ids is not None:
        gone = gone.filter(pk__in=set(payment_ids))
    ids = list(gone.order_by("pk").values_list("pk", flat=True))
    live = entry.of_payments(ids)
    if not live:
        return []
    account.lock(_owners(live))
    why = "the source reports that this money came back"
    undone = entry.retract(entry.of_payments(ids), reason=why, actor=_SOURCE, now=now)
    entry.tell("cash.undo", undone, actor=_SOURCE, now=now, reason=why)
    return undone


def of_void(*, customer_ids: Iterable[int] | None = None, now: dt.datetime) -> list[entry.Entry]:
    """An invoice (of these customers; None: of all) that its source has since voided owes nothing: what had paid it waits again.

    What a person set against it stays, for a person to decide.
    """
    void = Document.objects.filter(status__in=("void", "deleted"), allocated_minor__gt=0)
    if customer_ids is not None:
        void = void.filter(customer_id__in=set(customer_ids))
    ids = list(void.order_by("pk").values_list("pk", flat=True))
    wanted = Allocation.objects.filter(document_id__in=ids, retracted_at__isnull=True, rank__lt=3).order_by("id")
    if not ids or not wanted.exists():
        return []
    account.lock(_owners(list(wanted)))
    why = "the invoice was voided at its source"
    undone = entry.retract(list(wanted.all()), reason=why, actor=_SOURCE, now=now)
    entry.tell("cash.undo", undone, actor=_SOURCE, now=now, reason=why)
    return undone


def _fact(actor: Actor) -> Actor:
    # Not a word against the match itself: the same pair may be applied again should the money return.
    return Actor("source", actor.name, actor.id)


def _owners(rows: list[Allocation]) -> set[int]:
    return set(Document.objects.filter(pk__in={row.document_id for row in rows}).values_list("customer_id", flat=True))


def _version(row: Payment, now: dt.datetime, cause: str) -> None:
    PaymentVersion.objects.create(
        payment=row, customer_id=row.customer_id, date=row.date, currency=row.currency, amount_minor=row.amount_minor, status=row.status,
        recorded_at=now, cause=cause,
    )
