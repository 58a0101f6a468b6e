"""One company in Stripe, HubSpot and QuickBooks is one customer; sisters wait for a person; what a person parted stays apart."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import stamina

from tests.scenarios.connected import ADA
from tests.scenarios.test_three_systems import Office
from tieout.flow import clock, identity
from tieout.rehearsal.twins.hubspot import TWIN as HUBSPOT
from tieout.rehearsal.twins.quickbooks import TWIN as QUICKBOOKS
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import TWIN as STRIPE
from tieout.stages.base import walls
from tieout.stages.ledger.models import Customer, Document, LinkProposal, SourceRecord


@pytest.fixture
def office(organisation: uuid.UUID) -> Iterator[Office]:
    with ExitStack() as stack:
        stack.enter_context(stamina.set_testing(True, attempts=5, cap=True))
        stripe, hubspot, quickbooks = STRIPE(), HUBSPOT(), QUICKBOOKS(currency="EUR")
        urls = {twin.name: stack.enter_context(serving(twin, deliver=False)).url for twin in (stripe, quickbooks, hubspot)}
        yield Office(organisation, urls, stripe, quickbooks, hubspot)


def customers(office: Office) -> dict[str, int]:
    """Whose record is whose, by system."""
    with walls.inside(office.organisation):
        rows = SourceRecord.objects.filter(kind="customer", retracted_at__isnull=True).select_related("connection")
        return {f"{row.connection.vendor} {row.external_id}": row.target_id for row in rows}


def test_one_company_in_three_systems_is_one_customer_and_is_made_nowhere_twice(office: Office) -> None:
    theirs = office.quickbooks.customer("Brightwater GmbH", email="ap@brightwater.example")
    company = office.hubspot.company("Brightwater GmbH", domain="brightwater.example")
    office.hubspot.contact("ap@brightwater.example", company=company)
    invoice = office.stripe.invoice(office.stripe.customer("Brightwater GmbH", email="ap@brightwater.example"), 12_000)
    office.round()
    office.round()
    assert len(set(customers(office).values())) == 1, customers(office)
    (mirrored,) = office.theirs("Invoice")
    assert (mirrored["DocNumber"], mirrored["CustomerRef"]["value"]) == (invoice.number, theirs["Id"])
    assert len(office.theirs("Customer")) == 1
    assert office.hubspot.everyone("companies")[0].properties["tieout_balance"] == "120.00"
    office.agree()


def test_sister_companies_at_one_address_wait_for_a_person(office: Office) -> None:
    office.quickbooks.customer("Nordwind Verwaltung GmbH", email="buero@nordwind.example")
    office.stripe.customer("Nordwind Logistik GmbH", email="buero@nordwind.example")
    office.round()
    assert len(set(customers(office).values())) == 2
    with walls.inside(office.organisation):
        waits = LinkProposal.objects.get()
        assert waits.state == "open"
        identity.decide(proposal=waits, same=True, actor=ADA, now=clock.now())
    assert len(set(customers(office).values())) == 1
    office.gateway.verify()


def test_what_a_person_parted_stays_apart_whatever_is_read_again(office: Office) -> None:
    office.quickbooks.customer("Brightwater GmbH", email="ap@brightwater.example")
    customer = office.stripe.customer("Brightwater GmbH", email="ap@brightwater.example")
    office.round()
    assert len(set(customers(office).values())) == 1
    with walls.inside(office.organisation):
        record = SourceRecord.objects.get(connection_id=office.gateway.connection, kind="customer", retracted_at__isnull=True)
        identity.split(record=record, actor=ADA, now=clock.now())
        Customer.objects.update(compared_at=None)
    office.round()
    office.gateway.sync()
    assert len(set(customers(office).values())) == 2
    with walls.inside(office.organisation):
        assert SourceRecord.objects.get(external_id=customer.id, retracted_at__isnull=True).home_id is None
    office.gateway.verify()


def test_a_second_record_of_one_source_waits_to_be_told_apart_before_it_is_made_elsewhere(office: Office) -> None:
    for _ in range(2):
        office.stripe.invoice(office.stripe.customer("Brightwater GmbH", email="ap@brightwater.example"), 5_000)
    office.round()
    office.round()
    assert len(office.theirs("Customer")) == 1
    with walls.inside(office.organisation):
        pair = LinkProposal.objects.get(kind="customer", state="open")
        identity.decide(proposal=pair, same=True, actor=ADA, now=clock.now())
    office.round()
    office.round()
    assert (len(office.theirs("Customer")), len(office.theirs("Invoice"))) == (1, 2)
    office.agree()


def test_an_invoice_typed_into_quickbooks_by_hand_is_not_owed_twice(office: Office) -> None:
    office.quickbooks.customer("Brightwater GmbH", email="ap@brightwater.example")
    invoice = office.stripe.invoice(office.stripe.customer("Brightwater GmbH", email="ap@brightwater.example"), 12_000)
    (theirs,) = office.theirs("Customer")
    office.quickbooks.invoice(theirs, 120, number=invoice.number)
    office.round()
    office.round()
    with walls.inside(office.organisation):
        assert sum(Document.objects.values_list("open_minor", flat=True)) == 12_000
        assert LinkProposal.objects.get(kind="invoice").state == "linked"
    assert len(office.theirs("Invoice")) == 1
    office.gateway.verify()
