"""Bring the database to this version, and leave it alone where it is there already.

Raising the walls takes locks on every table, so a command that finds the schema in place must not raise them again
while an import runs beside it: what was raised is remembered by its digest.
"""

from __future__ import annotations

import hashlib


def up_to_date() -> bool:
    """Whether every migration is applied and the walls in force are those of this version."""
    from django.db import DatabaseError, connections
    from django.db.migrations.executor import MigrationExecutor

    owner = connections["owner"]
    try:
        executor = MigrationExecutor(owner)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        with owner.cursor() as cursor:
            cursor.execute("SELECT reason FROM base_globalswitch WHERE name = 'walls'")
            row = cursor.fetchone()
    except DatabaseError:
        return False
    return row is not None and row[0] == _digest()


def bring_up() -> None:
    """Migrate and raise the walls where that is needed. Safe to repeat and to run beside another."""
    from django.core.management import call_command
    from django.db import connections

    if up_to_date():
        return
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            """INSERT INTO base_globalswitch (name, "on", reason, changed_at, changed_by) VALUES ('walls', false, %s, now(), 'tieout migrate')
               ON CONFLICT (name) DO UPDATE SET reason = excluded.reason, changed_at = excluded.changed_at""",
            [_digest()],
        )


def _digest() -> str:
    from django.apps import apps
    from django.db import connections

    from tieout.stages.base import raise_walls

    existing = set(connections["owner"].introspection.table_names())
    statements = [s for config in apps.get_app_configs() for s in raise_walls.statements(config, existing)]
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()
