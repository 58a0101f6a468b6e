"""Whatever happens to an account of the Stripe stand-in, its sums agree: invoices, payments, credit, balances, payouts."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scenarios.stripe_desk import START, Watched
from tieout.rehearsal.twins.stripe.refusals import Refused
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice
from tieout.rehearsal.twins.stripe.verbs import credit_notes, customers

_STEPS = (
    "invoice invoice_taxed credit_invoice pay pay_part pay_too_much out_of_band part_out_of_band credit credit_back refund void write_off fail "
    "dispute win lose payout goodwill void_note"
).split()


def _agree(twin: Watched) -> None:
    """What must hold for every invoice and the account at any moment."""
    books = twin.books
    for invoice in books.invoices.newest_first():
        used = (invoice.ending_balance or 0) - invoice.starting_balance
        assert invoice.total == invoice.subtotal + sum(tax.amount for tax in invoice.total_taxes if tax.tax_behavior == "exclusive")
        assert invoice.amount_due == invoice.total - used - invoice.pre_payment_credit_notes_amount
        assert invoice.amount_remaining == invoice.amount_due - invoice.amount_paid >= 0
        assert (invoice.status == "paid") == (invoice.amount_remaining == 0)
        payments = list(books.invoice_payments.newest_first("invoice", invoice.id))
        assert sum(payment.amount_paid or 0 for payment in payments if payment.status == "paid") == invoice.amount_paid
        waiting = [payment for payment in payments if payment.is_default and payment.status == "open"]
        assert [payment.amount_requested for payment in waiting] == (
            [invoice.amount_remaining] if invoice.status in ("open", "uncollectible") else []
        )
        notes = [note for note in books.credit_notes.newest_first("invoice", invoice.id) if note.status == "issued"]
        assert sum(note.pre_payment_amount for note in notes) == invoice.pre_payment_credit_notes_amount
        assert sum(note.post_payment_amount for note in notes) == invoice.post_payment_credit_notes_amount <= invoice.amount_paid
        assert all(note.total == note.pre_payment_amount + note.post_payment_amount for note in notes)
    for customer in books.customers.newest_first():
        assert sum(move.amount for move in books.balance_moves.newest_first("customer", customer.id)) == customer.balance
    for charge in books.charges.newest_first():
        assert sum(refund.amount for refund in books.refunds.newest_first("charge", charge.id)) == charge.amount_refunded <= charge.amount_captured
    for payout in books.payouts.newest_first():
        held = [entry for entry in books.balance_transactions.newest_first() if books.paid_out.get(entry.id) == payout.id]
        assert sum(entry.net for entry in held) == 0


def _do(twin: Watched, step: str, amount: int, at: int) -> None:
    owed = next(twin.books.customers.newest_first())
    invoices = twin.invoices_of(owed)
    if step == "invoice" or not invoices:
        twin.invoice(owed, lines=[("part", amount), ("part", amount // 3 + 1)])
        return
    if step == "invoice_taxed":
        twin.invoice(owed, amount, tax=twin.tax_rate("VAT", "19", inclusive=bool(at % 2)))
        return
    if step == "credit_invoice":
        twin.invoice(owed, -amount)
        return
    if step == "payout":
        twin.payout()
        return
    if step == "goodwill":
        customers.update(twin.books, {"balance": owed.balance - amount}, customer=owed.id)
        return
    _to(twin, step, invoices[at % len(invoices)], amount)


def _to(twin: Watched, step: str, invoice: Invoice, amount: int) -> None:
    part = max(min(amount, invoice.amount_remaining), 1)
    steps: dict[str, Any] = {
        "pay": lambda: twin.pay(invoice),
        "pay_part": lambda: twin.pay(invoice, part),
        "pay_too_much": lambda: twin.pay(invoice, invoice.amount_remaining + amount),
        "out_of_band": lambda: twin.pay(invoice, out_of_band=True),
        "part_out_of_band": lambda: twin.pay(invoice, part, out_of_band=True),
        "credit": lambda: twin.credit(invoice, amount),
        "credit_back": lambda: twin.credit(invoice, amount, back="balance"),
        "refund": lambda: twin.refund(invoice, amount),
        "void": lambda: twin.void(invoice),
        "write_off": lambda: twin.write_off(invoice),
        "fail": lambda: twin.fail_payment(invoice),
        "dispute": lambda: twin.dispute(invoice),
        "win": lambda: twin.close_dispute(next(twin.books.disputes.newest_first(), "du_0"), won=True),
        "lose": lambda: twin.close_dispute(next(twin.books.disputes.newest_first(), "du_0"), won=False),
        "void_note": lambda: _void_note(twin, invoice),
    }
    steps[step]()


def _void_note(twin: Watched, invoice: Invoice) -> None:
    for note in list(twin.books.credit_notes.newest_first("invoice", invoice.id)):
        credit_notes.void(twin.books, note=note.id)


_LIFE = st.lists(st.tuples(st.sampled_from(_STEPS), st.integers(1, 20_000), st.integers(0, 5)), min_size=4, max_size=25)


@settings(max_examples=60)
@given(life=_LIFE)
def test_the_sums_agree_after_every_step_of_any_life(life: list[tuple[str, int, int]]) -> None:
    twin = Watched()
    twin.customer("Brightwater Bakery")
    for step, amount, at in life:
        with contextlib.suppress(Refused):  # a refusal is an answer too, and must leave the sums as they were
            _do(twin, step, amount, at)
        _agree(twin)


def test_more_than_was_owed_becomes_credit_and_pays_the_next_invoice() -> None:
    twin = Watched()
    owed = twin.customer("Copperfield Optics")
    first = twin.invoice(owed, 10_000)
    twin.pay(first, 12_500)
    assert (first.status, first.amount_paid, first.amount_overpaid, owed.balance) == ("paid", 10_000, 2_500, -2_500)
    second = twin.invoice(owed, 2_000)
    assert (second.status, second.amount_due, second.starting_balance, second.ending_balance) == ("paid", 0, -2_500, -500)
    third = twin.invoice(owed, 2_000)
    assert (third.status, third.amount_due, owed.balance) == ("open", 1_500, 0)
    twin.void(third)
    assert owed.balance == -500  # what a void invoice had used goes back


def test_an_invoice_below_zero_is_credit() -> None:
    twin = Watched()
    owed = twin.customer("Dunmore Tools")
    invoice = twin.invoice(owed, lines=[("returned", -700), ("sold", 200)])
    assert (invoice.status, invoice.total, invoice.amount_due, invoice.ending_balance, owed.balance) == ("paid", -500, 0, -500, -500)


def test_charges_leave_their_fee_and_disputes_theirs() -> None:
    twin = Watched()
    invoice = twin.invoice(twin.customer("Eastlake Printing"), 10_000)
    twin.pay(invoice)
    dispute = twin.dispute(invoice)
    twin.close_dispute(dispute, won=True)
    entries = [(entry.type, entry.amount, entry.fee, entry.net) for entry in twin.books.balance_transactions.newest_first()]
    assert entries == [("adjustment", 10_000, 0, 10_000), ("adjustment", -10_000, 1_500, -11_500), ("charge", 10_000, 175, 9_825)]
    assert invoice.status == "paid"  # a dispute leaves the invoice as it is


def test_an_inquiry_takes_no_money() -> None:
    twin = Watched()
    invoice = twin.invoice(twin.customer("Fairholm Roofing"), 10_000)
    twin.pay(invoice)
    dispute = twin.dispute(invoice, inquiry=True)
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])
    assert twin.close_dispute(dispute, won=True).status == "warning_closed"
    assert twin.told("charge.dispute.funds_withdrawn") == []


def test_history_can_be_told_with_its_dates() -> None:
    twin = Watched()
    owed = twin.customer("Greywell Textiles", at=START - dt.timedelta(days=90))
    invoice = twin.invoice(owed, 5_000, days=14, at=START - dt.timedelta(days=80))
    payment = twin.pay(invoice, at=START - dt.timedelta(days=60))
    assert invoice.due_date == invoice.created + 14 * 86_400
    assert payment.status_transitions.paid_at == int(START.timestamp()) - 60 * 86_400
    assert twin.charge_of(invoice).created == payment.status_transitions.paid_at
    assert twin.books.now() == int(START.timestamp())


@pytest.mark.parametrize(("percentage", "inclusive", "expected"), [("19", False, 190), ("7.7", False, 77), ("0", False, 0), ("19", True, 160)])
def test_tax_is_rounded_half_up_per_line(percentage: str, inclusive: bool, expected: int) -> None:
    twin = Watched()
    rate = twin.tax_rate("VAT", percentage, inclusive=inclusive)
    invoice = twin.invoice(twin.customer("Hollin Vineyards"), 1_000, tax=rate)
    assert sum(tax.amount for tax in invoice.total_taxes) == expected
    assert invoice.total == (1_000 if inclusive else 1_000 + expected)
    assert invoice.total_taxes[0].taxability_reason == ("zero_rated" if percentage == "0" else "standard_rated")
