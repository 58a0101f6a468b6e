"""The work list: by expected effect, in one currency or in each, and nothing starves."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.money import Money
from tieout.core.rank import FLOOR_EVERY, Account, Overdue, Rate, expected_days, rank

RATES = {"USD": Rate(Decimal("0.90"), dt.date(2026, 3, 9))}


def owing(name: str, minor: int, age: int = 10, currency: str = "EUR", **more: object) -> Account:
    return Account(customer_id=name, items=(Overdue(Money(minor, currency), age),), **more)  # type: ignore[arg-type]


def names(accounts: list[Account], **more: object) -> list[str]:
    return [r.customer_id for r in rank(accounts, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(owing("A", 900_000), owing("B", 100_000), id="more money first"),
        pytest.param(owing("A", 500_000, tier="high"), owing("B", 500_000, tier="low"), id="the worse payer first"),
        pytest.param(owing("A", 500_000, 40), owing("B", 500_000, 8), id="the older first"),
        pytest.param(
            owing("A", 200_000, 30, tier="high", action="call"), owing("B", 1_000_000, 10, tier="low"), id="a fifth of it, but worth a call"
        ),
        pytest.param(owing("A", 500_000, 1), owing("B", 900_000, -5), id="what is not due waits"),
        pytest.param(owing("A", 5_000, action="email"), owing("B", 5_000, action="call"), id="a call costs more than a mail"),
        pytest.param(owing("A", 5_000), owing("B", 5_000), id="equals by name"),
    ],
)
def test_order(first: Account, second: Account) -> None:
    assert names([second, first], base="EUR") == names([first, second], base="EUR") == ["A", "B"]


def test_the_example_of_the_formula_page() -> None:
    (low,) = rank([owing("A", 1_000_000, 10, tier="low")], base="EUR")
    (high,) = rank([owing("B", 200_000, 30, tier="high", action="call")], base="EUR")
    assert (low.effect, high.effect) == (Money(154, "EUR"), Money(226, "EUR"))
    assert low.reasons == (
        "10000.00 EUR past due, the oldest by 10 days",
        "expected to stay out 8 more days (tier low)",
        "an e-mail is assumed to save a part of that, less its cost",
    )


def test_other_currencies_count_by_their_rate_and_say_so() -> None:
    (found,) = rank([owing("A", 100_000, currency="USD")], base="EUR", rates=RATES)
    assert found.at_stake == Money(90_000, "EUR")
    assert "USD at 0.90 of 2026-03-09" in found.reasons


def test_a_currency_without_a_rate_is_told_and_not_guessed() -> None:
    (found,) = rank([owing("A", 100_000, currency="JPY")], base="EUR", rates=RATES)
    assert found.at_stake == Money(0, "EUR")
    assert "JPY is not counted: no rate" in found.reasons


def test_without_rates_each_currency_has_its_own_list() -> None:
    both = Account(customer_id="C", items=(Overdue(Money(5, "EUR"), 3), Overdue(Money(9_000_000, "USD"), 3)))
    found = rank([owing("A", 900_000), owing("B", 900, currency="USD"), both])
    assert [(r.effect.currency, r.place, r.customer_id) for r in found] == [("EUR", 1, "A"), ("EUR", 2, "C"), ("USD", 1, "C"), ("USD", 2, "B")]


def test_each_fifth_place_goes_to_the_longest_waiting() -> None:
    accounts = [owing(f"Large {i}", 9_000_000 + i, days_since_touch=1) for i in range(20)] + [owing("Small", 100, 15, days_since_touch=90)]
    found = rank(accounts, base="EUR")
    assert found[FLOOR_EVERY - 1].customer_id == "Small"
    assert "has waited 90 days: each 5th place goes to the longest waiting" in found[FLOOR_EVERY - 1].reasons


def test_days_out_grow_with_age_and_end() -> None:
    assert expected_days("low", 0) == 0
    assert expected_days("high", 10**6) == 180
    assert [expected_days("medium", a) for a in (1, 10, 30)] == sorted(expected_days("medium", a) for a in (1, 10, 30))


accounts = st.lists(
    st.builds(
        owing,
        st.uuids().map(str),
        st.integers(1, 10**9),
        st.integers(-10, 400),
        st.sampled_from(["EUR", "USD", "JPY"]),
        tier=st.sampled_from(["low", "high", "unknown"]),
    ),
    max_size=30,
)


@given(accounts, st.randoms(use_true_random=False))
def test_everybody_stands_once_whatever_the_order(book: list[Account], chance: object) -> None:
    mixed = list(book)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    found = rank(book, base="EUR", rates=RATES)
    assert [r.place for r in found] == list(range(1, len(book) + 1))
    assert {r.customer_id for r in found} == {a.customer_id for a in book}
    assert rank(mixed, base="EUR", rates=RATES) == found
