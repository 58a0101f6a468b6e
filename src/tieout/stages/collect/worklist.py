"""The work list: one row per customer with something open, kept by planning so that the page reads and does not count.

Only rows that changed are written. The score drifts a little every day; it is written again once it has moved by a twentieth.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import polars as pl
from django.db import connection

from tieout.core.policy import packs, waiting
from tieout.core.policy.language import Policy
from tieout.core.policy.situation import Decision, Hold
from tieout.stages.base import queries as base
from tieout.stages.base import walls
from tieout.stages.collect import ahead, awake, effect, fetch, gather, words
from tieout.stages.collect.book import Book

_STATES = {"promise": "promised", "dispute": "disputed"}
_FREE = {"customer_id": pl.Int64, "invoice_id": pl.String, "minor": pl.Int64}


class _Stands(msgspec.Struct, frozen=True):
    """A customer with holds: the reason it waits ('' where something overdue may still be asked for), and what is free."""

    reason: str
    sentence: str
    free: tuple[tuple[int, str, int], ...]


def refresh(
    *, book: Book, held: Mapping[int, tuple[Hold, ...]], made: Mapping[int, Decision], policy: Policy, today: dt.date, now: dt.datetime
) -> int:
    """Bring the rows of every customer in the book up to date; `made` are today's decisions. Returns how many were written."""
    if book.items.is_empty():
        return 0
    stands = _stands(book, held, policy, today)
    rows = _summed(book, today).join(_scored(book, stands, made, policy, today), on="customer_id", how="left")
    coming = {c: (step, date) for c, step, date in ahead.next_steps(policy=policy, items=book.items, today=today).iter_rows()}
    sleeping = awake.look_on(policy=policy, book=book, held=held, busy=made, today=today)
    listed = [
        _row(row, stands.get(c), made.get(c), coming.get(c), sleeping.get(c)) for row in rows.iter_rows(named=True) for c in (row["customer_id"],)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_MERGE, {"org": walls.current(), "now": now, "rows": msgspec.json.encode(listed).decode()})
        return int(cursor.rowcount)


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a plan of the whole book is about, by customer id: `reached`, who has something in the reach of a step and does not sleep;
    `differing`, whose row does not say what the ledger says is open, or who have none yet; `settled`, who have nothing open any more."""

    reached: tuple[int, ...]
    differing: tuple[int, ...]
    settled: tuple[int, ...]


def survey(*, today: dt.date, reach: dt.date, woken: Collection[int] | None) -> Survey:
    """Look through the ledger's open invoices once. `reach` is the latest due date at which a step may be reached; `woken` are
    customers who do not sleep on, None for everybody."""
    args = {"org": walls.current(), "today": today, "reach": reach, "everybody": woken is None, "woken": fetch.ids(sorted(woken or ()))}
    with connection.cursor() as cursor:
        cursor.execute(_SURVEY, args)
        rows = cursor.fetchall()
    return Survey(
        reached=tuple(customer_id for customer_id, reached, _, _ in rows if reached),
        differing=tuple(customer_id for customer_id, _, differs, settled in rows if differs and not settled),
        settled=tuple(customer_id for customer_id, _, _, settled in rows if settled),
    )


def drop_settled(*, customer_ids: Sequence[int]) -> int:
    """Take those of these customers who have nothing open off the list."""
    if not customer_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, {"org": walls.current(), "customers": fetch.ids(customer_ids)})
        return int(cursor.rowcount)


def _stands(book: Book, held: Mapping[int, tuple[Hold, ...]], policy: Policy, today: dt.date) -> dict[int, _Stands]:
    grace = packs.contact_rules().promise_grace_days
    found = {}
    for situation in gather.situations(book=book, held=held, customer_ids=list(held), today=today):
        active = [h for h in situation.holds if waiting.active(h, today, grace)]
        if not active:
            continue
        customer_id = int(situation.customer_id)
        standings = [(item, waiting.standing(policy, item, situation, today, active)) for item in situation.items]
        free = tuple((customer_id, item.invoice_id, s.minor) for item, s in standings if s.reason in (None, "not_released"))
        overdue = [(item, s) for item, s in standings if item.due_date is not None and item.due_date < today]
        asked = overdue or standings
        reasons = [s for _, s in asked if s.reason not in (None, "not_released")]
        first = min(reasons, key=lambda s: waiting.weight(str(s.reason)), default=None)
        waits = first if first is not None and len(reasons) == len(asked) else None
        found[customer_id] = _Stands(str(waits.reason) if waits else "", waits.sentence if waits else "", free)
    return found


def _summed(book: Book, today: dt.date) -> pl.DataFrame:
    """Per customer: open and overdue per currency as JSON texts, what is open in our own currency, oldest due date, items, last contact."""
    overdue = pl.col("due_date") < today
    per_currency = (
        book.items.lazy()
        .group_by("customer_id", "currency")
        .agg(pl.col("open_minor").sum().alias("open"), pl.col("open_minor").filter(overdue).sum().alias("late"))
        .sort("customer_id", "currency")
    )
    ours = pl.col("currency") == base.profile().base_currency
    texts = per_currency.group_by("customer_id", maintain_order=True).agg(
        pl.format('"{}":{}', "currency", "open").str.join(",").alias("open_text"),
        pl.format('"{}":{}', "currency", "late").filter(pl.col("late") > 0).str.join(",").alias("overdue_text"),
        pl.col("open").filter(ours).sum().alias("base_open"),
    )
    counted = (
        book.items.lazy()
        .group_by("customer_id")
        .agg(
            pl.col("due_date").min().alias("oldest"),
            pl.len().alias("items"),
            pl.col("released").fill_null(False).first(),
            overdue.any().alias("late"),
        )
    )
    spoken = book.touches.lazy().group_by("customer_id").agg(pl.col("date").max().alias("spoken"))
    brackets = [pl.format("{{{}}}", pl.col(name).fill_null("")).alias(name) for name in ("open_text", "overdue_text")]
    return texts.join(counted, on="customer_id").join(spoken, on="customer_id", how="left").with_columns(brackets).collect()


def _scored(book: Book, stands: Mapping[int, _Stands], made: Mapping[int, Decision], policy: Policy, today: dt.date) -> pl.DataFrame:
    undisputed = (pl.col("open_minor") - pl.col("contested_minor")).alias("minor")
    asked = book.items.select("customer_id", "invoice_id", "tier", "currency", "due_date", undisputed)
    if stands:
        free = pl.DataFrame([row for s in stands.values() for row in s.free], schema=_FREE, orient="row")
        those = asked.filter(pl.col("customer_id").is_in(list(stands))).drop("minor").join(free, on=["customer_id", "invoice_id"])
        asked = pl.concat([asked.filter(~pl.col("customer_id").is_in(list(stands))), those.select(asked.columns)])
    proposed = [(customer_id, d.channel) for customer_id, d in made.items() if d.channel]
    actions = pl.DataFrame(proposed, schema={"customer_id": pl.Int64, "channel": pl.String}, orient="row")
    return effect.scores(items=asked, actions=actions, policy=policy, base=base.profile().base_currency, today=today)


class _Row(msgspec.Struct):
    """A row of the list on its way to the database."""

    customer_id: int
    score: int
    open_minor: msgspec.Raw
    overdue_minor: msgspec.Raw
    base_open_minor: int
    oldest: dt.date | None
    items: int
    state: str
    waiting: dt.date | None
    next_step: str
    outcome: str
    look_on: dt.date | None


def _row(
    row: Mapping[str, Any],
    stands: _Stands | None,
    decision: Decision | None,
    coming: tuple[str, dt.date] | None,
    look_on: dt.date | None,
) -> _Row:
    waits = stands.sentence if stands and stands.reason else ""
    state = _state(row, stands)
    asked = state in ("overdue", "due")
    return _Row(
        customer_id=row["customer_id"],
        score=(row["score"] or 0) if asked else 0,
        open_minor=msgspec.Raw(row["open_text"].encode()),
        overdue_minor=msgspec.Raw(row["overdue_text"].encode()),
        base_open_minor=row["base_open"],
        oldest=row["oldest"],
        items=row["items"],
        state=state,
        waiting=(row["spoken"] or row["oldest"]) if state == "overdue" else None,
        next_step=words.next_step(state=state, decision=decision, waits=waits, coming=coming),
        outcome=decision.decision if decision else "none",
        look_on=look_on,
    )


def _state(row: Mapping[str, Any], stands: _Stands | None) -> str:
    if not row["released"]:
        return "unreleased"
    if stands and stands.reason:
        return _STATES.get(stands.reason, "held")
    return "overdue" if row["late"] else "due"


_MERGE = """
INSERT INTO collect_workitem AS kept
  (organisation_id, customer_id, score, open_minor, overdue_minor, base_open_minor, oldest_due_date, items, state, waiting_since, next_step,
   outcome, look_on, refreshed_at)
