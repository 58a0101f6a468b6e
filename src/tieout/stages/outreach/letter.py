"""A claimed message as the letter a channel takes: headers, text, and the statement made from the very facts it was claimed on."""

from __future__ import annotations

import datetime as dt

from tieout.adapters.ports.channel import Attachment, Letter
from tieout.stages.outreach import statement, tokens
from tieout.stages.outreach.claim import Claimed


def of(*, claimed: Claimed, plus_addressing: bool, now: dt.datetime) -> Letter:
    """The finished letter."""
    back = tokens.return_address(claimed.sender.address, claimed.token) if plus_addressing else claimed.sender.address
    attached = ()
    if claimed.attach:
        made = statement.pdf(claimed.said, sender=claimed.sender)
        attached = (Attachment(name=statement.name(claimed.said), media_type="application/pdf", content=made),)
    return Letter(
        message_id=claimed.message_id,
        date=now,
        to_address=claimed.to_address,
        sender_name=claimed.sender.name,
        sender_address=claimed.sender.address,
        return_address=back,
        subject=claimed.subject,
        text=claimed.body,
        html=claimed.html,
        references=claimed.references,
        unsubscribe_url=claimed.opt_out_url,
        unsubscribe_address=back if plus_addressing else "",
        attachments=attached,
    )
