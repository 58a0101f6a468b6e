"""What each system has yet to hear, by the map: asked of the ledger as it stands, set-wise, as often as one likes; each effect once.

A line of the map goes to systems that are live. What belongs somewhere follows what it refers to: the customer before its invoice,
the invoice before its payment.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from django.db import connection

from tieout.core.documents import GIVEN_BACK
from tieout.stages.base import walls
from tieout.stages.writeback import crm, edits
from tieout.stages.writeback.models import Outgoing, Route

_LIVE = """route AS MATERIALIZED (
  SELECT t.id, t.origin_id, t.target_id, t.what, t.since
    FROM writeback_route t JOIN intake_connection c ON c.organisation_id = %(org)s AND c.id = t.target_id AND c.stage = 'live' AND c.paused_at IS NULL
   WHERE t.organisation_id = %(org)s AND t.enabled)"""


def _there(kind: str, target: str, subject: str) -> str:
    return f"""EXISTS (SELECT 1 FROM ledger_sourcerecord x WHERE x.organisation_id = %(org)s AND x.connection_id = {target} AND x.kind = '{kind}'
        AND x.target_id = {subject} AND x.retracted_at IS NULL AND x.gone_at IS NULL)"""


def _asked(act: str, kind: str, target: str, subject: str) -> str:
    return f"""EXISTS (SELECT 1 FROM writeback_outgoing o WHERE o.organisation_id = %(org)s AND o.connection_id = {target} AND o.kind = '{act}'
        AND o.subject_kind = '{kind}' AND o.subject_id = {subject})"""


#: Documents of a line that the other system does not have: (target, customer, document, kind).
_DOCUMENTS = f"""
WITH {_LIVE},
missing AS (
  SELECT t.target_id, d.customer_id, d.id, d.kind, d.number
    FROM route t JOIN ledger_document d ON d.organisation_id = %(org)s AND d.connection_id = t.origin_id AND d.kind = t.what
   WHERE d.status = 'open' AND d.amount_minor > 0 AND coalesce(d.issue_date, (d.created_at AT TIME ZONE 'UTC')::date) >= t.since
     AND (%(customers)s::bigint[] IS NULL OR d.customer_id = ANY(%(customers)s))
     AND NOT {_there("invoice", "t.target_id", "d.id").replace("'invoice'", "d.kind")}
     -- The paper of a refund goes over as the refund, not once more beside it.
     AND NOT (d.kind = 'credit_note' AND d.source_status = '{GIVEN_BACK}'
              AND EXISTS (SELECT 1 FROM route f WHERE f.what = 'refund' AND f.origin_id = t.origin_id AND f.target_id = t.target_id)))
