"""Money in the QuickBooks stand-in: payments, credits, deposits and journals move what they should, and the sums hold whatever
happens."""

from __future__ import annotations

import contextlib
import functools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scenarios.quickbooks_desk import Clock, Desk, Json, assert_sums, item_line, takes
from tieout.rehearsal.twins.quickbooks import QuickBooks
from tieout.rehearsal.twins.quickbooks.books import Company
from tieout.rehearsal.twins.quickbooks.refusals import Refused


def test_a_payment_of_several_invoices_goes_as_far_as_it_reaches() -> None:
    twin = Desk().twin
    customer = twin.customer("Brightwater")
    invoices = [twin.invoice(customer, amount) for amount in (30, 50, 20)]
    payment = twin.pay(*invoices, amount=60)
    assert [line["Amount"] for line in payment["Line"]] == [Decimal("30.00"), Decimal("30.00")]
    assert [twin.read("Invoice", invoice)["Balance"] for invoice in invoices] == [0, Decimal("20.00"), Decimal("20.00")]
    assert twin.pay(*invoices[1:])["TotalAmt"] == Decimal("40.00")
    assert twin.pay(customer=customer, amount=5)["UnappliedAmt"] == Decimal("5.00")
    assert twin.read("Customer", customer)["Balance"] == Decimal("-5.00")


def test_what_a_payment_holds_is_used_and_set_free() -> None:
    twin = Desk().twin
    customer = twin.customer("Brightwater")
    first, second = twin.invoice(customer, 30), twin.invoice(customer, 50)
    payment = twin.pay(customer=customer, amount=60)
    assert twin.apply(payment, {first["Id"]: 30, second["Id"]: 20})["UnappliedAmt"] == Decimal("10.00")
    assert twin.apply(payment, {second["Id"]: 50})["UnappliedAmt"] == Decimal("10.00")
    assert twin.read("Invoice", first)["Balance"] == Decimal("30.00")
    assert twin.apply(payment, {})["UnappliedAmt"] == Decimal("60.00")
    assert twin.read("Invoice", second)["LinkedTxn"] == []


@functools.cache
def _standing() -> Desk:
    """Invoice 1 is open over 100, 2 deleted, 3 voided; credit memo 4 holds 20."""
    desk = Desk()
    customer = desk.twin.customer("Brightwater")
    desk.twin.invoice(customer, 100)
    desk.twin.delete("Invoice", desk.twin.invoice(customer, 10))
    desk.twin.void("Invoice", desk.twin.invoice(customer, 10))
    desk.twin.credit(customer, 20)
    return desk


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"TotalAmt": 10}, "2020"),
        ({"CustomerRef": {"value": "1"}}, "2020"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": -1}, "6000"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 10, "Line": [takes(11, "1")]}, "6000"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 200, "Line": [takes(101, "1")]}, "6000"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 200, "Line": [takes(60, "1"), takes(60, "1")]}, "6000"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 10, "Line": [takes(0, "1")]}, "6000"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 10, "Line": [takes(10, "2")]}, "610"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 10, "Line": [takes(10, "3")]}, "6000"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 0, "Line": [takes(5, "4", "CreditMemo")]}, "6000"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 0, "Line": [takes(21, "4", "CreditMemo"), takes(21, "1")]}, "6000"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 10, "Line": [takes(10, "1", "Bill")]}, "6000"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 10, "Line": [{"Amount": 10}]}, "2020"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 10, "DepositToAccountRef": {"value": "99"}}, "2500"),
        ({"CustomerRef": {"value": "1"}, "TotalAmt": 10, "PaymentMethodRef": {"value": "99"}}, "2500"),
    ],
    ids=str,
)
def test_a_wrong_payment_is_refused_and_changes_nothing(given: Json, code: str) -> None:
    desk = _standing()
    before = desk.company.version
    assert desk.refuses(code, desk.post("payment", given))
    assert desk.company.version == before


