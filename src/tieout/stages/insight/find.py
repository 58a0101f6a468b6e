"""Find a customer, a document or a payment by what somebody has in front of them: a number, a name, a reference."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import connection

from tieout.core import party
from tieout.stages.base import walls

MOST = 20


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One hit. `kind` is customer, invoice, credit_note or payment; `exact` where the whole number or name fits."""

    kind: str
    id: int
    title: str
    beside: str
    date: dt.date | None
    currency: str
    amount_minor: int | None
    exact: bool


# Numbers are looked up whole in their index first; parts of a number only among what is open, so that ten times the history
# does not make finding ten times slower.
_FIND = """
(SELECT 'customer' AS kind, c.id, c.name AS title, c.city AS beside, NULL::date AS date, '' AS currency, NULL::bigint AS amount_minor,
        c.folded_name = %(folded)s AS exact
   FROM ledger_customer c
  WHERE c.organisation_id = %(o)s AND c.lead_id IS NULL AND (c.folded_name LIKE %(folded_like)s OR c.name ILIKE %(like)s OR c.tax_id = %(text)s)
  ORDER BY exact DESC, length(c.name), c.id LIMIT %(most)s)
UNION ALL
(SELECT d.kind, d.id, d.number, c.name, d.due_date, d.currency, d.amount_minor, true
   FROM ledger_document d JOIN ledger_customer c ON (c.organisation_id, c.id) = (d.organisation_id, d.customer_id)
  WHERE d.organisation_id = %(o)s AND d.number = ANY(%(numbers)s) LIMIT %(most)s)
UNION ALL
(SELECT d.kind, d.id, d.number, c.name, d.due_date, d.currency, d.amount_minor, false
   FROM ledger_document d JOIN ledger_customer c ON (c.organisation_id, c.id) = (d.organisation_id, d.customer_id)
  WHERE d.organisation_id = %(o)s AND d.open_minor > 0 AND (d.number ILIKE %(like)s OR d.po_number ILIKE %(like)s) AND d.number <> ALL(%(numbers)s)
  ORDER BY d.due_date, d.id LIMIT %(most)s)
UNION ALL
(SELECT 'payment', p.id, coalesce(nullif(p.payer_name, ''), 'Payment'), coalesce(nullif(p.remittance, ''), p.reference), p.date, p.currency,
        p.amount_minor, false
   FROM ledger_payment p
  WHERE p.organisation_id = %(o)s AND p.unapplied_minor > 0
    AND (p.payer_name ILIKE %(like)s OR p.remittance ILIKE %(like)s OR p.reference ILIKE %(like)s OR p.bank_ref = %(text)s)
  ORDER BY p.date DESC, p.id DESC LIMIT %(most)s)"""


def find(*, text: str) -> list[Found]:
    """Hits for `text` (tidied, not empty), whole matches first."""
    plain = party.tidy(text)
    if not plain:
        return []
    escaped = plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    folded = party.fold(plain)
    given = {
        "o": walls.current(), "text": plain, "like": f"%{escaped}%", "folded": folded, "most": MOST,
        "numbers": sorted({plain, plain.upper(), plain.lower()}), "folded_like": "%" + (folded.replace("_", "\\_") or escaped) + "%",
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND, given)
        hits = [
            Found(kind=kind, id=number, title=title, beside=beside or "", date=date, currency=currency, amount_minor=minor, exact=bool(exact))
            for kind, number, title, beside, date, currency, minor, exact in cursor.fetchall()
        ]
    return sorted(hits, key=lambda hit: not hit.exact)
