"""Connect a system: see whom we reach, keep the credentials encrypted, begin in pilot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Account
from tieout.adapters.ports.errors import NeedsPerson, PortError
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
    needed = [field for field in manifest.fields if field.secret]
    if manifest.auth == "api_key" and not secrets:
        raise NeedsPerson(f"{needed[0].label}: it is needed to be let in")
    missing = [field.label for field in needed if field.name in consent.APP and not secrets.get(field.name)]
    if missing and (manifest.auth == "oauth2" or len(missing) == 1):
        raise NeedsPerson(f"{missing[0].removeprefix('Or: ')}: it is needed to ask for consent")
    settings = {name: value for name, value in values.items() if not fields[name].secret and value}
    settings |= {name: given[name] for name in extra - set(consent.KEYS) if given.get(name)}
    for name, value in settings.items():
        if name.endswith("_url") and not value.startswith(_ADDRESSES):
            raise NeedsPerson(f"{fields[name].label}: an address begins with https://, or with http:// for this very machine")
    return settings, secrets


def by_consent(vendor: str, given: Mapping[str, str]) -> bool:
    """Whether somebody has to be asked at the other side: where it knows consent, no key was typed, and an app of ours is named."""
    manifest = registry.connectors()[vendor].manifest
    if manifest.oauth is None or given.get("access_token"):
        return False
    return manifest.auth == "oauth2" or any(given.get(name) for name in consent.APP)


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


def stored(organisation_id: UUID, connection_id: int, given: Mapping[str, str]) -> dict[str, str]:
    """What a connect form would hold of a connection: its settings, what was typed now, and where nothing was, what is stored of its app."""
    with walls.inside(organisation_id):
        row = Connection.objects.get(pk=connection_id)
        app = system.secrets(connection_id=row.pk, keys=consent.APP)
    manifest = registry.connectors()[row.vendor].manifest
    names = {field.name for field in manifest.fields}
    settings = {f.name: str(row.settings.get(f.name, "")) for f in manifest.fields if not f.secret}
    typed = {name: value for name, value in given.items() if value and (name not in settings)}
    # A key that was typed stands for itself: the app it is not of is not asked for.
    return settings | ({} if typed.get("access_token") else {name: value for name, value in app.items() if name in names}) | typed


def again(
    organisation_id: UUID, connection_id: int, *, given: Mapping[str, str], actor: Actor, told: Mapping[str, Any] | None = None
) -> Account:
    """New credentials for a connection; `told` is what a consent brought. What is not given stays as it is stored.

    Refused where they reach another account: its records would be mixed with these.
    """
    with walls.inside(organisation_id):
        row = Connection.objects.get(pk=connection_id)
        connector = registry.connectors()[row.vendor]
        kept = system.secrets(connection_id=row.pk, keys=line.secret_keys(connector))
    by_key = bool(given.get("access_token")) and not told
    if by_key:
        kept.pop("refresh_token", None)
    settings, secrets = split(row.vendor, {**kept, **{name: value for name, value in given.items() if value}})
    tokens = {name: str(told[name]) for name in consent.KEYS if told and told.get(name)}
    secrets |= tokens
    # Where the other side named an account, that is the one these credentials are for.
    tried = {**row.settings, **{name: value for name, value in settings.items() if name in _returned(row.vendor)}}
    account = whom(row.vendor, tried, secrets)
    if row.account.get("id") and account.id != row.account["id"]:
        if tokens.get("refresh_token"):
            with contextlib.suppress(PortError):
                consent.withdraw(connector=connector, settings=tried, secrets=secrets)
        raise NeedsPerson(
            f"these credentials are for {account.name} ({account.id}), this connection for {row.account.get('name')} ({row.account['id']}); "
            "connect the other account as a connection of its own"
        )
    with walls.inside(organisation_id):
        row = Connection.objects.select_for_update(of=("self",)).get(pk=connection_id)
        before = {name: value for name, value in row.account.items() if not (by_key and name.endswith("_expires_at"))}
        system.replace_secrets(
            connection=row, secrets=secrets, account={**before, **msgspec.to_builtins(account)}, actor=actor, now=clock.now(),
            forget=("refresh_token",) if by_key else (),
        )  # fmt: skip
        if told:
            consent.store(connection=row, told=told)
    line.rested(connection_id)
    return account


def _returned(vendor: str) -> tuple[str, ...]:
    oauth = registry.connectors()[vendor].manifest.oauth
    return oauth.returned if oauth else ()


def go_live(organisation_id: UUID, connection_id: int, *, actor: Actor, reason: str = "", missing: Iterable[str] = ()) -> int:
    """From now on the system is written to, by the map it suggests; returns how many lines that added. What was `missing` of the
    checklist, and the `reason` to go on all the same, stay in the audit trail."""
    with walls.inside(organisation_id):
        row = Connection.objects.get(pk=connection_id)
        system.go_live(connection=row, actor=actor, now=clock.now(), reason=reason, missing=missing)
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
