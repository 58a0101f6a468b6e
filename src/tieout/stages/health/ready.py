"""What must hold, and what had better hold, before an organisation goes live: each point with where to put it right."""

from __future__ import annotations

import datetime as dt

import msgspec

from tieout.stages.base import queries as base
from tieout.stages.collect.models import Release
from tieout.stages.intake import queries as intake
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Document
from tieout.stages.outreach import sending


class Point(msgspec.Struct, frozen=True):
    """One point of the list: whether it is met, what it is in words, whether going live needs it, and the page for it."""

    met: bool
    says: str
    needed: bool
    page: str


def to_go_live(*, now: dt.datetime) -> list[Point]:
    """The list for the current organisation, as of `now`."""
    ours = base.profile()
    stale = [f.name for f in intake.freshness(now=now) if f.stale]
    return [
        Point(bool(ours.sender_name and ours.sender_address), "A sender: the name and address letters come from", True, "settings"),
        Point(sending.stored() is not None, "A mail server that letters leave through", True, "settings"),
        Point(Document.objects.filter(kind="invoice").exists(), "Invoices in the ledger", True, "upload"),
        Point(not stale, "Every source fresh" + (f"; late: {', '.join(stale[:3])}" if stale else ""), False, "connections"),
        Point(Connection.objects.filter(kind="mailbox", paused_at__isnull=True).exists(), "A mailbox, so that answers hold the customer", False, "settings"),
        Point(Release.objects.exists(), "Customers released for chasing, in waves; nobody else is written to", False, "releases"),
    ]
