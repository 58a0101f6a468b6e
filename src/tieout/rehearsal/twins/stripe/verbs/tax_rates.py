"""Tax rates: made once, switched off when they no longer apply; the percentage never changes."""

from __future__ import annotations

from tieout.rehearsal.twins.stripe import forms, lists
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.common import Listing
from tieout.rehearsal.twins.stripe.shapes.lines import TaxRate

_TEXTS = ("country", "description", "display_name", "jurisdiction", "state", "tax_type")


def create(books: Books, given: Given) -> TaxRate:
    percentage = float(given["percentage"])
    made = TaxRate(
        id=books.new_id("txr_1"),
        created=books.now(),
        inclusive=given["inclusive"],
        percentage=percentage,
        active=given.get("active", True),
        metadata=forms.merged(None, given.get("metadata")),
        **{field: given[field] for field in _TEXTS if field in given},
    )
    books.tax_rates.add(made)
    books.tell("tax_rate.created", made)
    return made


def retrieve(books: Books, *, rate: str) -> TaxRate:
    return books.tax_rates.get(rate, param="tax_rate")


def update(books: Books, given: Given, *, rate: str) -> TaxRate:
    found = books.tax_rates.get(rate, param="tax_rate")
    with books.changing(found, "tax_rate.updated"):
        for field in (*_TEXTS, "active"):
            setattr(found, field, given.get(field, getattr(found, field)))
        found.metadata = forms.merged(found.metadata, given.get("metadata", {}))
    return found


def listing(books: Books, given: Given) -> Listing:
    return lists.page(books.tax_rates, given, "/v1/tax_rates", active=given.get("active"), inclusive=given.get("inclusive"))


_CHANGES: forms.Takes = {**dict.fromkeys(_TEXTS, forms.text), "active": forms.boolean, "metadata": forms.metadata}
OPERATIONS = (
    Operation(
        "POST",
        "/v1/tax_rates",
        create,
        {**_CHANGES, "inclusive": forms.boolean, "percentage": forms.decimal},
        ("display_name", "inclusive", "percentage"),
    ),
    Operation("GET", "/v1/tax_rates", listing, {**lists.DATED, "active": forms.boolean, "inclusive": forms.boolean}),
    Operation("GET", "/v1/tax_rates/<rate>", retrieve),
    Operation("POST", "/v1/tax_rates/<rate>", update, _CHANGES),
)
