"""Make of what connected systems state as applied, and as given back, what fits: set-wise, in any order of arrival, as often as asked.

A source's word outranks the machine's and yields to a person's. What cannot be applied yet (the payment or the document has not
been seen, a person decided otherwise, there is not so much left) waits with its problem in words, and is tried again each time.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection

from tieout.core.evidence import Actor
from tieout.stages.base import crash, walls
from tieout.stages.cash import account, entry, money_back
from tieout.stages.ledger.models import Allocation

_SOURCE = Actor("source", "the source")
#: Rows from which on every join is a hash join; see `apply_stated`.
MANY = 500
RULE = "stated"

_ANY = """SELECT EXISTS (SELECT 1 FROM ledger_stated WHERE organisation_id = %(org)s),
                 EXISTS (SELECT 1 FROM ledger_statedrefund WHERE organisation_id = %(org)s),
                 EXISTS (SELECT 1 FROM ledger_stateddispute WHERE organisation_id = %(org)s)"""

#: Allocations whose sources have all taken their word back. What a person set stays.
_DROPPED = """
SELECT DISTINCT a.id FROM ledger_stated t JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.id = t.allocation_id
 WHERE t.organisation_id = %(org)s AND t.retracted_at IS NOT NULL AND a.retracted_at IS NULL AND a.rank < 3
   AND NOT EXISTS (SELECT 1 FROM ledger_stated o WHERE o.organisation_id = %(org)s AND o.allocation_id = a.id AND o.retracted_at IS NULL)"""

_LOOSEN = """
UPDATE ledger_stated t SET allocation_id = NULL FROM ledger_allocation a
 WHERE t.organisation_id = %(org)s AND t.retracted_at IS NULL AND a.organisation_id = %(org)s AND a.id = t.allocation_id
   AND a.retracted_at IS NOT NULL AND coalesce((a.evidence -> 'undone' ->> 'rank')::int, 0) < 3"""

_RESOLVED = """
WITH resolved AS MATERIALIZED (
  SELECT t.id AS stated_id, t.kind, t.currency, t.amount_minor, t.connection_id, t.application_external_id, t.date AS stated_date,
         d.target_id AS document_id, p.target_id AS payment_id, c.target_id AS credit_note_id
    FROM ledger_stated t
    LEFT JOIN ledger_sourcerecord d ON d.organisation_id = %(org)s AND d.connection_id = t.connection_id AND d.kind = 'invoice'
         AND d.external_id = t.document_external_id AND d.retracted_at IS NULL
    LEFT JOIN ledger_sourcerecord p ON p.organisation_id = %(org)s AND p.connection_id = t.connection_id AND p.kind = 'payment'
         AND p.external_id = t.source_external_id AND p.retracted_at IS NULL AND t.kind = 'cash'
    LEFT JOIN ledger_sourcerecord c ON c.organisation_id = %(org)s AND c.connection_id = t.connection_id AND c.kind = 'credit_note'
         AND c.external_id = t.source_external_id AND c.retracted_at IS NULL AND t.kind = 'credit'
   WHERE t.organisation_id = %(org)s AND t.retracted_at IS NULL AND t.allocation_id IS NULL)"""

#: The same pair for the same amount stands already, by another system's word or a person's: this is it.
_ADOPT = _RESOLVED + """
UPDATE ledger_stated t SET allocation_id = a.id, problem = ''
  FROM resolved r JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.document_id = r.document_id AND a.retracted_at IS NULL
       AND a.kind = r.kind AND a.amount_minor = r.amount_minor AND a.currency = r.currency
       AND (a.payment_id = r.payment_id OR a.credit_note_id = r.credit_note_id)
 WHERE t.organisation_id = %(org)s AND t.id = r.stated_id
   AND NOT EXISTS (SELECT 1 FROM ledger_stated o WHERE o.organisation_id = %(org)s AND o.allocation_id = a.id AND o.retracted_at IS NULL
                      AND o.connection_id = r.connection_id)"""

#: The machine's own guesses about the same money or the same document step aside.
_GUESSED = _RESOLVED + """
SELECT DISTINCT a.id FROM resolved r JOIN ledger_allocation a ON a.organisation_id = %(org)s AND a.retracted_at IS NULL AND a.rank = 1
   AND (a.payment_id = r.payment_id OR a.credit_note_id = r.credit_note_id OR a.document_id = r.document_id)
 WHERE r.document_id IS NOT NULL AND coalesce(r.payment_id, r.credit_note_id) IS NOT NULL"""

_FITTING = _RESOLVED + """
, here AS MATERIALIZED (
  SELECT r.*, d.customer_id, d.number, p.customer_id AS payer_id,
         coalesce(r.stated_date, p.date, c.issue_date, (%(now)s AT TIME ZONE 'UTC')::date) AS date,
         d.amount_minor - d.allocated_minor - d.written_off_minor AS open_left,
         coalesce(p.amount_minor - p.allocated_minor - p.refunded_minor, c.amount_minor - c.allocated_minor - c.written_off_minor) AS money_left,
         coalesce(p.refunded_minor, 0) AS given_back
    FROM resolved r
    JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = r.document_id AND d.kind = 'invoice' AND d.status IN ('open', 'unknown')
         AND d.currency = r.currency
    LEFT JOIN ledger_payment p ON p.organisation_id = %(org)s AND p.id = r.payment_id AND p.status IN ('succeeded', 'settled')
         AND p.currency = r.currency
    LEFT JOIN ledger_document c ON c.organisation_id = %(org)s AND c.id = r.credit_note_id AND c.status IN ('open', 'unknown')
         AND c.currency = r.currency
   WHERE (p.id IS NOT NULL OR c.id IS NOT NULL)
     AND NOT EXISTS (SELECT 1 FROM ledger_allocation a WHERE a.organisation_id = %(org)s AND a.retracted_at IS NOT NULL
                        AND a.document_id = r.document_id AND (a.payment_id = r.payment_id OR a.credit_note_id = r.credit_note_id)
                        AND (a.evidence -> 'undone' ->> 'rank')::int >= 3)),
