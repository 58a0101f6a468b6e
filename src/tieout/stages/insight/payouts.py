"""What gateways have paid out and what is still on its way: the list, one payout with its parts, and the money no payout holds yet."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import connection

from tieout.stages.base import walls

#: So many payouts on a page, and so many parts of one.
LIMIT, PARTS = 100, 1_000


class Row(msgspec.Struct, frozen=True):
    """One payout."""

    id: int
    external_id: str
    connection_id: int
    connection_name: str
    status: str
    currency: str
    gross_minor: int
    fee_minor: int
    amount_minor: int
    items: int
    date: dt.date | None
    reference: str
    reverses: str
    problem: str
    recorded_at: dt.datetime


class Part(msgspec.Struct, frozen=True):
    """One part of a payout, with our payment and its payer where it is known."""

    what: str
    external_id: str
    gross_minor: int
    fee_minor: int
    payment_id: int | None
    customer_id: int | None
    customer_name: str


class Transit(msgspec.Struct, frozen=True):
    """Money at a gateway that no payout holds yet."""

    connection_id: int
    connection_name: str
    currency: str
    count: int
    minor: int


class Told(msgspec.Struct, frozen=True):
    """What became of a payout in another system."""

    connection_id: int
    connection_name: str
    act: str
    state: str
    receipt: str


_ROWS = """
SELECT p.id, p.external_id, p.connection_id, c.name, p.status, p.currency, p.gross_minor, p.fee_minor, p.amount_minor, p.items, p.date, p.reference,
       p.reverses, p.problem, p.recorded_at
  FROM ledger_payout p JOIN intake_connection c ON c.organisation_id = p.organisation_id AND c.id = p.connection_id
 WHERE p.organisation_id = %(org)s AND (%(payout)s::bigint IS NULL OR p.id = %(payout)s) AND (%(status)s = '' OR p.status = %(status)s)
 ORDER BY p.date DESC NULLS FIRST, p.id DESC LIMIT %(limit)s"""

_PARTS = """
SELECT i.what, i.external_id, i.gross_minor, i.fee_minor, m.id, u.id, coalesce(u.name, m.payer_name, '')
  FROM ledger_payoutitem i JOIN ledger_payout p ON p.organisation_id = i.organisation_id AND p.id = i.payout_id
  LEFT JOIN LATERAL (
       SELECT CASE i.what WHEN 'payment' THEN i.external_id WHEN 'refund' THEN f.payment_external_id
                          WHEN 'dispute' THEN d.payment_external_id END AS payment
         FROM (SELECT 1) one
         LEFT JOIN ledger_statedrefund f ON f.organisation_id = i.organisation_id AND f.connection_id = p.connection_id
              AND f.external_id = i.external_id
         LEFT JOIN ledger_stateddispute d ON d.organisation_id = i.organisation_id AND d.connection_id = p.connection_id
              AND d.external_id = i.external_id) about ON true
  LEFT JOIN ledger_sourcerecord r ON r.organisation_id = i.organisation_id AND r.connection_id = p.connection_id AND r.kind = 'payment'
       AND r.external_id = about.payment AND r.retracted_at IS NULL
  LEFT JOIN ledger_payment m ON m.organisation_id = i.organisation_id AND m.id = r.target_id
  LEFT JOIN ledger_customer u ON u.organisation_id = i.organisation_id AND u.id = m.customer_id
 WHERE i.organisation_id = %(org)s AND i.payout_id = %(payout)s ORDER BY i.ordinal LIMIT %(limit)s"""

#: Of gateways that pay out: what came in and stands in no payout that is on its way or there. Refunds and disputes lower the next one.
_TRANSIT = """
WITH gateways AS (SELECT DISTINCT connection_id FROM ledger_payout WHERE organisation_id = %(org)s),
held AS (
  SELECT DISTINCT p.connection_id, i.external_id FROM ledger_payoutitem i JOIN ledger_payout p ON p.organisation_id = i.organisation_id
         AND p.id = i.payout_id WHERE i.organisation_id = %(org)s AND i.what = 'payment')
SELECT m.connection_id, c.name, m.currency, count(*), sum(m.amount_minor)::bigint
  FROM ledger_payment m JOIN gateways g ON g.connection_id = m.connection_id
  JOIN intake_connection c ON c.organisation_id = m.organisation_id AND c.id = m.connection_id
 WHERE m.organisation_id = %(org)s AND m.status IN ('succeeded', 'settled')
   AND NOT EXISTS (SELECT 1 FROM held h WHERE h.connection_id = m.connection_id AND h.external_id = m.external_id)
 GROUP BY 1, 2, 3 ORDER BY 2, 3"""

_TOLD = """
SELECT o.connection_id, c.name, o.kind, o.state, o.receipt
  FROM writeback_outgoing o JOIN intake_connection c ON c.organisation_id = o.organisation_id AND c.id = o.connection_id
 WHERE o.organisation_id = %(org)s AND o.subject_kind = 'payout' AND o.subject_id = %(payout)s ORDER BY o.id"""


def rows(*, status: str = "", limit: int = LIMIT) -> list[Row]:
    """Payouts, the newest first."""
    return [Row(*found) for found in _asked(_ROWS, payout=None, status=status, limit=limit)]


def one(*, payout_id: int) -> Row | None:
    """One payout; None where there is none."""
    found = _asked(_ROWS, payout=payout_id, status="", limit=1)
    return Row(*found[0]) if found else None


def parts(*, payout_id: int) -> list[Part]:
    """What is in a payout, in the source's order."""
    return [Part(*found) for found in _asked(_PARTS, payout=payout_id, limit=PARTS)]


def in_transit() -> list[Transit]:
    """Money that gateways hold and have not put into a payout yet, by gateway and currency."""
    return [Transit(*found) for found in _asked(_TRANSIT)]


def told(*, payout_id: int) -> list[Told]:
    """Where a payout was passed on, and what became of it."""
    return [Told(*found) for found in _asked(_TOLD, payout=payout_id)]


def _asked(query: str, **given: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"org": walls.current(), **given})
        found: list[tuple[object, ...]] = cursor.fetchall()
        return found
