"""What a line of the map would pour over from a day on: how many documents, over how much, that the other system does not have yet."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.db.models import Count, Exists, Min, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from tieout.core.money import Money
from tieout.stages.ledger.models import Document, Payment, SourceRecord
from tieout.stages.writeback.models import Outgoing


class Pour(msgspec.Struct, frozen=True):
    """So many, over these sums (one a currency), the oldest of that day."""

    count: int
    sums: tuple[Money, ...]
    oldest: dt.date | None


def count(*, origin_id: int, target_id: int, what: str, since: dt.date) -> Pour:
    """What was born in one system since a day and was neither told to the other nor asked for yet."""
    rows = _payments(origin_id) if what == "payment" else _documents(origin_id, what)
    there = SourceRecord.objects.filter(
        connection_id=target_id, kind=what, target_id=OuterRef("pk"), retracted_at__isnull=True, gone_at__isnull=True
    )
    asked = Outgoing.objects.filter(connection_id=target_id, kind=what, subject_id=OuterRef("pk"))
    found = list(
        rows.filter(day__gte=since).exclude(Exists(there)).exclude(Exists(asked)).order_by().values("currency")
        .annotate(number=Count("pk"), total=Sum("amount_minor"), oldest=Min("day"))
    )  # fmt: skip
    sums = tuple(Money(int(one["total"]), one["currency"]) for one in sorted(found, key=lambda one: str(one["currency"])))
    return Pour(sum(one["number"] for one in found), sums, min((one["oldest"] for one in found), default=None))


def _documents(origin_id: int, kind: str) -> QuerySet[Any]:
    rows = Document.objects.filter(connection_id=origin_id, kind=kind, status="open", amount_minor__gt=0)
    return rows.annotate(day=Coalesce("issue_date", TruncDate("created_at", tzinfo=dt.UTC)))


def _payments(origin_id: int) -> QuerySet[Any]:
    rows = Payment.objects.filter(connection_id=origin_id, status__in=("succeeded", "settled"), allocated_minor__gt=0)
    return rows.annotate(day=Coalesce("date", TruncDate("created_at", tzinfo=dt.UTC)))
