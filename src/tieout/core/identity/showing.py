"""Decisions as people see them: best first, with what speaks for and against, and without what is settled already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tieout.core.identity.decide import Place, Standing
from tieout.core.identity.groups import Groups
from tieout.core.identity.known import Known
from tieout.core.identity.record import Decision, Pair

#: Least score of what is linked by machine, the most of what is only likely, and of what is related.
_CERTAIN, _MOST_LIKELY, _MOST_RELATED = 90, 89, 59
_ORDER: dict[Decision, int] = {"certain": 0, "likely": 1, "related": 2}


def shown(standing: Sequence[Standing], ours: list[Known], groups: Groups) -> tuple[Pair, ...]:
    """The pairs to show, best first. Where a record is linked within another source, that source's other records are no news."""
    alike = [one for one in standing if not one.related]
    open_ = {one.at for one in alike}
    linked: dict[tuple[int, str], list[int]] = defaultdict(list)
    for group in groups.all():
        for member in group:
            for peer in group:
                if peer != member:
                    linked[member, ours[peer].record.source].append(peer)
    kept = [one for one in alike if one.certain or not _settled(one.at, ours, linked, open_)]
    best: dict[tuple[int, str], int] = defaultdict(int)
    for one in kept:
        for side in _sides(one.at, ours):
            best[side] = max(best[side], one.weighed.score)
    pairs = [_pair(one, ours, best=all(one.weighed.score == best[side] for side in _sides(one.at, ours))) for one in kept]
    pairs += [_pair(one, ours, best=False) for one in standing if one.related]
    # They come in order of their keys, and keep it where the score is one.
    return tuple(sorted(pairs, key=lambda pair: (_ORDER[pair.decision], -pair.score)))


def _sides(at: Place, ours: list[Known]) -> tuple[tuple[int, str], tuple[int, str]]:
    """Each of the two with the source of the other."""
    one, other = at
    return (one, ours[other].record.source), (other, ours[one].record.source)


def _settled(at: Place, ours: list[Known], linked: dict[tuple[int, str], list[int]], open_: set[Place]) -> bool:
    """Whether one side is linked to another record of the other's source, and that one is not thought to be the other's double."""
    for here, there in (at, at[::-1]):
        for peer in linked.get((here, ours[there].record.source), ()):
            if peer != there and ((peer, there) if peer < there else (there, peer)) not in open_:
                return True
    return False


def _pair(one: Standing, ours: list[Known], *, best: bool) -> Pair:
    weighed = one.weighed
    first, second = (ours[at].record.key for at in one.at)
    against = [*weighed.contradictions, *weighed.doubts, *(f"record {ours[rival].record.key} fits as well" for rival in one.rivals)]
    against += [one.held] if one.held else []
    if one.related:
        return Pair(first, second, "related", min(_MOST_RELATED, weighed.score), weighed.reasons, tuple(against))
    if one.certain:
        return Pair(first, second, "certain", max(_CERTAIN, weighed.score), weighed.reasons, (), best)
    return Pair(first, second, "likely", min(_MOST_LIKELY, weighed.score), weighed.reasons, tuple(against), best)
