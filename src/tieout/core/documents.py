"""Canonical documents: what every reader produces and every later step understands.

Dates are business dates (never instants). Amounts are Money in the document's own currency and positive;
the kind of a document carries its sign. What a source did not say is None, never a guess. `*_id` fields hold
the identifiers the *source* uses; our own keys come into being in the ledger.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import msgspec

from tieout.core.money import Money

DocumentStatus = Literal["draft", "pending_approval", "open", "void", "deleted", "unknown"]
PaymentStatus = Literal["pending", "processing", "succeeded", "settled", "failed", "cancelled", "reversed"]
Settlement = Literal["unpaid", "partially_paid", "paid", "overpaid"]
RefundStatus = Literal["pending", "succeeded", "failed", "cancelled"]
DisputeStatus = Literal["inquiry", "needs_response", "under_review", "won", "lost", "closed"]
PayoutStatus = Literal["pending", "paid", "failed", "cancelled", "reversed"]
DebtorType = Literal["business", "consumer"]


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """Common to all: which reader made it, and from which line of the file (1 is the first line)."""

    source_format: str = ""
    line: int | None = None


class Customer(Record, tag="customer", frozen=True, kw_only=True, omit_defaults=True):
    """A debtor. `debtor_type` None counts as consumer wherever contact is decided."""

    customer_id: str
    name: str
    aliases: tuple[str, ...] = ()
    country: str | None = None
    city: str | None = None
    currency: str | None = None
    email: str | None = None
    phone: str | None = None
    parent_id: str | None = None
    accounts: tuple[str, ...] = ()
    debtor_type: DebtorType | None = None
    time_zone: str | None = None
    language: str | None = None
    tier: str | None = None
    tax_id: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an invoice or credit note, net of tax and discount where the source says those apart. `item` and `tax_code` are
    the source's own keys for what was sold and for its tax."""

    description: str
    amount: Money
    quantity: str | None = None
    item: str | None = None
    tax_code: str | None = None


