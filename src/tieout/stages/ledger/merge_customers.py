"""Customers of a run: those a source describes, and those only named by its invoices and payments.

A source record that is new here is linked to a customer that exists where the link is certain (the same tax id, or
the same folded name with the same e-mail address), else it founds a customer of its own. Links are rows that can be
retracted; nothing is merged away. What each record says is kept (`FieldWord`); which of several words counts is decided by the
table (`decide`); what a source is silent about stays; what a person corrected stays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tieout.core import party
from tieout.stages.ledger import decide

#: Rank of a source's contact (evidence.RANK); a person's is never replaced by one.
SOURCE_RANK = 2


class MergedCustomers(NamedTuple):
    """`staged` rows of the customer table, `created` and `updated` among them, ids `touched`."""

    staged: int
    created: int
    updated: int
    touched: list[int]


_MINE = "s.organisation_id = %(org)s AND s.run = %(run)s"
_LINK = """ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.connection_id = %(conn)s AND r.kind = 'customer'
       AND r.external_id = s.external_id AND r.retracted_at IS NULL"""

#: New records of customers we certainly have: one candidate only, never two.
_ADOPT = f"""
WITH new AS (SELECT s.* FROM ledger_staged_customer s LEFT JOIN {_LINK} WHERE {_MINE} AND r.id IS NULL),
same AS (
  SELECT n.external_id, c.id, 99 AS score, 'same tax id ' || n.tax_id AS evidence
    FROM new n JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.tax_id = n.tax_id AND n.tax_id <> ''
  UNION
  SELECT n.external_id, c.id, 95, 'same name and same e-mail address'
    FROM new n JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.folded_name = n.folded_name
    JOIN ledger_contact k ON k.organisation_id = %(org)s AND k.customer_id = c.id AND k.retracted_at IS NULL AND lower(k.email) = lower(n.email)),
certain AS (SELECT external_id, min(id) AS id, max(score) AS score,
       min(evidence) AS evidence FROM same GROUP BY external_id HAVING count(DISTINCT id) = 1)
INSERT INTO ledger_sourcerecord (organisation_id, connection_id, kind, external_id, target_id, content_hash, envelope_id, line, score, evidence,
       linked_by, rank, recorded_at, seen_at)
SELECT %(org)s, %(conn)s, 'customer', n.external_id, c.id, '\\x00', %(envelope)s, n.line, c.score, left(c.evidence, 300), 'machine', 1,
       %(now)s, %(now)s
  FROM certain c JOIN new n USING (external_id)"""

_FOUND = f"""
WITH fresh AS MATERIALIZED (
  SELECT nextval('ledger_customer_id_seq') AS id, s.*
    FROM ledger_staged_customer s LEFT JOIN {_LINK} WHERE {_MINE} AND r.id IS NULL),
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
SELECT r.target_id, s.external_id FROM ledger_staged_customer s JOIN {_LINK} WHERE {_MINE} AND r.content_hash <> s.content_hash"""


_UPDATE = f"""
UPDATE ledger_customer c SET recorded_at = %(now)s,
       aliases = CASE WHEN s.aliases IS NULL OR s.aliases = '[]' THEN c.aliases ELSE s.aliases END,
       accounts = CASE WHEN s.accounts IS NULL OR s.accounts = '[]' THEN c.accounts ELSE s.accounts END
  FROM ledger_staged_customer s JOIN {_LINK}
 WHERE {_MINE} AND r.content_hash <> s.content_hash AND c.organisation_id = %(org)s AND c.id = r.target_id"""

#: What a record said once and is silent about now it has still said; `decide` makes the customer of the words.
_REMEMBER = f"""
INSERT INTO ledger_fieldword AS known (organisation_id, kind, target_id, field, connection_id, external_id, value, form, envelope_id, line,
       received_at)
