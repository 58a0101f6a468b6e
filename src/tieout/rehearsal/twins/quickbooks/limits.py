"""How much may be asked: counted by company, by the twin's clock, and only where somebody sets limits."""

from __future__ import annotations

import datetime as dt
from collections import deque

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much one company's app may ask."""

    per_minute: int = 500
    per_second: int = 10
    batches_per_minute: int = 40


class Meter:
    """Counts requests against limits."""

    def __init__(self, limits: Limits | None) -> None:
        self._limits = limits
        self._asked: dict[str, deque[dt.datetime]] = {}
        self._batches: dict[str, deque[dt.datetime]] = {}

    def admits(self, realm: str, *, batch: bool, now: dt.datetime) -> bool:
        """Whether one more request fits; one that does is counted."""
        limits = self._limits
        if limits is None:
            return True
        asked = self._asked.setdefault(realm, deque(maxlen=limits.per_minute))
        batches = self._batches.setdefault(realm, deque(maxlen=limits.batches_per_minute))
        minute, second = now - dt.timedelta(minutes=1), now - dt.timedelta(seconds=1)
        if _full(asked, limits.per_minute, minute) or _full(asked, limits.per_second, second):
            return False
        if batch and _full(batches, limits.batches_per_minute, minute):
            return False
        asked.append(now)
        if batch:
            batches.append(now)
        return True


def _full(moments: deque[dt.datetime], most: int, since: dt.datetime) -> bool:
    return len(moments) >= most and moments[-most] > since
