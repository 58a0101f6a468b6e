"""The same thing twice in one source: an invoice or a payment made again by a retry. Found and shown, never merged: what is twice there
has to be put right there.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.db import connection

from tieout.core.evidence import Actor
from tieout.stages.base import audit, walls
from tieout.stages.ledger.models import LinkProposal

#: So many are shown; the first ones are mended before one looks for more.
MOST = 100


class Twice(msgspec.Struct, frozen=True, kw_only=True):
    """Two rows of one source that look like one. `why` says what they have in common."""

    kind: str
    first_id: int
    second_id: int
    first: str
    second: str
    first_key: str
    second_key: str
    customer_id: int | None
    customer: str
    connection_id: int
    connection: str
    date: dt.date | None
    currency: str
    amount_minor: int
    why: str


def find() -> list[Twice]:
    """What stands twice and nobody said is two, the largest amounts first."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"org": walls.current(), "most": MOST})
        names = [column[0] for column in cursor.description]
        return [Twice(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def dismiss(*, kind: str, first_id: int, second_id: int, actor: Actor, now: dt.datetime) -> bool:
    """Somebody looked: the two are two. False where they are not among what was found."""
    if not any((t.kind, t.first_id, t.second_id) == (kind, first_id, second_id) for t in find()):
        return False
    LinkProposal.objects.update_or_create(
        kind=kind, first_id=first_id, second_id=second_id,
        defaults={"state": "refused", "rank": actor.rank, "decided_by": actor.name[:300], "decided_at": now, "found_at": now},
    )  # fmt: skip
    audit.write(
        actor=actor, action="duplicate.dismiss", object_kind=kind, object_id=first_id, now=now, reason="they are two", detail={"other": second_id}
    )
    return True


def _not_said(kind: str) -> str:
    return f"""NOT EXISTS (SELECT 1 FROM ledger_linkproposal p WHERE p.organisation_id = %(org)s AND p.kind = {kind} AND p.first_id = a.id
        AND p.second_id = b.id AND p.state = 'refused')"""


# Digits and letters of a number, so that a number typed again with another dash is the same.
_PLAIN = "upper(regexp_replace({}.number, '[^0-9A-Za-z]', '', 'g'))"
_LINES = """(SELECT string_agg(l.description || ' ' || l.amount_minor, '|' ORDER BY l.ordinal) FROM ledger_documentline l
              WHERE l.organisation_id = %(org)s AND l.document_id = {}.id)"""
_FIND: Any = f"""
WITH twice AS (
  SELECT a.kind, a.id AS first_id, b.id AS second_id, a.number AS first, b.number AS second, a.external_id AS first_key, b.external_id AS second_key,
         a.customer_id, a.connection_id, a.issue_date AS date, a.currency, a.amount_minor,
         CASE WHEN {_PLAIN.format("a")} = {_PLAIN.format("b")} THEN 'same customer, number and amount'
              ELSE 'same customer, day, amount and lines' END AS why
    FROM ledger_document a JOIN ledger_document b ON b.organisation_id = %(org)s AND b.connection_id = a.connection_id AND b.kind = a.kind
         AND b.customer_id = a.customer_id AND b.amount_minor = a.amount_minor AND b.currency = a.currency AND b.id > a.id
   WHERE a.organisation_id = %(org)s AND a.status = 'open' AND b.status = 'open' AND a.amount_minor > 0 AND b.open_minor > 0
     AND a.customer_external_id = b.customer_external_id
     AND (({_PLAIN.format("a")} = {_PLAIN.format("b")} AND a.number <> '')
          OR (a.issue_date = b.issue_date AND a.due_date IS NOT DISTINCT FROM b.due_date AND a.po_number = b.po_number
              AND {_LINES.format("a")} = {_LINES.format("b")}))
     AND {_not_said("a.kind")}
  UNION ALL
  SELECT 'payment', a.id, b.id, a.reference, b.reference, a.external_id, b.external_id, a.customer_id, a.connection_id, a.date, a.currency,
         a.amount_minor, 'same payer, day, amount and text'
    FROM ledger_payment a JOIN ledger_payment b ON b.organisation_id = %(org)s AND b.connection_id = a.connection_id AND b.id > a.id
         AND b.amount_minor = a.amount_minor AND b.currency = a.currency AND b.date = a.date
         AND b.customer_id IS NOT DISTINCT FROM a.customer_id
         AND (b.reference, b.remittance, b.payer_name) = (a.reference, a.remittance, a.payer_name)
   WHERE a.organisation_id = %(org)s AND a.status IN ('succeeded', 'settled') AND b.status IN ('succeeded', 'settled')
     AND b.unapplied_minor > 0 AND (a.reference <> '' OR a.remittance <> '')
     AND {_not_said("'payment'")})
SELECT t.*, coalesce(c.name, 'nobody yet') AS customer, k.name AS connection
  FROM twice t LEFT JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = t.customer_id
  JOIN intake_connection k ON k.organisation_id = %(org)s AND k.id = t.connection_id
 ORDER BY t.amount_minor DESC, t.first_id, t.second_id LIMIT %(most)s"""
