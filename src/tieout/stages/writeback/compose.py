"""What exactly a system is told, put together from the ledger at the moment it is told: facts never go stale in the queue.

A reference that the other system does not know yet, or an effect that has become moot, is a value with its reason.
"""

from __future__ import annotations

from typing import Any

import msgspec
from django.db.models import Q

from tieout.core import truth
from tieout.core.money import minor_text
from tieout.stages.collect.models import Task
from tieout.stages.ledger.models import (
    Allocation,
    Contact,
    Customer,
    Deal,
    Document,
    DocumentLine,
    FieldWord,
    LinkProposal,
    Payment,
    Payout,
    PayoutItem,
    Refund,
    SourceRecord,
)
from tieout.stages.writeback.models import Outgoing, Route


class Moot(msgspec.Struct, frozen=True):
    """Nothing is to be told any more; `reason` says why."""

    reason: str


class NotYet(msgspec.Struct, frozen=True):
    """What it refers to is not there yet."""

    reason: str


def body(*, row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    """The body of a command. What the map does not send any more, or not at present, is not told."""
    off = _off_the_map(row)
    if off is not None:
        return off
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
    if ours.lead_id is not None:
        return Moot("it is one with another customer by now")
    if rival := _may_be(row):
        return NotYet(f"it may be {rival}, who is there already or comes first; say so under Same customer")
    contact = Contact.objects.filter(customer=ours, retracted_at__isnull=True).exclude(email="").order_by("-rank", "id").first()
    return {
        "name": ours.name, "email": contact.email if contact else "", "phone": ours.phone, "country": ours.country, "city": ours.city,
        "currency": ours.currency, "tax_id": ours.tax_id, "ours": str(ours.pk),
    }  # fmt: skip


def _may_be(row: Outgoing) -> str:
    """A customer who may be this one, as far as nobody has decided, and is in the other system or about to be made there: made once more,
    they would stand there twice."""
    customer_id, connection_id = row.subject_id, row.connection_id
    open_ = LinkProposal.objects.filter(kind="customer", state="open", related=False).filter(Q(first_id=customer_id) | Q(second_id=customer_id))
    peers = [one for pair in open_.values_list("first_id", "second_id") for one in pair if one != customer_id]
    if not peers:
        return ""
    there = SourceRecord.objects.filter(connection_id=connection_id, kind="customer", target_id__in=peers, retracted_at__isnull=True)
    earlier = Outgoing.objects.filter(connection_id=connection_id, kind="customer", subject_id__in=peers, pk__lt=row.pk).exclude(state="failed")
    found = [*there.filter(gone_at__isnull=True).values_list("target_id", flat=True), *earlier.values_list("subject_id", flat=True)]
    return Customer.objects.get(pk=min(found)).name if found else ""


def _document(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    document = Document.objects.get(pk=row.subject_id)
    if their_id(connection_id=row.connection_id, kind=document.kind, target_id=document.pk):
        return Moot("it is there already")
    if document.status != "open":
        return Moot(f"it is {document.status} by now")
    customer = their_id(connection_id=row.connection_id, kind="customer", target_id=document.customer_id)
    if customer is None:
        return NotYet("its customer is not there yet")
    return form(document=document, customer=customer)


def form(*, document: Document, customer: str) -> dict[str, Any]:
    """An invoice or a credit note, for the customer of that key there."""
    return {"customer": customer, **_form(document), "memo": f"{document.number} from {document.connection.name}"}


def _form(document: Document) -> dict[str, Any]:
    """What a document says of itself."""
    lines = [
        {
            "description": line.description, "amount_minor": line.amount_minor, "quantity": line.quantity,
            **({"item": line.item} if line.item else {}), **({"tax_code": line.tax_code} if line.tax_code else {}),
        }
        for line in DocumentLine.objects.filter(document=document).order_by("ordinal")
    ]  # fmt: skip
    # Lines that do not add up to the document (tax on top of them, a discount) go over as one line each with the difference named.
    rest = document.amount_minor - sum(line["amount_minor"] for line in lines)
    whole = {"description": f"{document.get_kind_display()} {document.number}", "amount_minor": document.amount_minor, "quantity": ""}
    return {
        "number": document.number, "currency": document.currency, "amount_minor": document.amount_minor,
        "issue_date": document.issue_date.isoformat() if document.issue_date else None,
        "due_date": document.due_date.isoformat() if document.due_date else None, "tax_minor": rest if lines else 0,
        "lines": lines or [whole],
    }  # fmt: skip


def _edited(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    document = Document.objects.get(pk=row.subject_id)
    there = their_id(connection_id=row.connection_id, kind=document.kind, target_id=document.pk)
    if there is None:
        return Moot("it is not there any more")
    if document.status != "open":
        return Moot(f"it is {document.status} by now")
    return {"document": there, **{name: value for name, value in _form(document).items() if value is not None}}


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


def _refund(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    refund = Refund.objects.select_related("payment", "stated").get(pk=row.subject_id)
    if their_id(connection_id=row.connection_id, kind="refund", target_id=refund.pk):
        return Moot("it is there already")
    if refund.retracted_at is not None:
        return Moot("the money did not go back after all")
    customer = their_id(connection_id=row.connection_id, kind="customer", target_id=refund.payment.customer_id)
    if customer is None:
        return NotYet("its customer is not there yet")
    name = refund.payment.connection.name
    return {
        "customer": customer, "amount_minor": refund.amount_minor, "currency": refund.currency, "date": refund.date.isoformat(), "withheld": True,
        "reference": refund.stated.external_id, "memo": f"Refund of {refund.payment.reference or refund.payment.external_id} from {name}",
    }  # fmt: skip


def _taken(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    """What is left of a payment after a dispute took a part of it, and what that pays."""
    refund = Refund.objects.select_related("payment").get(pk=row.subject_id)
    payment = refund.payment
    there = their_id(connection_id=row.connection_id, kind="payment", target_id=payment.pk)
    if there is None:
        return Moot("it is not there any more")
    if refund.retracted_at is not None:
        return Moot("the money did not go after all")
    applied = []
    for allocation in Allocation.objects.filter(payment=payment, retracted_at__isnull=True).order_by("id"):
        document = their_id(connection_id=row.connection_id, kind="invoice", target_id=allocation.document_id)
        if document is None:
            return NotYet(f"{allocation.document.number} is not there yet")
        applied.append({"document": document, "amount_minor": allocation.amount_minor})
    return {
        "payment": there, "currency": payment.currency, "amount_minor": payment.amount_minor - payment.refunded_minor, "applied": applied,
        "reason": refund.reason,
    }  # fmt: skip


def _payout(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    payout = Payout.objects.select_related("connection").get(pk=row.subject_id)
    if their_id(connection_id=row.connection_id, kind="payout", target_id=payout.pk):
        return Moot("it is there already")
    if payout.status != "paid" or payout.problem:
        return Moot(f"it is {payout.get_status_display().lower()} by now" if payout.status != "paid" else payout.problem)
    payments: list[dict[str, Any]] = []
    refunds: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for item in PayoutItem.objects.filter(payout=payout).order_by("ordinal"):
        if item.what == "payment":
            found = _deposited(row, payout, item)
            if isinstance(found, NotYet):
                return found
            payments.append({"payment": found, "amount_minor": item.gross_minor})
        elif item.what == "refund":
            of = {"stated__connection": payout.connection, "stated__external_id": item.external_id}
            given = Refund.objects.filter(**of, retracted_at__isnull=True).first()
            there = their_id(connection_id=row.connection_id, kind="refund", target_id=given.pk) if given else None
            if there is None:
                return NotYet(f"refund {item.external_id} in it is not there yet")
            refunds.append({"refund": there, "amount_minor": -item.gross_minor})
        elif item.what != "fee":
            what = "Dispute" if item.what == "dispute" else "Adjustment"
            others.append({"description": f"{what} {item.external_id}".strip(), "amount_minor": item.gross_minor})
    return {
        "currency": payout.currency, "date": (payout.date or payout.created_at.date()).isoformat(), "amount_minor": payout.amount_minor,
        "payments": payments, "refunds": refunds, "others": others, "fee_minor": payout.fee_minor,
        "memo": f"Payout {payout.external_id} from {payout.connection.name}",
    }  # fmt: skip


def _deposited(row: Outgoing, payout: Payout, item: PayoutItem) -> str | NotYet:
    """What a payment of a payout is called in the other system, where it stands for the same amount."""
    source = SourceRecord.objects.filter(
        connection_id=payout.connection_id, kind="payment", external_id=item.external_id, retracted_at__isnull=True
    ).first()  # fmt: skip
    there = their_id(connection_id=row.connection_id, kind="payment", target_id=source.target_id) if source else None
    if source is None or there is None:
        return NotYet(f"payment {item.external_id} in it is not there yet")
    payment = Payment.objects.get(pk=source.target_id)
    if (payment.amount_minor, payment.currency) != (item.gross_minor, payout.currency):
        was = f"{minor_text(payment.amount_minor, payment.currency)} {payment.currency}"
        return NotYet(f"payment {item.external_id} is {was}, and {minor_text(item.gross_minor, payout.currency)} {payout.currency} in the payout")
    return there


def _payout_back(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    deposit = their_id(connection_id=row.connection_id, kind="payout", target_id=row.subject_id)
    if deposit is None:
        return Moot("it is not there any more")
    status = Payout.objects.get(pk=row.subject_id).status
    return {"deposit": deposit} if status in ("failed", "cancelled", "reversed") else Moot(f"it is {status} by now")


def _void(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    document = their_id(connection_id=row.connection_id, kind="invoice", target_id=row.subject_id)
    return {"document": document} if document else Moot("it is not there any more")


def _draft(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
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


def _beside(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    """A document beside its customer in a CRM; of a deal, the draft that was made of it."""
    if row.subject_kind == "deal":
        deal = Deal.objects.get(pk=row.subject_id)
        return {
            "company": deal.customer_external_id, "deal": deal.external_id, "number": row.body["draft"], "currency": deal.currency,
            "amount": minor_text(deal.amount_minor or 0, deal.currency), "status": "draft, to be looked at and sent",
        }  # fmt: skip
    document = Document.objects.get(pk=row.subject_id)
    company = their_id(connection_id=row.connection_id, kind="customer", target_id=document.customer_id)
    if company is None:
        return Moot("its customer is not there any more")
    return {
        "company": company, "number": document.number, "currency": document.currency,
        "amount": minor_text(document.amount_minor, document.currency), "status": _stands(document, str(row.body["state"])),
        "due_date": document.due_date.isoformat() if document.due_date else None,
    }  # fmt: skip


def _stands(document: Document, planned: str) -> str:
    # Paid or void is told as it is now; whether a day has passed was judged when this was planned.
    if document.status in ("void", "deleted"):
        return "void"
    if not document.open_minor:
        return "paid"
    left = f"{minor_text(document.open_minor, document.currency)} {document.currency} open"
    return f"overdue, {left}" if planned.startswith("overdue") else left


def _task(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    task = Task.objects.get(pk=row.subject_id)
    if task.state != Task.State.OPEN:
        return Moot("it is settled by now")
    company = their_id(connection_id=row.connection_id, kind="customer", target_id=task.customer_id)
    return {"company": company, "subject": task.title, "due": task.due_date.isoformat()} if company else Moot("its customer is not there any more")


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


def _status(row: Outgoing) -> dict[str, Any] | Moot | NotYet:
    told = row.body
    currency = str(told["currency"])
    return {"customers": [{
        "company": told["company"], "currency": currency, "balance": minor_text(int(told["balance_minor"]), currency),
        "overdue": minor_text(int(told["overdue_minor"]), currency), "oldest_due": told["oldest_due"], "ours": str(row.subject_id),
    }]}  # fmt: skip


#: The lines of the map that ask for an act, where they are not called as it is. Whoever a draft is for is made with it.
_LINES = {
    "apply_credit": ("credit_note",), "update_invoice": ("invoice",), "change_payment": ("payment", "refund"), "cancel_payout": ("payout",),
    "customer": ("customer", "draft"),
}  # fmt: skip
_BORN = {"invoice": Document, "credit_note": Document, "payment": Payment, "payout": Payout}


def _off_the_map(row: Outgoing) -> NotYet | None:
    """Whether the line that asked for an effect is still there and on. A draft's own link on its deal goes with the draft."""
    if (row.kind == "document" and row.subject_kind == "deal") or "theirs" in row.body:
        return None  # What somebody has said is to be told needs no line.
    lines = Route.objects.filter(target_id=row.connection_id, what__in=_LINES.get(row.kind, (row.kind,)))
    if row.subject_kind in _BORN and row.kind != "document":
        lines = lines.filter(origin_id__in=_BORN[row.subject_kind].objects.filter(pk=row.subject_id).values("connection_id"))
    elif row.subject_kind == "refund":
        lines = lines.filter(origin_id__in=Refund.objects.filter(pk=row.subject_id).values("payment__connection_id"))
    found = list(lines.values_list("enabled", flat=True))
    if any(found):
        return None
    return NotYet("its line of the map is switched off" if found else "no line of the map sends it there any more")


_MAKE = {
    "customer": _customer, "invoice": _document, "credit_note": _document, "payment": _payment, "apply_credit": _credit, "void": _void,
    "status": _status, "update_invoice": _edited, "refund": _refund, "change_payment": _taken, "payout": _payout, "cancel_payout": _payout_back,
    "draft": _draft, "document": _beside, "task": _task, "update_customer": _changed_customer,
}  # fmt: skip
#: The acts that are put together here.
ACTS = frozenset(_MAKE)
