"""How a customer pays: a tier from its own paid history, with the reasons as sentences (docs/formulas/tier.md).

Shares are shrunken towards the book's own: with few invoices the book speaks louder, with many the customer does. Nobody is graded
high for the company it keeps: without a payment more than 30 days late, a broken promise or a late median of its own, the
worst grade is medium. Without history the tier is unknown, and shown as such.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Literal

import msgspec
import polars as pl

Grade = Literal["low", "medium", "high", "unknown"]

#: Pseudo-invoices by which the book's shares are mixed in.
WEIGHT = 5
#: Grades by the shrunken share paid more than 30 days late (risk study, section 2: below 1 % low, above 5 % high).
LOW_BELOW, HIGH_ABOVE = 0.01, 0.05
#: A median of more than this many days late is not low; more than `VERY_LATE` is high.
LATE_MEDIAN, VERY_LATE = 7, 30


class CustomerHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What one customer did. `days_late`: paid invoices, days from due date to payment (0 or less is in time). `open_days_late`:
    invoices still open past due, days so far; they count as late by at least that much."""

    days_late: tuple[int, ...] = ()
    open_days_late: tuple[int, ...] = ()
    broken_promises: int = 0


class BookShares(msgspec.Struct, frozen=True):
    """The shares of a whole book: paid late at all, and more than 30 days late."""

    late: float
    over_30: float


#: For a book without history: shares of a large published ledger (risk study, section 2).
TYPICAL = BookShares(late=0.40, over_30=0.015)


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """The grade with the figures behind it: raw median, shrunken shares, `n` invoices counted, and the reasons in words."""

    grade: Grade
    n: int
    median_days_late: float | None
    share_late: float | None
    share_over_30: float | None
    reasons: tuple[str, ...]


def shares(histories: Iterable[CustomerHistory]) -> BookShares:
    """The shares of a book over all its invoices; TYPICAL where there are none."""
    n = late = over = 0
    for history in histories:
        seen = _seen(history)
        n += len(seen)
        late += sum(d > 0 for d in seen)
        over += sum(d > 30 for d in seen)
    return BookShares(late / n, over / n) if n else TYPICAL


def _seen(history: CustomerHistory) -> tuple[int, ...]:
    """Every invoice that can be judged by now: paid ones, and open ones past due."""
    return (*history.days_late, *(d for d in history.open_days_late if d > 0))


def tier(history: CustomerHistory, book: BookShares = TYPICAL) -> Tier:
    """The tier of one customer, against the shares of its book."""
    seen = _seen(history)
    n = len(seen)
    broken = history.broken_promises
    if n == 0:
        grade: Grade = "unknown" if broken == 0 else ("high" if broken >= 2 else "medium")
        reasons = ("no paid invoice yet", *_promise_reason(broken))
        return Tier(grade=grade, n=0, median_days_late=None, share_late=None, share_over_30=None, reasons=reasons)
    late, over = sum(d > 0 for d in seen), sum(d > 30 for d in seen)
    median = float(statistics.median(seen))
    share_late = (late + WEIGHT * book.late) / (n + WEIGHT)
    share_over = (over + WEIGHT * book.over_30) / (n + WEIGHT)
    return Tier(
        grade=_grade(share_over, over, median, broken),
        n=n,
        median_days_late=median,
        share_late=share_late,
        share_over_30=share_over,
        reasons=_reasons(n, late, over, median, share_over, broken),
    )


def _grade(share_over: float, over: int, median: float, broken: int) -> Grade:
    if (share_over > HIGH_ABOVE and over > 0) or broken >= 2 or median > VERY_LATE:
        return "high"
    if share_over < LOW_BELOW and median <= LATE_MEDIAN and broken == 0:
        return "low"
    return "medium"


def _promise_reason(broken: int) -> tuple[str, ...]:
    return (f"{broken} broken promise{'' if broken == 1 else 's'}",) if broken else ()


def _reasons(n: int, late: int, over: int, median: float, share_over: float, broken: int) -> tuple[str, ...]:
    when = "in time" if median <= 0 else f"{median:g} days late"
    of = f"of {n} invoice{'' if n == 1 else 's'}"
    few = (f"few invoices: the share over 30 days late is taken as {share_over:.1%}, leaning on the whole book",) if n < 2 * WEIGHT else ()
    return (f"half are paid {when} or earlier", f"{late} {of} late, {over} by more than 30 days", *few, *_promise_reason(broken))


def tiers(invoices: pl.DataFrame, promises: pl.DataFrame | None = None, *, book: BookShares | None = None) -> pl.DataFrame:
    """The set form. `invoices`: `customer_id, days_late, is_open` (one row each, paid or open); `promises`: `customer_id, broken`.

    Returns `customer_id, n, median_days_late, share_late, share_over_30, grade, broken` by customer, the same as `tier` says row
    by row; `book` defaults to the shares of these invoices. Customers without any row are not in the answer: they are unknown.
    """
    counted = invoices.filter(~pl.col("is_open") | (pl.col("days_late") > 0))
    book = book or _frame_shares(counted)
    days = pl.col("days_late")
    over = (days > 30).sum()
    found = counted.group_by("customer_id").agg(
        pl.len().cast(pl.Int64).alias("n"),
        days.median().alias("median_days_late"),
        (days > 0).sum().cast(pl.Int64).alias("late"),
        over.cast(pl.Int64).alias("over"),
    )
    broken = promises if promises is not None else pl.DataFrame(schema={"customer_id": pl.String, "broken": pl.Int64})
    found = found.join(broken.select("customer_id", pl.col("broken").cast(pl.Int64)), on="customer_id", how="full", coalesce=True)
    found = found.with_columns(pl.col("n", "late", "over", "broken").fill_null(0))
    known = pl.col("n") > 0
    found = found.with_columns(
        pl.when(known).then((pl.col("late") + WEIGHT * book.late) / (pl.col("n") + WEIGHT)).alias("share_late"),
        pl.when(known).then((pl.col("over") + WEIGHT * book.over_30) / (pl.col("n") + WEIGHT)).alias("share_over_30"),
    )
    return found.with_columns(_grade_column(known)).drop("late", "over").sort("customer_id")


def _frame_shares(counted: pl.DataFrame) -> BookShares:
    n = len(counted)
    if not n:
        return TYPICAL
    return BookShares(int((counted["days_late"] > 0).sum()) / n, int((counted["days_late"] > 30).sum()) / n)


def _grade_column(known: pl.Expr) -> pl.Expr:
    share, median, broken = pl.col("share_over_30"), pl.col("median_days_late"), pl.col("broken")
    high = ((share > HIGH_ABOVE) & (pl.col("over") > 0)).fill_null(False) | (broken >= 2) | (median > VERY_LATE).fill_null(False)
    low = (share < LOW_BELOW).fill_null(False) & (median <= LATE_MEDIAN).fill_null(False) & (broken == 0)
    chain = pl.when(high).then(pl.lit("high")).when(~known & (broken == 0)).then(pl.lit("unknown"))
    return chain.when(low).then(pl.lit("low")).otherwise(pl.lit("medium")).alias("grade")
