"""Whether there is an e-mail address to write to."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tieout.core.policy.parameters import Case
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation


def read(spot: Spot) -> bool:
    return spot.flag()


def holds(wanted: bool, item: Item, situation: Situation, today: dt.date) -> bool:
    return bool(situation.email) == wanted


def column(wanted: bool, today: dt.date) -> pl.Expr:
    known = pl.col("email").fill_null("") != ""
    return known if wanted else ~known


def says(wanted: bool, item: Item, situation: Situation, today: dt.date) -> str:
    return f"{'an' if situation.email else 'no'} e-mail address is known, asked for {'one' if wanted else 'none'}"


CASES: tuple[Case, ...] = (
    ("an address is known", "true", {"email": "ap@brightwater.example"}, True),
    ("no address is known", "true", {"email": None}, False),
    ("asked for customers without one", "false", {"email": None}, True),
)
