"""Small builders with names: each makes one real row in the organisation of the running transaction."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from tests.conftest import NOW
from tieout.core import party
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Contact, Customer, Document, DocumentVersion, Payment, PaymentVersion, SourceRecord

_numbers = itertools.count(1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def connection(name: str = "Billing export", **fields: Any) -> Connection:
    """A file connection, fresh as of NOW."""
    existing = Connection.objects.filter(name=name).first()
    return existing or Connection.objects.create(
        **{"name": name, "kind": "file", "created_at": NOW, "last_success_at": NOW, "cadence_hours": 24, **fields}
    )


def customer(name: str = "Brightwater pays late", *, email: str | None = "ap@brightwater.example", **fields: Any) -> Customer:
    """A business debtor in Germany with one mailbox to bill and chase; `email=None` for none."""
    row = Customer.objects.create(
        **{
            "name": name,
            "folded_name": party.fold(name),
            "country": "DE",
            "debtor_type": "business",
            "time_zone": "Europe/Berlin",
            "language": "en",
            "created_at": NOW,
            "recorded_at": NOW,
            **fields,
        }
    )
    _source(row.pk, "customer", f"C{row.pk}")
    if email:
        Contact.objects.create(customer=row, email=email, roles=["bill", "chase"], recorded_at=NOW)
    return row


def invoice(owner: Customer, amount: str = "100.00", due: str = "2026-05-11", *, number: str | None = None, **fields: Any) -> Document:
    """An open invoice in EUR issued 30 days before it is due, with its first version."""
    return _document("invoice", owner, amount, due, number, fields)


def credit_note(owner: Customer, amount: str = "20.00", date: str = "2026-05-20", *, number: str | None = None, **fields: Any) -> Document:
    """An open credit note in EUR."""
    return _document("credit_note", owner, amount, date, number, fields)


def _document(kind: str, owner: Customer, amount: str, due: str, number: str | None, fields: dict[str, Any]) -> Document:
    number = number or f"{'INV' if kind == 'invoice' else 'CN'}-{next(_numbers):05d}"
    due_date = day(due) if due else None
    values: dict[str, Any] = {
        "kind": kind,
        "customer": owner,
        "number": number,
        "connection": connection(),
        "external_id": number,
        "customer_external_id": f"C{owner.pk}",
        "issue_date": due_date - dt.timedelta(days=30) if due_date else None,
        "due_date": due_date,
        "currency": "EUR",
        "amount_minor": int(amount.replace(".", "")),
        "created_at": NOW,
        "recorded_at": NOW,
        **fields,
    }
    row = Document.objects.create(**values)
    DocumentVersion.objects.create(
        document=row,
        customer=owner,
        number=number,
        issue_date=row.issue_date,
        due_date=row.due_date,
        currency=row.currency,
        amount_minor=row.amount_minor,
        reported_open_minor=row.reported_open_minor,
        status=row.status,
        recorded_at=row.recorded_at,
    )
    _source(row.pk, kind, number)
    row.refresh_from_db()
    return row


def payment(amount: str = "100.00", date: str = "2026-06-09", *, owner: Customer | None = None, text: str = "", **fields: Any) -> Payment:
    """Money received in EUR with `text` as its remittance; whose it is, is not known unless `owner` says."""
    external = f"bank-{next(_numbers):05d}"
    row = Payment.objects.create(
        **{
            "customer": owner,
            "connection": connection("Bank"),
            "external_id": external,
            "date": day(date),
            "currency": "EUR",
            "amount_minor": int(amount.replace(".", "")),
            "remittance": text,
            "created_at": NOW,
            "recorded_at": NOW,
            **fields,
        }
    )
    PaymentVersion.objects.create(
        payment=row,
        customer_id=owner.pk if owner else None,
        date=row.date,
        currency=row.currency,
        amount_minor=row.amount_minor,
        status=row.status,
        recorded_at=row.recorded_at,
    )
    _source(row.pk, "payment", external, name="Bank")
    row.refresh_from_db()
    return row


def _source(target: int, kind: str, external_id: str, name: str = "Billing export") -> None:
    SourceRecord.objects.create(
        connection=connection(name), kind=kind, external_id=external_id, target_id=target, content_hash=b"built", recorded_at=NOW, seen_at=NOW
    )
