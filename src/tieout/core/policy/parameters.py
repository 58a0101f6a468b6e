"""The kinds of parameters a condition may take, each with its reading, its row test and its column test.

A missing value counts as the word `unknown` for a choice and never falls inside a span.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Any

import iso4217
import msgspec
import polars as pl

from tieout.core.money import exponent, is_currency
from tieout.core.policy.schema import Spot, nearest

ANY = "*"

#: A row of a condition's table of cases: the sentence, the parameters as YAML, the facts that differ, whether it holds.
Case = tuple[str, str, dict[str, Any], bool]


class Choice(msgspec.Struct, frozen=True):
    """One of some words."""

    words: frozenset[str]

    def __contains__(self, value: str | None) -> bool:
        return (value or "unknown") in self.words

    def column(self, name: str) -> pl.Expr:
        value = pl.when(pl.col(name).fill_null("") == "").then(pl.lit("unknown")).otherwise(pl.col(name))
        return value.is_in(sorted(self.words))

    def __str__(self) -> str:
        return " or ".join(sorted(self.words))


class Span(msgspec.Struct, frozen=True):
    """A whole number from `least` to `most`, both included; None is no bound."""

    least: int | None = None
    most: int | None = None

    def __contains__(self, value: int | None) -> bool:
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def within(self, value: pl.Expr) -> pl.Expr:
        inside = value.is_not_null()
        if self.least is not None:
            inside &= value >= self.least
        if self.most is not None:
            inside &= value <= self.most
        return inside.fill_null(False)

    def __str__(self) -> str:
        return _bounds(self.least, self.most)


class Limits(msgspec.Struct, frozen=True):
    """A limit in major units by currency; `*` stands for every currency not named."""

    by_currency: tuple[tuple[str, Decimal], ...]

    def of(self, currency: str) -> Decimal | None:
        table = dict(self.by_currency)
        return table.get(currency, table.get(ANY))

    def __str__(self) -> str:
        return ", ".join(str(value) if code == ANY else f"{value} {code}" for code, value in self.by_currency)


class MoneySpan(msgspec.Struct, frozen=True):
    """An amount between two limits, both included. A currency without a limit of its own and without `*` is not bounded."""

    least: Limits | None = None
    most: Limits | None = None

    def contains(self, minor: int, currency: str) -> bool:
        low = None if self.least is None else minor_limit(self.least, currency, ROUND_CEILING)
        high = None if self.most is None else minor_limit(self.most, currency, ROUND_FLOOR)
        return (low is None or minor >= low) and (high is None or minor <= high)

    def within(self, minor: pl.Expr, currency: pl.Expr) -> pl.Expr:
        inside = minor.is_not_null()
        if self.least is not None:
            inside &= minor >= _limit_column(self.least, currency, ROUND_CEILING).fill_null(pl.lit(_LOWEST))
        if self.most is not None:
            inside &= minor <= _limit_column(self.most, currency, ROUND_FLOOR).fill_null(pl.lit(_HIGHEST))
        return inside

    def __str__(self) -> str:
        return _bounds(self.least, self.most)


_LOWEST, _HIGHEST = -(2**62), 2**62


def _bounds(least: object, most: object) -> str:
    if least is not None and most is not None:
        return f"{least} to {most}"
    return f"{least} or more" if least is not None else f"{most} or less"


@lru_cache(maxsize=4096)
def minor_limit(limits: Limits, currency: str, rounding: str) -> int | None:
    """The limit for `currency` in minor units, None where it has none; an odd fraction is rounded to the stricter side."""
    limit = limits.of(currency)
    if limit is None or not is_currency(currency):
        return None
    return int(limit.scaleb(exponent(currency)).to_integral_value(rounding))


@lru_cache(maxsize=1)
def _currencies() -> tuple[str, ...]:
    return tuple(sorted(c.code for c in iso4217.Currency if is_currency(c.code)))


def _limit_column(limits: Limits, currency: pl.Expr, rounding: str) -> pl.Expr:
    table = {code: minor_limit(limits, code, rounding) for code in _currencies()}
    return currency.replace_strict(list(table), list(table.values()), default=None, return_dtype=pl.Int64)


def read_choice(spot: Spot, known: Collection[str] | None) -> Choice:
    """One word or a list of words; `known` None takes any."""
    words = set()
    for one in spot.one_or_many():
        word = one.text()
        if known is not None and word and word not in known:
            one.fault(f"{word} is not known here{nearest(word, known)}")
        words.add(word)
    if not words:
        spot.fault("the list is empty, so the condition could never hold")
    return Choice(frozenset(words))


def read_span(spot: Spot) -> Span:
    """A whole number (exactly that) or `{min: 1, max: 30}`."""
    if not spot.is_mapping:
        number = spot.whole()
        return Span(number, number)
    keys = spot.keys(optional=("min", "max"))
    least = keys["min"].whole() if "min" in keys else None
    most = keys["max"].whole() if "max" in keys else None
    if least is None and most is None:
        spot.fault("needs min, max or both")
    if least is not None and most is not None and least > most:
        spot.fault(f"min {least} is larger than max {most}, so the condition could never hold")
    return Span(least, most)


def read_limits(spot: Spot) -> Limits:
    """An amount in major units for every currency, or a table `{EUR: 25, JPY: 4000, "*": 25}`."""
    if not spot.is_mapping:
        return Limits(((ANY, spot.decimal()),))
    table = []
    for code, value in spot.pairs().items():
        if code != ANY and not is_currency(code):
            value.fault(f"{code} is not an ISO 4217 currency; use a code such as EUR, or * for all others")
        table.append((code, value.decimal()))
    return Limits(tuple(sorted(table)))


def read_money_span(spot: Spot) -> MoneySpan:
    """`{min: 100, max: {EUR: 5000, "*": 6000}}`, either bound may be left out."""
    keys = spot.keys(optional=("min", "max"))
    if not keys and spot.is_mapping:
        spot.fault("needs min, max or both")
    least = read_limits(keys["min"]) if "min" in keys else None
    most = read_limits(keys["max"]) if "max" in keys else None
    return MoneySpan(least, most)
