"""Whether the debtor is known to be a business or a consumer."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tieout.core.policy.parameters import Case, Choice, read_choice
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation

TYPES = ("business", "consumer", "unknown")


def read(spot: Spot) -> Choice:
    return read_choice(spot, TYPES)


def holds(choice: Choice, item: Item, situation: Situation, today: dt.date) -> bool:
    return situation.debtor_type in choice


def column(choice: Choice, today: dt.date) -> pl.Expr:
    return choice.column("debtor_type")


def says(choice: Choice, item: Item, situation: Situation, today: dt.date) -> str:
    return f"debtor type {situation.debtor_type or 'unknown'} is {choice}"


CASES: tuple[Case, ...] = (
    ("a business is a business", "business", {"debtor_type": "business"}, True),
    ("a consumer is no business", "business", {"debtor_type": "consumer"}, False),
    ("a debtor nobody classified is unknown", "unknown", {"debtor_type": None}, True),
    ("a debtor nobody classified is no business", "business", {"debtor_type": None}, False),
)
