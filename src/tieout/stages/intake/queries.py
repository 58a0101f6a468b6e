"""Connections with their freshness, runs, envelopes and rows set aside."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
from django.db.models import Count, Q

from tieout.stages.intake.models import Connection, Envelope, QuarantinedRow, Run


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a source has spoken as recently as it is expected to; `reason` says what is wrong in words."""

    connection_id: int
    name: str
    kind: str
    last_success_at: dt.datetime | None
    cadence_hours: int | None
    stale: bool
    reason: str = ""


class ConnectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A connection for the list: its freshness and what waits for somebody."""

    freshness: Freshness
    waiting_rows: int
    last_error: str
    paused: bool
    envelopes: int
    pilot: bool = False
    needs_person: str = ""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run with its counts."""

    id: int
    envelope_id: int | None
    file: str
    size: int
    started_at: dt.datetime
    finished_at: dt.datetime | None
    state: str
    read: int
    created: int
    updated: int
    unchanged: int
    quarantined: int
    skipped: int
    gone: int
    calls: int
    mode: str
    notices: list[dict[str, Any]]
    error: str


class WaitingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row set aside."""

    id: int
    connection_id: int
    connection: str
    file: str
    line: int | None
    column: str
    field: str
    code: str
    message: str
    raw: dict[str, Any]
    state: str
    kind: str = "file"
    external_id: str = ""

    @property
    def text(self) -> str:
        """The record as JSON, a line for each field."""
        return json.dumps(self.raw, indent=2, ensure_ascii=False)

    @property
    def text_lines(self) -> int:
        """So many lines of it are shown at once."""
        return min(24, self.text.count("\n") + 1)


def freshness_of(connection: Connection, now: dt.datetime) -> Freshness:
    """Freshness of one connection: stale after its cadence, or while its last attempt failed."""
    reason = ""
    if connection.needs_person:
        stale, reason = True, connection.needs_person
    elif connection.kind == "hand" or connection.cadence_hours is None:
        stale = bool(connection.last_error) and connection.kind == "mailbox"
        reason = connection.last_error if stale else ""
    elif connection.last_success_at is None:
        stale, reason = True, "nothing has arrived yet"
    else:
        late = now - connection.last_success_at - dt.timedelta(hours=connection.cadence_hours)
        stale = late > dt.timedelta(0)
        if stale:
            reason = f"expected every {connection.cadence_hours} h, last arrived {connection.last_success_at:%Y-%m-%d %H:%M} UTC"
    return Freshness(
        connection_id=connection.pk,
        name=connection.name,
        kind=connection.kind,
        last_success_at=connection.last_success_at,
        cadence_hours=connection.cadence_hours,
        stale=stale,
        reason=reason,
    )


def freshness(*, now: dt.datetime) -> list[Freshness]:
    """Freshness of every connection in use."""
    return [freshness_of(c, now) for c in Connection.objects.filter(paused_at__isnull=True).order_by("name")]


def connections(*, now: dt.datetime) -> list[ConnectionRow]:
    """Every connection with what waits there."""
    waiting = dict(QuarantinedRow.objects.filter(state="open").values_list("connection_id").annotate(n=Count("id")))
    envelopes = dict(Envelope.objects.values_list("connection_id").annotate(n=Count("id")))
    return [
        ConnectionRow(
            freshness=freshness_of(c, now),
            waiting_rows=waiting.get(c.pk, 0),
            last_error=c.last_error,
            paused=c.paused_at is not None,
            envelopes=envelopes.get(c.pk, 0),
            pilot=c.kind == "system" and c.stage == "pilot",
            needs_person=c.needs_person,
        )
        for c in Connection.objects.order_by("name")
    ]


def runs(*, connection_id: int, limit: int = 50) -> list[RunRow]:
    """The newest runs of a connection."""
    rows = Run.objects.filter(connection_id=connection_id).select_related("envelope").order_by("-started_at", "-id")[:limit]
    return [
        RunRow(
            id=r.pk,
            envelope_id=r.envelope_id,
            file=r.envelope.name if r.envelope else "",
            size=r.envelope.size if r.envelope else 0,
            started_at=r.started_at,
            finished_at=r.finished_at,
            state=r.state,
            read=r.read,
            created=r.created,
            updated=r.updated,
            unchanged=r.unchanged,
            quarantined=r.quarantined,
            skipped=r.skipped,
            gone=r.tombstoned,
            calls=r.calls,
            mode=r.mode,
            notices=r.notices,
            error=r.error,
        )
        for r in rows
    ]


def quarantined(*, connection_id: int | None = None, state: str = "open", after: int = 0, limit: int = 100) -> list[WaitingRow]:
    """Rows set aside, oldest first, from row id `after` on."""
    mine = QuarantinedRow.objects.filter(state=state, id__gt=after)
    if connection_id is not None:
        mine = mine.filter(connection_id=connection_id)
    return [
        WaitingRow(
            id=r.pk,
            connection_id=r.connection_id,
            connection=r.connection.name,
            kind=r.connection.kind,
            external_id=r.external_id,
            file=r.envelope.name if r.envelope else "",
            line=r.line,
            column=r.column,
            field=r.field,
            code=r.code,
            message=r.message,
            raw=r.raw,
            state=r.state,
        )
        for r in mine.select_related("connection", "envelope").order_by("id")[:limit]
    ]


def waiting_rows() -> int:
    """How many rows wait for somebody."""
    return int(QuarantinedRow.objects.filter(state="open").count())


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Something a connected system sent: an answer it gave, or a delivery to our door."""

    id: int
    name: str
    received_at: dt.datetime
    size: int
    state: str
    reason: str


def answers(*, connection_id: int, limit: int) -> list[Answered]:
    """The newest of what a system sent and was kept."""
    rows = Envelope.objects.filter(connection_id=connection_id).order_by("-received_at", "-id")[:limit]
    return [Answered(id=r.pk, name=r.name, received_at=r.received_at, size=r.size, state=r.state, reason=r.reason) for r in rows]


def unfinished(*, before: dt.datetime) -> list[int]:
    """Envelopes received before a moment that have reached no end yet: to be taken up again."""
    kept = Envelope.objects.filter(Q(state="received"), received_at__lt=before).exclude(connection__kind="system")
    return list(kept.order_by("id").values_list("id", flat=True))


def to_read(*, now: dt.datetime) -> list[int]:
    """Connected systems that can be read now: in use, let in, and not asked to wait."""
    systems = Connection.objects.filter(kind="system", paused_at__isnull=True, needs_person="")
    return list(systems.filter(Q(not_before__isnull=True) | Q(not_before__lte=now)).order_by("id").values_list("pk", flat=True))
