"""The map: which documents are born where and belong where. Proposed when a system goes live, read and changed by people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from tieout.core.evidence import Actor
from tieout.stages.base import audit
from tieout.stages.intake.models import Connection
from tieout.stages.writeback.models import Route

#: What the act of a connector stands for on the map.
ACTS = {
    "customer": "customer", "invoice": "invoice", "credit_note": "credit_note", "payment": "payment", "void": "void", "refund": "refund",
    "payout": "payout", "draft": "draft", "status": "status", "document": "document", "task": "task",
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the map, for a page."""

    id: int
    origin: str
    target: str
    what: str
    enabled: bool
    since: dt.date


class MapRefused(Exception):
    """The line cannot be drawn; the message says why."""


def propose(*, connection: Connection, writes: tuple[str, ...], role: str, roles: Mapping[str, str], today: dt.date) -> list[Route]:
    """The lines a newly live system suggests: a gateway's documents and money into the books, everybody's status into the CRM.

    `roles` are those of all connectors by name. What the books hold is not proposed for the gateway: that is for a person to draw.
    """
    made: list[Route] = []
    others = Connection.objects.filter(kind="system", paused_at__isnull=True).exclude(pk=connection.pk)
    for other in others:
        theirs = roles.get(other.vendor, "")
        for origin, target, of, to in ((other, connection, theirs, role), (connection, other, role, theirs)):
            if (of, to) == ("gateway", "accounting"):
                made += _lines(origin, target, ("customer", "invoice", "credit_note", "payment", "void", "refund", "payout"), today)
            if (of, to) == ("crm", "gateway"):
                # Whether a deal that is won asks for an invoice is for a person to say.
                made += _lines(origin, target, ("draft",), today, enabled=False)
    if role == "crm" and "status" in writes:
        made += _lines(None, connection, ("status",), today)
        made += _lines(None, connection, tuple(what for what in ("document", "task") if what in writes), today, enabled=False)
    return made


def rehearse(*, writes: Mapping[str, tuple[str, ...]], roles: Mapping[str, str]) -> None:
    """The map as it would be were every system live and its lines as old as the books. Only inside a transaction that is rolled back."""
    systems = Connection.objects.filter(kind="system", paused_at__isnull=True)
    for connection in systems.filter(stage="pilot", vendor__in=list(writes)):
        propose(connection=connection, writes=writes[connection.vendor], role=roles[connection.vendor], roles=roles, today=dt.date.min)
    systems.update(stage="live")
    Route.objects.update(since=dt.date.min)


def set(*, line: Route, enabled: bool, actor: Actor, now: dt.datetime) -> None:
    """Switch a line on or off."""
    before = line.enabled
    line.enabled = enabled
    line.save(update_fields=["enabled"])
    detail = {"before": before, "after": enabled, "what": line.what, "origin": line.origin_id, "target": line.target_id}
    audit.write(actor=actor, action="map.set", object_kind="route", object_id=line.pk, now=now, detail=detail)


def add(*, origin: Connection, target: Connection, what: str, since: dt.date, actor: Actor, now: dt.datetime) -> Route:
    """A new line. Raises MapRefused."""
    if origin.pk == target.pk:
        raise MapRefused("what is born in a system is never written into it again")
    if what not in ACTS or what == "status":
        raise MapRefused(f"{what!r} is not among what a system can be told of another: {', '.join(a for a in ACTS if a != 'status')}")
    row, new = Route.objects.get_or_create(origin=origin, target=target, what=what, defaults={"since": since})
    if new:
        detail = {"what": what, "origin": origin.pk, "target": target.pk, "since": since.isoformat()}
        audit.write(actor=actor, action="map.add", object_kind="route", object_id=row.pk, now=now, detail=detail)
    return row


def shown() -> list[Line]:
    """The whole map."""
    rows = Route.objects.select_related("origin", "target").order_by("target__name", "origin__name", "id")
    return [
        Line(
            id=r.pk, origin=r.origin.name if r.origin else "every system", target=r.target.name, what=r.get_what_display(), enabled=r.enabled,
            since=r.since,
        )
        for r in rows
    ]  # fmt: skip


def _lines(origin: Connection | None, target: Connection, whats: tuple[str, ...], today: dt.date, *, enabled: bool = True) -> list[Route]:
    rows = []
    for what in whats:
        row, new = Route.objects.get_or_create(origin=origin, target=target, what=what, defaults={"since": today, "enabled": enabled})
        rows += [row] if new else []
    return rows
