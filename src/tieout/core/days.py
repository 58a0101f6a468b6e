"""Days and zones: terms, business calendars, local windows. Today is always an argument.

A due date is a date, never an instant. Counting "N consecutive days" is done in local calendar days, today
included, never in multiples of 24 hours: a span over a clock change is 23 or 25 hours longer or shorter
(compliance note, section 2).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import holidays
import msgspec
from babel.core import get_global


class Window(msgspec.Struct, frozen=True):
    """Local opening hours on some weekdays (0 is Monday): contact may start at `opens`, never at or after `closes`."""

    opens: dt.time = dt.time(9)
    closes: dt.time = dt.time(17)
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    """Names of the zone database, read once: asking for them opens every file of it."""
    return frozenset(available_timezones())


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The zone, or ValueError where the name is not in the zone database."""
    if name not in _zone_names():
        raise ValueError(f"{name!r} is not a time zone of the IANA database")
    return ZoneInfo(name)


@lru_cache(maxsize=512)
def zones_of(country: str | None) -> tuple[str, ...]:
    """Every time zone of the ISO 3166 country (the candidates where the recipient's own is not known); () for an unknown one."""
    territories = get_global("zone_territories")
    known = _zone_names()
    return tuple(sorted(name for name, code in territories.items() if country and code == country and name in known))


@lru_cache(maxsize=1024)
def _country_holidays(country: str, year: int) -> frozenset[dt.date]:
    return frozenset(holidays.country_holidays(country, years=year)) if knows_holidays(country) else frozenset()


@lru_cache(maxsize=512)
def knows_holidays(country: str | None) -> bool:
    """Whether a public holiday calendar exists for the ISO 3166 country."""
    return bool(country) and country in holidays.list_supported_countries()


def is_holiday(day: dt.date, country: str | None) -> bool:
    """Whether `day` is a public holiday in the whole of `country`; False where no calendar is known."""
    return bool(country) and day in _country_holidays(str(country), day.year)


def is_business_day(day: dt.date, country: str | None, weekdays: frozenset[int] = Window().weekdays) -> bool:
    """A weekday that is no public holiday."""
    return day.weekday() in weekdays and not is_holiday(day, country)


def next_business_day(day: dt.date, country: str | None) -> dt.date:
    """`day` itself if it is a business day, else the first one after it."""
    while not is_business_day(day, country):
        day += dt.timedelta(days=1)
    return day


def add_business_days(day: dt.date, count: int, country: str | None) -> dt.date:
    """The `count`-th business day after `day`."""
    for _ in range(count):
        day = next_business_day(day + dt.timedelta(days=1), country)
    return day


def days_past(due: dt.date, today: dt.date) -> int:
    """Days past due; negative before the due date, 0 on it (an invoice is overdue from the day after)."""
    return (today - due).days


def net_due(issue: dt.date, days: int, *, end_of_month: bool = False) -> dt.date:
    """Due date by terms: `days` after issue, or after the end of the issue month for `end_of_month` terms."""
    start = issue
    if end_of_month:
        start = (issue.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    return start + dt.timedelta(days=days)


def within_last_days(event: dt.date, today: dt.date, days: int) -> bool:
    """Whether `event` falls in the `days` local calendar days that end with `today`, today included."""
    return today - dt.timedelta(days=days - 1) <= event <= today


def blocked_because(moment: dt.datetime, zones: Sequence[str], country: str | None, window: Window) -> str | None:
    """Why a contact may not start at `moment`, or None. With several candidate zones every one must be open; with none
    known nothing is (what is not known counts against sending). Raises ValueError for a moment without its zone."""
    if moment.tzinfo is None:
        raise ValueError("the moment of a contact must carry its zone")
    if not zones:
        return "the recipient's time zone is not known"
    for name in zones:
        local = moment.astimezone(zone(name))
        if local.weekday() not in window.weekdays:
            return f"{local:%A} is outside the contact days ({name})"
        if is_holiday(local.date(), country):
            return f"{local.date()} is a public holiday in {country}"
        if not window.opens <= local.time() < window.closes:
            return f"{local:%H:%M} is outside {window.opens:%H:%M}-{window.closes:%H:%M} ({name})"
    return None


def next_open(moment: dt.datetime, zones: Sequence[str], country: str | None, window: Window) -> dt.datetime | None:
    """First moment from `moment` on at which every zone is open; None where that never happens within a month."""
    if blocked_because(moment, zones, country, window) is None:
        return moment
    candidates: list[dt.datetime] = []
    for name in zones:
        local = moment.astimezone(zone(name))
        for offset in range(32):
            opening = dt.datetime.combine(local.date() + dt.timedelta(days=offset), window.opens, zone(name))
            if opening > moment:
                candidates.append(opening)
    for candidate in sorted(candidates):
        if blocked_because(candidate, zones, country, window) is None:
            return candidate.astimezone(dt.UTC)
    return None
