"""`plan`: every open invoice of a book judged by the default policy, decisions stored with their traces, beside Tryton's dunning.

All invoices are overdue and none was spoken of, as in the peer's own measurement: the day on which everything is due. Then
the same book a moment later, when all of it has been said: nothing is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db import connection

from tieout.rehearsal.bench import books, laying, peers
from tieout.rehearsal.bench.figures import Figure, peak_megabytes, rate, timed
from tieout.stages.base import walls
from tieout.stages.collect import plan
from tieout.stages.collect.plan import PlanResult

#: Open invoices of a customer, as in the peer's measurement (1,000 parties, 11,000 invoices).
_PER_CUSTOMER = 11

#: The contacts that today's decisions come to, as sending and calling would have logged them.
_TOUCHES = """
INSERT INTO dialogue_touch (organisation_id, customer_id, contact_point_id, channel, direction, at, local_date, step, outcome, summary, document_ids)
SELECT d.organisation_id, d.customer_id, p.id, d.channel, 'out', %(now)s, d.day, d.step, 'sent', '', d.document_ids
  FROM collect_decision d
  LEFT JOIN dialogue_contactpoint p ON p.organisation_id = d.organisation_id AND p.address = 'ap@c' || d.customer_id || '.example'
 WHERE d.organisation_id = %(org)s AND d.day = %(today)s"""


def run(size: int) -> Iterator[Figure]:
    """A day with everything due, and one with nothing due."""
    org = laying.organisation()
    laying.customers(org, max(1, size // _PER_CUSTOMER))
    laying.documents(org, 1, size, open_=True, days_late=(6, 171))
    laying.settle_down()
    due, all_due = _planned(org)
    assert due.judged == due.decided == max(1, size // _PER_CUSTOMER), due
    yield rate("plan: everything due", size, all_due, "invoices")
    yield peers.tryton_dunning(size, size / all_due)
    yield Figure(name="plan: peak memory", size=size, value=peak_megabytes(), unit="MB")
    with walls.inside(org), connection.cursor() as cursor:
        cursor.execute(_TOUCHES, {"org": org, "now": books.NOW, "today": books.TODAY})
    laying.settle_down()
    quiet, none_due = _planned(org)
    assert quiet.judged == quiet.decided == 0, quiet
    yield rate("plan: nothing due", size, none_due, "invoices")
    yield Figure(
        name="plan: nothing due, of the time with everything due", size=size, value=none_due / all_due, unit="x", must=0.1, better="less",
        against="the same book with everything due",
    )  # fmt: skip


def _planned(org: UUID) -> tuple[PlanResult, float]:
    with timed() as watch, walls.inside(org):
        result = plan.day(today=books.TODAY, now=books.NOW)
    return result, watch.seconds
