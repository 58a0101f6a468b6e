"""A line to a connected system: its secrets opened, its budget kept, its tokens renewed one at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Connector, Rate
from tieout.adapters.ports.errors import NeedsPerson
from tieout.adapters.ports.http import Budget, Http
from tieout.flow import consent
from tieout.stages.base import walls
from tieout.stages.intake import system
from tieout.stages.intake.models import Connection

#: Budgets of this process, by connection: all its lines to one system share one.
_BUDGETS: dict[int, Budget] = {}
_GUARD = threading.Lock()
_LIMITED = True


class Line(msgspec.Struct, frozen=True):
    """A connector with what it needs to speak for one connection."""

    connector: Connector
    http: Http
    settings: Mapping[str, Any]


def secret_keys(connector: Connector) -> tuple[str, ...]:
    """The names under which a connector's secrets are kept."""
    given = tuple(field.name for field in connector.manifest.fields if field.secret)
    return (*given, *(consent.KEYS if connector.manifest.oauth else ()))


@contextmanager
def open(organisation_id: UUID, connection_id: int, *, rehearsing: bool = False) -> Iterator[Line]:
    """A line until the block ends; one that is `rehearsing` lets no request through that writes. Raises NeedsPerson.

    Outside `walls.inside`: nobody's transaction waits for a network.
    """
    with walls.inside(organisation_id):
        row = Connection.objects.get(pk=connection_id)
        connector = _connector(row.vendor)
        secrets = system.secrets(connection_id=row.pk, keys=secret_keys(connector))
        settings = {"currency": row.account.get("currency", ""), **row.settings, "account": row.account.get("id", "")}
    if not secrets and connector.manifest.auth != "none":
        raise NeedsPerson(f"{row.name} has no credentials; connect it again")

    def authorise() -> Mapping[str, str]:
        return connector.authorise(settings, secrets)

    def renew() -> bool:
        # Without a refresh token the access was given by a key, and there is nothing to renew.
        if connector.manifest.oauth is None or "refresh_token" not in secrets:
            return False
        secrets.update(consent.renew(organisation_id, connection_id, spent=secrets.get("access_token", "")))
        return True

    rate = connector.manifest.abilities.rate
    http = Http(
        base_url=connector.base_url(settings), authorise=authorise, renew=renew, budget=_budget(connection_id, rate),
        pause_seconds=rate.pause_seconds,
        rehearsing=rehearsing,
    )
    try:
        yield Line(connector, http, settings)
    finally:
        http.close()


@contextmanager
def trial(vendor: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Iterator[Line]:
    """A line before there is a connection: to see whom we would reach."""
    connector = _connector(vendor)
    http = Http(base_url=connector.base_url(settings), authorise=lambda: connector.authorise(settings, secrets), attempts=2, deadline_seconds=15)
    try:
        yield Line(connector, http, settings)
    finally:
        http.close()


def _connector(vendor: str) -> Connector:
    try:
        return registry.connectors()[vendor]
    except KeyError:
        raise NeedsPerson(f"there is no connector {vendor!r}; there are: {', '.join(registry.connectors())}") from None


def unlimited() -> None:
    """Set the vendors' limits aside in this process: where a measurement is of us and the vendor is a twin."""
    global _LIMITED
    _LIMITED = False


def rested(connection_id: int) -> None:
    """What this process was asked to wait on a connection is over: other credentials have limits of their own."""
    with _GUARD:
        _BUDGETS.pop(connection_id, None)


def _budget(connection_id: int, rate: Rate) -> Budget:
    if not _LIMITED:
        return Budget(per_second=None)
    with _GUARD:
        if connection_id not in _BUDGETS:
            per_second = rate.per_second or (rate.per_minute / 60 if rate.per_minute else None)
            _BUDGETS[connection_id] = Budget(per_second=per_second, concurrent=rate.concurrent)
        return _BUDGETS[connection_id]
