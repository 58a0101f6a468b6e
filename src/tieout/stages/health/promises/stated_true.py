"""Part of P1: what a message said was open of each document was open of it when the message was claimed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from tieout.core import position
from tieout.core.money import minor_text
from tieout.stages.health import looking
from tieout.stages.health.before import Claim, Order
from tieout.stages.health.looking import Breach, Looked

#: Items whose balance, by the clocks beside the facts, was another one at the claim; each is then looked at by the order of commits.
_CANDIDATES = """
WITH m AS MATERIALIZED ({left}),
item AS MATERIALIZED (
  SELECT m.id, m.claimed_at, m.seq, m.settled, (i ->> 'document_id')::bigint AS document_id,
         (i ->> 'open_minor')::bigint AS stated, i ->> 'number' AS number
    FROM m CROSS JOIN LATERAL jsonb_array_elements(m.facts -> 'items') AS i),
used AS (
  SELECT i.id, i.document_id, coalesce(sum(a.amount_minor), 0) AS minor
    FROM item i JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.document_id = i.document_id AND a.recorded_at <= i.claimed_at
         AND (a.retracted_at IS NULL OR a.retracted_at > i.claimed_at)
   GROUP BY 1, 2)
SELECT i.id, i.claimed_at, i.seq, i.settled, i.document_id, i.stated, i.number
  FROM item i
  LEFT JOIN used u ON u.id = i.id AND u.document_id = i.document_id
  LEFT JOIN ledger_documentversion v ON v.organisation_id = %(org)s AND v.document_id = i.document_id AND v.recorded_at <= i.claimed_at
       AND (v.superseded_at IS NULL OR v.superseded_at > i.claimed_at)
 WHERE i.stated IS DISTINCT FROM CASE WHEN v.status IN ('open', 'unknown')
         THEN greatest(0, least(v.amount_minor - coalesce(u.minor, 0), v.reported_open_minor)) ELSE 0 END"""

_VERSIONS = """
SELECT document_id, amount_minor, currency, status, reported_open_minor, recorded_at, superseded_at FROM ledger_documentversion
 WHERE organisation_id = %(org)s AND document_id = ANY(%(documents)s) ORDER BY recorded_at, id"""
_APPLIED = """
SELECT document_id, amount_minor, recorded_at, retracted_at FROM ledger_allocation
 WHERE organisation_id = %(org)s AND document_id = ANY(%(documents)s)"""

_DAY = dt.date(9999, 12, 31)


def look(left: str) -> Looked:
    """The items whose stated balance was not the ledger's, by the order of commits."""
    candidates = looking.rows(_CANDIDATES.format(left=left))
    return looking.of(_untrue(candidates)) if candidates else Looked(checked=0)


def _untrue(candidates: list[tuple[Any, ...]]) -> Iterator[Breach]:
    documents = sorted({row[4] for row in candidates})
    versions = looking.rows(_VERSIONS, documents=documents)
    applied = looking.rows(_APPLIED, documents=documents)
    order = Order(moment for rows, first in ((versions, 5), (applied, 2)) for row in rows for moment in row[first:])
    for message, at, seq, settled, document, stated, number in candidates:
        claim = Claim(at, seq, settled)
        known = [v for v in versions if v[0] == document]
        money = [a for a in applied if a[0] == document]
        if not _certain(order, claim, [moment for v in known for moment in v[5:]] + [moment for a in money for moment in a[2:]]):
            continue
        live = [v for v in known if _stood(order, claim, v[5], v[6])]
        used = sum(a[1] for a in money if _stood(order, claim, a[2], a[3]))
        found = _open(live[-1], used, at) if live else None
        if found != stated:
            code = known[-1][2] if known else ""
            was = "was not known" if found is None else f"had {minor_text(found, code)} {code} open"
            yield Breach(f"message {message}", f"says {minor_text(stated, code)} {code} is open of {number}, which {was} at its claim")


def _certain(order: Order, claim: Claim, moments: list[dt.datetime | None]) -> bool:
    """Whether of each fact it is known if it came before the claim: several acts of one moment cannot be told apart."""
    return all(moment is None or order.before(moment, claim) or order.after(moment, claim) for moment in moments)


def _stood(order: Order, claim: Claim, begun: dt.datetime, ended: dt.datetime | None) -> bool:
    return order.before(begun, claim) and (ended is None or order.after(ended, claim))


def _open(version: tuple[Any, ...], used: int, at: dt.datetime) -> int:
    _, amount, currency, status, reported, _, _ = version
    now = position.Version(
        document_id="it", kind="invoice", customer_id=None, currency=currency, amount_minor=amount, status=status, document_date=None, due_date=None,
        recorded_at=at, reported_open_minor=reported,
    )  # fmt: skip
    applied = position.Applied(source_id=None, document_id="it", kind="cash", amount_minor=used, date=_DAY, recorded_at=at)
    found = position.position([now], [applied], day=_DAY, known_at=at)
    return found.open_minor if found else 0
