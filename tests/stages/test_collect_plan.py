"""Planning a day: what is due becomes a decision with its trace, once, and nothing else does."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.collecting import ADA, MACHINE, TODAY, decision_of, graded, late, planned, released
from tieout.stages.base import audit, walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.cash import account
from tieout.stages.collect import plan, policy
from tieout.stages.collect.models import Decision, Task, WorkItem
from tieout.stages.dialogue import contact_point, dispute, hold, promise, touch
from tieout.stages.dialogue.models import ContactPoint
from tieout.stages.ledger.models import Customer


@pytest.fixture
def brightwater(inside: uuid.UUID) -> Customer:
    """A released low-risk customer, a week late."""
    owner = graded(builders.customer("Brightwater pays late"), "low")
    late(owner, 8, "1200.00", number="INV-8")
    released(owner)
    return owner


def test_a_low_risk_customer_a_week_late_is_to_be_written_to_politely(brightwater: Customer) -> None:
    result = planned()
    decision = decision_of(brightwater)
    assert decision is not None
    assert (decision.outcome, decision.step, decision.channel, decision.tone) == ("send", "friendly", "email", "friendly")
    assert decision.amounts == {"EUR": 120000}
    assert decision.not_before == dt.datetime(2026, 6, 10, 7, 0, tzinfo=dt.UTC)
    assert decision.trace[0] == "INV-8 is 8 days past due: step friendly (day 7) of segment low risk"
    assert result.to_draft == (decision.pk,)


def test_a_high_risk_customer_a_month_late_becomes_a_call_task(inside: uuid.UUID) -> None:
    owner = graded(builders.customer("Hollow Oak"), "high")
    late(owner, 31, "1200.00")
    released(owner)
    result = planned()
    task = Task.objects.get()
    assert (result.to_draft, result.tasks) == ((), (task.pk,))
    assert (task.kind, task.step, task.title) == ("call", "call", "Call: 1200.00 EUR in 1 document")


def test_a_hundred_runs_in_one_day_leave_one_decision_and_one_task(brightwater: Customer) -> None:
    other = graded(builders.customer("Hollow Oak", email="oak@hollow.example"), "high")
    late(other, 40)
    released(other)
    first = planned()
    entries = AuditEntry.objects.count()
    drafts = [d for _ in range(100) for d in planned(customer_ids=[brightwater.pk, other.pk]).to_draft]
    assert (len(first.to_draft), drafts) == (1, [])
    assert (Decision.objects.count(), Task.objects.count()) == (2, 1)
    assert AuditEntry.objects.count() == entries, "a run that found nothing new leaves no entry"


def test_a_customer_nobody_has_released_is_shown_and_never_planned_for(inside: uuid.UUID) -> None:
    owner = builders.customer()
    late(owner, 40)
    assert planned().judged == 0
    assert decision_of(owner) is None
    row = WorkItem.objects.get()
    assert (row.state, row.next_step, row.score) == ("unreleased", "waits to be released", 0)


def test_released_history_starts_softly_whatever_its_age(inside: uuid.UUID) -> None:
    owner = graded(builders.customer(), "high")
    late(owner, 240, "5000.00")
    released(owner, soft=True, at=NOW)
    planned()
    decision = decision_of(owner)
    assert decision is not None
    assert (decision.outcome, decision.step, decision.tone) == ("send", "friendly", "friendly")
    assert any("softly" in sentence for sentence in decision.trace)


def test_an_invoice_that_was_late_when_we_first_heard_of_it_starts_softly_too(inside: uuid.UUID) -> None:
    owner = graded(builders.customer(), "low")
    released(owner)
    late(owner, 50, created_at=NOW)
    planned()
    assert decision_of(owner).step == "friendly"


def test_a_step_done_is_not_decided_again_and_the_next_one_is(brightwater: Customer) -> None:
    document = late(brightwater, 21, number="INV-21")
    touch.record(customer=brightwater, channel="email", step="friendly", document_ids=[document.pk], actor=MACHINE, now=NOW - dt.timedelta(days=13))
    planned()
    assert decision_of(brightwater).step == "second"
    touch.record(customer=brightwater, channel="email", step="second", actor=MACHINE, now=NOW)
    assert planned(TODAY + dt.timedelta(days=1)).judged == 0


def test_a_bounced_reminder_has_not_been_given(brightwater: Customer) -> None:
    touch.record(customer=brightwater, channel="email", step="friendly", outcome="bounced", actor=MACHINE, now=NOW - dt.timedelta(days=1))
    planned()
    assert decision_of(brightwater).step == "friendly"


HOLDS = {
    "a dispute of the whole": ("dispute", "disputed"),
    "a reply nobody has answered": ("reply_open", "held"),
    "a payment plan": ("plan", "held"),
    "insolvency": ("insolvency", "held"),
    "a hold by hand": ("manual", "held"),
}


@pytest.mark.parametrize(("reason", "state"), HOLDS.values(), ids=HOLDS)
def test_a_hold_is_decided_with_its_reason(brightwater: Customer, reason: str, state: str) -> None:
    hold.place(customer=brightwater, reason=reason, actor=ADA, now=NOW)
    result = planned()
    assert (result.to_draft, result.held) == ((), 1)
    assert (decision_of(brightwater).outcome, decision_of(brightwater).reason) == ("hold", reason)
    row = WorkItem.objects.get()
    assert (row.state, row.score, row.waiting_since) == (state, 0, None)
    assert row.next_step.startswith("waits: ")


def test_a_hold_lifted_during_the_day_lets_its_act_happen_that_day(brightwater: Customer) -> None:
    held = hold.place(customer=brightwater, reason="manual", actor=ADA, now=NOW)
    planned()
    hold.release(hold=held, reason="sorted out", actor=ADA, now=NOW)
    result = planned(customer_ids=[brightwater.pk])
    assert len(result.to_draft) == 1
    assert Decision.objects.get().outcome == "send"


def test_only_the_disputed_part_waits(brightwater: Customer) -> None:
    document = late(brightwater, 9, "400.00", number="INV-9")
    dispute.open(document=document, amount_minor=15000, category="price", said="too dear", actor=ADA, now=NOW)
    planned()
    assert decision_of(brightwater).outcome == "send"
    assert decision_of(brightwater).amounts == {"EUR": 120000 + 25000}


def test_a_promise_holds_through_its_grace_and_no_longer(brightwater: Customer) -> None:
    promise.record(customer=brightwater, amount_minor=120000, currency="EUR", promised_date=TODAY + dt.timedelta(days=5), actor=ADA, now=NOW)
    assert [planned(TODAY + dt.timedelta(days=n)).held for n in (0, 5, 7)] == [1, 1, 1]
    assert WorkItem.objects.get().state == "promised"
    assert len(planned(TODAY + dt.timedelta(days=8)).to_draft) == 1


@pytest.mark.parametrize("status", ["succeeded", "pending"])
def test_money_that_has_been_seen_holds(brightwater: Customer, status: str) -> None:
    builders.payment("50.00", owner=brightwater, status=status)
    planned()
    assert (decision_of(brightwater).outcome, decision_of(brightwater).reason) == ("hold", "in_transit")


def test_the_parents_money_holds_the_child(brightwater: Customer) -> None:
    parent = builders.customer("Brightwater Holding", email=None)
    Customer.objects.filter(pk=brightwater.pk).update(parent=parent)
    builders.payment("50.00", owner=parent)
    planned()
    assert decision_of(brightwater).reason == "in_transit"


def test_money_a_person_put_on_account_does_not_hold(brightwater: Customer) -> None:
    builders.payment("50.00", owner=brightwater, customer_rank=3)
    planned()
    assert decision_of(brightwater).outcome == "send"


def test_an_opt_out_holds_and_is_not_gone_round_by_writing_to_a_colleague(brightwater: Customer) -> None:
    point = contact_point.of(channel="email", address="ap@brightwater.example", now=NOW)
    assert isinstance(point, ContactPoint)
    brightwater_contact(brightwater, "info@brightwater.example", [])
    contact_point.opt_out(point=point, how="asked", actor=ADA, now=NOW)
    planned()
    assert (decision_of(brightwater).outcome, decision_of(brightwater).reason) == ("hold", "opt_out")
    assert WorkItem.objects.get().state == "held"


def test_a_dead_mailbox_becomes_a_task_and_another_one_is_used(brightwater: Customer) -> None:
    point = contact_point.of(channel="email", address="ap@brightwater.example", now=NOW)
    assert isinstance(point, ContactPoint)
    contact_point.bounce(point=point, how="550", hard=True, now=NOW)
    planned()
    assert Task.objects.get().kind == "address"
    brightwater_contact(brightwater, "info@brightwater.example", ["bill"])
    tomorrow = planned(TODAY + dt.timedelta(days=1))
    assert (len(tomorrow.to_draft), tomorrow.withdrawn) == (1, 1)
    assert Task.objects.get().state == "dropped"


def brightwater_contact(owner: Customer, email: str, roles: list[str]) -> None:
    from tieout.stages.ledger.models import Contact

    Contact.objects.create(customer=owner, email=email, roles=roles, recorded_at=NOW)


@pytest.mark.parametrize("debtor_type", ["consumer", ""], ids=["a consumer", "a debtor nobody classified"])
def test_who_is_not_known_to_be_a_business_becomes_a_task(inside: uuid.UUID, debtor_type: str) -> None:
    owner = builders.customer(debtor_type=debtor_type)
    late(owner, 8)
    released(owner)
    assert planned().to_draft == ()
    assert Task.objects.get().kind == "review"


def test_a_payment_settles_the_call_that_was_to_be_made(inside: uuid.UUID) -> None:
    owner = graded(builders.customer(), "high")
    document = late(owner, 40)
    released(owner)
    planned()
    account.lock([owner.pk])
    document.status = "void"
    document.save(update_fields=["status"])
    result = planned(customer_ids=[owner.pk])
    assert (result.withdrawn, Task.objects.get().state, Task.objects.get().settled_by) == (1, "dropped", "tieout")
    assert WorkItem.objects.count() == 0


def test_a_task_taken_back_comes_again_when_it_is_called_for_again(inside: uuid.UUID) -> None:
    owner = graded(builders.customer(), "high")
    late(owner, 40)
    released(owner)
    planned()
    held = hold.place(customer=owner, reason="manual", actor=ADA, now=NOW)
    planned(customer_ids=[owner.pk])
    assert Task.objects.get().state == "dropped"
    hold.release(hold=held, reason="go on", actor=ADA, now=NOW)
    planned(TODAY + dt.timedelta(days=1))
    assert Task.objects.get().state == "open"


def test_the_message_budget_of_a_shared_mailbox_puts_off_the_next_message(brightwater: Customer) -> None:
    sister = builders.customer("Brightwater Sister")
    point = contact_point.of(channel="email", address="AP@brightwater.example", now=NOW)
    assert isinstance(point, ContactPoint)
    touch.record(customer=sister, channel="email", contact_point=point, step="friendly", actor=MACHINE, now=NOW - dt.timedelta(days=2))
    planned()
    assert decision_of(brightwater).not_before == dt.datetime(2026, 6, 15, 7, 0, tzinfo=dt.UTC)


def test_a_policy_that_asks_for_an_address_finds_those_without(inside: uuid.UUID) -> None:
    text = """
