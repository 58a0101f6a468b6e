"""Our own echo: what a system shows of an effect we caused is ours, and becomes the link instead of a second row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from tieout.stages.ledger.models import SourceRecord
from tieout.stages.writeback.models import Outgoing

#: The kind of a source's record that an act makes, where it makes one.
MAKES: Mapping[str, str] = {
    "customer": "customer", "invoice": "invoice", "credit_note": "credit_note", "payment": "payment", "refund": "refund", "payout": "payout",
}  # fmt: skip


def link(*, row: Outgoing, external_id: str, now: dt.datetime) -> bool:
    """Say that what the system calls `external_id` is our row; False where it is said already."""
    kind = MAKES.get(row.kind)
    if kind is None or not external_id:
        return False
    record, made = SourceRecord.objects.get_or_create(
        connection_id=row.connection_id, kind=kind, external_id=external_id, retracted_at__isnull=True,
        defaults={
            "target_id": row.subject_id, "content_hash": b"\x00", "evidence": "we wrote it there", "linked_by": "machine", "recorded_at": now,
            "seen_at": now,
        },
    )  # fmt: skip
    return bool(made) or record.target_id == row.subject_id


def echoes(*, connection_id: int, made_by: Mapping[str, str], now: dt.datetime) -> int:
    """`made_by`: a record's key there → the key of the command that made it. Links those we do not know yet; returns how many."""
    if not made_by:
        return 0
    keys = {key: external_id for external_id, key in made_by.items()}
    linked = 0
    for row in Outgoing.objects.filter(connection_id=connection_id, natural_key__in=keys):
        linked += link(row=row, external_id=keys[row.natural_key], now=now)
    return linked
