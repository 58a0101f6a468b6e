"""The night, and every change: what is judged again, and in which order. Read aloud, it is the list below.

Each verb is a transaction of its own, so that a night that dies half-way is taken up where it stopped; doing it all again on the
same day changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

from tieout.flow import clock
from tieout.stages.base import walls
from tieout.stages.behaviour import learn
from tieout.stages.collect import plan, release
from tieout.stages.dialogue import promise
from tieout.stages.outreach import draft, lapse


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What the night (or a judgement on a change) brought."""

    promises_kept: int
    promises_broken: int
    released: int
    plan: plan.PlanResult
    drafted: int
    lapsed: int = 0


def run(organisation_id: UUID) -> Night:
    """Judge the whole day of an organisation."""
    return _judge(organisation_id, None)


def judge(organisation_id: UUID, customer_ids: Iterable[int] | None) -> Night:
    """Judge some customers again because something about them changed (None: all of them)."""
    return _judge(organisation_id, None if customer_ids is None else sorted(set(customer_ids)))


def _judge(organisation_id: UUID, customer_ids: list[int] | None) -> Night:
    with walls.inside(organisation_id):
        promises = promise.settle_due(customer_ids=customer_ids, now=clock.now())
    with walls.inside(organisation_id):
        learn.refresh(customer_ids=customer_ids, today=clock.today(), now=clock.now())
    with walls.inside(organisation_id):
        released = release.auto(now=clock.now())
    with walls.inside(organisation_id):
        # Together: a decision is handed on to be drafted in the transaction that makes it, or not made.
        planned = plan.day(today=clock.today(), now=clock.now(), customer_ids=customer_ids)
        drafted = draft.from_decisions(decisions=planned.to_draft, now=clock.now())
    with walls.inside(organisation_id):
        lapsed = lapse.messages(customer_ids=customer_ids, now=clock.now())
    return Night(
        promises_kept=len(promises.kept), promises_broken=len(promises.broken), released=len(released), plan=planned, drafted=len(drafted.created),
        lapsed=len(lapsed),
    )
