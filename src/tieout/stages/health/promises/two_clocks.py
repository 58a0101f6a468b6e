"""P5 Two clocks: every balance can be shown for any date, as known then or as known now.

That stands on versions: one in force for each row, equal to the row, the earlier ones ending where the next begins.
"""

from __future__ import annotations

from tieout.stages.health import looking
from tieout.stages.health.looking import Given, Looked

CODE, TITLE, OF = "P5", "Two clocks", "versions"
SENTENCE = "Every balance, aging and decision can be shown for any date, as known then or as known now."

#: Row, version, key, and the fields that must be equal.
_KINDS = (
    ("document", "number, customer_id, issue_date, due_date, currency, amount_minor, reported_open_minor, status"),
    ("payment", "customer_id, date, currency, amount_minor, status"),
)


def _queries(kind: str, fields: str) -> tuple[str, ...]:
    ours, theirs = (", ".join(f"{alias}.{field.strip()}" for field in fields.split(",")) for alias in ("d", "v"))
    return (
        f"""
SELECT '{kind} ' || d.id, 'has ' || count(v.id) || ' versions in force, not one'
  FROM ledger_{kind} d LEFT JOIN ledger_{kind}version v
       ON v.organisation_id = d.organisation_id AND v.{kind}_id = d.id AND v.superseded_at IS NULL
 WHERE d.organisation_id = %(org)s GROUP BY d.id HAVING count(v.id) <> 1""",
        f"""
SELECT '{kind} ' || d.id, 'differs from its version in force: ' || v.id
  FROM ledger_{kind} d JOIN ledger_{kind}version v ON v.organisation_id = d.organisation_id AND v.{kind}_id = d.id AND v.superseded_at IS NULL
 WHERE d.organisation_id = %(org)s AND ({ours}) IS DISTINCT FROM ({theirs})""",
        f"""
SELECT '{kind} ' || document_id, CASE WHEN superseded_at < recorded_at THEN 'version ' || id || ' ends before it begins'
         ELSE 'between version ' || id || ' and the next nobody knows how it stood' END
  FROM (SELECT id, {kind}_id AS document_id, recorded_at, superseded_at,
               lead(recorded_at) OVER (PARTITION BY {kind}_id ORDER BY recorded_at, id) AS next
          FROM ledger_{kind}version v
         WHERE organisation_id = %(org)s AND {kind}_id IN (
               SELECT {kind}_id FROM ledger_{kind}version WHERE organisation_id = %(org)s AND superseded_at IS NOT NULL)) v
 WHERE superseded_at IS NOT NULL AND (superseded_at < recorded_at OR superseded_at IS DISTINCT FROM next)""",
    )


_TAKEN_BACK = """
SELECT 'allocation ' || id, 'was taken back before it was made' FROM ledger_allocation WHERE organisation_id = %(org)s AND retracted_at < recorded_at
UNION ALL
SELECT 'refund ' || id, 'was taken back before it was made' FROM ledger_refund WHERE organisation_id = %(org)s AND retracted_at < recorded_at"""

_CHECKED = """
SELECT (SELECT count(*) FROM ledger_documentversion WHERE organisation_id = %(org)s)
     + (SELECT count(*) FROM ledger_paymentversion WHERE organisation_id = %(org)s)"""


def look(given: Given) -> Looked:  # noqa: ARG001 - every promise is looked at the same way
    """Versions of documents and payments, and the two moments of allocations."""
    asked = looking.ask(*(query for kind, fields in _KINDS for query in _queries(kind, fields)), _TAKEN_BACK)
    return Looked(checked=looking.count(_CHECKED)).also(asked)
