"""How each of the company's files is read: the profiles its connections were saved with."""

from __future__ import annotations

from tieout.adapters.ports.profile import Profile

_LIST = {
    "number": "Number", "issue_date": "Issued", "date": "Issued", "due_date": "Due", "customer_id": "Customer no", "name": "Customer",
    "email": "E-mail", "phone": "Phone", "country": "Country", "city": "City", "language": "Language", "time_zone": "Time zone",
    "debtor_type": "Customer type",
    "tax_id": "VAT no", "parent_id": "Belongs to", "accounts": "Bank accounts", "currency": "Currency", "amount": "Total", "paid_amount": "Paid",
    "paid_date": "Paid on", "po_number": "Purchase order", "status": "Status", "related_invoice": "Credits invoice",
}  # fmt: skip
_KINDS = {"Invoice": "invoice", "Credit note": "credit_note", "Customer": "customer"}

ORDERS = Profile(
    name="orderbook", title="Order book: customers, invoices, credit notes", kind="invoice", kind_column="Record", kinds=_KINDS, columns=_LIST,
    date_order="YMD", decimal_mark=".", header_row=1,
)
WORKBOOK = Profile(
    name="us-receivables", title="Workbook of the office in Maine", kind="invoice", kind_column="Record", kinds=_KINDS, columns=_LIST,
    date_order="excel", decimal_mark=".", header_row=1,
)
EURO = Profile(
    name="euro-account", title="Euro account", kind="payment", encoding="cp1252", delimiter=";", header_row=1, date_order="DMY", decimal_mark=",",
    outgoing="skip",
    columns={
        "date": "Buchungstag", "payer_name": "Auftraggeber/Empfänger", "payer_account": "IBAN", "remittance": "Verwendungszweck", "amount": "Betrag",
        "currency": "Währung",
    },
)  # fmt: skip
STERLING = Profile(
    name="sterling-account", title="Sterling account", kind="payment", header_row=1, date_order="DMY", decimal_mark=".", currency="GBP",
    outgoing="skip",
    columns={
        "date": "Date", "payer_name": "Counterparty", "payer_account": "Account", "remittance": "Description", "credit": "Money in",
        "debit": "Money out",
    },
)  # fmt: skip
DOLLAR = Profile(
    name="dollar-account", title="Dollar account", kind="payment", header_row=1, date_order="MDY", decimal_mark=".", currency="USD", outgoing="skip",
    columns={"date": "Posting Date", "payer_name": "Originator", "remittance": "Description", "amount": "Amount"},
)
FAIR = Profile(
    name="trade-fair", title="Trade fair, kept by hand", kind="invoice", header_row=1, date_order="YMD", decimal_mark=".",
    columns={
        "number": "Invoice", "customer_name": "Customer", "customer_email": "E-mail", "issue_date": "Invoice date", "due_date": "Due date",
        "currency": "Currency", "amount": "Amount",
    },
)  # fmt: skip
