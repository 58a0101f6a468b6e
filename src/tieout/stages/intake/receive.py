"""Receive what a source sent: kept exactly as received, once, before anything is made of it (promise P3)."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import tempfile
from collections.abc import Iterable
from typing import Any

from tieout.stages.intake.models import Connection, Envelope, EnvelopePart

PART = 1024 * 1024


def envelope(
    *,
    connection: Connection,
    name: str,
    chunks: Iterable[bytes],
    now: dt.datetime,
    media_type: str = "application/octet-stream",
    answers: dict[str, Any] | None = None,
    external_id: str | None = None,
) -> tuple[Envelope, bool]:
    """Store the bytes and return (envelope, whether it is new).

    The same bytes as the connection's newest envelope, or the same `external_id` where the source has one, are the
    same thing again: the envelope there is comes back. Older content that arrives once more is new: it is the
    source's latest word.
    """
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as spool:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            spool.write(chunk)
        sha256 = digest.hexdigest()
        again = _same(connection, external_id, sha256)
        if again is not None:
            return again, False
        row = Envelope.objects.create(
            connection=connection,
            name=name[:300],
            media_type=media_type,
            size=size,
            sha256=sha256,
            received_at=now,
            answers=answers or {},
            external_id=external_id or f"{sha256}:{Envelope.objects.filter(connection=connection, sha256=sha256).count()}",
        )
        spool.seek(0)
        ordinal = 0
        while part := spool.read(PART):
            EnvelopePart.objects.create(envelope=row, ordinal=ordinal, content=gzip.compress(part, compresslevel=1))
            ordinal += 1
    return row, True


def _same(connection: Connection, external_id: str | None, sha256: str) -> Envelope | None:
    mine = Envelope.objects.filter(connection=connection)
    if external_id is not None:
        found: Envelope | None = mine.filter(external_id=external_id).first()
        return found
    newest: Envelope | None = mine.order_by("-received_at", "-id").first()
    return newest if newest is not None and newest.sha256 == sha256 else None


def settle(*, envelope: Envelope, state: str, reason: str, now: dt.datetime) -> None:
    """Bring an envelope to its one end: applied, ignored or quarantined, with the reason in words."""
    envelope.state, envelope.reason, envelope.settled_at = state, reason, now
    envelope.save(update_fields=["state", "reason", "settled_at"])
