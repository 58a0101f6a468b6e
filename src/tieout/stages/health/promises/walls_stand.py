"""P8 Walls: nothing of one organisation carries another's data. Looked at in the live catalogue and as the connected role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.apps import apps
from django.db import connection

from tieout.stages.base import raise_walls
from tieout.stages.base.rows import OrganisationRow
from tieout.stages.health import looking
from tieout.stages.health.looking import Breach, Given, Looked
from tieout.stages.ledger import merge

CODE, TITLE, OF = "P8", "Walls", "tables"
SENTENCE = "No row, file, job, log line or answer carries another organisation's data."

STAGING = tuple(f"ledger_staged_{table}" for table in merge.TABLES)

_SECURITY = """
SELECT 'table ' || c.relname, CASE WHEN NOT c.relrowsecurity THEN 'has no row-level security'
         WHEN NOT c.relforcerowsecurity THEN 'does not force its row-level security on its owner'
         WHEN p.polname IS NULL THEN 'has no policy'
         ELSE 'has a policy that does not ask for the organisation: ' || pg_get_expr(p.polqual, p.polrelid) END
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organisation_id' AND NOT a.attisdropped
  LEFT JOIN pg_policy p ON p.polrelid = c.oid
 WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> ALL(%(staging)s::text[])
   AND (NOT c.relrowsecurity OR NOT c.relforcerowsecurity OR p.polname IS NULL
        OR strpos(coalesce(pg_get_expr(p.polqual, p.polrelid), ''), 'app.org') = 0
        OR strpos(coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid), ''), 'app.org') = 0)"""

_KEYS = """
SELECT 'table ' || t.name, 'its key is (' || coalesce(string_agg(a.attname, ', ' ORDER BY k.place), '') || '), not (organisation_id, id)'
  FROM unnest(%(tables)s::text[]) AS t (name)
  LEFT JOIN pg_index i ON i.indrelid = to_regclass(quote_ident(t.name)) AND i.indisprimary
  LEFT JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (column_number, place) ON true
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.column_number
 GROUP BY t.name HAVING array_agg(a.attname::text ORDER BY k.place) IS DISTINCT FROM ARRAY['organisation_id', 'id']"""

_REFERENCES = """
SELECT 'constraint ' || c.conname,
       CASE WHEN c.convalidated THEN 'refers to ' || t.relname || ' without the organisation' ELSE 'was never validated' END
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid
 WHERE c.contype = 'f' AND t.relname = ANY(%(tables)s::text[]) AND (cardinality(c.conkey) < 2 OR NOT c.convalidated)
UNION ALL
SELECT 'table ' || r.name, 'its reference ' || r.tie || ' is missing' FROM unnest(%(referring)s::text[], %(ties)s::text[]) AS r (name, tie)
 WHERE NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = r.tie AND c.conrelid = to_regclass(quote_ident(r.name)) AND c.contype = 'f')"""

#: Guards are triggers: sums and limits of allocations, the audit trail that only grows, references checked set-wise.
_GUARDS = """
SELECT 'trigger ' || g.tgname, 'on ' || c.relname || ' is switched off' FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
 WHERE c.relname = ANY(%(tables)s::text[]) AND NOT g.tgisinternal AND g.tgenabled = 'D'
UNION ALL
SELECT 'table ' || t.name, 'its guard ' || t.name || e.ending || ' is missing'
  FROM unnest(%(guarded)s::text[]) AS t (name), (VALUES ('_ties'), ('_tie')) AS e (ending)
 WHERE NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = to_regclass(quote_ident(t.name)) AND g.tgname = t.name || e.ending)"""

#: What a guard keeps instead of a foreign key is looked at row by row.
_GUARDED = """
SELECT '{table} ' || min(r.id), count(*) || ' rows refer to {other} ' || r.{column} || ', which is not in the organisation'
  FROM {table} r LEFT JOIN {other} o ON o.organisation_id = r.organisation_id AND o.id = r.{column}
 WHERE r.organisation_id = %(org)s AND r.{column} IS NOT NULL AND o.id IS NULL GROUP BY r.{column}"""

#: The role this very session runs as.
ROLE = """
SELECT 'role ' || rolname, CASE WHEN rolsuper THEN 'is a superuser, whom no wall stops' ELSE 'may bypass row-level security' END
  FROM pg_roles WHERE rolname IN (current_user, session_user) AND (rolsuper OR rolbypassrls)
