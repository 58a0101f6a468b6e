"""Releasing a backlog: proposed in waves, released by people, softly first, and told apart from the baseline later."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.collecting import ADA, MACHINE, TODAY, decision_of, due, graded, late, planned, released
from tieout.core.evidence import Refused
from tieout.stages.base.models import AuditEntry
from tieout.stages.collect import baseline, queries, release, waves
from tieout.stages.collect.models import Baseline, Release, Wave, WorkItem
from tieout.stages.dialogue import dispute, hold
from tieout.stages.intake.models import Connection

pytestmark = pytest.mark.usefixtures("inside")


def backlog() -> dict[str, object]:
    """One customer of every kind a release preview tells apart."""
    owners = {
        "small and reliable": graded(builders.customer("Small", email="a@small.example"), "low"),
        "large and reliable": graded(builders.customer("Large", email="a@large.example"), "low"),
        "unknown": builders.customer("New", email="a@new.example"),
        "risky": graded(builders.customer("Risky", email="a@risky.example"), "high"),
        "paid already": graded(builders.customer("Paid", email="a@paid.example"), "low"),
        "objects": graded(builders.customer("Objects", email="a@objects.example"), "low"),
        "nowhere to write": graded(builders.customer("Silent", email=None), "low"),
        "held": graded(builders.customer("Held", email="a@held.example"), "low"),
    }
    documents = {name: late(owner, 40, "9000.00" if name == "large and reliable" else "100.00") for name, owner in owners.items()}
    builders.payment("100.00", owner=owners["paid already"])
    dispute.open(document=documents["objects"], amount_minor=10000, category="price", said="wrong", actor=ADA, now=NOW)
    hold.place(customer=owners["held"], reason="legal", actor=ADA, now=NOW)
    return owners


def test_the_whole_backlog_is_shown_small_and_safe_first_and_the_doubtful_apart() -> None:
    owners = backlog()
    found = waves.preview(today=TODAY)
    names = [[c.name for c in wave.shown] for wave in found.waves]
    assert names == [["Small", "Large", "New"], ["Risky"]]
    assert {group.kind: [c.name for c in group.shown] for group in found.apart} == {
        "suspected_paid": ["Paid"], "disputed": ["Objects"], "held": ["Held"], "no_address": ["Silent"],
    }  # fmt: skip
    assert found.customers == len(owners)
    small = found.waves[0].shown[0]
    assert (small.items, small.open_minor, small.overdue_minor, small.first) == (1, {"EUR": 10000}, {"EUR": 10000}, "e-mail “friendly”, friendly")


def test_waves_are_cut_small_first_and_lose_nobody() -> None:
    for i in range(60):
        late(builders.customer(f"Customer {i}", email=f"a{i}@many.example"), 20, f"{100 + i}.00")
    sizes = [len(wave.customer_ids) for wave in waves.preview(today=TODAY).waves]
    assert sizes == [10, 40, 10]


def test_what_is_released_is_no_longer_proposed() -> None:
    owner = builders.customer()
    late(owner, 40)
    assert waves.preview(today=TODAY).customers == 1
    released(owner)
    assert waves.preview(today=TODAY) == waves.Preview((), ())


def test_a_wave_remembers_who_released_what_and_when() -> None:
    owner = builders.customer()
    late(owner, 40)
    late(owner, 10)
    wave = release.wave(customer_ids=[owner.pk, owner.pk], name="Careful start", actor=ADA, now=NOW)
    assert isinstance(wave, Wave)
    assert (wave.customers, wave.open_items, wave.released_by, wave.released_at) == (1, 2, "Ada", NOW)
    assert queries.released(customer_ids=[owner.pk]) == {owner.pk: True}
    assert AuditEntry.objects.filter(action="release.wave").count() == 1


REFUSALS = {
    "a machine": (MACHINE, 1, "only a person"),
    "nobody named": (ADA, 0, "choose at least one"),
}


@pytest.mark.parametrize(("actor", "count", "says"), REFUSALS.values(), ids=REFUSALS)
def test_a_wave_is_refused_in_words(actor: object, count: int, says: str) -> None:
    owners = [builders.customer()][:count]
    found = release.wave(customer_ids=[o.pk for o in owners], name="x", actor=actor, now=NOW)  # type: ignore[arg-type]
    assert isinstance(found, Refused)
    assert says in found.reason
    assert (Release.objects.count(), Baseline.objects.count()) == (0, 0)


def test_releasing_twice_is_refused_and_changes_nothing() -> None:
    owner = builders.customer()
    released(owner)
    again = release.wave(customer_ids=[owner.pk], name="again", actor=ADA, now=NOW)
    assert isinstance(again, Refused)
    assert Wave.objects.count() == 1


def test_a_withdrawn_wave_plans_nobody_and_can_be_released_again() -> None:
    owner = builders.customer()
    late(owner, 40)
    wave = released(owner)
    undone = release.undo(wave=wave, reason="too early", actor=ADA, now=NOW)
    assert isinstance(undone, Wave)
    assert planned().judged == 0
    assert WorkItem.objects.get().state == "unreleased"
    assert isinstance(release.undo(wave=wave, reason="again", actor=ADA, now=NOW), Refused)
    released(owner)
    assert planned().judged == 1


def test_the_first_message_ends_the_soft_start_once() -> None:
    owner = builders.customer()
    released(owner, soft=True)
    assert release.harden(customer_ids=[owner.pk], now=NOW) == 1
    assert release.harden(customer_ids=[owner.pk], now=NOW) == 0


def test_history_climbs_one_step_at_a_time_after_its_soft_start() -> None:
    from tieout.stages.dialogue import touch

    owner = graded(builders.customer(), "low")
    late(owner, 240)
    released(owner, soft=True, at=NOW)
    touch.record(customer=owner, channel="email", step="friendly", actor=MACHINE, now=NOW)
    release.harden(customer_ids=[owner.pk], now=NOW)
    assert planned(TODAY + dt.timedelta(days=6)).judged == 0
    planned(TODAY + dt.timedelta(days=7))
    assert decision_of(owner, TODAY + dt.timedelta(days=7)).step == "second", "not the call its age alone would have reached"


# ---- new business ----------------------------------------------------------------------------------------------------


def connected(days_ago: int) -> None:
    """The source of the invoices was connected so long ago."""
    builders.connection()
    Connection.objects.filter(name="Billing export").update(created_at=NOW - dt.timedelta(days=days_ago))


def test_new_business_is_released_by_itself_and_connected_history_is_not() -> None:
    connected(30)
    old, new = builders.customer("Old", email="a@old.example"), builders.customer("New", email="a@new.example")
    mixed, arrived = builders.customer("Mixed", email="a@mixed.example"), builders.customer("Arrived", email="a@arrived.example")
    released(builders.customer("First", email="a@first.example"), at=NOW - dt.timedelta(days=20))
    late(old, 40)
    late(new, 1, issue_date=TODAY - dt.timedelta(days=10))
    late(mixed, 40)
    late(mixed, 1, issue_date=TODAY - dt.timedelta(days=10))
    second = builders.connection("Second source", created_at=NOW)
    late(arrived, 1, issue_date=TODAY - dt.timedelta(days=10), connection=second)
    assert release.auto(now=NOW) == [new.pk]
    assert queries.released(customer_ids=[new.pk]) == {new.pk: False}
    assert release.auto(now=NOW) == []


def test_before_the_first_wave_nobody_is_released_by_machine() -> None:
    late(builders.customer(), 1, issue_date=TODAY)
    assert release.auto(now=NOW) == []


def test_whom_a_person_withdrew_no_machine_releases() -> None:
    connected(30)
    owner = builders.customer()
    late(owner, 1, issue_date=TODAY - dt.timedelta(days=3))
    wave = released(owner, at=NOW - dt.timedelta(days=20))
    release.undo(wave=wave, reason="their boss called", actor=ADA, now=NOW)
    assert release.auto(now=NOW) == []


# ---- the baseline -----------------------------------------------------------------------------------------------------


def test_the_baseline_is_frozen_at_the_first_release_and_stays() -> None:
    owner = builders.customer()
    document = builders.invoice(owner, "900.00", due(40))
    release.wave(customer_ids=[owner.pk], name="first", actor=ADA, now=NOW)
    kept = Baseline.objects.get()
    assert kept.as_of == TODAY
    assert kept.aging["EUR"]["31-60"] == 90000
    # Issued 70 days ago, inside the 90 days of the period: open 900 x 90 / billed 900 = 90.0 days.
    assert kept.dso["EUR"]["tenths"] == 900
    later = builders.customer("Later", email="a@later.example")
    document.status = "void"
    document.save(update_fields=["status"])
    release.wave(customer_ids=[later.pk], name="second", actor=ADA, now=NOW + dt.timedelta(days=1))
    assert Baseline.objects.get().aging == kept.aging


def test_sixty_days_later_the_change_can_be_told() -> None:
    owner = builders.customer()
    paid = builders.invoice(owner, "900.00", due(40))
    builders.invoice(owner, "100.00", due(40))
    assert baseline.compare(today=TODAY) is None
    release.wave(customer_ids=[owner.pk], name="first", actor=ADA, now=NOW)
    paid.reported_open_minor = 0
    paid.save(update_fields=["reported_open_minor"])
    effect = baseline.compare(today=TODAY + dt.timedelta(days=60))
    assert effect is not None
    assert (effect.days, effect.since) == (60, TODAY)
    change = effect.changes[0]
    assert (change.currency, change.then.overdue_minor, change.now.overdue_minor) == ("EUR", 100000, 10000)
    assert change.now.aging["90+"] == 10000
    assert change.now.dso_tenths is None, "nothing was billed in the last 90 days: no figure, not a zero"


def test_currencies_are_never_added_together() -> None:
    owner = builders.customer()
    builders.invoice(owner, "100.00", due(10))
    builders.invoice(owner, "100.00", due(-10), currency="USD")
    figures = baseline.of_today(today=TODAY)
    assert {code: (f.open_minor, f.overdue_minor) for code, f in figures.items()} == {"EUR": (10000, 10000), "USD": (10000, 0)}
