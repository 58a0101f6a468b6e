"""What we read of QuickBooks' objects, version 3 with minor version 75. Fields we do not need are left out; those we need are typed,
so that a drifted one is seen and never guessed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

import msgspec

#: Every kind of line that Intuit's schema knows on a sales form.
LineKind = Literal[
    "SalesItemLineDetail", "GroupLineDetail", "DescriptionOnly", "DiscountLineDetail", "SubTotalLineDetail", "TaxLineDetail", "TDSLineDetail",
    "ReimburseLineDetail", "PaymentLineDetail",
]  # fmt: skip


class Shape(msgspec.Struct, rename="pascal"):
    """QuickBooks writes its names in capitals: `TotalAmt`."""


class Meta(Shape):
    create_time: str = ""
    last_updated_time: str = ""


class Ref(msgspec.Struct):
    """What something points at; `name` is only for people."""

    value: str
    name: str | None = None


class Head(Shape):
    """As much of any object as is needed to go on from it. `status` is written by change data capture alone."""

    id: str
    sync_token: str | None = None
    meta_data: Meta | None = None
    status: str | None = msgspec.field(name="status", default=None)
    total_amt: Any = None
    private_note: Any = None
    notes: Any = None
    line: Any = None


class Address(Shape):
    city: str | None = None
    country: str | None = None


class Phone(Shape):
    free_form_number: str | None = None


class Email(Shape):
    address: str | None = None


class Customer(Shape):
    id: str
    display_name: str
    company_name: str | None = None
    print_on_check_name: str | None = None
    active: bool = True
    parent_ref: Ref | None = None
    primary_email_addr: Email | None = None
    primary_phone: Phone | None = None
    mobile: Phone | None = None
    bill_addr: Address | None = None
    currency_ref: Ref | None = None


class Linked(Shape):
    txn_id: str
    txn_type: str


class ItemDetail(Shape):
    item_ref: Ref | None = None
    qty: Decimal | None = None


class GroupDetail(Shape):
    group_item_ref: Ref | None = None
    quantity: Decimal | None = None
    line: list[Line] | None = None


class Line(Shape):
    """One line of a sales form."""

    detail_type: LineKind
    amount: Decimal | None = None
    description: str | None = None
    sales_item_line_detail: ItemDetail | None = None
    group_line_detail: GroupDetail | None = None


class Form(Shape):
    """What invoices, credit memos and refund receipts have in common."""

    id: str
    txn_date: dt.date
    total_amt: Decimal
    customer_ref: Ref | None = None
    currency_ref: Ref | None = None
    doc_number: str | None = None
    private_note: str | None = None
    line: list[Line] | None = None


class Invoice(Form, kw_only=True):
    balance: Decimal
    due_date: dt.date | None = None
    bill_email: Email | None = None
    po_number: str | None = msgspec.field(name="PONumber", default=None)
    email_status: str | None = None


class CreditMemo(Form, kw_only=True):
    remaining_credit: Decimal | None = None
    balance: Decimal | None = None
    invoice_ref: Ref | None = None


class RefundReceipt(Form, kw_only=True):
    payment_ref_num: str | None = None


class Share(Shape):
    """One line of a payment: what it takes, or what a credit gives."""

    amount: Decimal
    linked_txn: list[Linked] = []


class Payment(Shape):
    id: str
    txn_date: dt.date
    total_amt: Decimal
    unapplied_amt: Decimal | None = None
    customer_ref: Ref | None = None
    currency_ref: Ref | None = None
    payment_ref_num: str | None = None
    private_note: str | None = None
    line: list[Share] | None = None


class DepositDetail(Shape):
    account_ref: Ref | None = None


class DepositLine(Shape):
    """Money a deposit takes to the bank: of something that waited for it, or of an account."""

    amount: Decimal
    description: str | None = None
    linked_txn: list[Linked] | None = None
    deposit_line_detail: DepositDetail | None = None


class CashBack(Shape):
    amount: Decimal = Decimal(0)


class Deposit(Shape):
    id: str
    txn_date: dt.date
    total_amt: Decimal
    currency_ref: Ref | None = None
    private_note: str | None = None
    line: list[DepositLine] | None = None
    cash_back: CashBack | None = None


class Company(Shape):
    company_name: str = ""
    legal_name: str | None = None
    country: str | None = None


class CurrencyPrefs(Shape):
    home_currency: Ref | None = None


class Preferences(Shape):
    currency_prefs: CurrencyPrefs | None = None