def test_without_its_credit_memo_an_invoice_is_open_again_and_the_payment_of_nothing_gone() -> None:
    desk = Desk()
    twin = desk.twin
    customer = twin.customer("Brightwater")
    invoice, memo = twin.invoice(customer, 100), twin.credit(customer, 30)
    link = twin.apply_credit(memo, invoice)
    assert [line["LinkedTxn"][0]["TxnType"] for line in link["Line"]] == ["Invoice", "CreditMemo"]
    twin.delete("CreditMemo", memo)
    assert twin.read("Invoice", invoice)["Balance"] == Decimal("100.00")
    assert desk.refuses("610", desk.get(f"payment/{link['Id']}"))


def test_a_payment_with_a_credit_gives_back_both_when_its_invoice_is_voided() -> None:
    twin = Desk().twin
    customer = twin.customer("Brightwater")
    invoice, memo = twin.invoice(customer, 100), twin.credit(customer, 30)
    payment = twin.pay(customer=customer, amount=70, applied={invoice["Id"]: 100}, credits={memo["Id"]: 30})
    assert (payment["UnappliedAmt"], twin.read("CreditMemo", memo)["RemainingCredit"]) == (0, 0)
    twin.void("Invoice", invoice)
    assert (twin.read("Payment", payment)["UnappliedAmt"], twin.read("CreditMemo", memo)["RemainingCredit"]) == (Decimal("70.00"), Decimal("30.00"))


def test_a_deposit_takes_payments_whole_less_the_fee_and_holds_them_fast() -> None:
    desk = Desk()
    twin = desk.twin
    customer = twin.customer("Brightwater")
    first, second = twin.pay(customer=customer, amount=40), twin.pay(customer=customer, amount=60)
    deposit = twin.deposit(first, second, twin.sell(customer, 5), fee="1.50", date="2026-06-09")
    assert [line["Amount"] for line in deposit["Line"]] == [Decimal("40.00"), Decimal("60.00"), Decimal("5.00"), Decimal("-1.50")]
    assert (deposit["TotalAmt"], deposit["TxnDate"]) == (Decimal("103.50"), "2026-06-09")
    held = twin.read("Payment", first)
    assert (held["LinkedTxn"], held["SyncToken"]) == ([{"TxnId": deposit["Id"], "TxnType": "Deposit"}], "1")
    for operation in ("delete", "void"):
        assert desk.refuses("6540", desk.post("payment", {"Id": first["Id"], "SyncToken": "1"}, operation=operation))
    assert desk.refuses("6540", desk.post("payment", {"Id": first["Id"], "SyncToken": "1", "sparse": True, "TotalAmt": 41}))
    with pytest.raises(Refused) as twice:
        twin.deposit(first)
    assert twice.value.code == "6540"
    invoice = twin.invoice(customer, 40)
    assert twin.apply(first, {invoice["Id"]: 40})["UnappliedAmt"] == 0
    twin.delete("Deposit", deposit)
    assert twin.read("Payment", first)["LinkedTxn"] == []
    twin.delete("Payment", first)
    assert twin.read("Invoice", invoice)["Balance"] == Decimal("40.00")


def test_a_deposit_of_what_is_elsewhere_or_in_part_is_refused() -> None:
    desk = Desk()
    customer = desk.twin.customer("Brightwater")
    desk.twin.pay(customer=customer, amount=40)
    desk.twin.pay(customer=customer, amount=60, DepositToAccountRef={"value": "35"})
    bank = {"DepositToAccountRef": {"value": "35"}}
    link = {"LinkedTxn": [{"TxnId": "1", "TxnType": "Payment"}]}
    assert desk.refuses("6000", desk.post("deposit", {**bank, "Line": [{"LinkedTxn": [{"TxnId": "2", "TxnType": "Payment"}]}]}))
    assert desk.refuses("6000", desk.post("deposit", {**bank, "Line": [{**link, "Amount": 39}]}))
    assert desk.refuses("6000", desk.post("deposit", {"DepositToAccountRef": {"value": "79"}, "Line": [link]}))
    assert desk.refuses("2020", desk.post("deposit", {"Line": [link]}))
    assert desk.refuses("2020", desk.post("deposit", bank))
    assert desk.post("deposit", {**bank, "Line": [link]})["Deposit"]["TotalAmt"] == Decimal("40.00")


