"""Customers were parted: what the machine had applied across them stood on their being one, and is taken back. What still fits without
that is applied again by the matching; what people applied stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection

from tieout.core.evidence import Actor
from tieout.stages.base import walls
from tieout.stages.cash import account, entry
from tieout.stages.ledger.models import Allocation

_MACHINE = Actor("machine", "tieout")
_WHY = "the two customers were parted"

_ACROSS = """
SELECT a.id FROM ledger_allocation a
  JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = a.document_id AND d.customer_id = ANY(%(ids)s)
  LEFT JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.id = a.payment_id
  LEFT JOIN ledger_document c ON c.organisation_id = %(org)s AND c.id = a.credit_note_id
 WHERE a.organisation_id = %(org)s AND a.retracted_at IS NULL AND a.rank = 1
   AND coalesce(p.customer_id, c.customer_id) = ANY(%(ids)s) AND coalesce(p.customer_id, c.customer_id) <> d.customer_id
 ORDER BY a.id"""


def across(*, customer_ids: Iterable[int], now: dt.datetime) -> list[entry.Entry]:
    """Take back what the machine applied between these customers. Returns what was taken back."""
    ids = sorted(set(customer_ids))
    with connection.cursor() as cursor:
        cursor.execute(_ACROSS, {"org": walls.current(), "ids": ids})
        found = [row[0] for row in cursor.fetchall()]
    if not found:
        return []
    account.lock(ids)
    rows = list(Allocation.objects.filter(pk__in=found, retracted_at__isnull=True).order_by("id"))
    told = entry.retract(rows, reason=_WHY, actor=_MACHINE, now=now)
    entry.tell("cash.undo", told, actor=_MACHINE, now=now, reason=_WHY)
    return told


def stated_of(*, connection_id: int, document_external_id: str, now: dt.datetime) -> list[int]:
    """Two documents are parted: what a source says is applied to its own is taken back from the other. Returns the allocations."""
    given = {"org": walls.current(), "conn": connection_id, "key": document_external_id, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_STATED, given)
        return [row[0] for row in cursor.fetchall()]


_STATED = """
WITH giving AS MATERIALIZED (
  SELECT t.id AS stated_id, a.id FROM ledger_stated t JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.id = t.allocation_id
   WHERE t.organisation_id = %(org)s AND t.connection_id = %(conn)s AND t.document_external_id = %(key)s AND t.retracted_at IS NULL
     AND a.retracted_at IS NULL AND a.rank < 3),
loose AS (UPDATE ledger_stated t SET allocation_id = NULL FROM giving g WHERE t.organisation_id = %(org)s AND t.id = g.stated_id)
UPDATE ledger_allocation a SET retracted_at = %(now)s, retracted_reason = 'the two documents were parted'
  FROM giving g WHERE a.organisation_id = %(org)s AND a.id = g.id RETURNING a.id"""
