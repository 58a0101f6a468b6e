"""Customers were linked or parted: what was said and agreed goes where their documents went, and comes home the same way."""

from __future__ import annotations

from collections.abc import Iterable

from tieout.stages.ledger import regroup
from tieout.stages.ledger.regroup import Move

_ABOUT_DOCUMENTS = ("dialogue_hold", "dialogue_promise", "dialogue_dispute", "dialogue_note")
_OTHERS = ("dialogue_touch", "dialogue_reply")


def run(*, moves: Iterable[Move]) -> int:
    """Bring holds, promises, disputes, notes, touches and replies along; returns how many. Opt-outs and consent hang on the contact point
    and need nothing."""
    moved = list(moves)
    return sum(regroup.rows(table, moved, by_document=True) for table in _ABOUT_DOCUMENTS) + sum(regroup.rows(table, moved) for table in _OTHERS)
