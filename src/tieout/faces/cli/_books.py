"""The contract tables of DESIGN, section 7, as canonical documents, one row at a time; a bad row is told and left out.

Used by the commands that judge a book (`aging`, `match`). What a row holds is judged where it stands; nothing is guessed:
an amount that does not fit its currency, a day that does not exist, a negative invoice each keep only their own row out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import click

from tieout.core.documents import Allocation, CreditNote, Customer, Invoice, Payment
from tieout.core.money import Money, is_currency
from tieout.faces.cli import _tables
from tieout.faces.cli._tables import BadCell, Row

T = TypeVar("T")

#: A document that has only a number is known by it.
INVOICE_ALIASES = {
    **_tables.ALIASES,
    "invoice_id": (*_tables.ALIASES["invoice_id"], "number", *_tables.ALIASES["number"]),
}
CREDIT_ALIASES = {
    **{k: v for k, v in _tables.ALIASES.items() if k not in ("invoice_id", "number")},
    "credit_note_id": ("credit_note", "credit_id", "document_id", "number", "credit_note_number"),
    "number": ("credit_note_number", "document_number"),
    "date": ("issue_date", "credit_note_date"),
}
PAYMENT_ALIASES = {
    "payment_id": ("payment", "id", "transaction_id"),
    "customer_id": _tables.ALIASES["customer_id"],
    "date": ("payment_date", "value_date", "booking_date"),
    "currency": _tables.ALIASES["currency"],
    "payer_name": ("payer", "counterparty", "counterparty_name"),
    "payer_account": ("iban", "account", "counterparty_account"),
    "remittance": ("remittance_information", "description", "text", "memo"),
    "invoice_number": ("invoice",),
}
ALLOCATION_ALIASES = {"payment_id": ("source_id", "payment"), "document_id": ("invoice_id", "invoice"), "amount": ("applied_amount",)}
CUSTOMER_ALIASES = {"customer_id": _tables.ALIASES["customer_id"], "name": ("customer_name", "company")}


class Findings:
    """What was wrong on the way: told on standard error as it is met, and counted for the exit code."""

    def __init__(self) -> None:
        self.count = 0

    def tell(self, sentence: str) -> None:
        self.count += 1
        click.echo(sentence, err=True)

    def finish(self) -> None:
        """Exit 1 where anything was found; a command calls it last."""
        if self.count:
            click.echo(f"done with {self.count} finding(s)", err=True)
            sys.exit(1)


def _read(
    path: str, make: Callable[[Row], T], findings: Findings, *, required: Sequence[str], known: Sequence[str], aliases: dict[str, tuple[str, ...]]
) -> Iterator[T]:
    for row in _tables.rows(path, required=required, known=known, aliases=aliases):
        try:
            record = make(row)
        except BadCell as fault:
            findings.tell(str(fault))
            continue
        yield record


def invoices(path: str, findings: Findings) -> Iterator[Invoice]:
    """The invoices of a contract table; `number` is the id where the table has no other."""
    known = ("number", "issue_date", "due_date", "open_amount", "discount_pct", "discount_until", "po_number", "recorded_at")
    return _read(path, _invoice, findings, required=("invoice_id", "customer_id", "currency", "amount"), known=known, aliases=INVOICE_ALIASES)


def _invoice(row: Row) -> Invoice:
    invoice_id, number = row.needed("invoice_id"), row.text("number")
    return Invoice(
        invoice_id=invoice_id,
        number=number or invoice_id,
        customer_id=sys.intern(row.needed("customer_id")),
        amount=_amount(row, "amount", "an invoice below zero is a credit note; give it in --credit-notes"),
        issue_date=row.day("issue_date"),
        due_date=row.day("due_date"),
        open_amount=_optional(row, "open_amount", "what was paid beyond the amount is a payment; give it in --payments"),
        discount_pct=_percent(row, "discount_pct"),
        discount_until=row.day("discount_until"),
        po_number=row.text("po_number"),
        recorded_at=row.moment("recorded_at"),
        line=row.line,
    )


def credit_notes(path: str, findings: Findings) -> Iterator[CreditNote]:
    """The credit notes of a contract table."""
    known = ("number", "date", "open_amount", "related_invoice", "recorded_at")
    return _read(path, _credit_note, findings, required=("credit_note_id", "customer_id", "currency", "amount"), known=known, aliases=CREDIT_ALIASES)


def _credit_note(row: Row) -> CreditNote:
    credit_note_id, number = row.needed("credit_note_id"), row.text("number")
    return CreditNote(
        credit_note_id=credit_note_id,
        number=number or credit_note_id,
        customer_id=sys.intern(row.needed("customer_id")),
        amount=_amount(row, "amount", "write a credit as a positive amount"),
        date=row.day("date"),
        open_amount=_optional(row, "open_amount", "write what is left of a credit as a positive amount"),
        related_invoice=row.text("related_invoice"),
        recorded_at=row.moment("recorded_at"),
        line=row.line,
    )


def payments(path: str, findings: Findings) -> Iterator[Payment]:
    """The payments of a contract table; a `customer_id` or `invoice_number` column is understood beside the contract's."""
    known = ("date", "payer_name", "payer_account", "reference", "remittance", "bank_ref", "recorded_at", "customer_id", "invoice_number")
    return _read(path, _payment, findings, required=("payment_id", "amount", "currency"), known=known, aliases=PAYMENT_ALIASES)


