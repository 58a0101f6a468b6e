"""The first day of a large old ledger: ten years of history arrive, and nobody is shocked, on either side."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.collecting import ADA, TODAY
from tieout.core.evidence import Actor
from tieout.flow import clock, nightly
from tieout.stages.base import walls
from tieout.stages.collect import baseline, queries, release, waves
from tieout.stages.collect.models import Decision, Task, Wave
from tieout.stages.dialogue import promise, touch
from tieout.stages.dialogue.models import Promise
from tieout.stages.ledger.models import Customer
from tieout.stages.outreach.models import Message

MACHINE = Actor("machine", "tieout")


class Days:
    """A clock a scenario turns by hand, at half past nine each day."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_(self, days: int) -> None:
        self.now += dt.timedelta(days=days)


@pytest.fixture
def days() -> Iterator[Days]:
    clock.inject(turned := Days())
    yield turned
    clock.inject(None)


def ten_years(organisation: uuid.UUID) -> list[int]:
    """Sixteen customers with unpaid invoices from ten years, imported today."""
    ids = []
    with walls.inside(organisation):
        for i in range(16):
            owner = builders.customer(f"Debtor {i:02}", email=f"ap{i}@debtor.example")
            for age in (12, 95, 400, 900, 2000, 3600):
                builders.invoice(owner, f"{100 + i}.00", (TODAY - dt.timedelta(days=age)).isoformat(), created_at=NOW)
            ids.append(owner.pk)
    return ids


def written(organisation: uuid.UUID) -> list[Message]:
    with walls.inside(organisation):
        return list(Message.objects.exclude(state="cancelled").order_by("id"))


def sent(organisation: uuid.UUID, now: dt.datetime) -> None:
    """Everything drafted and free to go has gone out today, as sending would log it."""
    with walls.inside(organisation):
        for message in Message.objects.filter(state__in=["draft", "planned"], not_before__lte=now):
            touch.record(
                customer=message.customer, channel="email", contact_point=message.contact_point, step=message.step,
                document_ids=message.document_ids, actor=MACHINE, now=now,
            )  # fmt: skip
            message.state = "sent"
            message.save(update_fields=["state"])
            release.harden(customer_ids=[message.customer_id], now=now)


def test_history_sends_nothing_until_released_and_then_keeps_to_waves_and_caps(organisation: uuid.UUID, days: Days) -> None:
    ids = ten_years(organisation)
    for _ in range(5):
        night = nightly.run(organisation)
        assert (night.plan.judged, night.drafted) == (0, 0)
        days.pass_(1)
    assert written(organisation) == []
    with walls.inside(organisation):
        assert queries.counts()["unreleased"] == 16
        proposed = waves.preview(today=clock.today())
        assert [len(wave.customer_ids) for wave in proposed.waves] == [10, 6]
        wave = release.wave(customer_ids=proposed.waves[0].customer_ids, name="The safe ones", actor=ADA, now=days.now)
        assert isinstance(wave, Wave)

    nightly.run(organisation)
    first = written(organisation)
    assert len(first) == 10, "one message for each released customer, whatever it owes"
    assert {m.customer_id for m in first} == set(proposed.waves[0].customer_ids)
    assert {(m.step, m.tone) for m in first} == {("friendly", "friendly")}, "soft, whatever the age"
    sent(organisation, days.now)

    for _ in range(21):
        days.pass_(1)
        nightly.run(organisation)
        sent(organisation, days.now)
    per_customer: dict[int, list[dt.date]] = {}
    with walls.inside(organisation):
        from tieout.stages.dialogue.models import Touch

        for row in Touch.objects.order_by("at"):
            per_customer.setdefault(row.customer_id, []).append(row.local_date)
        assert set(per_customer) <= set(wave_customers(organisation, wave)), "nobody outside the wave"
        for dates in per_customer.values():
            assert all((b - a).days >= 7 for a, b in pairwise(dates)), "at most one message in seven days"
        steps = Counter(Touch.objects.values_list("step", flat=True))
        assert steps["friendly"] == 10
        assert set(steps) <= {"friendly", "second", "firm"}, "one step at a time, no call out of the blue"
        assert set(ids) - set(per_customer) == set(ids) - set(proposed.waves[0].customer_ids)


