"""What would be written, without writing: the engine's own planning and composing, carried through on paper and taken back.

Each effect is followed as if the other side had done it, so that the invoice behind a new customer shows as well, and the payment
behind that. A system in pilot is looked at as if it were live, by the map it would suggest. Nobody is called, nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from tieout.adapters.ports import registry
from tieout.adapters.ports.choices import Asks
from tieout.adapters.ports.connector import Command
from tieout.adapters.ports.errors import BadRecord
from tieout.flow import clock
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection
from tieout.stages.writeback import compose, plan, recognise, route
from tieout.stages.writeback.models import Outgoing, Route

#: So many effects are followed; past that only their number is told.
MOST = 500
_ROUNDS = 4  # a customer, then its invoice, then its payment, then its status


class Would(msgspec.Struct, frozen=True, kw_only=True):
    """One effect as it would be written; `waits` says why it would not be, as yet."""

    connection: str
    act: str
    label: str
    key: str
    subject_kind: str
    subject_id: int | None
    body: dict[str, Any]
    waits: str = ""


class Dry(msgspec.Struct, frozen=True):
    """What a run would write, in its order; `more` effects were not followed."""

    effects: list[Would]
    more: int


def run(organisation_id: UUID, connection_id: int | None = None) -> Dry:
    """What would be told to one system, or to all of them, now."""
    with walls.inside(organisation_id), _on_paper():
        targets = Connection.objects.filter(kind="system", paused_at__isnull=True)
        targets = targets.filter(pk=connection_id) if connection_id is not None else targets.filter(stage="live")
        systems = {row.pk: row for row in targets}
        if connection_id is not None:
            Route.objects.exclude(target_id=connection_id).update(enabled=False)
            _as_if_live(systems.values())
        mine = Outgoing.objects.filter(connection_id__in=systems)
        mine.filter(state="person").update(state="waiting")
        seen: dict[int, Would] = {}
        more, done = 0, -1
        for _ in range(_ROUNDS):
            plan.run(customer_ids=None, today=clock.today(), now=clock.now())
            waiting = mine.filter(state="waiting").order_by("id")
            rows = list(waiting[:MOST])
            more = max(0, waiting.count() - len(rows))
            seen |= {row.pk: _would(row, systems[row.connection_id]) for row in rows}
            done, before = sum(not one.waits for one in seen.values()), done
            if done in (before, 0) or more:
                break
        return Dry(list(seen.values()), more)


def request(connection: Connection, row: Outgoing, body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """(the body in the system's own words where it can say it beforehand, why it could not be written yet)."""
    connector = registry.connectors().get(connection.vendor)
    if not isinstance(connector, Asks):
        return body, ""
    settings = {**connection.settings, "account": connection.account.get("id", "")}
    try:
        return dict(connector.request(settings, Command(act=row.kind, key=row.natural_key, body=body))), ""
    except BadRecord as error:
        return body, str(error)


def _would(row: Outgoing, connection: Connection) -> Would:
    told = {
        "connection": connection.name, "act": row.kind, "label": str(row.body.get("label", "")), "key": row.natural_key,
        "subject_kind": row.subject_kind, "subject_id": row.subject_id,
    }  # fmt: skip
    composed = compose.body(row=row)
    if not isinstance(composed, dict):
        return Would(**told, body={}, waits=composed.reason)
    body, waits = request(connection, row, composed)
    if not waits:
        # As if it were done: what refers to it comes next.
        recognise.link(row=row, external_id=f"new {row.kind} {row.pk}", now=clock.now())
        Outgoing.objects.filter(pk=row.pk).update(state="done")
    return Would(**told, body=body, waits=waits)


def _as_if_live(connections: Any) -> None:
    roles = {one.manifest.name: one.manifest.role for one in registry.connectors().values()}
    for row in connections:
        if row.stage == "live":
            continue
        Connection.objects.filter(pk=row.pk).update(stage="live")
        manifest = registry.connectors()[row.vendor].manifest
        route.propose(connection=row, writes=manifest.abilities.writes, role=manifest.role, roles=roles, today=clock.today())


@contextmanager
def _on_paper() -> Iterator[None]:
    """Whatever the block writes is taken back at its end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
