"""Which documents of two tools are one: the same invoice entered in the gateway and in the ledger.

Certain where the number, the amount and the currency are the same, no customer speaks against it, and nothing else fits on either
side; likely where the number is written with another prefix, or where customer, amount and day agree.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from tieout.core.identity.record import Key, Two, ordered, place, refuse_twice
from tieout.core.matching.numbers import keys
from tieout.core.money import Money

#: Days between two issue dates of one document: a tool may date it by the day it was sent.
_DAYS = 5
#: Digits from which on a number tells something by its end, or beside letters; and from which on digits alone do.
_TELLING, _LONG = 3, 6
#: Documents of one amount on one day beyond which they are not compared: list prices.
_MOST = 20
_CERTAIN, _LIKELY = 95, 60


class Document(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A document as one source holds it. `customer` is our customer (whatever tells that two are one), None where it is not known."""

    key: Key
    source: str
    kind: Literal["invoice", "credit_note"]
    number: str
    amount: Money
    customer: Key | None = None
    issue_date: dt.date | None = None


class Same(msgspec.Struct, frozen=True, gc=False):
    """Two documents of two sources, and whether they are one: `certain` for a machine, `likely` for a person. `score` orders them and is
    no probability; `reasons` speak for it, `against` against it or against certainty."""

    first: Key
    second: Key
    decision: Literal["certain", "likely"]
    score: int
    reasons: tuple[str, ...]
    against: tuple[str, ...] = ()


def same(documents: Sequence[Document], *, rejected: Iterable[Two] = ()) -> list[Same]:
    """Pairs of documents that are one, or may be, best first. Never two of one source: its numbers are its own affair.

    `rejected` are pairs of which a person said that they are two. Raises ValueError where a key is given twice.
    """
    refuse_twice([document.key for document in documents])
    ours = sorted(documents, key=lambda document: place(document.key))
    refused = {ordered(two) for two in rejected}
    found = [
        one
        for a, b in sorted({*_by_number(ours), *_by_day(ours)})
        if ordered((ours[a].key, ours[b].key)) not in refused and (one := _weigh(ours[a], ours[b])) is not None
    ]
    sources = {document.key: document.source for document in ours}
    return sorted(_unique(found, sources), key=lambda one: (-one.score, place(one.first), place(one.second)))


def _by_number(ours: Sequence[Document]) -> Iterator[tuple[int, int]]:
    """Of one currency, with one number, or with one last run of digits and one amount."""
    blocks: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for at, document in enumerate(ours):
        numbers = keys(document.number)
        for number in numbers:
            blocks[document.kind, document.amount.currency, number].append(at)
        if numbers and (tail := _tail(numbers[0])):
            blocks[document.kind, document.amount, "tail", tail].append(at)
    return _between_sources(blocks.values(), ours)


def _by_day(ours: Sequence[Document]) -> Iterator[tuple[int, int]]:
    """Of one customer, one amount and one day."""
    blocks: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for at, document in enumerate(ours):
        if document.customer is not None and document.issue_date is not None:
            blocks[document.kind, document.amount, document.customer, document.issue_date].append(at)
    return _between_sources(blocks.values(), ours)


def _between_sources(blocks: Iterable[list[int]], ours: Sequence[Document]) -> Iterator[tuple[int, int]]:
    return (
        pair
        for block in blocks
        if 1 < len(block) <= _MOST
        for pair in itertools.combinations(block, 2)
        if ours[pair[0]].source != ours[pair[1]].source
    )


def _tail(number: str) -> str:
    """The last run of digits of a number's key, where it is long enough to tell something; '' else."""
    tail = number.rsplit(" ", 1)[-1]
    return tail if tail.isdigit() and len(tail) >= _TELLING else ""


