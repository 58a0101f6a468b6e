"""A person says what goes where in a connected system: settings that are no secrets, with what stood there before kept in the trail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from tieout.core.evidence import Actor
from tieout.stages.base import audit
from tieout.stages.intake.models import Connection


def say(*, connection: Connection, said: Mapping[str, str], actor: Actor, now: dt.datetime) -> dict[str, tuple[str, str]]:
    """Fill in settings, an empty one is taken away; returns {setting: (before, after)} of what changed."""
    row = connection.lock()
    changed = {name: (str(row.settings.get(name) or ""), value) for name, value in said.items() if str(row.settings.get(name) or "") != value}
    if not changed:
        return {}
    row.settings = {name: value for name, value in {**row.settings, **said}.items() if value not in ("", None)}
    row.save(update_fields=["settings"])
    detail = {name: {"before": before, "after": after} for name, (before, after) in changed.items()}
    audit.write(actor=actor, action="connection.mapping", object_kind="connection", object_id=row.pk, now=now, detail=detail)
    return changed


def keep_choices(*, connection: Connection, choices: Mapping[str, list[dict[str, str]]], now: dt.datetime) -> None:
    """What a system has to choose from, as read just now, for the next time the page is opened."""
    row = connection.lock()
    row.profile = {**row.profile, "choices": dict(choices), "choices_at": now.isoformat()}
    row.save(update_fields=["profile"])
