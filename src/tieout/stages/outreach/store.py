"""Write many changed messages back in one statement."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.db import connection

from tieout.stages.base import walls
from tieout.stages.outreach.models import Message

_TYPES = {
    "facts": "jsonb", "document_ids": "jsonb", "attachments": "jsonb", "claims": "int", "not_before": "timestamptz", "claimed_at": "timestamptz",
    "sent_at": "timestamptz",
}  # fmt: skip


def rows(messages: Sequence[Message], columns: Sequence[str]) -> None:
    """Set these columns of these messages, as they stand in memory; their rows are locked by the caller."""
    if not messages:
        return
    changed = [{"id": m.pk, **{name: getattr(m, name) for name in columns}} for m in messages]
    shape = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in columns)
    updates = ", ".join(f"{name} = n.{name}" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE outreach_message m SET {updates} FROM jsonb_to_recordset(%s::jsonb) AS n (id bigint, {shape})"
            " WHERE m.organisation_id = %s AND m.id = n.id",
            [msgspec.json.encode(changed).decode(), walls.current()],
        )
