"""Aging: what is open by how long it is overdue, per customer and currency. Formula page: `docs/formulas/aging.md`.

An invoice is overdue from the day after its due date. One without a due date stands in a bucket of its own; its age is
never guessed. Credit notes and unapplied money stand beside the buckets, they do not shrink one at will.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

#: Buckets in their order, with the largest number of days overdue of each.
BUCKETS: tuple[tuple[str, int | None], ...] = (("current", 0), ("1-30", 30), ("31-60", 60), ("61-90", 90), ("90+", None))
NO_DUE_DATE = "no_due_date"
#: Every amount column of an aging, in order. `60+` is the sum of `61-90` and `90+`; `total` leaves it out.
COLUMNS = (*(name for name, _ in BUCKETS), "60+", NO_DUE_DATE, "total", "contested", "credit", "unapplied", "net")


def bucket(due_date: dt.date | None, day: dt.date) -> str:
    """The bucket on `day` of something due on `due_date`."""
    if due_date is None:
        return NO_DUE_DATE
    overdue = (day - due_date).days
    return next(name for name, most in BUCKETS if most is None or overdue <= most)


def aging(found: pl.DataFrame, day: dt.date) -> pl.DataFrame:
    """One row per customer and currency with the amounts of `COLUMNS` in minor units, from positions on `day`.

    `found` has the columns `customer_id, currency, kind, due_date, open_minor, contested_minor`: one row per document, or
    per instalment of an invoice. `net` is the total less credit notes and unapplied money; it may be negative.
    Documents whose customer is not known gather under a null `customer_id`.
    """
    invoice = pl.col("kind") == "invoice"
    overdue = (pl.lit(day) - pl.col("due_date")).dt.total_days()
    sums = [pl.col("open_minor").filter(invoice & within).sum().alias(name) for name, within in _ranges(overdue)]
    return (
        found.filter((pl.col("open_minor") != 0) | (pl.col("contested_minor") != 0))
        .group_by("customer_id", "currency")
        .agg(
            *sums,
            pl.col("open_minor").filter(invoice & pl.col("due_date").is_null()).sum().alias(NO_DUE_DATE),
            pl.col("open_minor").filter(invoice).sum().alias("total"),
            pl.col("contested_minor").filter(invoice).sum().alias("contested"),
            pl.col("open_minor").filter(pl.col("kind") == "credit_note").sum().alias("credit"),
            pl.col("open_minor").filter(pl.col("kind") == "payment").sum().alias("unapplied"),
        )
        .with_columns((pl.col("61-90") + pl.col("90+")).alias("60+"), (pl.col("total") - pl.col("credit") - pl.col("unapplied")).alias("net"))
        .select("customer_id", "currency", *COLUMNS)
        .sort("customer_id", "currency", nulls_last=True)
    )


def _ranges(overdue: pl.Expr) -> list[tuple[str, pl.Expr]]:
    ranges = []
    least: int | None = None
    for name, most in BUCKETS:
        within = pl.lit(True) if least is None else overdue > least
        ranges.append((name, within & (overdue <= most) if most is not None else within))
        least = most
    return ranges


def totals(aged: pl.DataFrame) -> pl.DataFrame:
    """The aging summed per currency; amounts in different currencies are never added together."""
    return aged.group_by("currency").agg(pl.len().alias("customers"), *(pl.col(c).sum() for c in COLUMNS)).sort("currency")
