"""What every test may stand on: our own cluster, an organisation of its own per test, the shared material if present.

The database tests really commit: each test works in an organisation made for it, and the walls keep them apart, so
that nothing needs cleaning up between them and concurrency is tested as it happens.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# A shared machine pauses a test for half a second now and then: what takes long is told by --durations, not by failing.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.register_profile("sweep", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

ROOT = Path(__file__).resolve().parents[1]
NOW = dt.datetime(2026, 6, 10, 9, 30, tzinfo=dt.UTC)  # a Wednesday


def _prepare_database() -> Path:
    """A cluster for this test process (and its own one per xdist worker), gone at the end."""
    data = Path(tempfile.mkdtemp(prefix="tieout-test-"))
    data.chmod(0o755)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "TIEOUT_APP_DSN", "TIEOUT_OWNER_DSN", "TIEOUT_SECRET", "TIEOUT_CRASH_AT"):
        os.environ.pop(name, None)
    os.environ["TIEOUT_DATA"] = str(data)
    return data


_data = _prepare_database()


def connect() -> None:
    """Start this process's cluster and set Django up. Called at import by the conftest of folders that need a database,
    since models can only be imported after it; folders that need nothing never pay for it."""
    from tieout.settings import place

    place.prepare(settings="tieout.settings.test")
    import django

    django.setup()


@pytest.fixture(scope="session")
def database() -> Iterator[Path]:
    """The embedded PostgreSQL, migrated, with Django connected as the application role."""
    connect()
    from django.core.management import call_command
    from django.db import connections

    from tieout.settings import embedded

    call_command("migrate", database="owner", verbosity=0, interactive=False)
    yield _data
    connections.close_all()
    embedded.stop(_data)
    shutil.rmtree(_data, ignore_errors=True)


@pytest.fixture
def organisation(database: Path) -> uuid.UUID:
    """A fresh organisation, live, in Berlin, whose owner is Ada. Returns its id; enter it with walls.inside()."""
    from tieout.stages.base import found

    return found.organisation(
        name="Marrow Lane Studio",
        country="DE",
        time_zone="Europe/Berlin",
        base_currency="EUR",
        language="en",
        sender_name="Marrow Lane Studio",
        sender_address="ar@marrowlane.example",
        now=NOW,
    )


@pytest.fixture
def inside(organisation: uuid.UUID) -> Iterator[uuid.UUID]:
    """The same, already entered: one transaction around the test."""
    from tieout.stages.base import walls

    with walls.inside(organisation):
        yield organisation


@pytest.fixture(scope="session")
def shared() -> Path:
    """The material beside the project (vendor files, real invoice histories); tests that need it skip without it."""
    path = ROOT.parent / "shared"
    if not (path / "datasets").is_dir():
        pytest.skip("the shared material (../shared) is not beside the project")
    return path
