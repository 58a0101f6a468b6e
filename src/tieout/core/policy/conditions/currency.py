"""The currency of the document."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tieout.core.money import is_currency
from tieout.core.policy.parameters import Case, Choice, read_choice
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation


def read(spot: Spot) -> Choice:
    choice = read_choice(spot, None)
    for code in sorted(choice.words):
        if code and not is_currency(code):
            spot.fault(f"{code} is not an ISO 4217 currency; use a code such as EUR")
    return choice


def holds(choice: Choice, item: Item, situation: Situation, today: dt.date) -> bool:
    return item.currency in choice


def column(choice: Choice, today: dt.date) -> pl.Expr:
    return choice.column("currency")


def says(choice: Choice, item: Item, situation: Situation, today: dt.date) -> str:
    return f"currency {item.currency} is {choice}"


CASES: tuple[Case, ...] = (
    ("an invoice in euro", "EUR", {"currency": "EUR"}, True),
    ("an invoice in dollars among two currencies", "[EUR, USD]", {"currency": "USD"}, True),
    ("an invoice in yen is not in euro", "EUR", {"currency": "JPY"}, False),
)
