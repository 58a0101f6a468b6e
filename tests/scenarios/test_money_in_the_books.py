"""Refunds, lost disputes, payouts and edits of Stripe's, told to QuickBooks: once, to the cent, and never guessed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios import test_three_systems as three
from tests.scenarios.test_three_systems import Office
from tieout.flow import clock, write
from tieout.rehearsal.twins.faults import Fault
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Payout
from tieout.stages.writeback import decide
from tieout.stages.writeback.models import Outgoing

office = three.office


def _paid(office: Office, cents: int = 12_000) -> Any:
    invoice = three._raised(office, cents)
    office.stripe.pay(invoice)
    office.round()
    return invoice


def _settled(office: Office) -> None:
    """Nothing left undone, nothing told twice, every difference named, every promise kept."""
    before = office.told()
    office.round()
    assert office.told() == before
    with walls.inside(office.organisation):
        assert not Outgoing.objects.exclude(state="done").exists(), office.told()
    for books in (office.gateway, office.accounting):
        told = books.tie_out()
        assert told.unexplained == {}, told.lines
        assert books.set_aside() == []
    office.gateway.verify()


def _map(office: Office, **settings: str) -> None:
    with walls.inside(office.organisation):
        row = Connection.objects.get(pk=office.accounting.connection)
        row.settings = {name: value for name, value in {**row.settings, **settings}.items() if value}
        row.save(update_fields=["settings"])
        decide.resume(connection_id=row.pk, now=clock.now())


def test_a_refund_is_a_refund_receipt_and_both_invoices_stay_paid(office: Office) -> None:
    invoice = _paid(office)
    office.stripe.refund(invoice, 2_000)
    office.round()
    (receipt,) = office.theirs("RefundReceipt")
    assert receipt["TotalAmt"] == Decimal("20.00")
    assert office.theirs("Invoice")[0]["Balance"] == 0
    assert office.theirs("Payment")[0]["TotalAmt"] == Decimal("120.00")
    assert office.gateway.open_by_number() == {invoice.number: 0}
    _settled(office)


def test_a_credit_note_that_gave_money_back_goes_over_once_as_the_refund(office: Office) -> None:
    invoice = _paid(office)
    office.stripe.credit(invoice, 4_000)
    office.round()
    assert [receipt["TotalAmt"] for receipt in office.theirs("RefundReceipt")] == [Decimal("40.00")]
    assert office.theirs("CreditMemo") == []
    assert office.theirs("Invoice")[0]["Balance"] == 0
    _settled(office)


def test_a_lost_dispute_takes_the_payment_off_the_invoice_in_the_books(office: Office) -> None:
    invoice = _paid(office)
    office.stripe.close_dispute(office.stripe.dispute(invoice, amount=5_000), won=False)
    office.round()
    assert office.theirs("Invoice")[0]["Balance"] == Decimal("50.00")
    (payment,) = office.theirs("Payment")
    assert (payment["TotalAmt"], payment["UnappliedAmt"]) == (Decimal("70.00"), 0)
    assert office.gateway.open_by_number() == {invoice.number: 5_000}
    _settled(office)


def test_a_payment_lost_whole_is_void_in_the_books(office: Office) -> None:
    invoice = _paid(office)
    office.stripe.close_dispute(office.stripe.dispute(invoice), won=False)
    office.round()
    assert office.theirs("Invoice")[0]["Balance"] == Decimal("120.00")
    assert office.gateway.open_by_number() == {invoice.number: 12_000}
    _settled(office)


def test_a_payment_that_went_to_the_bank_already_is_for_a_person_when_its_dispute_is_lost(office: Office) -> None:
    invoice = _paid(office)
    office.stripe.payout()
    office.round()
    office.stripe.close_dispute(office.stripe.dispute(invoice), won=False)
    office.round()
    (act, state, receipt) = next(row for row in office.told() if row[0] == "change_payment")
    assert (act, state) == ("change_payment", "failed")
    assert "book there by hand that reversed by dispute du_" in receipt
    assert len(office.theirs("Deposit")) == 1


def test_a_payout_is_one_deposit_with_its_payments_and_its_fee(office: Office) -> None:
    first, _ = _paid(office), _paid(office, 30_000)
    office.stripe.refund(first, 2_000)
    payout = office.stripe.payout()
    office.round()
    office.round()
    (deposit,) = office.theirs("Deposit")
    assert deposit["TotalAmt"] == Decimal(payout.amount) / 100
    linked = sorted((line["LinkedTxn"][0]["TxnType"], line["Amount"]) for line in deposit["Line"] if line.get("LinkedTxn"))
    assert linked == [("Payment", Decimal("120.00")), ("Payment", Decimal("300.00")), ("RefundReceipt", Decimal("-20.00"))]
    (fee,) = [line for line in deposit["Line"] if not line.get("LinkedTxn")]
    assert fee["Amount"] == -Decimal(42_000 - 2_000 - payout.amount) / 100
    with walls.inside(office.organisation):
        assert Payout.objects.count() == 1, "our own deposit, read back, is no other payout"
    _settled(office)


def test_an_unmapped_fee_account_waits_for_a_person_and_goes_once_it_is_said(office: Office) -> None:
    fee = office.accounting.row().settings["fee_account"]
    _map(office, fee_account="")
    _paid(office)
    office.stripe.payout()
    office.round()
    assert office.theirs("Deposit") == []
    ((_, state, receipt),) = [row for row in office.told() if row[0] == "payout"]
    assert state == "person"
    assert "needs mapping" in receipt
    _map(office, fee_account=fee)
    office.round()
    assert len(office.theirs("Deposit")) == 1
    _settled(office)


@pytest.mark.parametrize("kind", ["silent_after", "error_after", "cut", "too_many"])
def test_a_deposit_whose_outcome_is_in_doubt_is_found_and_not_made_twice(office: Office, kind: str) -> None:
    _paid(office)
    office.stripe.payout()
    office.quickbooks.faults.put(Fault(fault=kind, method="POST", path="/deposit", times=2))
    office.round()
    office.quickbooks.faults.put()
    office.round()
    office.round()
    assert len(office.theirs("Deposit")) == 1
    _settled(office)


@pytest.mark.parametrize("come_back", ["fail_payout", "reverse_payout"])
def test_a_payout_that_comes_back_takes_its_deposit_with_it(office: Office, come_back: str) -> None:
    _paid(office)
    payout = office.stripe.payout()
    office.round()
    assert len(office.theirs("Deposit")) == 1
    getattr(office.stripe, come_back)(payout)
    office.round()
    assert office.theirs("Deposit") == []
    assert len(office.theirs("Payment")) == 1
    _settled(office)


def _edit(office: Office, invoice: Any, **fields: Any) -> None:
    """Stripe lets nobody change a finalised invoice; a system that does would tell it so."""
    with office.stripe.lock, office.stripe.books.changing(invoice, "invoice.updated"):
        for name, value in fields.items():
            setattr(invoice, name, value)


def _raised(office: Office) -> Any:
    invoice = office.stripe.invoice(office.stripe.customer("Kestrel & Co", email="pay@kestrel.example"), 12_000)
    office.round()
    return invoice


def test_a_changed_due_date_and_amount_reach_the_copy_once(office: Office) -> None:
    invoice = _raised(office)
    (line,) = office.stripe.books.lines[invoice.id]
    line.amount, line.description = 13_500, "Services, and a Saturday"
    _edit(office, invoice, due_date=invoice.due_date + 10 * 86_400, total=13_500, amount_due=13_500, amount_remaining=13_500)
    office.round()
    (mirrored,) = office.theirs("Invoice")
    assert mirrored["DueDate"] == office.gateway.document(invoice.number).due_date.isoformat()
    assert (mirrored["TotalAmt"], mirrored["Balance"], mirrored["Line"][0]["Description"]) == (135, 135, "Services, and a Saturday")
    assert [row[0] for row in office.told()].count("update_invoice") == 1
    _settled(office)


def test_an_edit_meets_somebody_elses_save_in_between(office: Office) -> None:
    invoice = _raised(office)
    (mirrored,) = office.theirs("Invoice")
    office.quickbooks.change("Invoice", mirrored, CustomerMemo={"value": "thank you"})
    _edit(office, invoice, due_date=invoice.due_date + 5 * 86_400)
    office.round()
    (after,) = office.theirs("Invoice")
    assert after["CustomerMemo"] == {"value": "thank you"}
    assert after["DueDate"] != mirrored["DueDate"]
    _settled(office)


def test_a_change_on_the_copy_is_a_difference_and_never_overwrites_the_birthplace(office: Office) -> None:
    invoice = _raised(office)
    (mirrored,) = office.theirs("Invoice")
    lines = [{**line, "Amount": Decimal("150.00")} for line in mirrored["Line"] if line["DetailType"] == "SalesItemLineDetail"]
    for line in lines:
        line["SalesItemLineDetail"] = {name: value for name, value in line["SalesItemLineDetail"].items() if name not in ("Qty", "UnitPrice")}
    office.quickbooks.change("Invoice", mirrored, Line=lines)
    office.round()
    assert office.gateway.document(invoice.number).amount_minor == 12_000
    assert office.theirs("Invoice")[0]["TotalAmt"] == Decimal("150.00")
    assert office.accounting.tie_out().causes == {"EUR": {"edited": -3_000}}
    _settled(office)


def test_a_part_payment_deleted_in_the_books_is_told_by_its_cause(office: Office) -> None:
    invoice = _raised(office)
    office.stripe.pay(invoice, 5_000)
    office.round()
    office.quickbooks.delete("Payment", office.theirs("Payment")[0])
    office.round()
    assert office.gateway.open_by_number() == {invoice.number: 7_000}, "the money is where it was paid"
    told = office.accounting.tie_out()
    assert told.unexplained == {}
    assert list(told.causes["EUR"]) == ["timing"]


def test_a_credit_applied_by_a_payment_of_nothing_is_a_credit_and_nothing_is_set_aside(office: Office) -> None:
    books = office.quickbooks
    customer = books.customer("Dunmore Tools")
    invoice, memo = books.invoice(customer, "80.00", number="B-1"), books.credit(customer, "30.00", number="BC-1")
    books.apply_credit(memo, invoice)
    office.round()
    assert office.accounting.set_aside() == []
    assert office.accounting.open_by_number()["B-1"] == 5_000
    assert office.accounting.payments() == []
    told: Callable[[], Any] = office.accounting.tie_out
    assert told().unexplained == {}
    office.accounting.verify()
    assert isinstance(office.organisation, uuid.UUID)
    assert write.run(office.organisation).planned == 0
