"""Something changed: whoever it touches is judged again. Reads the change feed by commit visibility."""

from __future__ import annotations

from uuid import UUID

from tieout.flow import clock, nightly
from tieout.stages.base import feed, walls
from tieout.stages.writeback import compare

READER = "collect"
#: Past this many accounts the whole book is judged at once, which costs less than naming them.
MOST = 2_000


def follow(organisation_id: UUID) -> int:
    """Judge the accounts that changed since the last look; returns how many changes were read."""
    with walls.inside(organisation_id):
        changes = feed.take(reader=READER)
        customers = sorted({c for change in changes for c in change.customer_ids})
        if customers:
            # A link, a correction or a changed rule may have opened or ended a disagreement.
            compare.run(customer_ids=customers if len(customers) <= MOST else None, now=clock.now())
            nightly.judge(organisation_id, customers if len(customers) <= MOST else None)
    return len(changes)
