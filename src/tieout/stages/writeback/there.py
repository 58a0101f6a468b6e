"""What is in the other system already, and the two ways in which an effect has nothing to say."""

from __future__ import annotations

import msgspec

from tieout.stages.ledger.models import SourceRecord


class Moot(msgspec.Struct, frozen=True):
    """Nothing is to be told any more; `reason` says why."""

    reason: str


class NotYet(msgspec.Struct, frozen=True):
    """What it refers to is not there yet."""

    reason: str


def their_id(*, connection_id: int, kind: str, target_id: int) -> str | None:
    """What our row is called in a system; None where it is not there."""
    found = SourceRecord.objects.filter(
        connection_id=connection_id, kind=kind, target_id=target_id, retracted_at__isnull=True, gone_at__isnull=True
    ).order_by("id").first()  # fmt: skip
    return found.external_id if found else None
