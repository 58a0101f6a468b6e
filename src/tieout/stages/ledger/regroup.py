"""Work out which customers are one from the links in force, and bring everything where it belongs (unlinking is the same working out).

Every record has a home, the customer it founded; every link joins two homes. Homes joined by links are one customer, and everything of
theirs stands with one of them, the lead. Which one follows from the links alone, so the order of linking and unlinking never matters.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from tieout.stages.base import feed, walls
from tieout.stages.ledger import decide
from tieout.stages.ledger.models import Customer, LinkProposal

_LINKED = LinkProposal.State.LINKED
#: From this many customers on, all links are read at once.
_MANY = 500
_FEED_PAGE = 10_000


class Move(NamedTuple):
    """A home whose things go from one lead to another."""

    home: int
    before: int
    after: int


def customers(*, customer_ids: Iterable[int], now: dt.datetime) -> list[Move]:
    """Work out anew who is one with these customers, and move what has to move. Returns what moved; later stages bring theirs along."""
    start = sorted(set(customer_ids))
    if not start:
        return []
    links, leads = _around(start)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM ledger_customer WHERE organisation_id = %s AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [walls.current(), sorted(leads)],
        )
    wanted = _leads(leads, links)
    moves = sorted(Move(home, before, wanted[home]) for home, before in leads.items() if wanted[home] != before)
    if moves:
        touched = sorted({one for move in moves for one in move})
        decide.remember(customer_ids=touched, now=now)
        _bring(moves, links, now)
        decide.run(customer_ids=touched, now=now, anew=True)
        for begin in range(0, len(touched), _FEED_PAGE):
            page = touched[begin : begin + _FEED_PAGE]
            feed.publish(kind="customer", ids=page, customer_ids=page, cause="link", now=now)
    return moves


def _around(start: list[int]) -> tuple[list[LinkProposal], dict[int, int]]:
    """The links in force around these customers, and each customer in reach with its lead as it stands."""
    rows: dict[int, LinkProposal] = {}
    seen: set[int] = set()
    ask = set(start)
    everybody = len(start) > _MANY
    while ask:
        found = LinkProposal.objects.filter(kind="customer", state=_LINKED)
        if not everybody:
            found = found.filter(Q(first_id__in=ask) | Q(second_id__in=ask))
        rows |= {row.pk: row for row in found}
        peers = {one for row in rows.values() for one in (row.first_id, row.second_id)}
        # Those that stand with one of them already: a link that was taken back leaves them without it.
        here = Customer.objects.filter(Q(pk__in=ask) | Q(lead_id__in=ask))
        peers |= {one for pk, lead in here.values_list("pk", "lead_id") for one in (pk, lead) if one is not None}
        seen |= ask
        ask = peers - seen
    leads = {pk: lead or pk for pk, lead in Customer.objects.filter(pk__in=seen).values_list("pk", "lead_id")}
    return list(rows.values()), leads


def _leads(leads: Mapping[int, int], links: Iterable[LinkProposal]) -> dict[int, int]:
    """Who leads whom: the one that others were said to belong to, else the one known longest."""
    of = {one: [one] for one in leads}
    moved: set[int] = set()
    for link in links:
        mine, theirs = of.get(link.first_id), of.get(link.second_id)
        if mine is None or theirs is None:
            continue
        if link.into_id is not None:
            moved.add(link.first_id if link.into_id == link.second_id else link.second_id)
        if mine is not theirs:
            whole = mine + theirs
            of.update(dict.fromkeys(whole, whole))
    return {one: min(set(group) - moved or group) for one, group in of.items()}


def _bring(moves: list[Move], links: Iterable[LinkProposal], now: dt.datetime) -> None:
    why = _evidence(links)
    told = [why.get(move.home, ("linked through others", 100, "machine", 1)) for move in moves]
    given: dict[str, Any] = {
        "org": walls.current(), "now": now, "homes": [m.home for m in moves], "before": [m.before for m in moves], "after": [m.after for m in moves],
        "evidence": [one[0] for one in told], "score": [one[1] for one in told], "by": [one[2] for one in told], "rank": [one[3] for one in told],
    }  # fmt: skip
    with connection.cursor() as cursor:
        if len(moves) > _MANY:
            cursor.execute("SET LOCAL enable_nestloop = off")
        for statement in (_CUSTOMERS, _RECORDS, _WORDS, _DOCUMENTS, _PAYMENTS):
            cursor.execute(statement, given)
        if len(moves) > _MANY:
            cursor.execute("SET LOCAL enable_nestloop = on")
    rows("ledger_contact", moves)


def rows(table: str, moves: Iterable[Move], *, by_document: bool = False) -> int:
    """Bring the rows of a table along that name a customer and no source's key. With `by_document`, those about a document follow it.

    Returns how many moved. For the stages to the right of this one, each for its own tables.
    """
    moved = list(moves)
    if not moved:
        return 0
    given = {
        "org": walls.current(), "table": table, "homes": [m.home for m in moved], "before": [m.before for m in moved],
        "after": [m.after for m in moved],
    }  # fmt: skip
    count = 0
    with connection.cursor() as cursor:
        cursor.execute(_ROWS.format(table=table, whose=" AND t.document_id IS NULL" if by_document else ""), given)
        count += cursor.rowcount
        if by_document:
            cursor.execute(_WITH_DOCUMENT.format(table=table), given)
            count += cursor.rowcount
    return count


def _evidence(links: Iterable[LinkProposal]) -> dict[int, tuple[str, int, str, int]]:
    """For each home the best link it has: what speaks for it, how much, and who decided."""
    best: dict[int, LinkProposal] = {}
    for link in links:
        for home in (link.first_id, link.second_id):
            if home not in best or (link.rank, link.score, -link.pk) > (best[home].rank, best[home].score, -best[home].pk):
                best[home] = link
    found: dict[int, tuple[str, int, str, int]] = defaultdict(lambda: ("", 0, "", 0))
    found.update({home: ("; ".join(link.reasons)[:300], link.score, link.decided_by[:300], link.rank) for home, link in best.items()})
    return dict(found)


_MOVES = """m AS MATERIALIZED (SELECT * FROM unnest(%(homes)s::bigint[], %(before)s::bigint[], %(after)s::bigint[], %(evidence)s::text[],
       %(score)s::smallint[], %(by)s::text[], %(rank)s::smallint[]) AS m(home, before, after, evidence, score, linked_by, rank))"""
_PLAIN_MOVES = """m AS MATERIALIZED (
  SELECT * FROM unnest(%(homes)s::bigint[], %(before)s::bigint[], %(after)s::bigint[]) AS m(home, before, after))"""

_CUSTOMERS = f"""
WITH {_PLAIN_MOVES}
UPDATE ledger_customer c SET lead_id = nullif(m.after, m.home) FROM m WHERE c.organisation_id = %(org)s AND c.id = m.home"""

#: The link in force ends and another begins: dated facts, nothing is overwritten.
_RECORDS = f"""
WITH {_MOVES},
old AS (
  UPDATE ledger_sourcerecord r SET retracted_at = %(now)s FROM m
   WHERE r.organisation_id = %(org)s AND r.kind = 'customer' AND r.retracted_at IS NULL AND r.target_id = m.before
     AND coalesce(r.home_id, r.target_id) = m.home
  RETURNING r.*, m.home AS home, m.after, m.evidence AS why, m.score AS points, m.linked_by AS who, m.rank AS how_sure)
INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, home_id, content_hash, envelope_id, line, score,
       evidence, linked_by, rank, recorded_at, seen_at, gone_at, gone_as, version, changed_at)
SELECT organisation_id, connection_id, kind, external_id, after, nullif(home, after), content_hash, envelope_id, line,
       CASE WHEN home = after THEN 100 ELSE points END, CASE WHEN home = after THEN 'the source''s own key' ELSE why END,
       CASE WHEN home = after THEN 'machine' ELSE who END, CASE WHEN home = after THEN 1 ELSE how_sure END, %(now)s, seen_at, gone_at, gone_as,
       version, changed_at
  FROM old"""

#: What a record has said goes where the record goes.
_WORDS = f"""
WITH {_PLAIN_MOVES}
UPDATE ledger_fieldword w SET target_id = r.target_id
  FROM ledger_sourcerecord r JOIN m ON coalesce(r.home_id, r.target_id) = m.home
 WHERE r.organisation_id = %(org)s AND r.kind = 'customer' AND r.retracted_at IS NULL AND w.organisation_id = %(org)s AND w.kind = 'customer'
   AND w.connection_id = r.connection_id AND w.external_id = r.external_id AND w.target_id <> r.target_id"""

_RECORD = """LEFT JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.connection_id = t.connection_id AND r.kind = 'customer'
       AND r.external_id = t.customer_external_id AND r.retracted_at IS NULL"""


def _follow(table: str, said: str) -> str:
    """The rows of a table whose customer is `said` by a source's key, and those that were put down by hand."""
    home = f"CASE WHEN {said} THEN coalesce(r.home_id, r.target_id) ELSE coalesce(v.home_id, t.customer_id) END"
    return f"""hit AS MATERIALIZED (
  SELECT t.id, m.home, m.after, NOT ({said}) AS by_hand
    FROM {table} t JOIN (SELECT DISTINCT before FROM m) b ON b.before = t.customer_id {_RECORD}
    LEFT JOIN ledger_moved v ON v.organisation_id = %(org)s AND v.table_name = '{table}' AND v.row_id = t.id
    JOIN m ON m.before = t.customer_id AND m.home = {home}
   WHERE t.organisation_id = %(org)s),
home AS (DELETE FROM ledger_moved v USING hit h WHERE v.organisation_id = %(org)s AND v.table_name = '{table}' AND v.row_id = h.id
         AND h.home = h.after),
away AS (INSERT INTO ledger_moved (organisation_id, table_name, row_id, home_id)
         SELECT %(org)s, '{table}', id, home FROM hit WHERE by_hand AND home <> after ON CONFLICT (organisation_id, table_name, row_id) DO NOTHING)"""


