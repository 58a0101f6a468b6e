"""What happened after a message left: a mail server says it did not arrive. The ladder does not count such a message."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor
from tieout.core.party import mailbox_key
from tieout.stages.base import audit, feed
from tieout.stages.base import queries as base
from tieout.stages.cash import account
from tieout.stages.collect import task
from tieout.stages.dialogue import contact_point
from tieout.stages.dialogue.models import ContactPoint, Touch
from tieout.stages.ledger.models import Customer
from tieout.stages.outreach.models import Message

_MAILBOX = Actor("machine", "mailbox")


def bounced(*, message: Message, hard: bool, said: str, now: dt.datetime) -> Message:
    """This message did not arrive. A hard bounce marks it and its mailbox and asks a person for an address; a soft one counts."""
    account.lock([message.customer_id])
    point: ContactPoint = ContactPoint.objects.get(pk=message.contact_point_id).lock()
    row: Message = message.lock()
    if row.state == Message.State.BOUNCED:
        return row
    point = contact_point.bounce(point=point, how=said, hard=hard, now=now)
    if point.bounced_at is None:
        audit.write(actor=_MAILBOX, action="message.delayed", object_kind="message", object_id=row.pk, now=now, reason=said)
        return row
    row.state, row.bounced_at, row.outcome = Message.State.BOUNCED, now, said
    row.save(update_fields=["state", "bounced_at", "outcome"])
    Touch.objects.filter(message_id=row.pk, direction="out").update(outcome="bounced")
    _find_address(row.customer, row.to_address, f"message:{row.pk}", said, now)
    feed.publish(kind="message", ids=[row.pk], customer_ids=[row.customer_id], cause="message.bounce", now=now)
    audit.write(actor=_MAILBOX, action="message.bounce", object_kind="message", object_id=row.pk, now=now, reason=said)
    return row


def dead_mailbox(*, address: str, hard: bool, said: str, now: dt.datetime) -> bool:
    """A bounce that belongs to no message of ours: it counts against the mailbox it names, if we know it."""
    point = ContactPoint.objects.filter(channel="email", address=mailbox_key(address)).first()
    if point is None:
        return False
    users = contact_point.users([point])
    account.lock(users)
    if contact_point.bounce(point=point, how=said, hard=hard, now=now).bounced_at is not None:
        for customer in Customer.objects.filter(pk__in=users):
            _find_address(customer, address, f"point:{point.pk}", said, now)
    return True


def _find_address(customer: Customer, address: str, key: str, said: str, now: dt.datetime) -> None:
    title = f"find an address: mail to {address} came back"
    task.make(
        customer=customer, kind="address", title=title, reason=said, natural_key=f"address:{customer.pk}:{key}",
        due_date=base.today_of(base.profile(), now), actor=_MAILBOX, now=now,
    )  # fmt: skip
