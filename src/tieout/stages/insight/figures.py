"""The figures of the overview, per currency and never added across: open by age, unmatched money, who holds the overdue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import connection

from tieout.core import measures
from tieout.stages.base import walls
from tieout.stages.insight.items import BUCKET, BUCKETS, OPEN, PARTS, WHOLE


class Cell(msgspec.Struct, frozen=True):
    """How many items, and their sum in minor units."""

    count: int = 0
    minor: int = 0

    def __add__(self, other: Cell) -> Cell:
        return Cell(self.count + other.count, self.minor + other.minor)


class Aged(msgspec.Struct, frozen=True, kw_only=True):
    """One currency: open invoices by age, credit notes and unapplied money beside them."""

    currency: str
    buckets: dict[str, Cell]
    credit: Cell = Cell()
    unapplied: Cell = Cell()

    @property
    def open(self) -> Cell:
        return sum(self.buckets.values(), Cell())

    @property
    def overdue(self) -> Cell:
        return sum((self.buckets.get(name, Cell()) for name in ("1-30", "31-60", "61-90", "90+")), Cell())

    @property
    def over_60(self) -> Cell:
        return self.buckets.get("61-90", Cell()) + self.buckets.get("90+", Cell())


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """One of the customers that owe most of what is overdue in a currency; `percent` of all of it, rounded down."""

    currency: str
    customer_id: int
    name: str
    items: int
    minor: int
    percent: int


# Grouped by day and sorted into buckets afterwards: the index over open documents is read once, in order, and nothing else.
_DAYS = f"""
SELECT currency, kind, due_date, count(*), sum(open_minor)::bigint FROM ({WHOLE}) whole GROUP BY 1, 2, 3
UNION ALL
SELECT currency, kind, due_date, count(*), sum(open_minor)::bigint FROM ({PARTS}) parts GROUP BY 1, 2, 3
UNION ALL
SELECT currency, 'payment', NULL, count(*), sum(unapplied_minor)::bigint
  FROM ledger_payment WHERE organisation_id = %(o)s AND unapplied_minor > 0 GROUP BY 1"""

_AGING_OF = f"""
SELECT currency, kind, {BUCKET} AS bucket, count(*), sum(open_minor)::bigint FROM ({OPEN}) items WHERE customer_id = %(customer)s GROUP BY 1, 2, 3
UNION ALL
SELECT currency, 'payment', '', count(*), sum(unapplied_minor)::bigint
  FROM ledger_payment WHERE organisation_id = %(o)s AND customer_id = %(customer)s AND unapplied_minor > 0 GROUP BY 1"""

_HOLDERS = f"""
WITH per AS (SELECT currency, customer_id, count(*) AS items, sum(open_minor)::bigint AS minor
          FROM ({OPEN}) items WHERE kind = 'invoice' AND due_date < %(today)s GROUP BY 1, 2),
ranked AS (SELECT *, row_number() OVER (PARTITION BY currency ORDER BY minor DESC, customer_id) AS place,
                  sum(minor) OVER (PARTITION BY currency) AS total FROM per)
SELECT r.currency, r.customer_id, c.name, r.items, r.minor, (r.minor * 100 / r.total)::int
  FROM (SELECT * FROM ranked WHERE place <= 3) r JOIN ledger_customer c ON (c.organisation_id, c.id) = (%(o)s, r.customer_id)
 ORDER BY r.currency, r.place"""


def aging(*, today: dt.date) -> list[Aged]:
    """Open receivables by age on `today`, one per currency in the order of its code. One statement over open items only."""
    rows = _rows(_DAYS, {})
    aged = ((code, kind, "" if kind == "payment" else measures.bucket(due, today), items, minor) for code, kind, due, items, minor in rows)
    return _by_currency(aged)


def aging_of(*, customer_id: int, today: dt.date) -> list[Aged]:
    """The same for one customer."""
    return _by_currency(_rows(_AGING_OF, {"today": today, "customer": customer_id}))


def holders(*, today: dt.date) -> list[Holder]:
    """Up to three customers per currency that owe most of what is overdue on `today`."""
    return [
        Holder(currency=currency, customer_id=customer, name=name, items=items, minor=minor, percent=percent)
        for currency, customer, name, items, minor, percent in _rows(_HOLDERS, {"today": today})
    ]


def _by_currency(rows: Iterable[tuple[Any, ...]]) -> list[Aged]:
    found: dict[str, dict[tuple[str, str], Cell]] = {}
    for currency, kind, bucket, items, minor in rows:
        cells = found.setdefault(currency, {})
        cells[kind, bucket] = cells.get((kind, bucket), Cell()) + Cell(items, minor)
    return [_aged(currency, found[currency]) for currency in sorted(found)]


def _aged(currency: str, cells: dict[tuple[str, str], Cell]) -> Aged:
    credits = [cell for (kind, _), cell in cells.items() if kind == "credit_note"]
    return Aged(
        currency=currency,
        buckets={name: cells[("invoice", name)] for name in BUCKETS if ("invoice", name) in cells},
        credit=sum(credits, Cell()),
        unapplied=cells.get(("payment", ""), Cell()),
    )


def _rows(statement: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"o": walls.current()} | given)
        return cursor.fetchall()
