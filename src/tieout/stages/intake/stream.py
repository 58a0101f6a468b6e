"""How far the streams of a system have been read, and what stands in the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tieout.adapters.ports.errors import NeedsPerson, TryLater
from tieout.stages.intake.models import Connection, SyncStream

#: States in which a stream's history still has to be read, from its beginning or from where the reading stopped.
UNREAD = frozenset({"never_synced", "backfilling", "needs_resync", "resyncing"})
_READING = {"never_synced": "backfilling", "needs_resync": "resyncing"}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stream stands; `anew` says that it has been read before, so what is not met any more may be gone."""

    state: str
    cursor: dict[str, Any]
    generation: int
    anew: bool


def states(*, connection_id: int) -> dict[str, Place]:
    """All streams of a connection by name."""
    return {row.name: _place(row) for row in SyncStream.objects.filter(connection_id=connection_id)}


def begin(*, connection_id: int, name: str, now: dt.datetime) -> Place:
    """Begin reading a history, or go on with it."""
    row = SyncStream.objects.select_for_update().get(connection_id=connection_id, name=name)
    if row.state in _READING:
        row.state, row.begun_at = _READING[row.state], now
        row.save(update_fields=["state", "begun_at"])
    return _place(row)


def ask_anew(*, connection_id: int, names: Iterable[str], now: dt.datetime) -> None:
    """These streams are to be read whole again, as a new generation; what is there stays readable meanwhile."""
    for row in SyncStream.objects.select_for_update().filter(connection_id=connection_id, name__in=list(names)).exclude(state__in=list(UNREAD)):
        row.state, row.cursor, row.generation, row.begun_at, row.reason = "needs_resync", {}, row.generation + 1, now, ""
        row.save(update_fields=["state", "cursor", "generation", "begun_at", "reason"])


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A stream for a page."""

    name: str
    state: str
    reason: str
    seen: int
    fresh_as_of: dt.datetime | None
    swept_at: dt.datetime | None


def shown(*, connection_id: int) -> list[Shown]:
    """The streams of a connection in the order they are read, its changes first."""
    rows = SyncStream.objects.filter(connection_id=connection_id).order_by("id")
    return [Shown(name=r.name, state=r.state, reason=r.reason, seen=r.seen, fresh_as_of=r.fresh_as_of, swept_at=r.swept_at) for r in rows]


def longest_unswept(*, connection_id: int, before: dt.datetime) -> list[str]:
    """The live stream whose last whole reading lies furthest back, where that was before a moment; one or none."""
    rows = SyncStream.objects.filter(connection_id=connection_id, state="live", swept_at__lt=before).exclude(name="")
    return list(rows.order_by("swept_at").values_list("name", flat=True)[:1])


def state(*, connection_id: int, name: str, state: str) -> None:
    """A stream's state, where nothing else of it changes."""
    SyncStream.objects.filter(connection_id=connection_id, name=name).update(state=state)


def disable(*, connection_id: int, name: str, reason: str) -> None:
    """The account has no such stream; the others go on."""
    rows = SyncStream.objects.filter(connection_id=connection_id, name=name)
    rows.exclude(state="disabled", reason=reason).update(state="disabled", reason=reason)


def move(
    *, connection_id: int, name: str, cursor: Mapping[str, Any], now: dt.datetime, seen: int = 0, state: str = "", swept: bool = False
) -> None:
    """Note how far a stream has come, in the transaction that took the records; nothing is written where nothing moved."""
    row = SyncStream.objects.select_for_update().get(connection_id=connection_id, name=name)
    before = (row.cursor, row.state)
    row.cursor, row.seen = dict(cursor), row.seen + seen
    if state:
        row.state, row.reason = state, ""
    if swept:
        row.swept_at = now
    if seen or swept or before != (row.cursor, row.state):
        row.save(update_fields=["cursor", "seen", "state", "reason", "swept_at"])


def fresh(*, connection_id: int, as_of: dt.datetime) -> None:
    """All live streams are fresh as of the moment the last reading began."""
    rows = SyncStream.objects.filter(connection_id=connection_id)
    rows.filter(state__in=["live", "lagging", "rate_limited", "auth_broken"]).update(state="live", reason="", fresh_as_of=as_of)
    Connection.objects.filter(pk=connection_id).update(needs_person="", not_before=None)


def stopped(*, connection_id: int, error: Exception, now: dt.datetime) -> None:
    """A reading ended early: say why, and until when nobody needs to try."""
    connection = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
    rows = SyncStream.objects.filter(connection_id=connection_id)
    if isinstance(error, NeedsPerson):
        connection.needs_person = str(error)
        rows.filter(state__in=["live", "lagging", "rate_limited"]).update(state="auth_broken", reason=str(error))
    elif isinstance(error, TryLater):
        connection.not_before = error.at or now + dt.timedelta(seconds=30)
        rows.filter(state__in=["live", "lagging"]).update(state="rate_limited" if error.at else "lagging", reason=str(error))
    connection.last_error = str(error)
    connection.save(update_fields=["needs_person", "not_before", "last_error"])


def _place(row: SyncStream) -> Place:
    return Place(state=row.state, cursor=row.cursor, generation=row.generation, anew=row.generation > 1)
