"""New money, new documents, or somebody changed what money is for: what follows, in this order.

Called inside the walls, in the transaction of its cause.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable
from uuid import UUID

import msgspec
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from tieout.flow import clock, on_dispute
from tieout.stages.base import queries, walls
from tieout.stages.behaviour import learn
from tieout.stages.cash import apply, apply_applications, entry, gather, judge, propose, reverse
from tieout.stages.cash.apply_stated import apply_stated
from tieout.stages.dialogue import contact_point, promise


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """What followed: allocations taken back because money came back or an invoice was voided (`reopened`), made because the source
    states them, made by the machine; proposals that are new; promises that turned; customers whose tier moved."""

    reopened: int = 0
    stated: int = 0
    applied: int = 0
    proposed: int = 0
    promises_kept: int = 0
    promises_broken: int = 0
    tiers_moved: int = 0


#: Open documents from which on a click does not wait for the whole book to be judged (some 15 ms for each thousand): a job does it.
LARGE = 20_000


def after_money(*, customer_ids: Iterable[int] | None = None, payment_ids: Iterable[int] | None = None, now: dt.datetime) -> Followed:
    """Bring cash, promises and behaviour up to date after a change that touched these customers (None: anybody).

    With `payment_ids` it was about these payments only, somebody's click; in a large book what other money makes of it then
    comes a moment later, by a job. Doing it again changes nothing.
    """
    touched = None if customer_ids is None else set(customer_ids)
    payments = None if payment_ids is None else sorted(set(payment_ids))
    reopened = [*reverse.by_source(payment_ids=payments, now=now), *reverse.of_void(customer_ids=touched, now=now)]
    stated = [*apply_applications.run(now=now), *apply_stated(payment_ids=payments, now=now)]
    on_dispute.follow(now=now)
    if payments is None or not gather.more_open_than(LARGE):
        applied, proposed = _match(now)
    else:
        applied, proposed = apply.Applied(), propose.clear(payment_ids=payments, now=now)
        _match_later()
    owners = None if touched is None else touched | set(entry.customers([*reopened, *stated, *applied.entries]))
    contact_point.sync(customer_ids=touched, now=now)
    promises = promise.settle_due(customer_ids=owners, now=now)
    learnt = learn.refresh(customer_ids=owners, today=queries.today_of(queries.profile(), now), now=now)
    return Followed(
        reopened=len(reopened), stated=len(stated), applied=len(applied.entries), proposed=proposed.new, promises_kept=len(promises.kept),
        promises_broken=len(promises.broken), tiers_moved=len(learnt.moved),
    )


def match(organisation_id: UUID) -> Followed:
    """Judge all money that waits against the whole open book, and whoever it touches: the job behind a click."""
    with walls.inside(organisation_id):
        return after_money(customer_ids=(), now=clock.now())


def _match(now: dt.datetime) -> tuple[apply.Applied, propose.Refreshed]:
    judged = judge.everything()
    applied = apply.by_machine(judged=judged, now=now) if judged else apply.Applied()
    # What was applied changes what is open for the rest, which is then judged again.
    return applied, propose.refresh(judged=None if applied.entries else judged, now=now)


def _match_later() -> None:
    organisation = str(walls.current())
    # By its name, for the jobs know this room; one waiting job is enough.
    task = app.configure_task("tieout.match", queue="collect", lock=f"match:{organisation}", queueing_lock=f"match:{organisation}")
    with contextlib.suppress(AlreadyEnqueued), transaction.atomic():
        task.defer(organisation=organisation)
