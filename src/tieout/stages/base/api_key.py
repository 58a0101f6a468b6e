"""Keys other programs show to be let in. A key names its organisation, so that it is looked for behind that wall only; of the
rest nothing is kept but a hash.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from uuid import UUID

import msgspec
from django.db.models import F, Q

from tieout.core.evidence import Actor
from tieout.stages.base import audit, walls
from tieout.stages.base.models import ApiKey

_MARK = "tk"
_PREFIX = 8
#: When a key was last used is of interest to the minute; writing it each time would make every call wait for the others.
_USED_SECONDS = 60


class Issued(msgspec.Struct, frozen=True):
    """A new key: `plain` is shown this once and cannot be had again."""

    id: int
    plain: str


class Holder(msgspec.Struct, frozen=True):
    """Whose key was shown: which key, and which connection it is for."""

    key_id: int
    name: str
    connection_id: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A key for a page: never the key itself."""

    id: int
    name: str
    prefix: str
    connection_id: int
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


class NoSuchKey(Exception):
    """There is no such key here, or it is revoked already."""


def issue(*, name: str, connection_id: int, actor: Actor, now: dt.datetime) -> Issued:
    """Make a key for a connection."""
    random = secrets.token_urlsafe(32)
    plain = f"{_MARK}_{walls.current().hex}_{random}"
    row: ApiKey = ApiKey.objects.create(
        name=name.strip()[:200], prefix=random[:_PREFIX], sha256=_hash(plain), connection_id=connection_id, created_at=now
    )
    detail = {"name": row.name, "prefix": row.prefix, "connection": connection_id}
    audit.write(actor=actor, action="api_key.issue", object_kind="api_key", object_id=row.pk, now=now, detail=detail)
    return Issued(row.pk, plain)


def organisation_of(plain: str) -> UUID | None:
    """The organisation a key names; None where it has not the form of a key. That it names one proves nothing."""
    parts = plain.split("_", 2)
    if len(parts) != 3 or parts[0] != _MARK or len(parts[1]) != 32 or not plain.isascii():
        return None
    try:
        return UUID(hex=parts[1])
    except ValueError:
        return None


def check(*, plain: str, now: dt.datetime) -> Holder | None:
    """Who holds the key, in the organisation it names (call inside it); None where it is unknown or revoked."""
    if organisation_of(plain) != walls.current() or "\x00" in plain:
        return None
    row = ApiKey.objects.filter(prefix=plain.split("_", 2)[2][:_PREFIX]).first()
    # Compared even where there is no row, so that the time an answer takes tells nothing.
    same = hmac.compare_digest(_hash(plain), row.sha256 if row else "0" * 64)
    if row is None or not same or row.revoked_at is not None:
        return None
    long_ago = now - dt.timedelta(seconds=_USED_SECONDS)
    if row.last_used_at is None or row.last_used_at < long_ago:
        ApiKey.objects.filter(Q(last_used_at__isnull=True) | Q(last_used_at__lt=long_ago), pk=row.pk).update(last_used_at=now)
    return Holder(row.pk, row.name, row.connection_id)


def kept() -> list[Kept]:
    """All keys of the organisation, those in force first, the newest of each first."""
    rows = ApiKey.objects.order_by(F("revoked_at").desc(nulls_first=True), "-created_at", "-id")
    return [
        Kept(
            id=r.pk, name=r.name, prefix=r.prefix, connection_id=r.connection_id, created_at=r.created_at, last_used_at=r.last_used_at,
            revoked_at=r.revoked_at,
        )
        for r in rows
    ]  # fmt: skip


def revoke(*, key_id: int, actor: Actor, now: dt.datetime) -> None:
    """Let nobody in with this key any more. Raises NoSuchKey."""
    if not ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=now):
        raise NoSuchKey("there is no such key, or it is revoked already")
    audit.write(actor=actor, action="api_key.revoke", object_kind="api_key", object_id=key_id, now=now)


def _hash(plain: str) -> str:
    # A random key of 256 bits needs no slow hash: there is nothing to guess.
    return hashlib.sha256(plain.encode()).hexdigest()
