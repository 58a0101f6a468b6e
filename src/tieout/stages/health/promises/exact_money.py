"""P11 Exact money: minor units with their currency, no floats, parts that sum to the whole."""

from __future__ import annotations

from collections.abc import Iterator

from tieout.core import money
from tieout.stages.health import looking
from tieout.stages.health.looking import Breach, Given, Looked

CODE, TITLE, OF = "P11", "Exact money", "documents, payments, allocations and payouts"
SENTENCE = "Minor units per ISO 4217, currency always attached, no floats, parts sum to the whole, conversions carry rate and date."

_DOCUMENTS = """
WITH against AS (
  SELECT document_id AS id, sum(amount_minor) FILTER (WHERE kind <> 'write_off') AS applied,
         sum(amount_minor) FILTER (WHERE kind = 'write_off') AS written_off
    FROM ledger_allocation WHERE organisation_id = %(org)s AND retracted_at IS NULL GROUP BY 1),
given AS (
  SELECT credit_note_id AS id, sum(amount_minor) AS applied FROM ledger_allocation
   WHERE organisation_id = %(org)s AND retracted_at IS NULL AND credit_note_id IS NOT NULL GROUP BY 1),
summed AS (
  SELECT d.id, d.kind, d.amount_minor, d.allocated_minor, d.written_off_minor, coalesce(a.applied, 0) + coalesce(g.applied, 0) AS applied,
         coalesce(a.written_off, 0) AS written_off
    FROM ledger_document d LEFT JOIN against a ON a.id = d.id LEFT JOIN given g ON g.id = d.id WHERE d.organisation_id = %(org)s)
SELECT replace(kind, '_', ' ') || ' ' || id,
       CASE WHEN allocated_minor <> applied THEN 'stores ' || allocated_minor || ' as applied, its allocations sum to ' || applied
            WHEN written_off_minor <> written_off THEN 'stores ' || written_off_minor || ' as written off, its write-offs sum to ' || written_off
            ELSE 'has ' || applied + written_off || ' set against an amount of ' || amount_minor END
  FROM summed WHERE allocated_minor <> applied OR written_off_minor <> written_off OR applied + written_off > amount_minor OR amount_minor < 0"""

_PAYMENTS = """
WITH applied AS (
  SELECT payment_id AS id, sum(amount_minor) AS minor FROM ledger_allocation
   WHERE organisation_id = %(org)s AND retracted_at IS NULL AND payment_id IS NOT NULL GROUP BY 1),
refunded AS (
  SELECT payment_id AS id, sum(amount_minor) AS minor FROM ledger_refund WHERE organisation_id = %(org)s AND retracted_at IS NULL GROUP BY 1),
summed AS (
  SELECT p.id, p.status, p.amount_minor, p.allocated_minor, p.refunded_minor, coalesce(a.minor, 0) AS applied, coalesce(r.minor, 0) AS refunded
    FROM ledger_payment p LEFT JOIN applied a ON a.id = p.id LEFT JOIN refunded r ON r.id = p.id WHERE p.organisation_id = %(org)s)
SELECT 'payment ' || id,
       CASE WHEN allocated_minor <> applied THEN 'stores ' || allocated_minor || ' as applied, its allocations sum to ' || applied
            WHEN refunded_minor <> refunded THEN 'stores ' || refunded_minor || ' as given back, its refunds sum to ' || refunded
            WHEN applied + refunded > amount_minor THEN 'has ' || applied + refunded || ' used of ' || amount_minor
            ELSE 'is ' || status || ', and ' || applied || ' of it is still applied' END
  FROM summed
 WHERE allocated_minor <> applied OR refunded_minor <> refunded OR applied + refunded > amount_minor OR amount_minor <= 0
    OR (applied > 0 AND status NOT IN ('succeeded', 'settled'))"""

_CURRENCIES = """
SELECT 'allocation ' || a.id, 'is in ' || a.currency || ', its document in ' || d.currency || coalesce(', its payment in ' || p.currency, '')
       || coalesce(', its credit note in ' || c.currency, '')
  FROM ledger_allocation a
  JOIN ledger_document d ON d.organisation_id = a.organisation_id AND d.id = a.document_id
  LEFT JOIN ledger_payment p ON p.organisation_id = a.organisation_id AND p.id = a.payment_id
  LEFT JOIN ledger_document c ON c.organisation_id = a.organisation_id AND c.id = a.credit_note_id
 WHERE a.organisation_id = %(org)s AND a.retracted_at IS NULL
   AND (a.currency <> d.currency OR a.currency <> coalesce(p.currency, a.currency) OR a.currency <> coalesce(c.currency, a.currency))
UNION ALL
SELECT 'refund ' || r.id, 'is in ' || r.currency || ', its payment in ' || p.currency
  FROM ledger_refund r JOIN ledger_payment p ON p.organisation_id = r.organisation_id AND p.id = r.payment_id
 WHERE r.organisation_id = %(org)s AND r.retracted_at IS NULL AND r.currency <> p.currency"""