class DueDate(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment: its date and its part of the amount."""

    due_date: dt.date
    amount: Money


class Invoice(Record, tag="invoice", frozen=True, kw_only=True, omit_defaults=True):
    """A claim. `open_amount` is what the source says is still open; None where it does not say."""

    invoice_id: str
    number: str
    customer_id: str
    amount: Money
    customer_name: str | None = None
    customer_email: str | None = None
    issue_date: dt.date | None = None
    due_date: dt.date | None = None
    due_date_source: Literal["stated", "from_terms", "missing"] = "stated"
    open_amount: Money | None = None
    discount_pct: str | None = None
    discount_until: dt.date | None = None
    po_number: str | None = None
    status: DocumentStatus = "open"
    source_status: str | None = None
    lines: tuple[Line, ...] = ()
    due_dates: tuple[DueDate, ...] = ()
    recorded_at: dt.datetime | None = None

    @property
    def currency(self) -> str:
        return self.amount.currency


#: A credit note that is nothing but the paper of a refund.
GIVEN_BACK = "given_back"


class CreditNote(Record, tag="credit_note", frozen=True, kw_only=True, omit_defaults=True):
    """A credit: a positive amount that lowers what is owed once it is applied. One whose whole amount went back as money has the
    `source_status` GIVEN_BACK: where the refund is told, the note is told with it."""

    credit_note_id: str
    number: str
    customer_id: str
    amount: Money
    customer_name: str | None = None
    date: dt.date | None = None
    open_amount: Money | None = None
    related_invoice: str | None = None
    status: DocumentStatus = "open"
    source_status: str | None = None
    recorded_at: dt.datetime | None = None

    @property
    def currency(self) -> str:
        return self.amount.currency


class Payment(Record, tag="payment", frozen=True, kw_only=True, omit_defaults=True):
    """Money received. `invoice_number` is set where the source itself says which document was paid."""

    payment_id: str
    amount: Money
    date: dt.date | None = None
    customer_id: str | None = None
    customer_name: str | None = None
    payer_name: str | None = None
    payer_account: str | None = None
    reference: str | None = None
    remittance: str | None = None
    bank_ref: str | None = None
    invoice_number: str | None = None
    status: PaymentStatus = "succeeded"
    source_status: str | None = None
    recorded_at: dt.datetime | None = None

    @property
    def currency(self) -> str:
        return self.amount.currency


class Refund(Record, tag="refund", frozen=True, kw_only=True, omit_defaults=True):
    """Money given back: for a payment, or for a credit note."""

    refund_id: str
    amount: Money
    payment_id: str | None = None
    credit_note_id: str | None = None
    customer_id: str | None = None
    date: dt.date | None = None
    status: RefundStatus = "succeeded"
    source_status: str | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a payment or of a credit note (one of the two) that a source has applied to a document."""

    document_id: str
    amount: Money
    payment_id: str | None = None
    credit_note_id: str | None = None


class Application(Record, tag="application", frozen=True, kw_only=True, omit_defaults=True):
    """All that one record of a source applies, whole: what stood there before and is not in `entries` any more is taken back."""

    application_id: str
    entries: tuple[Applied, ...]
    date: dt.date | None = None


class Dispute(Record, tag="dispute", frozen=True, kw_only=True, omit_defaults=True):
    """A payer's bank takes a payment back, or asks about it. Lost, the money is gone. `fee` is what the gateway kept for it."""

    dispute_id: str
    payment_id: str
    amount: Money
    status: DisputeStatus
    reason: str | None = None
    date: dt.date | None = None
    respond_by: dt.date | None = None
    fee: Money | None = None
    source_status: str | None = None


class PayoutPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one payment, refund or fee put into a payout: gross, the fee kept back, both in the payout's currency (gross may be
    negative)."""

    what: Literal["payment", "refund", "dispute", "fee", "other"]
    gross: Money
    fee: Money
    id: str | None = None


class Payout(Record, tag="payout", frozen=True, kw_only=True, omit_defaults=True):
    """Money a gateway pays out to the bank: net of its fees, the sum of its parts. One that takes an earlier one back names it in
    `reverses`."""

    payout_id: str
    amount: Money
    fee: Money
    parts: tuple[PayoutPart, ...] = ()
    date: dt.date | None = None
    status: PayoutStatus = "pending"
    reference: str | None = None
    reverses: str | None = None
    source_status: str | None = None


class Deal(Record, tag="deal", frozen=True, kw_only=True, omit_defaults=True):
    """A sale in a CRM. A won one may ask the invoicing tool for a draft."""

    deal_id: str
    name: str
    stage: str
    won: bool
    customer_id: str | None = None
    amount: Money | None = None
    close_date: dt.date | None = None


class Allocation(Record, tag="allocation", frozen=True, kw_only=True, omit_defaults=True):
    """Part of a payment or a credit note applied to a document on a business date."""

    payment_id: str
    document_id: str
    amount: Money
    date: dt.date | None = None
    recorded_at: dt.datetime | None = None


AnyRecord = Customer | Invoice | CreditNote | Payment | Refund | Allocation | Application | Dispute | Payout | Deal


def plain(record: msgspec.Struct) -> dict[str, Any]:
    """A record as `tieout read` writes it: `kind`, fields, ISO dates, amounts as decimal strings, `currency` beside."""
    body: dict[str, Any] = msgspec.to_builtins(record)
    amount = getattr(record, "amount", None)
    for key, value in list(body.items()):
        if isinstance(value, dict) and set(value) == {"minor", "currency"}:
            body[key] = Money(value["minor"], value["currency"]).text()
    for part in (*body.get("lines", ()), *body.get("due_dates", ()), *body.get("entries", ()), *body.get("parts", ())):
        for key in ("amount", "gross", "fee"):
            if key in part:
                part[key] = Money(**part[key]).text()
    if isinstance(amount, Money):
        body["currency"] = amount.currency
    return body


def settlement(*, amount: int, open_minor: int, over_minor: int = 0) -> Settlement:
    """Settlement derived from minor units: what is open of `amount`, and what was received beyond it."""
    if over_minor > 0:
        return "overpaid"
    if open_minor <= 0:
        return "paid"
    return "unpaid" if open_minor >= amount else "partially_paid"
