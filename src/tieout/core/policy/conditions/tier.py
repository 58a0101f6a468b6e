"""The tier the customer has earned by its own paid history."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tieout.core.policy.parameters import Case, Choice, read_choice
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation

TIERS = ("low", "medium", "high", "unknown")


def read(spot: Spot) -> Choice:
    return read_choice(spot, TIERS)


def holds(choice: Choice, item: Item, situation: Situation, today: dt.date) -> bool:
    return situation.tier in choice


def column(choice: Choice, today: dt.date) -> pl.Expr:
    return choice.column("tier")


def says(choice: Choice, item: Item, situation: Situation, today: dt.date) -> str:
    return f"tier {situation.tier} is {choice}"


CASES: tuple[Case, ...] = (
    ("a high-risk customer is high", "high", {"tier": "high"}, True),
    ("a low-risk customer is not high", "high", {"tier": "low"}, False),
    ("a list holds any of its words", "[low, medium]", {"tier": "medium"}, True),
    ("a customer without history is unknown", "unknown", {}, True),
)
