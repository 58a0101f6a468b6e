"""How this organisation sends: its channel's settings, sealed as one secret, and who it writes as."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import NeedsPerson
from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, secret
from tieout.stages.base import queries as base
from tieout.stages.outreach.words import Sender

_SECRET = "channel.email"  # noqa: S105 - the name of a secret, not one


def configure(*, settings: Mapping[str, Any], actor: Actor, now: dt.datetime) -> Refused | None:
    """Save the mail server. An empty password keeps the one there is. Refused with what is wrong."""
    given = dict(settings)
    if not given.get("password"):
        given["password"] = (stored() or {}).get("password", "")
    try:
        checked = registry.channels()["email"].check(given)
    except NeedsPerson as error:
        return Refused(str(error))
    secret.put(name=_SECRET, value=msgspec.json.encode(checked).decode(), now=now)
    shown = {key: value for key, value in checked.items() if key != "password"}
    audit.write(actor=actor, action="outreach.server", object_kind="organisation", object_id="email", now=now, detail=shown)
    return None


def stored() -> dict[str, Any] | None:
    """The settings with the password, for the one who sends; None where no server is set."""
    value = secret.get(name=_SECRET)
    return msgspec.json.decode(value) if value else None


def shown() -> dict[str, Any] | None:
    """The settings as a page may show them: whether there is a password, never the password."""
    settings = stored()
    if settings is None:
        return None
    return {**{key: value for key, value in settings.items() if key != "password"}, "has_password": bool(settings.get("password"))}


def sender() -> Sender:
    """Who we write as."""
    ours = base.profile()
    return Sender(name=ours.sender_name or ours.name, address=ours.sender_address)
