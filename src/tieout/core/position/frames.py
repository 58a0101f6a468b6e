"""Positions of many documents at once, over columns; agrees with the row form (a property test holds the two together).

Frames carry one column per field of the structs in `facts.py`, amounts as Int64 minor units, days as Date, moments as
Datetime in UTC. `frame(Version, rows)` makes one from structs, and makes an empty one with the right columns.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
import polars as pl

from tieout.core.position.facts import NOT_A_CLAIM, UNDER_WAY, Applied, Dispute, OnTheWay, Version

_MOMENT = pl.Datetime("us", "UTC")

_PERIOD: dict[str, Any] = {
    "document_id": pl.String,
    "amount_minor": pl.Int64,
    "from_date": pl.Date,
    "until_date": pl.Date,
    "recorded_at": _MOMENT,
    "retracted_at": _MOMENT,
}

_SCHEMAS: dict[type[msgspec.Struct], dict[str, Any]] = {
    Version: {
        "document_id": pl.String,
        "kind": pl.String,
        "customer_id": pl.String,
        "currency": pl.String,
        "amount_minor": pl.Int64,
        "status": pl.String,
        "document_date": pl.Date,
        "due_date": pl.Date,
        "recorded_at": _MOMENT,
        "superseded_at": _MOMENT,
        "reported_open_minor": pl.Int64,
        "reported_date": pl.Date,
    },
    Applied: {
        "source_id": pl.String,
        "document_id": pl.String,
        "kind": pl.String,
        "amount_minor": pl.Int64,
        "date": pl.Date,
        "recorded_at": _MOMENT,
        "retracted_at": _MOMENT,
    },
    Dispute: _PERIOD,
    OnTheWay: _PERIOD,
}


def schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Column types of a frame of facts of one kind."""
    return dict(_SCHEMAS[kind])


def frame(kind: type[msgspec.Struct], rows: Iterable[msgspec.Struct] = ()) -> pl.DataFrame:
    """A frame of facts from structs of one kind, with the columns of that kind even where there are no rows."""
    types = _SCHEMAS[kind]
    columns: dict[str, list[Any]] = {name: [] for name in types}
    for row in rows:
        for name, values in columns.items():
            values.append(getattr(row, name))
    return pl.DataFrame(columns, schema=types)


def positions(
    versions: pl.DataFrame,
    applied: pl.DataFrame | None = None,
    disputes: pl.DataFrame | None = None,
    on_the_way: pl.DataFrame | None = None,
    *,
    day: dt.date,
    known_at: dt.datetime,
) -> pl.DataFrame:
    """One row per document known and dated by then, with the fields of `Position`, ordered by document id."""
    current = _current(versions, day, known_at)
    beside = [
        _used(current, applied if applied is not None else frame(Applied), day, known_at),
        _running(disputes if disputes is not None else frame(Dispute), day, known_at)
        .group_by("document_id")
        .agg(pl.col("amount_minor").sum().alias("contested"), pl.col("amount_minor").is_null().any().alias("contested_whole")),
        _running(on_the_way if on_the_way is not None else frame(OnTheWay), day, known_at)
        .group_by("document_id")
        .agg(pl.col("amount_minor").sum().alias("announced")),
    ]
    for facts in beside:
        current = _joined(current, facts)
    return _judged(
        current.with_columns(
            pl.when(pl.col("reported_date") > day).then(None).otherwise(pl.col("reported_open_minor")).alias("reported_minor"),
            (~pl.col("status").is_in(sorted(NOT_A_CLAIM))).alias("is_claim"),
            ((pl.col("kind") == "payment") & pl.col("status").is_in(sorted(UNDER_WAY))).alias("moving"),
        )
    )


