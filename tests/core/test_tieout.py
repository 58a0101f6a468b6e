"""Every cent between two sides has a cause, and the causes sum exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tieout.core.tieout import MEANING, ORDER, Cause, Line, Pair, by_cause, explain, tie_out


def pair(ours: int, theirs: int, id: str = "INV-1", customer: str = "Brightwater", currency: str = "EUR", **evidence: int | None) -> Pair:
    return Pair(id=id, customer=customer, currency=currency, ours=ours, theirs=theirs, evidence=evidence)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_", "parts"),
    [
        pytest.param(pair(100, 100), [], id="two sides that agree need no cause"),
        pytest.param(pair(100, 0, missed_delete=None), [("missed_delete", 100)], id="a document deleted at the source bears all of it"),
        pytest.param(pair(100, 40, unlinked=60), [("unlinked", 60)], id="a payment there that is not applied here"),
        pytest.param(pair(100, 40, unlinked=50), [("unlinked", 50), ("unexplained", 10)], id="a cause bears no more than its evidence"),
        pytest.param(pair(40, 100, timing=-60), [("timing", -60)], id="a payment we applied and the source has not heard of"),
        pytest.param(pair(40, 100, unlinked=60), [("unexplained", -60)], id="evidence of the other direction explains nothing"),
        pytest.param(pair(101, 100), [("rounding", 1)], id="a cent is rounding"),
        pytest.param(pair(103, 100), [("unexplained", 3)], id="three cents are not"),
        pytest.param(pair(100, 20, unlinked=30, in_transit=50), [("unlinked", 30), ("in_transit", 50)], id="two causes share a difference"),
        pytest.param(pair(100, 50, in_transit=80), [("in_transit", 50)], id="a cause bears no more than there is"),
    ],
)
def test_a_difference_is_explained(given_: Pair, parts: list[tuple[str, int]]) -> None:
    assert [(part.cause, part.minor) for part in explain(given_)] == parts


_PAIRS = some.lists(
    some.builds(
        Pair, id=some.text("ABC", min_size=1, max_size=2), customer=some.sampled_from(["Brightwater", "Kestrel"]),
        currency=some.sampled_from(["EUR", "USD"]), ours=some.integers(-10**9, 10**9), theirs=some.integers(-10**9, 10**9),
        evidence=some.dictionaries(some.sampled_from(ORDER), some.none() | some.integers(-10**6, 10**6), max_size=4)),
    max_size=8)


@given(_PAIRS)
def test_parts_always_sum_to_the_difference(pairs: list[Pair]) -> None:
    lines = tie_out(pairs)
    for line in lines:
        assert line.theirs + sum(part.minor for part in line.parts) == line.ours
    for currency in ("EUR", "USD"):
        difference = sum(p.ours - p.theirs for p in pairs if p.currency == currency)
        assert sum(by_cause(lines).get(currency, {}).values()) == difference


@given(_PAIRS)
def test_the_order_of_documents_changes_no_sum(pairs: list[Pair]) -> None:
    def sums(lines: tuple[Line, ...]) -> set[tuple[str, str, int, int]]:
        return {(line.customer, line.currency, line.ours, line.theirs) for line in lines}

    assert sums(tie_out(pairs)) == sums(tie_out(list(reversed(pairs))))
    assert by_cause(tie_out(pairs)) == by_cause(tie_out(list(reversed(pairs))))


@given(some.integers(-10**6, 10**6), some.integers(-10**6, 10**6), some.sampled_from(ORDER), some.integers(-10**6, 10**6))
def test_more_evidence_never_leaves_more_unexplained(ours: int, theirs: int, cause: Cause, bears: int) -> None:
    bare = sum(abs(p.minor) for p in explain(pair(ours, theirs)) if p.cause == "unexplained")
    with_cause = sum(abs(p.minor) for p in explain(pair(ours, theirs, **{cause: bears})) if p.cause == "unexplained")
    assert with_cause <= bare


def test_every_cause_can_be_said_to_people() -> None:
    assert set(ORDER) | {"unexplained"} == set(MEANING)
