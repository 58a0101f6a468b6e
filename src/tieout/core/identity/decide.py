"""From weighed pairs to decisions: certain only where nothing speaks against it and nobody else fits, on either side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import msgspec

from tieout.core.identity.known import Known
from tieout.core.identity.weighing import LIKELY, Weighed

#: Another record as near as this to the best one is a rival, points.
_MARGIN = 15

#: Two records by their places in order, the smaller first.
Place = tuple[int, int]


class Standing(msgspec.Struct, gc=False):
    """A weighed pair on its way to a decision. `rivals` are the places that fit as well, `held` why it cannot be linked after all."""

    at: Place
    weighed: Weighed
    certain: bool
    rivals: tuple[int, ...] = ()
    held: str = ""

    @property
    def related(self) -> bool:
        return bool(self.weighed.contradictions)


def worth_showing(weighed: Weighed, one: Known, other: Known) -> bool:
    """Whether a pair is likely enough to be put before anybody, or of one house in two sources."""
    if weighed.contradictions:
        return weighed.near and one.record.source != other.record.source
    return weighed.score >= LIKELY


def standings(weighed: Mapping[Place, Weighed], known: list[Known]) -> dict[Place, Standing]:
    """Each pair with whether a machine may link it, and what rivals it where not."""
    found = {at: Standing(at, one, _provable(one, known[at[0]], known[at[1]])) for at, one in weighed.items()}
    by_side: dict[tuple[int, str], list[Standing]] = defaultdict(list)
    for (one, other), standing in found.items():
        by_side[one, known[other].record.source].append(standing)
        by_side[other, known[one].record.source].append(standing)
    hopes = {at for at, standing in found.items() if standing.certain}
    for at in hopes:
        standing = found[at]
        rivals = {
            _peer(rival.at, here)
            for here, there in (at, at[::-1])
            for rival in by_side[here, known[there].record.source]
            if rival is not standing and _rivals(rival, standing, here, there, hopes)
        }
        standing.rivals = tuple(sorted(rivals))
        standing.certain = not rivals
    return found


def _provable(weighed: Weighed, one: Known, other: Known) -> bool:
    """Whether the evidence alone would do. Within one source, where two records may be two on purpose, only an id does."""
    if weighed.doubts or weighed.contradictions:
        return False
    return weighed.proof == "id" or (weighed.proof == "mark" and one.record.source != other.record.source)


def _rivals(rival: Standing, standing: Standing, here: int, there: int, hopes: Collection[Place]) -> bool:
    """Whether `rival`, which has one side in common with the pair, could as well be meant."""
    third = _peer(rival.at, here)
    if rival.at in hopes and _pair(third, there) in hopes:
        return False  # all three are one
    proven = standing.weighed.proof == "id"
    if rival.related:
        return not (standing.weighed.whole or proven)
    if proven and rival.weighed.proof != "id":
        return False
    return rival.weighed.score > standing.weighed.score - _MARGIN


def _peer(at: Place, here: int) -> int:
    return at[1] if at[0] == here else at[0]


def _pair(one: int, other: int) -> Place:
    return (one, other) if one < other else (other, one)
