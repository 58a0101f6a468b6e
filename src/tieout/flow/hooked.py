"""A webhook arrives: prove it, keep it, let a worker look at what it points to."""

from __future__ import annotations

import contextlib
import secrets as chance
import time
from collections.abc import Mapping
from uuid import UUID

import msgspec
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Connector
from tieout.flow import clock
from tieout.stages.base import crash, queries, walls
from tieout.stages.intake import hint, system
from tieout.stages.intake.models import Connection

#: The secret of a connect form that signs what comes to the door.
SECRET = "webhook_secret"  # noqa: S105
#: How long what is known of a door is believed, so that a delivery costs one statement and not five.
_KNOWN_SECONDS = 10.0
#: Asked once a delivery is committed, so that a job that still waits then is sure to see it when it begins.
_WAITS = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo')"
_KNOWN: dict[tuple[UUID, int], tuple[float, Whose | None]] = {}


class Whose(msgspec.Struct, frozen=True):
    """A door: whose it is, and what opens it."""

    organisation_id: UUID
    connection_id: int
    token: str
    connector: Connector
    secrets: tuple[str, ...]


def token_of(connection: Connection) -> str:
    """The token in the address of a connection's door; made once."""
    if "hook_token" not in connection.settings:
        connection.settings = {**connection.settings, "hook_token": chance.token_urlsafe(24)}
        connection.save(update_fields=["settings"])
    return str(connection.settings["hook_token"])


def whose(organisation_id: UUID, connection_id: int) -> Whose | None:
    """The door of a connection; None where there is none."""
    known = _KNOWN.get((organisation_id, connection_id))
    if known is None or known[0] < time.monotonic():
        known = (time.monotonic() + _KNOWN_SECONDS, _looked_up(organisation_id, connection_id))
        if len(_KNOWN) > 10_000:
            _KNOWN.clear()
        _KNOWN[organisation_id, connection_id] = known
    return known[1]


def forget() -> None:
    """Believe nothing that was known of doors: a secret was changed in this process."""
    _KNOWN.clear()


def receive(door: Whose, *, headers: Mapping[str, str], body: bytes, url: str) -> bool:
    """Keep a delivery and ask for a look at what it says; False where it is here already. Raises NotGenuine."""
    delivery = door.connector.delivery(headers=headers, body=body, url=url, secrets=door.secrets, now=clock.real_now())
    fresh, waits = hint.receive(
        organisation_id=door.organisation_id, connection_id=door.connection_id, delivery=delivery, body=body, now=clock.real_now(), after=_WAITS,
        asked=[_key(door.organisation_id, door.connection_id)],
    )  # fmt: skip
    crash.point("intake.after_receive")
    if not waits:
        with walls.inside(door.organisation_id):
            look(door.organisation_id, door.connection_id)
    return fresh


def look(organisation_id: UUID, connection_id: int) -> None:
    """Ask for a reading of what came to a connection's door; one waiting request is enough."""
    key = _key(organisation_id, connection_id)
    task = app.configure_task("tieout.hooked", queue="sync", lock=f"sync-{connection_id}:{organisation_id}", queueing_lock=key)
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        task.defer(organisation=str(organisation_id), connection=connection_id)


def _key(organisation_id: UUID, connection_id: int) -> str:
    return f"hooked:{organisation_id}:{connection_id}"


def _looked_up(organisation_id: UUID, connection_id: int) -> Whose | None:
    if organisation_id not in queries.organisations():
        return None
    with walls.inside(organisation_id):
        row = Connection.objects.filter(pk=connection_id, kind="system", paused_at__isnull=True).first()
        connector = registry.connectors().get(row.vendor) if row else None
        if row is None or connector is None or "hook_token" not in row.settings:
            return None
        kept = system.secrets(connection_id=row.pk, keys=(SECRET, f"{SECRET}_before"))
        return Whose(organisation_id, row.pk, str(row.settings["hook_token"]), connector, tuple(kept.values()))
