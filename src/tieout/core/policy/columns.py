"""The set form: which accounts of a whole book have something due today, found by columns, so that only those are judged by row.

A frame of open items carries, beside `REQUIRED`, the optional columns of `OPTIONAL` (missing ones take their default). A frame of
touches has `customer_id, date` and optionally `step, invoice_id, outcome`; a touch of several documents is a row for each, one
without a document speaks of all. The answer never misses an account for which `evaluate` says send, task or hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

import polars as pl

from tieout.core.policy import ladder, packs
from tieout.core.policy.contact import ContactRules
from tieout.core.policy.language import Policy, Segment, Step, When
from tieout.core.policy.situation import Situation

REQUIRED: dict[str, Any] = {
    "customer_id": pl.String,
    "invoice_id": pl.String,
    "currency": pl.String,
    "open_minor": pl.Int64,
    "due_date": pl.Date,
}
OPTIONAL: dict[str, tuple[Any, Any]] = {
    "contested_minor": (pl.Int64, 0),
    "status": (pl.String, "open"),
    "written_off": (pl.Boolean, False),
    "history": (pl.Boolean, False),
    "tier": (pl.String, "unknown"),
    "debtor_type": (pl.String, None),
    "country": (pl.String, None),
    "language": (pl.String, None),
    "email": (pl.String, None),
    "broken_promises": (pl.Int64, 0),
}


def items_frame(situations: Iterable[Situation]) -> pl.DataFrame:
    """The open items of many situations as the frame `due_today` reads."""
    rows = [
        (
            *(s.customer_id, i.invoice_id, i.currency, i.open_minor, i.due_date, i.contested_minor, i.status, i.written_off, i.history),
            *(s.tier, s.debtor_type, s.country, s.language, s.email, s.broken_promises),
        )
        for s in situations
        for i in s.items
    ]
    schema = REQUIRED | {name: kind for name, (kind, _) in OPTIONAL.items()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def touches_frame(situations: Iterable[Situation]) -> pl.DataFrame:
    """The touches of many situations as the frame `due_today` reads."""
    rows = [
        (s.customer_id, t.date, t.step, invoice_id, t.outcome) for s in situations for t in s.touches for invoice_id in (t.invoice_ids or (None,))
    ]
    schema = {"customer_id": pl.String, "date": pl.Date, "step": pl.String, "invoice_id": pl.String, "outcome": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def due_today(
    policy: Policy, frame: pl.DataFrame, today: dt.date, *, touches: pl.DataFrame | None = None, rules: ContactRules | None = None
) -> pl.DataFrame:
    """The accounts with a step that is reached and not yet done: `customer_id`, and `items`, how many documents are due one."""
    found = due_items(policy, frame, today, touches=touches, rules=rules)
    return found.group_by("customer_id").agg(pl.len().alias("items")).sort("customer_id")


def due_items(
    policy: Policy, frame: pl.DataFrame, today: dt.date, *, touches: pl.DataFrame | None = None, rules: ContactRules | None = None
) -> pl.DataFrame:
    """The documents with a step that is reached and not yet done: `customer_id, invoice_id`, `segment` (its place in the policy)
    and `reached` (the place of the highest such step in the segment)."""
    rules = rules or packs.contact_rules()
    reached = _reached(policy, _completed(frame), today)
    if touches is not None and len(touches) and len(reached):
        reached = _not_done(policy, reached, touches, today, rules)
    return reached.select("customer_id", "invoice_id", "segment", "reached")


def _completed(frame: pl.DataFrame) -> pl.DataFrame:
    missing = sorted(set(REQUIRED) - set(frame.columns))
    if missing:
        raise ValueError(f"the frame lacks {', '.join(missing)}; found {', '.join(frame.columns)}")
    absent = [pl.lit(default, dtype=kind).alias(name) for name, (kind, default) in OPTIONAL.items() if name not in frame.columns]
    return frame.with_columns(absent) if absent else frame


def _all(clauses: When, today: dt.date) -> pl.Expr:
    columns = [c.condition.column(c.parameters, today) for c in clauses]
    return reduce(lambda a, b: a & b, columns, pl.lit(True))


def _first_of(segments: Sequence[Segment], values: Sequence[pl.Expr]) -> pl.Expr:
    """The value of the row's segment (column `segment` holds its place)."""
    chain: Any = pl
    for i, _ in enumerate(segments):
        chain = chain.when(pl.col("segment") == i).then(values[i])
    expression: pl.Expr = chain.otherwise(None)
    return expression


