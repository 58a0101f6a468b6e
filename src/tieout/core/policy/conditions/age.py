"""Days past due of the document: 1 on the day after the due date, negative before it. A missing due date has no age."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tieout.core.policy.parameters import Case, Span, read_span
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation


def read(spot: Spot) -> Span:
    return read_span(spot)


def holds(span: Span, item: Item, situation: Situation, today: dt.date) -> bool:
    return item.due_date is not None and (today - item.due_date).days in span


def column(span: Span, today: dt.date) -> pl.Expr:
    return span.within((pl.lit(today) - pl.col("due_date")).dt.total_days())


def says(span: Span, item: Item, situation: Situation, today: dt.date) -> str:
    age = "without a due date" if item.due_date is None else f"{(today - item.due_date).days} days past due"
    return f"{item.number or item.invoice_id} is {age}, asked for {span}"


CASES: tuple[Case, ...] = (
    ("forty days late is thirty or more", "{min: 30}", {"days_late": 40}, True),
    ("thirty days late is thirty or more", "{min: 30}", {"days_late": 30}, True),
    ("a day less is not", "{min: 30}", {"days_late": 29}, False),
    ("an upper bound is included", "{max: 60}", {"days_late": 60}, True),
    ("not yet due is below zero", "{max: 0}", {"days_late": -5}, True),
    ("a missing due date has no age", "{max: 60}", {"days_late": None}, False),
)
