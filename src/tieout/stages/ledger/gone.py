"""What a source no longer has: deleted, archived or merged away there. A dated fact here, never a delete; should the record come
back, its next reading counts as a change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection

from tieout.stages.base import feed, walls
from tieout.stages.ledger import decide, version
from tieout.stages.ledger.models import Deal, Document, Payment, Payout, SourceRecord, Stated, StatedDispute, StatedRefund

#: What a reading says that stopped because far too many records were missing: such a stop is told apart by it.
TOO_MANY = "that is too many to believe"


def at_source(*, connection_id: int, kind: str, external_ids: Iterable[str], how: str, now: dt.datetime) -> list[int]:
    """Mark these records of a connection as gone. Its own documents are deleted, its own payments called off, what it stated as
    applied or given back is taken back; what was born elsewhere stays as it is. Returns the customers touched.
    """
    records = list(
        SourceRecord.objects.filter(connection_id=connection_id, kind=kind, external_id__in=sorted(set(external_ids)), retracted_at__isnull=True)
        .filter(gone_at__isnull=True)
        .order_by("id")
    )
    if not records:
        return []
    SourceRecord.objects.filter(pk__in=[r.pk for r in records]).update(gone_at=now, gone_as=how, content_hash=b"\x00")
    ids = [r.external_id for r in records]
    touched: set[int] = set()
    if kind in ("invoice", "credit_note"):
        for document in Document.objects.filter(pk__in=[r.target_id for r in records], connection_id=connection_id).exclude(status="deleted"):
            document.status, document.source_status, document.recorded_at = "deleted", how, now
            document.save(update_fields=["status", "source_status", "recorded_at"])
            version.of_document(document=document, cause="gone", now=now)
            touched.add(document.customer_id)
    elif kind == "payment":
        for payment in Payment.objects.filter(pk__in=[r.target_id for r in records], connection_id=connection_id).exclude(status="cancelled"):
            payment.status, payment.source_status, payment.recorded_at = "cancelled", how, now
            payment.save(update_fields=["status", "source_status", "recorded_at"])
            version.of_payment(payment=payment, cause="gone", now=now)
            touched.update([payment.customer_id] if payment.customer_id else [])
    elif kind == "application":
        Stated.objects.filter(connection_id=connection_id, application_external_id__in=ids, retracted_at__isnull=True).update(retracted_at=now)
    elif kind == "refund":
        StatedRefund.objects.filter(connection_id=connection_id, external_id__in=ids).update(status="cancelled", recorded_at=now)
    elif kind == "dispute":
        # A dispute that is not there any more asks for nothing: what was applied stands again.
        StatedDispute.objects.filter(connection_id=connection_id, external_id__in=ids).update(status="closed", recorded_at=now)
    elif kind == "deal":
        Deal.objects.filter(connection_id=connection_id, external_id__in=ids).update(won=False, won_at=None, stage=how, recorded_at=now)
    elif kind == "payout":
        # Only its own: a deposit of ours that somebody deleted in the books does not unmake what the gateway paid.
        own = Payout.objects.filter(pk__in=[r.target_id for r in records], connection_id=connection_id)
        own.update(status="cancelled", source_status=how, recorded_at=now)
        feed.publish(kind="payout", ids=own.values_list("pk", flat=True), customer_ids=(), cause="gone", now=now)
    elif kind == "customer":
        touched.update(r.target_id for r in records)
        decide.run(customer_ids=sorted(touched), now=now)
        feed.publish(kind="customer", ids=[r.target_id for r in records], customer_ids=touched, cause="gone", now=now)
    return sorted(touched)


def missing(*, connection_id: int, kind: str, generation: int, stream: str) -> list[str]:
    """Records of this kind that a full reading of a stream has not seen, by the source's key."""
    with connection.cursor() as cursor:
        # What was met is one pass; a loop over it for each record would not end.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(
            """WITH met AS MATERIALIZED (
                 SELECT unnest(s.external_ids) AS external_id FROM ledger_seen s
                  WHERE s.organisation_id = %(org)s AND s.connection_id = %(conn)s AND s.stream = %(stream)s AND s.generation = %(generation)s)
               SELECT r.external_id FROM ledger_sourcerecord r
                WHERE r.organisation_id = %(org)s AND r.connection_id = %(conn)s AND r.kind = %(kind)s AND r.retracted_at IS NULL
                  AND r.gone_at IS NULL
                  AND NOT EXISTS (SELECT 1 FROM met m WHERE m.external_id = r.external_id)
                ORDER BY r.external_id""",
            {"org": walls.current(), "conn": connection_id, "kind": kind, "generation": generation, "stream": stream},
        )
        unseen = [row[0] for row in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_nestloop = on")
        return unseen


def known(*, connection_id: int, kind: str) -> int:
    """How many records of a kind the connection has that are not gone."""
    return int(SourceRecord.objects.filter(connection_id=connection_id, kind=kind, retracted_at__isnull=True, gone_at__isnull=True).count())
