"""What happens when on a working day of the sample company, in its own zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")

#: Files in the morning, then the day is judged, people work, letters leave; debtors answer in the afternoon. The second dispatch
#: is the morning of the customers overseas. What happened in the web shop is looked at before letters leave.
DAY: tuple[tuple[dt.time, str], ...] = (
    (dt.time(7, 30), "files"),
    (dt.time(8, 0), "judge"),
    (dt.time(9, 15), "mail"),
    (dt.time(9, 30), "desk"),
    (dt.time(9, 55), "shop"),
    (dt.time(10, 5), "send"),
    (dt.time(15, 30), "answers"),
    (dt.time(16, 5), "send"),
)


def between(after: dt.datetime, until: dt.datetime) -> Iterator[tuple[dt.datetime, str]]:
    """Everything that happens after a moment, up to and with another."""
    day = after.astimezone(ZONE).date()
    while day <= until.astimezone(ZONE).date():
        for time, what in DAY if day.weekday() < 5 else ():
            moment = dt.datetime.combine(day, time, ZONE).astimezone(dt.UTC)
            if after < moment <= until:
                yield moment, what
        day += dt.timedelta(days=1)


def at(day: dt.date, hour: int) -> dt.datetime:
    """An hour of a day in the company's zone."""
    return dt.datetime.combine(day, dt.time(hour), ZONE).astimezone(dt.UTC)
