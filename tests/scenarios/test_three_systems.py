"""Stripe, QuickBooks and HubSpot: what is raised or paid in one is true in all three; once, whatever goes wrong on the way."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
import stamina

from tests.conftest import ROOT
from tests.scenarios.connected import ADA, Books, connect
from tieout.flow import clock, connecting, write
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.hubspot import TWIN as HUBSPOT
from tieout.rehearsal.twins.quickbooks import TWIN as QUICKBOOKS
from tieout.rehearsal.twins.quickbooks import books as qbo
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import TWIN as STRIPE
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import link
from tieout.stages.ledger.models import Customer, Document, Payment, SourceRecord
from tieout.stages.writeback.models import Outgoing, Route

ON_THE_WAY = ("too_many", "error_before", "error_after", "silent_after", "cut", "truncated")


#: Where money goes in the books, as a person has said.
ACCOUNTS = {
    "bank_account": qbo.CHECKING, "fee_account": qbo.BANK_CHARGES, "refund_account": qbo.UNDEPOSITED, "adjustment_account": qbo.BAD_DEBTS,
}  # fmt: skip


class Office:
    """One organisation with the three connected, all live; `round` lets each hear of what happened in the others."""

    def __init__(self, organisation: uuid.UUID, urls: dict[str, str], stripe: STRIPE, quickbooks: QUICKBOOKS, hubspot: HUBSPOT) -> None:
        self.organisation, self.stripe, self.quickbooks, self.hubspot = organisation, stripe, quickbooks, hubspot
        tokens = quickbooks.connect()
        self.gateway = connect(organisation, "stripe", api_key="sk_test_twin", base_url=urls["stripe"])
        self.accounting = connect(
            organisation, "quickbooks", client_id=quickbooks.permissions.client_id, client_secret=quickbooks.permissions.client_secret,
            access_token=tokens["access_token"], refresh_token=tokens["refresh_token"], realmId=quickbooks.company().realm,
            base_url=urls["quickbooks"], oauth_url=urls["quickbooks"], item="1", tax_code="TAX", stage="pilot", **ACCOUNTS)
        self.crm = connect(organisation, "hubspot", access_token="pat-twin", base_url=urls["hubspot"], stage="pilot")
        for books in self.all:
            assert books.sync().stopped == ""
        for books in (self.accounting, self.crm):
            connecting.go_live(organisation, books.connection, actor=ADA)

    @property
    def all(self) -> tuple[Books, Books, Books]:
        return self.gateway, self.accounting, self.crm

    def round(self) -> None:
        """Everybody reads what there is to read and is told what there is to tell."""
        with walls.inside(self.organisation):
            Outgoing.objects.filter(state="waiting").update(not_before=clock.now())
            Outgoing.objects.filter(state="claimed").update(claimed_at="2026-01-01T00:00:00Z")
            Connection.objects.update(leased_until=None)
        for books in self.all:
            books.again()
            books.sync()
        write.follow(self.organisation)
        write.run(self.organisation)

    # What each side says

    def theirs(self, entity: str) -> list[dict[str, Any]]:
        """QuickBooks' records of a kind, those that are there."""
        return list(self.quickbooks.query(f"select * from {entity} maxresults 1000").get(entity, []))

    def told(self) -> list[tuple[str, str, str]]:
        """(act, state, receipt) of everything QuickBooks was to hear."""
        with walls.inside(self.organisation):
            rows = Outgoing.objects.filter(connection_id=self.accounting.connection).order_by("id")
            return list(rows.values_list("kind", "state", "receipt"))

    def agree(self) -> None:
        """Nothing twice, nothing lost, every difference explained, every promise kept."""
        with walls.inside(self.organisation):
            numbers = list(Document.objects.filter(kind="invoice").exclude(status="draft").values_list("number", flat=True))
            assert sorted(numbers) == sorted(set(numbers)), "an invoice stands twice in the ledger"
            money = list(Payment.objects.filter(status="succeeded").values_list("amount_minor", flat=True))
            assert len(money) == len([p for p in self.stripe.books.payment_intents.newest_first() if p.status == "succeeded"])
            assert not Outgoing.objects.filter(state__in=["failed", "unknown", "claimed"]).exists(), self.told()
        for books in (self.gateway, self.accounting):
            assert books.tie_out().unexplained == {}, books.tie_out().lines
            assert books.set_aside() == []
        mirrored = {one["DocNumber"]: one for one in self.theirs("Invoice")}
        assert len(mirrored) == len(self.theirs("Invoice")), "an invoice stands twice in QuickBooks"
        for invoice in self.stripe.books.invoices.newest_first():
            if invoice.status == "open":
                assert mirrored[invoice.number]["Balance"] == Decimal(invoice.amount_remaining) / 100
            elif invoice.status == "paid" and invoice.number in mirrored:
                assert mirrored[invoice.number]["Balance"] == 0
        self.gateway.verify()


