"""What invoices are made of: lines with their tax and price, and the items they come from."""

from __future__ import annotations

from msgspec import Struct

from tieout.rehearsal.twins.stripe.shapes.common import Metadata


class TaxRate(Struct, kw_only=True, gc=False):
    id: str
    object: str = "tax_rate"
    active: bool = True
    country: str | None = None
    created: int
    description: str | None = None
    display_name: str
    effective_percentage: float | None = None
    flat_amount: None = None
    inclusive: bool
    jurisdiction: str | None = None
    jurisdiction_level: str | None = None
    livemode: bool = False
    metadata: Metadata | None = {}
    percentage: float
    rate_type: str = "percentage"
    state: str | None = None
    tax_type: str | None = None


class RateOf(Struct, kw_only=True, gc=False):
    tax_rate: str


class Tax(Struct, kw_only=True, gc=False):
    """Tax on a line, or summed over an invoice or a credit note."""

    amount: int
    tax_behavior: str
    tax_rate_details: RateOf
    taxability_reason: str = "standard_rated"
    taxable_amount: int | None
    type: str = "tax_rate_details"


class Period(Struct, kw_only=True, gc=False):
    end: int
    start: int


class Prorated(Struct, kw_only=True, frozen=True, gc=False):
    credited_items: None = None


class ItemOf(Struct, kw_only=True, gc=False):
    invoice_item: str
    proration: bool = False
    proration_details: Prorated = Prorated()
    subscription: None = None


class LineParent(Struct, kw_only=True, gc=False):
    invoice_item_details: ItemOf
    subscription_item_details: None = None
    type: str = "invoice_item_details"


class PriceOf(Struct, kw_only=True, gc=False):
    price: str
    product: str


class Pricing(Struct, kw_only=True, gc=False):
    price_details: PriceOf
    type: str = "price_details"
    unit_amount_decimal: str | None


class Line(Struct, kw_only=True, gc=False):
    id: str
    object: str = "line_item"
    amount: int
    currency: str
    description: str | None = None
    discount_amounts: list[None] = []
    discountable: bool = True
    discounts: list[str] = []
    invoice: str
    livemode: bool = False
    metadata: Metadata = {}
    parent: LineParent
    period: Period
    pretax_credit_amounts: list[None] = []
    pricing: Pricing
    quantity: int | None = 1
    quantity_decimal: str | None = "1"
    subtotal: int
    taxes: list[Tax] = []


class InvoiceItem(Struct, kw_only=True, gc=False):
    """A line in waiting: pending on the customer, or on a draft invoice."""

    id: str
    object: str = "invoiceitem"
    amount: int
    currency: str
    customer: str
    customer_account: None = None
    date: int
    description: str | None = None
    discountable: bool = True
    discounts: list[str] = []
    invoice: str | None = None
    livemode: bool = False
    metadata: Metadata | None = {}
    net_amount: int
    parent: None = None
    period: Period
    pricing: Pricing
    proration: bool = False
    quantity: int = 1
    quantity_decimal: str = "1"
    tax_rates: list[TaxRate] | None = []
    test_clock: None = None
