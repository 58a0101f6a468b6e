"""Two faults in Stripe's manner: lists that change under a reader, and answers of an API version nobody has seen."""

from __future__ import annotations

import json
from typing import Any

from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice
from tieout.rehearsal.twins.stripe.verbs import customers, invoices, items, lifecycle, records

#: What an answer of another version calls itself.
VERSION = "2027-03-31.fescue"
_STATUS = "partly_settled"
#: Where an object has no status, the field whose values are counted.
_ENUMS = {"customer": "tax_exempt", "balance_transaction": "type", "account": "business_type"}


def move(books: Books, path: str, cursor: str | None) -> None:
    """Between two pages: the record the reader stopped at changes, and a new one stands at the head of the list.

    Stripe's cursors never shift, so a reader who only turns pages sees neither; the events tell of both.
    """
    if path.startswith("/v1/customers"):
        held = books.customers.find(cursor or "")
        if held is not None:
            customers.update(books, {"metadata": {"moved": "yes"}}, customer=held.id)
        customers.create(books, {"name": "Latecomer Works", "email": "late@latecomer.example"})
    elif path.startswith("/v1/invoices"):
        read = books.invoices.find(cursor or "") or next(books.invoices.newest_first(), None)
        if read is not None:
            _paid_and_followed(books, read)


def _paid_and_followed(books: Books, read: Invoice) -> None:
    if read.customer in books.customers:
        days = {"collection_method": "send_invoice", "days_until_due": 30}
        new = invoices.create(books, {"customer": read.customer, "currency": read.currency, **days})
        items.create(books, {"invoice": new.id, "amount": max(read.total, 1), "description": "Came between two pages"})
        lifecycle.finalize(books, {}, invoice=new.id)
    if read.status in ("open", "uncollectible"):
        records.settle(books, read, read.amount_remaining)
    else:
        invoices.update(books, {"metadata": {"moved": "yes"}}, invoice=read.id)


def translated(body: bytes) -> bytes:
    """The same answer with a field nobody knows, an unknown value of an enum, and another `api_version` on events."""
    value: dict[str, Any] = json.loads(body)
    if "error" in value:
        return body
    for at, thing in enumerate(value["data"] if value.get("object") == "list" else [value]):
        _change(thing, first=at == 0)
        if thing.get("object") == "event":
            thing["api_version"] = VERSION
            _change(thing["data"]["object"], first=at == 0)
    return json.dumps(value).encode()


def _change(thing: dict[str, Any], *, first: bool) -> None:
    thing["settlement_route"] = {"kind": "instant", "stage": 3}
    field = "status" if isinstance(thing.get("status"), str) else _ENUMS.get(thing.get("object", ""), "")
    if first and field in thing:
        thing[field] = _STATUS
