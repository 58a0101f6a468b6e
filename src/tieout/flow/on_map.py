"""Draw the map: what each source can give, what each connected system can be told, and a line between two of them."""

from __future__ import annotations

import datetime as dt

import msgspec

from tieout.adapters.ports import registry
from tieout.core.evidence import Actor
from tieout.stages.intake.models import Connection
from tieout.stages.writeback import route
from tieout.stages.writeback.models import Route

#: Files and whoever pushes may bring all of these.
_FILES = ("customer", "invoice", "credit_note", "payment", "void")
#: What a source of money alone can give.
_MONEY = ("payment", "refund", "payout")


class Place(msgspec.Struct, frozen=True):
    """A source or system on the map. `live` says whether anything is written there yet."""

    id: int
    name: str
    gives: tuple[str, ...]
    takes: tuple[str, ...]
    live: bool


def places() -> list[Place]:
    """Every source with what it can give and take, by name."""
    rows = Connection.objects.filter(paused_at__isnull=True, kind__in=("file", "push", "system", "hand")).order_by("name")
    return [Place(row.pk, row.name, gives(row), takes(row), row.kind == "system" and row.stage == "live") for row in rows]


def gives(connection: Connection) -> tuple[str, ...]:
    """What can be born in a source."""
    if connection.kind != "system":
        return _FILES
    connector = registry.connectors().get(connection.vendor)
    kinds = {kind for stream in (connector.manifest.streams if connector else ()) for kind in stream.kinds}
    if "deal" in kinds:
        return ("draft",)
    if not kinds & {"invoice", "credit_note"}:
        return tuple(what for what in _MONEY if what in kinds)
    return tuple(what for what in (*_FILES, *_MONEY[1:]) if what in kinds or (what == "void" and "invoice" in kinds))


def takes(connection: Connection) -> tuple[str, ...]:
    """What a source can be told; nothing where it is no connected system."""
    connector = registry.connectors().get(connection.vendor) if connection.kind == "system" else None
    return tuple(act for act in route.ACTS if connector and act in connector.manifest.abilities.writes)


def draw(*, origin: Connection | None, target: Connection, what: str, since: dt.date, actor: Actor, now: dt.datetime) -> Route:
    """A new line of the map. Raises MapRefused."""
    given = gives(origin) if origin else ()
    return route.add(origin=origin, target=target, what=what, since=since, actor=actor, now=now, gives=given, takes=takes(target))
