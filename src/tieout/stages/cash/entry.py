"""Entries: how allocations are written and told, whoever decided on them.

A batch is told as one act of the audit trail with a digest over its entries, so that forty thousand links a file states
cost one link of the chain and still cannot be changed unseen; each entry carries its own actor, moment and reason.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

import msgspec
from django.db import IntegrityError, connection, transaction

from tieout.core.evidence import Actor, Refused
from tieout.core.money import minor_text
from tieout.stages.base import audit, crash, feed, walls
from tieout.stages.ledger.models import Allocation

#: Up to here each allocation of an act has an audit entry of its own.
EACH = 100

#: Constraints a losing worker runs into, in words.
_LIMITS = {
    "ledger_payment_not_over_allocated": "the payment has less left than that; somebody applied it in the meantime",
    "ledger_document_not_over_allocated": "the document has less open than that; somebody settled it in the meantime",
    "ledger_allocation_fits": "only money that is here, or a credit note, can be set against an invoice in the same currency",
    "ledger_allocation_positive": "an amount must be more than nothing",
}


class Entry(msgspec.Struct, frozen=True):
    """An allocation as written: enough to tell it."""

    allocation_id: int
    kind: str
    payment_id: int | None
    credit_note_id: int | None
    document_id: int
    amount_minor: int
    currency: str
    reason: str

    @classmethod
    def of(cls, row: Allocation) -> Entry:
        return cls(row.pk, row.kind, row.payment_id, row.credit_note_id, row.document_id, row.amount_minor, row.currency, row.reason)


def write(rows: Sequence[Allocation]) -> list[Entry] | Refused:
    """Insert allocations, all or none. The database has the last word on every limit; its refusal comes back in words."""
    try:
        with transaction.atomic():
            written = Allocation.objects.bulk_create(rows, batch_size=2000)
    except IntegrityError as error:
        for name, words in _LIMITS.items():
            if name in str(error):
                return Refused(words)
        raise
    crash.point("cash.after_allocation")
    return [Entry.of(row) for row in written]


def retract(rows: Sequence[Allocation], *, reason: str, actor: Actor, now: dt.datetime) -> list[Entry]:
    """Take allocations back. Who did it stays in `evidence`, so that a machine never repeats what a person undid."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE ledger_allocation
                  SET retracted_at = %s, retracted_reason = %s,
                      evidence = evidence || jsonb_build_object('undone', jsonb_build_object('by', %s::text, 'kind', %s::text, 'rank', %s::int))
                WHERE organisation_id = %s AND id = ANY(%s) AND retracted_at IS NULL""",
            [now, reason, actor.name, actor.kind, actor.rank, walls.current(), [row.pk for row in rows]],
        )
    crash.point("cash.after_allocation")
    return [Entry.of(row) for row in rows]


def of_payments(payment_ids: Iterable[int]) -> list[Allocation]:
    """Live allocations of these payments, with the credit notes and write-offs that were part of the same acts."""
    ids = sorted(set(payment_ids))
    cash = list(Allocation.objects.filter(payment_id__in=ids, retracted_at__isnull=True).order_by("id"))
    beside = Allocation.objects.filter(
        document_id__in={row.document_id for row in cash}, payment__isnull=True, retracted_at__isnull=True, evidence__payment_id__in=ids
    )
    return sorted([*cash, *beside], key=lambda row: row.pk)


def tell(action: str, entries: Sequence[Entry], *, actor: Actor, now: dt.datetime, reason: str = "") -> None:
    """Publish what was written or taken back, then audit it; call it last."""
    if not entries:
        return
    feed.publish(kind="allocation", ids=[e.allocation_id for e in entries], customer_ids=customers(entries), cause=action, now=now)
    if len(entries) <= EACH:
        audit.write_many([(action, "allocation", e.allocation_id, reason or e.reason, _detail(e)) for e in entries], actor=actor, now=now)
        return
    detail = {"count": len(entries), "first": entries[0].allocation_id, "last": entries[-1].allocation_id, "sha256": digest(entries)}
    audit.write(actor=actor, action=action, object_kind="allocations", object_id=entries[0].allocation_id, now=now, reason=reason, detail=detail)


def digest(entries: Sequence[Entry]) -> str:
    """SHA-256 over the entries in the order of their ids: `id payment credit document amount currency`, a line each."""
    lines = (
        f"{e.allocation_id} {e.payment_id or 0} {e.credit_note_id or 0} {e.document_id} {e.amount_minor} {e.currency}\n"
        for e in sorted(entries, key=lambda e: e.allocation_id)
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _detail(e: Entry) -> dict[str, object]:
    return {
        "kind": e.kind, "payment_id": e.payment_id, "credit_note_id": e.credit_note_id, "document_id": e.document_id,
        "amount": f"{minor_text(e.amount_minor, e.currency)} {e.currency}",
    }


def yielded(allocation_ids: Sequence[int], *, now: dt.datetime) -> None:
    """Tell of allocations that a merge has taken back because their source changed what they stood on."""
    if allocation_ids:
        rows = Allocation.objects.filter(pk__in=allocation_ids).order_by("id")
        told = [Entry.of(row) for row in rows]
        tell("cash.undo", told, actor=Actor("source", "the source"), now=now, reason="its source has changed the document or the payment under it")


def customers(entries: Sequence[Entry]) -> list[int]:
    """Customers these entries touch: whose documents, and who paid."""
    if not entries:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT customer_id FROM ledger_document WHERE organisation_id = %s AND id = ANY(%s)
               UNION SELECT customer_id FROM ledger_payment WHERE organisation_id = %s AND id = ANY(%s) AND customer_id IS NOT NULL""",
            [walls.current(), [e.document_id for e in entries], walls.current(), [e.payment_id for e in entries if e.payment_id is not None]],
        )
        return [row[0] for row in cursor.fetchall()]
