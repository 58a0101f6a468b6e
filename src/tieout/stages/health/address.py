"""Add, change and remove the addresses alerts are told at. What an address is stays encrypted; a page shows only where it leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import NeedsPerson
from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, secret
from tieout.stages.base.models import Person
from tieout.stages.health import lookers
from tieout.stages.health.models import AlertChannel
from tieout.stages.health.notice import REPORT
from tieout.stages.outreach import sending

#: The channels that are an address of their own; e-mail goes to a person through the organisation's own mail server.
VENDORS = ("slack", "webhook")
_MOST = 20


def kinds() -> dict[str, str]:
    """All that a channel can be told, with its title."""
    return {**lookers.kinds(), REPORT: "The monthly health report"}


def add(*, vendor: str, name: str, given: Mapping[str, str], actor: Actor, now: dt.datetime) -> AlertChannel | Refused:
    """A new address; it is told all kinds until somebody says otherwise."""
    if vendor not in VENDORS:
        return Refused(f"there is no such kind of address; there are: {', '.join(VENDORS)}")
    channel = registry.channels()[vendor]
    name = name.strip()[:200] or channel.title
    if AlertChannel.objects.filter(name__iexact=name, removed_at__isnull=True, person__isnull=True).exists():
        return Refused(f"there is an address called {name!r} already; give this one another name")
    if AlertChannel.objects.filter(removed_at__isnull=True).count() >= _MOST:
        return Refused(f"there are {_MOST} addresses already; remove one that nobody needs")
    try:
        settings = channel.check(given)
    except NeedsPerson as error:
        return Refused(str(error))
    row: AlertChannel = AlertChannel.objects.create(vendor=vendor, name=name, shown=settings.pop("shown"), since_at=now)
    secret.put(name=_secret(row), value=msgspec.json.encode(settings).decode(), now=now)
    detail = {"name": name, "vendor": vendor, "to": row.shown}
    audit.write(actor=actor, action="alert.address", object_kind="alert channel", object_id=row.pk, now=now, detail=detail)
    return row


def by_mail(*, person: Person, wanted: bool, actor: Actor, now: dt.datetime) -> AlertChannel | None:
    """Whether a person wants alerts by e-mail."""
    row: AlertChannel | None = AlertChannel.objects.filter(person=person, removed_at__isnull=True).first()
    if wanted and row is None:
        row = AlertChannel.objects.create(vendor="email", name=person.get_short_name()[:200], shown=person.email, person=person, since_at=now)
        audit.write(actor=actor, action="alert.by_mail", object_kind="alert channel", object_id=row.pk, now=now, detail={"to": person.email})
    elif not wanted and row is not None:
        remove(channel=row, actor=actor, now=now)
        return None
    return row


def choose(*, channel: AlertChannel, wanted: Iterable[str], actor: Actor, now: dt.datetime) -> None:
    """What a channel is told from now on."""
    without = sorted(set(kinds()) - set(wanted))
    if without == sorted(channel.without):
        return
    before, channel.without = channel.without, without
    channel.save(update_fields=["without"])
    audit.write(
        actor=actor, action="alert.choose", object_kind="alert channel", object_id=channel.pk, now=now, detail={"before": before, "after": without}
    )


def remove(*, channel: AlertChannel, actor: Actor, now: dt.datetime) -> None:
    """Tell it nothing any more; its address is forgotten."""
    channel.removed_at, channel.last_error = now, ""
    channel.save(update_fields=["removed_at", "last_error"])
    secret.forget(name=_secret(channel))
    audit.write(actor=actor, action="alert.remove", object_kind="alert channel", object_id=channel.pk, now=now, detail={"name": channel.name})


def settings_of(*, channel: AlertChannel) -> dict[str, Any]:
    """What the channel is opened with. Raises NeedsPerson where there is nothing to open it with."""
    if channel.vendor == "email":
        stored = sending.stored()
        if stored is None:
            raise NeedsPerson("no mail server is set, so no alert can be mailed; set one in Settings")
        return stored
    value = secret.get(name=_secret(channel))
    if value is None:
        raise NeedsPerson("its address is not stored any more; add it again")
    found: dict[str, Any] = msgspec.json.decode(value)
    return found


def _secret(channel: AlertChannel) -> str:
    return f"alert:{channel.pk}"
