"""Customers: made, changed, deleted to a tombstone; and who they are on an invoice."""

from __future__ import annotations

from typing import Any

from tieout.rehearsal.twins.stripe import forms, lists
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Address, Field, Listing, Shipping, Tombstone
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice, TaxNumber
from tieout.rehearsal.twins.stripe.shapes.parties import Customer, InvoiceSettings
from tieout.rehearsal.twins.stripe.verbs import credit, tax_ids


def create(books: Books, given: Given) -> Customer:
    made = Customer(id=books.new_id("cus_"), created=books.now(), invoice_prefix=books.new_id("x_")[2:10].upper(), invoice_settings=InvoiceSettings())
    _fill(made, given)
    books.customers.add(made)
    books.tell("customer.created", made)
    for number in given.get("tax_id_data") or []:
        tax_ids.make(books, made.id, number["type"], number["value"])
    if balance := given.get("balance"):
        credit.move(books, made, balance, kind="initial", currency=books.currency)
    return made


def _fill(customer: Customer, given: Given) -> None:
    for field in ("description", "email", "name", "phone", "preferred_locales", "invoice_prefix", "next_invoice_sequence"):
        if field in given:
            setattr(customer, field, given[field])
    for field in ("business_name", "individual_name"):
        if given.get(field):
            setattr(customer, field, given[field])
    if "tax_exempt" in given:
        customer.tax_exempt = given["tax_exempt"] or "none"
    if "address" in given:
        customer.address = address(given["address"])
    if "shipping" in given:
        customer.shipping = shipping(given["shipping"])
    if "metadata" in given:
        customer.metadata = forms.merged(customer.metadata, given["metadata"])
    settings = given.get("invoice_settings") or {}
    if "default_payment_method" in settings or given.get("payment_method"):
        customer.invoice_settings.default_payment_method = settings.get("default_payment_method") or given.get("payment_method")
    if "footer" in settings:
        customer.invoice_settings.footer = settings["footer"]
    if "custom_fields" in settings:
        customer.invoice_settings.custom_fields = fields(settings["custom_fields"])


def address(given: Given | None) -> Address | None:
    return Address(**given) if given is not None else None


def shipping(given: Given | None) -> Shipping | None:
    return Shipping(address=Address(**given["address"]), name=given["name"], phone=given.get("phone")) if given is not None else None


def fields(given: list[Given] | None) -> list[Field] | None:
    return [Field(**field) for field in given] if given else None


def retrieve(books: Books, *, customer: str) -> Customer | Tombstone:
    if customer in books.gone_customers:
        return Tombstone(id=customer, object="customer")
    return books.customer(customer, param="id", status=404)


def update(books: Books, given: Given, *, customer: str) -> Customer:
    found = books.customer(customer, param="id", status=404)
    with books.changing(found, "customer.updated"):
        _fill(found, given)
        if "balance" in given and given["balance"] != found.balance:
            credit.note(books, found, given["balance"] - found.balance, kind="adjustment", currency=found.currency or books.currency)
    for invoice in books.invoices.newest_first("customer", customer):
        if invoice.status == "draft":
            show(books, invoice, found)
    return found


def show(books: Books, invoice: Invoice, customer: Customer) -> None:
    """Who the customer is, as a draft shows it; from finalisation on it stays as it was."""
    invoice.customer_address, invoice.customer_email, invoice.customer_name = customer.address, customer.email, customer.name
    invoice.customer_phone, invoice.customer_shipping, invoice.customer_tax_exempt = customer.phone, customer.shipping, customer.tax_exempt
    numbers = list(books.tax_ids.newest_first("customer", customer.id))
    invoice.customer_tax_ids = [TaxNumber(type=number.type, value=number.value) for number in reversed(numbers)]


def delete(books: Books, *, customer: str) -> Tombstone:
    """The customer goes for good; invoices stay, and are no longer collected by Stripe itself."""
    found = books.customer(customer, param="id", status=404)
    books.customers.remove(customer)
    books.gone_customers[customer] = found
    for invoice in books.invoices.newest_first("customer", customer):
        invoice.auto_advance = False
    books.tell("customer.deleted", found)
    return Tombstone(id=customer, object="customer")


def listing(books: Books, given: Given) -> Listing:
    return lists.page(books.customers, given, "/v1/customers", email=given.get("email"))


_FIELD = forms.hash_of({"name": forms.text, "value": forms.text}, "name", "value")
_TAKES: dict[str, Any] = {
    "address": forms.ADDRESS,
    "balance": forms.integer,
    "business_name": forms.text,
    "description": forms.text,
    "email": forms.email,
    "individual_name": forms.text,
    "invoice_prefix": forms.text,
    "invoice_settings": forms.hash_of({"custom_fields": forms.list_of(_FIELD), "default_payment_method": forms.text, "footer": forms.text}),
    "metadata": forms.metadata,
    "name": forms.text,
    "next_invoice_sequence": forms.at_least(1),
    "phone": forms.text,
    "preferred_locales": forms.list_of(forms.text),
    "shipping": forms.SHIPPING,
    "tax_exempt": forms.one_of("", "exempt", "none", "reverse"),
}
_NUMBER = forms.hash_of({"type": forms.one_of(*tax_ids.KINDS), "value": forms.text}, "type", "value")
OPERATIONS = (
    Operation("POST", "/v1/customers", create, {**_TAKES, "payment_method": forms.text, "tax_id_data": forms.list_of(_NUMBER)}),
    Operation("GET", "/v1/customers", listing, {**lists.DATED, "email": forms.text}),
    Operation("GET", "/v1/customers/<customer>", retrieve),
    Operation("POST", "/v1/customers/<customer>", update, _TAKES),
    Operation("DELETE", "/v1/customers/<customer>", delete),
)
