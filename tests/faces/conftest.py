"""Pages are tested as people use them: signed in by role, inside their organisation, on a clock that stands still.

These tests need a database: models are imported when they are collected.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.conftest import NOW, connect

connect()

ROLES = ("owner", "admin", "collector", "approver", "auditor")
#: What carries a transaction rather than reads or writes rows does not count as a query.
_CARRIERS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET LOCAL")
BUDGET = 12


@pytest.fixture
def standing_clock(database: object) -> Iterator[dt.datetime]:
    """It is NOW, whatever the machine says."""
    from tieout.flow import clock

    clock.inject(lambda: NOW)
    yield NOW
    clock.inject(None)


@pytest.fixture
def sign_in(organisation: uuid.UUID, standing_clock: dt.datetime) -> Callable[..., Any]:
    """`sign_in("collector")` gives a browser of a collector of the test's organisation (or of another one)."""
    return signed_in_to(organisation)


def signed_in_to(organisation: uuid.UUID) -> Callable[..., Any]:
    from django.test import Client

    from tieout.core.evidence import Actor
    from tieout.stages.base import found, walls

    def enter(role: str, where: uuid.UUID = organisation) -> Client:
        with walls.inside(where):
            person = found.person(email=f"{role}-{uuid.uuid4().hex[:8]}@marrowlane.example", name=f"{role.title()} Person", password=None)
            found.member(person=person, role=role, actor=Actor("machine", "test"), now=NOW)
        client = Client()
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return enter


@pytest.fixture
def owner(sign_in: Callable[..., Any]) -> Any:
    """The browser of an owner."""
    return sign_in("owner")


@contextmanager
def queries() -> Iterator[list[str]]:
    """The statements that read or wrote rows while the block ran."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found.extend(q["sql"] for q in captured.captured_queries if not q["sql"].startswith(_CARRIERS))
