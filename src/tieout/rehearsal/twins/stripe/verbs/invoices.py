"""Invoices: drafted, changed while they may be, listed, and drafts thrown away."""

from __future__ import annotations

from typing import Any

import msgspec

from tieout.rehearsal.twins.stripe import forms, lists, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Listing, Tombstone
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice, PaymentSettings, Transitions
from tieout.rehearsal.twins.stripe.shapes.parties import Customer
from tieout.rehearsal.twins.stripe.verbs import customers, lines, reckon

_DAY, _HOUR = 86_400, 3_600
#: What may still change once an invoice is finalised; everything else is fixed.
_ALWAYS = frozenset({"metadata", "auto_advance", "default_payment_method", "description", "footer", "statement_descriptor", "payment_settings"})


def blank(books: Books, customer: Customer, currency: str, collection: str) -> Invoice:
    """A draft without lines, on no shelf yet."""
    identity, now = books.new_id("in_1"), books.now()
    return Invoice(
        id=identity,
        account_country=books.country,
        account_name=books.name,
        collection_method=collection,
        created=now,
        currency=currency,
        customer=customer.id,
        lines=Listing(data=[], url=f"/v1/invoices/{identity}/lines"),
        period_end=now,
        period_start=now,
        status_transitions=Transitions(),
    )


def create(books: Books, given: Given) -> Invoice:
    customer = books.customer(given["customer"])
    currency = given.get("currency") or customer.currency or books.currency
    invoice = blank(books, customer, currency, given.get("collection_method", "charge_automatically"))
    customers.show(books, invoice, customer)
    invoice.custom_fields, invoice.footer = customer.invoice_settings.custom_fields, customer.invoice_settings.footer
    _fill(books, invoice, given)
    _due(invoice, given)
    customer.currency = customer.currency or invoice.currency
    books.invoices.add(invoice)
    books.lines[invoice.id] = []
    if given.get("pending_invoice_items_behavior") == "include":
        for item in books.items.newest_first("customer", customer.id):
            if item.invoice is None and item.currency == invoice.currency:
                item.invoice = invoice.id
                books.lines[invoice.id].append(lines.line_of(books, item, invoice.id))
    reckon.total(books, invoice)
    books.tell("invoice.created", invoice)
    return invoice


def _fill(books: Books, invoice: Invoice, given: Given) -> None:
    for field in ("auto_advance", "default_payment_method", "description", "effective_at", "footer", "statement_descriptor"):
        if field in given:
            setattr(invoice, field, given[field])
    if "custom_fields" in given:
        invoice.custom_fields = customers.fields(given["custom_fields"])
    if "shipping_details" in given:
        invoice.shipping_details = customers.shipping(given["shipping_details"])
    if "metadata" in given:
        invoice.metadata = forms.merged(invoice.metadata, given["metadata"])
    if "default_tax_rates" in given:
        invoice.default_tax_rates = lines.rates(books, given["default_tax_rates"], "default_tax_rates")
    if given.get("payment_settings"):
        invoice.payment_settings = PaymentSettings(payment_method_types=given["payment_settings"].get("payment_method_types"))
    if given.get("number"):
        if given["number"] in books.numbers and given["number"] != invoice.number:
            raise refusals.invalid("number", f"The number {given['number']} is taken by another invoice")
        invoice.number = given["number"]
    if invoice.status == "draft":
        invoice.automatically_finalizes_at = invoice.created + _HOUR if invoice.auto_advance else None


def _due(invoice: Invoice, given: Given) -> None:
    """The due date: sent invoices have one, charged ones none."""
    days, date = given.get("days_until_due"), given.get("due_date")
    if days is not None and date is not None:
        raise refusals.exclusive("days_until_due", "due_date")
    if invoice.collection_method == "charge_automatically":
        if days is not None or date is not None:
            name = "days_until_due" if days is not None else "due_date"
            raise refusals.invalid(name, f"{name} goes with collection_method=send_invoice only")
        invoice.due_date = None
    elif days is not None or date is not None:
        invoice.due_date = date if date is not None else invoice.created + (days or 0) * _DAY
    elif invoice.due_date is None:
        raise refusals.missing_parameter("days_until_due")


