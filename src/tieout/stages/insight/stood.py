"""Where one document stood on any day, as known then or now: the two clocks on a page (promise P5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from tieout.core import position
from tieout.stages.cash.queries import AllocationRow
from tieout.stages.insight.document import Card


def stood(*, card: Card, allocations: Sequence[AllocationRow], day: dt.date, known_at: dt.datetime) -> position.Position | None:
    """Where the document stood on `day` as known at `known_at` (`core.position`); None where it was not known or not dated yet."""
    key = str(card.head.id)
    versions = [
        position.Version(
            document_id=key, kind=card.head.kind, customer_id=str(v.customer_id), currency=v.currency, amount_minor=v.amount_minor, status=v.status,
            document_date=v.issue_date, due_date=v.due_date, recorded_at=v.recorded_at, superseded_at=v.superseded_at,
            reported_open_minor=v.reported_open_minor, reported_date=v.recorded_at.date(),
        )
        for v in card.versions
    ]
    applied = [
        position.Applied(
            source_id=str(a.credit_note_id) if a.credit_note_id else None, document_id=str(a.document_id), kind=a.kind,
            amount_minor=a.amount_minor, date=a.date, recorded_at=a.recorded_at, retracted_at=a.retracted_at,
        )
        for a in allocations
    ]
    disputes = [
        position.Dispute(
            document_id=key, amount_minor=d.amount_minor, from_date=d.opened_at.date(), until_date=d.settled_at.date() if d.settled_at else None,
            recorded_at=d.opened_at, retracted_at=None,
        )
        for d in card.disputes
    ]
    return position.position(versions, applied, disputes, day=day, known_at=known_at)
