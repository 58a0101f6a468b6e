"""Two clocks on the real ledger: what is learnt later changes the past as known now, never as known then."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.test_allocation_guards import allocate
from tests.stages.test_ledger_merge import eur, invoice, load
from tieout.core import measures
from tieout.core.evidence import Actor
from tieout.stages.ledger import as_of, correct, enter, link
from tieout.stages.ledger.models import Allocation, Customer, Document, SourceRecord

ADA = Actor("person", "Ada", 1)
MONTH_END = dt.date(2026, 5, 31)
LATER = NOW + dt.timedelta(days=2)


def total(known_at: dt.datetime, customer: Customer | None = None) -> int:
    aged = measures.aging(as_of.positions(day=MONTH_END, known_at=known_at), MONTH_END)
    rows = [r for r in aged.iter_rows(named=True) if customer is None or r["customer_id"] == str(customer.pk)]
    return sum(r["net"] for r in rows)


def back_dated_payment() -> None:
    document = Document.objects.get(number="INV-1")
    cheque = enter.payment(
        amount=eur("40.00"),
        date=dt.date(2026, 5, 30),
        customer=document.customer,
        payer_name="",
        reference="cheque 7",
        method="cheque",
        actor=ADA,
        now=LATER,
    )
    allocate(cheque, document, 4000, date=cheque.date, recorded_at=LATER)


def reimported_amount() -> None:
    load(invoice(amount="60.00"), now=LATER)


def corrected_amount() -> None:
    document = Document.objects.get(number="INV-1")
    correct.field(kind="invoice", target_id=document.pk, field="amount_minor", value=6000, reason="agreed", actor=ADA, now=LATER)


@pytest.mark.parametrize("learn", [back_dated_payment, reimported_amount, corrected_amount], ids=lambda f: f.__name__.replace("_", " "))
def test_the_past_changes_as_known_now_and_not_as_known_then(inside: uuid.UUID, learn: Callable[[], None]) -> None:
    load(invoice())
    assert total(NOW) == 10000
    learn()
    assert (total(LATER), total(NOW)) == (6000, 10000)


def test_an_undo_gives_back_what_was_open_and_the_past_still_shows_it_applied(inside: uuid.UUID) -> None:
    load(invoice())
    document = Document.objects.get()
    allocation = allocate(builders.payment("40.00", "2026-05-30"), document, 4000)
    Allocation.objects.filter(pk=allocation.pk).update(retracted_at=LATER)
    customer = document.customer
    assert (total(NOW, customer), total(LATER, customer)) == (6000, 10000)


def test_an_unlink_moves_the_balance_now_and_linking_back_brings_it_home(inside: uuid.UUID) -> None:
    load(invoice())
    load(invoice("INV-9", "5.00", customer_id="K9", customer_name="Brightwater Foods (old)"), connection="Old system")
    first, second = Customer.objects.order_by("id")
    record = SourceRecord.objects.get(external_id="K9")
    moved = link.link(record=record, customer=first, evidence="the same company, says Ada", actor=ADA, now=NOW + dt.timedelta(hours=1)).record
    assert (total(NOW + dt.timedelta(hours=1), first), total(NOW, first)) == (10500, 10000)
    link.unlink(record=moved, actor=ADA, now=LATER)
    assert (total(LATER, first), total(LATER, second)) == (10000, 500)


def test_a_person_outranks_the_machine_on_links(inside: uuid.UUID) -> None:
    load(invoice())
    load(invoice("INV-9", "5.00", customer_id="K9", customer_name="Other"), connection="Old system")
    first, second = Customer.objects.order_by("id")
    moved = link.link(record=SourceRecord.objects.get(external_id="K9"), customer=first, evidence="Ada", actor=ADA, now=NOW).record
    with pytest.raises(link.LinkRefused, match="only a person"):
        link.link(record=moved, customer=second, evidence="score", actor=Actor("machine", "matcher"), now=LATER)


def test_a_correction_outlives_a_newer_file_and_can_be_taken_back(inside: uuid.UUID) -> None:
    load(invoice())
    document = Document.objects.get()
    made = correct.field(kind="invoice", target_id=document.pk, field="due_date", value="2026-07-31", reason="agreed by phone", actor=ADA, now=NOW)
    load(invoice(amount="101.00"), now=LATER)
    document.refresh_from_db()
    assert (document.due_date, document.amount_minor) == (dt.date(2026, 7, 31), 10100)
    correct.retract(correction=made, actor=ADA, now=LATER)
    document.refresh_from_db()
    assert document.due_date == dt.date(2026, 5, 31)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"email": "a@x.example, b@y.example"}, "more than one address", id="two addresses"),
        pytest.param({"email": "nobody"}, "@-sign", id="no address at all"),
        pytest.param({"roles": ["king"]}, "not one of", id="an unknown role"),
        pytest.param({"email": "", "phone": ""}, "needs an e-mail", id="nothing to reach"),
    ],
)
def test_a_contact_is_refused_in_words(inside: uuid.UUID, fields: dict[str, object], says: str) -> None:
    customer = builders.customer(email=None)
    with pytest.raises(enter.EntryRefused, match=says):
        enter.contact(
            **{  # type: ignore[arg-type]
                "customer": customer,
                "name": "",
                "email": "ap@x.example",
                "phone": "",
                "roles": ["bill"],
                "actor": ADA,
                "now": NOW,
                **fields,
            }
        )
