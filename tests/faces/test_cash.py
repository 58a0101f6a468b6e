"""The cash inbox: what waits says why, one click applies it, what was typed is taken exactly or refused, everything has its undo."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import told, values, words
from tests.stages import builders
from tieout.stages.base import walls
from tieout.stages.cash import propose
from tieout.stages.ledger.models import Allocation, Document, Payment

Browser = Any


@pytest.fixture
def book(organisation: uuid.UUID) -> dict[str, Any]:
    """Brightwater owes 100.00 and 60.00; money came that fits one of them, and money nobody recognises."""
    with walls.inside(organisation):
        debtor = builders.customer("Brightwater <b>pays</b> late")
        first, second = builders.invoice(debtor, "100.00", number="BW-100"), builders.invoice(debtor, "60.00", number="BW-60")
        fits = builders.payment("100.00", text="for our account", payer_name="Brightwater pays late", owner=debtor)
        loose = builders.payment("12.34", text="???", payer_name="Who Knows")
        propose.refresh(now=NOW)
        return {"debtor": debtor.pk, "first": first.pk, "second": second.pk, "fits": fits.pk, "loose": loose.pk}


def test_the_inbox_shows_what_waits_with_its_best_reading(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    with queries() as asked:
        page = owner.get(reverse("cash")).content.decode()
    assert len(asked) <= BUDGET
    assert "Brightwater pays late" in page
    assert "BW-100" in page
    assert "Nothing open fits" in page
    assert "<b>pays</b>" not in page


def test_a_payment_says_what_it_could_be_and_why(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    with queries() as asked:
        page = owner.get(reverse("cash_payment", args=[book["fits"]]))
    assert len(asked) <= BUDGET
    with walls.inside(organisation):
        reason = propose.Proposal.objects.get(payment_id=book["fits"], place=1).reason
    assert reason.lower() in words(page).lower()
    split = words(page).partition("Split it by hand")[2]
    assert "BW-100" in split
    assert "BW-60" in split


def test_one_click_applies_and_one_undoes(organisation: uuid.UUID, book: dict[str, Any], sign_in: Callable[..., Browser]) -> None:
    browser = sign_in("collector")
    with walls.inside(organisation):
        proposal = propose.Proposal.objects.get(payment_id=book["fits"], place=1)
    answer = browser.post(reverse("cash_apply", args=[book["fits"]]), {"proposal": proposal.pk}, follow=True)
    assert "Applied" in told(answer)
    with walls.inside(organisation):
        allocation = Allocation.objects.get(payment_id=book["fits"])
        assert (allocation.document_id, allocation.amount_minor, allocation.actor_kind) == (book["first"], 10000, "person")
    answer = browser.post(reverse("cash_undo", args=[book["fits"]]), {"allocation": allocation.pk}, follow=True)
    assert "open again" in told(answer)
    with walls.inside(organisation):
        assert Payment.objects.get(pk=book["fits"]).unapplied_minor == 10000
        assert Document.objects.get(pk=book["first"]).open_minor == 10000
        assert Allocation.objects.get(pk=allocation.pk).retracted_at is not None


def test_amounts_typed_in_any_habit_are_split_to_the_cent(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    typed = {f"amount:{book['first']}": "39,50", f"amount:{book['second']}": " 60.00 ", "reason": "by telephone"}
    page = owner.post(reverse("cash_apply", args=[book["fits"]]), typed, follow=True)
    assert "Applied" in told(page)
    with walls.inside(organisation):
        assert dict(Allocation.objects.filter(payment_id=book["fits"]).values_list("document_id", "amount_minor")) == {
            book["first"]: 3950, book["second"]: 6000}
        assert Payment.objects.get(pk=book["fits"]).unapplied_minor == 50


@pytest.mark.parametrize(("typed", "says"), [
    pytest.param("1.000", "could mean two amounts", id="a mark that could mean two things"),
    pytest.param("100.01", "left", id="a cent more than the invoice has left"),
    pytest.param("ten", "is not an amount", id="a word"),
    pytest.param("", "at least one document", id="nothing typed"),
])
def test_what_cannot_be_applied_is_refused_in_words(organisation: uuid.UUID, book: dict[str, Any], owner: Browser, typed: str, says: str) -> None:
    page = owner.post(reverse("cash_apply", args=[book["fits"]]), {f"amount:{book['first']}": typed}, follow=True)
    assert says in told(page)
    with walls.inside(organisation):
        assert not Allocation.objects.filter(payment_id=book["fits"]).exists()


def test_a_dismissed_reading_is_not_offered_again_until_it_is_restored(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    at = reverse("cash_payment", args=[book["fits"]])
    offered = values(owner.get(at), "proposal")
    owner.post(reverse("cash_dismiss", args=[book["fits"]]), {"proposal": offered[0]})
    page = owner.get(at)
    assert "1 dismissed" in words(page)
    assert "the likeliest" not in words(page)
    owner.post(reverse("cash_dismiss", args=[book["fits"]]), {"proposal": offered[0], "restore": "1"})
    page = owner.get(at)
    assert values(page, "proposal") == offered
    assert "the likeliest" in words(page)


def test_money_nobody_recognised_is_put_on_a_customers_account(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    at = reverse("cash_payment", args=[book["loose"]])
    assert values(owner.get(at, {"who": "BRIGHTWATER"}), "customer") == [str(book["debtor"])]
    owner.post(reverse("cash_assign", args=[book["loose"]]), {"customer": book["debtor"]})
    with walls.inside(organisation):
        row = Payment.objects.get(pk=book["loose"])
        assert (row.customer_id, row.customer_rank, row.unapplied_minor) == (book["debtor"], 3, 1234)


def test_money_that_came_back_reopens_what_it_paid(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    owner.post(reverse("cash_apply", args=[book["fits"]]), {f"amount:{book['first']}": "100"})
    page = owner.post(reverse("cash_reverse", args=[book["fits"]]), {"reason": ""}, follow=True)
    assert "why" in told(page)
    owner.post(reverse("cash_reverse", args=[book["fits"]]), {"reason": "debit returned"})
    with walls.inside(organisation):
        assert Payment.objects.get(pk=book["fits"]).status == "reversed"
        assert Document.objects.get(pk=book["first"]).open_minor == 10000


@pytest.mark.parametrize("role", ["approver", "auditor"])
def test_who_may_only_look_sees_no_buttons_and_cannot_apply(
    organisation: uuid.UUID, book: dict[str, Any], sign_in: Callable[..., Browser], role: str
) -> None:
    browser = sign_in(role)
    assert reverse("cash_apply", args=[book["fits"]]) not in browser.get(reverse("cash_payment", args=[book["fits"]])).content.decode()
    assert browser.post(reverse("cash_apply", args=[book["fits"]]), {f"amount:{book['first']}": "1"}).status_code == 403


@pytest.mark.parametrize(
    "query", ["after=2026-06-31|9", "after=x", "after=|99999999999999999999", "text=%00%27", "state=nonsense", "currency=%00", "customer=x"])
def test_no_address_breaks_the_inbox(organisation: uuid.UUID, book: dict[str, Any], owner: Browser, query: str) -> None:
    assert owner.get(f"{reverse('cash')}?{query}").status_code == 200
