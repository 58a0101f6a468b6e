"""The outbox as people see it: each effect in words, its state and what came of it; counts by state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
from django.db.models import Count, QuerySet

from tieout.stages.ledger.models import Allocation, Customer
from tieout.stages.writeback.models import Download, Outgoing

#: What each act is called on a page: of what it does there.
ACTS = {
    "customer": "New customer", "invoice": "New invoice", "credit_note": "New credit note", "payment": "Payment received",
    "apply_credit": "Credit applied", "void": "Invoice voided", "status": "What is owed",
}  # fmt: skip
#: States that are somebody's to look at, in the order of their urgency.
WAITING_FOR_SOMEBODY = ("unknown", "person", "failed")


class Filters(msgspec.Struct, frozen=True):
    """Which effects are shown; None is all."""

    state: str | None = None
    connection_id: int | None = None
    act: str | None = None
    text: str = ""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One effect for a list or its own page. `door` is the kind and id of the record it is about."""

    id: int
    act: str
    kind: str
    label: str
    door: tuple[str, int] | None
    connection: str
    connection_id: int
    state: str
    said: str
    lacks: str
    external_id: str
    key: str
    attempts: int
    written_at: dt.datetime
    claimed_at: dt.datetime | None
    settled_at: dt.datetime | None
    not_before: dt.datetime | None
    body: dict[str, Any]


def listing(*, filters: Filters, before: int | None, limit: int) -> list[Effect]:
    """Effects on connected systems, the newest first."""
    rows = _matching(filters).select_related("connection").order_by("-id")
    return _effects(list((rows.filter(pk__lt=before) if before else rows)[:limit]))


def counts(*, connection_id: int | None = None) -> dict[str, int]:
    """How many effects are in each state."""
    rows = _matching(Filters(connection_id=connection_id)).order_by().values_list("state").annotate(number=Count("pk"))
    return dict(rows)


def one(*, row: Outgoing) -> Effect:
    """One effect."""
    return _effects([row])[0]


def downloads(*, connection_id: int, limit: int = 50) -> list[Download]:
    """The outbox files made of a connection, the newest first, without their bytes."""
    return list(Download.objects.filter(connection_id=connection_id).defer("content").order_by("-ordinal")[:limit])


def _matching(filters: Filters) -> QuerySet[Any]:
    rows: QuerySet[Any] = Outgoing.objects.filter(connection__isnull=False)
    if filters.state:
        rows = rows.filter(state=filters.state)
    if filters.connection_id is not None:
        rows = rows.filter(connection_id=filters.connection_id)
    if filters.act:
        rows = rows.filter(kind=filters.act)
    if filters.text:
        rows = rows.filter(body__label__icontains=filters.text) | rows.filter(external_id=filters.text)
    return rows


def _effects(rows: list[Outgoing]) -> list[Effect]:
    names = _names(row.subject_id for row in rows if row.subject_kind == "customer" and not row.body.get("label"))
    on = _documents(row.subject_id for row in rows if row.subject_kind == "allocation")
    return [
        Effect(
            id=row.pk, act=ACTS.get(row.kind, row.kind), kind=row.kind,
            label=str(row.body.get("label") or names.get(row.subject_id) or row.natural_key), door=_door(row, on), body=row.body,
            connection=row.connection.name, connection_id=row.connection_id, state=row.state, said=row.receipt, lacks=row.lacks,
            external_id=row.external_id, key=row.natural_key, attempts=row.attempts, written_at=row.written_at, claimed_at=row.claimed_at,
            settled_at=row.settled_at, not_before=row.not_before,
        )
        for row in rows
    ]  # fmt: skip


def _names(ids: Iterable[int]) -> dict[int, str]:
    wanted = set(ids)
    return dict(Customer.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def _documents(ids: Iterable[int]) -> dict[int, int]:
    wanted = set(ids)
    return dict(Allocation.objects.filter(pk__in=wanted).values_list("pk", "document_id")) if wanted else {}


def _door(row: Outgoing, on: dict[int, int]) -> tuple[str, int] | None:
    if row.subject_id is None:
        return None
    if row.subject_kind == "allocation":
        return ("invoice", on[row.subject_id]) if row.subject_id in on else None
    page = {"customer": "customer", "invoice": "invoice", "credit_note": "invoice", "payment": "cash_payment"}.get(row.subject_kind)
    return (page, row.subject_id) if page else None
