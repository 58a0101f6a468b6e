"""Whose word counts for each field of a customer, decided set-wise by the table (`rules`): the first system in a field's order that has
said anything. A person's correction outranks them all and is not touched.

The same words give the same customer in whatever order they came: among records of one rank that of the older connection counts, and
within one connection that with the lower key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection

from tieout.core import truth
from tieout.core.truth import FIELDS, Rule
from tieout.stages.base import feed, walls
from tieout.stages.ledger import rules as table
from tieout.stages.ledger.models import FieldWord

#: The longest value each field takes; e-mail addresses are contacts, with rows of their own.
_LONGEST = {
    "name": 300, "country": 2, "city": 200, "tax_id": 64, "currency": 3, "debtor_type": 8, "language": 8, "time_zone": 64, "phone": 64,
}  # fmt: skip
#: So many customers are named in one entry of the change feed.
_PAGE = 10_000

#: The word that counts, per customer and field. Records that are gone at their source say nothing here; one that a link has stand for
#: another customer speaks for that one, and still for the one it founded, which so is ready to stand by itself again.
_SAID = """
WITH place AS MATERIALIZED (
  SELECT * FROM unnest(%(fields)s::text[], %(connections)s::bigint[], %(ranks)s::int[]) AS p(field, connection_id, rank)),
speaks AS (
  SELECT target_id, connection_id, external_id FROM ledger_sourcerecord
   WHERE organisation_id = %(org)s AND kind = 'customer' AND retracted_at IS NULL AND gone_at IS NULL
     AND (%(customers)s::bigint[] IS NULL OR target_id = ANY(%(customers)s))
  UNION ALL
  SELECT home_id, connection_id, external_id FROM ledger_sourcerecord
   WHERE organisation_id = %(org)s AND kind = 'customer' AND retracted_at IS NULL AND gone_at IS NULL AND home_id IS NOT NULL
     AND (%(customers)s::bigint[] IS NULL OR home_id = ANY(%(customers)s))),
said AS MATERIALIZED (
  SELECT DISTINCT ON (r.target_id, w.field) r.target_id, w.field, w.value #>> '{}' AS value, w.form
    FROM speaks r
    JOIN ledger_fieldword w ON w.organisation_id = %(org)s AND w.kind = 'customer' AND w.connection_id = r.connection_id
         AND w.external_id = r.external_id
    JOIN place p ON p.field = w.field AND p.connection_id = w.connection_id
   WHERE NOT EXISTS (SELECT 1 FROM ledger_correction k WHERE k.organisation_id = %(org)s AND k.kind = 'customer' AND k.target_id = r.target_id
                        AND k.field = w.field AND k.retracted_at IS NULL)
   ORDER BY r.target_id, w.field, p.rank, w.connection_id, w.external_id)"""

_WIDE = ", ".join(f"left(max(value) FILTER (WHERE field = '{name}'), {longest}) AS {name}" for name, longest in _LONGEST.items())
_SETS = {**{name: name for name in _LONGEST}, "folded_name": "folded"}
#: Worked out anew, a field that nobody says anything of any more is empty again; a name is never.
_OLD = {
    column: f"c.{column}" if column in ("name", "folded_name") else
    f"""CASE WHEN %(anew)s AND NOT EXISTS (SELECT 1 FROM ledger_correction k WHERE k.organisation_id = %(org)s AND k.kind = 'customer'
                AND k.target_id = c.id AND k.field = '{column}' AND k.retracted_at IS NULL) THEN '' ELSE c.{column} END"""
    for column in _SETS
}  # fmt: skip
_UPDATE = f"""{_SAID},
wide AS (SELECT target_id, {_WIDE}, max(form) FILTER (WHERE field = 'name') AS folded FROM said GROUP BY target_id)
UPDATE ledger_customer c SET {", ".join(f"{column} = coalesce(w.{wide}, {_OLD[column]})" for column, wide in _SETS.items())}, recorded_at = %(now)s
  FROM wide w
 WHERE c.organisation_id = %(org)s AND c.id = w.target_id
   AND ({", ".join(f"c.{column}" for column in _SETS)}) IS DISTINCT FROM
       ({", ".join(f"coalesce(w.{wide}, {_OLD[column]})" for column, wide in _SETS.items())})
RETURNING c.id"""

#: Of the addresses that sources name, the one that counts is chased; the others are there should it fail. People's contacts stay.
_ROLES = f"""{_SAID},
chosen AS (
  SELECT s.target_id, lower(btrim(s.value)) AS email FROM said s
   WHERE s.field = 'email' AND EXISTS (
         SELECT 1 FROM ledger_contact k WHERE k.organisation_id = %(org)s AND k.customer_id = s.target_id AND k.retracted_at IS NULL
            AND lower(btrim(k.email)) = lower(btrim(s.value))))
UPDATE ledger_contact k SET roles = CASE WHEN lower(btrim(k.email)) = c.email THEN '["bill", "chase"]'::jsonb ELSE '["bill"]'::jsonb END
  FROM chosen c
 WHERE k.organisation_id = %(org)s AND k.customer_id = c.target_id AND k.retracted_at IS NULL AND k.rank = 2
   AND k.roles IN ('["bill", "chase"]'::jsonb, '["bill"]'::jsonb)
   AND k.roles <> CASE WHEN lower(btrim(k.email)) = c.email THEN '["bill", "chase"]'::jsonb ELSE '["bill"]'::jsonb END
