"""What money could be set against, for a person who applies it by hand: documents by customer, number or name, and customers by name."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.db.models import F, Q

from tieout.core import party
from tieout.stages.cash import lines
from tieout.stages.ledger.models import Customer, Document


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A document money can be set against. `left_minor` is what may still be set against it; a credit note's is what it has left."""

    document_id: int
    kind: str
    number: str
    customer_id: int
    customer_name: str
    issue_date: dt.date | None
    due_date: dt.date | None
    currency: str
    amount_minor: int
    left_minor: int


class Named(msgspec.Struct, frozen=True):
    """A customer to choose."""

    customer_id: int
    name: str
    city: str
    country: str


def documents(
    *, currency: str, customer_id: int | None = None, text: str = "", also: tuple[int, ...] = (), limit: int = 40
) -> list[Candidate]:
    """Open documents in `currency` of a customer, or those whose number or customer's name has `text`; `also` names more by id.

    Oldest due first. Without customer and text only those in `also`.
    """
    wanted = Q(pk__in=also)
    if text:
        wanted |= Q(number__icontains=text) | Q(customer__name__icontains=text)
    elif customer_id is not None:
        wanted |= Q(customer_id=customer_id) | Q(customer__parent_id=customer_id)
    unsettled = Q(status__in=("open", "unknown"), amount_minor__gt=F("allocated_minor") + F("written_off_minor"))
    rows = Document.objects.filter(wanted, unsettled, currency=currency)
    found = rows.select_related("customer").order_by("kind", F("due_date").asc(nulls_last=True), "id")[:limit]
    return [
        Candidate(
            document_id=d.pk, kind=d.kind, number=d.number, customer_id=d.customer_id, customer_name=d.customer.name, issue_date=d.issue_date,
            due_date=d.due_date, currency=d.currency, amount_minor=d.amount_minor, left_minor=lines.left(d) if d.kind == "invoice" else d.open_minor,
        )
        for d in found
    ]


def customers(*, text: str, limit: int = 12) -> list[Named]:
    """Customers whose name has `text`, those that begin with it first."""
    if not text.strip():
        return []
    folded = party.fold(text)
    rows = list(Customer.objects.filter(Q(name__icontains=text) | Q(folded_name__contains=folded)).order_by("name", "id")[: limit * 4])
    rows.sort(key=lambda c: not c.name.casefold().startswith(text.casefold()))
    return [Named(c.pk, c.name, c.city, c.country) for c in rows[:limit]]