@pytest.fixture
def office(organisation: uuid.UUID) -> Iterator[Office]:
    with ExitStack() as stack:
        stack.enter_context(stamina.set_testing(True, attempts=5, cap=True))
        stripe, hubspot = STRIPE(), HUBSPOT()
        quickbooks = QUICKBOOKS(currency="EUR")
        urls = {twin.name: stack.enter_context(serving(twin, deliver=False)).url for twin in (stripe, quickbooks, hubspot)}
        yield Office(organisation, urls, stripe, quickbooks, hubspot)


def _raised(office: Office, cents: int = 12_000) -> Any:
    known = [one for one in office.stripe.books.customers.newest_first() if one.name == "Brightwater GmbH"]
    return office.stripe.invoice(known[0] if known else office.stripe.customer("Brightwater GmbH", email="ap@brightwater.example"), cents)


def test_the_map_suggests_the_gateways_documents_and_money_for_the_books(office: Office) -> None:
    with walls.inside(office.organisation):
        lines = {(row.origin_id, row.target_id, row.what) for row in Route.objects.filter(enabled=True)}
    whats = ("customer", "invoice", "credit_note", "payment", "void", "refund", "payout")
    into = {(office.gateway.connection, office.accounting.connection, what) for what in whats}
    assert lines == into | {(None, office.crm.connection, "status")}


def test_an_invoice_raised_in_stripe_exists_once_in_quickbooks_and_is_paid_in_all_three(office: Office) -> None:
    company = office.hubspot.company("Brightwater", domain="brightwater.example")
    invoice = _raised(office)
    office.round()
    with walls.inside(office.organisation):
        ours = Customer.objects.get(name="Brightwater GmbH")
        record = SourceRecord.objects.get(connection_id=office.crm.connection, kind="customer", external_id=company.id)
        link.link(record=record, customer=ours, evidence="Ada knows them", actor=ADA, now=clock.now())
    office.round()
    (mirrored,) = office.theirs("Invoice")
    assert (mirrored["DocNumber"], mirrored["TotalAmt"], mirrored["Balance"]) == (invoice.number, Decimal("120.00"), Decimal("120.00"))
    assert office.hubspot.everyone("companies")[0].properties["tieout_balance"] == "120.00"

    office.stripe.pay(invoice)
    office.round()
    (mirrored,) = office.theirs("Invoice")
    (payment,) = office.theirs("Payment")
    assert (mirrored["Balance"], payment["TotalAmt"], payment["UnappliedAmt"]) == (0, Decimal("120.00"), 0)
    assert office.hubspot.everyone("companies")[0].properties["tieout_balance"] == "0.00"
    assert office.gateway.open_by_number() == {invoice.number: 0}
    office.agree()

    before = office.told()
    office.round()
    office.round()
    assert office.told() == before
    assert len(office.theirs("Invoice")) == len(office.theirs("Payment")) == 1


STORIES: dict[str, Callable[[Office], None]] = {}


def story(tell: Callable[[Office], None]) -> Callable[[Office], None]:
    STORIES[tell.__name__.replace("_", " ")] = tell
    return tell


@story
def raised_and_part_paid(office: Office) -> None:
    office.stripe.pay(_raised(office), 5_000)


@story
def paid_in_two_parts(office: Office) -> None:
    invoice = _raised(office)
    office.stripe.pay(invoice, 5_000)
    office.stripe.pay(invoice)


