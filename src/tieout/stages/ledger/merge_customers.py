"""Customers of a run: those a source describes, and those only named by its invoices and payments.

A source record that is new here founds a customer of its own; whether that is one with another is judged afterwards
(`flow.identity`), and what a source says of its own customer never changes another one's row, linked or not. What a
source says it says; what it is silent about stays; what a person corrected stays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tieout.core import party
from tieout.stages.ledger import decide, resolve

#: Rank of a source's contact (evidence.RANK); a person's is never replaced by one.
SOURCE_RANK = 2


class MergedCustomers(NamedTuple):
    """Customers `created` and `updated` by rows of the customer table, ids `touched`."""

    created: int
    updated: int
    touched: list[int]


_MINE = "s.organisation_id = %(org)s AND s.run = %(run)s"

_FOUND = f"""
WITH fresh AS MATERIALIZED (
  SELECT nextval('ledger_customer_id_seq') AS id, s.ctid AS at, s.* FROM ledger_staged_customer s WHERE {_MINE} AND s.record_id IS NULL),
known AS (UPDATE ledger_staged_customer s SET target_id = f.id FROM fresh f WHERE s.ctid = f.at),
cust AS (
  INSERT INTO ledger_customer (id, organisation_id, name, folded_name, aliases, accounts, country, city, currency, debtor_type, time_zone, language,
         tax_id, phone, created_at, recorded_at)
  SELECT id, %(org)s, name, folded_name, coalesce(aliases, '[]'), coalesce(accounts, '[]'), left(coalesce(country, ''), 2), coalesce(city, ''),
         left(coalesce(currency, ''), 3), coalesce(debtor_type, ''), coalesce(time_zone, ''), coalesce(language, ''), left(coalesce(tax_id, ''), 64),
         left(coalesce(phone, ''), 64), %(now)s, %(now)s FROM fresh),
said AS (
  INSERT INTO ledger_fieldword (organisation_id, kind, target_id, field, connection_id, external_id, value, form, envelope_id, line, received_at)
  SELECT %(org)s, 'customer', f.id, w.key, %(conn)s, f.external_id, w.value -> 0, w.value ->> 1, %(envelope)s, f.line, %(now)s
    FROM fresh f, jsonb_each(f.words) w
      ON CONFLICT (organisation_id, connection_id, kind, external_id, field)
      DO UPDATE SET value = excluded.value, form = excluded.form, target_id = excluded.target_id, envelope_id = excluded.envelope_id,
                    line = excluded.line, received_at = excluded.received_at)
INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line, score, evidence,
       linked_by, rank, recorded_at, seen_at)
SELECT %(org)s, %(conn)s, 'customer', external_id, id, content_hash, %(envelope)s, line, 100, 'the source''s own key', 'machine', 1, %(now)s, %(now)s
  FROM fresh RETURNING target_id"""

_CHANGED = f"""
SELECT s.target_id, coalesce(s.home_id, s.target_id) FROM ledger_staged_customer s WHERE {_MINE} AND s.record_id IS NOT NULL"""


_UPDATE = f"""
UPDATE ledger_customer c SET recorded_at = %(now)s,
       aliases = CASE WHEN s.aliases IS NULL OR s.aliases = '[]' THEN c.aliases ELSE s.aliases END,
       accounts = CASE WHEN s.accounts IS NULL OR s.accounts = '[]' THEN c.accounts ELSE s.accounts END
  FROM ledger_staged_customer s
 WHERE {_MINE} AND s.record_id IS NOT NULL AND c.organisation_id = %(org)s AND c.id = coalesce(s.home_id, s.target_id)"""

#: What a record said once and is silent about now it has still said; `decide` makes the customer of the words.
_REMEMBER = f"""
INSERT INTO ledger_fieldword AS known (organisation_id, kind, target_id, field, connection_id, external_id, value, form, envelope_id, line,
       received_at)
SELECT %(org)s, 'customer', s.target_id, w.key, %(conn)s, s.external_id, w.value -> 0, w.value ->> 1, %(envelope)s, s.line, %(now)s
  FROM ledger_staged_customer s, jsonb_each(s.words) w
 WHERE {_MINE} AND s.record_id IS NOT NULL
    ON CONFLICT (organisation_id, connection_id, kind, external_id, field)
    DO UPDATE SET value = excluded.value, form = excluded.form, target_id = excluded.target_id, envelope_id = excluded.envelope_id,
                  line = excluded.line, received_at = excluded.received_at
          WHERE (known.value, known.target_id) IS DISTINCT FROM (excluded.value, excluded.target_id)"""

_SEEN = f"""
UPDATE ledger_sourcerecord r SET content_hash = s.content_hash, envelope_id = %(envelope)s, line = s.line, seen_at = %(now)s, gone_at = NULL,
       gone_as = ''
  FROM ledger_staged_customer s
 WHERE {_MINE} AND r.organisation_id = %(org)s AND r.id = s.record_id"""

_ANY_PARENT = f"SELECT EXISTS (SELECT 1 FROM ledger_staged_customer s WHERE {_MINE} AND s.parent_external_id IS NOT NULL)"
_PARENTS = f"""
UPDATE ledger_customer c SET parent_id = coalesce(p.home_id, p.target_id)
  FROM ledger_staged_customer s
  JOIN ledger_sourcerecord p ON p.organisation_id = %(org)s AND p.connection_id = %(conn)s AND p.kind = 'customer'
       AND p.external_id = s.parent_external_id AND p.retracted_at IS NULL
 WHERE {_MINE} AND c.organisation_id = %(org)s AND c.id = coalesce(s.home_id, s.target_id) AND coalesce(p.home_id, p.target_id) <> c.id
   AND c.parent_id IS DISTINCT FROM coalesce(p.home_id, p.target_id)"""

#: Contacts that sources name. One a person has retracted does not come back because a source repeats it. Of a linked customer it stands
#: with the lead, and is remembered as its own.
_NAMED = {
    "customer": f"""SELECT coalesce(s.home_id, s.target_id) AS home, s.target_id AS target, s.email FROM ledger_staged_customer s
            WHERE {_MINE} AND s.email IS NOT NULL""",
    "document": f"""SELECT coalesce(s.home_id, s.customer_id) AS home, s.customer_id AS target, s.customer_email AS email
             FROM ledger_staged_document s WHERE {_MINE} AND s.customer_email IS NOT NULL""",
}
_CONTACTS = """
WITH named AS (
  SELECT home, min(target) AS target, email
    FROM ({named}) n
   WHERE NOT EXISTS (
         SELECT 1 FROM ledger_contact k
           LEFT JOIN ledger_moved v ON v.organisation_id = %(org)s AND v.table_name = 'ledger_contact' AND v.row_id = k.id
          WHERE k.organisation_id = %(org)s AND k.customer_id = n.target AND coalesce(v.home_id, k.customer_id) = n.home
            AND lower(k.email) = lower(n.email))
   GROUP BY home, email),
