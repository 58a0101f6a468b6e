"""They say they paid: held at once, until the money shows or the time a transfer takes has passed."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import queries as base
from tieout.stages.dialogue import hold
from tieout.stages.dialogue.models import Hold
from tieout.stages.ledger.models import Customer, Document

#: Days an announced payment holds unless told otherwise: an international transfer takes up to five business days, and
#: the bank's file comes a day or two after it, which weekends stretch to ten. Then the question is open again.
DAYS = 10


def record(
    *, customer: Customer, document: Document | None = None, note: str = "", until: dt.date | None = None, actor: Actor, now: dt.datetime
) -> Hold | Refused:
    """Hold the customer (or the one document) because its people say the money has left, up to `until` or ten days."""
    ends = until or base.today_of(base.profile(), now) + dt.timedelta(days=DAYS)
    return hold.place(customer=customer, reason=Hold.Reason.IN_TRANSIT, document=document, until=ends, note=note, actor=actor, now=now)
