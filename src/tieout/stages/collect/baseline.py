"""Where things stood at the first release, frozen, and what has changed since: DSO and aging per currency."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import polars as pl

from tieout.core import measures
from tieout.stages.base import walls
from tieout.stages.collect import fetch
from tieout.stages.collect.models import Baseline

_POSITIONS = {
    "customer_id": pl.Int64,
    "kind": pl.String,
    "currency": pl.String,
    "status": pl.String,
    "document_date": pl.Date,
    "due_date": pl.Date,
    "amount_minor": pl.Int64,
    "open_minor": pl.Int64,
    "contested_minor": pl.Int64,
}


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One currency on one day, minor units: `aging` by bucket, overdue (past due in any bucket), DSO in tenths of a day (None:
    nothing net was billed in the period)."""

    open_minor: int = 0
    overdue_minor: int = 0
    dso_tenths: int | None = None
    aging: dict[str, int] = {}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One currency then and now."""

    currency: str
    then: Figures
    now: Figures


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What has changed since the first release. What caused it is not claimed."""

    frozen_at: dt.datetime
    since: dt.date
    today: dt.date
    changes: tuple[Change, ...]

    @property
    def days(self) -> int:
        return (self.today - self.since).days


def freeze(*, today: dt.date, now: dt.datetime) -> Baseline:
    """Freeze today's figures, once: a baseline there already stays as it is."""
    known: Baseline | None = Baseline.objects.first()
    if known is not None:
        return known
    figures = of_today(today=today)
    dso = {code: {"tenths": f.dso_tenths, "open_minor": f.open_minor, "period_days": measures.PERIOD_DAYS} for code, f in figures.items()}
    row = Baseline(organisation_id=walls.current(), frozen_at=now, as_of=today, dso=dso, aging={code: f.aging for code, f in figures.items()})
    Baseline.objects.bulk_create([row], ignore_conflicts=True)  # two first releases at once: the earlier one counts
    found: Baseline = Baseline.objects.get()
    return found


def compare(*, today: dt.date) -> Effect | None:
    """The baseline beside today's figures, per currency; None before the first release."""
    kept: Baseline | None = Baseline.objects.first()
    if kept is None:
        return None
    current = of_today(today=today)
    codes = sorted({*kept.aging, *current})
    changes = tuple(Change(currency=code, then=_kept(kept, code), now=current.get(code, Figures())) for code in codes)
    return Effect(frozen_at=kept.frozen_at, since=kept.as_of, today=today, changes=changes)


def of_today(*, today: dt.date) -> dict[str, Figures]:
    """The figures of the ledger as it stands, by currency (`docs/formulas/dso.md`, `docs/formulas/aging.md`)."""
    starts = today - dt.timedelta(days=measures.PERIOD_DAYS - 1)
    found = fetch.columns(_SQL, {"org": walls.current(), "starts": starts}, _POSITIONS)
    if found.is_empty():
        return {}
    totals = {row["currency"]: row for row in measures.totals(measures.aging(found, today)).iter_rows(named=True)}
    days = {d.currency: d.tenths for d in measures.dso(found, today)}
    return {code: _figures(totals.get(code, {}), days.get(code)) for code in sorted({*totals, *days})}


def _figures(row: dict[str, Any], tenths: int | None) -> Figures:
    aging = {name: int(row.get(name) or 0) for name in measures.COLUMNS}
    return Figures(open_minor=aging["total"], overdue_minor=_overdue(aging), dso_tenths=tenths, aging=aging)


def _overdue(aging: dict[str, int]) -> int:
    return aging.get("total", 0) - aging.get("current", 0) - aging.get(measures.NO_DUE_DATE, 0)


def _kept(row: Baseline, code: str) -> Figures:
    aging = row.aging.get(code, {})
    return Figures(open_minor=aging.get("total", 0), overdue_minor=_overdue(aging), dso_tenths=row.dso.get(code, {}).get("tenths"), aging=aging)


_SQL = """
SELECT d.customer_id, d.kind, d.currency, d.status, d.issue_date AS document_date, d.due_date, d.amount_minor, d.open_minor,
       least(coalesce(x.contested, 0), d.open_minor) AS contested_minor
  FROM ledger_document d
  LEFT JOIN (SELECT document_id, sum(amount_minor)::bigint AS contested FROM dialogue_dispute
              WHERE organisation_id = %(org)s AND state = 'open' GROUP BY document_id) x ON x.document_id = d.id
 WHERE d.organisation_id = %(org)s AND (d.open_minor > 0 OR d.issue_date >= %(starts)s)
UNION ALL
SELECT customer_id, 'payment', currency, status, date, NULL, amount_minor, unapplied_minor, 0
  FROM ledger_payment WHERE organisation_id = %(org)s AND unapplied_minor > 0"""
