"""Cancel a message that has not left; the machine does not write the same one again."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, feed
from tieout.stages.cash import account
from tieout.stages.outreach import ends
from tieout.stages.outreach.models import Message


def message(*, message: Message, actor: Actor, now: dt.datetime, reason: str = "") -> Message | Refused:
    """Cancelling twice changes nothing. Refused: it has left, or may have."""
    account.lock([message.customer_id])
    row: Message = message.lock()
    if row.state == Message.State.CANCELLED:
        return row
    if row.state not in ends.WAITING:
        return Refused(f"this message can no longer be cancelled: {row.get_state_display().lower()}")
    row.state, row.outcome = Message.State.CANCELLED, f"cancelled by {actor.name}" + (f": {reason}" if reason else "")
    return _kept(row, "message.cancel", reason, actor, now)


def undo(*, message: Message, actor: Actor, now: dt.datetime) -> Message | Refused:
    """Bring a cancelled message back as a draft."""
    account.lock([message.customer_id])
    row: Message = message.lock()
    if row.state != Message.State.CANCELLED:
        return Refused("this message is not cancelled")
    row.state, row.outcome, row.approved_at, row.approved_by = Message.State.DRAFT, "", None, ""
    return _kept(row, "message.restore", "", actor, now)


def _kept(row: Message, action: str, reason: str, actor: Actor, now: dt.datetime) -> Message:
    row.hold_reason = row.hold_release = ""
    row.save(update_fields=["state", "outcome", "approved_at", "approved_by", "hold_reason", "hold_release"])
    feed.publish(kind="message", ids=[row.pk], customer_ids=[row.customer_id], cause=action, now=now)
    audit.write(actor=actor, action=action, object_kind="message", object_id=row.pk, now=now, reason=reason)
    return row
