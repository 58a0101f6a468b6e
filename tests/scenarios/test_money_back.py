"""Money that goes back: refunds that arrive or fail, disputes opened, won and lost; and payouts, from Stripe into the ledger."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
import stamina

from tests.conftest import ROOT
from tests.scenarios.connected import ADA, Books, connect
from tieout.adapters.ports.connector import Ref
from tieout.flow import clock
from tieout.rehearsal.twins.server import Serving, serving
from tieout.rehearsal.twins.stripe import TWIN
from tieout.stages.base import walls
from tieout.stages.dialogue import dispute as disputes
from tieout.stages.dialogue.models import Dispute, Hold
from tieout.stages.ledger.models import Allocation, Payout, PayoutItem, Refund, StatedDispute

KEY = "sk_test_twin"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def stripe() -> Iterator[Serving]:
    with serving(TWIN(), deliver=False) as running:
        yield running


@pytest.fixture
def books(organisation: uuid.UUID, stripe: Serving) -> Books:
    made = connect(organisation, "stripe", api_key=KEY, base_url=stripe.url)
    assert made.sync().stopped == ""
    return made


def _paid(twin: TWIN, cents: int = 12_000):  # type: ignore[no-untyped-def]
    invoice = twin.invoice(twin.customer("Brightwater GmbH", email="ap@brightwater.example"), cents)
    twin.pay(invoice)
    return invoice


def _disputes(books: Books) -> list[tuple[str, int, bool]]:
    """(state, amount, held) of each."""
    with walls.inside(books.organisation):
        rows = Dispute.objects.order_by("id").select_related("hold")
        return [(row.state, row.amount_minor, row.hold.released_at is None) for row in rows]


def _causes(books: Books) -> dict[str, dict[str, int]]:
    told = books.tie_out()
    assert told.unexplained == {}, told.lines
    return told.causes


def test_a_dispute_holds_the_invoice_from_its_first_day_and_changes_no_figure(books: Books, stripe: Serving) -> None:
    invoice = _paid(stripe.twin)
    books.sync()
    stripe.twin.dispute(invoice)
    books.sync()
    assert _disputes(books) == [("open", 12_000, True)]
    assert books.open_by_number() == {invoice.number: 0}
    assert books.payments() == [(12_000, 12_000, 0, "succeeded")]
    with walls.inside(books.organisation):
        assert Hold.objects.get().reason == "dispute"
        assert "disputes payment pi_" in Dispute.objects.get().said
    assert _causes(books) == {}
    books.verify()


def test_a_dispute_that_is_won_leaves_everything_as_it_was(books: Books, stripe: Serving) -> None:
    invoice = _paid(stripe.twin)
    dispute = stripe.twin.dispute(invoice)
    books.sync()
    stripe.twin.close_dispute(dispute, won=True)
    books.sync()
    assert _disputes(books) == [("rejected", 12_000, False)]
    assert books.payments() == [(12_000, 12_000, 0, "succeeded")]
    assert _causes(books) == {}
    books.verify()


def test_a_dispute_that_is_lost_opens_the_invoice_again_and_keeps_it_held(books: Books, stripe: Serving) -> None:
    invoice = _paid(stripe.twin)
    dispute = stripe.twin.dispute(invoice)
    books.sync()
    stripe.twin.close_dispute(dispute, won=False)
    for _ in range(3):
        books.sync()
    assert books.open_by_number() == {invoice.number: 12_000}
    assert books.payments() == [(12_000, 0, 12_000, "succeeded")]
    assert _disputes(books) == [("open", 12_000, True)]
    with walls.inside(books.organisation):
        assert Allocation.objects.get().retracted_reason == f"reversed by dispute {dispute.id}"
        assert Refund.objects.get(retracted_at__isnull=True).reason == f"reversed by dispute {dispute.id}"
        assert StatedDispute.objects.get().fee_minor == 1_500
        assert "15.00 EUR were charged" in Dispute.objects.get().answer
    assert _causes(books) == {"EUR": {"given_back": 12_000}}
    books.verify()
    with walls.inside(books.organisation):
        disputes.settle(dispute=Dispute.objects.get(), state="upheld", answer="credited", actor=ADA, now=clock.now())
    again = books.sync(anew=True)
    assert (again.created, again.updated) == (0, 0)
    assert _disputes(books) == [("upheld", 12_000, False)]


def test_a_dispute_of_a_part_opens_that_part(books: Books, stripe: Serving) -> None:
    invoice = _paid(stripe.twin)
    stripe.twin.close_dispute(stripe.twin.dispute(invoice, amount=5_000), won=False)
    books.sync()
    assert books.open_by_number() == {invoice.number: 5_000}
    assert books.payments() == [(12_000, 7_000, 5_000, "succeeded")]
    assert _disputes(books) == [("open", 5_000, True)]
    assert _causes(books) == {"EUR": {"given_back": 5_000}}
    books.verify()


def test_an_inquiry_holds_and_takes_nothing(books: Books, stripe: Serving) -> None:
    invoice = _paid(stripe.twin)
    inquiry = stripe.twin.dispute(invoice, inquiry=True)
    books.sync()
    assert _disputes(books) == [("open", 12_000, True)]
    stripe.twin.close_dispute(inquiry, won=True)
    books.sync()
    assert _disputes(books) == [("withdrawn", 12_000, False)]
    assert books.open_by_number() == {invoice.number: 0}
    books.verify()


@pytest.mark.parametrize("order", list(itertools.permutations(("disputes", "payments", "invoices")))[:4], ids="-".join)
def test_in_any_order_of_arrival_a_lost_dispute_ends_the_same(organisation: uuid.UUID, stripe: Serving, order: tuple[str, ...]) -> None:
    books = connect(organisation, "stripe", api_key=KEY, base_url=stripe.url)
    books.sync()
    invoice = _paid(stripe.twin)
    dispute = stripe.twin.dispute(invoice)
    stripe.twin.close_dispute(dispute, won=False)
    payment = dispute.payment_intent
    names = {"disputes": dispute.id, "payments": payment, "invoices": invoice.id}
    for one in order:
        books.sync(refs=[Ref(one, names[one])], poll=False)
    books.sync()
    assert books.open_by_number() == {invoice.number: 12_000}
    assert _disputes(books) == [("open", 12_000, True)]
    assert _causes(books) == {"EUR": {"given_back": 12_000}}
    books.verify()


@pytest.mark.parametrize("point", ["sync.after_read", "cash.after_allocation", "sync.before_checkpoint", "sync.after_checkpoint"])
def test_killed_anywhere_a_lost_dispute_is_booked_once(books: Books, stripe: Serving, point: str) -> None:
    invoice = _paid(stripe.twin)
    books.sync()
    stripe.twin.close_dispute(stripe.twin.dispute(invoice), won=False)
    script = f"""
