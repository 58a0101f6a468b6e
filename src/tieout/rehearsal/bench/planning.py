"""`plan`: every open invoice of a book judged by the default policy, decisions stored with their traces, beside Tryton's dunning.

All invoices are overdue and none was spoken of, as in the peer's own measurement: the day on which everything is due. For the
quiet day all of it is said, which is a change to every account: each is looked at once more on the day after, and on the day
after that nothing is due.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from uuid import UUID

from django.db import connection

from tieout.rehearsal.bench import books, laying, peers
from tieout.rehearsal.bench.figures import Figure, Stopwatch, peak_megabytes, rate, timed
from tieout.stages.base import feed, walls
from tieout.stages.collect import plan
from tieout.stages.collect.plan import PlanResult
from tieout.stages.dialogue.models import Touch

#: Open invoices of a customer, as in the peer's measurement (1,000 parties, 11,000 invoices).
_PER_CUSTOMER = 11
#: Open invoices for which a quiet day's cost is promised.
_BOOK = 100_000

#: The contacts that today's decisions come to, as sending and calling would have logged them.
_TOUCHES = """
INSERT INTO dialogue_touch (organisation_id, customer_id, contact_point_id, channel, direction, at, local_date, step, outcome, summary, document_ids)
SELECT d.organisation_id, d.customer_id, p.id, d.channel, 'out', %(now)s, d.day, d.step, 'sent', '', d.document_ids
  FROM collect_decision d
  LEFT JOIN dialogue_contactpoint p ON p.organisation_id = d.organisation_id AND p.address = 'ap@c' || d.customer_id || '.example'
 WHERE d.organisation_id = %(org)s AND d.day = %(today)s"""


def run(size: int) -> Iterator[Figure]:
    """A day with everything due; then, of a book whose invoices are past their last step, such a day and a quiet one."""
    org = _book(size, days_late=(6, 171))
    due, watch = _planned(org, 0)
    assert due.judged == due.decided == max(1, size // _PER_CUSTOMER), due
    yield rate("plan: everything due", size, watch.seconds, "invoices")
    yield from peers.tryton_dunning(size, watch)
    yield Figure(name="plan: peak memory", size=size, value=peak_megabytes(), unit="MB")
    old = _book(size, days_late=(70, 171))
    due, all_due = _planned(old, 0)
    assert due.decided == max(1, size // _PER_CUSTOMER), due
    _said(old)
    laying.settle_down()
    after, *quiet = (_planned(old, days) for days in (1, 2, 3))
    assert not any(result.decided for result, _ in (after, *quiet)), (after, quiet)
    yield rate("plan: the day after everything was said", size, after[1].seconds, "invoices")
    # The better of two quiet days: they last a quarter of a second, and the machine may have been busy with something else.
    watch = min((watch for _, watch in quiet), key=lambda watch: watch.seconds)
    yield rate("plan: nothing due", size, watch.seconds, "invoices")
    share, against = watch.seconds / all_due.seconds, "the same book, everything due"
    quiet_share = Figure(name="plan: nothing due, of everything due", size=size, value=share, unit="x", must=0.1, better="less", against=against)
    yield quiet_share.judged(_BOOK)


def _book(size: int, *, days_late: tuple[int, int]) -> UUID:
    org = laying.organisation()
    laying.customers(org, max(1, size // _PER_CUSTOMER))
    laying.documents(org, 1, size, open_=True, days_late=days_late)
    laying.settle_down()
    return org


def _planned(org: UUID, days: int) -> tuple[PlanResult, Stopwatch]:
    with timed(server=laying.server()) as watch, walls.inside(org):
        result = plan.day(today=books.TODAY + dt.timedelta(days=days), now=books.NOW + dt.timedelta(days=days))
    return result, watch


def _said(org: UUID) -> None:
    """Log the contacts, and publish whom they were with, as sending does."""
    with walls.inside(org), connection.cursor() as cursor:
        cursor.execute(_TOUCHES, {"org": org, "now": books.NOW, "today": books.TODAY})
        spoken = list(Touch.objects.values_list("id", "customer_id"))
        feed.publish(kind="touch", ids=[i for i, _ in spoken], customer_ids=[c for _, c in spoken], cause="bench", now=books.NOW)
