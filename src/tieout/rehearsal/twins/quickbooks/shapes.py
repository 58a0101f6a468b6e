"""Which properties each entity has and of what kind: what may be written, asked for and answered is read off these tables.

A kind is plain (text, number, whole, yes, date, moment), the name of a nested shape, either of them as `…_list`, or `any`:
accepted and left aside.
"""

from __future__ import annotations

import msgspec


def _props(**groups: str) -> dict[str, str]:
    return {name: kind for kind, names in groups.items() for name in names.split()}


#: The parts entities are made of.
NESTED: dict[str, dict[str, str]] = {
    "ref": _props(text="value name type"),
    "memo": _props(text="value id"),
    "meta": _props(moment="CreateTime LastUpdatedTime"),
    "address": _props(text="Id Line1 Line2 Line3 Line4 Line5 City Country CountryCode County CountrySubDivisionCode PostalCode Lat Long Tag Note"),
    "phone": _props(text="Id DeviceType CountryCode AreaCode ExchangeCode Extension FreeFormNumber Tag", yes="Default"),
    "email": _props(text="Id Address Tag", yes="Default"),
    "web": _props(text="Id URI Tag", yes="Default"),
    "custom": _props(text="DefinitionId Name Type StringValue", yes="BooleanValue", date="DateValue", number="NumberValue"),
    "delivery": _props(text="DeliveryType DeliveryErrorType", moment="DeliveryTime"),
    "linked": _props(text="TxnId TxnType TxnLineId"),
    "line": _props(
        text="Id Description DetailType",
        whole="LineNum",
        number="Amount",
        linked_list="LinkedTxn",
        sales_item="SalesItemLineDetail",
        discount="DiscountLineDetail",
        described="DescriptionLineDetail",
        subtotal="SubTotalLineDetail",
        deposited="DepositLineDetail",
        posted="JournalEntryLineDetail",
        custom_list="CustomField",
        any="LineEx",
    ),
    "sales_item": _props(
        ref="ItemRef ClassRef TaxCodeRef ItemAccountRef PriceLevelRef TaxClassificationRef",
        number="UnitPrice Qty RatePercent TaxInclusiveAmt DiscountRate DiscountAmt",
        date="ServiceDate",
        any="MarkupInfo",
    ),
    "discount": _props(ref="DiscountRef DiscountAccountRef ClassRef TaxCodeRef", yes="PercentBased", number="DiscountPercent", date="ServiceDate"),
    "described": _props(date="ServiceDate", ref="TaxCodeRef"),
    "subtotal": _props(ref="ItemRef", date="ServiceDate"),
    "deposited": _props(ref="Entity ClassRef AccountRef PaymentMethodRef TaxCodeRef", text="CheckNum TxnType TaxApplicableOn"),
    "posted": _props(
        text="PostingType TaxApplicableOn BillableStatus", party="Entity", ref="AccountRef ClassRef DepartmentRef TaxCodeRef", number="TaxAmount"
    ),
    "party": _props(text="Type", ref="EntityRef"),
    "tax": _props(ref="DefaultTaxCodeRef TxnTaxCodeRef", number="TotalTax", tax_line_list="TaxLine"),
    "tax_line": _props(text="Id Description DetailType", number="Amount", whole="LineNum", taxed="TaxLineDetail"),
    "taxed": _props(ref="TaxRateRef", yes="PercentBased", number="TaxPercent NetAmountTaxable TaxInclusiveAmount OverrideDeltaAmount"),
    "cash_back": _props(ref="AccountRef", number="Amount", text="Memo"),
}

