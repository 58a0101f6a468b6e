"""Tiers: the grades by table, the set form against the row form by search."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.core.behaviour import TYPICAL, BookShares, CustomerHistory, shares, tier, tiers


@pytest.mark.parametrize(
    ("history", "grade"),
    [
        pytest.param(CustomerHistory(), "unknown", id="without history the tier is unknown"),
        pytest.param(CustomerHistory(days_late=(0,) * 6), "low", id="six in time are low"),
        pytest.param(CustomerHistory(days_late=(0,)), "medium", id="one in time is too little for low"),
        pytest.param(CustomerHistory(days_late=(8,) * 40), "medium", id="always a week late is not low"),
        pytest.param(CustomerHistory(days_late=(-2, 0, 3, 5, 6, 9, 12, 35)), "high", id="one in eight over a month is high"),
        pytest.param(CustomerHistory(days_late=(0,) * 60 + (35,)), "medium", id="one in sixty over a month is medium"),
        pytest.param(CustomerHistory(days_late=(0,) * 400 + (35,)), "low", id="one in four hundred is forgiven"),
        pytest.param(CustomerHistory(days_late=(31, 31, 31)), "high", id="a median over a month is high"),
        pytest.param(CustomerHistory(days_late=(0,) * 20, broken_promises=1), "medium", id="a broken promise is not low"),
        pytest.param(CustomerHistory(days_late=(0,) * 20, broken_promises=2), "high", id="two broken promises are high"),
        pytest.param(CustomerHistory(open_days_late=(90,)), "high", id="an open invoice three months late is evidence"),
        pytest.param(CustomerHistory(open_days_late=(-10,)), "unknown", id="an invoice not yet due is none"),
        pytest.param(CustomerHistory(broken_promises=1), "medium", id="a broken promise without a paid invoice"),
    ],
)
def test_grade(history: CustomerHistory, grade: str) -> None:
    assert tier(history).grade == grade


def test_the_example_of_the_formula_page() -> None:
    found = tier(CustomerHistory(days_late=(-2, 0, 3, 5, 6, 9, 12, 35)), BookShares(late=0.40, over_30=0.015))
    assert (found.n, found.median_days_late) == (8, 5.5)
    assert found.share_late == pytest.approx(8 / 13)
    assert found.share_over_30 == pytest.approx(1.075 / 13)
    assert found.reasons == (
        "half are paid 5.5 days late or earlier",
        "6 of 8 invoices late, 1 by more than 30 days",
        "few invoices: the share over 30 days late is taken as 8.3%, leaning on the whole book",
    )


def test_nobody_is_high_for_the_company_it_keeps() -> None:
    assert tier(CustomerHistory(days_late=(0,)), BookShares(late=0.9, over_30=0.5)).grade == "medium"


def test_an_empty_book_has_typical_shares() -> None:
    assert shares([CustomerHistory()]) == TYPICAL


def test_a_later_payment_never_betters_the_share() -> None:
    better, worse = tier(CustomerHistory(days_late=(1, 2, 30))), tier(CustomerHistory(days_late=(1, 2, 31)))
    assert (worse.share_over_30 or 0) > (better.share_over_30 or 0)


lateness = st.lists(st.integers(-60, 120), max_size=12).map(tuple)
histories = st.dictionaries(
    st.sampled_from(["Brightwater", "Cobalt", "Dune", "Ember"]),
    st.builds(CustomerHistory, days_late=lateness, open_days_late=lateness, broken_promises=st.integers(0, 3)),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(histories)
def test_the_set_form_says_what_the_row_form_says(book: dict[str, CustomerHistory]) -> None:
    rows = [(name, d, False) for name, h in book.items() for d in h.days_late] + [
        (name, d, True) for name, h in book.items() for d in h.open_days_late
    ]
    frame = pl.DataFrame(rows, schema={"customer_id": pl.String, "days_late": pl.Int64, "is_open": pl.Boolean}, orient="row")
    promises = pl.DataFrame(
        {"customer_id": list(book), "broken": [h.broken_promises for h in book.values()]},
        schema_overrides={"customer_id": pl.String, "broken": pl.Int64},
    )
    found = {r["customer_id"]: r for r in tiers(frame, promises).to_dicts()}
    means = shares(book.values())
    for name, history in book.items():
        one = tier(history, means)
        row = found[name]
        assert (row["grade"], row["n"], row["median_days_late"]) == (one.grade, one.n, one.median_days_late)
        assert (row["share_late"], row["share_over_30"]) == (one.share_late, one.share_over_30)


@given(lateness, st.randoms(use_true_random=False))
def test_the_order_of_payments_does_not_matter(days: tuple[int, ...], chance: object) -> None:
    mixed = list(days)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert tier(CustomerHistory(days_late=tuple(mixed))) == tier(CustomerHistory(days_late=days))
