"""The one clock. Below this room the moment is always an argument.

A demo organisation may have its days moved forward (`Profile.clock_offset_days`); every other runs on real time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol
from uuid import UUID

from django.db import connection

from tieout.stages.base import queries


class Clock(Protocol):
    def __call__(self) -> dt.datetime: ...


def _real() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


_clock: Clock = _real
_standing: ContextVar[dt.datetime | None] = ContextVar("tieout_moment", default=None)


def inject(clock: Clock | None) -> None:
    """Run on another clock (tests, simulations); None returns to the real one."""
    global _clock
    _clock = clock or _real


@contextmanager
def standing_at(moment: dt.datetime) -> Iterator[None]:
    """A rehearsal lives a day in a moment: in this thread, and until the block ends, the organisation's clock stands at `moment`."""
    token = _standing.set(moment)
    try:
        yield
    finally:
        _standing.reset(token)


@contextmanager
def moving(organisation_id: UUID) -> Iterator[None]:
    """While a rehearsal moves an organisation's time, no job may look at it by the time it is leaving: waits for those that do."""
    _ask("SELECT pg_advisory_lock(hashtextextended(%s, 0))", organisation_id)
    try:
        yield
    finally:
        _ask("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", organisation_id)


@contextmanager
def in_step(organisation_id: UUID) -> Iterator[bool]:
    """Whether a job may work on the organisation now; its time does not move before the block ends."""
    free = _ask("SELECT pg_try_advisory_lock_shared(hashtextextended(%s, 0))", organisation_id)
    try:
        yield free
    finally:
        if free:
            _ask("SELECT pg_advisory_unlock_shared(hashtextextended(%s, 0))", organisation_id)


def _ask(question: str, organisation_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, [f"time of {organisation_id}"])
        return bool(cursor.fetchone()[0])


def real_now() -> dt.datetime:
    """The moment, without any organisation's offset."""
    return _clock()


def now() -> dt.datetime:
    """The moment in the current organisation."""
    return _standing.get() or _clock() + dt.timedelta(days=queries.days_ahead())


def today() -> dt.date:
    """The business day in the current organisation's zone."""
    return queries.today_of(queries.profile(), now())
