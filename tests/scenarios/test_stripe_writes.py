"""What we ask Stripe to do is done once, whatever becomes of the answer; what Stripe cannot take is refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stamina

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Command, Receipt
from tieout.adapters.ports.errors import BadRecord, PortError, Unsupported
from tieout.adapters.ports.http import Http
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import TWIN

STRIPE = registry.connectors()["stripe"]


class Desk:
    """The connector in front of a twin."""

    def __init__(self, twin: TWIN, url: str) -> None:
        self.twin = twin
        self.settings = {"base_url": url}
        self.http = Http(base_url=url, authorise=lambda: STRIPE.authorise(self.settings, {"api_key": "sk_test_twin"}))

    def write(self, act: str, key: str = "k1", **body: Any) -> Receipt:
        return STRIPE.write(self.http, self.settings, Command(act=act, key=key, body=body))

    def count(self, kind: str) -> int:
        return len(list(getattr(self.twin.books, kind).newest_first()))


@pytest.fixture
def desk() -> Iterator[Desk]:
    with stamina.set_testing(True, attempts=5, cap=True), serving(TWIN(), deliver=False) as running:
        yield Desk(running.twin, running.url)


def a_draft(desk: Desk, customer: str, key: str = "k1") -> Receipt:
    lines = [{"amount_minor": 12_000, "description": "Consulting"}, {"amount_minor": 500, "description": "Postage"}]
    return desk.write("invoice", key, customer=customer, currency="EUR", due_date="2027-01-31", memo="As agreed", lines=lines)


@pytest.mark.parametrize("kind", ["error_before", "error_after", "silent_after", "cut", "truncated"])
def test_a_write_whose_answer_is_lost_is_done_once(desk: Desk, kind: str) -> None:
    desk.twin.faults.put(Fault(fault=kind, method="POST", path="/v1/", times=0))
    with pytest.raises(PortError):
        desk.write("customer", name="Brightwater GmbH", email="ap@brightwater.example", country="DE")
    desk.twin.faults.put()
    made = desk.write("customer", name="Brightwater GmbH", email="ap@brightwater.example", country="DE")
    again = desk.write("customer", name="Brightwater GmbH", email="ap@brightwater.example", country="DE")
    assert (desk.count("customers"), again.raw.id, again.found) == (1, made.raw.id, True)
    assert STRIPE.owner(made.raw) == "k1"


def test_an_invoice_half_made_is_taken_up_where_it_stopped(desk: Desk) -> None:
    customer = desk.twin.customer("Brightwater GmbH")
    desk.twin.faults.put(Fault(fault="error_before", method="POST", path="/add_lines", times=0))
    with pytest.raises(PortError):
        a_draft(desk, customer.id)
    desk.twin.faults.put()
    receipt = a_draft(desk, customer.id)
    (invoice,) = desk.twin.books.invoices.newest_first()
    assert (invoice.id, invoice.status, invoice.total) == (receipt.raw.id, "draft", 12_500)


def test_money_from_elsewhere_pays_all_that_remains_and_nothing_else(desk: Desk) -> None:
    invoice = desk.twin.invoice(desk.twin.customer("Brightwater GmbH"), 10_000)

    def paid(minor: int, key: str) -> Receipt:
        return desk.write("payment", key, currency="EUR", applied=[{"document": invoice.id, "amount_minor": minor}])

    with pytest.raises(Unsupported, match="all that remains"):
        paid(4_000, "k1")
    with pytest.raises(Unsupported, match="one invoice at a time"):
        desk.write("payment", "k2", currency="EUR", applied=[])
    paid(10_000, "k3")
    (there,) = desk.twin.books.invoices.newest_first()
    assert (there.status, there.amount_remaining) == ("paid", 0)
    with pytest.raises(BadRecord, match="paid in Stripe already"):
        paid(10_000, "k4")


def test_an_invoice_is_voided_once_and_a_refusal_is_told_in_stripes_words(desk: Desk) -> None:
    customer = desk.twin.customer("Brightwater GmbH")
    invoice, paid = desk.twin.invoice(customer, 10_000), desk.twin.invoice(customer, 5_000)
    desk.write("void", document=invoice.id)
    assert desk.write("void", document=invoice.id).found
    desk.twin.pay(paid)
    with pytest.raises(BadRecord, match="Stripe refuses"):
        desk.write("void", "k2", document=paid.id)
    with pytest.raises(Unsupported, match="cannot take 'deposit'"):
        desk.write("deposit", "k3")
