"""Telling another system what holds: which of them can be told what, and the effect that does it, once, through the outbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from tieout.adapters.ports import registry
from tieout.stages.intake.models import Connection
from tieout.stages.writeback.models import Conflict, Outgoing


class Able(msgspec.Struct, frozen=True):
    """What a live system can be told: acts, and the fields of a customer it takes."""

    writes: tuple[str, ...]
    changes: tuple[str, ...]


def abilities() -> dict[int, Able]:
    """Of every system that is live and not paused."""
    live = Connection.objects.filter(kind="system", stage="live", paused_at__isnull=True).values_list("id", "vendor")
    known = registry.connectors()
    return {pk: Able(known[vendor].manifest.abilities.writes, known[vendor].manifest.abilities.changes) for pk, vendor in live if vendor in known}


def act(conflict: Conflict) -> str:
    """The act that would bring the other side to what holds here; '' where there is none."""
    if conflict.kind in ("customer", "contact"):
        return "update_customer"
    if conflict.kind == "invoice" and conflict.field == "status" and conflict.ours in ("void", "deleted"):
        return "void"
    if conflict.kind == "invoice" and conflict.field == "due_date":
        return "update_invoice"
    return ""


def may(conflict: Conflict, tells: Mapping[int, Able]) -> bool:
    """Whether the other system can be told."""
    able, wanted = tells.get(conflict.connection_id), act(conflict)
    if able is None or not wanted or wanted not in able.writes:
        return False
    return wanted != "update_customer" or conflict.field in able.changes


def put(*, conflict: Conflict, now: dt.datetime) -> Outgoing:
    """Into the outbox. What exactly is said is put together when it is told, from what stands here then."""
    kind = "customer" if conflict.kind == "contact" else conflict.kind
    stem = f"{conflict.connection_id}:{act(conflict)}:{kind}:{conflict.target_id}:conflict-{conflict.pk}"
    number = Outgoing.objects.filter(natural_key__startswith=f"{stem}-").count() + 1
    row: Outgoing = Outgoing.objects.create(
        kind=act(conflict), natural_key=f"{stem}-{number}", connection_id=conflict.connection_id, subject_kind=kind, subject_id=conflict.target_id,
        body={"field": conflict.field, "theirs": conflict.external_id, "label": str(conflict.ours)}, written_at=now, not_before=now,
    )  # fmt: skip
    return row


def withdraw(*, outgoing_id: int, reason: str, now: dt.datetime) -> bool:
    """Take it out of the outbox again; False where it has left already, which nothing takes back."""
    return bool(
        Outgoing.objects.filter(pk=outgoing_id, state="waiting", attempts=0).update(state="done", receipt=f"not told: {reason}", settled_at=now)
    )