class _Case:
    """Two documents while they are weighed."""

    __slots__ = ("against", "reasons", "score")

    def __init__(self) -> None:
        self.score = 0
        self.reasons: list[str] = []
        self.against: list[str] = []

    def add(self, points: int, reason: str = "") -> None:
        self.score += points
        if reason:
            self.reasons.append(reason)

    def take(self, points: int, reason: str) -> None:
        self.score -= points
        self.against.append(reason)


def _weigh(one: Document, other: Document) -> Same | None:
    case = _Case()
    same_number = _weigh_numbers(one, other, case)
    if one.amount == other.amount:
        case.add(30, f"same amount {one.amount}")
    else:
        case.take(0, f"the amounts differ: {one.amount.text()} and {other.amount}")
    same_customer = one.customer is not None and one.customer == other.customer
    if same_customer:
        case.add(15, "same customer")
    elif one.customer is not None and other.customer is not None:
        case.take(20, "booked to different customers")
    same_day = _weigh_days(one, other, case)
    if same_number and not (same_customer or same_day) and _plain(keys(one.number)[0]):
        case.take(0, f"so plain a number as {one.number} may be borne by two documents")
    if case.score < _LIKELY:
        return None
    if case.against:
        return Same(one.key, other.key, "likely", min(case.score, _CERTAIN - 1), tuple(case.reasons), tuple(case.against))
    return Same(one.key, other.key, "certain", max(case.score, _CERTAIN), tuple(case.reasons))


def _weigh_numbers(one: Document, other: Document, case: _Case) -> bool:
    mine, theirs = keys(one.number), keys(other.number)
    if not set(mine).isdisjoint(theirs):
        case.add(50, f"same number {one.number}")
        return True
    if mine and theirs and _tail(mine[0]) and _tail(mine[0]) == _tail(theirs[0]):
        case.add(30, f"numbers end alike: {one.number} and {other.number}")
        case.take(0, "the numbers begin differently")
    else:
        case.take(0, f"the numbers differ: {one.number} and {other.number}")
    return False


def _weigh_days(one: Document, other: Document, case: _Case) -> bool:
    if one.issue_date is None or other.issue_date is None:
        return False
    apart = abs((one.issue_date - other.issue_date).days)
    if apart > _DAYS:
        case.take(10, f"issued {apart} days apart")
    else:
        case.add(5 if apart else 15, "" if apart else f"same day {one.issue_date.isoformat()}")
    return apart == 0


def _plain(number: str) -> bool:
    """Whether a number's key is a few digits and nothing else, as two tools that count from 1 or 1001 both come to."""
    return sum(c.isdigit() for c in number) < (_TELLING if any(c.isalpha() for c in number) else _LONG)


def _unique(found: Sequence[Same], sources: dict[Key, str]) -> list[Same]:
    """Certain only where no other document of that source is as good; what is settled so is not offered again in another way."""
    fits: dict[tuple[Key, str], list[Same]] = defaultdict(list)
    for one in found:
        if one.decision == "certain":
            for side in _sides(one, sources):
                fits[side].append(one)
    alone = {side for side, there in fits.items() if len(there) == 1}
    settled = {side for one in found if one.decision == "certain" and alone.issuperset(_sides(one, sources)) for side in _sides(one, sources)}
    judged = []
    for one in found:
        sides = _sides(one, sources)
        if (one.decision == "likely" and settled.isdisjoint(sides)) or (one.decision == "certain" and settled.issuperset(sides)):
            judged.append(one)
        elif one.decision == "certain":
            rivals = {key for side in sides for rival in fits[side] for key in (rival.first, rival.second)} - {one.first, one.second}
            against = tuple(f"document {key} fits as well" for key in sorted(rivals, key=place))
            judged.append(msgspec.structs.replace(one, decision="likely", score=_CERTAIN - 1, against=against))
    return judged


def _sides(one: Same, sources: dict[Key, str]) -> tuple[tuple[Key, str], tuple[Key, str]]:
    """Each document of the pair with the source of the other."""
    return (one.first, sources[one.second]), (one.second, sources[one.first])