fitting AS MATERIALIZED (
  SELECT h.*, sum(amount_minor) OVER (PARTITION BY document_id ORDER BY stated_id) AS on_document,
         sum(amount_minor) OVER (PARTITION BY kind, coalesce(payment_id, credit_note_id) ORDER BY stated_id) AS of_money
    FROM here h)
"""
_WHOLE = "f.on_document <= f.open_left AND f.of_money <= f.money_left"
_ACCOUNTS = _FITTING + "SELECT DISTINCT unnest(ARRAY[customer_id, payer_id]) FROM fitting f"

_APPLY = _FITTING + f"""
, numbered AS MATERIALIZED (
  SELECT nextval('ledger_allocation_id_seq') AS id, f.* FROM fitting f WHERE {_WHOLE}),
made AS (
  INSERT INTO ledger_allocation (id, organisation_id, kind, payment_id, credit_note_id, document_id, currency, amount_minor, date, recorded_at,
         retracted_reason, rank, actor_kind, actor_name, rule, reason, evidence)
  SELECT n.id, %(org)s, n.kind, n.payment_id, n.credit_note_id, n.document_id, n.currency, n.amount_minor, n.date, %(now)s, '', 2, 'source', c.name,
         '{RULE}', c.name || ' says that this is applied to ' || n.number, jsonb_build_object('application', n.application_external_id)
    FROM numbered n JOIN intake_connection c ON c.organisation_id = %(org)s AND c.id = n.connection_id
  RETURNING id, kind, payment_id, credit_note_id, document_id, amount_minor, currency, reason)