fresh AS MATERIALIZED (SELECT nextval('ledger_contact_id_seq') AS id, n.* FROM named n),
away AS (
  INSERT INTO ledger_moved (organisation_id, table_name, row_id, home_id) SELECT %(org)s, 'ledger_contact', id, home FROM fresh WHERE home <> target)
INSERT INTO ledger_contact (id, organisation_id, customer_id, name, email, phone, roles, rank, recorded_at)
SELECT id, %(org)s, target, '', email, '', '["bill", "chase"]', {rank}, %(now)s FROM fresh"""


def run(cursor: Any, given: dict[str, Any], *, staged: int, named: list[str], hashed: bool) -> MergedCustomers:
    """Merge the `staged` customers of a run that are new or changed, and those its `named` documents and payments speak of; afterwards
    every customer key in it has a link in force, and each document and payment its customer beside it."""
    founded: list[int] = []
    changed: list[tuple[int, int]] = []
    if staged:
        cursor.execute(_FOUND, given)
        founded = [row[0] for row in cursor.fetchall()]
        cursor.execute(_CHANGED, given)
        changed = cursor.fetchall()
        for statement in (_UPDATE, _REMEMBER, _SEEN) if changed else ():
            cursor.execute(statement, given)
    for table in named:
        resolve.customers(cursor, given, table=table, hashed=hashed)
    if named and _found_implied(cursor, given):
        for table in named:
            resolve.customers(cursor, given, table=table, hashed=hashed)
    if staged:
        cursor.execute(_ANY_PARENT, given)
        if cursor.fetchone()[0]:
            cursor.execute(_PARENTS, given)
    speaking = [_NAMED[table] for table in (*(("customer",) if staged else ()), *named) if table in _NAMED]
    if speaking:
        cursor.execute(_CONTACTS.format(named=" UNION ".join(speaking), rank=SOURCE_RANK), given)
    theirs = {one for pair in changed for one in pair}
    decided = decide.run(customer_ids=sorted(theirs), now=given["now"])
    return MergedCustomers(len(founded), len(changed), sorted({*founded, *theirs, *decided}))


def _found_implied(cursor: Any, given: dict[str, Any]) -> bool:
    """Customers that only documents or payments name: founded under the name they are given there, or their key. Whether there were any."""
    cursor.execute(
        f"""SELECT n.key, max(n.name), max(n.currency) FROM (
              SELECT s.customer_external_id AS key, s.customer_name AS name, s.currency FROM ledger_staged_document s
               WHERE {_MINE} AND s.customer_id IS NULL
              UNION ALL SELECT s.customer_external_id, s.customer_name, s.currency FROM ledger_staged_payment s
               WHERE {_MINE} AND s.customer_id IS NULL AND s.customer_external_id IS NOT NULL) n
             GROUP BY n.key ORDER BY n.key""",
        given,
    )
    implied = [(key, (name or key.removeprefix("name:"))[:300], currency) for key, name, currency in cursor.fetchall()]
    if not implied:
        return False
    cursor.execute(
        """WITH fresh AS MATERIALIZED (
             SELECT nextval('ledger_customer_id_seq') AS id, n.*
               FROM unnest(%(keys)s::text[], %(names)s::text[], %(folded)s::text[], %(currencies)s::text[]) AS n(key, name, folded, currency)),
           cust AS (
             INSERT INTO ledger_customer (id, organisation_id, name, folded_name, aliases, accounts, country, city, currency, debtor_type, time_zone,
                    language, tax_id, phone, created_at, recorded_at)
             SELECT id, %(org)s, name, folded, '[]', '[]', '', '', currency, '', '', '', '', '', %(now)s, %(now)s FROM fresh)
           INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line,
                  score, evidence,
                  linked_by, rank, recorded_at, seen_at)
           SELECT %(org)s, %(conn)s, 'customer', key, id, '\\x00', %(envelope)s, NULL, 100, 'the source''s own key', 'machine', 1, %(now)s, %(now)s
             FROM fresh""",
        {
            **given, "keys": [i[0] for i in implied], "names": [i[1] for i in implied], "folded": [party.fold(i[1])[:300] for i in implied],
            "currencies": [i[2] for i in implied],
        },
    )
    return True