_ALWAYS = _props(text="Id SyncToken domain status", yes="sparse", meta="MetaData", custom_list="CustomField", any="AttachableRef")
_TRANSACTION = _ALWAYS | _props(
    text="DocNumber PrivateNote TxnStatus TxnSource TransactionLocationType",
    date="TxnDate",
    ref="DepartmentRef CurrencyRef RecurDataRef ProjectRef",
    number="ExchangeRate",
    linked_list="LinkedTxn",
    line_list="Line",
    tax="TxnTaxDetail",
)
_SALE = _TRANSACTION | _props(
    ref="CustomerRef ClassRef SalesTermRef ShipMethodRef TemplateRef ARAccountRef PaymentMethodRef DepositToAccountRef TaxExemptionRef",
    memo="CustomerMemo",
    address="BillAddr ShipAddr ShipFromAddr",
    date="DueDate ShipDate",
    text="PONumber TrackingNum GlobalTaxCalculation PrintStatus EmailStatus PaymentRefNum",
    number="TotalAmt HomeTotalAmt Balance HomeBalance DiscountRate DiscountAmt",
    yes="AutoDocNumber FreeFormAddress ApplyTaxAfterDiscount",
    email="BillEmail BillEmailCc BillEmailBcc",
    delivery="DeliveryInfo",
)
_NAME = _ALWAYS | _props(
    text="Title GivenName MiddleName FamilyName Suffix FullyQualifiedName CompanyName DisplayName PrintOnCheckName AcctNum",
    yes="Active",
    phone="PrimaryPhone AlternatePhone Mobile Fax",
    email="PrimaryEmailAddr",
    web="WebAddr",
    address="BillAddr ShipAddr",
    number="Balance",
    ref="CurrencyRef",
)
_LIST = _ALWAYS | _props(text="Name Description", yes="Active")


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One entity: its properties, what may be done with it, and which properties nobody can set."""

    name: str
    properties: dict[str, str]
    may: frozenset[str]
    computed: frozenset[str] = frozenset()
    named_by: str = ""

    @property
    def is_transaction(self) -> bool:
        return "TxnDate" in self.properties


_OWN = "Id SyncToken domain status sparse MetaData AttachableRef"


def _shape(name: str, properties: dict[str, str], may: str, *, computed: str = "", named_by: str = "") -> Shape:
    out_of_reach = frozenset(f"{_OWN} {computed}".split())
    return Shape(name=name, properties=properties, may=frozenset(may.split()), computed=out_of_reach, named_by=named_by)


_SUMS = "TotalAmt HomeTotalAmt Balance HomeBalance LinkedTxn"
_ALL = [
    _shape(
        "Customer",
        _NAME
        | _props(
            text="Notes PreferredDeliveryMethod ResaleNum PrimaryTaxIdentifier SecondaryTaxIdentifier",
            yes="Taxable Job BillWithParent IsProject",
            whole="Level",
            ref="DefaultTaxCodeRef ParentRef CustomerTypeRef SalesTermRef PaymentMethodRef ARAccountRef",
            number="BalanceWithJobs CreditLimit",
            date="OpenBalanceDate",
        ),
        "create update",
        computed="Balance BalanceWithJobs FullyQualifiedName Level OpenBalanceDate",
        named_by="DisplayName",
    ),
    _shape("Vendor", _NAME | _props(yes="Vendor1099", ref="TermRef"), "create update", computed="Balance", named_by="DisplayName"),
    _shape(
        "Invoice",
        _SALE
        | _props(
            yes="AllowIPNPayment AllowOnlinePayment AllowOnlineCreditCardPayment AllowOnlineACHPayment",
            number="Deposit",
            text="InvoiceLink EInvoiceStatus",
        ),
        "create update void delete send",
        computed=_SUMS,
    ),
    _shape(
        "CreditMemo", _SALE | _props(number="RemainingCredit", ref="InvoiceRef"), "create update delete send", computed=f"{_SUMS} RemainingCredit"
    ),
    _shape("SalesReceipt", _SALE, "create update void delete send", computed=_SUMS),
    _shape("RefundReceipt", _SALE, "create update void delete send", computed=_SUMS),
    _shape(
        "Payment",
        _TRANSACTION
        | _props(
            ref="CustomerRef ARAccountRef DepositToAccountRef PaymentMethodRef",
            text="PaymentRefNum PaymentType",
            number="TotalAmt UnappliedAmt",
            yes="ProcessPayment",
            any="CreditCardPayment CheckPayment PaymentEx",
        ),
        "create update void delete",
        computed="UnappliedAmt LinkedTxn",
    ),
    _shape(
        "Deposit",
        _TRANSACTION | _props(ref="DepositToAccountRef", cash_back="CashBack", text="GlobalTaxCalculation", number="TotalAmt HomeTotalAmt"),
        "create update delete",
        computed="TotalAmt HomeTotalAmt LinkedTxn",
    ),
    _shape(
        "JournalEntry",
        _TRANSACTION | _props(yes="Adjustment HomeCurrencyAdjustment", text="GlobalTaxCalculation", number="TotalAmt HomeTotalAmt"),
        "create update delete",
        computed="TotalAmt HomeTotalAmt LinkedTxn",
    ),
    _shape(
        "Item",
        _LIST
        | _props(
            text="Sku FullyQualifiedName Type PurchaseDesc",
            yes="SubItem Taxable SalesTaxIncluded TrackQtyOnHand",
            number="UnitPrice PurchaseCost QtyOnHand",
            ref="ParentRef IncomeAccountRef ExpenseAccountRef AssetAccountRef SalesTaxCodeRef ClassRef",
            whole="Level",
        ),
        "create update",
        computed="FullyQualifiedName Level",
        named_by="Name",
    ),
    _shape(
        "Account",
        _LIST
        | _props(
            text="FullyQualifiedName Classification AccountType AccountSubType AcctNum",
            yes="SubAccount",
            ref="ParentRef CurrencyRef TaxCodeRef",
            number="CurrentBalance CurrentBalanceWithSubAccounts",
        ),
        "create update",
        computed="FullyQualifiedName CurrentBalance CurrentBalanceWithSubAccounts",
        named_by="Name",
    ),
    _shape(
        "Term",
        _ALWAYS | _props(text="Name Type", yes="Active", number="DiscountPercent", whole="DueDays DiscountDays DayOfMonthDue DueNextMonthDays"),
        "create update",
        named_by="Name",
    ),
    _shape(
        "Class",
        _ALWAYS | _props(text="Name FullyQualifiedName", yes="SubClass Active", ref="ParentRef"),
        "create update",
        computed="FullyQualifiedName",
        named_by="Name",
    ),
    _shape("PaymentMethod", _ALWAYS | _props(text="Name Type", yes="Active"), "create update", named_by="Name"),
    _shape("TaxCode", _LIST | _props(yes="Taxable TaxGroup Hidden", any="SalesTaxRateList PurchaseTaxRateList"), "", named_by="Name"),
    _shape("TaxRate", _LIST | _props(number="RateValue", ref="AgencyRef", text="SpecialTaxType DisplayType"), "", named_by="Name"),
    _shape(
        "CompanyInfo",
        _ALWAYS
        | _props(text="CompanyName LegalName Country FiscalYearStartMonth SupportedLanguages DefaultTimeZone", address="CompanyAddr LegalAddr"),
        "",
    ),
    _shape("Preferences", _ALWAYS, ""),
]
SHAPES: dict[str, Shape] = {shape.name: shape for shape in _ALL}
#: Entities by the spelling of a path or a query, where case does not matter.
BY_SPELLING: dict[str, str] = {name.lower(): name for name in SHAPES}
#: The sales forms whose numbers come out of one sequence.
SALES = ("Invoice", "CreditMemo", "SalesReceipt", "RefundReceipt")
TRANSACTIONS = tuple(name for name, shape in SHAPES.items() if shape.is_transaction)
#: What change data capture does not follow.
UNFOLLOWED = frozenset({"TaxCode", "TaxRate", "CompanyInfo"})

#: Closed lists of values.
ENUMS: dict[str, tuple[str, ...]] = {
    "PrintStatus": ("NotSet", "NeedToPrint", "PrintComplete"),
    "EmailStatus": ("NotSet", "NeedToSend", "EmailSent"),
    "GlobalTaxCalculation": ("TaxInclusive", "TaxExcluded", "NotApplicable"),
    "PostingType": ("Credit", "Debit"),
    "DetailType": (
        "SalesItemLineDetail",
        "DiscountLineDetail",
        "DescriptionOnly",
        "SubTotalLineDetail",
        "DepositLineDetail",
        "JournalEntryLineDetail",
        "TaxLineDetail",
    ),
}
#: The longest text some properties hold.
LONGEST: dict[str, int] = {"DocNumber": 21, "PaymentRefNum": 21, "DisplayName": 500, "PrivateNote": 4000}
