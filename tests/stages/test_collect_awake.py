"""Sleeping accounts: a quiet day looks at nobody, and nobody is missed for having slept."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from django.db import transaction

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.collecting import ADA, MACHINE, TODAY, graded, late, planned, released
from tieout.core.policy.language import read_policy
from tieout.stages.base import walls
from tieout.stages.collect import awake, plan, policy
from tieout.stages.collect.models import Decision, WorkItem
from tieout.stages.dialogue import hold, touch
from tieout.stages.ledger.models import Customer

POLICY = """
version: 1
name: With ages
segments:
- name: old
  when: {age: {min: 25, max: 40}}
  steps:
  - {step: letter, days: 20, channel: email}
  - {step: call, days: 33, channel: call}
- name: much
  when: {balance: {min: 500}}
  steps:
  - {step: early, days: 2, channel: email}
  - {step: again, days: 12, channel: email}
- name: others
  steps:
  - {step: nudge, days: -3, channel: email}
  - {step: friendly, days: 6, channel: email}
  - {step: last, days: 45, channel: email}
"""


def a_varied_book() -> None:
    """Ages before and after every edge of the policy, two items together, holds that end, history that climbs."""
    owners = []
    for i, days_late in enumerate((-20, -4, -2, 0, 1, 5, 11, 19, 24, 30, 41, 80)):
        owner = builders.customer(f"Customer {i:02}", email=f"ap{i}@book.example")
        late(owner, days_late, f"{150 * (i + 1)}.00")
        if i % 3 == 0:
            late(owner, days_late - 9, "400.00")
        if i % 4 == 1:
            hold.place(customer=owner, reason="manual", until=TODAY + dt.timedelta(days=8 + i), actor=ADA, now=NOW)
        owners.append(owner)
    released(*owners)
    newcomer = builders.customer("History", email="ap@history.example")
    late(newcomer, 70)
    released(newcomer, soft=True, at=NOW)


def lived(days: int, before: Callable[[], object]) -> list[tuple[int, dt.date, str, str]]:
    """Plan day after day; whatever is to be sent or called goes out the same day."""
    for n in range(days):
        before()
        day = TODAY + dt.timedelta(days=n)
        planned(day)
        for decision in Decision.objects.filter(day=day, outcome__in=["send", "task"]):
            touch.put(
                contacts=[
                    touch.Contacted(
                        customer_id=decision.customer_id, channel=decision.channel, step=decision.step, document_ids=tuple(decision.document_ids)
                    )
                ],
                now=NOW + dt.timedelta(days=n),
            )
    return sorted(Decision.objects.values_list("customer_id", "day", "step", "outcome"))


def test_sleeping_misses_nobody_over_seventy_days(organisation: uuid.UUID) -> None:
    with walls.inside(organisation), pytest.MonkeyPatch.context() as patched:
        patched.setattr(plan, "_HANDFUL", 0)
        policy.save(text=POLICY, actor=ADA, now=NOW)
        a_varied_book()
        place = transaction.savepoint()
        asleep: list[int] = []
        slept = lived(70, lambda: asleep.append(WorkItem.objects.filter(look_on__gt=TODAY).count()))
        transaction.savepoint_rollback(place)
        watched = lived(70, lambda: WorkItem.objects.update(look_on=None))
        transaction.set_rollback(True)
    assert slept == watched
    assert len(slept) > 60
    assert max(asleep) > 5, "some did sleep"


@pytest.fixture
def quiet(organisation: uuid.UUID) -> Customer:
    """A released customer whose step is done: nothing to do for weeks."""
    with walls.inside(organisation):
        owner = graded(builders.customer(), "low")
        late(owner, 8)
        released(owner)
        touch.record(customer=owner, channel="email", step="friendly", actor=MACHINE, now=NOW)
    with walls.inside(organisation):
        planned()
        assert WorkItem.objects.get().look_on == TODAY + dt.timedelta(days=6), "the next age any ladder has a step at"
    return owner


def looked_at(organisation: uuid.UUID, day: dt.date) -> int:
    with walls.inside(organisation):
        return planned(day).looked_at


def test_a_quiet_day_reads_nobody(organisation: uuid.UUID, quiet: Customer) -> None:
    assert looked_at(organisation, TODAY + dt.timedelta(days=1)) == 0
    assert looked_at(organisation, TODAY + dt.timedelta(days=6)) == 1


WAKING = {
    "a hold is placed": lambda owner: hold.place(customer=owner, reason="legal", actor=ADA, now=NOW),
    "an invoice arrives": lambda owner: late(owner, 3),
    "the policy changes": lambda owner: policy.save(text=POLICY, actor=ADA, now=NOW),
    "somebody is in touch": lambda owner: touch.record(customer=owner, channel="call", actor=ADA, now=NOW),
}


@pytest.mark.parametrize("happens", WAKING.values(), ids=WAKING)
def test_it_wakes_when(organisation: uuid.UUID, quiet: Customer, happens) -> None:  # type: ignore[no-untyped-def]
    with walls.inside(organisation):
        happens(quiet)
    assert looked_at(organisation, TODAY + dt.timedelta(days=1)) == 1


def test_a_policy_that_asks_about_time_in_a_way_we_do_not_know_keeps_everybody_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = read_policy(POLICY)
    assert awake.critical_days(rules) == [-3, 1, 2, 6, 12, 20, 25, 33, 41, 45, 1096]
    monkeypatch.setattr(awake, "_TIMELESS", frozenset())
    assert awake.critical_days(rules) is None
