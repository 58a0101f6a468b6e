"""A debtor has written: keep it, hold its customer, and do at once what they plainly ask for."""

from __future__ import annotations

import datetime as dt

from tieout.adapters.ports.door import Mail
from tieout.stages.cash import account
from tieout.stages.dialogue import contact_point, reply
from tieout.stages.dialogue.models import ContactPoint, Reply
from tieout.stages.intake.models import Envelope
from tieout.stages.ledger.models import Customer
from tieout.stages.outreach.answered import Answered
from tieout.stages.outreach.opt_out import RECIPIENT

#: A mail may state any moment it likes; ours is when it was read, unless its own is a little before.
_BELIEVED = dt.timedelta(days=14)


def take(*, envelope: Envelope, mail: Mail, answered: Answered, now: dt.datetime) -> Reply:
    """Runs inside the organisation's transaction; the same envelope a second time changes nothing."""
    account.lock([answered.customer_id])
    customer = Customer.objects.get(pk=answered.customer_id) if answered.customer_id is not None else None
    parsed = reply.Parsed(
        sender=mail.sender, subject=mail.subject, text=mail.reply_text, automatic=bool(mail.automatic), received_at=_received(mail, now)
    )
    kept = reply.receive(envelope=envelope, parsed=parsed, customer=customer, message=answered.message, now=now)
    if mail.unsubscribe and not mail.automatic:
        for point in _points(mail, answered, now):
            contact_point.opt_out(point=point, how=f"asked for by mail: {(mail.reply_text or mail.subject)[:80]}", actor=RECIPIENT, now=now)
    return kept


def _points(mail: Mail, answered: Answered, now: dt.datetime) -> list[ContactPoint]:
    """The mailbox we wrote to and the one that asks, which a forward makes two."""
    found: dict[int, ContactPoint] = {}
    if answered.message is not None:
        found[answered.message.contact_point_id] = answered.message.contact_point
    asking = contact_point.of(channel="email", address=mail.sender, now=now)
    if isinstance(asking, ContactPoint):
        found[asking.pk] = asking
    return [found[key] for key in sorted(found)]


def _received(mail: Mail, now: dt.datetime) -> dt.datetime:
    if mail.sent_at is not None and now - _BELIEVED <= mail.sent_at <= now:
        return mail.sent_at
    return now
