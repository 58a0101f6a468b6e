"""Customers were linked or parted: tasks go with them. Releases and decisions stay as they were made: planning asks again."""

from __future__ import annotations

from collections.abc import Iterable

from tieout.stages.ledger import regroup
from tieout.stages.ledger.regroup import Move


def run(*, moves: Iterable[Move]) -> int:
    """Bring tasks along; returns how many."""
    return regroup.rows("collect_task", moves)
