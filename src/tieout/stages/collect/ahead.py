"""What comes next for an account that has nothing to be done today: the next step of its ladders, and its day."""

from __future__ import annotations

import datetime as dt
from functools import reduce
from typing import Any

import polars as pl

from tieout.core.policy.language import Policy, Segment, When


def next_steps(*, policy: Policy, items: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """`customer_id, step, date`: the earliest step still to be reached by age, as segments stand today; accounts without one are missing."""
    segment: Any = pl
    for i, one in enumerate(policy.segments):
        segment = segment.when(_all(one.when, today)).then(pl.lit(i))
    placed = (
        items.lazy()
        .filter(pl.col("due_date").is_not_null())
        .with_columns(segment.otherwise(None).alias("segment"), (pl.lit(today) - pl.col("due_date")).dt.total_days().alias("age"))
    )
    coming = [_of(placed.filter(pl.col("segment") == i), one) for i, one in enumerate(policy.segments) if one.steps]
    if not coming:
        return pl.DataFrame(schema={"customer_id": pl.Int64, "step": pl.String, "date": pl.Date})
    return pl.concat(coming).sort("date", maintain_order=True).unique("customer_id", keep="first", maintain_order=True).collect()


def _of(items: pl.LazyFrame, segment: Segment) -> pl.LazyFrame:
    step: Any = pl
    for one in segment.steps:
        step = step.when(pl.col("age") < one.days).then(pl.struct(pl.lit(one.name).alias("step"), pl.lit(one.days).cast(pl.Int64).alias("days")))
    return (
        items.with_columns(step.otherwise(None).alias("next"))
        .filter(pl.col("next").is_not_null())
        .unnest("next")
        .select("customer_id", "step", (pl.col("due_date") + pl.duration(days=pl.col("days"))).cast(pl.Date).alias("date"))
    )


def _all(clauses: When, today: dt.date) -> pl.Expr:
    return reduce(lambda a, b: a & b, [c.condition.column(c.parameters, today) for c in clauses], pl.lit(True))
