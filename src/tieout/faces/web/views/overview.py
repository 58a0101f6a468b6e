"""The overview: what is open and how old, what comes in, what waits, and whether to believe it."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpResponse
from django.shortcuts import render

from tieout.faces.web.asked import Request
from tieout.faces.web.may import may
from tieout.stages.collect import baseline, listing
from tieout.stages.insight import expected, figures
from tieout.stages.insight.charts import aging_bar, cash_expected

PRESSING = 6
LABELS = {
    "current": "Current", "1-30": "1–30 days", "31-60": "31–60 days", "60+": "60+ days", "61-90": "61–90", "90+": "90+", "no_due_date": "No due date",
}
LOOKS = {"current": "a0", "1-30": "a1", "31-60": "a2", "61-90": "a3", "90+": "a4", "no_due_date": "an"}


class Column(msgspec.Struct, frozen=True):
    """A column of the aging: its filter, label, colour, and for 60+ the two beneath it."""

    bucket: str
    label: str
    look: str
    cell: figures.Cell
    beneath: tuple[Column, ...] = ()


class Ages(msgspec.Struct, frozen=True):
    """One currency of the aging card."""

    currency: str
    bar: str
    columns: tuple[Column, ...]


@may("view")
def page(request: Request) -> HttpResponse:
    """Figures per currency, the organisation's own currency first; nothing is added across currencies."""
    first = request.profile.base_currency
    aged = sorted(figures.aging(today=request.today), key=lambda a: (a.currency != first, a.currency))
    values: dict[str, Any] = {
        "aged": aged,
        "ages": [_ages(a) for a in aged if a.open.count],
        "pressing": listing.worklist(limit=PRESSING, today=request.today).rows,
    }
    return render(request, "web/overview.html", values)


@may("view")
def coming(request: Request) -> HttpResponse:
    """Cash expected: the figure, and the line of one currency. Read apart from the page: it weighs every customer's habit."""
    first = request.profile.base_currency
    found = sorted(expected.expected(today=request.today), key=lambda e: (e.currency != first, e.currency))
    return render(request, "web/_expected.html", {"coming": found, **_chart(found, request.GET.get("expected", ""))})


@may("view")
def holders(request: Request) -> HttpResponse:
    """Who holds most of what is overdue. Read apart from the page: it sums every overdue account."""
    found: dict[str, list[figures.Holder]] = {}
    for holder in figures.holders(today=request.today):
        found.setdefault(holder.currency, []).append(holder)
    values = [(currency, rows, sum(row.percent for row in rows)) for currency, rows in found.items()]
    return render(request, "web/_holders.html", {"holders": values})


@may("view")
def effect(request: Request) -> HttpResponse:
    """What has changed since the first release. Read apart from the page: it looks through a quarter's billing."""
    return render(request, "web/_effect.html", {"effect": baseline.compare(today=request.today)})


def _ages(aged: figures.Aged) -> Ages:
    cells = aged.buckets
    parts = [(LABELS[name], LOOKS[name], cells[name].minor) for name in LOOKS if name in cells]
    columns = [_column(name, cells) for name in ("current", "1-30", "31-60")]
    columns.append(Column("60+", LABELS["60+"], "a3", aged.over_60, (_column("61-90", cells), _column("90+", cells))))
    if "no_due_date" in cells:
        columns.append(_column("no_due_date", cells))
    bar = aging_bar.draw(parts, title=f"Open invoices in {aged.currency} by age")
    return Ages(aged.currency, bar, tuple(columns))


def _column(name: str, cells: dict[str, figures.Cell]) -> Column:
    return Column(name, LABELS[name], LOOKS[name], cells.get(name, figures.Cell()))


def _chart(coming: list[expected.Expected], wanted: str) -> dict[str, Any]:
    chosen = next((e for e in coming if e.currency == wanted), coming[0] if coming else None)
    if chosen is None:
        return {"chosen": None}
    points = [(p.date, p.low, p.mid, p.high) for p in chosen.line]
    title = f"Cash expected in {chosen.currency} over {expected.WEEKS} weeks"
    return {"chosen": chosen, "chart": cash_expected.draw(points, currency=chosen.currency, title=title), "weeks": expected.WEEKS}
