"""Aging and DSO: exact sums, one bucket per item, nothing guessed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.core import measures
from tieout.core.measures import silence

DAY = dt.date(2026, 6, 30)
SCHEMA = {
    "customer_id": pl.String,
    "currency": pl.String,
    "kind": pl.String,
    "status": pl.String,
    "document_date": pl.Date,
    "due_date": pl.Date,
    "amount_minor": pl.Int64,
    "open_minor": pl.Int64,
    "contested_minor": pl.Int64,
}


def book(*rows: tuple[str | None, str, str, dt.date | None, int]) -> pl.DataFrame:
    """Rows of (customer, currency, kind, due date, open)."""
    made = [
        {"customer_id": c, "currency": cur, "kind": k, "status": "open", "document_date": None, "due_date": due, "amount_minor": o, "open_minor": o}
        | {"contested_minor": 0}
        for c, cur, k, due, o in rows
    ]
    return pl.DataFrame(made, schema=SCHEMA)


def due(days_ago: int) -> dt.date:
    return DAY - dt.timedelta(days=days_ago)


@pytest.mark.parametrize(
    ("due_date", "expected"),
    [
        pytest.param(due(-5), "current", id="not yet due"),
        pytest.param(due(0), "current", id="due today is not overdue"),
        pytest.param(due(1), "1-30", id="overdue from the day after"),
        pytest.param(due(30), "1-30", id="thirty days"),
        pytest.param(due(31), "31-60", id="thirty-one days"),
        pytest.param(due(60), "31-60", id="sixty days"),
        pytest.param(due(61), "61-90", id="sixty-one days"),
        pytest.param(due(90), "61-90", id="ninety days"),
        pytest.param(due(91), "90+", id="ninety-one days"),
        pytest.param(dt.date(1999, 1, 1), "90+", id="very old"),
        pytest.param(None, "no_due_date", id="a missing due date is never guessed"),
    ],
)
def test_one_item_stands_in_one_bucket(due_date: dt.date | None, expected: str) -> None:
    assert measures.bucket(due_date, DAY) == expected
    aged = measures.aging(book(("brightwater", "EUR", "invoice", due_date, 7)), DAY).row(0, named=True)
    names = [name for name, _ in measures.BUCKETS] + [measures.NO_DUE_DATE]
    assert {name: aged[name] for name in names if aged[name]} == {expected: 7}
    assert aged["60+"] == (7 if expected in ("61-90", "90+") else 0)


def test_credits_and_unapplied_money_stand_apart_and_only_lower_the_net() -> None:
    rows = book(
        ("brightwater", "EUR", "invoice", due(40), 100_00),
        ("brightwater", "EUR", "credit_note", None, 30_00),
        ("brightwater", "EUR", "payment", None, 90_00),
    )
    aged = measures.aging(rows, DAY).row(0, named=True)
    picked = {name: aged[name] for name in ("31-60", "total", "credit", "unapplied", "net")}
    assert picked == {"31-60": 100_00, "total": 100_00, "credit": 30_00, "unapplied": 90_00, "net": -20_00}


def test_currencies_are_never_added_together() -> None:
    aged = measures.aging(book(("b", "EUR", "invoice", due(1), 1), ("b", "USD", "invoice", due(1), 2)), DAY)
    assert aged.select("currency", "total").rows() == [("EUR", 1), ("USD", 2)]
    assert measures.totals(aged).select("currency", "customers", "total").rows() == [("EUR", 1, 1), ("USD", 1, 2)]


def test_nothing_open_is_no_row() -> None:
    assert measures.aging(book(("b", "EUR", "invoice", due(1), 0)), DAY).is_empty()
    assert measures.aging(book(), DAY).is_empty()


items = st.lists(
    st.tuples(
        st.sampled_from(["b", "c", None]),
        st.sampled_from(["EUR", "JPY"]),
        st.sampled_from(["invoice", "credit_note", "payment"]),
        st.none() | st.dates(due(200), due(-40)),
        st.integers(0, 10**13),
    ),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(items)
def test_buckets_sum_to_the_total_and_match_a_count_by_hand(rows: list[tuple[str | None, str, str, dt.date | None, int]]) -> None:
    expected: Counter[tuple[str | None, str, str]] = Counter()
    for customer, currency, kind, due_date, minor in rows:
        name = {"credit_note": "credit", "payment": "unapplied"}.get(kind) or measures.bucket(due_date, DAY)
        expected[customer, currency, name] += minor
    aged = measures.aging(book(*rows), DAY)
    names = [name for name, _ in measures.BUCKETS] + [measures.NO_DUE_DATE, "credit", "unapplied"]
    found = Counter({(r["customer_id"], r["currency"], n): r[n] for r in aged.to_dicts() for n in names})
    assert +found == +expected
    for row in aged.to_dicts():
        assert row["total"] == sum(row[name] for name, _ in measures.BUCKETS) + row["no_due_date"]


def dated(kind: str, day: dt.date | None, amount: int, open_minor: int, **changes: object) -> dict[str, object]:
    plain = {"customer_id": "b", "currency": "EUR", "kind": kind, "status": "open", "document_date": day, "due_date": None}
    return {**plain, "amount_minor": amount, "open_minor": open_minor, "contested_minor": 0, **changes}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([dated("invoice", due(10), 900, 300)], 300, id="a third of the quarter's sales open is thirty days"),
        pytest.param([dated("invoice", due(89), 900, 300)], 300, id="the first day of the period counts"),
        pytest.param([dated("invoice", due(90), 900, 300)], None, id="nothing billed in the period gives no figure"),
        pytest.param([dated("invoice", due(10), 900, 300), dated("credit_note", due(5), 300, 100)], 300, id="credit notes lower both sides"),
        pytest.param([dated("invoice", due(10), 900, 300), dated("payment", due(1), 100, 100)], 200, id="unapplied money lowers what is open"),
        pytest.param(
            [dated("invoice", due(10), 900, 300), dated("invoice", due(9), 900, 0, status="void")], 300, id="void documents were not billed"
        ),
        pytest.param([dated("invoice", due(10), 900, 0), dated("invoice", due(300), 50, 50)], 50, id="old debt counts as open"),
        pytest.param([dated("invoice", due(10), 700, 1)], 1, id="tenths are rounded half up"),
        pytest.param([dated("invoice", due(10), 900, 0), dated("payment", None, 300, 300)], -300, id="more credit than debt is below zero"),
    ],
)
def test_dso_in_tenths_of_a_day(rows: list[dict[str, object]], expected: int | None) -> None:
    [found] = measures.dso(pl.DataFrame(rows, schema=SCHEMA), DAY)
    assert found.tenths == expected


def test_dso_tells_the_disputed_share() -> None:
    [found] = measures.dso(pl.DataFrame([dated("invoice", due(10), 900, 300, contested_minor=90)], schema=SCHEMA), DAY)
    assert (found.tenths, found.contested_tenths) == (300, 90)


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**15), st.integers(1, 366))
def test_tenths_are_within_half_a_tenth_of_the_exact_quotient(open_minor: int, billed: int, period: int) -> None:
    tenths = measures.days_in_tenths(open_minor, billed, period)
    assert tenths is not None
    assert abs(tenths * billed - open_minor * period * 10) * 2 <= billed


BERLIN = ZoneInfo("Europe/Berlin")


def office_hours(weeks: int, until: dt.datetime) -> list[dt.datetime]:
    """Something in each hour from 9 to 17 of every weekday, up to and with the hour of `until`, for so many weeks."""
    day, found = (until - dt.timedelta(weeks=weeks)).date(), []
    while day <= until.date():
        found += [dt.datetime(day.year, day.month, day.day, hour, 20, tzinfo=BERLIN) for hour in range(9, 17) if day.weekday() < 5]
        day += dt.timedelta(days=1)
    return [moment for moment in found if until - dt.timedelta(weeks=weeks) <= moment <= until]


SPRING = dt.datetime(2026, 4, 1, 9, 30, tzinfo=BERLIN)
WEDNESDAY = dt.datetime(2026, 6, 10, 9, 30, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("weeks", "last", "now", "silent"),
    [
        pytest.param(8, WEDNESDAY, WEDNESDAY.replace(hour=12), False, id="two quiet hours are nothing"),
        pytest.param(8, WEDNESDAY, WEDNESDAY.replace(hour=13), False, id="three may happen"),
        pytest.param(8, WEDNESDAY, WEDNESDAY.replace(hour=14, minute=5), True, id="four in which it always spoke are silence"),
        pytest.param(3, WEDNESDAY, WEDNESDAY + dt.timedelta(days=3), False, id="three weeks are too few to know what is usual"),
        pytest.param(8, WEDNESDAY.replace(day=12, hour=16), WEDNESDAY.replace(day=15, hour=8), False, id="a week-end is no silence"),
        pytest.param(8, WEDNESDAY.replace(day=12, hour=16), WEDNESDAY.replace(day=15, hour=13), True, id="the Monday after it is"),
        pytest.param(8, WEDNESDAY, WEDNESDAY + dt.timedelta(days=40), True, id="a long silence does not become usual"),
        pytest.param(8, SPRING, SPRING.replace(hour=12), False, id="two hours are two when the clocks have gone forward meanwhile"),
        pytest.param(8, SPRING, SPRING.replace(hour=14), True, id="and four are four"),
    ],
)
def test_silence_is_judged_by_the_sources_own_weeks(weeks: int, last: dt.datetime, now: dt.datetime, silent: bool) -> None:
    found = silence.judge(office_hours(weeks, last), now=now, zone=BERLIN)
    assert found.silent is silent
    assert found.since == last.replace(minute=0)


def test_silence_of_nobody_is_none() -> None:
    assert not silence.judge([], now=WEDNESDAY, zone=BERLIN).silent


@given(st.lists(st.integers(0, 60 * 24 * 70), min_size=1, max_size=200), st.integers(0, 60 * 24 * 10))
def test_an_arrival_ends_every_silence(minutes: list[int], later: int) -> None:
    begun = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    arrivals = [begun + dt.timedelta(minutes=m) for m in minutes]
    now = max(arrivals) + dt.timedelta(minutes=later)
    quiet = silence.judge(arrivals, now=now, zone=BERLIN)
    assert not silence.judge([*arrivals, now], now=now, zone=BERLIN).silent
    # It only grows with time: what is silence now is silence a minute later, until something comes or a week has gone by.
    if quiet.silent and later < 60 * 24 * 6:
        assert silence.judge(arrivals, now=now + dt.timedelta(minutes=1), zone=BERLIN).silent
