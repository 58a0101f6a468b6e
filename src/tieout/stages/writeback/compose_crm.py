"""The bodies of what a CRM is told, and of what its deals ask for: drafts, documents beside their customer, tasks, what is owed, and the one
field of a customer that somebody wants told.
"""

from __future__ import annotations

from typing import Any

from tieout.core import truth
from tieout.core.money import minor_text
from tieout.stages.collect.models import Task
from tieout.stages.ledger.models import Contact, Customer, Deal, Document, FieldWord, SourceRecord
from tieout.stages.writeback.models import Outgoing
from tieout.stages.writeback.there import Moot, NotYet, their_id


def draft(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    """A deal as a draft: one line of its amount. Whoever looks after invoices there completes it and sends it."""
    deal = Deal.objects.select_related("connection").get(pk=row.subject_id)
    if not deal.won or not deal.amount_minor:
        return Moot("the deal is not won any more" if not deal.won else "the deal has no amount any more")
    ours = _customer_of(deal)
    customer = their_id(connection_id=row.connection_id, kind="customer", target_id=ours) if ours else None
    if customer is None:
        return NotYet("its customer is not there yet")
    return {
        "customer": customer, "currency": deal.currency, "amount_minor": deal.amount_minor, "tax_minor": 0,
        "lines": [{"description": deal.name, "amount_minor": deal.amount_minor, "quantity": ""}],
        "memo": f"Deal {deal.name} ({deal.external_id}) of {deal.connection.name}",
    }  # fmt: skip


def _customer_of(deal: Deal) -> int | None:
    found = SourceRecord.objects.filter(
        connection_id=deal.connection_id, kind="customer", external_id=deal.customer_external_id, retracted_at__isnull=True
    ).first()  # fmt: skip
    return found.target_id if found else None


def document(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    """A document beside its customer in a CRM; of a deal, the draft that was made of it."""
    if row.subject_kind == "deal":
        deal = Deal.objects.get(pk=row.subject_id)
        return {
            "company": deal.customer_external_id, "deal": deal.external_id, "number": row.body["draft"], "currency": deal.currency,
            "amount": minor_text(deal.amount_minor or 0, deal.currency), "status": "draft, to be looked at and sent",
        }  # fmt: skip
    ours = Document.objects.get(pk=row.subject_id)
    company = their_id(connection_id=row.connection_id, kind="customer", target_id=ours.customer_id)
    if company is None:
        return Moot("its customer is not there any more")
    return {
        "company": company, "number": ours.number, "currency": ours.currency,
        "amount": minor_text(ours.amount_minor, ours.currency), "status": _stands(ours, str(row.body["state"])),
        "due_date": ours.due_date.isoformat() if ours.due_date else None,
    }  # fmt: skip


def _stands(document: Document, planned: str) -> str:
    # Paid or void is told as it is now; whether a day has passed was judged when this was planned.
    if document.status in ("void", "deleted"):
        return "void"
    if not document.open_minor:
        return "paid"
    left = f"{minor_text(document.open_minor, document.currency)} {document.currency} open"
    return f"overdue, {left}" if planned.startswith("overdue") else left


def task(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    ours = Task.objects.get(pk=row.subject_id)
    if ours.state != Task.State.OPEN:
        return Moot("it is settled by now")
    company = their_id(connection_id=row.connection_id, kind="customer", target_id=ours.customer_id)
    return {"company": company, "subject": ours.title, "due": ours.due_date.isoformat()} if company else Moot("its customer is not there any more")


def changed_customer(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
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


def status(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    told = row.body
    currency = str(told["currency"])
    return {"customers": [{
        "company": told["company"], "currency": currency, "balance": minor_text(int(told["balance_minor"]), currency),
        "overdue": minor_text(int(told["overdue_minor"]), currency), "oldest_due": told["oldest_due"], "ours": str(row.subject_id),
    }]}  # fmt: skip