SELECT %(org)s, n.customer_id, n.score, n.open_minor, n.overdue_minor, n.base_open_minor, n.oldest, n.items, n.state, n.waiting, n.next_step,
       n.outcome, n.look_on, %(now)s
  FROM jsonb_to_recordset(%(rows)s::jsonb)
       AS n (customer_id bigint, score bigint, open_minor jsonb, overdue_minor jsonb, base_open_minor bigint, oldest date, items int, state text,
             waiting date, next_step text, outcome text, look_on date)
  LEFT JOIN collect_workitem k ON k.organisation_id = %(org)s AND k.customer_id = n.customer_id
 WHERE k.id IS NULL
    OR (k.open_minor, k.overdue_minor, k.oldest_due_date, k.items, k.state, k.waiting_since, k.next_step, k.outcome, k.look_on)
       IS DISTINCT FROM (n.open_minor, n.overdue_minor, n.oldest, n.items, n.state, n.waiting, n.next_step, n.outcome, n.look_on)
    OR abs(k.score - n.score) * 20 > greatest(k.score, n.score)
 ORDER BY n.customer_id
ON CONFLICT (organisation_id, customer_id) DO UPDATE
   SET score = excluded.score, open_minor = excluded.open_minor, overdue_minor = excluded.overdue_minor,
       base_open_minor = excluded.base_open_minor, oldest_due_date = excluded.oldest_due_date, items = excluded.items, state = excluded.state,
       waiting_since = excluded.waiting_since, next_step = excluded.next_step, outcome = excluded.outcome, look_on = excluded.look_on,
       refreshed_at = excluded.refreshed_at"""

_SURVEY = """
SELECT customer_id, open IS NOT NULL AND oldest <= %(reach)s AND (%(everybody)s OR awake OR differs), differs, open IS NULL
  FROM (SELECT coalesce(o.customer_id, w.customer_id) AS customer_id, o.open, o.oldest,
               w.look_on IS NULL OR w.look_on <= %(today)s OR w.customer_id = ANY(%(woken)s::bigint[]) AS awake,
               w.id IS NULL OR (w.items, w.oldest_due_date) IS DISTINCT FROM (o.items, o.oldest)
                 OR (r.id IS NULL) <> (w.state = 'unreleased')
                 OR (SELECT sum(value::bigint) FROM jsonb_each_text(w.open_minor)) <> o.open AS differs
          FROM (SELECT customer_id, sum(open_minor) AS open, count(*) AS items, min(due_date) AS oldest FROM ledger_document
                 WHERE organisation_id = %(org)s AND kind = 'invoice' AND open_minor > 0 GROUP BY customer_id) o
          FULL JOIN (SELECT * FROM collect_workitem WHERE organisation_id = %(org)s) w ON w.customer_id = o.customer_id
          LEFT JOIN collect_release r ON r.organisation_id = %(org)s AND r.customer_id = o.customer_id AND r.withdrawn_at IS NULL) book
 WHERE open IS NULL OR differs OR (oldest <= %(reach)s AND (%(everybody)s OR awake))
 ORDER BY customer_id"""

_SETTLED = """
DELETE FROM collect_workitem w
 WHERE w.organisation_id = %(org)s AND w.customer_id = ANY(%(customers)s::bigint[])
   AND NOT EXISTS (SELECT 1 FROM ledger_document d WHERE d.organisation_id = w.organisation_id AND d.customer_id = w.customer_id
                      AND d.kind = 'invoice' AND d.open_minor > 0)"""
