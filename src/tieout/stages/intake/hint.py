"""What came to a connection's door: kept as it came, once, in one journey to the database, before anything is made of it."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tieout.stages.base import walls
from tieout.stages.intake.models import Envelope

MEDIA_TYPE = "application/json; role=hint"


_KEEP = """INSERT INTO intake_envelope (organisation_id, connection_id, external_id, name, media_type, size, sha256, received_at, state, reason,
                      answers, body)
               VALUES (%s, %s, %s, 'webhook', %s, %s, %s, %s, 'received', '', '{}', %s)
               ON CONFLICT (organisation_id, connection_id, external_id) DO NOTHING"""


def receive(
    *, organisation_id: UUID, connection_id: int, delivery: str, body: bytes, now: dt.datetime, after: str = "SELECT NULL", asked: Sequence[Any] = ()
) -> tuple[bool, Any]:
    """Keep a delivery, committed when this returns: (whether it was not here already, what `after` then found)."""
    values = [
        organisation_id, connection_id, f"hook:{delivery}"[:200], MEDIA_TYPE, len(body), hashlib.sha256(body).hexdigest(), now,
        gzip.compress(body, compresslevel=1),
    ]  # fmt: skip
    written, found = walls.at_once(organisation_id, _KEEP, values, after=after, asked=asked)
    return bool(written), found[0]


def waiting(*, connection_id: int, limit: int = 200) -> list[tuple[int, bytes]]:
    """Deliveries nothing was made of yet, oldest first: (envelope, body)."""
    rows = Envelope.objects.filter(connection_id=connection_id, media_type=MEDIA_TYPE, state="received").order_by("id")[:limit]
    return [(row.pk, gzip.decompress(bytes(row.body))) for row in rows]


def settle(*, envelope_ids: list[int], state: str, reason: str, now: dt.datetime) -> None:
    """Bring deliveries to their end."""
    Envelope.objects.filter(pk__in=envelope_ids, state="received").update(state=state, reason=reason, settled_at=now)
