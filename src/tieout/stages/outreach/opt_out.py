"""The opt-out a recipient asks for: by the link of a message, by its one-click header, or in plain words."""

from __future__ import annotations

import datetime as dt

import msgspec

from tieout.core.evidence import Actor
from tieout.stages.base import queries as base
from tieout.stages.cash import account
from tieout.stages.dialogue import contact_point
from tieout.stages.dialogue.models import ContactPoint
from tieout.stages.outreach.models import Message

RECIPIENT = Actor("machine", "recipient")


class Asked(msgspec.Struct, frozen=True):
    """What the page shows: who writes, the mailbox with most of it hidden, whether it is out already, and the letter's language."""

    sender: str
    mailbox: str
    done: bool
    language: str


def look(*, token: str) -> Asked | None:
    """The message's mailbox; None where the token is none of ours. Changes nothing: mail scanners open links."""
    row = _message(token)
    return None if row is None else _asked(row.contact_point, row.language)


def by_token(*, token: str, how: str, now: dt.datetime) -> Asked | None:
    """Nobody writes to this mailbox again. Twice changes nothing."""
    row = _message(token)
    if row is None:
        return None
    # The account first, as a claim does: this lands before the claim, which then sees it, or after.
    account.lock([row.customer_id])
    return _asked(contact_point.opt_out(point=row.contact_point, how=how, actor=RECIPIENT, now=now), row.language)


def _message(token: str) -> Message | None:
    found: Message | None = Message.objects.select_related("contact_point").filter(token=token).first()
    return found


def _asked(point: ContactPoint, language: str) -> Asked:
    local, _, domain = point.address.partition("@")
    ours = base.profile()
    return Asked(sender=ours.sender_name or ours.name, mailbox=f"{local[:2]}…@{domain}", done=point.opted_out_at is not None, language=language)