def wave_customers(organisation: uuid.UUID, wave: Wave) -> list[int]:
    from tieout.stages.collect.models import Release

    return list(Release.objects.filter(wave=wave).values_list("customer_id", flat=True))


def test_a_night_run_again_and_again_changes_nothing(organisation: uuid.UUID, days: Days) -> None:
    ids = ten_years(organisation)
    with walls.inside(organisation):
        release.wave(customer_ids=ids, name="All", actor=ADA, now=days.now)
    first = nightly.run(organisation)
    assert first.drafted == 16
    for _ in range(20):
        again = nightly.run(organisation)
        assert (again.drafted, again.plan.decided, again.plan.tasks, again.plan.listed) == (0, 0, (), 0)
    assert len(written(organisation)) == 16
    with walls.inside(organisation):
        assert (Decision.objects.count(), Task.objects.count()) == (16, 0)


def test_a_change_is_judged_at_once_and_only_where_it_happened(organisation: uuid.UUID, days: Days) -> None:
    ids = ten_years(organisation)
    with walls.inside(organisation):
        release.wave(customer_ids=ids, name="All", actor=ADA, now=days.now)
    night = nightly.judge(organisation, ids[:2])
    assert (night.plan.judged, night.drafted) == (2, 2)


def test_the_night_settles_promises_before_it_plans(organisation: uuid.UUID, days: Days) -> None:
    with walls.inside(organisation):
        owner = builders.customer()
        builders.invoice(owner, "100.00", (TODAY - dt.timedelta(days=10)).isoformat(), created_at=NOW - dt.timedelta(days=60))
        release.wave(customer_ids=[owner.pk], name="One", actor=ADA, now=NOW - dt.timedelta(days=365))
        promise.record(customer=owner, amount_minor=10000, currency="EUR", promised_date=TODAY + dt.timedelta(days=1), actor=ADA, now=NOW)
    assert nightly.run(organisation).drafted == 0
    days.pass_(4)
    night = nightly.run(organisation)
    assert (night.promises_broken, night.drafted) == (1, 1)
    with walls.inside(organisation):
        assert Promise.objects.get().state == "broken"


def test_new_business_follows_the_first_release_by_itself(organisation: uuid.UUID, days: Days) -> None:
    ids = ten_years(organisation)
    with walls.inside(organisation):
        release.wave(customer_ids=ids[:1], name="One", actor=ADA, now=days.now)
    days.pass_(40)
    with walls.inside(organisation):
        fresh = builders.customer("New business", email="ap@new.example")
        builders.invoice(
            fresh, "70.00", (clock.today() - dt.timedelta(days=7)).isoformat(), issue_date=clock.today() - dt.timedelta(days=37),
            created_at=days.now - dt.timedelta(days=37),
        )  # fmt: skip
    night = nightly.run(organisation)
    assert night.released == 1
    with walls.inside(organisation):
        assert Decision.objects.get(customer=fresh).step == "friendly"
        assert Customer.objects.get(pk=ids[1]).pk not in queries.released(customer_ids=ids)


def test_sixty_days_later_the_effect_is_told_from_the_baseline(organisation: uuid.UUID, days: Days) -> None:
    ids = ten_years(organisation)
    with walls.inside(organisation):
        release.wave(customer_ids=ids, name="All", actor=ADA, now=days.now)
    days.pass_(60)
    with walls.inside(organisation):
        effect = baseline.compare(today=clock.today())
    assert effect is not None
    assert effect.days == 60
    assert effect.changes[0].then.overdue_minor == effect.changes[0].now.overdue_minor == 6 * sum(100_00 + 100 * i for i in range(16))
