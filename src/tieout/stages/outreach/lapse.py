"""End messages that wait while nothing is left of what they ask for: whoever has paid is not even in the pile to be approved.

At the claim the gate asks again; this is for everybody who looks before that. What a person has edited is theirs to cancel.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import QuerySet

from tieout.core.evidence import Actor
from tieout.stages.base import audit, feed
from tieout.stages.cash import account
from tieout.stages.ledger.models import Document
from tieout.stages.outreach import ends
from tieout.stages.outreach.models import Message

MACHINE = Actor("machine", "planner")


def messages(*, customer_ids: Iterable[int] | None, now: dt.datetime) -> list[int]:
    """The messages to these customers (None: to anybody) that ended; each says why."""
    moot = _moot(Message.objects.filter(customer_id__in=sorted(set(customer_ids))) if customer_ids is not None else Message.objects.all())
    if not moot:
        return []
    account.lock(sorted({row.customer_id for row in moot}))
    # Asked once more under the lock: money may have been taken back meanwhile.
    ended = _moot(Message.objects.select_for_update(of=("self",)).filter(pk__in=[row.pk for row in moot]))
    for row in ended:
        row.state, row.hold_reason, row.hold_release = Message.State.CANCELLED, "", ""
    Message.objects.bulk_update(ended, ["state", "outcome", "hold_reason", "hold_release"], batch_size=1000)
    ids = [row.pk for row in ended]
    feed.publish(kind="message", ids=ids, customer_ids=[row.customer_id for row in ended], cause="message.end", now=now)
    audit.write_many([("message.end", "message", row.pk, row.outcome, {}) for row in ended], actor=MACHINE, now=now)
    return ids


def _moot(messages: QuerySet[Message]) -> list[Message]:
    """Those of the messages that wait for nothing any more, each with the words of its end."""
    waiting = list(messages.filter(state__in=ends.WAITING, edited=False).order_by("pk"))
    asked = {int(i) for row in waiting for i in row.document_ids}
    documents = {row.pk: row for row in Document.objects.filter(pk__in=asked)}
    moot = []
    for row in waiting:
        about = [documents[i] for i in map(int, row.document_ids) if i in documents]
        if about and not any(one.status in ("open", "unknown") and one.open_minor > 0 for one in about):
            row.outcome = f"{ends.NOTHING_LEFT}: {', '.join(f'{one.number} is {_end(one)}' for one in about[:5])}"
            moot.append(row)
    return moot


def _end(document: Document) -> str:
    return "settled" if document.status in ("open", "unknown") else document.status
