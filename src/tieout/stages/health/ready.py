"""What must hold, and what had better hold, before an organisation goes live: each point with where to put it right."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db import connection

from tieout.stages.base import walls
from tieout.stages.base.models import Profile
from tieout.stages.intake import queries as intake


class Point(msgspec.Struct, frozen=True):
    """One point of the list: whether it is met, what it is in words, whether going live needs it, and the page for it."""

    met: bool
    says: str
    needed: bool
    page: str


def to_go_live(*, ours: Profile, has_server: bool, now: dt.datetime) -> list[Point]:
    """The list for the current organisation, as of `now`; `has_server` says whether a mail server is set."""
    sources = intake.freshness(now=now)
    stale = [f.name for f in sources if f.stale]
    invoices, released = _there()
    return [
        Point(bool(ours.sender_name and ours.sender_address), "A sender: the name and address letters come from", True, "settings"),
        Point(has_server, "A mail server that letters leave through", True, "settings"),
        Point(invoices, "Invoices in the ledger", True, "upload"),
        Point(not stale, "Every source fresh" + (f"; late: {', '.join(stale[:3])}" if stale else ""), False, "connections"),
        Point(any(f.kind == "mailbox" for f in sources), "A mailbox, so that answers hold the customer", False, "settings"),
        Point(released, "Customers released for chasing, in waves; nobody else is written to", False, "releases"),
    ]


def _there() -> tuple[bool, bool]:
    """Whether there are invoices, and customers released."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT 1 FROM ledger_document WHERE organisation_id = %(org)s AND kind = 'invoice'),
                      EXISTS (SELECT 1 FROM collect_release WHERE organisation_id = %(org)s AND withdrawn_at IS NULL)""",
            {"org": walls.current()},
        )
        invoices, released = cursor.fetchone()
    return bool(invoices), bool(released)
