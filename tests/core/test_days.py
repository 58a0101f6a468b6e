"""Days and zones: terms, business calendars, and windows that hold in every zone, over every change of the clocks."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.core import days
from tieout.core.days import Window

WINDOW = Window()
ZONES = ["Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
dates = st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31))
moments = st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2028, 12, 31), timezones=st.just(dt.UTC))
countries = st.sampled_from([None, "DE", "US", "JP"])


@pytest.mark.parametrize(
    ("issue", "terms", "end_of_month", "due"),
    [
        pytest.param("2026-01-15", 30, False, "2026-02-14", id="thirty days"),
        pytest.param("2026-01-15", 30, True, "2026-03-02", id="thirty days after the end of January"),
        pytest.param("2028-02-10", 0, True, "2028-02-29", id="end of a leap February"),
        pytest.param("2026-12-31", 0, True, "2026-12-31", id="the last day of a month is its own end"),
        pytest.param("2026-02-28", 1, True, "2026-03-01", id="a day after the end of February"),
        pytest.param("2026-05-05", 0, False, "2026-05-05", id="due at once"),
    ],
)
def test_due_dates_by_terms(issue: str, terms: int, end_of_month: bool, due: str) -> None:
    assert days.net_due(dt.date.fromisoformat(issue), terms, end_of_month=end_of_month) == dt.date.fromisoformat(due)


@pytest.mark.parametrize(
    ("day", "country", "business"),
    [
        pytest.param("2026-12-25", "DE", False, id="Christmas in Germany, a Friday"),
        pytest.param("2026-12-25", None, True, id="no country, no holidays"),
        pytest.param("2026-07-04", "US", False, id="a Saturday"),
        pytest.param("2026-11-26", "US", False, id="Thanksgiving"),
        pytest.param("2026-11-26", "DE", True, id="not Thanksgiving in Germany"),
        pytest.param("2026-11-27", "US", True, id="the day after Thanksgiving"),
    ],
)
def test_business_days(day: str, country: str | None, business: bool) -> None:
    assert days.is_business_day(dt.date.fromisoformat(day), country) is business


def test_a_country_without_a_calendar_is_told_apart() -> None:
    assert days.knows_holidays("DE")
    assert not days.knows_holidays("ZZ")
    assert not days.knows_holidays(None)


@given(dates, countries)
def test_the_next_business_day_is_the_first_from_the_day_on(day: dt.date, country: str | None) -> None:
    found = days.next_business_day(day, country)
    assert days.is_business_day(found, country)
    assert not any(days.is_business_day(day + dt.timedelta(days=n), country) for n in range((found - day).days))


@given(dates, st.integers(0, 30), countries)
def test_business_days_are_counted_one_by_one(day: dt.date, count: int, country: str | None) -> None:
    found = days.add_business_days(day, count, country)
    between = [day + dt.timedelta(days=n) for n in range(1, (found - day).days + 1)]
    assert sum(days.is_business_day(d, country) for d in between) == count


@given(dates, st.integers(-400, 400), st.integers(1, 60))
def test_the_last_days_include_today_and_exactly_that_many(today: dt.date, shift: int, count: int) -> None:
    event = today + dt.timedelta(days=shift)
    assert days.within_last_days(event, today, count) == (0 <= (today - event).days < count)
    assert days.days_past(event, today) == -shift


@pytest.mark.parametrize(
    ("moment", "zones", "country", "says"),
    [
        pytest.param("2026-06-16T07:00:00", ["Europe/Berlin"], "DE", None, id="nine in Berlin"),
        pytest.param("2026-06-16T06:59:59", ["Europe/Berlin"], "DE", "outside 09:00-17:00", id="a second before nine"),
        pytest.param("2026-06-16T15:00:00", ["Europe/Berlin"], "DE", "outside 09:00-17:00", id="five sharp is closed"),
        pytest.param("2026-06-20T10:00:00", ["Europe/Berlin"], "DE", "Saturday is outside", id="a Saturday"),
        pytest.param("2026-12-25T10:00:00", ["Europe/Berlin"], "DE", "public holiday in DE", id="Christmas"),
        pytest.param("2026-06-16T07:00:00", ["Europe/Berlin", "America/New_York"], None, "America/New_York", id="night in one of two zones"),
        pytest.param("2026-06-15T00:30:00", ["America/Los_Angeles"], None, "Sunday", id="still Sunday over there"),
        pytest.param("2026-06-16T07:00:00", [], None, "not known", id="no zone known is never open"),
    ],
)
def test_the_window_in_every_zone(moment: str, zones: list[str], country: str | None, says: str | None) -> None:
    found = days.blocked_because(dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC), zones, country, WINDOW)
    assert found is None if says is None else says in str(found)


def test_a_moment_without_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="must carry its zone"):
        days.blocked_because(dt.datetime(2026, 6, 16, 9), ["UTC"], None, WINDOW)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "europe/berlin", "../etc/passwd"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        days.zone(name)


@settings(max_examples=150, deadline=None)
@given(moments, st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True), countries)
def test_the_next_opening_is_open_and_nothing_before_it_is(moment: dt.datetime, zones: list[str], country: str | None) -> None:
    found = days.next_open(moment, zones, country, WINDOW)
    if found is None:
        # Zones whose hours never meet: no hour of the next month is open in all of them.
        assert all(days.blocked_because(moment + dt.timedelta(hours=h), zones, country, WINDOW) for h in range(24 * 30))
        return
    assert found >= moment
    assert days.blocked_because(found, zones, country, WINDOW) is None
    steps = int((found - moment).total_seconds() // 900)
    assert all(days.blocked_because(moment + dt.timedelta(minutes=15 * n), zones, country, WINDOW) for n in range(steps))


@settings(max_examples=150, deadline=None)
@given(moments, st.lists(st.sampled_from(ZONES), min_size=1, max_size=2), st.sampled_from(ZONES), countries)
def test_one_more_candidate_zone_never_opens_a_window(moment: dt.datetime, zones: list[str], more: str, country: str | None) -> None:
    if days.blocked_because(moment, zones, country, WINDOW) is not None:
        assert days.blocked_because(moment, [*zones, more], country, WINDOW) is not None


@pytest.mark.parametrize("offset", range(-3, 4))
def test_nine_is_nine_on_both_sides_of_a_change_of_the_clocks(offset: int) -> None:
    window = Window(weekdays=frozenset(range(7)))
    for change in (dt.date(2026, 3, 29), dt.date(2026, 10, 25)):
        midnight = dt.datetime.combine(change + dt.timedelta(days=offset), dt.time(0), days.zone("Europe/Berlin"))
        opens = days.next_open(midnight, ["Europe/Berlin"], None, window)
        assert opens is not None
        assert opens.astimezone(days.zone("Europe/Berlin")).time() == dt.time(9)
