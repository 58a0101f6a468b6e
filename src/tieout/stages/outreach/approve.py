"""Approve a draft: a person says it may leave. The gate is asked all the same when it does."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, feed
from tieout.stages.cash import account
from tieout.stages.outreach.models import Message


def message(*, message: Message, actor: Actor, now: dt.datetime) -> Message | Refused:
    """Ready to send. Approving twice changes nothing."""
    if actor.kind != "person":
        return Refused("only a person approves a message")
    account.lock([message.customer_id])
    row: Message = message.lock()
    if row.state in (Message.State.PLANNED, Message.State.HELD) and row.approved_by:
        return row
    if row.state != Message.State.DRAFT:
        return Refused(f"this message does not wait for approval: {row.get_state_display().lower()}")
    row.state, row.approved_at, row.approved_by = Message.State.PLANNED, now, actor.name
    return _kept(row, "message.approve", actor, now)


def withdraw(*, message: Message, actor: Actor, now: dt.datetime) -> Message | Refused:
    """Take an approval back while the message has not left: it waits again."""
    account.lock([message.customer_id])
    row: Message = message.lock()
    if row.state not in (Message.State.PLANNED, Message.State.HELD):
        return Refused(f"this message has no approval to take back: {row.get_state_display().lower()}")
    row.state, row.approved_at, row.approved_by = Message.State.DRAFT, None, ""
    return _kept(row, "message.withdraw_approval", actor, now)


def _kept(row: Message, action: str, actor: Actor, now: dt.datetime) -> Message:
    row.hold_reason = row.hold_release = ""
    row.save(update_fields=["state", "approved_at", "approved_by", "hold_reason", "hold_release"])
    feed.publish(kind="message", ids=[row.pk], customer_ids=[row.customer_id], cause=action, now=now)
    audit.write(actor=actor, action=action, object_kind="message", object_id=row.pk, now=now)
    return row
