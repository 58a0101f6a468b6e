"""Identity links: which source records are one customer. Linking and unlinking are dated facts; the documents follow.

Nothing is merged away: a record linked elsewhere takes its documents and payments along as new versions, and taking
the link back brings them home by the same recomputation.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection

from tieout.core import party
from tieout.core.evidence import Actor
from tieout.stages.base import audit, feed, walls
from tieout.stages.ledger import decide
from tieout.stages.ledger.models import Customer, FieldWord, SourceRecord


class LinkRefused(Exception):
    """The link cannot be made or taken back; the message says why."""


def link(*, record: SourceRecord, customer: Customer, evidence: str, actor: Actor, now: dt.datetime) -> SourceRecord:
    """Say that a source's customer record is `customer`; its documents and payments move there."""
    if record.kind != "customer" or record.retracted_at is not None:
        raise LinkRefused("this is not a customer record in force; look the customer up again")
    if record.target_id == customer.pk:
        raise LinkRefused("the record belongs to this customer already")
    if record.rank > actor.rank:
        raise LinkRefused("a person linked this record; only a person may link it elsewhere")
    record.retracted_at = now
    record.save(update_fields=["retracted_at"])
    moved: SourceRecord = SourceRecord.objects.create(
        connection_id=record.connection_id,
        kind="customer",
        external_id=record.external_id,
        target_id=customer.pk,
        content_hash=bytes(record.content_hash),
        envelope_id=record.envelope_id,
        line=record.line,
        evidence=evidence[:300],
        linked_by=actor.name[:300],
        rank=actor.rank,
        recorded_at=now,
        seen_at=now,
    )
    counts = _move(record, customer.pk, now)
    FieldWord.objects.filter(kind="customer", connection_id=record.connection_id, external_id=record.external_id).update(target_id=customer.pk)
    decide.run(customer_ids=[record.target_id, customer.pk], now=now)
    feed.publish(kind="customer", ids=[record.target_id, customer.pk], customer_ids=[record.target_id, customer.pk], cause="link", now=now)
    audit.write(
        actor=actor,
        action="customer.link",
        object_kind="customer",
        object_id=customer.pk,
        now=now,
        reason=evidence,
        detail={"record": record.external_id, "from": record.target_id, **counts},
    )
    return moved


def unlink(*, record: SourceRecord, actor: Actor, now: dt.datetime) -> SourceRecord:
    """Split a source's record off again: back to the customer it was before, or to one of its own."""
    before = (
        SourceRecord.objects.filter(connection_id=record.connection_id, kind="customer", external_id=record.external_id, retracted_at__isnull=False)
        .exclude(target_id=record.target_id)
        .order_by("-retracted_at")
        .first()
    )
    if before is not None:
        home = Customer.objects.get(pk=before.target_id)
    else:
        others = SourceRecord.objects.filter(kind="customer", target_id=record.target_id, retracted_at__isnull=True).exclude(pk=record.pk)
        if not others.exists():
            raise LinkRefused("this is the customer's only record; there is nothing to split off")
        ours = Customer.objects.get(pk=record.target_id)
        home = Customer.objects.create(
            name=ours.name,
            folded_name=party.fold(ours.name)[:300],
            country=ours.country,
            debtor_type=ours.debtor_type,
            time_zone=ours.time_zone,
            language=ours.language,
            created_at=now,
            recorded_at=now,
        )
    return link(record=record, customer=home, evidence="split off by a person", actor=actor, now=now)


def _move(record: SourceRecord, customer_id: int, now: dt.datetime) -> dict[str, int]:
    given = {
        "org": walls.current(),
        "conn": record.connection_id,
        "key": record.external_id,
        "to": customer_id,
        "from": record.target_id,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH moved AS (
                 UPDATE ledger_document SET customer_id = %(to)s, recorded_at = %(now)s
                  WHERE organisation_id = %(org)s AND connection_id = %(conn)s AND customer_external_id = %(key)s
                    AND customer_id = %(from)s RETURNING *),
               old AS (UPDATE ledger_documentversion v SET superseded_at = %(now)s FROM moved m
                        WHERE v.organisation_id = %(org)s AND v.document_id = m.id AND v.superseded_at IS NULL)
               INSERT INTO ledger_documentversion (organisation_id, document_id, customer_id, number, issue_date, due_date, currency,
                      amount_minor, reported_open_minor, status, recorded_at, cause)
               SELECT organisation_id, id, customer_id, number, issue_date, due_date, currency, amount_minor, reported_open_minor, status,
                      %(now)s, 'link' FROM moved""",
            given,
        )
        documents = cursor.rowcount
        cursor.execute(
            """WITH moved AS (
                 UPDATE ledger_payment SET customer_id = %(to)s, recorded_at = %(now)s
                  WHERE organisation_id = %(org)s AND connection_id = %(conn)s AND customer_external_id = %(key)s
                    AND customer_id = %(from)s RETURNING *),
               old AS (UPDATE ledger_paymentversion v SET superseded_at = %(now)s FROM moved m
                        WHERE v.organisation_id = %(org)s AND v.payment_id = m.id AND v.superseded_at IS NULL)
               INSERT INTO ledger_paymentversion (organisation_id, payment_id, customer_id, date, currency, amount_minor, status, recorded_at, cause)
               SELECT organisation_id, id, customer_id, date, currency, amount_minor, status, %(now)s, 'link' FROM moved""",
            given,
        )
        return {"documents": documents, "payments": cursor.rowcount}
