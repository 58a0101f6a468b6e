"""The mailbox answers come to: its settings on the connection, its password sealed apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import NeedsPerson
from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, secret
from tieout.stages.intake import connect
from tieout.stages.intake.models import Connection

#: Read every minute; a day without reading it means nobody can say that no answer waits.
CADENCE_HOURS = 24
NAME = "Mailbox"


def configure(*, settings: Mapping[str, Any], actor: Actor, now: dt.datetime, name: str = NAME) -> Refused | None:
    """Save the mailbox. An empty password keeps the one there is. Refused with what is wrong."""
    existing = Connection.objects.filter(kind="mailbox", name=name).first()
    given = dict(settings)
    if not given.get("password") and existing is not None:
        given["password"] = secret.get(name=secret_of(existing.pk)) or ""
    try:
        checked = registry.doors()["mailbox"].check(given)
    except NeedsPerson as error:
        return Refused(str(error))
    password = str(checked.pop("password", ""))
    if existing is None:
        existing = connect.mailbox(name=name, settings=checked, cadence_hours=CADENCE_HOURS, actor=actor, now=now)
    else:
        # Another server or folder has other numbers: begin from its beginning; what was taken is known by its name.
        kept = {"cursor": existing.settings["cursor"]} if "cursor" in existing.settings and _same_place(existing.settings, checked) else {}
        existing.settings, existing.last_error = {**checked, **kept}, ""
        existing.save(update_fields=["settings", "last_error"])
        audit.write(actor=actor, action="mailbox.settings", object_kind="connection", object_id=existing.pk, now=now, detail=checked)
    if password:
        secret.put(name=secret_of(existing.pk), value=password, now=now)
    return None


def secret_of(connection_id: int) -> str:
    """The name its password is kept under."""
    return f"mailbox.{connection_id}"


def stored(*, connection: Connection) -> dict[str, Any]:
    """The settings with the password, for the one who reads it."""
    settings = {key: value for key, value in connection.settings.items() if key != "cursor"}
    password = secret.get(name=secret_of(connection.pk))
    return {**settings, **({"password": password} if password else {})}


def shown() -> dict[str, Any] | None:
    """The settings as a page may show them: whether there is a password, never the password. None where no mailbox is set."""
    connection = Connection.objects.filter(kind="mailbox").order_by("id").first()
    if connection is None:
        return None
    settings = stored(connection=connection)
    return {**{key: value for key, value in settings.items() if key != "password"}, "has_password": bool(settings.get("password"))}


def _same_place(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return all(before.get(key) == after.get(key) for key in ("scheme", "host", "port", "user", "folder", "path"))
