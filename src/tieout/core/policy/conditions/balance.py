"""What the customer owes past due, undisputed, in the document's currency and in major units."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tieout.core.money import minor_text
from tieout.core.policy.parameters import Case, MoneySpan, read_money_span
from tieout.core.policy.schema import Spot
from tieout.core.policy.situation import Item, Situation


def read(spot: Spot) -> MoneySpan:
    return read_money_span(spot)


def holds(span: MoneySpan, item: Item, situation: Situation, today: dt.date) -> bool:
    return span.contains(situation.overdue(item.currency, today), item.currency)


def column(span: MoneySpan, today: dt.date) -> pl.Expr:
    undisputed = pl.col("open_minor") - pl.col("contested_minor")
    counted = (pl.col("status") == "open") & ~pl.col("written_off") & (undisputed > 0) & (pl.col("open_minor") > 0)
    overdue = pl.when(counted & (pl.col("due_date") < today).fill_null(False)).then(undisputed).otherwise(0)
    return span.within(overdue.sum().over("customer_id", "currency"), pl.col("currency"))


def says(span: MoneySpan, item: Item, situation: Situation, today: dt.date) -> str:
    owed = minor_text(situation.overdue(item.currency, today), item.currency)
    return f"{owed} {item.currency} past due in all, asked for {span}"


CASES: tuple[Case, ...] = (
    ("one late invoice", "{min: 100}", {"open": 10000, "days_late": 3}, True),
    ("two late invoices add up", "{min: 100}", {"open": 6000, "days_late": 3, "others": [{"open": 4000, "days_late": 9}]}, True),
    ("what is not yet due is left out", "{min: 100}", {"open": 6000, "days_late": 3, "others": [{"open": 4000, "days_late": 0}]}, False),
    (
        "another currency is left out",
        "{min: 100}",
        {"open": 6000, "days_late": 3, "others": [{"open": 4000, "days_late": 9, "currency": "USD"}]},
        False,
    ),
    (
        "written-off amounts are left out",
        "{min: 100}",
        {"open": 6000, "days_late": 3, "others": [{"open": 4000, "days_late": 9, "written_off": True}]},
        False,
    ),
    ("the disputed part is left out", "{max: 50}", {"open": 6000, "contested": 1000, "days_late": 3}, True),
)
