"""Lines of a draft: made from items, changed, taken away; paged when there are many."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tieout.rehearsal.twins.stripe import forms, lists, money, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Listing
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice
from tieout.rehearsal.twins.stripe.shapes.lines import InvoiceItem, ItemOf, Line, LineParent, Period, PriceOf, Pricing, TaxRate
from tieout.rehearsal.twins.stripe.verbs import reckon

PRICE_DATA = forms.hash_of(
    {
        "currency": forms.currency,
        "product": forms.text,
        "product_data": forms.hash_of({"name": forms.text, "description": forms.text, "metadata": forms.metadata}, "name"),
        "tax_behavior": forms.one_of("exclusive", "inclusive", "unspecified"),
        "unit_amount": forms.integer,
        "unit_amount_decimal": forms.decimal,
    },
    "currency",
)
PERIOD = forms.hash_of({"start": forms.integer, "end": forms.integer}, "start", "end")
#: What a line or an item may be made of.
CONTENT: forms.Takes = {
    "amount": forms.integer,
    "description": forms.text,
    "discountable": forms.boolean,
    "metadata": forms.metadata,
    "period": PERIOD,
    "price_data": PRICE_DATA,
    "quantity": forms.at_least(0),
    "tax_rates": forms.list_of(forms.text),
}


def price(books: Books, given: Given, currency: str, *, quantity: int = 1) -> tuple[int, Pricing]:
    """Amount and price of what was given: an amount, or a unit price times the quantity. Raises Refused."""
    data = given.get("price_data") or {}
    unit: Decimal | None = data.get("unit_amount_decimal", given.get("unit_amount_decimal"))
    if unit is None and "unit_amount" in data:
        unit = Decimal(data["unit_amount"])
    if data and data["currency"] != currency:
        raise refusals.invalid("price_data[currency]", f"The price is in {data['currency']}, the invoice is in {currency}")
    if unit is not None and "amount" in given:
        raise refusals.exclusive("amount", "price_data")
    if unit is None and "amount" not in given:
        raise refusals.missing_parameter("amount")
    amount = given["amount"] if unit is None else money.half_up(unit * quantity)
    if amount % money.step(currency):
        raise refusals.invalid("amount", f"An amount in {currency.upper()} must be a multiple of {money.step(currency)}")
    each = f"{unit if unit is not None else Decimal(amount) / (quantity or 1):f}"
    return amount, Pricing(
        price_details=PriceOf(price=books.new_id("price_1"), product=data.get("product") or books.new_id("prod_")), unit_amount_decimal=each
    )


def rates(books: Books, given: list[str] | None, param: str) -> list[TaxRate]:
    """The tax rates of these ids. Raises Refused."""
    return [books.tax_rates.get(rate, param=param, status=400) for rate in given or []]


def item(books: Books, customer: str, currency: str, given: Given, *, invoice: str | None) -> InvoiceItem:
    """A new item on the shelf."""
    quantity = given.get("quantity", 1)
    amount, pricing = price(books, given, currency, quantity=quantity)
    now, period = books.now(), given.get("period")
    product = (given.get("price_data") or {}).get("product_data") or {}
    made = InvoiceItem(
        id=books.new_id("ii_1"),
        amount=amount,
        net_amount=amount,
        currency=currency,
        customer=customer,
        date=now,
        description=given.get("description") or product.get("name"),
        discountable=given.get("discountable", amount >= 0),
        invoice=invoice,
        metadata=forms.merged(None, given.get("metadata")),
        period=Period(start=period["start"], end=period["end"]) if period else Period(start=now, end=now),
        pricing=pricing,
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=rates(books, given.get("tax_rates"), "tax_rates"),
    )
    books.items.add(made)
    books.tell("invoiceitem.created", made)
    return made


def line_of(books: Books, made: InvoiceItem, invoice: str) -> Line:
    """The line that shows an item on its invoice."""
    return Line(
        id=books.new_id("il_1"),
        amount=made.amount,
        subtotal=made.amount,
        currency=made.currency,
        description=made.description,
        discountable=made.discountable,
        invoice=invoice,
        metadata=dict(made.metadata or {}),
        parent=LineParent(invoice_item_details=ItemOf(invoice_item=made.id)),
        period=made.period,
        pricing=made.pricing,
        quantity=made.quantity,
        quantity_decimal=made.quantity_decimal,
    )


def draft(books: Books, invoice: str) -> Invoice:
    """An invoice whose lines may still change. Raises Refused."""
    found = books.invoices.get(invoice, param="invoice")
    if found.status != "draft":
        raise refusals.not_editable(f"The lines of a draft can be changed; this invoice is {found.status}")
    return found


def add(books: Books, given: Given, *, invoice: str) -> Invoice:
    found = draft(books, invoice)
    for content in given["lines"]:
        if "invoice_item" not in content:
            _check(books, found, content)
    with books.changing(found, "invoice.updated"):
        for at, content in enumerate(given["lines"]):
            if pending := content.pop("invoice_item", None):
                made = books.items.get(pending, param=f"lines[{at}][invoice_item]", status=400)
                made.invoice = invoice
            else:
                made = item(books, found.customer, found.currency, content, invoice=invoice)
            books.lines[invoice].append(line_of(books, made, invoice))
        found.metadata = forms.merged(found.metadata, given.get("invoice_metadata", {}))
        reckon.total(books, found)
    return found


def _check(books: Books, invoice: Invoice, given: Given) -> None:
    """All lines are looked at before the first is entered: it is all of them or none. Raises Refused."""
    price(books, given, invoice.currency, quantity=given.get("quantity", 1))
    rates(books, given.get("tax_rates"), "tax_rates")


def update(books: Books, given: Given, *, invoice: str, line: str) -> Line:
    found = draft(books, invoice)
    shown = _line(books, invoice, line)
    with books.changing(found, "invoice.updated"):
        change(books, found, shown, given)
        reckon.total(books, found)
    return shown


def update_many(books: Books, given: Given, *, invoice: str) -> Invoice:
    found = draft(books, invoice)
    for content in given["lines"]:
        _line(books, invoice, content["id"])
        if {"amount", "price_data"} & content.keys():
            _check(books, found, content)
    with books.changing(found, "invoice.updated"):
        for content in given["lines"]:
            change(books, found, _line(books, invoice, content.pop("id")), content)
        reckon.total(books, found)
    return found


def change(books: Books, invoice: Invoice, shown: Line, given: Given) -> None:
    """Change a line and the item behind it."""
    made = books.items.get(shown.parent.invoice_item_details.invoice_item, param="id")
    made.quantity = given.get("quantity", made.quantity)
    made.quantity_decimal = str(made.quantity)
    if {"amount", "price_data"} & given.keys():
        made.amount, made.pricing = price(books, given, invoice.currency, quantity=made.quantity)
    elif "quantity" in given:
        made.amount = money.half_up(Decimal(made.pricing.unit_amount_decimal or 0) * made.quantity)
    made.net_amount = made.amount
    made.description = given.get("description", made.description)
    if "metadata" in given:
        made.metadata = forms.merged(made.metadata, given["metadata"])
    if "tax_rates" in given:
        made.tax_rates = rates(books, given["tax_rates"], "tax_rates")
    if period := given.get("period"):
        made.period = Period(start=period["start"], end=period["end"])
    fresh = line_of(books, made, invoice.id)
    for field in ("amount", "subtotal", "description", "metadata", "period", "pricing", "quantity", "quantity_decimal"):
        setattr(shown, field, getattr(fresh, field))


def remove(books: Books, given: Given, *, invoice: str) -> Invoice:
    """Take lines away: `delete` ends their items, `unassign` leaves them pending for another invoice."""
    found = draft(books, invoice)
    with books.changing(found, "invoice.updated"):
        for content in given["lines"]:
            shown = _line(books, invoice, content["id"])
            behind = shown.parent.invoice_item_details.invoice_item
            books.lines[invoice].remove(shown)
            if content["behavior"] == "delete":
                books.tell("invoiceitem.deleted", books.items.remove(behind))
            else:
                books.items.get(behind).invoice = None
        reckon.total(books, found)
    return found


def listing(books: Books, given: Given, *, invoice: str) -> Listing:
    found = books.invoices.get(invoice, param="invoice")
    return lists.part(books.lines[found.id], given, found.lines.url)


def _line(books: Books, invoice: str, line: str) -> Line:
    found = next((each for each in books.lines[invoice] if each.id == line), None)
    if found is None:
        raise refusals.no_such("line_item", line, param="id")
    return found


_LINES = "/v1/invoices/<invoice>"
_ADDED: dict[str, Any] = {**CONTENT, "invoice_item": forms.text}
_CHANGED = forms.hash_of({**CONTENT, "id": forms.text}, "id")
OPERATIONS = (
    Operation(
        "POST",
        f"{_LINES}/add_lines",
        add,
        {"lines": forms.list_of(forms.hash_of(_ADDED)), "invoice_metadata": forms.metadata},
        ("lines",),
    ),
    Operation("POST", f"{_LINES}/update_lines", update_many, {"lines": forms.list_of(_CHANGED)}, ("lines",)),
    Operation(
        "POST",
        f"{_LINES}/remove_lines",
        remove,
        {"lines": forms.list_of(forms.hash_of({"id": forms.text, "behavior": forms.one_of("delete", "unassign")}, "id", "behavior"))},
        ("lines",),
    ),
    Operation("GET", f"{_LINES}/lines", listing, lists.PAGING),
    Operation("POST", f"{_LINES}/lines/<line>", update, CONTENT),
)
