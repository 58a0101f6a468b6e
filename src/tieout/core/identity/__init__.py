"""Which records of several tools are one customer, and which documents are one document.

Linked by machine only where strong evidence stands free of contradiction and nobody else fits, on either side; everything else is
put before a person, with what speaks for it and against it. What a person has said is always kept.

`link(records)` is pure and deterministic; the answer does not depend on the order of anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tieout.core.identity import blocks, known
from tieout.core.identity.decide import Place, standings, worth_showing
from tieout.core.identity.groups import Groups
from tieout.core.identity.record import Decision, Key, Links, Pair, Record, Two, ordered
from tieout.core.identity.showing import shown
from tieout.core.identity.weighing import Weighed, apart, weigh

__all__ = ["Decision", "Key", "Links", "Pair", "Record", "Two", "link"]


def link(records: Sequence[Record], *, confirmed: Iterable[Two] = (), rejected: Iterable[Two] = ()) -> Links:
    """Which of the records are one customer.

    `confirmed` and `rejected` are pairs of which a person has said that they are, or are not; a pair that names a record not given
    is passed over. Raises ValueError where a key is given twice.
    """
    population = known.read(records)
    ours = population.known
    at = {one.record.key: number for number, one in enumerate(ours)}
    refused = _places(rejected, at)
    weighed: dict[Place, Weighed] = {}
    for pair in blocks.candidates(population):
        one, other = ours[pair[0]], ours[pair[1]]
        found = weigh(one, other, population)
        if found is not None and worth_showing(found, one, other) and pair not in refused:
            weighed[pair] = found
    standing = standings(weighed, ours)
    said = _places(confirmed, at)
    proven = said | {one.at for one in standing.values() if one.certain}

    def against(one: int, other: int) -> str:
        if (source := ours[one].record.source) == ours[other].record.source and ((one, other) if one < other else (other, one)) not in proven:
            return f"two records of {source}, which nothing proves to be one"
        return apart(ours[one], ours[other], population)

    groups = Groups(against, refused)
    broken = []
    for pair in sorted(said):
        if why := groups.join(pair, by_person=True):
            broken.append(((ours[pair[0]].record.key, ours[pair[1]].record.key), why))
    by_machine = sorted((s for s in standing.values() if s.certain), key=lambda s: (s.weighed.proof != "id", -s.weighed.score, s.at))
    for hope in by_machine:
        if why := groups.join(hope.at):
            hope.certain, hope.held = False, why
    return Links(
        pairs=shown([one for one in standing.values() if one.at not in said], ours, groups),
        groups=tuple(tuple(ours[member].record.key for member in group) for group in groups.all()),
        broken=tuple(broken),
    )


def _places(said: Iterable[Two], at: dict[Key, int]) -> set[Place]:
    found = set()
    for two in said:
        one, other = ordered(two)
        if one in at and other in at and one != other:
            found.add((at[one], at[other]))
    return found
