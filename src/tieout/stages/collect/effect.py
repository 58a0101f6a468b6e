"""The work list's score: the expected effect of `core.rank`, in columns for a whole book, one number per account.

Each currency's effect is weighed by the policy's least amount worth a contact in it (25 EUR and 3,000 JPY count alike), because no
exchange rate is known here and none is made up. The score orders accounts and is never shown as money.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from tieout.core import rank
from tieout.core.money import exponent
from tieout.core.policy.language import Policy


def scores(*, items: pl.DataFrame, actions: pl.DataFrame, policy: Policy, base: str, today: dt.date) -> pl.DataFrame:
    """`customer_id, score` from what may be asked for.

    `items`: `customer_id, tier, currency, due_date, minor` (undisputed, not held); `actions`: `customer_id, channel` where one
    is proposed. In hundredths of a unit of `base`; 0 where the effect does not pay for the action.
    """
    age = (pl.lit(today) - pl.col("due_date")).dt.total_days()
    lift = pl.when(pl.col("channel") == "call").then(float(rank.LIFT["call"])).otherwise(float(rank.LIFT["email"]))
    cost = pl.when(pl.col("channel") == "call").then(float(rank.COST["call"])).otherwise(float(rank.COST["email"]))
    weights = {code: weight(policy, code, base) for code in items["currency"].unique().to_list()}
    worth = pl.col("currency").replace_strict(list(weights), list(weights.values()), return_dtype=pl.Float64) if weights else pl.lit(0.0)
    return (
        items.lazy()
        .filter(age > 0)
        .with_columns((pl.col("minor") * worth * _days(age)).alias("money_days"))
        .group_by("customer_id")
        .agg(pl.col("money_days").sum())
        .join(actions.lazy().select("customer_id", "channel"), on="customer_id", how="left")
        .with_columns(((pl.col("money_days") * lift * float(rank.A_DAY) - cost) * 100).clip(lower_bound=0).round().cast(pl.Int64).alias("score"))
        .select("customer_id", "score")
        .collect()
    )


def _days(age: pl.Expr) -> pl.Expr:
    """`rank.expected_days` over the columns `tier` and age."""
    chain: Any = pl
    for tier, (base, slope) in rank.DAYS_OUT.items():
        chain = chain.when(pl.col("tier") == tier).then(base + float(slope) * age)
    base, slope = rank.DAYS_OUT["unknown"]
    expected: pl.Expr = chain.otherwise(base + float(slope) * age)
    return expected.clip(upper_bound=rank.MOST_DAYS)


def weight(policy: Policy, currency: str, base: str) -> float:
    """Units of `base` that one minor unit of `currency` counts for."""
    own, ours = policy.least(currency), policy.least(base)
    if not own or not ours:
        return float(10 ** -exponent(currency))
    return ours / own / 10 ** exponent(base)
