"""Pairs as people look at them: both sides with what each source says, what speaks for and against, and who decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
from django.db import connection

from tieout.stages.base import walls

STATES = ("open", "linked", "refused")


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two: a customer, or a document with its amount. `sources` are the systems with its key there."""

    id: int
    name: str
    sources: list[str]
    customer_id: int
    city: str = ""
    country: str = ""
    tax_id: str = ""
    phone: str = ""
    emails: list[str] = []
    documents: int = 0
    customer: str = ""
    currency: str = ""
    amount_minor: int | None = None
    issue_date: dt.date | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A pair. `score` orders pairs and is no probability."""

    id: int
    kind: str
    state: str
    related: bool
    score: int
    reasons: list[str]
    against: list[str]
    decided_by: str
    decided_at: dt.datetime | None
    by_person: bool
    rule: bool
    sides: list[Side]


def of_customers(*, state: str, related: bool = False, customer_id: int | None = None, after: int = 0, limit: int = 25) -> list[Shown]:
    """Pairs of customers in one state, the likeliest first; `after` pairs are passed over."""
    return _asked(_CUSTOMERS, state=state, related=related, customer=customer_id, after=after, limit=limit)


def of_documents(*, state: str, after: int = 0, limit: int = 25) -> list[Shown]:
    """Pairs of documents in one state, the likeliest first."""
    return _asked(_DOCUMENTS, state=state, related=False, customer=None, after=after, limit=limit)


def everything(*, state: str) -> Iterator[Shown]:
    """All pairs in one state, page by page: customers, companies of one house, documents."""
    for query, related in ((_CUSTOMERS, False), *(((_CUSTOMERS, True),) if state == "open" else ()), (_DOCUMENTS, False)):
        after = 0
        while found := _asked(query, state=state, related=related, customer=None, after=after, limit=500):
            yield from found
            after += len(found)


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many wait: customers, companies of one house, documents; how many are linked, and held to be two."""

    customers: int
    related: int
    documents: int
    linked: int
    refused: int


def counts() -> Counts:
    """All in one look."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [walls.current()])
        return Counts(**dict(zip(Counts.__struct_fields__, cursor.fetchone(), strict=True)))


def _asked(query: str, *, state: str, related: bool, customer: int | None, after: int, limit: int) -> list[Shown]:
    given = {"org": walls.current(), "state": state, "related": related, "customer": customer, "after": after, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        return [msgspec.json.decode(row[0], type=Shown) for row in cursor.fetchall()]


_COUNTS = """
SELECT count(*) FILTER (WHERE state = 'open' AND kind = 'customer' AND NOT related), count(*) FILTER (WHERE state = 'open' AND related),
       count(*) FILTER (WHERE state = 'open' AND kind <> 'customer'), count(*) FILTER (WHERE state = 'linked'),
       count(*) FILTER (WHERE state = 'refused')
  FROM ledger_linkproposal WHERE organisation_id = %s"""

_PAIR = """
SELECT json_build_object('id', p.id, 'kind', p.kind, 'state', p.state, 'related', p.related, 'score', p.score, 'reasons', p.reasons,
       'against', p.against, 'decided_by', p.decided_by, 'decided_at', p.decided_at, 'by_person', p.rank >= 3, 'rule', p.rule_id IS NOT NULL,
       'sides', (SELECT json_agg(s ORDER BY s.id) FROM ({sides}) s))::text
  FROM ledger_linkproposal p
 WHERE p.organisation_id = %(org)s AND {kinds} AND p.state = %(state)s AND (%(state)s <> 'open' OR p.related = %(related)s)
   AND (%(customer)s::bigint IS NULL OR %(customer)s IN (p.first_id, p.second_id))
 ORDER BY CASE WHEN p.state = 'open' THEN -p.score END, p.decided_at DESC NULLS LAST, p.id OFFSET %(after)s LIMIT %(limit)s"""

_CUSTOMERS = _PAIR.format(kinds="p.kind = 'customer'", sides="""
    SELECT c.id, c.id AS customer_id, c.name, c.city, c.country, c.tax_id, c.phone,
           (SELECT coalesce(json_agg(k.name || ' ' || r.external_id ORDER BY r.id), '[]') FROM ledger_sourcerecord r
              JOIN intake_connection k ON (k.organisation_id, k.id) = (r.organisation_id, r.connection_id)
             WHERE r.organisation_id = %(org)s AND r.kind = 'customer' AND r.retracted_at IS NULL
               AND (r.target_id = c.id AND r.home_id IS NULL OR r.home_id = c.id)) AS sources,
           (SELECT coalesce(json_agg(DISTINCT k.email), '[]') FROM ledger_contact k
              LEFT JOIN ledger_moved v ON v.organisation_id = %(org)s AND v.table_name = 'ledger_contact' AND v.row_id = k.id
             WHERE k.organisation_id = %(org)s AND k.customer_id = coalesce(c.lead_id, c.id) AND coalesce(v.home_id, k.customer_id) = c.id
               AND k.retracted_at IS NULL AND k.email <> '') AS emails,
           (SELECT count(*) FROM ledger_document d JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.connection_id = d.connection_id
               AND r.kind = 'customer' AND r.external_id = d.customer_external_id AND r.retracted_at IS NULL
             WHERE d.organisation_id = %(org)s AND d.customer_id = coalesce(c.lead_id, c.id) AND coalesce(r.home_id, r.target_id) = c.id) AS documents
      FROM ledger_customer c WHERE c.organisation_id = %(org)s AND c.id IN (p.first_id, p.second_id)""")

_DOCUMENTS = _PAIR.format(kinds="p.kind IN ('invoice', 'credit_note')", sides="""
    SELECT d.id, d.customer_id, d.number AS name, c.name AS customer, d.currency, d.amount_minor, d.issue_date,
           json_build_array(k.name || ' ' || d.external_id) AS sources
      FROM ledger_document d JOIN ledger_customer c ON (c.organisation_id, c.id) = (d.organisation_id, d.customer_id)
      JOIN intake_connection k ON (k.organisation_id, k.id) = (d.organisation_id, d.connection_id)
     WHERE d.organisation_id = %(org)s AND d.id IN (p.first_id, p.second_id)""")
