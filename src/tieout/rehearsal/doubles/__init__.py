"""Records of customers as two tools hold them, and the truth about which are one: what linking is measured on.

Everything is invented and follows from a seed. Nothing here looks at how linking works; what makes it hard (houses of several
companies, chains, namesakes, slips, missing fields) comes in the proportions in which books have it.
"""

from __future__ import annotations

import random

import msgspec

from tieout.core.identity import Record
from tieout.rehearsal.doubles.noise import GATEWAY, LEDGER, Tool, record
from tieout.rehearsal.doubles.world import Party, World

#: Of the customers of each tool, how many are in the other as well.
SHARED = 0.45


class Sample(msgspec.Struct, frozen=True):
    """The records in no order, the true customer of each key, and the house or chain of those that belong to one."""

    records: tuple[Record, ...]
    truth: dict[str, int]
    family: dict[str, int]

    def pairs(self) -> set[tuple[str, str]]:
        """Every two records of one customer, each pair once and sorted."""
        groups: dict[int, list[str]] = {}
        for key in sorted(self.truth):
            groups.setdefault(self.truth[key], []).append(key)
        return {(one, other) for keys in groups.values() for place, one in enumerate(keys) for other in keys[place + 1 :]}


def sample(size: int, seed: int) -> Sample:
    """`size` records, about half of them of each tool."""
    rng = random.Random(f"{seed}:doubles")
    parties = World(seed).parties(max(4, round(size / (1 + SHARED / (2 - SHARED)))))
    held = [(party, _where(rng)) for party in parties]
    _ask_bookkeepers(rng, held)
    records: list[Record] = []
    truth: dict[str, int] = {}
    family: dict[str, int] = {}
    for tool in (GATEWAY, LEDGER):
        _hold(rng, [party for party, tools in held if tool.name in tools], tool, records, truth, family)
    rng.shuffle(records)
    kept = records[:size]
    keys = {str(r.key) for r in kept}
    return Sample(tuple(kept), {k: v for k, v in truth.items() if k in keys}, {k: v for k, v in family.items() if k in keys})


def _where(rng: random.Random) -> tuple[str, ...]:
    both = SHARED / (2 - SHARED)
    if rng.random() < both:
        return (GATEWAY.name, LEDGER.name)
    return (rng.choice((GATEWAY.name, LEDGER.name)),)


def _ask_bookkeepers(rng: random.Random, held: list[tuple[Party, tuple[str, ...]]]) -> None:
    """Some small customers leave their bills to an office: its mailbox stands in the records of all of them."""
    office, left = "", 0
    for place, (party, tools) in enumerate(held):
        if party.kind in ("company", "person") and not party.domain and rng.random() < 0.06:
            if not left:
                office, left = f"mandanten{rng.randrange(10**6)}@kanzlei{rng.randrange(10**4)}.example", rng.randrange(2, 9)
            left -= 1
            held[place] = (msgspec.structs.replace(party, mailbox=office), tools)


def _hold(rng: random.Random, parties: list[Party], tool: Tool, records: list[Record], truth: dict[str, int], family: dict[str, int]) -> None:
    keys = {party.number: f"{tool.name}-{rng.randrange(10**12):012d}" for party in parties}
    for party in parties:
        made = record(rng, party, tool, keys[party.number], keys)
        again = [made]
        if rng.random() < tool.twice:
            # A request was sent again, and the tool made a second customer of it. Or somebody typed them in once more.
            key = f"{tool.name}-{rng.randrange(10**12):012d}"
            again.append(msgspec.structs.replace(made, key=key) if rng.random() < 0.7 else record(rng, party, tool, key, keys))
        for one in again:
            records.append(one)
            truth[str(one.key)] = party.number
            if party.family:
                family[str(one.key)] = party.family