def _payment(row: Row) -> Payment:
    return Payment(
        payment_id=row.needed("payment_id"),
        amount=_amount(row, "amount", "money that went back is not a receipt; leave it out", least=None),
        date=row.day("date"),
        customer_id=row.text("customer_id"),
        payer_name=row.text("payer_name"),
        payer_account=row.text("payer_account"),
        reference=row.text("reference"),
        remittance=row.text("remittance"),
        bank_ref=row.text("bank_ref"),
        invoice_number=row.text("invoice_number"),
        recorded_at=row.moment("recorded_at"),
        line=row.line,
    )


def customers(path: str, findings: Findings) -> Iterator[Customer]:
    """The customers of a contract table; aliases and accounts are lists parted by `|` or `;`."""
    known = ("aliases", "country", "city", "currency", "email", "phone", "parent_id", "accounts", "debtor_type", "time_zone", "language", "tier")
    return _read(path, _customer, findings, required=("customer_id", "name"), known=known, aliases=CUSTOMER_ALIASES)


def _customer(row: Row) -> Customer:
    return Customer(
        customer_id=row.needed("customer_id"),
        name=row.needed("name"),
        aliases=_list(row.text("aliases")),
        accounts=_list(row.text("accounts")),
        parent_id=row.text("parent_id"),
        line=row.line,
    )


def _list(text: str | None) -> tuple[str, ...]:
    return tuple(part for part in (p.strip() for p in (text or "").replace(";", "|").split("|")) if part)


def allocations(path: str, findings: Findings, currency_of: Callable[[str], str | None]) -> Iterator[Allocation]:
    """The allocations of a contract table; `currency_of` a document gives the amount its currency."""

    def make(row: Row) -> Allocation:
        document_id = row.needed("document_id")
        currency = currency_of(document_id)
        if currency is None:
            raise row.fault("document_id", f"document {document_id} is in none of the other files, so this allocation is left out")
        amount = row.money("amount", currency)
        if amount is None:
            raise row.fault("amount", "is empty; every row needs it")
        return Allocation(
            payment_id=row.needed("payment_id"),
            document_id=document_id,
            amount=amount,
            date=row.day("date"),
            recorded_at=row.moment("recorded_at"),
            line=row.line,
        )

    known = ("date", "recorded_at")
    return _read(path, make, findings, required=("payment_id", "document_id", "amount"), known=known, aliases=ALLOCATION_ALIASES)


def _amount(row: Row, column: str, below: str, *, least: int | None = 0) -> Money:
    row.needed(column)
    currency = row.needed("currency")
    if not is_currency(currency):
        raise row.fault("currency", f"{currency!r} is not an ISO 4217 currency; write a code such as EUR")
    amount = row.money(column, currency)
    assert amount is not None
    if least is not None and amount.minor < least:
        raise row.fault(column, f"{amount.text()} is below zero; {below}")
    return Money(amount.minor, sys.intern(amount.currency))


def _optional(row: Row, column: str, below: str) -> Money | None:
    return _amount(row, column, below) if row.text(column) else None


def _percent(row: Row, column: str) -> str | None:
    """A percentage as a plain decimal text (`2`, `2.5`, `2 %`), None where empty."""
    text = (row.text(column) or "").rstrip("% ")
    if not text:
        return None
    try:
        share = Decimal(text)
    except InvalidOperation:
        share = Decimal("NaN")
    if not (share.is_finite() and 0 <= share <= 100):
        raise row.fault(column, f"{row.text(column)!r} is no percentage; write a number from 0 to 100")
    return text