def _joined(current: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Facts summed per document beside the documents, nothing where there are none; no join where there are none at all."""
    added = [name for name in facts.columns if name != "document_id"]
    nothing = {name: pl.lit(False) if facts.schema[name] == pl.Boolean else pl.lit(0, pl.Int64) for name in added}
    if facts.is_empty():
        return current.with_columns(**nothing)
    return current.join(facts, on="document_id", how="left").with_columns(pl.col(name).fill_null(nothing[name]) for name in added)


def _current(versions: pl.DataFrame, day: dt.date, known_at: dt.datetime) -> pl.DataFrame:
    return (
        versions.filter(_known("superseded_at", known_at))
        .sort("document_id", "recorded_at", maintain_order=True)
        .unique("document_id", keep="last", maintain_order=True)
        .filter(pl.col("document_date").is_null() | (pl.col("document_date") <= day))
    )


def _known(ended: str, at: dt.datetime) -> pl.Expr:
    return (pl.col("recorded_at") <= at) & (pl.col(ended).is_null() | (pl.col(ended) > at))


def _running(facts: pl.DataFrame, day: dt.date, at: dt.datetime) -> pl.DataFrame:
    return facts.filter(_known("retracted_at", at), pl.col("from_date") <= day, pl.col("until_date").is_null() | (pl.col("until_date") > day))


def _used(current: pl.DataFrame, applied: pl.DataFrame, day: dt.date, at: dt.datetime) -> pl.DataFrame:
    live = applied.filter(pl.col("date") <= day, _known("retracted_at", at))
    as_target = live.join(current.filter(pl.col("kind") != "payment").select("document_id"), on="document_id", how="semi")
    as_source = live.join(
        current.filter(pl.col("kind") != "invoice").select(pl.col("document_id").alias("source_id"), pl.col("kind").alias("source_kind")),
        on="source_id",
    ).filter((pl.col("source_kind") == "payment") | (pl.col("source_id") != pl.col("document_id")))  # a note set against itself counts once
    parts = [as_target.select("document_id", "amount_minor"), as_source.select(pl.col("source_id").alias("document_id"), "amount_minor")]
    return pl.concat(parts).group_by("document_id").agg(pl.col("amount_minor").sum().alias("applied_minor"))


def _judged(joined: pl.DataFrame) -> pl.DataFrame:
    claim, zero = pl.col("is_claim"), pl.lit(0, pl.Int64)
    left = pl.col("amount_minor") - pl.col("applied_minor")
    derived = pl.when(claim).then(left.clip(lower_bound=0)).otherwise(zero)
    # min_horizontal skips nulls: where nothing is reported the derived figure stands.
    open_minor = pl.when(claim & ~pl.col("moving")).then(pl.min_horizontal(derived, pl.col("reported_minor").clip(lower_bound=0))).otherwise(zero)
    contested = pl.when(pl.col("contested_whole")).then(pl.col("open_minor")).otherwise(pl.min_horizontal("contested", "open_minor"))
    return (
        joined.with_columns(derived.alias("derived_minor"), open_minor.alias("open_minor"))
        .with_columns(
            pl.when(claim).then((-left).clip(lower_bound=0)).otherwise(zero).alias("over_minor"),
            contested.alias("contested_minor"),
            (pl.col("reported_minor").is_not_null() & claim & (pl.col("reported_minor") != pl.col("derived_minor")))
            .fill_null(False)
            .alias("differs"),
        )
        .with_columns(
            pl.when(pl.col("moving"))
            .then("derived_minor")
            .otherwise(pl.min_horizontal(pl.col("announced"), pl.col("open_minor") - pl.col("contested_minor")))
            .alias("on_the_way_minor")
        )
        .select(
            "document_id",
            "kind",
            "customer_id",
            "currency",
            "status",
            "document_date",
            "due_date",
            "amount_minor",
            "applied_minor",
            "derived_minor",
            "reported_minor",
            "open_minor",
            "over_minor",
            "contested_minor",
            "on_the_way_minor",
            "differs",
        )
    )


def by_customer(found: pl.DataFrame) -> pl.DataFrame:
    """Positions summed per customer and currency: open, contested, on the way, credit notes, unapplied money, and the net."""
    invoice, credit, payment = (pl.col("kind") == kind for kind in ("invoice", "credit_note", "payment"))
    return (
        found.group_by("customer_id", "currency")
        .agg(
            pl.col("open_minor").filter(invoice).sum(),
            pl.col("contested_minor").filter(invoice).sum(),
            pl.col("on_the_way_minor").sum(),
            pl.col("open_minor").filter(credit).sum().alias("credit_minor"),
            pl.col("open_minor").filter(payment).sum().alias("unapplied_minor"),
            pl.col("differs").any(),
        )
        .with_columns((pl.col("open_minor") - pl.col("credit_minor") - pl.col("unapplied_minor")).alias("net_minor"))
        .sort("customer_id", "currency", nulls_last=True)
    )
