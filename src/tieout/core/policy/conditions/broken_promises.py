"""How many promises to pay the customer has broken."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tieout.core.policy.parameters import Case, Span, read_span
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation


def read(spot: Spot) -> Span:
    return read_span(spot)


def holds(span: Span, item: Item, situation: Situation, today: dt.date) -> bool:
    return situation.broken_promises in span


def column(span: Span, today: dt.date) -> pl.Expr:
    return span.within(pl.col("broken_promises"))


def says(span: Span, item: Item, situation: Situation, today: dt.date) -> str:
    return f"{situation.broken_promises} broken promises, asked for {span}"


CASES: tuple[Case, ...] = (
    ("two broken promises are one or more", "{min: 1}", {"broken_promises": 2}, True),
    ("none is not one or more", "{min: 1}", {}, False),
    ("exactly none", "0", {}, True),
)
