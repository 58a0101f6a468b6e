"""The one clock. Below this room the moment is always an argument.

A demo organisation may have its days moved forward (`Profile.clock_offset_days`); every other runs on real time.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from tieout.stages.base import queries


class Clock(Protocol):
    def __call__(self) -> dt.datetime: ...


def _real() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


_clock: Clock = _real


def inject(clock: Clock | None) -> None:
    """Run on another clock (tests, simulations); None returns to the real one."""
    global _clock
    _clock = clock or _real


def real_now() -> dt.datetime:
    """The moment, without any organisation's offset."""
    return _clock()


def now() -> dt.datetime:
    """The moment in the current organisation."""
    return _clock() + dt.timedelta(days=queries.profile().clock_offset_days)


def today() -> dt.date:
    """The business day in the current organisation's zone."""
    return queries.today_of(queries.profile(), now())
