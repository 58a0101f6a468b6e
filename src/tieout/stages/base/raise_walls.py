"""Raise the walls after a migration: row-level security, composite keys, grants. Doing it again changes nothing.

Kept out of the migrations on purpose: what must hold for *every* organisation table is derived from the models, so
no author of a table can forget it, and `health` checks the live catalogue against the same list.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from django.apps import AppConfig
from django.db import connections, models

from tieout.stages.base.rows import OrganisationRow

APP_ROLE = "tieout_app"
INTAKE_ROLE = "tieout_intake"
OWN = "organisation_id = nullif(current_setting('app.org', true), '')::uuid"


def organisation_models(app_config: AppConfig) -> list[type[OrganisationRow]]:
    """Concrete models of an app whose rows belong to an organisation."""
    return [m for m in app_config.get_models() if issubclass(m, OrganisationRow)]


def of_app(app_config: AppConfig, *, using: str) -> None:
    """Raise the walls of one app's tables and install its guards (`guards.sql`)."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for statement in statements(app_config, set(connection.introspection.table_names())):
            cursor.execute(statement)


def statements(app_config: AppConfig, existing: set[str]) -> list[str]:
    """Everything that raises the walls of one app's tables, for those that exist."""
    standing = [model for model in app_config.get_models() if model._meta.db_table in existing and model._meta.managed]
    # Keys first: a table may refer to one of the same app that is declared after it.
    found = [_composite_key(model._meta.db_table) for model in standing if issubclass(model, OrganisationRow)]
    for model in standing:
        found += list(_wall(model) if issubclass(model, OrganisationRow) else _open_table(model))
    guards = resources.files(app_config.name) / "guards.sql"
    if found and guards.is_file():
        found.append(guards.read_text())
    if app_config.label == "procrastinate" and "procrastinate_jobs" in existing:
        found += _open_schema()
    return found


def _open_table(model: type[models.Model]) -> Iterator[str]:
    tables = [model._meta.db_table, *(f.m2m_db_table() for f in model._meta.local_many_to_many)]
    for table in tables:
        yield f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {APP_ROLE}, {INTAKE_ROLE}'
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}, {INTAKE_ROLE}"


def _open_schema() -> list[str]:
    # The job queue is a library's own; its tables hold ids and moments only, never an organisation's data.
    return [
        *(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}"
            for table in ("procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers", "procrastinate_workers")
        ),
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}, {INTAKE_ROLE}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {APP_ROLE}, {INTAKE_ROLE}",
    ]


def _wall(model: type[OrganisationRow]) -> Iterator[str]:
    table = model._meta.db_table
    policy = getattr(model, "policy", OWN)
    yield f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'
    yield f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'
    yield f'DROP POLICY IF EXISTS organisation ON "{table}"'
    yield f'CREATE POLICY organisation ON "{table}" USING ({policy}) WITH CHECK ({OWN})'
    if model.checks_organisation:
        yield _reference(table, f"{table}_organisation_fk", "organisation_id", "base_organisation", "id")
    for field in model._meta.concrete_fields:
        target = field.related_model
        if isinstance(target, type) and issubclass(target, OrganisationRow):
            other = target._meta.db_table
            if field.name in model.guarded_ties:
                yield f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS "{table}_{field.column}_tie"'
                continue
            yield _reference(table, f"{table}_{field.column}_tie", f"organisation_id, {field.column}", other, "organisation_id, id")
    rights = "SELECT, INSERT" if model.append_only else "SELECT, INSERT, UPDATE, DELETE"
    yield f'REVOKE ALL ON "{table}" FROM {APP_ROLE}, {INTAKE_ROLE}'
    yield f'GRANT {rights} ON "{table}" TO {APP_ROLE}, {INTAKE_ROLE}'
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}, {INTAKE_ROLE}"


def _composite_key(table: str) -> str:
    return f"""
    DO $$ BEGIN
      IF (SELECT count(*) FROM pg_index i, unnest(i.indkey) WHERE i.indrelid = '"{table}"'::regclass AND i.indisprimary) = 1 THEN
        EXECUTE (SELECT format('ALTER TABLE "{table}" DROP CONSTRAINT %I CASCADE', conname)
                   FROM pg_constraint WHERE conrelid = '"{table}"'::regclass AND contype = 'p');
        ALTER TABLE "{table}" ADD PRIMARY KEY (organisation_id, id);
      END IF;
    END $$"""


def _reference(table: str, name: str, columns: str, target: str, target_columns: str) -> str:
    # Created only where missing, and only once the target has its composite key (apps migrate one after another,
    # in the order of the sentence, and references point left).
    return f"""
    DO $$ BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = '"{table}"'::regclass AND conname = '{name}') THEN
        ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY ({columns}) REFERENCES "{target}" ({target_columns});
      END IF;
    END $$"""