SELECT %(org)s, 'customer', r.target_id, w.key, %(conn)s, s.external_id, w.value -> 0, w.value ->> 1, %(envelope)s, s.line, %(now)s
  FROM ledger_staged_customer s JOIN {_LINK}, jsonb_each(s.words) w
 WHERE {_MINE} AND r.content_hash <> s.content_hash
    ON CONFLICT (organisation_id, connection_id, kind, external_id, field)
    DO UPDATE SET value = excluded.value, form = excluded.form, target_id = excluded.target_id, envelope_id = excluded.envelope_id,
                  line = excluded.line, received_at = excluded.received_at
          WHERE (known.value, known.target_id) IS DISTINCT FROM (excluded.value, excluded.target_id)"""

_SEEN = f"""
UPDATE ledger_sourcerecord r SET content_hash = s.content_hash, envelope_id = %(envelope)s, line = s.line, seen_at = %(now)s, gone_at = NULL,
       gone_as = ''
  FROM ledger_staged_customer s
 WHERE {_MINE} AND r.organisation_id = %(org)s AND r.connection_id = %(conn)s AND r.kind = 'customer' AND r.external_id = s.external_id
   AND r.retracted_at IS NULL AND r.content_hash <> s.content_hash"""

_ANY_PARENT = f"SELECT EXISTS (SELECT 1 FROM ledger_staged_customer s WHERE {_MINE} AND s.parent_external_id IS NOT NULL)"
_PARENTS = f"""
UPDATE ledger_customer c SET parent_id = p.target_id
  FROM ledger_staged_customer s JOIN {_LINK}
  JOIN ledger_sourcerecord p ON p.organisation_id = %(org)s AND p.connection_id = %(conn)s AND p.kind = 'customer'
       AND p.external_id = s.parent_external_id AND p.retracted_at IS NULL
 WHERE {_MINE} AND c.organisation_id = %(org)s AND c.id = r.target_id AND p.target_id <> c.id AND c.parent_id IS DISTINCT FROM p.target_id"""

#: Contacts that sources name. One a person has retracted does not come back because a source repeats it.
_CONTACTS = f"""
INSERT INTO ledger_contact (organisation_id, customer_id, name, email, phone, roles, rank, recorded_at)
SELECT %(org)s, n.customer_id, '', n.email, '', '["bill", "chase"]', {SOURCE_RANK}, %(now)s
  FROM (SELECT DISTINCT r.target_id AS customer_id, s.email FROM ledger_staged_customer s JOIN {_LINK} WHERE {_MINE} AND s.email IS NOT NULL
        UNION
        SELECT r.target_id, s.customer_email FROM ledger_staged_document s
          JOIN ledger_sourcerecord r ON r.organisation_id = %(org)s AND r.connection_id = %(conn)s AND r.kind = 'customer'
               AND r.external_id = s.customer_external_id AND r.retracted_at IS NULL
         WHERE {_MINE} AND s.customer_email IS NOT NULL) n
 WHERE NOT EXISTS (SELECT 1 FROM ledger_contact k WHERE k.organisation_id = %(org)s AND k.customer_id = n.customer_id AND lower(k.email) =
        lower(n.email))"""


def run(cursor: Any, given: dict[str, Any]) -> MergedCustomers:
    """Merge the customers of a run; afterwards every customer key in it has a link in force."""
    cursor.execute(f"SELECT count(*) FROM ledger_staged_customer s WHERE {_MINE}", given)
    staged = int(cursor.fetchone()[0])
    adopted, founded, changed = 0, [], []
    if staged:
        cursor.execute(_ADOPT, given)
        adopted = cursor.rowcount
        cursor.execute(_FOUND, given)
        founded = [row[0] for row in cursor.fetchall()]
        cursor.execute(_CHANGED, given)
        changed = [row[0] for row in cursor.fetchall()]
        for statement in (_UPDATE, _REMEMBER, _SEEN) if changed else ():
            cursor.execute(statement, given)
    _found_implied(cursor, given)
    if staged:
        cursor.execute(_ANY_PARENT, given)
        if cursor.fetchone()[0]:
            cursor.execute(_PARENTS, given)
    cursor.execute(_CONTACTS, given)
    # An adopted record is new as a record; its customer is then decided anew with what the record says, as at any change.
    decided = decide.run(customer_ids=sorted(set(changed)), now=given["now"])
    return MergedCustomers(staged, adopted + len(founded), len(changed) - adopted, sorted({*founded, *changed, *decided}))


def _found_implied(cursor: Any, given: dict[str, Any]) -> None:
    """Customers that only documents or payments name: founded under the name they are given there, or their key."""
    cursor.execute(
        f"""SELECT n.key, max(n.name), max(n.currency) FROM (
              SELECT s.customer_external_id AS key, s.customer_name AS name, s.currency FROM ledger_staged_document s WHERE {_MINE}
              UNION ALL SELECT s.customer_external_id, s.customer_name, s.currency FROM ledger_staged_payment s
               WHERE {_MINE} AND s.customer_external_id IS NOT NULL) n
             WHERE NOT EXISTS (SELECT 1 FROM ledger_sourcerecord r WHERE r.organisation_id = %(org)s AND r.connection_id = %(conn)s AND
                    r.kind = 'customer'
                                AND r.external_id = n.key AND r.retracted_at IS NULL)
             GROUP BY n.key ORDER BY n.key""",
        given,
    )
    implied = [(key, (name or key.removeprefix("name:"))[:300], currency) for key, name, currency in cursor.fetchall()]
    if not implied:
        return
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
