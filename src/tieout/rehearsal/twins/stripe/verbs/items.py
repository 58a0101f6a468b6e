"""Invoice items: pending on a customer until an invoice takes them in, or added to a draft at once."""

from __future__ import annotations

from tieout.rehearsal.twins.stripe import forms, lists, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Listing, Tombstone
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice
from tieout.rehearsal.twins.stripe.shapes.lines import InvoiceItem
from tieout.rehearsal.twins.stripe.verbs import lines, reckon

_CONTENT: forms.Takes = {**lines.CONTENT, "unit_amount_decimal": forms.decimal}


def create(books: Books, given: Given) -> InvoiceItem:
    invoice = books.invoices.get(given["invoice"], param="invoice", status=400) if given.get("invoice") else None
    owner = given.get("customer") or (invoice.customer if invoice else None)
    if owner is None:
        raise refusals.missing_parameter("customer")
    customer = books.customer(owner)
    currency = _currency(given, invoice) or customer.currency or books.currency
    if invoice is None:
        customer.currency = customer.currency or currency
        return lines.item(books, customer.id, currency, given, invoice=None)
    if invoice.customer != customer.id:
        raise refusals.invalid("customer", f"The invoice {invoice.id} belongs to another customer")
    lines.draft(books, invoice.id)
    with books.changing(invoice, "invoice.updated"):
        made = lines.item(books, customer.id, currency, given, invoice=invoice.id)
        books.lines[invoice.id].append(lines.line_of(books, made, invoice.id))
        reckon.total(books, invoice)
    return made


def _currency(given: Given, invoice: Invoice | None) -> str | None:
    currency: str | None = given.get("currency") or (given.get("price_data") or {}).get("currency")
    if invoice is not None and currency is not None and currency != invoice.currency:
        raise refusals.invalid("currency", f"The item is in {currency}, its invoice is in {invoice.currency}")
    return currency or (invoice.currency if invoice else None)


def retrieve(books: Books, *, item: str) -> InvoiceItem:
    return books.items.get(item, param="invoiceitem")


def update(books: Books, given: Given, *, item: str) -> InvoiceItem:
    found = books.items.get(item, param="invoiceitem")
    if found.invoice is None:
        found.description = given.get("description", found.description)
        found.quantity = given.get("quantity", found.quantity)
        if {"amount", "price_data", "unit_amount_decimal"} & given.keys():
            found.amount, found.pricing = lines.price(books, given, found.currency, quantity=found.quantity)
            found.net_amount = found.amount
        if "metadata" in given:
            found.metadata = forms.merged(found.metadata, given["metadata"])
        return found
    shown = next(line for line in books.lines[found.invoice] if line.parent.invoice_item_details.invoice_item == item)
    lines.update(books, given, invoice=found.invoice, line=shown.id)
    return found


def delete(books: Books, *, item: str) -> Tombstone:
    found = books.items.get(item, param="invoiceitem")
    if found.invoice is not None:
        invoice = lines.draft(books, found.invoice)
        with books.changing(invoice, "invoice.updated"):
            held = books.lines[invoice.id]
            held[:] = [line for line in held if line.parent.invoice_item_details.invoice_item != item]
            reckon.total(books, invoice)
    books.items.remove(item)
    books.tell("invoiceitem.deleted", found)
    return Tombstone(id=item, object="invoiceitem")


def listing(books: Books, given: Given) -> Listing:
    pending = given.get("pending")
    where = None if pending is None else lambda item: (item.invoice is None) == pending
    by = ("customer", given.get("customer"))
    return lists.page(books.items, given, "/v1/invoiceitems", by=by, where=where, invoice=given.get("invoice"))


OPERATIONS = (
    Operation("POST", "/v1/invoiceitems", create, {**_CONTENT, "customer": forms.text, "invoice": forms.text, "currency": forms.currency}),
    Operation("GET", "/v1/invoiceitems", listing, {**lists.DATED, "customer": forms.text, "invoice": forms.text, "pending": forms.boolean}),
    Operation("GET", "/v1/invoiceitems/<item>", retrieve),
    Operation("POST", "/v1/invoiceitems/<item>", update, _CONTENT),
    Operation("DELETE", "/v1/invoiceitems/<item>", delete),
)
