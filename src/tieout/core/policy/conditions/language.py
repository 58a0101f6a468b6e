"""The language the customer is written to in."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tieout.core.policy.parameters import Case, Choice, read_choice
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation


def read(spot: Spot) -> Choice:
    return read_choice(spot, None)


def holds(choice: Choice, item: Item, situation: Situation, today: dt.date) -> bool:
    return situation.language in choice


def column(choice: Choice, today: dt.date) -> pl.Expr:
    return choice.column("language")


def says(choice: Choice, item: Item, situation: Situation, today: dt.date) -> str:
    return f"language {situation.language or 'unknown'} is {choice}"


CASES: tuple[Case, ...] = (
    ("a customer written to in German", "de", {"language": "de"}, True),
    ("a customer written to in English", "de", {"language": "en"}, False),
    ("a customer without a language is unknown", "unknown", {"language": None}, True),
)