RETURNING k.customer_id"""

_WOULD = f"""{_SAID}
SELECT s.field, s.target_id, c.name, to_jsonb(c) ->> s.field, s.value FROM said s
  JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = s.target_id AND c.lead_id IS NULL
 WHERE s.field = ANY(%(asked)s::text[]) AND s.field <> 'email' AND to_jsonb(c) ->> s.field IS DISTINCT FROM s.value
UNION ALL
SELECT s.field, s.target_id, c.name, k.email, s.value FROM said s
  JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = s.target_id AND c.lead_id IS NULL
  JOIN ledger_contact k ON k.organisation_id = %(org)s AND k.customer_id = s.target_id AND k.retracted_at IS NULL AND k.rank = 2
       AND k.roles ? 'chase'
 WHERE s.field = 'email' AND s.field = ANY(%(asked)s::text[]) AND lower(btrim(k.email)) <> lower(btrim(s.value))
   AND EXISTS (SELECT 1 FROM ledger_contact o WHERE o.organisation_id = %(org)s AND o.customer_id = s.target_id AND o.retracted_at IS NULL
                  AND lower(btrim(o.email)) = lower(btrim(s.value)))
 ORDER BY 1, 3, 2"""


class Would(msgspec.Struct, frozen=True):
    """A field of a customer that a changed table would change."""

    field: str
    customer_id: int
    customer: str
    before: str
    after: str


def run(*, customer_ids: Sequence[int] | None, now: dt.datetime, cause: str = "", anew: bool = False) -> list[int]:
    """Decide the fields of these customers (None: of all); what stands already is not written again. Returns those that changed.

    With a `cause` the change feed is told; a merge tells it of its customers itself. `anew`, where records have come or gone, also
    empties what only those that are gone had said.
    """
    if customer_ids is not None and not customer_ids:
        return []
    given = _given(customer_ids, None) | {"now": now, "anew": anew}
    changed: set[int] = set()
    with connection.cursor() as cursor:
        for statement in (_UPDATE, _ROLES):
            cursor.execute(statement, given)
            changed.update(row[0] for row in cursor.fetchall())
    found = sorted(changed)
    for start in range(0, len(found), _PAGE) if cause else ():
        some = found[start : start + _PAGE]
        feed.publish(kind="customer", ids=some, customer_ids=some, cause=cause, now=now)
    return found


#: What a customer is though no record of its own has said it: named on an invoice only, put down by hand before its source told more.
_UNSAID = f"""
WITH own AS (
  SELECT DISTINCT ON (coalesce(r.home_id, r.target_id)) coalesce(r.home_id, r.target_id) AS target_id, r.connection_id, r.external_id
    FROM ledger_sourcerecord r
   WHERE r.organisation_id = %(org)s AND r.kind = 'customer' AND r.retracted_at IS NULL
     AND (r.target_id = ANY(%(customers)s::bigint[]) OR r.home_id = ANY(%(customers)s::bigint[]))
   ORDER BY coalesce(r.home_id, r.target_id), r.connection_id, r.external_id)
SELECT o.target_id, o.connection_id, o.external_id, v.field, v.value
  FROM own o JOIN ledger_customer c ON c.organisation_id = %(org)s AND c.id = o.target_id,
       LATERAL (VALUES {", ".join(f"('{name}', c.{name})" for name in _LONGEST)},
         ('email', (SELECT k.email FROM ledger_contact k WHERE k.organisation_id = %(org)s AND k.customer_id = c.id AND k.retracted_at IS NULL
                       AND k.rank = 2 AND k.roles ? 'chase' ORDER BY k.id LIMIT 1))) AS v(field, value)
 WHERE coalesce(v.value, '') <> ''
   AND NOT EXISTS (SELECT 1 FROM ledger_correction k WHERE k.organisation_id = %(org)s AND k.kind = 'customer' AND k.target_id = c.id
                      AND k.field = v.field AND k.retracted_at IS NULL)
   AND NOT EXISTS (
       SELECT 1 FROM ledger_sourcerecord r JOIN ledger_fieldword w ON w.organisation_id = %(org)s AND w.kind = 'customer'
              AND w.connection_id = r.connection_id AND w.external_id = r.external_id AND w.field = v.field
        WHERE r.organisation_id = %(org)s AND r.kind = 'customer' AND c.id IN (r.target_id, r.home_id) AND r.retracted_at IS NULL)"""


def remember(*, customer_ids: Sequence[int], now: dt.datetime) -> None:
    """Before records come or go: what these customers are without anybody having said it becomes a word of their own first record, so
    that it is found again when the others have gone."""
    with connection.cursor() as cursor:
        cursor.execute(_UNSAID, {"org": walls.current(), "customers": list(customer_ids)})
        unsaid = cursor.fetchall()
    FieldWord.objects.bulk_create(
        [
            FieldWord(
                kind="customer", target_id=target, connection_id=source, external_id=key, field=field, value=value, form=truth.form(field, value),
                received_at=now,
            )
            for target, source, key, field, value in unsaid
        ],
        ignore_conflicts=True, batch_size=2000,
    )  # fmt: skip


def preview(*, rule: Rule) -> list[Would]:
    """What a changed rule would change, by field and customer; nothing is written."""
    rules = [rule if one.key == rule.key else one for one in table.in_force()]
    with connection.cursor() as cursor:
        cursor.execute(_WOULD, _given(None, rules) | {"asked": [name for name in rule.fields if name in FIELDS]})
        return [Would(field, pk, name, before or "", after) for field, pk, name, before, after in cursor.fetchall()]


def _given(customer_ids: Sequence[int] | None, rules: Sequence[Rule] | None) -> dict[str, Any]:
    places = table.places(rules)
    return {"org": walls.current(), "customers": None if customer_ids is None else list(customer_ids), **places.given()}
