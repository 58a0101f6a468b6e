"""The undisputed open amount of the document, in major units of its own currency."""

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
    return span.contains(item.open_minor - item.contested_minor, item.currency)


def column(span: MoneySpan, today: dt.date) -> pl.Expr:
    return span.within(pl.col("open_minor") - pl.col("contested_minor"), pl.col("currency"))


def says(span: MoneySpan, item: Item, situation: Situation, today: dt.date) -> str:
    amount = minor_text(item.open_minor - item.contested_minor, item.currency)
    return f"{item.number or item.invoice_id} has {amount} {item.currency} open, asked for {span}"


CASES: tuple[Case, ...] = (
    ("exactly the least amount", "{min: 100}", {"open": 10000, "currency": "EUR"}, True),
    ("a cent less", "{min: 100}", {"open": 9999, "currency": "EUR"}, False),
    ("yen have no cents", "{min: 100}", {"open": 100, "currency": "JPY"}, True),
    ("a currency with a limit of its own", '{min: {EUR: 50, "*": 100}}', {"open": 6000, "currency": "EUR"}, True),
    ("all other currencies", '{min: {EUR: 50, "*": 100}}', {"open": 6000, "currency": "USD"}, False),
    ("a currency without a limit is not bounded", "{min: {EUR: 50}}", {"open": 1, "currency": "USD"}, True),
    ("the disputed part does not count", "{min: 100}", {"open": 12000, "contested": 3000, "currency": "EUR"}, False),
    ("an upper limit is included", "{max: 100.50}", {"open": 10050, "currency": "EUR"}, True),
)