@story
def credited_and_paid(office: Office) -> None:
    invoice = _raised(office)
    office.stripe.credit(invoice, 2_000)
    office.stripe.pay(invoice)


@story
def two_customers(office: Office) -> None:
    _raised(office)
    office.stripe.invoice(office.stripe.customer("Kestrel & Co", email="pay@kestrel.example"), 7_700)


@story
def voided_after_it_was_known_everywhere(office: Office) -> None:
    invoice = _raised(office)
    office.round()
    office.stripe.void(invoice)


@pytest.mark.parametrize("tell", STORIES.values(), ids=STORIES)
def test_a_story_ends_the_same_on_both_sides(office: Office, tell: Callable[[Office], None]) -> None:
    tell(office)
    office.round()
    office.round()
    office.agree()


@pytest.mark.parametrize("kind", ON_THE_WAY)
def test_with_a_fault_while_the_books_are_told_nothing_is_doubled(office: Office, kind: str) -> None:
    office.quickbooks.faults.put(*(Fault(fault=kind, method="POST", path="/v3/", after=after, times=times) for after, times in ((0, 2), (4, 7))))
    paid_in_two_parts(office)
    office.round()
    office.round()
    office.quickbooks.faults.put()
    office.round()
    office.round()
    assert len(office.theirs("Invoice")) == 1
    assert len(office.theirs("Payment")) == 2
    office.agree()


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 40))])
def test_at_random_all_agree_within_two_rounds_after_the_faults_end(office: Office, seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(2):
        for twin in (office.stripe, office.quickbooks):
            twin.faults.put(*(
                Fault(fault=chance.choice(ON_THE_WAY), path="/v1/|/v3/", after=chance.randrange(10), times=chance.randrange(1, 4)) for _ in range(2)))
        chance.choice(list(STORIES.values()))(office)
        office.round()
    for twin in (office.stripe, office.quickbooks):
        twin.faults.put()
    office.round()
    office.round()
    office.agree()


@pytest.mark.parametrize("point", ["outbox.after_claim", "outbox.after_call"])
def test_a_writer_killed_anywhere_writes_it_once_in_the_end(office: Office, point: str) -> None:
    office.stripe.pay(_raised(office))
    office.gateway.sync()
    script = f"""
import django; django.setup()
from uuid import UUID
from tieout.flow import write
write.run(UUID("{office.organisation}"))
"""
    dead = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TIEOUT_CRASH_AT": point}, cwd=ROOT, check=False)
    assert dead.returncode == -signal.SIGKILL
    office.round()
    office.round()
    assert [len(office.theirs(entity)) for entity in ("Invoice", "Payment")] == [1, 1]
    office.agree()


def test_what_quickbooks_shows_before_our_receipt_is_kept_is_recognised_as_our_own(office: Office) -> None:
    """A webhook can be quicker than the answer to the write that caused it."""
    office.quickbooks.faults.put(Fault(fault="silent_after", method="POST", path="/invoice", times=0))
    _raised(office)
    office.gateway.sync()
    write.run(office.organisation)
    assert len(office.theirs("Invoice")) == 1
    assert "done" not in [state for act, state, _ in office.told() if act == "invoice"]
    office.accounting.sync()
    with walls.inside(office.organisation):
        assert Document.objects.filter(kind="invoice").count() == 1
    office.quickbooks.faults.put()
    office.round()
    office.agree()


def test_history_from_before_the_map_is_not_poured_into_the_books(organisation: uuid.UUID, office: Office) -> None:
    with walls.inside(organisation):
        Route.objects.update(since=clock.today() + dt.timedelta(days=1))
    _raised(office)
    office.round()
    assert office.theirs("Invoice") == []


def test_an_unmapped_item_is_told_to_a_person_and_nothing_is_guessed(organisation: uuid.UUID, office: Office) -> None:
    with walls.inside(organisation):
        row = Connection.objects.get(pk=office.accounting.connection)
        row.settings = {key: value for key, value in row.settings.items() if key != "item"}
        row.save(update_fields=["settings"])
    _raised(office)
    office.round()
    assert office.theirs("Invoice") == []
    assert [(act, state) for act, state, _ in office.told()] == [("customer", "done"), ("invoice", "person")]
    assert "needs mapping" in office.told()[1][2]
