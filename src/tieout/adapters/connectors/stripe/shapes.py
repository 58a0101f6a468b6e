"""What we read of Stripe's objects, API version 2026-08-26.dahlia. Fields we do not need are left out; those we need are typed, so
that a drifted one is seen and never guessed."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Address(msgspec.Struct):
    city: str | None = None
    country: str | None = None


class TaxId(msgspec.Struct):
    value: str | None = None


class TaxIds(msgspec.Struct):
    data: list[TaxId] = []


class Customer(msgspec.Struct):
    id: str
    created: int = 0
    deleted: bool = False
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    currency: str | None = None
    preferred_locales: list[str] | None = None
    tax_ids: TaxIds | None = None
    metadata: dict[str, str] = {}


class RateOf(msgspec.Struct):
    tax_rate: str


class Tax(msgspec.Struct):
    amount: int
    tax_behavior: Literal["exclusive", "inclusive"]
    tax_rate_details: RateOf | None = None


class Discount(msgspec.Struct):
    amount: int


class PriceOf(msgspec.Struct):
    product: str | None = None


class Pricing(msgspec.Struct):
    price_details: PriceOf | None = None


class Line(msgspec.Struct):
    amount: int
    description: str | None = None
    quantity: int | None = None
    taxes: list[Tax] | None = None
    discount_amounts: list[Discount] | None = None
    pricing: Pricing | None = None


class Lines(msgspec.Struct):
    data: list[Line]
    has_more: bool = False


class Transitions(msgspec.Struct):
    finalized_at: int | None = None


class Invoice(msgspec.Struct):
    id: str
    status: Literal["draft", "open", "paid", "void", "uncollectible"] | None
    currency: str
    created: int
    total: int
    amount_remaining: int
    customer: str | None
    lines: Lines
    number: str | None = None
    due_date: int | None = None
    effective_at: int | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    collection_method: Literal["charge_automatically", "send_invoice"] = "charge_automatically"
    starting_balance: int = 0
    metadata: dict[str, str] | None = None
    status_transitions: Transitions | None = None
    post_payment_credit_notes_amount: int = 0
    pre_payment_credit_notes_amount: int = 0


class CreditRefund(msgspec.Struct):
    amount_refunded: int


class CreditNote(msgspec.Struct):
    id: str
    number: str
    status: Literal["issued", "void"]
    currency: str
    created: int
    total: int
    customer: str
    invoice: str
    effective_at: int | None = None
    pre_payment_amount: int = 0
    post_payment_amount: int = 0
    refunds: list[CreditRefund] = []
    memo: str | None = None
    metadata: dict[str, str] | None = None


class Intent(msgspec.Struct):
    id: str
    amount: int
    amount_received: int
    created: int
    currency: str
    status: Literal[
        "canceled", "processing", "requires_action", "requires_capture", "requires_confirmation", "requires_payment_method", "succeeded"
    ]
    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] | None = None


class Paid(msgspec.Struct):
    type: str
    payment_intent: str | None = None
    charge: str | None = None
    payment_record: str | None = None


class PaidAt(msgspec.Struct):
    paid_at: int | None = None
    canceled_at: int | None = None


class InvoicePayment(msgspec.Struct):
    id: str
    invoice: str
    status: str
    currency: str
    created: int
    payment: Paid
    amount_paid: int | None = None
    amount_requested: int = 0
    status_transitions: PaidAt | None = None


class Refund(msgspec.Struct):
    id: str
    amount: int
    currency: str
    created: int
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"] | None
    payment_intent: str | None = None
    charge: str | None = None


class Kept(msgspec.Struct):
    """What a movement of the balance kept back, in the account's own currency."""

    fee: int
    currency: str


class Dispute(msgspec.Struct):
    id: str
    amount: int
    currency: str
    created: int
    reason: str
    status: Literal[
        "warning_needs_response", "warning_under_review", "warning_closed", "needs_response", "under_review", "won", "lost", "prevented"
    ]
    payment_intent: str | None = None
    charge: str | None = None
    evidence_details: dict[str, Any] | None = None
    balance_transactions: list[Kept] = []


class Payout(msgspec.Struct):
    id: str
    amount: int
    currency: str
    arrival_date: int
    status: Literal["paid", "pending", "in_transit", "canceled", "failed"]
    statement_descriptor: str | None = None
    original_payout: str | None = None
    reversed_by: str | None = None


class Source(msgspec.Struct):
    """What moved the balance: a charge says which payment it belongs to."""

    id: str
    object: str
    payment_intent: str | None = None


class Transaction(msgspec.Struct):
    """A movement of the balance. `source` is what moved it, whole where it was asked for."""

    id: str
    amount: int
    fee: int
    currency: str
    type: str
    source: str | Source | None = None


class PayoutWhole(msgspec.Struct):
    """A payout with the movements it pays out: two answers of Stripe's, put together by the client."""

    payout: Payout
    transactions: list[Transaction]
