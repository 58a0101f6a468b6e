"""Write the rows of a batch in one statement each: what the ORM does row by row takes ten times as long in the hot path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection

from tieout.stages.base import walls
from tieout.stages.outreach.models import Message

_NEW = (
    "customer_id", "contact_point_id", "decision_id", "natural_key", "step", "tone", "language", "to_address", "subject", "body", "html", "edited",
    "facts", "document_ids", "attachments", "state", "hold_reason", "hold_release", "not_before", "message_id", "token", "drafted_at", "approved_by",
    "claims", "outcome",
)  # fmt: skip
_TYPES = {
    "customer_id": "bigint", "contact_point_id": "bigint", "decision_id": "bigint", "edited": "boolean", "drafted_at": "timestamptz",
    "facts": "jsonb", "document_ids": "jsonb", "attachments": "jsonb", "claims": "int", "not_before": "timestamptz", "claimed_at": "timestamptz",
    "sent_at": "timestamptz",
}  # fmt: skip


def new(messages: Sequence[Message]) -> list[tuple[int, int]]:
    """Add messages whose natural key is not there yet; returns id and customer of those that were new."""
    if not messages:
        return []
    added = [{name: getattr(m, name) for name in _NEW} for m in messages]
    columns, shape = ", ".join(_NEW), ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in _NEW)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO outreach_message (organisation_id, {columns}) SELECT %s, {columns}"
            f" FROM jsonb_to_recordset(%s::jsonb) AS n ({shape}) ON CONFLICT (organisation_id, natural_key) DO NOTHING RETURNING id, customer_id",
            [walls.current(), msgspec.json.encode(added).decode()],
        )
        return list(cursor.fetchall())


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


def certificates(proofs: Sequence[dict[str, Any]]) -> None:
    """Add certificates, given by column."""
    if not proofs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO outreach_certificate (organisation_id, message_id, claim, allowed, checks, rules_version, inputs_hash, issued_at)
               SELECT %s, n.message_id, n.claim, n.allowed, n.checks, n.rules_version, n.inputs_hash, n.issued_at
                 FROM jsonb_to_recordset(%s::jsonb) AS n (message_id bigint, claim int, allowed boolean, checks jsonb, rules_version text,
                                                          inputs_hash text, issued_at timestamptz)""",
            [walls.current(), msgspec.json.encode(proofs).decode()],
        )