"""
_CUSTOMERS = _DOCUMENTS + f"""
SELECT DISTINCT m.target_id, m.customer_id, c.name FROM missing m
  JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = m.customer_id
  JOIN route t ON t.target_id = m.target_id AND t.what = 'customer'
 WHERE NOT {_there("customer", "m.target_id", "m.customer_id")} AND NOT {_asked("customer", "customer", "m.target_id", "m.customer_id")}"""
_INVOICES = _DOCUMENTS + f"""
SELECT m.target_id, m.id, m.number, {edits.STATE} FROM missing m JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = m.id
 WHERE m.kind = 'invoice' AND {_there("customer", "m.target_id", "m.customer_id")} AND NOT {_asked("invoice", "invoice", "m.target_id", "m.id")}"""
_CREDIT_NOTES = _DOCUMENTS + f"""
SELECT m.target_id, m.id, m.number FROM missing m
 WHERE m.kind = 'credit_note' AND {_there("customer", "m.target_id", "m.customer_id")}
   AND NOT {_asked("credit_note", "credit_note", "m.target_id", "m.id")}"""

#: Money applied to documents the other system has, and which it was not born in nor told of: whole, once all of it is there.
_PAYMENTS = f"""
WITH {_LIVE}
SELECT t.target_id, p.id, coalesce(nullif(p.reference, ''), p.external_id)
  FROM route t JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.connection_id = t.origin_id AND t.what = 'payment'
 WHERE p.status IN ('succeeded', 'settled') AND p.allocated_minor > 0 AND coalesce(p.date, (p.created_at AT TIME ZONE 'UTC')::date) >= t.since
   AND (%(customers)s::bigint[] IS NULL OR p.customer_id = ANY(%(customers)s))
   AND NOT {_there("payment", "t.target_id", "p.id")} AND NOT {_asked("payment", "payment", "t.target_id", "p.id")}
   AND NOT EXISTS (SELECT 1 FROM ledger_allocation a WHERE a.organisation_id = %(org)s AND a.payment_id = p.id AND a.retracted_at IS NULL
                      AND NOT {_there("invoice", "t.target_id", "a.document_id")})"""

#: Credits applied to documents the other system has: a credit note applied there as here.
_CREDITS = f"""
WITH {_LIVE}
SELECT t.target_id, a.id, d.number
  FROM route t
  JOIN ledger_document c ON c.organisation_id = %(org)s AND c.connection_id = t.origin_id AND t.what = 'credit_note' AND c.kind = 'credit_note'
  JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.credit_note_id = c.id AND a.retracted_at IS NULL
  JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = a.document_id
 WHERE (%(customers)s::bigint[] IS NULL OR c.customer_id = ANY(%(customers)s))
   AND {_there("credit_note", "t.target_id", "c.id")} AND {_there("invoice", "t.target_id", "a.document_id")}
   AND NOT EXISTS (SELECT 1 FROM ledger_stated s WHERE s.organisation_id = %(org)s AND s.connection_id = t.target_id AND s.allocation_id = a.id
                      AND s.retracted_at IS NULL)
   AND NOT {_asked("apply_credit", "allocation", "t.target_id", "a.id")}"""

_VOIDS = f"""
WITH {_LIVE}
SELECT t.target_id, d.id, d.number
  FROM route t JOIN ledger_document d ON d.organisation_id = %(org)s AND d.connection_id = t.origin_id AND t.what = 'void' AND d.kind = 'invoice'
  JOIN ledger_sourcerecord x ON x.organisation_id = %(org)s AND x.connection_id = t.target_id AND x.kind = 'invoice' AND x.target_id = d.id
       AND x.retracted_at IS NULL AND x.gone_at IS NULL AND x.reported_status NOT IN ('void', 'deleted')
 WHERE d.status IN ('void', 'deleted') AND (%(customers)s::bigint[] IS NULL OR d.customer_id = ANY(%(customers)s))
   AND NOT {_asked("void", "invoice", "t.target_id", "d.id")}"""

#: Money given back on payments the other system has; what a lost dispute takes changes the payment itself.
_REFUNDS = f"""
WITH {_LIVE}
SELECT t.target_id, f.id, s.external_id
  FROM route t JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.connection_id = t.origin_id AND t.what = 'refund'
  JOIN ledger_refund f ON f.organisation_id = %(org)s AND f.payment_id = p.id AND f.retracted_at IS NULL AND f.stated_id IS NOT NULL
  JOIN ledger_statedrefund s ON s.organisation_id = %(org)s AND s.id = f.stated_id
 WHERE f.date >= t.since AND (%(customers)s::bigint[] IS NULL OR p.customer_id = ANY(%(customers)s))
   AND {_there("payment", "t.target_id", "p.id")} AND NOT {_there("refund", "t.target_id", "f.id")}
   AND NOT {_asked("refund", "refund", "t.target_id", "f.id")}"""

#: Payments the other system has, of which a dispute has taken a part: once for each dispute that is lost.
_TAKEN = f"""
WITH {_LIVE}
SELECT t.target_id, f.id, s.external_id
  FROM route t JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.connection_id = t.origin_id AND t.what = 'payment'
  JOIN ledger_refund f ON f.organisation_id = %(org)s AND f.payment_id = p.id AND f.retracted_at IS NULL AND f.disputed_id IS NOT NULL
  JOIN ledger_stateddispute s ON s.organisation_id = %(org)s AND s.id = f.disputed_id
 WHERE (%(customers)s::bigint[] IS NULL OR p.customer_id = ANY(%(customers)s)) AND {_there("payment", "t.target_id", "p.id")}
   AND NOT {_asked("change_payment", "refund", "t.target_id", "f.id")}"""

#: Payouts that arrived, whole and adding up; and those told that have come back since.
_PAYOUTS = f"""
WITH {_LIVE}
SELECT t.target_id, p.id, p.external_id
  FROM route t JOIN ledger_payout p ON p.organisation_id = %(org)s AND p.connection_id = t.origin_id AND t.what = 'payout'
 WHERE p.status = 'paid' AND p.reverses = '' AND p.problem = '' AND p.items > 0 AND p.date >= t.since
   AND NOT {_there("payout", "t.target_id", "p.id")} AND NOT {_asked("payout", "payout", "t.target_id", "p.id")}"""
_CANCELLED = f"""
WITH {_LIVE}
SELECT t.target_id, p.id, p.external_id
  FROM route t JOIN ledger_payout p ON p.organisation_id = %(org)s AND p.connection_id = t.origin_id AND t.what = 'payout'
 WHERE p.status IN ('failed', 'cancelled', 'reversed') AND {_there("payout", "t.target_id", "p.id")}
   AND NOT {_asked("cancel_payout", "payout", "t.target_id", "p.id")}"""

_ASK = (
    ("customer", "customer", _CUSTOMERS), ("invoice", "invoice", _INVOICES), ("credit_note", "credit_note", _CREDIT_NOTES),
    ("payment", "payment", _PAYMENTS), ("apply_credit", "allocation", _CREDITS), ("void", "invoice", _VOIDS),
    ("refund", "refund", _REFUNDS), ("change_payment", "refund", _TAKEN), ("payout", "payout", _PAYOUTS), ("cancel_payout", "payout", _CANCELLED),
)  # fmt: skip

#: What a customer owes, for a CRM: per customer with a record there, in the currency most of it is in.
_STATUS = f"""
WITH {_LIVE},
owed AS (
  SELECT d.customer_id, d.currency, sum(d.open_minor) AS balance, coalesce(sum(d.open_minor) FILTER (WHERE d.due_date < %(today)s), 0) AS overdue,
         min(d.due_date) FILTER (WHERE d.open_minor > 0) AS oldest,
         row_number() OVER (PARTITION BY d.customer_id ORDER BY sum(d.open_minor) DESC, d.currency) AS place
    FROM ledger_document d
   WHERE d.organisation_id = %(org)s AND d.kind = 'invoice' AND (%(customers)s::bigint[] IS NULL OR d.customer_id = ANY(%(customers)s))
   GROUP BY 1, 2)