def retrieve(books: Books, *, invoice: str) -> Invoice:
    return books.invoices.get(invoice, param="invoice")


def update(books: Books, given: Given, *, invoice: str) -> Invoice:
    found = books.invoices.get(invoice, param="invoice")
    fixed = given.keys() - _ALWAYS - {"expand"}
    if found.status != "draft" and fixed:
        raise refusals.not_editable(f"Once an invoice is finalised, {', '.join(sorted(fixed))} cannot be changed")
    _change(books, msgspec.structs.replace(found), given)  # tried on a copy, so that a refusal leaves nothing half changed
    with books.changing(found, "invoice.updated"):
        _change(books, found, given)
        if found.status == "draft":
            reckon.total(books, found)
    return found


def _change(books: Books, invoice: Invoice, given: Given) -> None:
    invoice.collection_method = given.get("collection_method", invoice.collection_method)
    _fill(books, invoice, given)
    if {"collection_method", "days_until_due", "due_date"} & given.keys():
        _due(invoice, given)


def delete(books: Books, *, invoice: str) -> Tombstone:
    found = books.invoices.get(invoice, param="invoice")
    if found.status != "draft":
        raise refusals.not_editable(f"Only drafts can be deleted; this invoice is {found.status}. Void it instead")
    for line in books.lines.pop(invoice):
        books.items.remove(line.parent.invoice_item_details.invoice_item)
    books.invoices.remove(invoice)
    books.tell("invoice.deleted", found)
    return Tombstone(id=invoice, object="invoice")


def listing(books: Books, given: Given) -> Listing:
    bounds = given.get("due_date")
    where = None if bounds is None else lambda invoice: lists.within(invoice.due_date, bounds)
    return lists.page(
        books.invoices,
        given,
        "/v1/invoices",
        by=("customer", given.get("customer")),
        where=where,
        status=given.get("status"),
        collection_method=given.get("collection_method"),
    )


_COLLECTION = forms.one_of("charge_automatically", "send_invoice")
_FIELD = forms.hash_of({"name": forms.text, "value": forms.text}, "name", "value")
_CHANGES: dict[str, Any] = {
    "auto_advance": forms.boolean,
    "collection_method": _COLLECTION,
    "custom_fields": forms.list_of(_FIELD),
    "days_until_due": forms.at_least(0),
    "default_payment_method": forms.text,
    "default_tax_rates": forms.list_of(forms.text),
    "description": forms.text,
    "due_date": forms.integer,
    "effective_at": forms.integer,
    "footer": forms.text,
    "metadata": forms.metadata,
    "number": forms.text,
    "payment_settings": forms.hash_of({"payment_method_types": forms.list_of(forms.text)}),
    "shipping_details": forms.SHIPPING,
    "statement_descriptor": forms.text,
}
_NEW = {
    **_CHANGES,
    "customer": forms.text,
    "currency": forms.currency,
    "pending_invoice_items_behavior": forms.one_of("exclude", "include"),
}
_FILTERS: dict[str, Any] = {
    **lists.DATED,
    "collection_method": _COLLECTION,
    "customer": forms.text,
    "due_date": forms.moments,
    "status": forms.one_of("draft", "open", "paid", "uncollectible", "void"),
}
OPERATIONS = (
    Operation("POST", "/v1/invoices", create, _NEW, ("customer",)),
    Operation("GET", "/v1/invoices", listing, _FILTERS),
    Operation("GET", "/v1/invoices/<invoice>", retrieve),
    Operation("POST", "/v1/invoices/<invoice>", update, _CHANGES),
    Operation("DELETE", "/v1/invoices/<invoice>", delete),
)
