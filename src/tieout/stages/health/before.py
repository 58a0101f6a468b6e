"""What came before what, by commits and not by clocks.

A moment written beside a fact was taken when its transaction began, and a transaction that waits for the account lock commits
after one that began later. The audit trail knows better: its head is the last lock of every act, so the order of its entries is
the order of commits. A fact and the entry of its act bear the same moment, which ties the two together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from tieout.stages.health import looking

#: How far a clock and the order of commits may be apart: longer than any act waits for a lock, shorter than a person notices.
SLACK = dt.timedelta(minutes=10)


#: Longer than an act waits for the lock of a claim whose letter was still offered in time (five seconds, and again for others).
WAITS = dt.timedelta(seconds=30)

_ENTRIES = """
SELECT at, min(seq), max(seq) FROM base_auditentry WHERE organisation_id = %(org)s AND at = ANY(%(moments)s::timestamptz[]) GROUP BY at"""


class Claim(msgspec.Struct, frozen=True):
    """A claim of a message: its moment, its place in the trail, and that of the first entry on how it ended (None: not there)."""

    at: dt.datetime
    seq: int | None
    settled: int | None


class Order:
    """The order of some moments against claims. Where the trail cannot tell, neither `before` nor `after` is true."""

    def __init__(self, moments: Iterable[dt.datetime | None]) -> None:
        wanted = sorted({moment for moment in moments if moment is not None})
        self._entries: dict[dt.datetime, tuple[int, int]] = {}
        if wanted:
            self._entries = {at: (first, last) for at, first, last in looking.rows(_ENTRIES, moments=wanted)}

    def before(self, moment: dt.datetime, claim: Claim) -> bool:
        """Whether what bears this moment surely committed before the claim."""
        first, last = self._entries.get(moment, (None, None))
        if claim.seq is None:
            return moment < claim.at - WAITS and not (first is not None and claim.settled is not None and first > claim.settled)
        return moment < claim.at if last is None else last < claim.seq

    def after(self, moment: dt.datetime, claim: Claim) -> bool:
        """Whether it surely committed after the claim."""
        first, _ = self._entries.get(moment, (None, None))
        if claim.seq is None:
            return moment > claim.at or (first is not None and claim.settled is not None and first > claim.settled)
        return moment > claim.at if first is None else first > claim.seq
