"""Customers were linked or parted: what was written to them is read with them. What waits to be sent is judged anew before it leaves."""

from __future__ import annotations

from collections.abc import Iterable

from tieout.stages.ledger import regroup
from tieout.stages.ledger.regroup import Move


def run(*, moves: Iterable[Move]) -> int:
    """Bring messages along; returns how many."""
    return regroup.rows("outreach_message", moves)
