"""Disagreements and effects that wait for a person, as a page shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from django.db.models import Count

from tieout.core.money import Money
from tieout.core.truth import WORDS
from tieout.stages.ledger.models import Document, Payment
from tieout.stages.writeback import telling
from tieout.stages.writeback.models import Conflict, Outgoing


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A disagreement with both words, as a row. `takes` and `tells` say which answers it can be given."""

    id: int
    kind: str
    target_id: int
    about: str
    customer_id: int | None
    customer: str
    field: str
    word: str
    connection_id: int
    connection: str
    external_id: str
    ours: str
    ours_from: str
    ours_at: dt.datetime | None
    theirs: str
    theirs_at: dt.datetime | None
    because: str
    proposal: str
    state: str
    answer: str
    note: str
    settled_at: dt.datetime | None
    settled_by: str
    takes: bool
    tells: bool
    money: bool


class Stuck(msgspec.Struct, frozen=True, kw_only=True):
    """An effect that a system refused or that may have happened: for a person to look into."""

    id: int
    act: str
    label: str
    connection_id: int
    connection: str
    state: str
    receipt: str
    at: dt.datetime


def conflicts(
    *, state: str = "open", connection_id: int | None = None, field: str = "", customer_id: int | None = None, after: int = 0, limit: int = 50
) -> list[Shown]:
    """Disagreements in one state, the oldest first, those of one system or field."""
    rows = Conflict.objects.filter(state=state, pk__gt=after).select_related("connection", "customer")
    rows = rows.filter(connection_id=connection_id) if connection_id is not None else rows
    rows = rows.filter(field=field) if field else rows
    rows = rows.filter(customer_id=customer_id) if customer_id is not None else rows
    found = list(rows.order_by("id")[:limit])
    abouts = _abouts(found)
    tells = telling.abilities() if found else {}
    return [_shown(row, abouts, tells) for row in found]


class Counted(msgspec.Struct, frozen=True):
    """How many there are in each state, and the fields somebody disagrees about in one state, each with the word for it."""

    states: dict[str, int]
    fields: list[tuple[str, str]]


def counted(*, state: str) -> Counted:
    """All of them by state; the fields of those in `state`."""
    found = list(Conflict.objects.values_list("state", "field").annotate(Count("id")))
    states: dict[str, int] = {}
    for name, _, count in found:
        states[name] = states.get(name, 0) + count
    return Counted(states, sorted((field, WORDS.get(field, field)) for name, field, _ in found if name == state))


def stuck(*, connection_id: int | None = None, limit: int = 50) -> list[Stuck]:
    """What a system could not be told: something needs mapping, it refused, or nobody knows whether it happened."""
    rows = Outgoing.objects.filter(connection__isnull=False, state__in=("failed", "unknown")).select_related("connection")
    rows = rows.filter(connection_id=connection_id) if connection_id is not None else rows
    return [
        Stuck(
            id=row.pk, act=row.kind, label=str(row.body.get("label", "")), connection_id=row.connection_id, connection=row.connection.name,
            state=row.state, receipt=row.receipt, at=row.settled_at or row.written_at,
        )
        for row in rows.order_by("-id")[:limit]
    ]  # fmt: skip


def _abouts(rows: list[Conflict]) -> dict[tuple[str, int], str]:
    documents = {row.target_id for row in rows if row.kind in ("invoice", "credit_note")}
    payments = {row.target_id for row in rows if row.kind == "payment"}
    found = {(kind, pk): number for pk, kind, number in Document.objects.filter(pk__in=documents).values_list("id", "kind", "number")}
    for pk, reference, external_id in Payment.objects.filter(pk__in=payments).values_list("id", "reference", "external_id") if payments else ():
        found["payment", pk] = reference or external_id
    return found


def _shown(row: Conflict, abouts: Mapping[tuple[str, int], str], tells: Mapping[int, telling.Able]) -> Shown:
    customer = row.customer.name if row.customer_id else ""
    return Shown(
        id=row.pk, kind=row.kind, target_id=row.target_id, about=abouts.get((row.kind, row.target_id), customer), customer_id=row.customer_id,
        customer=customer, field=row.field, word=WORDS.get(row.field, row.field), connection_id=row.connection_id,
        connection=row.connection.name, external_id=row.external_id, ours=_text(row, row.ours), ours_from=row.ours_from, ours_at=row.ours_at,
        theirs=_text(row, row.theirs), theirs_at=row.theirs_at, because=row.because, proposal=row.proposal, state=row.state, answer=row.answer,
        note=row.note, settled_at=row.settled_at, settled_by=row.settled_by,
        takes=row.kind in ("customer", "contact") or row.field == "due_date", tells=telling.may(row, tells),
        money=row.field in ("amount_minor", "status"),
    )  # fmt: skip


def _text(row: Conflict, value: Any) -> str:
    if row.field == "amount_minor" and value is not None:
        return str(Money(int(value), row.currency))
    return "" if value is None else str(value)
