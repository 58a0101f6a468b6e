"""Customers as their sources hold them, for comparing: every one by its home, with what is its own and not what a link brought along."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from django.db import connection

from tieout.core.identity import Record
from tieout.core.identity.marks import FREE_MAIL
from tieout.stages.base import walls

_RECORDS = """
SELECT c.id, c.name, c.country, c.city, c.tax_id, c.phone, c.accounts, c.aliases, c.parent_id, s.sources, coalesce(e.emails, '{}'), s.keys
  FROM ledger_customer c
  JOIN (SELECT coalesce(home_id, target_id) AS home, array_agg(DISTINCT connection_id ORDER BY connection_id) AS sources,
               array_agg(connection_id || ' ' || external_id ORDER BY id) AS keys
          FROM ledger_sourcerecord
         WHERE organisation_id = %(org)s AND kind = 'customer' AND retracted_at IS NULL AND gone_at IS NULL GROUP BY 1) s ON s.home = c.id
  LEFT JOIN (SELECT coalesce(v.home_id, k.customer_id) AS home, array_agg(DISTINCT lower(k.email) ORDER BY lower(k.email)) AS emails
               FROM ledger_contact k
               LEFT JOIN ledger_moved v ON v.organisation_id = %(org)s AND v.table_name = 'ledger_contact' AND v.row_id = k.id
              WHERE k.organisation_id = %(org)s AND k.retracted_at IS NULL AND k.email <> '' GROUP BY 1) e ON e.home = c.id
 WHERE c.organisation_id = %(org)s AND (%(ids)s::bigint[] IS NULL OR c.id = ANY(%(ids)s))"""

#: Who shares a mark or the beginning of the name with some customers. Marks are compared as plainly as the database can.
_NEAR = """
WITH ask AS MATERIALIZED (SELECT * FROM ledger_customer WHERE organisation_id = %(org)s AND id = ANY(%(ids)s)),
mail AS MATERIALIZED (
  SELECT DISTINCT CASE WHEN split_part(lower(k.email), '@', 2) = ANY(%(free)s) THEN lower(k.email) ELSE split_part(lower(k.email), '@', 2) END AS mark
    FROM ledger_contact k LEFT JOIN ledger_moved v ON v.organisation_id = %(org)s AND v.table_name = 'ledger_contact' AND v.row_id = k.id
   WHERE k.organisation_id = %(org)s AND k.retracted_at IS NULL AND k.email <> '' AND coalesce(v.home_id, k.customer_id) = ANY(%(ids)s))
SELECT id FROM ask
UNION
SELECT coalesce(v.home_id, k.customer_id) FROM ledger_contact k
  LEFT JOIN ledger_moved v ON v.organisation_id = %(org)s AND v.table_name = 'ledger_contact' AND v.row_id = k.id
  JOIN mail m ON m.mark IN (lower(k.email), split_part(lower(k.email), '@', 2))
 WHERE k.organisation_id = %(org)s AND k.retracted_at IS NULL
UNION
SELECT c.id FROM ledger_customer c JOIN ask a ON split_part(c.folded_name, ' ', 1) = split_part(a.folded_name, ' ', 1)
 WHERE c.organisation_id = %(org)s AND length(split_part(a.folded_name, ' ', 1)) > 2
UNION
SELECT c.id FROM ledger_customer c JOIN ask a
    ON right(regexp_replace(c.tax_id, '[^0-9]', '', 'g'), 8) = right(regexp_replace(a.tax_id, '[^0-9]', '', 'g'), 8)
 WHERE c.organisation_id = %(org)s AND c.tax_id <> '' AND length(regexp_replace(a.tax_id, '[^0-9]', '', 'g')) >= 5
UNION
SELECT c.id FROM ledger_customer c JOIN ask a
    ON right(regexp_replace(c.phone, '[^0-9]', '', 'g'), 8) = right(regexp_replace(a.phone, '[^0-9]', '', 'g'), 8)
 WHERE c.organisation_id = %(org)s AND c.phone <> '' AND length(regexp_replace(a.phone, '[^0-9]', '', 'g')) >= 8
UNION
SELECT c.id FROM ledger_customer c JOIN ask a ON c.parent_id = a.id OR a.parent_id = c.id WHERE c.organisation_id = %(org)s"""

_ONE_WITH = """
SELECT c.id FROM ledger_customer c WHERE c.organisation_id = %(org)s AND (c.id = ANY(%(ids)s) OR coalesce(c.lead_id, c.id) IN (
       SELECT coalesce(lead_id, id) FROM ledger_customer WHERE organisation_id = %(org)s AND id = ANY(%(ids)s)))"""


class Held(Record, frozen=True, kw_only=True, gc=False):
    """A record with its sources by id, and its keys there, `(connection, key)` each."""

    sources: tuple[int, ...]
    keys: tuple[tuple[int, str], ...]


def read(customer_ids: Iterable[int] | None = None) -> list[Held]:
    """These customers (None: all) that a source still has, each as its own home."""
    ids = None if customer_ids is None else sorted(set(customer_ids))
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS, {"org": walls.current(), "ids": ids})
        return [_held(row) for row in cursor.fetchall()]


def near(customer_ids: Collection[int]) -> list[int]:
    """These customers, everyone who shares a mark or the first word of the name with one of them, and who is one with any of those."""
    given = {"org": walls.current(), "ids": sorted(set(customer_ids)), "free": sorted(FREE_MAIL)}
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, given)
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute(_ONE_WITH, {"org": walls.current(), "ids": found})
        return [row[0] for row in cursor.fetchall()]


def _held(row: tuple[Any, ...]) -> Held:
    pk, name, country, city, tax, phone, accounts, aliases, parent, sources, emails, keys = row
    return Held(
        key=pk, source="+".join(map(str, sources)), name=name, emails=tuple(emails), phone=phone, tax_id=tax, country=country, city=city,
        accounts=_listed(accounts), aliases=_listed(aliases), parent=parent, sources=tuple(sources), keys=tuple(_key(key) for key in keys),
    )  # fmt: skip


def _key(text: str) -> tuple[int, str]:
    number, _, external_id = text.partition(" ")
    return int(number), external_id


def _listed(value: Any) -> tuple[str, ...]:
    found = msgspec.json.decode(value) if isinstance(value, str) else value
    return tuple(map(str, found or ()))