def test_a_journal_entry_moves_what_a_customer_owes() -> None:
    desk = Desk()
    customer = desk.twin.customer("Brightwater")
    entry = desk.twin.journal(customer, 25, date="2026-05-31")
    desk.twin.journal(customer, "-10.5")
    assert desk.twin.read("Customer", customer)["Balance"] == Decimal("14.50")
    side = {"DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": {"PostingType": "Debit", "AccountRef": {"value": "9"}}}
    receivable = {"DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": {"PostingType": "Credit", "AccountRef": {"value": "84"}}}
    assert desk.refuses("6000", desk.post("journalentry", {"Line": [{**side, "Amount": 1}, {**receivable, "Amount": 1}]}))
    assert desk.refuses("6000", desk.post("journalentry", {"Line": [{**side, "Amount": 1}, {**side, "Amount": 1}]}))
    desk.twin.delete("JournalEntry", entry)
    assert desk.twin.read("Customer", customer)["Balance"] == Decimal("-10.50")


def test_receipts_never_touch_what_is_owed() -> None:
    twin = Desk().twin
    customer = twin.customer("Brightwater")
    assert twin.sell(customer, 10)["Balance"] == twin.refund(customer, 4)["Balance"] == 0
    assert twin.read("Customer", customer)["Balance"] == 0


#: What may be done in any order.
ACTS = st.sampled_from(["invoice", "credit", "pay", "use", "apply_credit", "shrink", "void", "delete", "deposit", "merge"])
#: Every story is told in a company of its own.
MANY = QuickBooks(clock=Clock())


@given(st.lists(st.tuples(ACTS, st.integers(0, 7), st.integers(1, 9999)), min_size=8, max_size=40))
def test_whatever_is_done_the_sums_hold(acts: list[tuple[str, int, int]]) -> None:
    company = MANY.open_company("Another one")
    for name in ("Brightwater", "Copper Books", "Linden Bakery"):
        MANY.customer(name, realm=company.realm)
    for act, which, cents in acts:
        # What cannot be done is refused, and leaves everything as it was.
        with contextlib.suppress(Refused):
            _do(MANY, company, act, which, Decimal(cents) / 100)
        assert_sums(company)


def _do(twin: QuickBooks, company: Company, act: str, which: int, amount: Decimal) -> None:
    realm = company.realm
    customers = list(company.records["Customer"])
    customer = customers[which % len(customers)]
    forms = [record for kind in ("Invoice", "CreditMemo", "Payment") for record in company.records[kind].values()]
    ids = {kind: list(company.records[kind]) for kind in ("Invoice", "CreditMemo", "Payment")}
    if act == "invoice":
        twin.invoice(customer, amount, realm=realm)
    elif act == "credit":
        twin.credit(customer, amount, realm=realm)
    elif act == "pay":
        mine = [key for key, record in company.records["Invoice"].items() if record.body["CustomerRef"]["value"] == customer]
        twin.pay(*mine, amount=amount, customer=customer, realm=realm)
    elif act == "use" and ids["Payment"] and ids["Invoice"]:
        twin.apply(ids["Payment"][which % len(ids["Payment"])], {ids["Invoice"][which % len(ids["Invoice"])]: amount}, realm=realm)
    elif act == "apply_credit" and ids["CreditMemo"] and ids["Invoice"]:
        twin.apply_credit(ids["CreditMemo"][which % len(ids["CreditMemo"])], ids["Invoice"][which % len(ids["Invoice"])], realm=realm)
    elif act == "shrink" and ids["Invoice"]:
        twin.change("Invoice", ids["Invoice"][which % len(ids["Invoice"])], Line=[item_line(amount)], realm=realm)
    elif act in ("void", "delete") and forms:
        record = forms[which % len(forms)]
        (twin.void if act == "void" else twin.delete)(record.entity, record.id, realm=realm)
    elif act == "deposit" and ids["Payment"]:
        twin.deposit(ids["Payment"][which % len(ids["Payment"])], realm=realm)
    elif act == "merge" and len(customers) > 1:
        twin.merge(customer, customers[(which + 1) % len(customers)], realm=realm)
