"""`identify`: customers of two tools linked in core, beside a join on equal names, on records whose truth is known.

Judged by what a machine links (it must be right), by what machine and best proposals find together, and by the companies of one
house or chain that were linked, of which there must be none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Set

from tieout.core import identity, party
from tieout.core.identity import Links
from tieout.rehearsal import doubles
from tieout.rehearsal.bench.figures import Figure, rate, timed
from tieout.rehearsal.doubles import Sample

#: The book of the benchmark; that of the tests has another.
_SEED = 2026
#: The size the promise is made for; a handful of records says little about rates of one in a hundred.
_BOOK = 10_000

Pairs = Set[tuple[str, str]]


def run(size: int) -> Iterator[Figure]:
    """`size` records at once."""
    sample = doubles.sample(size, _SEED)
    with timed() as ours:
        found = identity.link(sample.records)
    with timed() as bare:
        joined = _by_equal_name(sample)
    right = sample.pairs()
    certain = {(str(pair.first), str(pair.second)) for pair in found.of("certain")}
    taken = certain | {(str(pair.first), str(pair.second)) for pair in found.of("likely") if pair.best}
    precision, recall, both = _against(taken, right)
    yield rate("identify: records linked", size, ours.seconds, "records")
    goal = size / ours.seconds / 10_000
    yield Figure(name="identify: of 10,000 records a second", size=size, value=goal, unit="x", against="100,000 records in 10 s, one process")
    alone = 100 * _against(certain, right)[0]
    yield Figure(name="identify: of what a machine links, right", size=size, value=alone, unit="%", must=99, aim=99.8).judged(_BOOK)
    yield Figure(name="identify: sisters linked by machine", size=size, value=_sisters(sample, found), unit="pairs", must=0, better="less")
    yield Figure(name="identify: linked by machine", size=size, value=100 * _against(certain, right)[1], unit="%")
    yield Figure(name="identify: with the best proposals, F1", size=size, value=100 * both, unit="%", must=96, aim=98).judged(_BOOK)
    yield Figure(name="identify: with the best proposals, right", size=size, value=100 * precision, unit="%")
    yield Figure(name="identify: with the best proposals, found", size=size, value=100 * recall, unit="%")
    precision, recall, both = _against(joined, right)
    yield Figure(name="identify: of joining equal names, F1", size=size, value=100 * both, unit="%", against="folded names, two sources")
    yield Figure(name="identify: of joining equal names, right", size=size, value=100 * precision, unit="%", against="folded names, two sources")
    yield Figure(name="identify: of the time of that join", size=size, value=ours.seconds / bare.seconds, unit="x", better="less")


def _by_equal_name(sample: Sample) -> Pairs:
    """What a join on the folded name links between the two tools."""
    there: dict[str, list[str]] = defaultdict(list)
    source = {str(record.key): record.source for record in sample.records}
    for record in sample.records:
        there[party.fold(record.name)].append(str(record.key))
    return {(one, other) for keys in there.values() for one in keys for other in keys if one < other and source[one] != source[other]}


def _against(taken: Pairs, right: Pairs) -> tuple[float, float, float]:
    """Precision, recall and their harmonic mean, each from 0 to 1."""
    hit = len(taken & right)
    precision, recall = hit / max(1, len(taken)), hit / max(1, len(right))
    return precision, recall, 2 * precision * recall / (precision + recall) if hit else 0.0


def _sisters(sample: Sample, found: Links) -> int:
    """Pairs of companies of one house or chain that stand in one group."""
    return sum(
        one < other and sample.truth[one] != sample.truth[other] and sample.family.get(one, 0) == sample.family.get(other, -1)
        for group in found.groups
        for one in map(str, group)
        for other in map(str, group)
    )
