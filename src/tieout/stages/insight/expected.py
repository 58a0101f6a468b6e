"""What money to expect and when: each customer's usual delay on top of its due dates, promises by their day.

A first form, stated so that anybody can redo it (`items.EXPECTED_DATE`): an open invoice is expected on its due date plus the customer's median
days late (the organisation's where the customer has no history), a promised one on the promised day. Disputed invoices
and customers in legal dispute or insolvency are left out; what is past its usual day is told apart and not counted.
The band says what happens if everybody pays a week earlier or a week later than usual.
"""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import connection

from tieout.stages.base import walls
from tieout.stages.insight.items import DELAYS, EXPECTED_DATE, PARTS, SPECIAL, WHOLE

WEEKS = 8
SWING = dt.timedelta(days=7)


class Point(msgspec.Struct, frozen=True):
    """Money expected from today up to `date`, with the band; minor units."""

    date: dt.date
    low: int
    mid: int
    high: int


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """One currency: the fortnight, the weekly line, and what is past its usual day (not counted)."""

    currency: str
    fortnight: Point
    line: tuple[Point, ...]
    past_usual_minor: int
    past_usual_count: int


# Documents that are promised, disputed or at law are few and take the long way; the rest is one look-up of each customer's habit.
_DAYS = f"""
WITH delays AS MATERIALIZED ({DELAYS}),
usual AS MATERIALIZED (SELECT coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY delay), 0) AS delay FROM delays),
special AS MATERIALIZED ({SPECIAL})
SELECT i.currency, i.due_date + coalesce(y.delay, u.delay), sum(i.open_minor)::bigint, count(*)
  FROM ({WHOLE}) i CROSS JOIN usual u LEFT JOIN delays y ON y.customer_id = i.customer_id
 WHERE i.kind = 'invoice' AND i.id NOT IN (SELECT id FROM special) GROUP BY 1, 2
UNION ALL
SELECT i.currency, {EXPECTED_DATE}, sum(i.open_minor)::bigint, count(*)
  FROM (SELECT * FROM ({WHOLE}) w WHERE w.id IN (SELECT id FROM special) UNION ALL {PARTS}) i
 CROSS JOIN usual u LEFT JOIN delays y ON y.customer_id = i.customer_id
 WHERE i.kind = 'invoice' GROUP BY 1, 2"""


def expected(*, today: dt.date) -> list[Expected]:
    """Expected money per currency from `today` on, ordered by currency code."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"o": walls.current()})
        rows = cursor.fetchall()
    days: dict[str, list[tuple[dt.date, int, int]]] = {}
    for currency, day, minor, count in rows:
        if day is not None:
            days.setdefault(currency, []).append((day, minor, count))
    return [forecast(currency, days[currency], today=today) for currency in sorted(days)]


def forecast(currency: str, days: list[tuple[dt.date, int, int]], *, today: dt.date) -> Expected:
    """The line of one currency from (usual day, minor units, items). Pure."""
    coming = [(day, minor) for day, minor, _ in days if day >= today]
    past = [(minor, count) for day, minor, count in days if day < today]
    return Expected(
        currency=currency,
        fortnight=_until(coming, today + dt.timedelta(days=14)),
        line=(Point(today, 0, 0, 0), *(_until(coming, today + dt.timedelta(days=7 * week)) for week in range(1, WEEKS + 1))),
        past_usual_minor=sum(minor for minor, _ in past),
        past_usual_count=sum(count for _, count in past),
    )


def _until(coming: list[tuple[dt.date, int]], date: dt.date) -> Point:
    low, mid, high = (sum(minor for day, minor in coming if day + shift <= date) for shift in (SWING, dt.timedelta(), -SWING))
    return Point(date, low, mid, high)
