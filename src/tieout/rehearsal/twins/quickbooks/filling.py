"""Many invoices at once, with customers and payments, written straight into the books; no events are made of them."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import random
from collections.abc import Iterator
from decimal import Decimal

from tieout.rehearsal.twins.quickbooks import books
from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.refusals import Json

_NOTHING = Decimal(0)
_CENT = Decimal("0.01")
_WORDS = ("Harbour", "Meadow", "Copper", "Linden", "North", "Quarry", "Willow", "Anchor", "Orchard", "Summit")
_TRADES = ("Foods", "Printing", "Logistics", "Studio", "Garage", "Bakery", "Textiles", "Clinic", "Books", "Joinery")
# Bodies are never changed in place, so what all invoices have in common exists once.
_EVERY_CUSTOMER = {"Taxable": False, "Job": False, "BillWithParent": False, "PreferredDeliveryMethod": "Print", "Active": True}
_EVERY_INVOICE = {
    "domain": "QBO",
    "sparse": False,
    "AllowIPNPayment": False,
    "AllowOnlinePayment": False,
    "AllowOnlineCreditCardPayment": False,
    "AllowOnlineACHPayment": False,
    "TxnTaxDetail": {"TotalTax": _NOTHING},
    "ApplyTaxAfterDiscount": False,
    "PrintStatus": "NeedToPrint",
    "EmailStatus": "NotSet",
    "SyncToken": "0",
    "LinkedTxn": [],
}
_SERVICE = {"ItemRef": {"value": "1", "name": "Services"}, "TaxCodeRef": {"value": "NON"}}
_SUBTOTAL: Json = {}
_EVERY_PAYMENT = {
    "domain": "QBO",
    "sparse": False,
    "ProcessPayment": False,
    "DepositToAccountRef": {"value": books.UNDEPOSITED, "name": "Undeposited Funds"},
    "UnappliedAmt": _NOTHING,
    "SyncToken": "0",
    "LinkedTxn": [],
}


def fill(company: Company, invoices: int, *, customers: int, paid_in_hundred: int, days: int, chance: random.Random) -> dict[str, int]:
    """Invoices spread evenly over the past `days`, the older ones paid; returns how many records there are of each kind."""
    end = company.moment()
    gap = dt.timedelta(days=days) / max(invoices, 1)
    with _without_collecting():
        names = _customers(company, customers, end - dt.timedelta(days=days))
        written = [
            _invoice(company, chance.choice(names), (end - gap * (invoices - number)).replace(microsecond=0), chance.randrange(1000, 900000) * _CENT)
            for number in range(invoices)
        ]
        for record in written:
            if chance.randrange(100) < paid_in_hundred:
                _paid(company, record, min(end, record.created + dt.timedelta(days=chance.randrange(5, 45))))
    company.version += 1
    return {entity: len(company.records[entity]) for entity in ("Customer", "Invoice", "Payment")}


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """A million new objects and none of them garbage: looking through them again and again costs more than making them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _customers(company: Company, wanted: int, since: dt.datetime) -> list[Json]:
    currency = company.currency_ref(company.terms.currency)
    for _ in range(wanted):
        number = company.new_number("Customer")
        name = f"{_WORDS[number % 10]} {_TRADES[number // 10 % 10]} {number}"
        body = {
            **_EVERY_CUSTOMER,
            "domain": "QBO",
            "sparse": False,
            "SyncToken": "0",
            "CurrencyRef": currency,
            "FullyQualifiedName": name,
            "DisplayName": name,
            "PrintOnCheckName": name,
            "PrimaryEmailAddr": {"Address": f"accounts@customer{number}.example"},
        }
        _keep(company, "Customer", number, body, since)
    return [
        {"CustomerRef": {"value": record.id, "name": record.body["FullyQualifiedName"]}, "CurrencyRef": record.body["CurrencyRef"]}
        for record in company.records["Customer"].values()
    ]


def _invoice(company: Company, who: Json, moment: dt.datetime, amount: Decimal) -> Record:
    day = moment.astimezone(company.zone).date()
    number = str(company.next_document)
    company.next_document += 1
    body = {
        **_EVERY_INVOICE,
        **who,
        "DocNumber": number,
        "TxnDate": day.isoformat(),
        "DueDate": (day + dt.timedelta(days=30)).isoformat(),
        "Line": [
            {"Id": "1", "LineNum": 1, "Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": _SERVICE},
            {"Amount": amount, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": _SUBTOTAL},
        ],
        "TotalAmt": amount,
        "Balance": amount,
    }
    company.owed[who["CustomerRef"]["value"]] += amount
    return _keep(company, "Invoice", company.new_number("Invoice"), body, moment)


def _paid(company: Company, invoice: Record, moment: dt.datetime) -> None:
    amount = invoice.body["TotalAmt"]
    number = company.new_number("Payment")
    body = {
        **_EVERY_PAYMENT,
        "TxnDate": moment.astimezone(company.zone).date().isoformat(),
        "CurrencyRef": invoice.body["CurrencyRef"],
        "CustomerRef": invoice.body["CustomerRef"],
        "PaymentRefNum": f"T{number}",
        "TotalAmt": amount,
        "Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": invoice.id, "TxnType": "Invoice"}]}],
    }
    _keep(company, "Payment", number, body, moment)
    company.applied[invoice.id] = {str(number): amount}
    company.owed[invoice.body["CustomerRef"]["value"]] -= amount
    invoice.updated = moment
    linked = [{"TxnId": str(number), "TxnType": "Payment"}]
    invoice.body |= {"Balance": _NOTHING, "LinkedTxn": linked, "SyncToken": "1", "MetaData": company.metadata(invoice)}


def _keep(company: Company, entity: str, number: int, body: Json, moment: dt.datetime) -> Record:
    record = Record(entity, number, body, moment, moment)
    body |= {"Id": str(number), "MetaData": company.metadata(record)}
    company.records[entity][body["Id"]] = record
    return record
