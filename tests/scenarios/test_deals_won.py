"""A deal that is won asks the invoicing tool for a draft where the map says so: once, never sent; and invoices and tasks stand in the CRM."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.scenarios import test_three_systems as three
from tests.scenarios.connected import ADA
from tests.scenarios.test_three_systems import Office
from tieout.flow import clock
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.hubspot import catalogue
from tieout.stages.base import walls
from tieout.stages.collect.models import Task
from tieout.stages.ledger import link
from tieout.stages.ledger.models import Customer, SourceRecord
from tieout.stages.writeback import route
from tieout.stages.writeback.models import Outgoing, Route

office = three.office


def _draw(office: Office, what: str) -> None:
    """A person switches a line of the map on."""
    with walls.inside(office.organisation):
        found = Route.objects.filter(what=what).first()
        if found is None:
            found = route.add(
                origin=office.crm.row(), target=office.gateway.row(), what=what, since=clock.today(), actor=ADA, now=clock.now())  # fmt: skip
        route.set(line=found, enabled=True, actor=ADA, now=clock.now())


def _won(office: Office, amount: str = "2400.00") -> Any:
    company = office.hubspot.company("Brightwater", domain="brightwater.example")
    deal = office.hubspot.deal("Website, phase one", company=company, amount=amount, deal_currency_code="EUR")
    office.round()
    office.hubspot.win(deal)
    return deal


def _notes(office: Office) -> list[str]:
    return [str(note.properties["hs_note_body"]) for note in office.hubspot.everyone("notes")]


def test_nothing_is_asked_for_until_a_person_says_so(office: Office) -> None:
    _won(office)
    office.round()
    assert list(office.stripe.books.invoices.newest_first()) == []


@pytest.mark.parametrize("kind", ["", "error_after", "silent_after", "cut"])
def test_a_deal_won_becomes_one_draft_that_nobody_sent_and_the_deal_shows_it(office: Office, kind: str) -> None:
    _draw(office, "draft")
    if kind:
        office.stripe.faults.put(Fault(fault=kind, method="POST", path="/v1/", after=1, times=2))
    deal = _won(office)
    office.round()
    office.stripe.faults.put()
    for _ in range(3):
        office.round()
    (draft,) = office.stripe.books.invoices.newest_first()
    assert (draft.status, draft.total, draft.auto_advance) == ("draft", 240_000, False)
    assert "Website, phase one" in str(draft.description)
    (note,) = _notes(office)
    assert draft.id in note
    assert "draft, to be looked at and sent" in note
    beside = office.hubspot.everyone("notes")[0]
    assert [other.id for other, _ in office.hubspot.tied(beside, catalogue.kind("deals"))] == [deal.id]
    with walls.inside(office.organisation):
        assert not Outgoing.objects.exclude(state="done").exists()
    office.gateway.verify()


def test_a_deal_won_before_the_line_was_drawn_asks_for_nothing(office: Office) -> None:
    _draw(office, "draft")
    with walls.inside(office.organisation):
        Route.objects.filter(what="draft").update(since=clock.today() + dt.timedelta(days=1))
    _won(office)
    office.round()
    assert list(office.stripe.books.invoices.newest_first()) == []


def _known(office: Office) -> tuple[Any, Customer]:
    """One customer in Stripe and HubSpot, with an invoice."""
    company = office.hubspot.company("Brightwater", domain="brightwater.example")
    invoice = office.stripe.invoice(office.stripe.customer("Brightwater GmbH", email="ap@brightwater.example"), 12_000)
    office.round()
    with walls.inside(office.organisation):
        ours = Customer.objects.get(name="Brightwater GmbH")
        record = SourceRecord.objects.get(connection_id=office.crm.connection, kind="customer", external_id=company.id)
        link.link(record=record, customer=ours, evidence="Ada knows them", actor=ADA, now=clock.now())
    return invoice, ours


def test_an_invoice_stands_beside_its_company_as_it_is_in_one_note(office: Office) -> None:
    _draw(office, "document")
    invoice, _ = _known(office)
    office.round()
    (note,) = _notes(office)
    assert f"Invoice {invoice.number}" in note
    assert "120.00 EUR open" in note
    office.stripe.pay(invoice)
    office.round()
    (note,) = _notes(office)
    assert "paid" in note


def test_a_collectors_task_is_a_task_there_once(office: Office) -> None:
    _draw(office, "task")
    _, ours = _known(office)
    with walls.inside(office.organisation):
        Task.objects.create(
            customer=ours, kind="call", title="Call Brightwater about the oldest invoice", due_date=clock.today(), natural_key="call-1",
            made_at=clock.now(),
        )
    office.round()
    office.round()
    (task,) = office.hubspot.everyone("tasks")
    assert task.properties["hs_task_subject"] == "Call Brightwater about the oldest invoice"
