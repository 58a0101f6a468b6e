"""The made-up records, and how well linking does on them: right where it links by machine, and near what can be known at all."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tieout.core import identity
from tieout.core.identity import Links, Pair, Record
from tieout.rehearsal import doubles
from tieout.rehearsal.bench import identifying
from tieout.rehearsal.doubles import Sample


@pytest.fixture(scope="module")
def made() -> tuple[Sample, Links]:
    """A book of two tools, linked."""
    sample = doubles.sample(12_000, seed=404)
    return sample, identity.link(sample.records)


def keys(pairs: Iterable[Pair]) -> set[tuple[str, str]]:
    return {(str(pair.first), str(pair.second)) for pair in pairs}


def together(found: Links) -> list[tuple[str, str]]:
    """Every two records that stand in one group."""
    return [(one, other) for group in found.groups for one in map(str, group) for other in map(str, group) if one < other]


def test_the_sample_follows_from_its_seed_and_has_what_makes_books_hard() -> None:
    sample = doubles.sample(3_000, seed=5)
    assert sample == doubles.sample(3_000, seed=5)
    assert sample != doubles.sample(3_000, seed=6)
    assert len(sample.records) == len(sample.truth) == 3_000
    sources = Counter(record.source for record in sample.records)
    assert min(sources.values()) > 1_300
    shared = len(sample.pairs()) / min(sources.values())
    assert 0.40 < shared < 0.52
    assert 0.05 < len(sample.family) / 3_000 < 0.16
    assert len({record.country for record in sample.records}) > 10
    assert any(not record.name.isascii() for record in sample.records)
    assert all(email.endswith(".example") for record in sample.records for email in record.emails)


def test_what_a_machine_links_is_right(made: tuple[Sample, Links]) -> None:
    sample, found = made
    certain, right = keys(found.of("certain")), sample.pairs()
    assert len(certain & right) / len(certain) >= 0.995
    assert len(certain & right) / len(right) >= 0.55
    linked = together(found)
    assert sum(sample.truth[one] != sample.truth[other] for one, other in linked) <= len(linked) * 0.005


def test_companies_of_one_house_are_not_linked(made: tuple[Sample, Links]) -> None:
    sample, found = made
    sisters = [
        (one, other)
        for one, other in together(found)
        if sample.truth[one] != sample.truth[other] and sample.family.get(one, -1) == sample.family.get(other, -2)
    ]
    assert sisters == []


def test_machine_and_best_proposals_together_find_nearly_all(made: tuple[Sample, Links]) -> None:
    sample, found = made
    right = sample.pairs()
    taken = keys(found.of("certain")) | keys(pair for pair in found.of("likely") if pair.best)
    precision, recall = len(taken & right) / len(taken), len(taken & right) / len(right)
    assert 2 * precision * recall / (precision + recall) >= 0.96


def test_the_benchmark_measures_what_it_says() -> None:
    figures = {figure.name: figure for figure in identifying.run(600)}
    assert figures["identify: with the best proposals, F1"].value > figures["identify: of joining equal names, F1"].value
    assert figures["identify: sisters linked by machine"].verdict == "must"
    assert figures["identify: of what a machine links, right"].verdict == ""
    assert figures["identify: records linked"].seconds


def test_names_of_a_real_ledger_alone_link_nothing_by_machine(shared: Path) -> None:
    path = shared / "datasets" / "highradius-payments" / "open_invoices.csv.gz"
    if not path.is_file():
        pytest.skip("the real histories (datasets/highradius-payments) are not beside the project")
    with gzip.open(path, "rt") as lines:
        names = sorted({(row["cust_number"], row["name_customer"].strip()) for row in csv.DictReader(lines)})
    records = [
        Record(key=f"{number} {place}", source=("gateway", "ledger")[place % 2], name=name, country="US")
        for place, (number, name) in enumerate(names)
    ]
    found = identity.link(records)
    assert (found.of("certain"), found.groups) == ([], ())