import django; django.setup()
from uuid import UUID
from tieout.flow import sync
sync.once(UUID("{books.organisation}"), {books.connection})
"""
    dead = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TIEOUT_CRASH_AT": point}, cwd=ROOT, check=False)
    assert dead.returncode == -signal.SIGKILL
    with walls.inside(books.organisation):
        type(books.row()).objects.update(leased_until=None)
    books.sync()
    assert books.open_by_number() == {invoice.number: 12_000}
    with walls.inside(books.organisation):
        assert Refund.objects.filter(retracted_at__isnull=True).count() == 1
    assert _disputes(books) == [("open", 12_000, True)]
    books.verify()


def test_what_a_person_applied_is_taken_back_by_a_lost_dispute_as_well(books: Books, stripe: Serving) -> None:
    """The bank asks nobody: the money is gone, whoever had said what it was for."""
    invoice = _paid(stripe.twin)
    books.sync()
    with walls.inside(books.organisation):
        Allocation.objects.update(rank=3)
    stripe.twin.close_dispute(stripe.twin.dispute(invoice), won=False)
    books.sync()
    assert books.payments() == [(12_000, 0, 12_000, "succeeded")]
    assert books.open_by_number() == {invoice.number: 12_000}


def test_a_refund_leaves_the_invoice_paid_as_stripe_has_it_and_says_why_the_sides_differ(books: Books, stripe: Serving) -> None:
    invoice = _paid(stripe.twin)
    stripe.twin.refund(invoice, 2_000)
    books.sync()
    assert books.open_by_number() == {invoice.number: 0}
    assert books.payments() == [(12_000, 10_000, 2_000, "succeeded")]
    assert _causes(books) == {"EUR": {"given_back": 2_000}}
    stripe.twin.refund(invoice)
    books.sync()
    assert books.open_by_number() == {invoice.number: 0}
    assert books.payments() == [(12_000, 0, 12_000, "succeeded")]
    assert _causes(books) == {"EUR": {"given_back": 12_000}}
    books.verify()


def test_a_refund_that_fails_stands_as_if_it_had_never_been(books: Books, stripe: Serving) -> None:
    invoice = _paid(stripe.twin)
    refund = stripe.twin.refund(invoice, 2_000)
    books.sync()
    stripe.twin.fail_refund(refund)
    books.sync()
    assert books.payments() == [(12_000, 12_000, 0, "succeeded")]
    assert books.open_by_number() == {invoice.number: 0}
    assert _causes(books) == {}
    books.verify()


def test_a_credit_note_that_gives_money_back_takes_its_place(books: Books, stripe: Serving) -> None:
    invoice = _paid(stripe.twin)
    books.sync()
    stripe.twin.credit(invoice, 4_000)
    books.sync()
    assert books.open_by_number()[invoice.number] == 0
    assert books.payments() == [(12_000, 8_000, 4_000, "succeeded")]
    assert _causes(books) == {}
    books.verify()


def _payouts(books: Books) -> list[tuple[str, int, int, int, str]]:
    with walls.inside(books.organisation):
        return [(p.status, p.gross_minor, p.fee_minor, p.amount_minor, p.problem) for p in Payout.objects.order_by("id")]


def test_a_payout_holds_its_payments_refunds_disputes_and_fees_to_the_cent(books: Books, stripe: Serving) -> None:
    twin = stripe.twin
    first, second = _paid(twin), _paid(twin, 30_000)
    twin.refund(first, 2_000)
    twin.dispute(second, amount=5_000)
    payout = twin.payout()
    books.sync()
    ((status, gross, fee, amount, problem),) = _payouts(books)
    assert (status, gross, amount, problem) == ("paid", 12_000 + 30_000 - 2_000 - 5_000, payout.amount, "")
    assert gross - fee == amount
    with walls.inside(books.organisation):
        items = sorted(PayoutItem.objects.values_list("what", "gross_minor"))
        named = {item.external_id for item in PayoutItem.objects.filter(what="payment")}
    assert items == [("dispute", -5_000), ("payment", 12_000), ("payment", 30_000), ("refund", -2_000)]
    assert all(name.startswith("pi_") for name in named), "a payment is named as the ledger knows it"
    books.verify()
    again = books.sync(anew=True)
    assert (again.created, again.updated) == (0, 0)


def test_a_payout_that_fails_and_one_that_is_reversed_say_so(books: Books, stripe: Serving) -> None:
    twin = stripe.twin
    _paid(twin)
    failed = twin.payout()
    books.sync()
    twin.fail_payout(failed)
    books.sync()
    assert [row[0] for row in _payouts(books)] == ["failed"]
    _paid(twin, 30_000)
    second = twin.payout()
    books.sync()
    assert _payouts(books)[1][3:] == (second.amount, ""), "what came back of the first is in the second"
    twin.reverse_payout(second)
    books.sync()
    with walls.inside(books.organisation):
        rows = list(Payout.objects.order_by("id").values_list("status", "reverses", "amount_minor"))
    assert rows[1:] == [("reversed", "", second.amount), ("paid", second.id, -second.amount)]
    books.verify()


def test_a_payout_whose_parts_do_not_add_up_is_a_finding(books: Books, stripe: Serving) -> None:
    _paid(stripe.twin)
    payout = stripe.twin.payout()
    payout.amount += 7
    books.sync()
    assert "its parts come to" in _payouts(books)[0][4]
    books.verify()
    with walls.inside(books.organisation):
        Payout.objects.update(problem="")
    with pytest.raises(AssertionError, match="payout"):
        books.verify()


@pytest.mark.parametrize("seed", range(3))
def test_at_random_what_went_back_and_what_is_open_agree(books: Books, stripe: Serving, seed: int) -> None:
    print(f"seed {seed}")
    chance, twin = random.Random(seed), stripe.twin
    lost: dict[str, int] = {}
    for _ in range(6):
        invoice = _paid(twin, chance.randrange(5_000, 20_000))
        if chance.random() < 0.5:
            books.sync()
        fate = chance.choice(["refund", "lost", "won", "failed refund", "part lost"])
        if "refund" in fate:
            refund = twin.refund(invoice, chance.randrange(100, 5_000))
            if fate == "failed refund":
                twin.fail_refund(refund)
        else:
            dispute = twin.dispute(invoice, amount=chance.randrange(100, 5_000) if fate == "part lost" else None)
            if chance.random() < 0.5:
                books.sync()
            twin.close_dispute(dispute, won=fate == "won")
            if fate != "won":
                lost[invoice.number] = dispute.amount
    twin.payout()
    books.sync()
    assert {number: minor for number, minor in books.open_by_number().items() if minor} == lost
    assert _causes(books) is not None
    books.verify()