version: 1
name: Addresses first
segments:
- name: nobody to write to
  when: {email: false}
  steps: [{step: find, days: 1, channel: call}]
- name: others
  steps: [{step: friendly, days: 100, channel: email}]
"""
    policy.save(text=text, actor=ADA, now=NOW)
    without, reachable = builders.customer("No address", email=None), builders.customer("Reachable")
    late(without, 5)
    late(reachable, 5)
    released(without, reachable)
    planned()
    assert (decision_of(without).step, decision_of(reachable)) == ("find", None)


def test_planning_some_customers_leaves_the_others_alone(brightwater: Customer) -> None:
    other = builders.customer("Elsewhere", email="a@elsewhere.example")
    late(other, 40)
    released(other)
    planned(customer_ids=[brightwater.pk])
    assert decision_of(brightwater) is not None
    assert decision_of(other) is None
    assert not WorkItem.objects.filter(customer=other).exists()


def test_a_day_with_nothing_due_judges_nobody_and_writes_nothing(brightwater: Customer) -> None:
    touch.record(customer=brightwater, channel="email", step="friendly", actor=MACHINE, now=NOW)
    planned()
    entries = AuditEntry.objects.count()
    result = planned()
    assert (result.judged, result.decided, result.listed) == (0, 0, 0)
    assert AuditEntry.objects.count() == entries


def test_the_trail_of_planning_verifies(brightwater: Customer) -> None:
    planned()
    assert AuditEntry.objects.filter(action="plan.day").count() == 1
    assert list(audit.breaks()) == []


def test_another_organisations_book_is_never_planned(organisation: uuid.UUID) -> None:
    from tieout.stages.base import found

    other = found.organisation(
        name="Other", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="", sender_address="", now=NOW
    )
    with walls.inside(other):
        theirs = builders.customer("Theirs")
        late(theirs, 40)
        released(theirs)
    with walls.inside(organisation):
        assert planned().judged == 0
        assert plan.day(today=TODAY, now=NOW, customer_ids=[theirs.pk]).judged == 0
    with walls.inside(other):
        assert Decision.objects.count() == 0


books = st.lists(
    st.tuples(
        st.sampled_from(["low", "medium", "high", "unknown"]),
        st.lists(st.tuples(st.integers(-10, 130), st.sampled_from(["EUR", "USD", "JPY"]), st.integers(1, 90_000)), min_size=1, max_size=4),
        st.sampled_from([None, "friendly", "second", "firm"]),
        st.sampled_from([None, "manual", "reply_open"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(book=books)
def test_the_set_wise_day_says_what_judging_each_customer_alone_would_say(organisation: uuid.UUID, book: list) -> None:
    """Whoever has something due is found by columns, and nobody is judged differently for being planned among others: a customer
    alone is judged by row, without the columns."""
    from django.db import transaction

    with walls.inside(organisation):
        owners = []
        for i, (tier, items, step, held, is_released) in enumerate(book):
            owner = graded(builders.customer(f"Customer {i}", email=f"ap{i}@book.example"), tier)
            for days_late, currency, minor in items:
                late(owner, days_late, "1.00", amount_minor=minor, currency=currency)
            if step:
                touch.record(customer=owner, channel="email", step=step, actor=MACHINE, now=NOW - dt.timedelta(days=9))
            if held:
                hold.place(customer=owner, reason=held, actor=ADA, now=NOW)
            if is_released:
                released(owner)
            owners.append(owner)
        with pytest.MonkeyPatch.context() as columns_only:
            columns_only.setattr(plan, "_HANDFUL", 0)
            planned()
        together = {row.customer_id: (row.outcome, row.step, row.reason, row.amounts, row.trace) for row in Decision.objects.all()}
        Decision.objects.all().delete()
        for owner in owners:
            planned(customer_ids=[owner.pk])
        alone = {row.customer_id: (row.outcome, row.step, row.reason, row.amounts, row.trace) for row in Decision.objects.all()}
        transaction.set_rollback(True)
    assert together == alone
