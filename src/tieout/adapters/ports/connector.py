"""The port of every connected system: what it can do, how it is read and written, and what its records mean.

A connector is a folder under `connectors/`: a manifest, a thin client on `ports.http`, and `translate`, which is pure. It holds
no state: where to go on is a cursor that the engine keeps, and secrets are handed in. Whatever the manifest declares drives the
engine and the published table of abilities.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from tieout.adapters.ports.channel import OutcomeUnknown, SettingField
from tieout.adapters.ports.errors import PortError
from tieout.adapters.ports.http import Http
from tieout.core.documents import Record

__all__ = [
    "Abilities", "Account", "Change", "Command", "Connector", "Manifest", "NotGenuine", "OAuth", "OutcomeUnknown", "Page", "Rate", "Raw", "Receipt",
    "Ref", "SettingField", "Stream", "Tokens", "Tried",
]  # fmt: skip


class NotGenuine(PortError):
    """What came to the door was not signed by the system it claims to come from, or is too old."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor lets one connection ask for; None where it sets no such limit."""

    per_second: float | None = None
    per_minute: int | None = None
    concurrent: int | None = None
    #: How long to keep quiet after a 429 that does not say for how long.
    pause_seconds: float | None = None


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of record of a system, in the order of `Manifest.streams`: what others refer to comes first.

    `kinds` are the canonical kinds its objects become, the main one first: a whole reading looks for what is missing of that one
    (an application is not missed by itself, but goes with what it belongs to).
    """

    name: str
    title: str
    kinds: tuple[str, ...]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tested, and against what: `twin`, `description`, `sdk` (the vendor's client against our twin), `fake`."""

    what: str
    against: Literal["twin", "description", "sdk", "fake", "vectors"]


class Abilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a system can do. `lookback_days` is how far its changes reach back; an absence beyond it means reading all again."""

    incremental: Literal["updated_since", "events", "cdc", "hash"]
    lookback_days: int | None
    deletes: Literal["cdc", "events", "archived_list", "flag", "sweep"]
    max_page: int
    idempotency: Literal["header", "query", "natural", "none"]
    optimistic_lock: bool
    webhook: Literal["signed_body", "signed_request", "basic", "none"]
    money: Literal["minor", "decimal_string", "decimal_number"]
    time: Literal["utc", "offset", "org_zone", "us_eastern"]
    partial_payments: bool
    credit_links: bool
    writes: tuple[str, ...] = ()
    #: Fields of a customer it takes from us (`update_customer`).
    changes: tuple[str, ...] = ()
    rate: Rate = Rate()


class OAuth(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person gives their consent and tokens are fetched. Paths are relative to the setting named by `base`."""

    base: str
    authorize: str
    token: str
    revoke: str
    scopes: tuple[str, ...]
    pkce: bool = True
    #: Where the app's id and secret go when tokens are fetched: into the Authorization header (RFC 6749, 2.3.1) or into the form.
    secret_in: Literal["header", "body"] = "header"  # noqa: S105 - where it goes, not what it is
    #: Names of parameters of the return address that become settings (QuickBooks: realmId).
    returned: tuple[str, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector says of itself. `fields` make the connect form; `secret` ones are never shown again."""

    name: str
    title: str
    about: str
    role: Literal["gateway", "accounting", "crm", "other"] = "other"
    auth: Literal["api_key", "oauth2", "none"]
    api_version: str
    fields: tuple[SettingField, ...]
    streams: tuple[Stream, ...]
    abilities: Abilities
    oauth: OAuth | None = None
    tested: tuple[Tried, ...] = ()


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of a consent, with when each runs out (None: not known to)."""

    access: str
    refresh: str = ""
    access_expires_at: dt.datetime | None = None
    refresh_expires_at: dt.datetime | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Whom we are connected to, in the vendor's words."""

    id: str
    name: str
    currency: str = ""
    country: str = ""
    live: bool = True


class Ref(msgspec.Struct, frozen=True, order=True):
    """An object somebody told us to look at again."""

    stream: str
    id: str


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """One object as the system sent it: `body` is its own JSON. `version` compares as a number where it is digits; `gone` says it
    exists no more (deleted, archived, merged into another), and then `body` may be all but empty."""

    stream: str
    id: str
    body: bytes
    version: str = ""
    changed_at: dt.datetime | None = None
    gone: Literal["", "deleted", "archived", "merged"] = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: its objects, where to go on, and the bytes it came in. `last` where nothing follows for now."""

    raws: tuple[Raw, ...]
    cursor: Mapping[str, Any]
    last: bool
    content: bytes = b""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since a cursor: objects where the system sends them, references where it only names them.

    `resync` says that the cursor is older than the system remembers (or it cannot answer whole): everything is read again.
    `closed` are streams this account may not read (any more), each with the reason; the others go on.
    """

    raws: tuple[Raw, ...] = ()
    refs: tuple[Ref, ...] = ()
    cursor: Mapping[str, Any]
    last: bool
    content: bytes = b""
    resync: str = ""
    closed: Mapping[str, str] = {}


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do in a system. `key` is the same on every try of the same effect; `act` is one of `Abilities.writes`;
    `body` is plain data in canonical words, and foreign ids in it are already those of the system written to."""

    act: str
    key: str
    body: Mapping[str, Any]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the system answered: the object it made or changed, as it would be read."""

    raw: Raw
    said: str = ""
    found: bool = False


@runtime_checkable
class Connector(Protocol):
    """A folder under `connectors/` exports one as `CONNECTOR`. Every method raises the four errors of `ports.errors`;
    a write may also raise OutcomeUnknown. `settings` are the connection's, without secrets; `http` carries those."""

    manifest: Manifest
    folder: Path

    def authorise(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Mapping[str, str]:
        """The headers that let us in. Pure."""
        ...

    def base_url(self, settings: Mapping[str, Any]) -> str:
        """Where the system answers. Pure."""
        ...

    def account(self, http: Http, settings: Mapping[str, Any]) -> Account:
        """Whom we reach; the first call of a new connection."""
        ...

    def start(self, http: Http, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The cursor of changes as of now: taken before the first page of history, so that nothing falls between."""
        ...

    def page(self, http: Http, settings: Mapping[str, Any], *, stream: str, cursor: Mapping[str, Any]) -> Page:
        """One page of history; an empty cursor begins."""
        ...

    def changes(self, http: Http, settings: Mapping[str, Any], *, cursor: Mapping[str, Any]) -> Change:
        """What changed since, over all streams, oldest first, with an overlap."""
        ...

    def reread(self, http: Http, settings: Mapping[str, Any], *, refs: Iterable[Ref]) -> tuple[Raw, ...]:
        """These objects as they stand now. One that is not there comes back as gone; a related object that a change of it implies
        (the payment behind an invoice) may come along."""
        ...

    def delivery(self, *, headers: Mapping[str, str], body: bytes, url: str, secrets: tuple[str, ...], now: dt.datetime) -> str:
        """The id of what came to our door, once it has proven to be the system's own: any of the `secrets` may have signed it, the
        comparison takes the same time whatever differs, and what is too old is refused. Raises NotGenuine. Pure and quick."""
        ...

    def hints(self, *, body: bytes, settings: Mapping[str, Any]) -> tuple[Ref, ...]:
        """The objects of this connection's account that a delivery tells us to look at. Raises BadRecord. Pure."""
        ...

    def translate(self, raw: Raw, settings: Mapping[str, Any]) -> tuple[Record, ...]:
        """What an object means, in canonical records; () for what has no meaning here. Raises BadRecord. Pure."""
        ...

    def write(self, http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
        """Do it. What may have been done before is looked for first where the system knows no idempotency."""
        ...

    def find(self, http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
        """The effect of a command where it happened already, else None."""
        ...

    def owner(self, raw: Raw) -> str:
        """The command key that made this object, where it carries one: our own echo. Pure."""
        ...
