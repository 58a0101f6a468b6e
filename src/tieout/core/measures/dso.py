"""Days sales outstanding, by a published formula with its exclusions. Formula page: `docs/formulas/dso.md`.

DSO = open receivables at the end of the day x days of the period / net billed in the period, per currency.
"""

from __future__ import annotations

import datetime as dt

import msgspec
import polars as pl

#: Days of the period, the day itself included: a quarter, so that one large invoice does not swing the figure.
PERIOD_DAYS = 90


class Dso(msgspec.Struct, frozen=True, kw_only=True):
    """Days sales outstanding of one currency, with the figures it came from (minor units).

    tenths: days in tenths, rounded half up; None where nothing net was billed in the period, never zero.
    contested_tenths: the part of it that stems from disputed amounts.
    """

    currency: str
    period_days: int
    open_minor: int
    contested_minor: int
    billed_minor: int
    tenths: int | None
    contested_tenths: int | None


def dso(found: pl.DataFrame, day: dt.date, *, period_days: int = PERIOD_DAYS) -> list[Dso]:
    """DSO per currency from positions on `day`, ordered by currency.

    `found` has the columns `kind, currency, status, document_date, amount_minor, open_minor, contested_minor`. Receivables
    are open invoices less open credit notes and unapplied money; billed is invoices less credit notes dated in the
    `period_days` days that end with `day`. Excluded: drafts, void and deleted documents, and undated ones from billed.
    """
    sign = pl.when(pl.col("kind") == "invoice").then(1).otherwise(-1)
    starts = day - dt.timedelta(days=period_days - 1)
    in_period = pl.col("document_date").is_between(starts, day).fill_null(False)
    counts = (pl.col("kind") != "payment") & in_period & ~pl.col("status").is_in(["draft", "pending_approval", "void", "deleted"])
    sums = (
        found.group_by("currency")
        .agg(
            (pl.col("open_minor") * sign).sum().alias("open"),
            pl.col("contested_minor").filter(pl.col("kind") == "invoice").sum().alias("contested"),
            (pl.col("amount_minor") * sign).filter(counts).sum().alias("billed"),
        )
        .sort("currency")
    )
    return [
        Dso(
            currency=currency,
            period_days=period_days,
            open_minor=open_minor,
            contested_minor=contested,
            billed_minor=billed,
            tenths=days_in_tenths(open_minor, billed, period_days),
            contested_tenths=days_in_tenths(contested, billed, period_days),
        )
        for currency, open_minor, contested, billed in sums.iter_rows()
    ]


def days_in_tenths(open_minor: int, billed_minor: int, period_days: int) -> int | None:
    """open x period / billed in tenths of a day, half up (away from zero); None unless something net was billed."""
    if billed_minor <= 0:
        return None
    whole = (abs(open_minor) * period_days * 20 + billed_minor) // (2 * billed_minor)
    return -whole if open_minor < 0 else whole
