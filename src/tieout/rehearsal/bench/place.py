"""Where benchmarks run: a private embedded cluster in a temporary directory, and a fresh database of it for each run.

The schema is migrated once; every run gets a copy of that empty database, so that no run meets the rows of another.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tieout.settings import embedded, place, roles

_TEMPLATE = "tieout"
#: What of the surrounding environment would lead a run to somebody's own database or mail server.
_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "TIEOUT_APP_DSN", "TIEOUT_OWNER_DSN", "TIEOUT_SECRET", "TIEOUT_CRASH_AT", "TIEOUT_DEMO")


class Place:
    """A temporary data directory with its own server."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._admin = ""
        self._databases = 0

    def environment(self) -> dict[str, str]:
        """The environment of a run that needs no database."""
        kept = {name: value for name, value in os.environ.items() if name not in _OURS}
        return {**kept, "TIEOUT_DATA": str(self.data)}

    def with_database(self) -> dict[str, str]:
        """The environment of a run on a fresh, migrated database."""
        if not self._admin:
            self._migrate()
        self._databases += 1
        name = f"bench_{self._databases}"
        with psycopg.connect(self._admin, autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(_TEMPLATE), sql.Identifier(roles.OWNER)
                )
            )
        key = place.secret(self.data)
        app, owner = (
            embedded.with_login(self._admin, user=role, password=roles.password_of(role, key), database=name) for role in (roles.APP, roles.OWNER)
        )
        return {
            **self.environment(), "TIEOUT_APP_DSN": app, "TIEOUT_OWNER_DSN": owner, "TIEOUT_SECRET": key,
            "DJANGO_SETTINGS_MODULE": "tieout.settings.run", "TIEOUT_BENCH_ADMIN": self._admin,
        }  # fmt: skip

    def _migrate(self) -> None:
        self._admin = embedded.start(self.data)
        program = [sys.executable, "-m", "tieout.faces.cli", "migrate"]
        made = subprocess.run(program, env=self.environment(), capture_output=True, text=True, check=False)
        if made.returncode:
            raise RuntimeError(f"the private database could not be made: {made.stderr[-2000:]}")

    def drop_databases(self) -> None:
        """Give the disk back between benchmarks."""
        with psycopg.connect(self._admin, autocommit=True) as admin:
            for number in range(1, self._databases + 1):
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(f"bench_{number}")))


@contextmanager
def private() -> Iterator[Place]:
    """A place that is gone afterwards, server and all."""
    data = Path(tempfile.mkdtemp(prefix="tieout-bench-"))
    data.chmod(0o755)
    try:
        yield Place(data)
    finally:
        embedded.stop(data)
        shutil.rmtree(data, ignore_errors=True)


def checkpoint() -> None:
    """Write everything out now, so that the next stretch does not pay for the one before it."""
    with psycopg.connect(os.environ["TIEOUT_BENCH_ADMIN"], autocommit=True) as admin:
        admin.execute("CHECKPOINT")


def owner() -> psycopg.Connection[tuple[object, ...]]:
    """A connection as the owner of the tables, for peers that are measured beside the product."""
    assert conninfo_to_dict(os.environ["TIEOUT_OWNER_DSN"])["dbname"] != _TEMPLATE
    return psycopg.connect(os.environ["TIEOUT_OWNER_DSN"])
