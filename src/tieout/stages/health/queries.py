"""Alerts for a page: those that need somebody, those somebody looks after, those that are over."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from tieout.stages.health import lookers, notice
from tieout.stages.health.models import Alert, AlertChannel

_OCCASIONS = {"opened": "when it opened", "worse": "when it became more urgent", "reminder": "as a reminder", "closed": "when it was over"}
STATES = {"open": "Open", "seen": "Looked after", "over": "Over"}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as a page shows it; `told` are (channel, on what occasion, state, when)."""

    id: int
    kind: str
    title: str
    severity: str
    subject: str
    says: str
    mend: str
    page: str
    page_key: int | None
    page_query: str
    count: int
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    closed_at: dt.datetime | None
    acknowledged_at: dt.datetime | None
    acknowledged_by: str
    snoozed_until: dt.datetime | None
    snoozed_by: str
    told: tuple[tuple[str, str, str, dt.datetime], ...] = ()


def alerts(*, state: str, now: dt.datetime, kind: str = "", limit: int = 200) -> list[Shown]:
    """Alerts of a state, the most urgent first; those that are over, the newest first."""
    rows = _of(state, now)
    if kind:
        rows = rows.filter(kind=kind)
    heat = Case(When(severity="urgent", then=Value(0)), When(severity="soon", then=Value(1)), default=Value(2), output_field=IntegerField())
    found = list((rows.order_by("-closed_at", "-id") if state == "over" else rows.order_by(heat, "-first_seen_at", "-id"))[:limit])
    told = notice.told_of(alert_ids=[row.pk for row in found])
    words = {pk: tuple((name, _OCCASIONS[said.partition(":")[0]], state, at) for name, said, state, at in rows) for pk, rows in told.items()}
    return [_shown(row, words.get(row.pk, ())) for row in found]


def counts(*, now: dt.datetime) -> dict[str, int]:
    """How many there are of each state."""
    return {state: _of(state, now).count() for state in STATES}


def channels() -> list[AlertChannel]:
    """Everywhere alerts are told, people first."""
    return notice.listening()


def _of(state: str, now: dt.datetime) -> QuerySet[Alert]:
    rows: QuerySet[Alert] = Alert.objects.all()
    if state == "over":
        return rows.filter(closed_at__isnull=False)
    looked_after = Q(acknowledged_at__isnull=False) | Q(snoozed_until__gt=now)
    alive = rows.filter(closed_at__isnull=True)
    return alive.filter(looked_after) if state == "seen" else alive.exclude(looked_after)


def _shown(row: Alert, told: tuple[tuple[str, str, str, dt.datetime], ...]) -> Shown:
    return Shown(
        id=row.pk, kind=row.kind, title=lookers.kinds().get(row.kind, row.kind), severity=row.severity, subject=row.subject, says=row.says,
        mend=row.mend, page=row.page, page_key=row.page_key, page_query=row.page_query, count=row.count, first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at, closed_at=row.closed_at, acknowledged_at=row.acknowledged_at, acknowledged_by=row.acknowledged_by,
        snoozed_until=row.snoozed_until, snoozed_by=row.snoozed_by, told=told,
    )  # fmt: skip
