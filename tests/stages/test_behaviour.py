"""How customers pay, learnt from what they did."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.builders import day
from tieout.core import behaviour
from tieout.core.evidence import Actor
from tieout.stages.base.models import AuditEntry, Change
from tieout.stages.behaviour import learn, queries
from tieout.stages.cash import apply, undo
from tieout.stages.dialogue import promise
from tieout.stages.ledger.models import Customer, Document, Payment

pytestmark = pytest.mark.usefixtures("inside")

ADA = Actor("person", "Ada", 1)
TODAY = day("2026-06-10")


def paid(owner: Customer, due: str, days_late: int, *, minor: int = 10000) -> Document:
    """An invoice of 100.00 paid (as far as `minor` goes) some days after it was due."""
    invoice = builders.invoice(owner, "100.00", due)
    receipt = builders.payment("100.00", (day(due) + dt.timedelta(days=days_late)).isoformat(), owner=owner)
    assert isinstance(apply.by_person(payment=receipt, lines=[(invoice.pk, minor)], actor=ADA, now=NOW), apply.Applied)
    return invoice


def learnt(owner: Customer) -> queries.CustomerTier:
    learn.refresh(today=TODAY, now=NOW)
    return queries.tiers([owner.pk])[owner.pk]


def test_a_customer_that_pays_in_time_is_low_and_says_why() -> None:
    owner = builders.customer("Fenwick pays on the day")
    for month in range(1, 7):
        paid(owner, f"2025-{month:02d}-10", 0)
    found = learnt(owner)
    assert (found.tier, found.median_days_late, found.paid_invoices) == ("low", 0, 6)
    assert found.reasons[0] == "half are paid in time or earlier"


def test_the_example_of_the_formula_page() -> None:
    owner = builders.customer()
    for month, days in enumerate((-2, 0, 3, 5, 6, 9, 12, 35), start=1):
        paid(owner, f"2025-{month:02d}-10", days)
    found = learnt(owner)
    assert (found.tier, found.median_days_late, found.paid_invoices) == ("high", 5.5, 8)


def test_what_is_open_past_due_counts_by_its_days_so_far() -> None:
    owner = builders.customer()
    builders.invoice(owner, "100.00", "2026-04-01")
    found = learnt(owner)
    assert (found.tier, found.median_days_late, found.paid_invoices) == ("high", 70, 0)


@pytest.mark.parametrize(
    ("minor", "fields"),
    [pytest.param(4000, {}, id="a part payment is not a paid invoice"), pytest.param(10000, {"due_date": None}, id="no due date says nothing")],
)
def test_what_says_nothing_about_lateness_is_left_out(minor: int, fields: dict[str, None]) -> None:
    owner = builders.customer()
    invoice = paid(owner, "2026-06-20", -15, minor=minor)
    Document.objects.filter(pk=invoice.pk).update(**fields)
    learn.refresh(today=TODAY, now=NOW)
    assert queries.tiers([owner.pk]) == {}


def test_two_broken_promises_make_a_high_risk_and_a_year_heals_them() -> None:
    owner = builders.customer()
    for _ in range(2):
        promise.record(customer=owner, amount_minor=100, currency="EUR", promised_date=day("2026-06-11"), actor=ADA, now=NOW)
    builders.invoice(owner, "100.00", "2026-12-01")
    promise.settle_due(now=NOW + dt.timedelta(days=5))
    assert learnt(owner).tier == "high"
    learn.refresh(today=day("2027-06-12"), now=NOW)
    assert queries.tiers([owner.pk])[owner.pk].broken_promises == 0


def test_learning_twice_writes_nothing_and_an_undo_is_unlearnt() -> None:
    owner = builders.customer()
    paid(owner, "2026-06-20", -15)
    assert learn.refresh(today=TODAY, now=NOW).moved == {owner.pk: ("unknown", "low")}
    assert learn.refresh(today=TODAY, now=NOW) == learn.Learnt()
    [change] = Change.objects.filter(kind="tier")
    assert change.customer_ids == [owner.pk]
    [told] = AuditEntry.objects.filter(action="behaviour.tier")
    assert told.detail["customers"] == {str(owner.pk): "unknown to low"}
    receipt = Payment.objects.get(customer=owner)
    undo.payment(payment=receipt, reason="wrong", actor=ADA, now=NOW)
    assert learn.refresh(today=TODAY, now=NOW).moved == {owner.pk: ("low", "unknown")}


def test_one_customer_is_judged_against_the_shares_of_the_whole_book() -> None:
    slow, owner = builders.customer("Brightwater pays late"), builders.customer("Fenwick")
    for month in range(1, 7):
        paid(slow, f"2025-{month:02d}-10", 40)
    learn.refresh(today=TODAY, now=NOW)
    paid(owner, "2025-12-10", 3)
    learn.refresh(customer_ids=[owner.pk], today=TODAY, now=NOW)
    kept = queries.book()
    assert kept is not None
    assert (kept.late, kept.over_30, kept.invoices) == (1.0, 1.0, 6)
    expected = behaviour.tier(behaviour.CustomerHistory(days_late=(3,)), behaviour.BookShares(1.0, 1.0))
    assert queries.tiers([owner.pk])[owner.pk].share_late == expected.share_late
    assert learn.refresh(customer_ids=[], today=TODAY, now=NOW) == learn.Learnt()
