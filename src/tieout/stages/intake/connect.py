"""Open a connection: a file source, a mailbox, a system that pushes, or the desk where people enter things by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tieout.core.evidence import Actor
from tieout.stages.base import audit
from tieout.stages.intake.models import Connection

HAND = "By hand"


class NameTaken(Exception):
    """A connection of this name exists already; choose another name or use the one there is."""


def file(*, name: str, profile: dict[str, Any], cadence_hours: int | None, actor: Actor, now: dt.datetime) -> Connection:
    """A source of files with its saved profile and how often it is expected to bring one (hours; None: no expectation)."""
    return _open("file", name, actor, now, profile=profile, cadence_hours=cadence_hours)


def mailbox(*, name: str, settings: dict[str, Any], cadence_hours: int | None, actor: Actor, now: dt.datetime) -> Connection:
    """A mailbox to read; its password is a secret of its own, never in `settings`."""
    return _open("mailbox", name, actor, now, settings=settings, cadence_hours=cadence_hours)


def push(*, name: str, cadence_hours: int | None, actor: Actor, now: dt.datetime) -> Connection:
    """A system that posts its records by the API, and how often it is expected to. Raises NameTaken."""
    return _open("push", name, actor, now, cadence_hours=cadence_hours)


def hand(*, now: dt.datetime) -> Connection:
    """The one connection for what people enter by hand; it is never stale."""
    existing: Connection | None = Connection.objects.filter(kind="hand").first()
    return existing or Connection.objects.create(kind="hand", name=HAND, created_at=now)


def profile(*, connection: Connection, profile: dict[str, Any], actor: Actor, now: dt.datetime) -> None:
    """Save how files of this connection are read from now on."""
    before = connection.profile
    connection.profile = profile
    connection.save(update_fields=["profile"])
    audit.write(
        actor=actor,
        action="connection.profile",
        object_kind="connection",
        object_id=connection.pk,
        now=now,
        detail={"before": before, "after": profile},
    )


def cadence(*, connection: Connection, hours: int | None, actor: Actor, now: dt.datetime) -> None:
    """Change how often the source is expected to bring something."""
    audit_detail = {"before": connection.cadence_hours, "after": hours}
    connection.cadence_hours = hours
    connection.save(update_fields=["cadence_hours"])
    audit.write(actor=actor, action="connection.cadence", object_kind="connection", object_id=connection.pk, now=now, detail=audit_detail)


def _open(kind: str, name: str, actor: Actor, now: dt.datetime, **fields: Any) -> Connection:
    name = name.strip()[:200]
    if Connection.objects.filter(name__iexact=name).exists():
        raise NameTaken(f"there is a connection called {name!r} already")
    row: Connection = Connection.objects.create(kind=kind, name=name, created_at=now, **fields)
    audit.write(actor=actor, action="connection.open", object_kind="connection", object_id=row.pk, now=now, detail={"name": name, "kind": kind})
    return row
