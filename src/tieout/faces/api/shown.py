"""What the ledger holds of the objects a connection has pushed: a page of them, newest first, and one by our id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import QuerySet

from tieout.core.documents import settlement
from tieout.core.money import minor_text
from tieout.faces.api.shapes import Asked
from tieout.flow.pushed import KINDS, Door
from tieout.stages.base import walls
from tieout.stages.ledger.models import Contact, Customer, Document, Payment, SourceRecord


def page(door: Door, what: str, asked: Asked) -> dict[str, Any]:
    """The page asked for, and from where the next one goes on (None at the end)."""
    with walls.inside(door.organisation_id):
        rows = _rows(door, what)
        if asked.external_id is not None:
            rows = rows.filter(pk__in=_links(door, what).filter(external_id=asked.external_id).values("target_id"))
        number, email = getattr(asked, "number", None), getattr(asked, "email", None)
        if number is not None:
            rows = rows.filter(number=number)
        if email is not None:
            rows = rows.filter(pk__in=Contact.objects.filter(email__iexact=email, retracted_at__isnull=True).values("customer_id"))
        if asked.after is not None:
            rows = rows.filter(pk__lt=asked.after)
        found = list(rows.order_by("-pk")[: asked.limit + 1])
        items = _shown(door, what, found[: asked.limit])
    return {"items": items, "next": items[-1]["id"] if len(found) > asked.limit else None}


def one(door: Door, what: str, ident: int) -> dict[str, Any] | None:
    """The object; None where this connection has pushed none of that id."""
    with walls.inside(door.organisation_id):
        found = _shown(door, what, _rows(door, what).filter(pk=ident))
    return found[0] if found else None


def _rows(door: Door, what: str) -> QuerySet[Any]:
    # A key sees what its own system has pushed, not the books of the house.
    if what == "customers":
        return Customer.objects.filter(pk__in=_links(door, what).values("target_id"))
    if what == "payments":
        return Payment.objects.filter(connection_id=door.connection_id)
    return Document.objects.filter(connection_id=door.connection_id, kind=KINDS[what])


def _links(door: Door, what: str) -> QuerySet[Any]:
    return SourceRecord.objects.filter(connection_id=door.connection_id, kind=KINDS[what], retracted_at__isnull=True)


def _shown(door: Door, what: str, rows: Iterable[Any]) -> list[dict[str, Any]]:
    found = list(rows)
    if what == "customers":
        ids = [row.pk for row in found]
        keys = dict(_links(door, what).filter(target_id__in=ids).order_by("-id").values_list("target_id", "external_id"))
        contacts = Contact.objects.filter(customer_id__in=ids, retracted_at__isnull=True).exclude(email="").order_by("-id")
        emails = dict(contacts.values_list("customer_id", "email"))
        return [_customer(row, keys.get(row.pk, ""), emails.get(row.pk)) for row in found]
    return [_SHOWN[what](row) for row in found]


def _customer(row: Customer, external_id: str, email: str | None) -> dict[str, Any]:
    return {
        "id": row.pk, "external_id": external_id, "name": row.name, "email": email, "country": row.country or None,
        "currency": row.currency or None, "tax_id": row.tax_id or None, "recorded_at": row.recorded_at.isoformat(),
    }  # fmt: skip


def _document(row: Document) -> dict[str, Any]:
    return {
        "id": row.pk, "external_id": row.external_id, "number": row.number, "customer_id": row.customer_id,
        "customer_external_id": row.customer_external_id, "currency": row.currency, "amount": minor_text(row.amount_minor, row.currency),
        "open_amount": minor_text(row.open_minor, row.currency), "status": row.status,
        "settlement": settlement(amount=row.amount_minor, open_minor=row.open_minor), "date": _day(row.issue_date),
        "due_date": _day(row.due_date), "recorded_at": row.recorded_at.isoformat(),
    }  # fmt: skip


def _payment(row: Payment) -> dict[str, Any]:
    return {
        "id": row.pk, "external_id": row.external_id, "customer_id": row.customer_id, "currency": row.currency,
        "amount": minor_text(row.amount_minor, row.currency), "unapplied_amount": minor_text(row.unapplied_minor, row.currency),
        "status": row.status, "date": _day(row.date), "recorded_at": row.recorded_at.isoformat(),
    }  # fmt: skip


def _day(day: Any) -> str | None:
    return None if day is None else str(day.isoformat())


_SHOWN: dict[str, Callable[[Any], dict[str, Any]]] = {"invoices": _document, "credit-notes": _document, "payments": _payment}