_DOCUMENTS = f"""
WITH {_PLAIN_MOVES},
{_follow("ledger_document", "r.id IS NOT NULL")},
moved AS (
  UPDATE ledger_document d SET customer_id = h.after, recorded_at = %(now)s FROM hit h
   WHERE d.organisation_id = %(org)s AND d.id = h.id RETURNING d.*),
old AS (UPDATE ledger_documentversion v SET superseded_at = %(now)s FROM moved m
         WHERE v.organisation_id = %(org)s AND v.document_id = m.id AND v.superseded_at IS NULL)
INSERT INTO ledger_documentversion (organisation_id, document_id, customer_id, number, issue_date, due_date, currency, amount_minor,
       reported_open_minor, status, recorded_at, cause)
SELECT organisation_id, id, customer_id, number, issue_date, due_date, currency, amount_minor, reported_open_minor, status, %(now)s, 'link'
  FROM moved"""

#: Whose money it is was said by its source, unless a person said otherwise.
_PAYMENTS = f"""
WITH {_PLAIN_MOVES},
{_follow("ledger_payment", "t.customer_rank < 3 AND r.id IS NOT NULL")},
moved AS (
  UPDATE ledger_payment p SET customer_id = h.after, recorded_at = %(now)s FROM hit h
   WHERE p.organisation_id = %(org)s AND p.id = h.id RETURNING p.*),
old AS (UPDATE ledger_paymentversion v SET superseded_at = %(now)s FROM moved m
         WHERE v.organisation_id = %(org)s AND v.payment_id = m.id AND v.superseded_at IS NULL)
INSERT INTO ledger_paymentversion (organisation_id, payment_id, customer_id, date, currency, amount_minor, status, recorded_at, cause)
SELECT organisation_id, id, customer_id, date, currency, amount_minor, status, %(now)s, 'link' FROM moved"""

_ROWS = f"""
WITH {_PLAIN_MOVES},
hit AS MATERIALIZED (
  SELECT t.id, m.home, m.after
    FROM {{table}} t JOIN (SELECT DISTINCT before FROM m) b ON b.before = t.customer_id
    LEFT JOIN ledger_moved v ON v.organisation_id = %(org)s AND v.table_name = %(table)s AND v.row_id = t.id
    JOIN m ON m.before = t.customer_id AND m.home = coalesce(v.home_id, t.customer_id)
   WHERE t.organisation_id = %(org)s{{whose}}),
home AS (DELETE FROM ledger_moved v USING hit h WHERE v.organisation_id = %(org)s AND v.table_name = %(table)s AND v.row_id = h.id
         AND h.home = h.after),
away AS (INSERT INTO ledger_moved (organisation_id, table_name, row_id, home_id)
         SELECT %(org)s, %(table)s, id, home FROM hit WHERE home <> after ON CONFLICT (organisation_id, table_name, row_id) DO NOTHING)
UPDATE {{table}} t SET customer_id = h.after FROM hit h WHERE t.organisation_id = %(org)s AND t.id = h.id"""

_WITH_DOCUMENT = f"""
WITH {_PLAIN_MOVES}
UPDATE {{table}} t SET customer_id = d.customer_id FROM ledger_document d
 WHERE t.organisation_id = %(org)s AND d.organisation_id = %(org)s AND d.id = t.document_id AND t.customer_id <> d.customer_id
   AND t.customer_id IN (SELECT before FROM m)"""
