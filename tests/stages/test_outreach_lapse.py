"""A message whose whole claim was settled ends at once, with the reason; what a person edited, and what still asks for something, stays."""

from __future__ import annotations

import uuid

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.stages.cash import apply
from tieout.stages.ledger.models import Customer, Document
from tieout.stages.outreach import draft, lapse
from tieout.stages.outreach.models import Message

ADA = Actor("person", "Ada")


def _drafted(debtor: Customer, *documents: Document) -> Message:
    made = draft.by_hand(customer=debtor, document_ids=[d.pk for d in documents], tone="neutral", actor=ADA, now=NOW)
    assert isinstance(made, Message)
    return made


def _paid(debtor: Customer, document: Document) -> object:
    payment = builders.payment("100.00", owner=debtor)
    return apply.by_person(payment=payment, lines=[(document.pk, 10_000)], actor=ADA, now=NOW, reason="it names the invoice")


def test_paid_it_ends_and_says_which_invoice_is_settled(inside: uuid.UUID) -> None:
    debtor = builders.customer("Brightwater pays late")
    bill = builders.invoice(debtor, "100.00", number="BW-1")
    message = _drafted(debtor, bill)
    assert lapse.messages(customer_ids=[debtor.pk], now=NOW) == []
    _paid(debtor, bill)
    assert lapse.messages(customer_ids=[debtor.pk], now=NOW) == [message.pk]
    message.refresh_from_db()
    assert (message.state, message.outcome) == ("cancelled", "nothing is left to ask for: BW-1 is settled")
    assert lapse.messages(customer_ids=None, now=NOW) == []


@pytest.mark.parametrize("why", ["another invoice is open", "a person edited it", "another customer's"])
def test_it_stays_where(inside: uuid.UUID, why: str) -> None:
    debtor, other = builders.customer("Brightwater pays late"), builders.customer("Kestrel", email="pay@kestrel.example")
    bill = builders.invoice(debtor, "100.00", number="BW-1")
    bills = [bill, builders.invoice(debtor, "50.00", number="BW-2")] if why == "another invoice is open" else [bill]
    message = _drafted(debtor, *bills)
    if why == "a person edited it":
        message.edited = True
        message.save(update_fields=["edited"])
    _paid(debtor, bill)
    asked = [other.pk] if why == "another customer's" else [debtor.pk]
    assert lapse.messages(customer_ids=asked, now=NOW) == []
    message.refresh_from_db()
    assert message.state == "draft"
