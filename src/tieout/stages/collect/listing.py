"""The work list as pages read it: by expected effect, every fifth place kept for whoever has waited longest (`core.rank`).

Two streams over one list, each with its own place to go on from, so that a page costs the same wherever it is and every customer
comes up exactly once: what one stream has shown, the other leaves out.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection

from tieout.core import rank
from tieout.core.money import Money, minor_text
from tieout.stages.base import walls

STATES = ("overdue", "due", "promised", "disputed", "held", "unreleased")


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What to show; None and '' do not filter. `owner` is a person's id (0: nobody's), `text` part of the customer's name."""

    state: str | None = None
    owner: int | None = None
    tier: str | None = None
    currency: str | None = None
    text: str = ""


class Mark(msgspec.Struct, frozen=True):
    """Where both streams have come to; give it back for the next page. Positions (score, customer) and (waiting since, customer)."""

    score: int
    score_customer: int
    waiting: dt.date | None = None
    waiting_customer: int = 0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One customer of the list. Amounts in minor units by currency. `reasons` say why it stands where it stands and what was decided;
    `signal` is the last thing heard of or said to them. `long_waiting`: it stands here because nobody has spoken to them."""

    customer_id: int
    name: str
    owner: int | None
    tier: str
    score: int
    open_minor: dict[str, int]
    overdue_minor: dict[str, int]
    base_open_minor: int
    oldest_due_date: dt.date | None
    items: int
    state: str
    waiting_since: dt.date | None
    next_step: str
    outcome: str
    signal: str
    signal_date: dt.date | None
    reasons: tuple[str, ...]
    long_waiting: bool


class Page(msgspec.Struct, frozen=True):
    """Rows in the order of work, and the mark to go on from (None at the end)."""

    rows: tuple[Row, ...]
    next: Mark | None


def worklist(*, filters: Filters | None = None, after: Mark | None = None, limit: int = 50, today: dt.date) -> Page:
    """A page of the work list. Three queries, whatever the size of the book."""
    filters = filters or Filters()
    kept = limit // rank.FLOOR_EVERY
    args = _arguments(filters, after)
    scored = _select(_SCORED, filters, args | {"limit": limit - kept + 1, "mark": after is not None and after.waiting is not None})
    more = len(scored) > limit - kept
    scored = scored[: limit - kept]
    waiting: list[dict[str, Any]] = []
    if more:
        last = scored[-1]
        waiting = _select(_WAITING, filters, args | {"limit": kept, "last": last["score"], "last_customer": last["customer_id"]})
    rows = _interleaved(scored, waiting)
    effects = _effects(rows, today)
    found = tuple(_row(r, effects.get(r["customer_id"], ()), r in waiting) for r in rows)
    return Page(found, _mark(scored[-1], waiting, after) if more else None)


def counts() -> dict[str, int]:
    """How many customers stand in each state."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM collect_workitem WHERE organisation_id = %s GROUP BY state", [walls.current()])
        found = dict(cursor.fetchall())
    return {state: found.get(state, 0) for state in STATES}


def _arguments(filters: Filters, after: Mark | None) -> dict[str, Any]:
    text = filters.text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    wanted = {"state": filters.state, "owner": filters.owner, "tier": filters.tier, "currency": filters.currency, "text": f"%{text}%"}
    start = after or Mark(2**62, 0)
    reached = {"score": start.score, "score_customer": start.score_customer, "waiting": start.waiting, "waiting_customer": start.waiting_customer}
    return wanted | reached | {"org": walls.current()}


