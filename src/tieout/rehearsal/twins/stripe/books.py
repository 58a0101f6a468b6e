"""The whole account in memory: its shelves, its clock, its new ids, and the telling of changes."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
from collections.abc import Callable, Iterator
from typing import Any

from tieout.rehearsal.twins.stripe import refusals
from tieout.rehearsal.twins.stripe.notices import Notices
from tieout.rehearsal.twins.stripe.shapes.balance import BalanceTransaction, Dispute, Payout
from tieout.rehearsal.twins.stripe.shapes.common import Shape, plain
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice, InvoicePayment
from tieout.rehearsal.twins.stripe.shapes.lines import InvoiceItem, Line, TaxRate
from tieout.rehearsal.twins.stripe.shapes.money import Charge, PaymentIntent, PaymentRecord, Refund
from tieout.rehearsal.twins.stripe.shapes.notes import CreditNote, NoteLine
from tieout.rehearsal.twins.stripe.shapes.parties import BalanceMove, Customer, TaxId
from tieout.rehearsal.twins.stripe.shelf import Shelf
from tieout.rehearsal.twins.twin import Delivery

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LETTERS = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))


class Books:
    """The state of one account. `lines` holds all lines of an invoice; the invoice itself shows the first ten."""

    def __init__(
        self,
        *,
        clock: Callable[[], dt.datetime],
        chance: random.Random,
        token: Callable[[int], str],
        post: Callable[[Delivery], None],
        version: str,
        name: str,
        country: str,
        currency: str,
        site: str,
    ) -> None:
        self._clock, self.chance = clock, chance
        self._moment: int | None = None
        self.name, self.country, self.currency, self.site, self.version = name, country, currency, site.rstrip("/"), version
        self.account_id = f"acct_1{token(15)}"
        self.opened_at = self.now()
        self.bank = f"ba_1{token(23)}"
        self.customers: Shelf[Customer] = Shelf("customer")
        self.gone_customers: dict[str, Customer] = {}
        self.tax_ids: Shelf[TaxId] = Shelf("tax_id", by=("customer",))
        self.balance_moves: Shelf[BalanceMove] = Shelf("customer_balance_transaction", by=("customer",))
        self.tax_rates: Shelf[TaxRate] = Shelf("tax_rate")
        self.items: Shelf[InvoiceItem] = Shelf("invoiceitem", by=("customer",), created="date")
        self.invoices: Shelf[Invoice] = Shelf("invoice", by=("customer",))
        self.lines: dict[str, list[Line]] = {}
        self.numbers: set[str] = set()
        self.invoice_payments: Shelf[InvoicePayment] = Shelf("invoice_payment", by=("invoice",))
        self.paid_with: dict[str, list[InvoicePayment]] = {}
        self.payment_intents: Shelf[PaymentIntent] = Shelf("payment_intent", by=("customer",))
        self.payment_records: Shelf[PaymentRecord] = Shelf("payment_record")
        self.charges: Shelf[Charge] = Shelf("charge", by=("customer", "payment_intent"))
        self.refunds: Shelf[Refund] = Shelf("refund", by=("charge",))
        self.disputes: Shelf[Dispute] = Shelf("dispute", by=("charge",))
        self.note_lines: dict[str, list[NoteLine]] = {}
        self.credit_notes: Shelf[CreditNote] = Shelf("credit_note", by=("invoice", "customer"))
        self.balance_transactions: Shelf[BalanceTransaction] = Shelf("balance_transaction")
        self.paid_out: dict[str, str] = {}
        self.payouts: Shelf[Payout] = Shelf("payout")
        self.notices = Notices(now=self.now, new_id=self.new_id, token=token, post=post, version=version)
        self._shelves: dict[str, Shelf[Any]] = {
            "cus": self.customers,
            "txi": self.tax_ids,
            "cbtxn": self.balance_moves,
            "txr": self.tax_rates,
            "ii": self.items,
            "in": self.invoices,
            "inpay": self.invoice_payments,
            "pi": self.payment_intents,
            "pr": self.payment_records,
            "ch": self.charges,
            "re": self.refunds,
            "du": self.disputes,
            "cn": self.credit_notes,
            "txn": self.balance_transactions,
            "po": self.payouts,
        }

    # Time and names

    def now(self) -> int:
        return self._moment if self._moment is not None else int(self._clock().timestamp())

    @contextlib.contextmanager
    def at(self, moment: dt.datetime | int | None) -> Iterator[None]:
        """Let what follows have happened at a moment in the past: its events are kept, but nobody hears of them now."""
        if moment is None:
            yield
            return
        held = self._moment, self.notices.quiet
        self._moment, self.notices.quiet = moment if isinstance(moment, int) else int(moment.timestamp()), True
        try:
            yield
        finally:
            self._moment, self.notices.quiet = held

    @contextlib.contextmanager
    def unheard(self) -> Iterator[None]:
        """Let what follows leave no events at all."""
        self.notices.silent = True
        try:
            yield
        finally:
            self.notices.silent = False

    def new_id(self, prefix: str) -> str:
        """A new id, the same in every run of one seed. Drawn as bytes: five ids an invoice, and a hundred thousand invoices."""
        drawn = self.chance.randbytes(14 if prefix.endswith("_") else 23)
        return prefix + drawn.translate(_LETTERS).decode()

    def find(self, identity: str) -> Any | None:
        """The object of this id, whatever its kind; a tombstone's is not found."""
        shelf = self._shelves.get(identity.split("_", 1)[0])
        return shelf.find(identity) if shelf is not None else None

    # Changes

    def tell(self, topic: str, shape: Shape, previous: dict[str, Any] | None = None) -> None:
        self.notices.tell(topic, shape, previous)

    @contextlib.contextmanager
    def changing(self, shape: Shape, topic: str) -> Iterator[None]:
        """What changes within is told once, with what was there before; nothing where nothing changed."""
        if self.notices.silent:
            yield
            return
        before = plain(shape)
        yield
        previous = difference(before, plain(shape))
        if previous:
            self.tell(topic, shape, previous)

    # Kinds that refuse their own way

    def customer(self, identity: str, *, param: str = "customer", status: int = 400) -> Customer:
        """A customer who is not deleted. Raises Refused."""
        found = self.customers.find(identity)
        if found is None:
            raise refusals.no_such("customer", identity, param=param, status=status)
        return found

    def move_to(self, site: str) -> None:
        """The twin answers under another address now: the links in invoices and credit notes follow."""
        held, self.site = self.site, site.rstrip("/")
        if held == self.site:
            return
        for invoice in self.invoices.newest_first():
            if invoice.hosted_invoice_url is not None:
                invoice.hosted_invoice_url = self.link(invoice.id)
                invoice.invoice_pdf = f"{self.link(invoice.id)}/pdf"
        for note in self.credit_notes.newest_first():
            note.pdf = f"{self.link(note.invoice)}/pdf"

    def link(self, invoice: str) -> str:
        """The invoice's own page."""
        return f"{self.site}/pay/{invoice}"


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What was there before, for each key that changed; within a hash only its changed keys, and null for a key that is new."""
    changed: dict[str, Any] = {}
    for key in {**before, **after}:
        was, is_now = before.get(key), after.get(key)
        if was == is_now:
            continue
        changed[key] = difference(was, is_now) if isinstance(was, dict) and isinstance(is_now, dict) else was
    return changed
