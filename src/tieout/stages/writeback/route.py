"""The map: which documents are born where and belong where. Proposed when a system goes live, read and changed by people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

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
#: What each is called in a sentence.
NAMES = {
    "customer": "customers", "invoice": "invoices", "credit_note": "credit notes", "payment": "payments", "void": "voids", "refund": "refunds",
    "payout": "payouts", "draft": "draft invoices", "status": "receivables", "document": "documents", "task": "tasks",
}  # fmt: skip
#: What has a day from which on it is told; the rest follows the documents that are there.
DATED = frozenset({"invoice", "credit_note", "payment", "refund", "payout", "draft", "document", "task"})
#: What is told of every source at once.
OF_ALL = frozenset({"status", "document", "task"})
_SAID = {
    "customer": "Customers of documents born in {origin} are made in {target}, with their first document",
    "invoice": "Invoices born in {origin} go to {target}, since {since}",
    "credit_note": "Credit notes born in {origin} go to {target}, since {since}",
    "payment": "Payments received in {origin} go to {target} once they are applied, since {since}",
    "void": "Invoices voided in {origin} are voided in {target}",
    "refund": "Money given back in {origin} is booked in {target}, since {since}",
    "payout": "Payouts of {origin} become deposits in {target}, with their fees, since {since}",
    "draft": "A deal won in {origin} becomes a draft invoice in {target}, since {since}",
    "status": "What each customer owes is told to {target}",
    "document": "Invoices are noted beside their customer in {target}, since {since}",
    "task": "Tasks of collectors are shown in {target}, since {since}",
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the map, for a page."""

    id: int
    origin: str
    target: str
    what: str
    enabled: bool
    since: dt.date
    target_id: int
    kind: str
    said: str
    dated: bool
    waits: str


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


def add(
    *, origin: Connection | None, target: Connection, what: str, since: dt.date, actor: Actor, now: dt.datetime, gives: Iterable[str] | None = None,
    takes: Iterable[str] | None = None,
) -> Route:  # fmt: skip
    """A new line. `gives` is what the origin can give, `takes` what the target can be told (None: not looked at). Raises MapRefused."""
    if origin is not None and origin.pk == target.pk:
        raise MapRefused("what is born in a system is never written into it again")
    if what not in ACTS or (what in OF_ALL) != (origin is None):
        raise MapRefused(f"{what!r} is not among what a system can be told of another: {', '.join(a for a in ACTS if a not in OF_ALL)}")
    if takes is not None and what not in takes:
        raise MapRefused(f"{target.name} cannot be told of {NAMES[what]}")
    if origin is not None and gives is not None and what not in gives:
        raise MapRefused(f"{origin.name} has no {NAMES[what]} to give")
    row, new = Route.objects.get_or_create(origin=origin, target=target, what=what, defaults={"since": since})
    if not new:
        raise MapRefused("that line is on the map already" if row.enabled else "that line is on the map already, switched off")
    audit.write(actor=actor, action="map.add", object_kind="route", object_id=row.pk, now=now, detail=_detail(row))
    return row


def move(*, line: Route, since: dt.date, actor: Actor, now: dt.datetime) -> None:
    """Another day from which on a line holds: an earlier one pours over what was born since then. Raises MapRefused."""
    if line.what not in DATED:
        raise MapRefused("this line has no day of its own: it follows the documents")
    before, line.since = line.since, since
    line.save(update_fields=["since"])
    detail = {**_detail(line), "before": before.isoformat()}
    audit.write(actor=actor, action="map.since", object_kind="route", object_id=line.pk, now=now, detail=detail)


def remove(*, line: Route, actor: Actor, now: dt.datetime) -> None:
    """Take a line off the map. What was told by it stays there; what still waits is not told
    while no line sends it."""
    detail = _detail(line)
    key = line.pk
    line.delete()
    audit.write(actor=actor, action="map.remove", object_kind="route", object_id=key, now=now, detail=detail)


def sentence(*, what: str, origin: str, target: str, since: dt.date) -> str:
    """A line of the map, as one would say it."""
    return _SAID[what].format(origin=origin, target=target, since=f"{since.day} {since:%b %Y}")


def shown() -> list[Line]:
    """The whole map."""
    rows = Route.objects.select_related("origin", "target").order_by("target__name", "origin__name", "id")
    return [_line(row) for row in rows]


def _line(row: Route) -> Line:
    origin = row.origin.name if row.origin else "every system"
    waits = "disconnected" if row.target.paused_at else "in pilot: nothing is written there before it goes live" if row.target.stage != "live" else ""
    return Line(
        id=row.pk, origin=origin, target=row.target.name, target_id=row.target_id, what=row.get_what_display(), kind=row.what, enabled=row.enabled,
        since=row.since, said=sentence(what=row.what, origin=origin, target=row.target.name, since=row.since), dated=row.what in DATED, waits=waits,
    )  # fmt: skip


def _detail(row: Route) -> dict[str, Any]:
    return {"what": row.what, "origin": row.origin_id, "target": row.target_id, "since": row.since.isoformat()}


def _lines(origin: Connection | None, target: Connection, whats: tuple[str, ...], today: dt.date, *, enabled: bool = True) -> list[Route]:
    rows = []
    for what in whats:
        row, new = Route.objects.get_or_create(origin=origin, target=target, what=what, defaults={"since": today, "enabled": enabled})
        rows += [row] if new else []
    return rows
