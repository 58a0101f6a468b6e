"""Which message and which customer a mail answers: by its token, by what it refers to, else by who wrote it."""

from __future__ import annotations

import msgspec
from django.db import connection

from tieout.adapters.ports.door import Mail
from tieout.core.party import mailbox_key
from tieout.stages.base import walls
from tieout.stages.outreach import tokens
from tieout.stages.outreach.models import Message


class Answered(msgspec.Struct, frozen=True):
    """`customer_id` None: nobody, or several customers that share the mailbox; a person says whose it is."""

    message: Message | None
    customer_id: int | None
    how: str


def by(*, mail: Mail) -> Answered:
    """Whom this mail concerns."""
    message = _by_token(mail)
    if message is not None:
        return Answered(message, message.customer_id, "the return address")
    message = _by_reference(mail)
    if message is not None:
        return Answered(message, message.customer_id, "the message it refers to")
    customers = _by_sender(mail.sender)
    if len(customers) == 1:
        return Answered(None, customers[0], "the sender's address")
    return Answered(None, None, f"{len(customers)} customers use this address" if customers else "the address is not known")


def _by_token(mail: Mail) -> Message | None:
    found: Message | None = Message.objects.filter(token__in=tokens.in_addresses(mail.recipients)).order_by("-id").first()
    return found


def _by_reference(mail: Mail) -> Message | None:
    named = [*mail.answers, *([mail.bounce.message_id] if mail.bounce and mail.bounce.message_id else [])]
    if not named:
        return None
    known = {row.message_id: row for row in Message.objects.filter(message_id__in=named)}
    return next((known[one] for one in named if one in known), None)


def _by_sender(address: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT customer_id FROM ledger_contact
                WHERE organisation_id = %s AND retracted_at IS NULL AND lower(btrim(email)) = %s ORDER BY 1""",
            [walls.current(), mailbox_key(address)],
        )
        return [row[0] for row in cursor.fetchall()]
