"""Money that moves: payment intents, charges, refunds, disputes, payments made elsewhere, and the balance they add up to."""

from __future__ import annotations

from msgspec import Struct

from tieout.rehearsal.twins.stripe.shapes.common import ABSENT, Address, Maybe, Metadata


class Failure(Struct, kw_only=True, gc=False):
    """Why a payment was declined."""

    code: str
    decline_code: str
    message: str
    type: str = "card_error"


class PaymentIntent(Struct, kw_only=True, gc=False):
    id: str
    object: str = "payment_intent"
    allowed_payment_method_types: None = None
    amount: int
    amount_capturable: int = 0
    amount_received: int = 0
    application: None = None
    application_fee_amount: None = None
    automatic_payment_methods: None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    capture_method: str = "automatic"
    client_secret: str
    confirmation_method: str = "automatic"
    created: int
    currency: str
    customer: str | None = None
    customer_account: None = None
    description: str | None = None
    excluded_payment_method_types: None = None
    last_payment_error: Failure | None = None
    latest_charge: str | None = None
    livemode: bool = False
    metadata: Metadata = {}
    next_action: None = None
    on_behalf_of: None = None
    payment_method: str | None = None
    payment_method_configuration_details: None = None
    payment_method_options: None = None
    payment_method_types: list[str]
    processing: None = None
    receipt_email: str | None = None
    review: None = None
    setup_future_usage: str | None = None
    shipping: None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: None = None
    status: str = "requires_payment_method"
    transfer_data: None = None
    transfer_group: None = None


class Billing(Struct, kw_only=True, gc=False):
    """Name and address as given for a payment."""

    address: Address | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    tax_id: str | None = None


class Card(Struct, kw_only=True, frozen=True, gc=False):
    brand: str = "visa"
    country: str = "DE"
    exp_month: int = 8
    exp_year: int = 2031
    fingerprint: str = "Xt5EWLLDS7FJjR1c"
    funding: str = "credit"
    last4: str = "4242"
    network: str = "visa"


class MethodDetails(Struct, kw_only=True, frozen=True, gc=False):
    card: Card = Card()
    type: str = "card"


class Outcome(Struct, kw_only=True, frozen=True, gc=False):
    network_status: str = "approved_by_network"
    reason: str | None = None
    risk_level: str = "normal"
    seller_message: str = "Payment complete."
    type: str = "authorized"


class Charge(Struct, kw_only=True, gc=False):
    id: str
    object: str = "charge"
    amount: int
    amount_captured: int
    amount_refunded: int = 0
    application: None = None
    application_fee: None = None
    application_fee_amount: None = None
    balance_transaction: str | None = None
    billing_details: Billing
    calculated_statement_descriptor: str | None = None
    captured: bool = True
    created: int
    currency: str
    customer: str | None
    description: str | None = None
    disputed: bool = False
    failure_balance_transaction: None = None
    failure_code: str | None = None
    failure_message: str | None = None
    fraud_details: Metadata | None = {}
    livemode: bool = False
    metadata: Metadata = {}
    on_behalf_of: None = None
    outcome: Outcome | None = Outcome()
    paid: bool = True
    payment_intent: str | None
    payment_method: str | None
    payment_method_details: MethodDetails = MethodDetails()
    receipt_email: str | None = None
    receipt_number: None = None
    receipt_url: None = None
    refunded: bool = False
    review: None = None
    shipping: None = None
    source_transfer: None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: None = None
    status: str = "succeeded"
    transfer_data: None = None
    transfer_group: None = None


class ReferenceOf(Struct, kw_only=True, frozen=True, gc=False):
    reference_status: str = "pending"
    reference_type: str = "acquirer_reference_number"
    type: str = "refund"


class Destination(Struct, kw_only=True, frozen=True, gc=False):
    card: ReferenceOf = ReferenceOf()
    type: str = "card"


class Refund(Struct, kw_only=True, gc=False):
    id: str
    object: str = "refund"
    amount: int
    balance_transaction: str | None = None
    charge: str | None
    created: int
    currency: str
    customer: str | None = None
    customer_account: None = None
    destination_details: Destination = Destination()
    failure_balance_transaction: Maybe = ABSENT
    failure_reason: Maybe = ABSENT
    metadata: Metadata | None = {}
    payment_intent: str | None
    payment_method: str | None = None
    reason: str | None = None
    receipt_number: None = None
    source_transfer_reversal: None = None
    status: str | None = "succeeded"
    transfer_reversal: None = None


class Sum(Struct, kw_only=True, frozen=True, gc=False):
    """An amount with its currency."""

    currency: str
    value: int


class CustomerOf(Struct, kw_only=True, gc=False):
    customer: str | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None


class Processor(Struct, kw_only=True, gc=False):
    """Who moved the money, and under which reference."""

    custom: dict[str, str | None]
    type: str = "custom"


class CustomMethod(Struct, kw_only=True, gc=False):
    display_name: str
    type: str | None = None


class RecordedMethod(Struct, kw_only=True, gc=False):
    billing_details: Billing | None = None
    custom: CustomMethod
    payment_method: str | None = None
    type: str = "custom"


class PaymentRecord(Struct, kw_only=True, gc=False):
    """A payment that went past Stripe, as it was reported to it."""

    id: str
    object: str = "payment_record"
    amount: Sum
    amount_authorized: Sum
    amount_canceled: Sum
    amount_failed: Sum
    amount_guaranteed: Sum
    amount_refunded: Sum
    amount_requested: Sum
    application: None = None
    created: int
    customer_details: CustomerOf | None = None
    customer_presence: str | None = None
    description: str | None = None
    latest_payment_attempt_record: str | None = None
    livemode: bool = False
    metadata: Metadata = {}
    payment_method_details: RecordedMethod | None = None
    processor_details: Processor
    reported_by: str = "self"
    shipping_details: None = None
