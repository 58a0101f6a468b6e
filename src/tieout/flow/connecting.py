"""Connect a system: see whom we reach, keep the credentials encrypted, begin in pilot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Account
from tieout.adapters.ports.errors import NeedsPerson
from tieout.core.evidence import Actor
from tieout.flow import clock, consent, line
from tieout.stages.base import queries, walls
from tieout.stages.intake import system
from tieout.stages.intake.models import Connection
from tieout.stages.writeback import route

#: A system that has not been heard of for so long is stale, and what depends on it waits.
CADENCE_HOURS = 1
#: Credentials go over an encrypted line, or stay on this machine.
_ADDRESSES = ("https://", "http://127.0.0.1:", "http://localhost:")


def split(vendor: str, given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """(settings, secrets) of a connect form. Raises NeedsPerson with what is missing or not a field."""
    if vendor not in registry.connectors():
        raise NeedsPerson(f"there is no connector {vendor!r}; there are: {', '.join(registry.connectors())}")
    manifest = registry.connectors()[vendor].manifest
    fields = {field.name: field for field in manifest.fields}
    extra = {*consent.KEYS, *(manifest.oauth.returned if manifest.oauth else ())}
    strange = sorted(set(given) - set(fields) - extra)
    if strange:
        raise NeedsPerson(f"{manifest.title} has no setting {strange[0]!r}; it has: {', '.join(fields)}")
    values = {name: given.get(name, "").strip() or field.default for name, field in fields.items()}
    secrets = {name: value for name, value in values.items() if fields[name].secret and value}
    secrets |= {name: given[name] for name in consent.KEYS if given.get(name)}
    if manifest.auth == "api_key" and not secrets:
        needed = next(field for field in manifest.fields if field.secret)
        raise NeedsPerson(f"{needed.label}: it is needed to be let in")
    settings = {name: value for name, value in values.items() if not fields[name].secret and value}
    settings |= {name: given[name] for name in extra - set(consent.KEYS) if given.get(name)}
    for name, value in settings.items():
        if name.endswith("_url") and not value.startswith(_ADDRESSES):
            raise NeedsPerson(f"{fields[name].label}: an address begins with https://, or with http:// for this very machine")
    return settings, secrets


def whom(vendor: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Account:
    """Whom these credentials reach. Raises the four errors of the ports."""
    with line.trial(vendor, settings, secrets) as trial:
        return trial.connector.account(trial.http, settings)


def open(
    organisation_id: UUID, *, vendor: str, name: str, given: Mapping[str, str], stage: str, actor: Actor, told: Mapping[str, Any] | None = None
) -> tuple[int, Account]:
    """A new connection, once the system has let us in: (its id, whom we reach). `told` is what a consent brought."""
    settings, secrets = split(vendor, given)
    account = whom(vendor, settings, secrets)
    manifest = registry.connectors()[vendor].manifest
    with walls.inside(organisation_id):
        settings.setdefault("time_zone", queries.profile().time_zone)
        row = system.open(
            vendor=vendor, name=name or manifest.title, settings=settings, secrets=secrets, account=msgspec.to_builtins(account),
            streams=[stream.name for stream in manifest.streams], cadence_hours=CADENCE_HOURS, stage=stage, actor=actor, now=clock.now(),
        )  # fmt: skip
        if told:
            consent.store(connection=row, told=told)
        return row.pk, account


def again(organisation_id: UUID, connection_id: int, *, given: Mapping[str, str], actor: Actor) -> Account:
    """New credentials for a connection. Refused where they reach another account: its records would be mixed with these."""
    with walls.inside(organisation_id):
        row = Connection.objects.get(pk=connection_id)
        vendor, before, kept = row.vendor, row.account, dict(row.settings)
    _, secrets = split(vendor, given)
    account = whom(vendor, kept, secrets)
    if before.get("id") and account.id != before["id"]:
        raise NeedsPerson(f"these credentials are for {account.name} ({account.id}), this connection for {before.get('name')} ({before['id']})")
    with walls.inside(organisation_id):
        system.replace_secrets(connection=Connection.objects.get(pk=connection_id), secrets=secrets, actor=actor, now=clock.now())
    return account


def go_live(organisation_id: UUID, connection_id: int, *, actor: Actor) -> int:
    """From now on the system is written to, by the map it suggests; returns how many lines that added."""
    with walls.inside(organisation_id):
        row = Connection.objects.get(pk=connection_id)
        system.go_live(connection=row, actor=actor, now=clock.now())
        manifest = registry.connectors()[row.vendor].manifest
        roles = {one.manifest.name: one.manifest.role for one in registry.connectors().values()}
        return len(route.propose(connection=row, writes=manifest.abilities.writes, role=manifest.role, roles=roles, today=clock.today()))


def end(organisation_id: UUID, connection_id: int, *, actor: Actor) -> str:
    """Disconnect: tokens are revoked and forgotten, what came stays. Returns what went wrong with revoking, in words."""
    said = ""
    try:
        consent.revoke(organisation_id, connection_id)
    except Exception as error:
        # Disconnecting is a person's wish and our own doing; the other side being away must not stop it.
        said = f"the other side could not be told: {error}"
    with walls.inside(organisation_id):
        system.disconnect(connection=Connection.objects.get(pk=connection_id), actor=actor, now=clock.now())
    return said