SELECT m.*, n.stated_id FROM made m JOIN numbered n USING (id) ORDER BY m.id"""

#: Where a part of the money was given back, or the document has less left, as much as there is.
_CAPPED = _FITTING + """
SELECT kind, payment_id, credit_note_id, document_id, currency, least(open_left, money_left) AS minor, date, connection_id, application_external_id,
       number, stated_id
  FROM fitting WHERE given_back > 0 AND least(open_left, money_left) > 0 AND least(open_left, money_left) < amount_minor ORDER BY stated_id LIMIT 1"""

_TIE = """
UPDATE ledger_stated t SET allocation_id = x.allocation, problem = x.problem
  FROM unnest(%(stated)s::bigint[], %(allocations)s::bigint[], %(problems)s::text[]) AS x(stated, allocation, problem)
 WHERE t.organisation_id = %(org)s AND t.id = x.stated"""

_PROBLEMS = _RESOLVED + """
UPDATE ledger_stated t SET problem = x.problem
  FROM (SELECT r.stated_id, CASE
          WHEN r.document_id IS NULL THEN 'the document is not known here yet'
          WHEN coalesce(r.payment_id, r.credit_note_id) IS NULL THEN 'the ' || CASE r.kind WHEN 'cash' THEN 'payment' ELSE 'credit note' END
               || ' is not known here yet'
          WHEN d.currency <> r.currency THEN 'the document is in ' || d.currency || ', this in ' || r.currency
          WHEN d.status NOT IN ('open', 'unknown') THEN 'the document is ' || d.status
          ELSE 'more than is left of the document or of the money, or a person has decided otherwise' END AS problem
          FROM resolved r LEFT JOIN ledger_document d ON d.organisation_id = %(org)s AND d.id = r.document_id) x
 WHERE t.organisation_id = %(org)s AND t.id = x.stated_id AND t.problem <> x.problem"""


def run(*, now: dt.datetime) -> list[entry.Entry]:
    """Bring allocations and refunds in line with what the sources say now; returns what was applied or taken back."""
    given: dict[str, Any] = {"org": walls.current(), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_ANY, given)
        if not any(cursor.fetchone()):
            return []
        many = _waiting(cursor, given) > MANY
        if many:
            cursor.execute("SET LOCAL enable_nestloop = off")
        undone = _retracted(_ids(cursor, _DROPPED, given), "its source has taken this back", now)
        undone += money_back.run(cursor, given, now)
        cursor.execute(_LOOSEN, given)
        cursor.execute(_ADOPT, given)
        undone += _retracted(_ids(cursor, _GUESSED, given), "its source states otherwise", now)
        applied = _applied(cursor, given)
        money_back.believed(cursor, given, now)
        cursor.execute(_PROBLEMS, given)
        if many:
            cursor.execute("SET LOCAL enable_nestloop = on")
    if applied:
        crash.point("cash.after_allocation")
    entry.tell("cash.undo", undone, actor=_SOURCE, now=now, reason="the source has taken it back")
    entry.tell("cash.apply_stated", applied, actor=_SOURCE, now=now, reason="the source states what each payment is for")
    return [*undone, *applied]


def _waiting(cursor: Any, given: dict[str, Any]) -> int:
    cursor.execute("SELECT count(*) FROM ledger_stated WHERE organisation_id = %(org)s AND retracted_at IS NULL AND allocation_id IS NULL", given)
    return int(cursor.fetchone()[0])


def _ids(cursor: Any, query: str, given: dict[str, Any]) -> list[int]:
    cursor.execute(query, given)
    return [row[0] for row in cursor.fetchall()]


def _retracted(ids: list[int], reason: str, now: dt.datetime) -> list[entry.Entry]:
    if not ids:
        return []
    rows = list(Allocation.objects.filter(pk__in=ids).order_by("id"))
    account.lock(entry.customers([entry.Entry.of(row) for row in rows]))
    return entry.retract(rows, reason=reason, actor=_SOURCE, now=now)


def _applied(cursor: Any, given: dict[str, Any]) -> list[entry.Entry]:
    cursor.execute(_ACCOUNTS, given)
    account.lock(row[0] for row in cursor.fetchall())
    # Asked again under the locks: what somebody else applied in between no longer fits. Twice, since what fits beside others is judged
    # carefully, in one order: what the first round leaves may fit after it.
    entries = _fitted(cursor, given)
    while True:
        cursor.execute(_CAPPED, given)
        row = cursor.fetchone()
        if row is None:
            # What the cut ones leave: the credit note that took the place of the money that went back.
            return entries + _fitted(cursor, given)
        kind, payment, credit, document, currency, minor, date, _, application, number, stated = row
        written = entry.write([Allocation(
            kind=kind, payment_id=payment, credit_note_id=credit, document_id=document, currency=currency, amount_minor=minor, date=date,
            recorded_at=given["now"], rank=2, actor_kind="source", actor_name=_SOURCE.name, rule=RULE, evidence={"application": application},
            reason=f"what is left of the money the source applied to {number}; the rest was given back",
        )])  # fmt: skip
        if not isinstance(written, list):
            return entries
        entries += written
        _tie(cursor, given, [stated], [written[0].allocation_id], "a part of the money was given back")


def _fitted(cursor: Any, given: dict[str, Any]) -> list[entry.Entry]:
    entries: list[entry.Entry] = []
    for _ in range(2):
        cursor.execute(_APPLY, given)
        rows = cursor.fetchall()
        if not rows:
            break
        entries += [entry.Entry(*row[:8]) for row in rows]
        _tie(cursor, given, [row[8] for row in rows], [row[0] for row in rows])
    return entries


def _tie(cursor: Any, given: dict[str, Any], stated: list[int], allocations: list[int], problem: str = "") -> None:
    cursor.execute(_TIE, {**given, "stated": stated, "allocations": allocations, "problems": [problem] * len(stated)})
