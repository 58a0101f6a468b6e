"""Walls between organisations (promise P8): which organisation this transaction is for.

Two walls stand. The default manager filters by the organisation of the running context and raises where there is
none; PostgreSQL's row-level security, forced on every organisation table, filters by the setting `app.org`, made by
`SET LOCAL` at the start of the transaction and so gone at its end, whoever borrows the connection next.
`SET LOCAL` and not `set_config()`: the statement travels to the nodes of a distributed PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction

_current: ContextVar[UUID | None] = ContextVar("tieout_organisation", default=None)


class NoOrganisation(Exception):
    """Rows of an organisation were asked for outside `walls.inside(...)`: a bug, never a user's mistake."""


class OtherOrganisation(Exception):
    """A transaction opened for one organisation was asked to turn to another."""


def current() -> UUID:
    """The organisation of the running transaction. Raises NoOrganisation where there is none."""
    organisation = _current.get()
    if organisation is None:
        raise NoOrganisation("open walls.inside(organisation_id) around reading or writing an organisation's rows")
    return organisation


@contextmanager
def inside(organisation_id: UUID) -> Iterator[None]:
    """One transaction for one organisation. Nested use for the same organisation is a savepoint."""
    outer = _current.get()
    if outer is not None:
        if outer != organisation_id:
            raise OtherOrganisation("this transaction belongs to another organisation")
        with transaction.atomic():
            yield
        return
    token = _current.set(organisation_id)
    try:
        with transaction.atomic():
            _set_local("app.org", str(UUID(str(organisation_id))))
            yield
    finally:
        _current.reset(token)


def at_once(organisation_id: UUID, statement: str, values: Sequence[Any], *, after: str, asked: Sequence[Any] = ()) -> tuple[int, tuple[Any, ...]]:
    """One statement as a transaction of its own inside the walls, and one row asked for once it is committed, in one journey to the
    database: the journeys are most of what so short a transaction costs. Returns how many rows the statement wrote, and the row.

    The statement has to be one that may be sent twice: whether the line to the database is alive is not asked beforehand.
    """
    if connection.in_atomic_block:
        raise OtherOrganisation("this is a transaction of its own, and cannot be part of another")
    whole = f"BEGIN; SET LOCAL app.org = '{UUID(str(organisation_id))}'; {statement}; COMMIT; {after}"
    connection.health_check_done = True
    fresh = connection.connection is None
    try:
        return _sent(whole, [*values, *asked])
    except OperationalError:
        if fresh:
            raise
        return _sent(whole, [*values, *asked])


def _sent(whole: str, values: list[Any]) -> tuple[int, tuple[Any, ...]]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(whole, values)
            cursor.nextset(), cursor.nextset()
            written = cursor.rowcount
            cursor.nextset(), cursor.nextset()
            return written, cursor.fetchone()
    except BaseException:
        # What was begun ends with the line it was begun on.
        connection.close()
        raise


@contextmanager
def as_person(person_id: int) -> Iterator[None]:
    """One transaction in which a person's own memberships can be seen, to learn which organisations they may enter."""
    with transaction.atomic():
        _set_local("app.person", str(int(person_id)))
        yield
        _set_local("app.person", "")


def _set_local(name: str, value: str) -> None:
    # The value is a UUID or a number by now; SET takes no parameters, so it is written as a literal.
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL {name} = '{value}'")
