"""Exact money: what goes in comes out, parts sum to the whole, nothing is rounded in silence."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.money import Money, MoneyError, exponent, from_decimal, from_text, is_currency, minor_text, totals

currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF"])
minors = st.integers(-(10**17), 10**17)
moneys = st.builds(Money, minors, currencies)


@pytest.mark.parametrize(("currency", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_places_follow_iso_4217(currency: str, places: int) -> None:
    assert exponent(currency) == places


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "eur", "EURO", "", "ZZZ"])
def test_what_no_invoice_can_be_in_is_no_currency(code: str) -> None:
    assert not is_currency(code)
    with pytest.raises(MoneyError):
        exponent(code)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        pytest.param("1234.50", "EUR", 123450, id="two places"),
        pytest.param("-3", "EUR", -300, id="negative, no point"),
        pytest.param("+5.", "EUR", 500, id="a plus and a bare point"),
        pytest.param(".5", "EUR", 50, id="no digit before the point"),
        pytest.param("500", "JPY", 500, id="yen have no places"),
        pytest.param("1.234", "KWD", 1234, id="dinars have three"),
        pytest.param("1.2300", "EUR", 123, id="further zeros are no further places"),
        pytest.param(" 007.00 ", "EUR", 700, id="zeros in front, spaces around"),
        pytest.param("-0.00", "EUR", 0, id="minus nothing is nothing"),
        pytest.param("9999999999999999.99", "EUR", 999999999999999999, id="the largest there is"),
    ],
)
def test_plain_decimals_are_read_exactly(text: str, currency: str, minor: int) -> None:
    assert from_text(text, currency) == Money(minor, currency)
    assert from_decimal(Decimal(text.strip()), currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("1.234", "more decimal places", id="three places in euro"),
        pytest.param("1,50", "not a plain", id="a comma"),
        pytest.param("1 000", "not a plain", id="a space inside"),
        pytest.param("1e3", "not a plain", id="an exponent"),
        pytest.param("1_000", "not a plain", id="an underscore"),
        pytest.param("١٢", "not a plain", id="digits of another script"),
        pytest.param("NaN", "not a plain", id="not a number"),
        pytest.param("Infinity", "not a plain", id="infinity"),
        pytest.param("", "not a plain", id="nothing"),
        pytest.param(".", "not a plain", id="a point alone"),
        pytest.param("-", "not a plain", id="a sign alone"),
        pytest.param("€5", "not a plain", id="a symbol"),
        pytest.param("1" * 40, "larger than", id="forty digits"),
        pytest.param("10000000000000000.00", "larger than", id="one more than the largest"),
    ],
)
def test_anything_else_is_refused_aloud(text: str, says: str) -> None:
    with pytest.raises(MoneyError, match=says):
        from_text(text, "EUR")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        pytest.param(Decimal("1234567890123456789012345678901.23"), "larger than", id="more digits than decimal arithmetic keeps"),
        pytest.param(Decimal("1E+999999"), "larger than", id="an exponent meant to fill memory"),
        pytest.param(Decimal("1E-999999"), "more decimal places", id="an exponent meant to fill memory the other way"),
        pytest.param(Decimal("0.001"), "more decimal places", id="a tenth of a cent"),
        pytest.param(Decimal("NaN"), "not a finite", id="not a number"),
        pytest.param(Decimal("-Infinity"), "not a finite", id="infinity"),
    ],
)
def test_a_decimal_that_is_no_amount_is_refused_aloud(value: Decimal, says: str) -> None:
    with pytest.raises(MoneyError, match=says):
        from_decimal(value, "EUR")


@given(moneys)
def test_text_and_decimal_give_the_same_money_back(money: Money) -> None:
    assert from_text(money.text(), money.currency) == money
    assert from_decimal(money.decimal(), money.currency) == money
    assert msgspec.json.decode(msgspec.json.encode(money), type=Money) == money


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**12), max_value=10**12), currencies)
def test_a_decimal_is_taken_exactly_or_not_at_all(value: Decimal, currency: str) -> None:
    try:
        money = from_decimal(value, currency)
    except MoneyError:
        assert value * 10 ** exponent(currency) % 1 != 0
    else:
        assert money.decimal() == value


@given(moneys, st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any))
def test_the_parts_of_a_split_sum_to_the_whole(money: Money, weights: list[int]) -> None:
    parts = money.split(weights)
    assert sum(part.minor for part in parts) == money.minor
    for part, weight in zip(parts, weights, strict=True):
        exact = money.minor * weight
        assert abs(part.minor * sum(weights) - exact) < sum(weights)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_weights_that_share_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(MoneyError):
        Money(1, "EUR").split(weights)


@given(minors, minors, currencies)
def test_adding_and_taking_away_is_nothing(a: int, b: int, currency: str) -> None:
    one, other = Money(a, currency), Money(b, currency)
    assert one + other - other == one
    assert one + (-one) == Money(0, currency)
    assert (one < other) == (a < b)
    assert bool(one) == bool(a)


@pytest.mark.parametrize("combine", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a <= b])
def test_two_currencies_are_never_combined(combine: object) -> None:
    with pytest.raises(MoneyError, match="without a rate"):
        combine(Money(1, "EUR"), Money(1, "USD"))  # type: ignore[operator]


@given(st.lists(moneys))
def test_totals_are_per_currency_and_lose_nothing(amounts: list[Money]) -> None:
    sums = totals(amounts)
    assert list(sums) == sorted(sums)
    for currency, total in sums.items():
        assert total.minor == sum(m.minor for m in amounts if m.currency == currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"), [(-5, "EUR", "-0.05"), (0, "EUR", "0.00"), (-7, "JPY", "-7"), (1, "KWD", "0.001"), (100, "USD", "1.00")]
)
def test_text_has_all_places(minor: int, currency: str, text: str) -> None:
    assert minor_text(minor, currency) == text