def _select(sql: str, filters: Filters, args: dict[str, Any]) -> list[dict[str, Any]]:
    conditions = [
        (filters.state, "AND w.state = %(state)s"),
        (filters.owner is not None, "AND c.owner = %(owner)s" if filters.owner else "AND c.owner IS NULL"),
        (filters.tier, "AND coalesce(p.tier, 'unknown') = %(tier)s"),
        (filters.currency, "AND w.open_minor ? %(currency)s"),
        (filters.text.strip(), "AND c.name ILIKE %(text)s"),
    ]
    chosen = sql.format(filters=" ".join(sql for given, sql in conditions if given))
    with connection.cursor() as cursor:
        cursor.execute(_WITH_SIGNAL.format(chosen=chosen), args)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _interleaved(scored: Sequence[dict[str, Any]], waiting: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every fifth place to the longest waiting."""
    rows, rest = list(scored), list(waiting)
    for i, row in enumerate(rest, 1):
        rows.insert(i * rank.FLOOR_EVERY - 1, row)
    return rows


def _mark(last: dict[str, Any], waiting: Sequence[dict[str, Any]], after: Mark | None) -> Mark:
    if waiting:
        return Mark(last["score"], last["customer_id"], waiting[-1]["waiting_since"], waiting[-1]["customer_id"])
    before = after or Mark(0, 0)
    return Mark(last["score"], last["customer_id"], before.waiting, before.waiting_customer)


def _effects(rows: Sequence[dict[str, Any]], today: dt.date) -> dict[int, tuple[str, ...]]:
    """The sentences of `core.rank` for the customers of one page."""
    asked = {r["customer_id"]: r for r in rows if r["state"] == "overdue"}
    if not asked:
        return {}
    items: dict[int, list[rank.Overdue]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_ITEMS, {"org": walls.current(), "customers": list(asked), "today": today})
        for customer_id, currency, minor, age in cursor.fetchall():
            items[customer_id].append(rank.Overdue(Money(int(minor), currency), age))
    accounts = [
        rank.Account(customer_id=str(c), items=tuple(some), tier=asked[c]["tier"], action=asked[c]["channel"] or "email") for c, some in items.items()
    ]
    found: dict[int, tuple[str, ...]] = defaultdict(tuple)
    for account in accounts:
        # One account at a time: its sentences do not depend on its neighbours, its place is the list's business.
        for ranked in rank.rank([account]):
            found[int(ranked.customer_id)] += ranked.reasons
    return found


def _row(row: dict[str, Any], effects: tuple[str, ...], long_waiting: bool) -> Row:
    decided = _plain(row["trace"]) or []
    waited = (f"nobody has been in touch since {row['waiting_since']}",) if long_waiting else ()
    return Row(
        **{name: row[name] for name in _AS_READ},
        open_minor=_plain(row["open_minor"]),
        overdue_minor=_plain(row["overdue_minor"]),
        signal=_signal(row),
        signal_date=row["signal_date"],
        reasons=(*effects, *waited, *(decided if row["outcome"] != "none" else ())),
        long_waiting=long_waiting,
    )


def _plain(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str) else value


def _signal(row: dict[str, Any]) -> str:
    kind, word, minor, currency = row["signal_kind"], row["signal_word"] or "", row["signal_minor"], row["signal_currency"]
    if kind == "payment":
        return f"paid {minor_text(minor, currency)} {currency}"
    if kind == "promise":
        return f"promised {minor_text(minor, currency)} {currency} for {word}"
    if kind == "in":
        return f"wrote to us: {word}" if word else "wrote to us"
    return word if kind == "out" else ""


_AS_READ = (
    "customer_id", "name", "owner", "tier", "score", "base_open_minor", "oldest_due_date", "items", "state", "waiting_since", "next_step", "outcome",
)  # fmt: skip

_COLUMNS = """w.customer_id, c.name, c.owner, coalesce(p.tier, 'unknown') AS tier, w.score, w.open_minor, w.overdue_minor, w.base_open_minor,
         w.oldest_due_date, w.items, w.state, w.waiting_since, w.next_step, w.outcome
    FROM collect_workitem w
    JOIN ledger_customer c ON c.organisation_id = w.organisation_id AND c.id = w.customer_id
    LEFT JOIN behaviour_profile p ON p.organisation_id = w.organisation_id AND p.customer_id = w.customer_id
   WHERE w.organisation_id = %(org)s {filters}"""

_SCORED = (
    "SELECT row_number() OVER (ORDER BY w.score DESC, w.customer_id) AS place, "
    + _COLUMNS
    + """
     AND w.score <= %(score)s AND (w.score < %(score)s OR w.customer_id > %(score_customer)s)
     AND NOT (%(mark)s AND w.waiting_since IS NOT NULL AND (w.waiting_since, w.customer_id) <= (%(waiting)s::date, %(waiting_customer)s))
   ORDER BY w.score DESC, w.customer_id LIMIT %(limit)s"""
)

_WAITING = (
    "SELECT row_number() OVER (ORDER BY w.waiting_since, w.customer_id) AS place, "
    + _COLUMNS
    + """
     AND w.waiting_since IS NOT NULL
     AND (%(waiting)s::date IS NULL OR (w.waiting_since, w.customer_id) > (%(waiting)s::date, %(waiting_customer)s))
     AND (w.score < %(last)s OR (w.score = %(last)s AND w.customer_id > %(last_customer)s))
   ORDER BY w.waiting_since, w.customer_id LIMIT %(limit)s"""
)

_WITH_SIGNAL = """
SELECT f.*, s.*, d.trace, d.channel
  FROM ({chosen}) f
  LEFT JOIN LATERAL (SELECT trace, channel FROM collect_decision
                      WHERE organisation_id = %(org)s AND customer_id = f.customer_id ORDER BY day DESC, id DESC LIMIT 1) d ON true
  LEFT JOIN LATERAL (
    SELECT * FROM (
      (SELECT direction AS signal_kind, local_date AS signal_date, coalesce(nullif(summary, ''), nullif(step, ''), channel) AS signal_word,
              NULL::bigint AS signal_minor, '' AS signal_currency
         FROM dialogue_touch WHERE organisation_id = %(org)s AND customer_id = f.customer_id ORDER BY at DESC LIMIT 1)
      UNION ALL
      (SELECT 'payment', date, '', amount_minor, currency FROM ledger_payment
        WHERE organisation_id = %(org)s AND customer_id = f.customer_id AND date IS NOT NULL AND status IN ('succeeded', 'settled')
        ORDER BY date DESC LIMIT 1)
      UNION ALL
      (SELECT 'promise', (made_at AT TIME ZONE 'UTC')::date, promised_date::text, amount_minor, currency FROM dialogue_promise
        WHERE organisation_id = %(org)s AND customer_id = f.customer_id ORDER BY made_at DESC LIMIT 1)
    ) heard ORDER BY signal_date DESC LIMIT 1) s ON true
 ORDER BY f.place"""

_ITEMS = """
SELECT d.customer_id, d.currency, d.open_minor - least(coalesce(x.contested, 0), d.open_minor), %(today)s - d.due_date
  FROM ledger_document d
  LEFT JOIN (SELECT document_id, sum(amount_minor) AS contested FROM dialogue_dispute WHERE organisation_id = %(org)s AND state = 'open'
              GROUP BY document_id) x ON x.document_id = d.id
 WHERE d.organisation_id = %(org)s AND d.customer_id = ANY(%(customers)s) AND d.kind = 'invoice' AND d.open_minor > 0 AND d.due_date < %(today)s"""
