"""The account's own money: what each movement left in the balance, disputes that take from it, payouts that empty it."""

from __future__ import annotations

from msgspec import Struct

from tieout.rehearsal.twins.stripe.shapes.common import ABSENT, Maybe, Metadata


class Fee(Struct, kw_only=True, gc=False):
    amount: int
    application: None = None
    currency: str
    description: str | None
    type: str = "stripe_fee"


class BalanceTransaction(Struct, kw_only=True, gc=False):
    """In the currency the account settles in, which need not be the one that was paid."""

    id: str
    object: str = "balance_transaction"
    amount: int
    available_on: int
    balance_type: str = "payments"
    created: int
    currency: str
    description: str | None = None
    exchange_rate: float | None = None
    fee: int = 0
    fee_details: list[Fee] = []
    net: int
    reporting_category: str
    source: str | None
    status: str = "pending"
    type: str


class Evidence(Struct, kw_only=True, gc=False):
    """What is said against a dispute; what nobody said is null."""

    access_activity_log: str | None = None
    billing_address: str | None = None
    cancellation_policy: str | None = None
    cancellation_policy_disclosure: str | None = None
    cancellation_rebuttal: str | None = None
    customer_communication: str | None = None
    customer_email_address: str | None = None
    customer_name: str | None = None
    customer_purchase_ip: str | None = None
    customer_signature: str | None = None
    duplicate_charge_documentation: str | None = None
    duplicate_charge_explanation: str | None = None
    duplicate_charge_id: str | None = None
    enhanced_evidence: dict[str, str] = {}
    product_description: str | None = None
    receipt: str | None = None
    refund_policy: str | None = None
    refund_policy_disclosure: str | None = None
    refund_refusal_explanation: str | None = None
    service_date: str | None = None
    service_documentation: str | None = None
    shipping_address: str | None = None
    shipping_carrier: str | None = None
    shipping_date: str | None = None
    shipping_documentation: str | None = None
    shipping_tracking_number: str | None = None
    uncategorized_file: str | None = None
    uncategorized_text: str | None = None


class EvidenceDetails(Struct, kw_only=True, gc=False):
    due_by: int | None
    enhanced_eligibility: dict[str, str] = {}
    has_evidence: bool = False
    past_due: bool = False
    submission_count: int = 0


class DisputedCard(Struct, kw_only=True, frozen=True, gc=False):
    brand: str = "visa"
    case_type: str = "chargeback"
    network: str = "visa"
    network_reason_code: str = "13.1"


class DisputedMethod(Struct, kw_only=True, frozen=True, gc=False):
    card: DisputedCard = DisputedCard()
    type: str = "card"


class Dispute(Struct, kw_only=True, gc=False):
    id: str
    object: str = "dispute"
    amount: int
    balance_transactions: list[BalanceTransaction] = []
    charge: str
    created: int
    currency: str
    enhanced_eligibility_types: list[str] = []
    evidence: Evidence
    evidence_details: EvidenceDetails
    is_charge_refundable: bool
    livemode: bool = False
    metadata: Metadata = {}
    payment_intent: str | None
    payment_method_details: DisputedMethod = DisputedMethod()
    reason: str
    status: str


class Trace(Struct, kw_only=True, gc=False):
    status: str = "pending"
    value: str | None = None


class Payout(Struct, kw_only=True, gc=False):
    id: str
    object: str = "payout"
    amount: int
    application_fee: None = None
    application_fee_amount: None = None
    arrival_date: int
    automatic: bool = True
    balance_transaction: str | None = None
    created: int
    currency: str
    description: str | None = "STRIPE PAYOUT"
    destination: str | None
    failure_balance_transaction: str | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    livemode: bool = False
    metadata: Metadata | None = {}
    method: str = "standard"
    original_payout: str | None = None
    payout_method: None = None
    reconciliation_status: str = "in_progress"
    reversed_by: str | None = None
    source_type: str = "card"
    statement_descriptor: str | None = None
    status: str = "in_transit"
    trace_id: Trace | None = None
    type: str = "bank_account"


class Endpoint(Struct, kw_only=True, gc=False):
    """A door of somebody else's that wants our events. Its `secret` is told once, when it is made."""

    id: str
    object: str = "webhook_endpoint"
    api_version: str | None = None
    application: None = None
    created: int
    description: str | None = None
    enabled_events: list[str]
    livemode: bool = False
    metadata: Metadata = {}
    secret: Maybe = ABSENT
    status: str = "enabled"
    url: str
