"""The audit trail (promise P10): every change has actor, time, reason and its place in a hash chain.

The chain hashes a salted digest of the detail, so that personal data can later be erased while the chain still
verifies. A chain inside the database proves nothing against the database's owner, so its head is exported
(`head`) and anchored outside.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterator
from typing import Any

import msgspec

from tieout.core.evidence import Actor
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry, AuditHead


class Head(msgspec.Struct, frozen=True):
    """The end of an organisation's chain, to be kept outside the database."""

    organisation_id: str
    seq: int
    hash: str


def write(
    *, actor: Actor, action: str, object_kind: str, object_id: object, now: dt.datetime, reason: str = "", detail: dict[str, Any] | None = None
) -> None:
    """Add one entry. Call it last in a transaction: it takes the chain's head, the last lock of the order."""
    write_many([(action, object_kind, object_id, reason, detail or {})], actor=actor, now=now)


def write_many(acts: list[tuple[str, str, object, str, dict[str, Any]]], *, actor: Actor, now: dt.datetime) -> None:
    """Add entries (action, object kind, object id, reason, detail) under one lock of the head."""
    if not acts:
        return
    organisation_id = walls.current()
    AuditHead.objects.bulk_create([AuditHead(organisation_id=organisation_id)], ignore_conflicts=True)
    head = AuditHead.objects.select_for_update().get()
    seq, previous = head.seq, bytes(head.hash)
    entries = []
    for action, object_kind, object_id, reason, detail in acts:
        seq += 1
        salt = secrets.token_bytes(16)
        plain = json.loads(json.dumps(detail, default=str, sort_keys=True))
        digest = _digest(salt, reason, plain)
        entry = AuditEntry(
            organisation_id=organisation_id,
            seq=seq,
            at=now,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name[:300],
            action=action,
            object_kind=object_kind,
            object_id=str(object_id)[:64],
            reason=reason,
            detail=plain,
            salt=salt,
            digest=digest,
            previous=previous,
        )
        previous = entry.hash = _link(entry)
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries)
    head.seq, head.hash = seq, previous
    head.save(update_fields=["seq", "hash"])


def breaks() -> Iterator[tuple[int, str]]:
    """Walk the chain of the current organisation; yield (seq, what is wrong) for every entry that does not verify."""
    expected_seq, previous = 0, b""
    for entry in AuditEntry.objects.order_by("seq").iterator(chunk_size=2000):
        expected_seq += 1
        if entry.seq != expected_seq:
            yield entry.seq, f"entry {expected_seq} is missing"
            expected_seq = entry.seq
        if bytes(entry.previous) != previous:
            yield entry.seq, "does not follow the entry before it"
        if bytes(entry.digest) != _digest(bytes(entry.salt), entry.reason, entry.detail):
            yield entry.seq, "its detail was changed"
        if bytes(entry.hash) != _link(entry):
            yield entry.seq, "its hash does not match its content"
        previous = bytes(entry.hash)
    kept = AuditHead.objects.first()
    if kept is not None and (kept.seq, bytes(kept.hash)) != (expected_seq, previous):
        yield kept.seq, "the head does not match the last entry: entries were removed from the end"


def head() -> Head:
    """The end of the chain, for an anchor outside the database."""
    kept = AuditHead.objects.first()
    return Head(str(walls.current()), kept.seq if kept else 0, bytes(kept.hash).hex() if kept else "")


def _digest(salt: bytes, reason: str, detail: dict[str, Any]) -> bytes:
    return hashlib.sha256(salt + json.dumps([reason, detail], sort_keys=True, ensure_ascii=True).encode()).digest()


def _link(entry: AuditEntry) -> bytes:
    fields = [
        str(entry.organisation_id),
        entry.seq,
        entry.at.astimezone(dt.UTC).isoformat(),
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.object_kind,
        entry.object_id,
        bytes(entry.digest).hex(),
    ]
    return hashlib.sha256(bytes(entry.previous) + json.dumps(fields).encode()).digest()
