"""What a rehearsal does with the account, in the words of a scenario: the twin's own methods, with the power of the API and more.

Each may be told `at` which moment it happened: such history is kept with its events, but nobody is told of it now.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tieout.rehearsal.twins.stripe import fill, notices, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.shapes.balance import Dispute, Endpoint, Payout
from tieout.rehearsal.twins.stripe.shapes.events import Event
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice, InvoicePayment, PaidWith
from tieout.rehearsal.twins.stripe.shapes.lines import TaxRate
from tieout.rehearsal.twins.stripe.shapes.money import Charge, Refund
from tieout.rehearsal.twins.stripe.shapes.notes import CreditNote
from tieout.rehearsal.twins.stripe.shapes.parties import Customer
from tieout.rehearsal.twins.stripe.verbs import (
    balance,
    credit_notes,
    customers,
    disputes,
    intents,
    invoices,
    items,
    lifecycle,
    receive,
    records,
    refunds,
    tax_rates,
)

Moment = dt.datetime | None


class Rehearsal:
    """Refusals come as `Refused`, as they would over the API."""

    books: Books
    lock: threading.RLock

    # Customers and invoices

    def customer(self, name: str, *, email: str | None = None, at: Moment = None, **fields: Any) -> Customer:
        """A customer. `fields` are Stripe's: address, phone, preferred_locales, metadata, tax_id_data, ..."""
        with self.lock, self.books.at(at):
            return customers.create(self.books, {"name": name, "email": email, **fields})

    def delete_customer(self, customer: Customer | str, *, at: Moment = None) -> None:
        with self.lock, self.books.at(at):
            customers.delete(self.books, customer=_id(customer))

    def tax_rate(self, name: str, percentage: str, *, inclusive: bool = False) -> TaxRate:
        with self.lock:
            return tax_rates.create(self.books, {"display_name": name, "percentage": percentage, "inclusive": inclusive})

    def invoice(
        self,
        customer: Customer | str,
        amount: int | None = None,
        *,
        lines: Sequence[tuple[str, int]] = (),
        currency: str | None = None,
        days: int = 30,
        automatic: bool = False,
        finalized: bool = True,
        sent: bool = False,
        number: str | None = None,
        tax: TaxRate | None = None,
        metadata: Mapping[str, str] | None = None,
        at: Moment = None,
        **fields: Any,
    ) -> Invoice:
        """An invoice over one amount or several lines, due after `days`; `automatic` ones are charged and have no due date."""
        collected: dict[str, Any] = {"collection_method": "charge_automatically"}
        if not automatic:
            collected = {"collection_method": "send_invoice", "days_until_due": days}
        with self.lock, self.books.at(at):
            given = {"customer": _id(customer), "metadata": dict(metadata or {}), "number": number, **collected, **fields}
            if currency:
                given["currency"] = currency
            if tax is not None:
                given["default_tax_rates"] = [tax.id]
            made = invoices.create(self.books, given)
            for description, each in lines or ([("Services", amount)] if amount is not None else []):
                items.create(self.books, {"invoice": made.id, "amount": each, "description": description})
            if finalized:
                lifecycle.finalize(self.books, {}, invoice=made.id)
            if sent:
                lifecycle.send(self.books, invoice=made.id)
            return made

    def finalize(self, invoice: Invoice | str, *, at: Moment = None) -> Invoice:
        with self.lock, self.books.at(at):
            return lifecycle.finalize(self.books, {}, invoice=_id(invoice))

    def send(self, invoice: Invoice | str, *, at: Moment = None) -> Invoice:
        with self.lock, self.books.at(at):
            return lifecycle.send(self.books, invoice=_id(invoice))

    def void(self, invoice: Invoice | str, *, at: Moment = None) -> Invoice:
        with self.lock, self.books.at(at):
            return lifecycle.void(self.books, invoice=_id(invoice))

    def write_off(self, invoice: Invoice | str, *, at: Moment = None) -> Invoice:
        """Mark it uncollectible."""
        with self.lock, self.books.at(at):
            return lifecycle.mark_uncollectible(self.books, invoice=_id(invoice))

    def invoices_of(self, customer: Customer | str) -> list[Invoice]:
        """The customer's invoices, oldest first."""
        with self.lock:
            return list(self.books.invoices.newest_first("customer", _id(customer)))[::-1]

    # Money

    def pay(self, invoice: Invoice | str, amount: int | None = None, *, out_of_band: bool = False, at: Moment = None) -> InvoicePayment:
        """Pay an invoice, in full or the amount given; more than remains becomes credit of the customer."""
        with self.lock, self.books.at(at):
            found = self._owed(invoice)
            wanted = found.amount_remaining if amount is None else amount
            if out_of_band:
                return records.settle(self.books, found, wanted)
            waiting = receive.default(self.books, found)
            if waiting is not None and wanted == waiting.amount_requested:
                lifecycle.attempt(self.books, found, intents.CARD)
                return waiting
            intent = intents.make(self.books, wanted, found.currency, found.customer)
            payment = receive.expect(self.books, found, PaidWith(type="payment_intent", payment_intent=intent.id), wanted)
            intents.take(self.books, intent)
            return payment

    def fail_payment(self, invoice: Invoice | str, *, decline: str = "insufficient_funds", at: Moment = None) -> Invoice:
        """An attempt to collect what remains is declined."""
        with self.lock, self.books.at(at):
            found = self._owed(invoice)
            try:
                lifecycle.attempt(self.books, found, intents.CARD, decline=decline)
            except refusals.Refused:
                return found
            raise AssertionError("a declined card was taken")

    def _owed(self, invoice: Invoice | str) -> Invoice:
        found = self.books.invoices.get(_id(invoice))
        if found.status not in ("open", "uncollectible"):
            raise refusals.wrong_state(f"Only open invoices can be paid; this one is {found.status}")
        return found

    def credit(
        self, invoice: Invoice | str, amount: int, *, back: str = "refund", reason: str | None = None, memo: str | None = None, at: Moment = None
    ) -> CreditNote:
        """Credit part of an invoice. What exceeds the open amount goes `back` as refund, balance or out_of_band."""
        field = {"refund": "refund_amount", "balance": "credit_amount", "out_of_band": "out_of_band_amount"}[back]
        with self.lock, self.books.at(at):
            found = self.books.invoices.get(_id(invoice))
            after = amount - min(amount, found.amount_remaining)
            given = {"invoice": found.id, "amount": amount, "memo": memo, "reason": reason, **({field: after} if after else {})}
            return credit_notes.create(self.books, given)

    def charge_of(self, paid: Invoice | Charge | str) -> Charge:
        """The charge itself, or the newest successful one of an invoice. Raises Refused."""
        identity = _id(paid)
        if identity.startswith("ch_"):
            return self.books.charges.get(identity)
        for payment in self.books.invoice_payments.newest_first("invoice", identity):
            if payment.status == "paid" and payment.payment.type == "payment_intent":
                return self.books.charges.get(self.books.payment_intents.get(payment.payment.id()).latest_charge or "")
        raise refusals.no_such("charge", identity, param="invoice")

    def refund(self, paid: Invoice | Charge | str, amount: int | None = None, *, reason: str | None = None, at: Moment = None) -> Refund:
        with self.lock, self.books.at(at):
            return refunds.make(self.books, self.charge_of(paid), amount, {"reason": reason})

    def dispute(
        self,
        paid: Invoice | Charge | str,
        *,
        amount: int | None = None,
        reason: str = "product_unacceptable",
        inquiry: bool = False,
        at: Moment = None,
    ) -> Dispute:
        """A cardholder disputes a payment."""
        with self.lock, self.books.at(at):
            return disputes.start(self.books, self.charge_of(paid), reason=reason, amount=amount, inquiry=inquiry)

    def close_dispute(self, dispute: Dispute | str, *, won: bool, at: Moment = None) -> Dispute:
        with self.lock, self.books.at(at):
            return disputes.decide(self.books, self.books.disputes.get(_id(dispute)), "won" if won else "lost")

    def payout(self, *, currency: str | None = None, at: Moment = None) -> Payout:
        """Everything not yet paid out goes to the bank and arrives."""
        with self.lock, self.books.at(at):
            return balance.pay_out(self.books, currency=currency)

    def fail_refund(self, refund: Refund | str, *, at: Moment = None) -> Refund:
        """A refund does not arrive."""
        with self.lock, self.books.at(at):
            return refunds.fail(self.books, self.books.refunds.get(_id(refund)))

    def fail_payout(self, payout: Payout | str, *, at: Moment = None) -> Payout:
        """The bank sends a payout back."""
        with self.lock, self.books.at(at):
            return balance.fail(self.books, self.books.payouts.get(_id(payout)))

    def reverse_payout(self, payout: Payout | str, *, at: Moment = None) -> Payout:
        """What arrived is taken back."""
        with self.lock, self.books.at(at):
            return balance.reverse(self.books, self.books.payouts.get(_id(payout)))

    # Events

    def endpoint(self, url: str, events: Sequence[str] = ("*",), *, version: str | None = None) -> Endpoint:
        """A door for events; the answer carries its secret."""
        with self.lock:
            made, secret = self.books.notices.open(url, list(events), api_version=version)
            return msgspec.structs.replace(made, secret=secret)

    def rotate_secret(self, endpoint: Endpoint | str, *, seconds: int = 86_400) -> str:
        """A new secret; for so long deliveries are signed with the old one as well."""
        with self.lock:
            return self.books.notices.rotate(_id(endpoint), seconds=seconds)

    def redeliver(self) -> int:
        """Send again what some door has not taken."""
        with self.lock:
            return self.books.notices.send_again()

    def told(self, *patterns: str) -> list[Event]:
        """The events of these types, oldest first."""
        with self.lock:
            found = [event for event in self.books.notices.events.newest_first() if not patterns or notices.matches(event.type, patterns)]
            return found[::-1]

    # Bulk

    def fill(self, n: int, *, lines: int = 1, customers: int | None = None, days: int = 180, paid_every: int = 0) -> None:
        """Make `n` finalised invoices, created over the last `days`; every `paid_every`-th is paid past Stripe. No events."""
        with self.lock:
            fill.fill(self.books, n, lines=lines, customers=customers or max(n // 20, 1), days=days, paid_every=paid_every)


def _id(thing: Any) -> str:
    return thing if isinstance(thing, str) else str(thing.id)
