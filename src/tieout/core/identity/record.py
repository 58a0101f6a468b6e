"""What linking is asked (records of customers, and what people have said about pairs of them) and what it answers. All frozen values."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

#: Opaque to us: whatever the caller finds its record by.
Key = int | str
Decision = Literal["certain", "likely", "related"]
#: A pair of keys as a person meant it, in either order.
Two = tuple[Key, Key]


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A customer as one source holds it. What the source does not say is empty.

    `source` tells one connected tool from another. `domain` is a web or mail domain without an address; `country` is ISO 3166-1
    alpha-2; `accounts` are bank accounts known to be theirs; `aliases` other names it goes by; `parent` the key of the record it
    belongs to.
    """

    key: Key
    source: str
    name: str
    emails: tuple[str, ...] = ()
    domain: str = ""
    phone: str = ""
    tax_id: str = ""
    country: str = ""
    city: str = ""
    accounts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    parent: Key | None = None


class Pair(msgspec.Struct, frozen=True, gc=False):
    """Two records and what is thought of them.

    `certain`: one customer; a machine may link them. `likely`: perhaps one customer; for a person. `related`: much in common and yet
    two customers (companies of one house, branches of a chain); never to be linked by machine.
    `score` (0 to 100) orders pairs by class and weight of evidence and is no probability. `reasons` speak for one customer, `against`
    against it or against certainty, both in words. `best`: no other record of that source fits either of the two better.
    """

    first: Key
    second: Key
    decision: Decision
    score: int
    reasons: tuple[str, ...]
    against: tuple[str, ...] = ()
    best: bool = False


class Links(msgspec.Struct, frozen=True):
    """The answer. `pairs` best first, without those a person has decided. `groups` are the records that are one customer by a person's
    word or for certain, each of two or more, sorted. `broken` are confirmed pairs that could not be kept beside what else people said,
    with the reason."""

    pairs: tuple[Pair, ...]
    groups: tuple[tuple[Key, ...], ...]
    broken: tuple[tuple[Two, str], ...] = ()

    def of(self, decision: Decision) -> list[Pair]:
        """The pairs with one decision, best first."""
        return [pair for pair in self.pairs if pair.decision == decision]


def place(key: Key) -> tuple[int, int, str]:
    """Where a key stands in order: numbers first, then words."""
    return (1, 0, key) if isinstance(key, str) else (0, key, "")


def in_order(records: Iterable[Record]) -> list[Record]:
    """The records in order of their keys."""
    ours = list(records)
    if all(isinstance(record.key, str) for record in ours):  # nearly always: then they can be compared as they are
        return sorted(ours, key=operator.attrgetter("key"))
    return sorted(ours, key=lambda record: place(record.key))


def ordered(two: Two) -> Two:
    """The pair with its smaller key first."""
    one, other = two
    return (one, other) if place(one) <= place(other) else (other, one)


def refuse_twice(keys: Sequence[Key]) -> None:
    """Raises ValueError where a key is given twice, because each record would hide the other."""
    if len(set(keys)) < len(keys):
        seen: set[Key] = set()
        twice = next(key for key in keys if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"record {twice} is given twice")
