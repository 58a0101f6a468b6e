"""What people type: amounts in any habit of writing, or a refusal that says how to write them; never a guess."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.money import minor_text
from tieout.faces.web import asked


@pytest.mark.parametrize(("typed", "currency", "minor"), [
    pytest.param("1234.50", "EUR", 123450, id="plain"),
    pytest.param("1,234.50", "EUR", 123450, id="English thousands"),
    pytest.param("1.234,50", "EUR", 123450, id="German thousands"),
    pytest.param("1 234,50", "EUR", 123450, id="French thousands"),
    pytest.param("1'234.50", "CHF", 123450, id="Swiss thousands"),
    pytest.param("1.234.567", "EUR", 123456700, id="two marks of a kind divide thousands"),
    pytest.param("12,5", "EUR", 1250, id="one decimal"),
    pytest.param("500", "JPY", 500, id="yen has no cents"),
    pytest.param("1.234", "KWD", 1234, id="dinar has three places"),
])
def test_an_amount_is_read_as_it_was_meant(typed: str, currency: str, minor: int) -> None:
    assert asked.minor(typed, currency) == minor


@pytest.mark.parametrize(("typed", "currency", "says"), [
    pytest.param("1.234", "EUR", "two amounts", id="a single mark before three digits could mean two amounts"),
    pytest.param("1,234", "EUR", "two amounts", id="and so could a comma"),
    pytest.param("12.345.6", "EUR", "not an amount", id="marks that fit nothing"),
    pytest.param("-5", "EUR", "not an amount", id="a sign"),
    pytest.param("", "EUR", "nothing is not an amount", id="nothing"),
    pytest.param("12.345,678,9", "EUR", "not an amount", id="marks in disorder"),
    pytest.param("0.5", "JPY", "not an amount in JPY", id="half a yen"),
    pytest.param("12e3", "EUR", "not an amount", id="a power"),
    pytest.param("١٢", "EUR", "not an amount", id="digits of another script"),
])
def test_what_could_mean_two_things_is_refused(typed: str, currency: str, says: str) -> None:
    with pytest.raises(asked.Unreadable, match=says):
        asked.minor(typed, currency)


@given(st.integers(0, 10**15), st.sampled_from(["EUR", "JPY", "USD"]))
def test_what_we_write_ourselves_is_read_back(minor: int, currency: str) -> None:
    assert asked.minor(minor_text(minor, currency), currency) == minor


@pytest.mark.parametrize("given_key", ["", "x", "-1", "1.0", "9" * 19, "١", "1 or 1=1"])
def test_a_key_that_is_none_is_none(given_key: str) -> None:
    assert asked.number(QueryDict(f"id={given_key}"), "id") is None


def test_text_loses_nul_and_length_and_days_are_days() -> None:
    values = QueryDict(mutable=True)
    values["note"], values["day"], values["wrong"] = " a\x00b" + "x" * 50 + " ", "2026-06-30", "31.6.2026"
    assert asked.text(values, "note", longest=5) == "ab" + "xxx"
    assert asked.day(values, "day").isoformat() == "2026-06-30"  # type: ignore[union-attr]
    assert asked.day(values, "none") is None
    with pytest.raises(asked.Unreadable, match="2026-06-30"):
        asked.day(values, "wrong")