SELECT t.target_id, x.target_id, x.external_id, o.currency, o.balance, o.overdue, o.oldest
  FROM route t
  JOIN ledger_sourcerecord x ON x.organisation_id = %(org)s AND x.connection_id = t.target_id AND x.kind = 'customer' AND x.retracted_at IS NULL
       AND x.gone_at IS NULL
  JOIN owed o ON o.customer_id = x.target_id AND o.place = 1
 WHERE t.what = 'status' ORDER BY t.target_id, x.target_id"""


def run(*, customer_ids: list[int] | None, today: dt.date, now: dt.datetime) -> int:
    """Ask for everything that is missing somewhere, about these customers (None: all); returns how much was new."""
    if not Route.objects.filter(enabled=True).exists():
        return 0
    given: dict[str, Any] = {"org": walls.current(), "customers": customer_ids, "today": today}
    rows: list[Outgoing] = []
    with connection.cursor() as cursor:
        for act, kind, query in _ASK:
            cursor.execute(query, given)
            rows += [_row(target, act, kind, subject, str(label), now, *state) for target, subject, label, *state in cursor.fetchall()]
        rows += edits.ask(cursor, given, _LIVE, now)
        rows += crm.ask(cursor, given, _LIVE, now)
        cursor.execute(_STATUS, given)
        rows += _statuses(cursor.fetchall(), now)
    Outgoing.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    return len(rows)


def _row(target: int, act: str, kind: str, subject: int, label: str, now: dt.datetime, state: str = "") -> Outgoing:
    return Outgoing(
        kind=act, natural_key=f"{target}:{act}:{kind}:{subject}:1", connection_id=target, subject_kind=kind, subject_id=subject,
        body={"label": label, **({"state": state} if state else {})}, written_at=now, not_before=now,
    )  # fmt: skip


def _statuses(found: list[tuple[Any, ...]], now: dt.datetime) -> list[Outgoing]:
    """A customer's receivables are told where they differ from what was told last; one waiting word at a time."""
    if not found:
        return []
    told: dict[tuple[int, int], list[Outgoing]] = {}
    earlier = Outgoing.objects.filter(kind="status", connection_id__in={row[0] for row in found}, subject_id__in={row[1] for row in found})
    for one in earlier.order_by("id"):
        told.setdefault((one.connection_id, one.subject_id), []).append(one)
    rows = []
    for target, customer, external_id, currency, balance, overdue, oldest in found:
        body = {
            "company": external_id, "currency": currency, "balance_minor": int(balance), "overdue_minor": int(overdue),
            "oldest_due": oldest.isoformat() if oldest else None,
        }  # fmt: skip
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
        before = told.get((target, customer), [])
        if before and before[-1].body.get("digest") == digest:
            continue
        waiting = next((one for one in before if one.state == "waiting"), None)
        if waiting is not None:
            waiting.body = {**body, "digest": digest}
            waiting.save(update_fields=["body"])
            continue
        rows.append(Outgoing(
            kind="status", natural_key=f"{target}:status:customer:{customer}:{len(before) + 1}", connection_id=target, subject_kind="customer",
            subject_id=customer, body={**body, "digest": digest}, written_at=now, not_before=now,
        ))  # fmt: skip
    return rows
