"""What exactly a system is told, put together from the ledger at the moment it is told: facts never go stale in the queue.

A reference that the other system does not know yet, or an effect that has become moot, is a value with its reason.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tieout.core import truth
from tieout.core.money import minor_text
from tieout.stages.ledger.models import Allocation, Contact, Customer, Document, DocumentLine, FieldWord, Payment, SourceRecord
from tieout.stages.writeback.models import Outgoing


class Moot(msgspec.Struct, frozen=True):
    """Nothing is to be told any more; `reason` says why."""

    reason: str


class NotYet(msgspec.Struct, frozen=True):
    """What it refers to is not there yet."""

    reason: str


def body(*, row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    """The body of a command."""
    made: dict[str, Any] | Moot | NotYet = _MAKE[row.kind](row)
    return made


def their_id(*, connection_id: int, kind: str, target_id: int) -> str | None:
    """What our row is called in a system; None where it is not there."""
    found = SourceRecord.objects.filter(
        connection_id=connection_id, kind=kind, target_id=target_id, retracted_at__isnull=True, gone_at__isnull=True
    ).order_by("id").first()  # fmt: skip
    return found.external_id if found else None


def _customer(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    if their_id(connection_id=row.connection_id, kind="customer", target_id=row.subject_id):
        return Moot("it is there already")
    ours = Customer.objects.get(pk=row.subject_id)
    contact = Contact.objects.filter(customer=ours, retracted_at__isnull=True).exclude(email="").order_by("-rank", "id").first()
    return {
        "name": ours.name, "email": contact.email if contact else "", "phone": ours.phone, "country": ours.country, "city": ours.city,
        "currency": ours.currency, "tax_id": ours.tax_id, "ours": str(ours.pk),
    }  # fmt: skip


def _document(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    document = Document.objects.get(pk=row.subject_id)
    if their_id(connection_id=row.connection_id, kind=document.kind, target_id=document.pk):
        return Moot("it is there already")
    if document.status != "open":
        return Moot(f"it is {document.status} by now")
    customer = their_id(connection_id=row.connection_id, kind="customer", target_id=document.customer_id)
    if customer is None:
        return NotYet("its customer is not there yet")
    lines = [
        {"description": line.description, "amount_minor": line.amount_minor, "quantity": line.quantity}
        for line in DocumentLine.objects.filter(document=document).order_by("ordinal")
    ]
    # Lines that do not add up to the document (tax on top of them, a discount) go over as one line each with the difference named.
    rest = document.amount_minor - sum(line["amount_minor"] for line in lines)
    whole = {"description": f"{document.get_kind_display()} {document.number}", "amount_minor": document.amount_minor, "quantity": ""}
    return {
        "customer": customer, "number": document.number, "currency": document.currency, "amount_minor": document.amount_minor,
        "issue_date": document.issue_date.isoformat() if document.issue_date else None,
        "due_date": document.due_date.isoformat() if document.due_date else None, "tax_minor": rest if lines else 0,
        "lines": lines or [whole],
        "memo": f"{document.number} from {document.connection.name}",
    }  # fmt: skip


def _payment(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    payment = Payment.objects.get(pk=row.subject_id)
    if their_id(connection_id=row.connection_id, kind="payment", target_id=payment.pk):
        return Moot("it is there already")
    if payment.status not in ("succeeded", "settled"):
        return Moot(f"the money is {payment.status} by now")
    applied, owners = [], []
    for allocation in Allocation.objects.filter(payment=payment, retracted_at__isnull=True).select_related("document").order_by("id"):
        document = their_id(connection_id=row.connection_id, kind="invoice", target_id=allocation.document_id)
        if document is None:
            return NotYet(f"{allocation.document.number} is not there yet")
        applied.append({"document": document, "amount_minor": allocation.amount_minor})
        owners.append(allocation.document.customer_id)
    if not applied:
        return Moot("it is applied to nothing by now")
    customer = their_id(connection_id=row.connection_id, kind="customer", target_id=owners[0])
    if customer is None:
        return NotYet("its customer is not there yet")
    return {
        "customer": customer, "amount_minor": payment.amount_minor - payment.refunded_minor, "currency": payment.currency,
        "date": (payment.date or payment.created_at.date()).isoformat(), "reference": payment.reference or payment.external_id, "applied": applied,
        "memo": f"from {payment.connection.name}",
    }  # fmt: skip


def _credit(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    allocation = Allocation.objects.select_related("document", "credit_note").get(pk=row.subject_id)
    if allocation.retracted_at is not None:
        return Moot("it was taken back")
    there = {
        "customer": their_id(connection_id=row.connection_id, kind="customer", target_id=allocation.document.customer_id),
        "credit_note": their_id(connection_id=row.connection_id, kind="credit_note", target_id=allocation.credit_note_id),
        "document": their_id(connection_id=row.connection_id, kind="invoice", target_id=allocation.document_id),
    }
    missing = [name for name, external_id in there.items() if external_id is None]
    if missing:
        return NotYet(f"its {missing[0].replace('_', ' ')} is not there yet")
    return {**there, "amount_minor": allocation.amount_minor, "currency": allocation.currency, "date": allocation.date.isoformat()}


def _void(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    document = their_id(connection_id=row.connection_id, kind="invoice", target_id=row.subject_id)
    return {"document": document} if document else Moot("it is not there any more")


def _changed_customer(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    """One field of a customer as it stands here now, for the record there that says otherwise."""
    field, theirs = str(row.body["field"]), str(row.body["theirs"])
    linked = SourceRecord.objects.filter(
        connection_id=row.connection_id, kind="customer", external_id=theirs, target_id=row.subject_id, retracted_at__isnull=True,
        gone_at__isnull=True,
    )  # fmt: skip
    if not linked.exists():
        return Moot("the record there is gone, or another customer's by now")
    value = _chased(row.subject_id) if field == "email" else str(getattr(Customer.objects.get(pk=row.subject_id), field) or "")
    said = FieldWord.objects.filter(connection_id=row.connection_id, kind="customer", external_id=theirs, field=field).first()
    if not value:
        return Moot("there is nothing here to tell")
    if said is not None and truth.form(field, said.value) == truth.form(field, value):
        return Moot("it says the same by now")
    return {"customer": theirs, "field": field, "value": value}


def _chased(customer_id: int) -> str:
    rows = Contact.objects.filter(customer_id=customer_id, retracted_at__isnull=True, roles__contains="chase").exclude(email="")
    found = rows.order_by("-rank", "id").first()
    return found.email if found else ""


def _changed_invoice(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    document = Document.objects.get(pk=row.subject_id)
    theirs = their_id(connection_id=row.connection_id, kind="invoice", target_id=document.pk)
    if theirs is None or document.status != "open" or document.due_date is None:
        return Moot("it is not there any more, or not open here")
    return {"document": theirs, "due_date": document.due_date.isoformat()}


def _status(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    told = row.body
    currency = str(told["currency"])
    return {"customers": [{
        "company": told["company"], "currency": currency, "balance": minor_text(int(told["balance_minor"]), currency),
        "overdue": minor_text(int(told["overdue_minor"]), currency), "oldest_due": told["oldest_due"], "ours": str(row.subject_id),
    }]}  # fmt: skip


_MAKE = {
    "customer": _customer, "invoice": _document, "credit_note": _document, "payment": _payment, "apply_credit": _credit, "void": _void,
    "status": _status, "update_customer": _changed_customer, "update_invoice": _changed_invoice,
}  # fmt: skip
#: The acts that are put together here.
ACTS = frozenset(_MAKE)
