"""The book as planning reads it: every open invoice of the accounts that have something overdue or nearly so, as columns.

Read set-wise, in a handful of queries whatever the size.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import msgspec
import polars as pl

from tieout.core.policy.columns import OPTIONAL
from tieout.core.policy.language import Policy
from tieout.stages.base import walls
from tieout.stages.collect import address, fetch

_ITEMS = {
    "invoice_id": pl.String,
    "customer_id": pl.Int64,
    "number": pl.String,
    "currency": pl.String,
    "open_minor": pl.Int64,
    "due_date": pl.Date,
    "history": pl.Boolean,
}
_CUSTOMERS = {
    "customer_id": pl.Int64,
    "debtor_type": pl.String,
    "country": pl.String,
    "language": pl.String,
    "time_zone": pl.String,
    "tier": pl.String,
    "broken_promises": pl.Int64,
    "released": pl.Boolean,
    "soft": pl.Boolean,
}
_TOUCHES = {
    "customer_id": pl.Int64,
    "date": pl.Date,
    "step": pl.String,
    "channel": pl.String,
    "address": pl.String,
    "outcome": pl.String,
    "documents": pl.String,
}
_ADDRESSES = {"customer_id": pl.Int64, "email": pl.String}
_DISPUTED = {"invoice_id": pl.String, "contested_minor": pl.Int64}

#: Contacts are read back to this many days before the oldest due date in the book: a nudge may come before it.
_BEFORE_DUE = 90


class Book(msgspec.Struct, frozen=True):
    """`items`: open invoices with their account's facts, by account and oldest first; `touches`: contacts, a row per document (null: all)."""

    items: pl.DataFrame
    customers: pl.DataFrame
    touches: pl.DataFrame


def read(*, policy: Policy, today: dt.date, customer_ids: Collection[int]) -> Book:
    """All that is open for these customers."""
    wanted = sorted(set(customer_ids))
    if not wanted:
        return _NOBODY
    args = {"org": walls.current(), "customers": fetch.ids(wanted)}
    items = fetch.columns(_ITEMS_SQL, args, _ITEMS, bare=("invoice_id", "currency"))
    if items.is_empty():
        return _NOBODY
    oldest: Any = items["due_date"].min()
    args |= {"customers": fetch.ids(items["customer_id"].unique().to_list()), "since": (oldest or today) - dt.timedelta(days=_BEFORE_DUE)}
    customers = fetch.columns(_CUSTOMERS_SQL, args, _CUSTOMERS, bare=("tier",))
    disputed = fetch.columns(_DISPUTED_SQL, args, _DISPUTED)
    touches = fetch.columns(_TOUCHES_SQL, args, _TOUCHES)
    judged = _with_facts(items, customers, disputed)
    return Book(_with_address(judged, customers) if _asks_for_address(policy) else judged, customers, _exploded(touches))


def _asks_for_address(policy: Policy) -> bool:
    whens = [when for segment in policy.segments for when in (segment.when, *(step.when for step in segment.steps))]
    return any(clause.condition.name == "email" for when in whens for clause in when)


