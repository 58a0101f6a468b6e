"""What is owed: invoices, and what was paid towards them."""

from __future__ import annotations

from msgspec import Struct

from tieout.rehearsal.twins.stripe.shapes.common import ABSENT, Address, Field, Kinded, Listing, Maybe, Metadata, Shipping
from tieout.rehearsal.twins.stripe.shapes.lines import Tax, TaxRate


class AutomaticTax(Struct, kw_only=True, frozen=True, gc=False):
    disabled_reason: None = None
    enabled: bool = False
    liability: None = None
    provider: None = None
    status: None = None


class PaymentSettings(Struct, kw_only=True, frozen=True, gc=False):
    default_mandate: None = None
    payment_method_options: None = None
    payment_method_types: list[str] | None = None


class Transitions(Struct, kw_only=True, gc=False):
    finalized_at: int | None = None
    marked_uncollectible_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None


class TaxNumber(Struct, kw_only=True, gc=False):
    type: str
    value: str | None


#: Never changed, so every invoice may point at the same ones.
_SELF, _NO_TAX, _SETTINGS = Kinded(type="self"), AutomaticTax(), PaymentSettings()


class Invoice(Struct, kw_only=True, gc=False):
    """`amount_due` is the total less credit notes before payment and the customer balance used; `amount_remaining` what is left of it."""

    id: str
    object: str = "invoice"
    account_country: str
    account_name: str
    account_tax_ids: None = None
    amount_due: int = 0
    amount_overpaid: int = 0
    amount_paid: int = 0
    amount_paid_off_stripe: int = 0
    amount_remaining: int = 0
    amount_shipping: int = 0
    application: None = None
    attempt_count: int = 0
    attempted: bool = False
    auto_advance: bool = False
    automatic_tax: AutomaticTax = _NO_TAX
    automatically_finalizes_at: int | None = None
    billing_reason: str = "manual"
    collection_method: str
    confirmation_secret: None = None
    created: int
    currency: str
    custom_fields: list[Field] | None = None
    customer: str
    customer_account: None = None
    customer_address: Address | None = None
    customer_email: str | None = None
    customer_name: str | None = None
    customer_phone: str | None = None
    customer_shipping: Shipping | None = None
    customer_tax_exempt: str | None = "none"
    customer_tax_ids: list[TaxNumber] = []
    default_payment_method: str | None = None
    default_source: None = None
    default_tax_rates: list[TaxRate] = []
    description: str | None = None
    discounts: list[str] = []
    due_date: int | None = None
    effective_at: int | None = None
    ending_balance: int | None = None
    footer: str | None = None
    from_invoice: None = None
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None
    issuer: Kinded = _SELF
    last_finalization_error: None = None
    latest_revision: None = None
    lines: Listing
    livemode: bool = False
    metadata: Metadata | None = {}
    next_payment_attempt: int | None = None
    number: str | None = None
    on_behalf_of: None = None
    parent: None = None
    payment_settings: PaymentSettings = _SETTINGS
    period_end: int
    period_start: int
    post_payment_credit_notes_amount: int = 0
    pre_payment_credit_notes_amount: int = 0
    receipt_number: None = None
    rendering: None = None
    shipping_cost: None = None
    shipping_details: Shipping | None = None
    starting_balance: int = 0
    statement_descriptor: str | None = None
    status: str = "draft"
    status_transitions: Transitions
    subtotal: int = 0
    subtotal_excluding_tax: int | None = 0
    test_clock: None = None
    total: int = 0
    total_discount_amounts: list[None] = []
    total_excluding_tax: int | None = 0
    total_pretax_credit_amounts: list[None] = []
    total_taxes: list[Tax] = []
    webhooks_delivered_at: int | None = None


class PaidWith(Struct, kw_only=True, gc=False):
    """What an invoice was paid with; only the one that `type` names is there."""

    type: str
    charge: Maybe = ABSENT
    payment_intent: Maybe = ABSENT
    payment_record: Maybe = ABSENT

    def id(self) -> str:
        return str(getattr(self, self.type))


class PaymentTransitions(Struct, kw_only=True, gc=False):
    canceled_at: int | None = None
    paid_at: int | None = None


class InvoicePayment(Struct, kw_only=True, gc=False):
    """A payment towards an invoice. The default one waits for what remains, and follows it."""

    id: str
    object: str = "invoice_payment"
    amount_paid: int | None = None
    amount_requested: int
    created: int
    currency: str
    invoice: str
    is_default: bool
    livemode: bool = False
    payment: PaidWith
    status: str = "open"
    status_transitions: PaymentTransitions
