"""Silence: a source that says nothing in hours in which it usually speaks, judged by its own past (docs/formulas/silence.md)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

#: At least so many whole weeks must be known before silence means anything, and no more than so many are looked at.
LEAST_WEEKS, MOST_WEEKS = 4, 8
#: Silence is told where chance alone would bring it about less often than once in so many times.
ODDS = 1_000
_HOUR, _WEEK = dt.timedelta(hours=1), dt.timedelta(days=7)


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """How quiet a source is: since when, how many of the hours since then usually bring something, over how many weeks that is known."""

    silent: bool
    since: dt.datetime | None = None
    usual_hours: int = 0
    weeks: int = 0


def judge(arrivals: Iterable[dt.datetime], *, now: dt.datetime, zone: ZoneInfo) -> Silence:
    """Whether it is silence, at `now`, that nothing has come since the last of `arrivals`. Hours of the week are those of `zone`."""
    hours = sorted({moment.astimezone(zone).replace(minute=0, second=0, microsecond=0, tzinfo=None) for moment in arrivals if moment <= now})
    if not hours:
        return Silence(silent=False)
    last = hours[-1]
    weeks = min(MOST_WEEKS, (last - hours[0]) // _WEEK)
    since = last.replace(tzinfo=zone)
    if weeks < LEAST_WEEKS:
        return Silence(silent=False, since=since, weeks=weeks)
    # Counted back from the last arrival, so that a long silence does not become what is usual.
    spoke = Counter(_slot(hour) for hour in hours if last - weeks * _WEEK < hour)
    odds, usual = 1.0, 0
    this_hour = now.astimezone(zone).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    hour = max(last + _HOUR, this_hour - _WEEK)
    while hour < this_hour:
        odds *= 1 - spoke[_slot(hour)] / (weeks + 1)
        usual += 2 * spoke[_slot(hour)] > weeks
        hour += _HOUR
    return Silence(silent=odds * ODDS < 1, since=since, usual_hours=usual, weeks=weeks)


def _slot(hour: dt.datetime) -> tuple[int, int]:
    return hour.weekday(), hour.hour