UNION ALL
SELECT 'role ' || current_user, 'owns the table ' || c.relname FROM pg_class c
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = 'public'::regnamespace AND pg_get_userbyid(c.relowner) = current_user
UNION ALL
SELECT 'table ' || name, 'is within reach of ' || current_user || ', and staging knows no walls' FROM unnest(%(staging)s::text[]) AS s (name)
 WHERE has_table_privilege(current_user, to_regclass(name)::oid, 'SELECT, INSERT, UPDATE, DELETE')
UNION ALL
SELECT 'table ' || c.relname, 'is open to everybody (PUBLIC)' FROM pg_class c, aclexplode(c.relacl) a
 WHERE c.relname = ANY(%(tables)s::text[] || %(staging)s::text[]) AND c.relnamespace = 'public'::regnamespace AND a.grantee = 0
UNION ALL
SELECT 'view ' || c.relname, 'looks behind the walls as its owner' FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND (c.relkind = 'm'
   OR (c.relkind = 'v' AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'], false)))"""

_STAGED = """
SELECT 'table {table}', 'holds ' || count(*) || ' rows that a run should have taken' FROM {table}
 WHERE organisation_id = %(org)s HAVING count(*) > 0"""


def look(given: Given) -> Looked:  # noqa: ARG001 - every promise is looked at the same way
    """Row-level security, keys, references, guards and rights as the database has them now; and that staging lies empty."""
    tables = sorted({model._meta.db_table for model in _models()})
    keyed = sorted(t for t in _ties() if not t.guarded)
    guarded = sorted(t for t in _ties() if t.guarded)
    asked = looking.ask(
        _SECURITY, _KEYS, _REFERENCES, _GUARDS, ROLE, tables=tables, staging=list(STAGING), referring=[t.table for t in keyed],
        ties=[f"{t.table}_{t.column}_tie" for t in keyed], guarded=[t.table for t in guarded],
    )  # fmt: skip
    rows = looking.ask(*(_GUARDED.format(table=t.table, column=t.column, other=t.other) for t in guarded))
    return Looked(checked=len(tables)).also(asked).also(rows).also(_left_in_staging())


def _models() -> Iterator[type[OrganisationRow]]:
    for config in apps.get_app_configs():
        yield from raise_walls.organisation_models(config)


class _Tie(NamedTuple):
    """A reference between two tables of organisations; `guarded` by a trigger of ours, else by a composite foreign key."""

    table: str
    column: str
    other: str
    guarded: bool


def _ties() -> Iterator[_Tie]:
    # The list the walls are raised from: what a model ties, the database must tie.
    for model in _models():
        for field in model._meta.concrete_fields:
            target = field.related_model
            if isinstance(target, type) and issubclass(target, OrganisationRow):
                yield _Tie(model._meta.db_table, str(field.column), target._meta.db_table, field.name in model.guarded_ties)


def _left_in_staging() -> Looked:
    """Staging is out of this role's reach; for one look it steps into the intake role, as an import does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(session_user, %s, 'SET')", [raise_walls.INTAKE_ROLE])
        if not cursor.fetchone()[0]:
            return looking.of([Breach(f"role {raise_walls.INTAKE_ROLE}", "cannot be stepped into, so no file can be taken in")])
        cursor.execute(f"SET LOCAL ROLE {raise_walls.INTAKE_ROLE}")
    try:
        return looking.ask(*(_STAGED.format(table=table) for table in STAGING))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
