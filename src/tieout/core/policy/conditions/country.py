"""The country of the customer, as an ISO 3166 code of two letters."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tieout.core.policy.parameters import Case, Choice, read_choice
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation


def read(spot: Spot) -> Choice:
    return read_choice(spot, None)


def holds(choice: Choice, item: Item, situation: Situation, today: dt.date) -> bool:
    return situation.country in choice


def column(choice: Choice, today: dt.date) -> pl.Expr:
    return choice.column("country")


def says(choice: Choice, item: Item, situation: Situation, today: dt.date) -> str:
    return f"country {situation.country or 'unknown'} is {choice}"


CASES: tuple[Case, ...] = (
    ("a German customer is in DE", "DE", {"country": "DE"}, True),
    ("a French customer is not in DE or AT", "[DE, AT]", {"country": "FR"}, False),
    ("a customer without a country is nowhere", "DE", {"country": None}, False),
    ("a customer without a country is unknown", "[DE, unknown]", {"country": None}, True),
)
