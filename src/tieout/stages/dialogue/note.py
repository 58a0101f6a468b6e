"""Notes: what a colleague wants remembered; taken back, never deleted."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, feed
from tieout.stages.dialogue.models import Note
from tieout.stages.ledger.models import Customer, Document


def write(*, customer: Customer, text: str, document: Document | None = None, actor: Actor, now: dt.datetime) -> Note | Refused:
    """Keep a note on a customer or one of its documents. Refused: an empty one, another customer's document."""
    if not text.strip():
        return Refused("the note is empty")
    if document is not None and document.customer_id != customer.pk:
        return Refused(f"{document.number} does not belong to {customer.name}")
    row: Note = Note.objects.create(customer=customer, document=document, text=text.strip(), written_at=now, written_by=actor.name)
    _tell("note.write", row, actor, now)
    return row


def retract(*, note: Note, actor: Actor, now: dt.datetime) -> Note:
    """Take a note back: it leaves the timeline and stays on record. Twice changes nothing."""
    row: Note = note.lock()
    if row.retracted_at is None:
        row.retracted_at = now
        row.save(update_fields=["retracted_at"])
        _tell("note.retract", row, actor, now)
    return row


def _tell(action: str, row: Note, actor: Actor, now: dt.datetime) -> None:
    feed.publish(kind="note", ids=[row.pk], customer_ids=[row.customer_id], cause=action, now=now)
    audit.write(actor=actor, action=action, object_kind="note", object_id=row.pk, now=now, detail={"customer_id": row.customer_id, "text": row.text})
