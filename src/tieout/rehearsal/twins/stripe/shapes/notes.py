"""Credit notes: what takes back part of an invoice, before or after it was paid."""

from __future__ import annotations

from msgspec import Struct

from tieout.rehearsal.twins.stripe.shapes.common import ABSENT, Listing, Maybe, Metadata
from tieout.rehearsal.twins.stripe.shapes.lines import Tax, TaxRate


class NoteLine(Struct, kw_only=True, gc=False):
    id: str
    object: str = "credit_note_line_item"
    amount: int
    description: str | None = None
    discount_amount: int = 0
    discount_amounts: list[None] = []
    invoice_line_item: Maybe = ABSENT
    livemode: bool = False
    metadata: Metadata | None = {}
    pretax_credit_amounts: list[None] = []
    quantity: int | None = None
    tax_rates: list[TaxRate] = []
    taxes: list[Tax] | None = []
    type: str
    unit_amount: int | None = None
    unit_amount_decimal: str | None = None


class NoteRefund(Struct, kw_only=True, gc=False):
    amount_refunded: int
    payment_record_refund: None = None
    refund: str
    type: str = "refund"


class CreditNote(Struct, kw_only=True, gc=False):
    """`pre_payment_amount` lowered what was open; `post_payment_amount` went back as refund, balance, or outside Stripe."""

    id: str
    object: str = "credit_note"
    amount: int
    amount_shipping: int = 0
    created: int
    currency: str
    customer: str
    customer_account: None = None
    customer_balance_transaction: str | None = None
    discount_amount: int = 0
    discount_amounts: list[None] = []
    effective_at: int | None
    invoice: str
    lines: Listing
    livemode: bool = False
    memo: str | None = None
    metadata: Metadata | None = {}
    number: str
    out_of_band_amount: int | None = None
    pdf: str
    post_payment_amount: int
    pre_payment_amount: int
    pretax_credit_amounts: list[None] = []
    reason: str | None = None
    refunds: list[NoteRefund] = []
    shipping_cost: None = None
    status: str = "issued"
    subtotal: int
    subtotal_excluding_tax: int | None
    total: int
    total_excluding_tax: int | None
    total_taxes: list[Tax] | None = []
    type: str
    voided_at: int | None = None
