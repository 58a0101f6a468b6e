"""Our balances against each connected source's, document by document, with what could explain a difference beside it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.db import connection as database

from tieout.core import tieout
from tieout.core.tieout import Line, Pair
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import TieOutRun


class Document(msgspec.Struct, frozen=True):
    """A document in a tie-out, to open it by."""

    id: int
    kind: str
    number: str
    external_id: str
    source_status: str


class TieOut(msgspec.Struct, frozen=True, kw_only=True):
    """One source: its lines by customer and currency (`names` gives the customer's), its documents by the id a part carries."""

    connection_id: int
    name: str
    lines: tuple[Line, ...]
    names: dict[str, str]
    documents: dict[str, Document]
    causes: dict[str, dict[str, int]]

    @property
    def unexplained(self) -> dict[str, int]:
        """What no cause is known for, by currency, summed without sign: two wrongs do not make a right."""
        told: dict[str, int] = {}
        for line in self.lines:
            minor = sum(abs(part.minor) for part in line.parts if part.cause == "unexplained")
            if minor:
                told[line.currency] = told.get(line.currency, 0) + minor
        return told

    @property
    def differing(self) -> int:
        """How many documents differ."""
        return len({part.id for line in self.lines for part in line.parts})


#: A credit note counts against what is owed. `ours` is derived from what is applied; `theirs` is what the source reports.
_PAIRS = """
WITH held AS MATERIALIZED (
  SELECT d.id, d.kind, d.number, d.customer_id, d.currency, d.issue_date, d.status, d.source_status, r.external_id, r.gone_at,
         d.connection_id = %(conn)s AS born_here, d.amount_minor - r.reported_minor AS edited,
         r.content_hash = '\\x00' AND d.connection_id <> %(conn)s AS unheard,
         CASE WHEN d.status IN ('open', 'unknown') THEN d.amount_minor - d.allocated_minor - d.written_off_minor ELSE 0 END AS ours,
         CASE WHEN r.gone_at IS NOT NULL THEN 0
              WHEN d.connection_id = %(conn)s AND d.status IN ('void', 'deleted', 'draft') THEN 0
              WHEN d.connection_id = %(conn)s THEN coalesce(d.reported_open_minor - d.taken_back_minor,
                                                               d.amount_minor - d.allocated_minor - d.written_off_minor)
              WHEN r.reported_status IN ('void', 'deleted') THEN 0
              ELSE coalesce(r.reported_open_minor, d.amount_minor - d.allocated_minor - d.written_off_minor) END AS theirs
    FROM ledger_sourcerecord r JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = r.target_id AND d.kind = r.kind
   WHERE r.organisation_id = %(org)s AND r.connection_id = %(conn)s AND r.kind IN ('invoice', 'credit_note') AND r.retracted_at IS NULL
     AND (%(customer)s::bigint IS NULL OR d.customer_id = %(customer)s)),
waiting AS (
  SELECT document_external_id, sum(amount_minor) AS minor FROM ledger_stated
   WHERE organisation_id = %(org)s AND connection_id = %(conn)s AND retracted_at IS NULL AND allocation_id IS NULL GROUP BY 1),
untold AS (
  SELECT a.document_id, sum(a.amount_minor) AS minor FROM ledger_allocation a JOIN held h ON h.id = a.document_id AND h.ours <> h.theirs
   WHERE a.organisation_id = %(org)s AND a.retracted_at IS NULL
     AND NOT EXISTS (SELECT 1 FROM ledger_stated s WHERE s.organisation_id = %(org)s AND s.connection_id = %(conn)s AND s.allocation_id = a.id
                        AND s.retracted_at IS NULL)
   GROUP BY 1),
back AS (
  SELECT s.document_id, greatest(0, sum(s.stated - s.applied)) AS minor
    FROM (SELECT h.id AS document_id, p.id AS payment_id, sum(t.amount_minor) AS stated,
                 coalesce((SELECT sum(a.amount_minor) FROM ledger_allocation a WHERE a.organisation_id = %(org)s AND a.document_id = h.id
                              AND a.payment_id = p.id AND a.retracted_at IS NULL), 0) AS applied
            FROM held h
            JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.kind = 'invoice' AND r.target_id = h.id AND r.retracted_at IS NULL
            JOIN ledger_stated t ON t.organisation_id = %(org)s AND t.connection_id = r.connection_id AND t.document_external_id = r.external_id
                 AND t.kind = 'cash' AND t.retracted_at IS NULL
            JOIN ledger_sourcerecord q ON q.organisation_id = %(org)s AND q.connection_id = t.connection_id AND q.kind = 'payment'
                 AND q.external_id = t.source_external_id AND q.retracted_at IS NULL
            JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.id = q.target_id AND p.refunded_minor > 0
           WHERE h.kind = 'invoice' AND h.ours <> h.theirs
             AND p.connection_id = r.connection_id GROUP BY 1, 2) s
   GROUP BY 1),
moving AS (
  SELECT customer_id, currency, sum(amount_minor) AS minor FROM ledger_payment
   WHERE organisation_id = %(org)s AND connection_id = %(conn)s AND status IN ('pending', 'processing') AND customer_id IS NOT NULL GROUP BY 1, 2)
SELECT h.id, h.kind, h.number, h.customer_id, c.name, h.currency, h.issue_date, h.status, h.source_status, h.external_id, h.gone_at IS NOT NULL,
       h.unheard, h.ours, h.theirs, w.minor, u.minor, m.minor, b.minor, CASE WHEN h.born_here OR h.gone_at IS NOT NULL THEN 0 ELSE h.edited END
  FROM held h JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = h.customer_id
  LEFT JOIN waiting w ON w.document_external_id = h.external_id
  LEFT JOIN untold u ON u.document_id = h.id
  LEFT JOIN back b ON b.document_id = h.id
  LEFT JOIN moving m ON m.customer_id = h.customer_id AND m.currency = h.currency
 ORDER BY h.id"""

#: A source's own word for a document that it counts as settled, whatever it shows of what settled it.
_SETTLED = frozenset({"paid", "uncollectible"})


def of(*, connection: Connection, today: dt.date, customer_id: int | None = None) -> TieOut:
    """Compare now, without keeping it."""
    given = {"org": walls.current(), "conn": connection.pk, "customer": customer_id}
    with database.cursor() as cursor:
        cursor.execute(_PAIRS, given)
        rows = cursor.fetchall()
    documents, names, pairs = {}, {}, []
    for row in rows:
        pk, kind, number, customer, name, currency, issued, _, source_status, external_id, gone, unheard, ours, theirs = row[:14]
        waits, untold, moves, back, edited = row[14:]
        sign = -1 if kind == "credit_note" else 1
        evidence: dict[tieout.Cause, int | None] = {}
        if gone:
            evidence["missed_delete"] = None
        if untold:
            evidence["timing"] = -sign * int(untold)
        if edited:
            evidence["edited"] = sign * int(edited)
        if back:
            evidence["given_back"] = sign * int(back)
        if unheard:
            evidence["timing"] = None
        settled_there = theirs == 0 and (kind == "credit_note" or source_status in _SETTLED)
        if waits or settled_there:
            evidence["unlinked"] = None if settled_there else sign * int(waits)
        elif issued is not None and issued > today:
            evidence["future_dated"] = None
        if moves:
            evidence["in_transit"] = sign * int(moves)
        key = str(pk)
        documents[key] = Document(pk, kind, number, external_id, source_status)
        names[str(customer)] = name
        pairs.append(Pair(id=key, customer=str(customer), currency=currency, ours=sign * int(ours), theirs=sign * int(theirs), evidence=evidence))
    lines = tieout.tie_out(pairs)
    return TieOut(
        connection_id=connection.pk, name=connection.name, lines=lines, names=names, documents=documents, causes=tieout.by_cause(lines)
    )


def run(*, connection: Connection, today: dt.date, now: dt.datetime) -> TieOut:
    """Compare now and keep the outcome in the history of runs."""
    told = of(connection=connection, today=today)
    TieOutRun.objects.create(
        connection=connection, at=now, documents=len(told.documents), differing=told.differing, causes=told.causes, unexplained=told.unexplained
    )
    return told


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """One earlier comparison."""

    at: dt.datetime
    documents: int
    differing: int
    unexplained: dict[str, int]


def history(*, connection_id: int, limit: int = 30) -> list[Ran]:
    """Earlier comparisons, the newest first."""
    rows: Any = TieOutRun.objects.filter(connection_id=connection_id).order_by("-at", "-id")[:limit]
    return [Ran(at=r.at, documents=r.documents, differing=r.differing, unexplained=r.unexplained) for r in rows]