_PARTS = """
SELECT 'document ' || d.id, 'its instalments sum to ' || sum(u.amount_minor) || ', not to ' || d.amount_minor
  FROM ledger_duedate u JOIN ledger_document d ON d.organisation_id = u.organisation_id AND d.id = u.document_id
 WHERE u.organisation_id = %(org)s GROUP BY d.id, d.amount_minor HAVING sum(u.amount_minor) <> d.amount_minor"""

#: A payout's sums are those of its items, and its amount what they come to; where the source's own figures do not add up, it says so.
_PAYOUTS = """
WITH summed AS (
  SELECT p.id, p.amount_minor, p.gross_minor, p.fee_minor, p.items, p.problem, count(i.id) AS found,
         coalesce(sum(i.gross_minor) FILTER (WHERE i.what <> 'fee'), 0) AS gross,
         coalesce(sum(i.fee_minor), 0) - coalesce(sum(i.gross_minor) FILTER (WHERE i.what = 'fee'), 0) AS fee
    FROM ledger_payout p LEFT JOIN ledger_payoutitem i ON i.organisation_id = p.organisation_id AND i.payout_id = p.id
   WHERE p.organisation_id = %(org)s GROUP BY p.organisation_id, p.id)
SELECT 'payout ' || id,
       CASE WHEN items <> found THEN 'is of ' || items || ' parts, and ' || found || ' are there'
            WHEN gross_minor <> gross THEN 'stores ' || gross_minor || ' as gross, its parts sum to ' || gross
            WHEN fee_minor <> fee THEN 'stores ' || fee_minor || ' as fees, its parts sum to ' || fee
            WHEN problem = '' THEN 'is of ' || amount_minor || ', its parts come to ' || gross - fee || ', and nothing says so'
            ELSE 'adds up and says: ' || problem END
  FROM summed
 WHERE items <> found OR gross_minor <> gross OR fee_minor <> fee OR (items > 0 AND gross - fee <> amount_minor) <> (problem <> '')"""

#: What the source itself does not add up: told, for whoever asks it.
_NOT_ADDING_UP = "SELECT count(*) FROM ledger_payout WHERE organisation_id = %(org)s AND problem <> ''"

_NO_FLOATS = """
SELECT 'column ' || table_name || '.' || column_name, 'holds money as ' || data_type FROM information_schema.columns
 WHERE table_schema = 'public' AND column_name LIKE '%%\\_minor' AND data_type NOT IN ('bigint', 'jsonb')"""

_CODES = """
SELECT kind, currency, min(id), count(*) FROM (
  SELECT 'document' AS kind, currency, id FROM ledger_document WHERE organisation_id = %(org)s
  UNION ALL SELECT 'payment', currency, id FROM ledger_payment WHERE organisation_id = %(org)s
  UNION ALL SELECT 'allocation', currency, id FROM ledger_allocation WHERE organisation_id = %(org)s
  UNION ALL SELECT 'payout', currency, id FROM ledger_payout WHERE organisation_id = %(org)s
  UNION ALL SELECT 'promise', currency, id FROM dialogue_promise WHERE organisation_id = %(org)s) c GROUP BY 1, 2"""

#: Lines may leave out tax, freight or rounding: told, never held against a document.
_LINES = """
SELECT count(*) FROM (
  SELECT 1 FROM ledger_documentline l JOIN ledger_document d ON d.organisation_id = l.organisation_id AND d.id = l.document_id
   WHERE l.organisation_id = %(org)s GROUP BY d.id, d.amount_minor HAVING sum(l.amount_minor) <> d.amount_minor) s"""

_CHECKED = """
SELECT (SELECT count(*) FROM ledger_document WHERE organisation_id = %(org)s) + (SELECT count(*) FROM ledger_payment WHERE organisation_id = %(org)s)
     + (SELECT count(*) FROM ledger_allocation WHERE organisation_id = %(org)s)
     + (SELECT count(*) FROM ledger_payout WHERE organisation_id = %(org)s)"""


def look(given: Given) -> Looked:  # noqa: ARG001 - every promise is looked at the same way
    """Sums kept by the database against the rows they are sums of; currencies against each other and against ISO 4217."""
    asked = looking.ask(_DOCUMENTS, _PAYMENTS, _CURRENCIES, _PARTS, _PAYOUTS, _NO_FLOATS)
    other = looking.count(_LINES)
    notes = (f"{other:,} documents whose lines sum to another amount than the document: tax or freight beside the lines",) if other else ()
    odd = looking.count(_NOT_ADDING_UP)
    notes += (f"{odd:,} payouts whose parts do not come to their amount, by the source's own figures: see Payouts",) if odd else ()
    return Looked(checked=looking.count(_CHECKED), notes=notes).also(asked).also(looking.of(_unknown_codes()))


def _unknown_codes() -> Iterator[Breach]:
    for kind, code, first, many in looking.rows(_CODES):
        if not money.is_currency(code):
            yield Breach(f"{kind} {first}", f"is in {code!r}, which is no currency of ISO 4217" + (f" (and {many - 1} more)" if many > 1 else ""))
