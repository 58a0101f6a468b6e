"""Tie out two sides: what we hold to be open of each document against what its source says, and a named cause for every cent between
(promise P4). Causes sum to the difference exactly; what no cause covers stays openly unexplained, never a plug.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

Cause = Literal[
    "missed_delete", "unlinked", "in_transit", "future_dated", "fx_basis", "rounding", "timing", "duplicate", "given_back", "edited", "unexplained"
]  # fmt: skip

#: What each cause says, for people.
MEANING: Mapping[str, str] = {
    "missed_delete": "deleted at the source, still held here",
    "unlinked": "settled at the source by money, a credit or a journal that is not applied here",
    "in_transit": "money on its way that one side counts already",
    "future_dated": "dated in the future, which one side does not count yet",
    "fx_basis": "converted at another rate",
    "rounding": "rounded differently",
    "timing": "applied here and not yet in what the source reports",
    "duplicate": "the same thing twice at the source",
    "given_back": "given back to the payer, or taken back by the payer's bank; the source goes on counting the document as paid",
    "edited": "changed there since; the system it was born in says another amount",
    "unexplained": "no cause is known",
}
#: The order in which causes are asked: what is certain before what is likely.
ORDER: tuple[Cause, ...] = (
    "missed_delete", "duplicate", "edited", "future_dated", "timing", "given_back", "unlinked", "in_transit", "fx_basis", "rounding",
)  # fmt: skip
#: Up to here a difference of one document can be rounding, in minor units.
ROUNDING = 2


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One document on both sides, in minor units of its currency: what is open by our books and by the source's.

    `evidence` holds, by cause, how much of the difference (ours - theirs, with its sign) that cause can bear; None bears all that is left.
    """

    id: str
    customer: str
    currency: str
    ours: int
    theirs: int
    evidence: Mapping[Cause, int | None] = {}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of one document's difference with its cause."""

    id: str
    cause: Cause
    minor: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One customer in one currency: both balances, and the parts that lead from theirs to ours: ours = theirs + sum of parts."""

    customer: str
    currency: str
    ours: int
    theirs: int
    parts: tuple[Part, ...]

    @property
    def difference(self) -> int:
        """Ours less theirs; what the parts sum to."""
        return self.ours - self.theirs

    @property
    def unexplained(self) -> int:
        """What no cause is known for."""
        return sum(part.minor for part in self.parts if part.cause == "unexplained")


def explain(pair: Pair) -> tuple[Part, ...]:
    """The parts of one document's difference. They sum to `ours - theirs`; none where there is no difference."""
    left = pair.ours - pair.theirs
    parts: list[Part] = []
    for cause in ORDER:
        if not left:
            break
        if cause in pair.evidence:
            bears = _borne(left, pair.evidence[cause])
        elif cause == "rounding" and abs(left) <= ROUNDING:
            bears = left
        else:
            continue
        if bears:
            parts.append(Part(id=pair.id, cause=cause, minor=bears))
            left -= bears
    if left:
        parts.append(Part(id=pair.id, cause="unexplained", minor=left))
    return tuple(parts)


def tie_out(pairs: Iterable[Pair]) -> tuple[Line, ...]:
    """Every customer and currency, those with a difference first, the largest first."""
    gathered: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        gathered.setdefault((pair.customer, pair.currency), []).append(pair)
    lines = [_line(customer, currency, some) for (customer, currency), some in gathered.items()]
    return tuple(sorted(lines, key=lambda line: (-abs(line.unexplained), -sum(abs(p.minor) for p in line.parts), line.customer, line.currency)))


def by_cause(lines: Iterable[Line]) -> dict[str, dict[str, int]]:
    """The difference by currency and cause, in minor units."""
    told: dict[str, dict[str, int]] = {}
    for line in lines:
        for part in line.parts:
            causes = told.setdefault(line.currency, {})
            causes[part.cause] = causes.get(part.cause, 0) + part.minor
    return told


def _line(customer: str, currency: str, pairs: Sequence[Pair]) -> Line:
    parts = tuple(part for pair in pairs for part in explain(pair))
    return Line(customer=customer, currency=currency, ours=sum(p.ours for p in pairs), theirs=sum(p.theirs for p in pairs), parts=parts)


def _borne(left: int, most: int | None) -> int:
    """How much of `left` a cause can bear: of the same sign, and no more than there is."""
    if most is None:
        return left
    if (most > 0) != (left > 0):
        return 0
    return min(left, most) if left > 0 else max(left, most)