def _with_address(items: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    usable = {c: point.email for c, point in address.of(customer_ids=customers["customer_id"].to_list()).items() if point.usable}
    return items.drop("email").join(
        pl.DataFrame({"customer_id": list(usable), "email": list(usable.values())}, schema=_ADDRESSES), on="customer_id", how="left"
    )


def first_day(policy: Policy) -> int:
    """Days past due from which anything can matter: the earliest step, and in any case the first day overdue."""
    return min([1, *(segment.steps[0].days for segment in policy.segments if segment.steps)])


def _with_facts(items: pl.DataFrame, customers: pl.DataFrame, disputed: pl.DataFrame | None) -> pl.DataFrame:
    joined = items.lazy().join(customers.lazy(), on="customer_id", how="left")
    if disputed is None or disputed.is_empty():
        contested = pl.lit(0, pl.Int64).alias("contested_minor")
    else:
        joined = joined.join(disputed.lazy(), on="invoice_id", how="left")
        contested = pl.min_horizontal(pl.col("contested_minor").fill_null(0), "open_minor").alias("contested_minor")
    present = {*items.columns, *customers.columns, "contested_minor"}
    rest = [pl.lit(default, kind).alias(name) for name, (kind, default) in OPTIONAL.items() if name not in present]
    return joined.with_columns(contested, *rest).sort("customer_id", "due_date", "invoice_id").collect()


def _exploded(touches: pl.DataFrame) -> pl.DataFrame:
    documents = pl.col("documents").fill_null("")
    spoken = pl.when(documents == "").then(pl.lit(None, pl.List(pl.String))).otherwise(documents.str.split(","))
    return touches.lazy().with_columns(spoken.alias("invoice_id")).drop("documents").explode("invoice_id").collect()


_NO_CUSTOMERS = pl.DataFrame(schema=_CUSTOMERS)
_NOBODY = Book(_with_facts(pl.DataFrame(schema=_ITEMS), _NO_CUSTOMERS, None), _NO_CUSTOMERS, _exploded(pl.DataFrame(schema=_TOUCHES)))

# An invoice starts softly (history) while its customer's first message is outstanding, where it was there when a person
# released the customer, and where it was overdue already when we first heard of it, as a newly connected source brings them.
_ITEMS_SQL = """
SELECT d.id AS invoice_id, d.customer_id, d.number, d.currency, d.open_minor, d.due_date,
       coalesce(r.soft OR (r.wave_id IS NOT NULL AND d.created_at <= r.released_at), true)
       OR coalesce((d.created_at AT TIME ZONE 'UTC')::date > d.due_date, false) AS history
  FROM ledger_document d
  LEFT JOIN collect_release r ON r.organisation_id = d.organisation_id AND r.customer_id = d.customer_id AND r.withdrawn_at IS NULL
 WHERE d.organisation_id = %(org)s AND d.kind = 'invoice' AND d.open_minor > 0 AND d.customer_id = ANY(%(customers)s)"""

# Whom a person has withdrawn is not chased by way of a link with somebody who is released.
_CUSTOMERS_SQL = """
SELECT c.id AS customer_id, nullif(c.debtor_type, '') AS debtor_type, nullif(c.country, '') AS country, nullif(c.language, '') AS language,
       nullif(c.time_zone, '') AS time_zone, coalesce(p.tier, 'unknown') AS tier, coalesce(b.broken, 0) AS broken_promises,
       r.id IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM ledger_customer h JOIN collect_release w ON w.organisation_id = h.organisation_id AND w.customer_id = h.id
            WHERE h.organisation_id = %(org)s AND h.lead_id = c.id AND w.withdrawn_at IS NOT NULL) AS released, coalesce(r.soft, true) AS soft
  FROM ledger_customer c
  LEFT JOIN behaviour_profile p ON p.organisation_id = c.organisation_id AND p.customer_id = c.id
  LEFT JOIN collect_release r ON r.organisation_id = c.organisation_id AND r.customer_id = c.id AND r.withdrawn_at IS NULL
  LEFT JOIN (SELECT customer_id, count(*) AS broken FROM dialogue_promise WHERE organisation_id = %(org)s AND state = 'broken'
              GROUP BY customer_id) b ON b.customer_id = c.id
 WHERE c.organisation_id = %(org)s AND c.id = ANY(%(customers)s)"""

_DISPUTED_SQL = """
SELECT document_id AS invoice_id, sum(amount_minor)::bigint AS contested_minor
  FROM dialogue_dispute WHERE organisation_id = %(org)s AND state = 'open' GROUP BY document_id"""

_TOUCHES_SQL = """
SELECT t.customer_id, t.local_date AS date, nullif(t.step, '') AS step, t.channel, p.address, t.outcome,
       translate(t.document_ids::text, '[]" ', '') AS documents
  FROM dialogue_touch t
  LEFT JOIN dialogue_contactpoint p ON p.organisation_id = t.organisation_id AND p.id = t.contact_point_id
 WHERE t.organisation_id = %(org)s AND t.direction = 'out' AND t.local_date >= %(since)s
   AND t.customer_id = ANY(%(customers)s)"""
