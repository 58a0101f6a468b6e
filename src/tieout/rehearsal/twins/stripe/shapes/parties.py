"""Who owes: customers, their tax numbers and the balance Stripe keeps for them."""

from __future__ import annotations

from msgspec import Struct

from tieout.rehearsal.twins.stripe.shapes.common import ABSENT, Address, Field, Maybe, Metadata, Shipping


class InvoiceSettings(Struct, kw_only=True, gc=False):
    custom_fields: list[Field] | None = None
    default_payment_method: str | None = None
    footer: str | None = None
    rendering_options: None = None


class Customer(Struct, kw_only=True, gc=False):
    """`balance` below zero is credit that the next invoice consumes."""

    id: str
    object: str = "customer"
    address: Address | None = None
    balance: int = 0
    business_name: Maybe = ABSENT
    created: int
    currency: str | None = None
    customer_account: None = None
    default_source: None = None
    delinquent: bool = False
    description: str | None = None
    discount: None = None
    email: str | None = None
    individual_name: Maybe = ABSENT
    invoice_prefix: str
    invoice_settings: InvoiceSettings
    livemode: bool = False
    metadata: Metadata = {}
    name: str | None = None
    next_invoice_sequence: int = 1
    phone: str | None = None
    preferred_locales: list[str] = []
    shipping: Shipping | None = None
    tax_exempt: str = "none"
    test_clock: None = None


class Verification(Struct, kw_only=True, gc=False):
    status: str
    verified_address: str | None = None
    verified_name: str | None = None


class Owner(Struct, kw_only=True, gc=False):
    customer: str
    customer_account: None = None
    type: str = "customer"


class TaxId(Struct, kw_only=True, gc=False):
    id: str
    object: str = "tax_id"
    country: str | None
    created: int
    customer: str
    customer_account: None = None
    livemode: bool = False
    owner: Owner
    type: str
    value: str
    verification: Verification | None


class BalanceMove(Struct, kw_only=True, gc=False):
    """One change of a customer's balance."""

    id: str
    object: str = "customer_balance_transaction"
    amount: int
    checkout_session: None = None
    created: int
    credit_note: str | None = None
    currency: str
    customer: str
    customer_account: None = None
    description: str | None = None
    ending_balance: int
    invoice: str | None = None
    livemode: bool = False
    metadata: Metadata | None = {}
    type: str