def _step_place(steps: Sequence[Step], today: dt.date, *, least: int = 0) -> pl.Expr:
    """The highest step reached by age and conditions, -1 for none; with `least` the steps before it do not count."""
    places = [
        pl.when((pl.col("age") >= step.days) & _all(step.when, today)).then(pl.lit(i)).otherwise(pl.lit(-1))
        for i, step in enumerate(steps)
        if i >= least
    ]
    return pl.max_horizontal(places) if places else pl.lit(-1)


def _reached(policy: Policy, frame: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """Open documents with a step reached, with `segment` and `reached` (its place)."""
    is_open = (pl.col("status") == "open") & ~pl.col("written_off") & (pl.col("open_minor") > 0)
    age = (pl.lit(today) - pl.col("due_date")).dt.total_days()
    segment: Any = pl
    for i, one in enumerate(policy.segments):
        segment = segment.when(_all(one.when, today)).then(pl.lit(i))
    first = min((s.steps[0].days for s in policy.segments if s.steps), default=0)
    reached = _first_of(
        policy.segments,
        [
            pl.when(pl.col("history")).then(_step_place(s.steps, today, least=s.first_overdue)).otherwise(_step_place(s.steps, today))
            for s in policy.segments
        ],
    )
    return (
        frame.lazy()
        .filter(is_open)
        .with_columns(age.alias("age"), segment.otherwise(None).alias("segment"))
        .filter(pl.col("age").is_between(first, policy.max_age) & pl.col("segment").is_not_null())
        .with_columns(reached.alias("reached"))
        .filter(pl.col("reached") >= 0)
        .select("customer_id", "invoice_id", "due_date", "segment", "reached", "history")
        .collect()
    )


def _done_place(policy: Policy, segment: Segment) -> pl.Expr:
    """Place a touch stands for in this segment, cut at the document's own age on that day (see `ladder.done`)."""
    places = {name: ladder.place(policy, segment, name) for name in policy.step_days}
    stands = pl.col("step").fill_null("").replace_strict(list(places), list(places.values()), default=segment.first_overdue, return_dtype=pl.Int32)
    own = pl.sum_horizontal([(pl.col("age_then") >= step.days).cast(pl.Int32) for step in segment.steps] or [pl.lit(0)]) - 1
    carried = pl.when(pl.col("age_then") >= 1).then(pl.lit(segment.first_overdue)).otherwise(pl.lit(-1))
    return pl.min_horizontal(stands, pl.max_horizontal(own, carried))


def _not_done(policy: Policy, reached: pl.DataFrame, touches: pl.DataFrame, today: dt.date, rules: ContactRules) -> pl.DataFrame:
    """Those whose reached step lies above every step done, and where history has waited long enough."""
    wanted = {"step": pl.String, "invoice_id": pl.String, "outcome": pl.String}
    said = (
        touches.with_columns([pl.lit(None, dtype=kind).alias(name) for name, kind in wanted.items() if name not in touches.columns])
        .filter((pl.col("date") <= today) & ~pl.col("outcome").fill_null("").is_in(sorted(ladder.UNDELIVERED)))
        .select("customer_id", "date", "step", "invoice_id")
        .unique()
    )
    general = said.filter(pl.col("invoice_id").is_null()).drop("invoice_id")
    special = said.filter(pl.col("invoice_id").is_not_null())
    items = reached.lazy().with_row_index("row")
    pairs = pl.concat(
        [
            items.join(general.lazy(), on="customer_id").select("row", "segment", "due_date", "date", "step"),
            items.join(special.lazy(), on=["customer_id", "invoice_id"]).select("row", "segment", "due_date", "date", "step"),
        ]
    )
    then = (pl.col("date") - pl.col("due_date")).dt.total_days()
    done = (
        pairs.with_columns(then.alias("age_then"))
        .with_columns(_first_of(policy.segments, [_done_place(policy, s) for s in policy.segments]).alias("done"))
        .group_by("row")
        .agg(pl.col("done").max(), pl.col("date").max().alias("last"))
    )
    rested = pl.col("last").is_null() | ((pl.lit(today) - pl.col("last")).dt.total_days() >= rules.window_days)
    return items.join(done, on="row", how="left").filter((pl.col("reached") > pl.col("done").fill_null(-1)) & (~pl.col("history") | rested)).collect()
