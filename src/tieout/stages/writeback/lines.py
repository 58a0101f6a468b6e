"""What the lines of documents bound for a system name: products and tax rates, how often, and in which words; what a mapping is asked for."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from django.db.models import Count, Max

from tieout.stages.ledger.models import Document, DocumentLine
from tieout.stages.writeback.models import Route

#: So many are shown; the rest is what the everything-else setting is for.
MOST = 40


class Named(msgspec.Struct, frozen=True):
    """A key of a source, on how many lines it stands, and an example of what such a line says."""

    key: str
    count: int
    example: str


def origins(*, target_id: int) -> list[int]:
    """The sources whose documents go to a system."""
    return sorted(set(Route.objects.filter(target_id=target_id, what__in=("invoice", "credit_note")).values_list("origin_id", flat=True)) - {None})


def named(*, origin_ids: Iterable[int], per: str) -> list[Named]:
    """The `item`s or `tax_code`s that lines of these sources name, the most frequent first."""
    rows = (
        DocumentLine.objects.filter(document__connection_id__in=list(origin_ids)).exclude(**{per: ""}).values(per)
        .annotate(number=Count("pk"), example=Max("description")).order_by("-number", per)[:MOST]
    )  # fmt: skip
    return [Named(row[per], row["number"], row["example"]) for row in rows]


def newest(*, origin_ids: Iterable[int], limit: int = 8) -> list[Document]:
    """The newest invoices of these sources: what a change of the mapping is tried on."""
    rows = Document.objects.filter(connection_id__in=list(origin_ids), kind="invoice", amount_minor__gt=0).exclude(status="draft")
    return list(rows.select_related("customer", "connection").order_by("-issue_date", "-id")[:limit])
