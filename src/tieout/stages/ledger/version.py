"""One more version of a document or payment: the old one ends now, the new one begins."""

from __future__ import annotations

import datetime as dt

from tieout.stages.base import feed
from tieout.stages.ledger.models import Document, DocumentVersion, Payment, PaymentVersion


def of_document(*, document: Document, cause: str, now: dt.datetime) -> None:
    """Record the document as it stands, with its entry in the change feed."""
    DocumentVersion.objects.filter(document=document, superseded_at__isnull=True).update(superseded_at=now)
    DocumentVersion.objects.create(
        document=document,
        customer_id=document.customer_id,
        number=document.number,
        issue_date=document.issue_date,
        due_date=document.due_date,
        currency=document.currency,
        amount_minor=document.amount_minor,
        reported_open_minor=document.reported_open_minor,
        status=document.status,
        recorded_at=now,
        cause=cause,
    )
    feed.publish(kind="document", ids=[document.pk], customer_ids=[document.customer_id], cause=cause, now=now)


def of_payment(*, payment: Payment, cause: str, now: dt.datetime) -> None:
    """Record the payment as it stands, with its entry in the change feed."""
    PaymentVersion.objects.filter(payment=payment, superseded_at__isnull=True).update(superseded_at=now)
    PaymentVersion.objects.create(
        payment=payment,
        customer_id=payment.customer_id,
        date=payment.date,
        currency=payment.currency,
        amount_minor=payment.amount_minor,
        status=payment.status,
        recorded_at=now,
        cause=cause,
    )
    feed.publish(kind="payment", ids=[payment.pk], customer_ids=[payment.customer_id or 0], cause=cause, now=now)
