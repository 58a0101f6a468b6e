"""Connect a system, and hold the one reader's lease on it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from tieout.core.evidence import Actor
from tieout.stages.base import audit, secret
from tieout.stages.intake import stream
from tieout.stages.intake.connect import NameTaken
from tieout.stages.intake.models import Connection, SyncStream

#: A reader that has said nothing for so long has died; another may go on from its last checkpoint.
LEASE_SECONDS = 120
#: The stream of a connection's changes has no name of its own.
CHANGES = ""


class Overtaken(Exception):
    """Somebody else reads this connection by now; what was fetched is dropped, for it may be older than what they have."""


def open(
    *, vendor: str, name: str, settings: Mapping[str, Any], secrets: Mapping[str, str], account: Mapping[str, Any], streams: Iterable[str],
    cadence_hours: int | None, stage: str, actor: Actor, now: dt.datetime,
) -> Connection:  # fmt: skip
    """A connected system with its streams, nothing read yet. Raises NameTaken."""
    name = name.strip()[:200]
    if Connection.objects.filter(name__iexact=name).exists():
        raise NameTaken(f"there is a connection called {name!r} already")
    row: Connection = Connection.objects.create(
        kind="system", vendor=vendor, name=name, settings=dict(settings), account=dict(account), stage=stage, cadence_hours=cadence_hours,
        created_at=now,
    )  # fmt: skip
    for key, value in secrets.items():
        if value:
            secret.put(name=secret_name(row.pk, key), value=value, now=now)
    SyncStream.objects.bulk_create([SyncStream(connection=row, name=stream) for stream in (CHANGES, *streams)])
    detail = {"name": name, "vendor": vendor, "account": dict(account), "stage": stage}
    audit.write(actor=actor, action="connection.open", object_kind="connection", object_id=row.pk, now=now, detail=detail)
    return row


def secret_name(connection_id: int, key: str) -> str:
    """Under which name a connection's secret is kept."""
    return f"connection:{connection_id}:{key}"


def secrets(*, connection_id: int, keys: Iterable[str]) -> dict[str, str]:
    """The secrets of a connection that are stored."""
    return {key: value for key in keys if (value := secret.get(name=secret_name(connection_id, key))) is not None}


def replace_secrets(
    *, connection: Connection, secrets: Mapping[str, str], account: Mapping[str, Any], actor: Actor, now: dt.datetime, forget: Iterable[str] = ()
) -> None:
    """New credentials for a connection that was let in before: it may be read again. One that was disconnected is read anew, and begins
    in pilot once more: what happened meanwhile is looked at before anything is written."""
    for key in forget:
        secret.forget(name=secret_name(connection.pk, key))
    for key, value in secrets.items():
        if value:
            secret.put(name=secret_name(connection.pk, key), value=value, now=now)
    connection.account = dict(account)
    connection.needs_person, connection.not_before = "", None
    rows = SyncStream.objects.filter(connection=connection)
    rows.filter(state="auth_broken").update(state="lagging", reason="")
    anew = ["disabled"]  # what was not permitted before may be now
    if connection.paused_at is not None:
        connection.paused_at, connection.stage = None, "pilot"
        rows.filter(name=CHANGES).update(state="lagging", reason="")
        anew.append("paused")
    names = list(rows.filter(state__in=anew).exclude(name=CHANGES).values_list("name", flat=True))
    stream.ask_anew(connection_id=connection.pk, names=names, now=now)
    connection.save(update_fields=["account", "needs_person", "not_before", "paused_at", "stage"])
    audit.write(actor=actor, action="connection.reconnect", object_kind="connection", object_id=connection.pk, now=now)


def disconnect(*, connection: Connection, actor: Actor, now: dt.datetime) -> None:
    """Read and write no more; what came from it stays, its secrets do not."""
    for kept in secret.kept():
        if kept.name.startswith(secret_name(connection.pk, "")):
            secret.forget(name=kept.name)
    connection.paused_at = now
    connection.save(update_fields=["paused_at"])
    SyncStream.objects.filter(connection=connection).update(state="paused", reason="disconnected")
    audit.write(actor=actor, action="connection.disconnect", object_kind="connection", object_id=connection.pk, now=now)


def go_live(*, connection: Connection, actor: Actor, now: dt.datetime, reason: str = "", missing: Iterable[str] = ()) -> None:
    """From now on we write there as well; what the map says of it is drawn by the caller. `reason` is why, where something was `missing`."""
    connection.stage = "live"
    connection.save(update_fields=["stage"])
    audit.write(
        actor=actor, action="connection.live", object_kind="connection", object_id=connection.pk, now=now, reason=reason,
        detail={"missing": list(missing)},
    )  # fmt: skip


def lease(*, connection_id: int, at: dt.datetime) -> uuid.UUID | None:
    """Take the one reader's place, or None while somebody holds it. `at` is the machine's time, never the demo's."""
    row = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
    if row.paused_at is not None or (row.leased_until is not None and row.leased_until > at):
        return None
    row.lease, row.leased_until = uuid.uuid4(), at + dt.timedelta(seconds=LEASE_SECONDS)
    row.save(update_fields=["lease", "leased_until"])
    return row.lease


def hold(*, connection_id: int, lease: uuid.UUID, at: dt.datetime) -> None:
    """Lock the connection while the lease is still ours, and prolong it. Raises Overtaken."""
    if not Connection.objects.filter(pk=connection_id, lease=lease).update(leased_until=at + dt.timedelta(seconds=LEASE_SECONDS)):
        name = Connection.objects.filter(pk=connection_id).values_list("name", flat=True).get()
        raise Overtaken(f"{name} is being read by somebody else")


def release(*, connection_id: int, lease: uuid.UUID) -> None:
    """Give the place up."""
    Connection.objects.filter(pk=connection_id, lease=lease).update(lease=None, leased_until=None)
