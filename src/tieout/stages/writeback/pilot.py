"""A rehearsal of a connection in pilot: chosen, run, kept, looked at by a person. Nothing of it is ever written to a system."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django.db.models import Exists, OuterRef, Q

from tieout.core.evidence import Actor
from tieout.stages.base import audit
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Document, SourceRecord
from tieout.stages.writeback.models import PilotRun

#: So many travel where nobody chooses, and no more than this where somebody does: each is read at its source and at its targets.
USUAL, MOST = 5, 25


class NothingToShow(Exception):
    """The pilot cannot be run like this; the message says why, and what to do."""


class NotYetRun(Exception):
    """There is no finished pilot run to confirm; run the pilot first."""


def choose(*, connection: Connection, numbers: Iterable[str], origins: Iterable[int] = ()) -> list[Document]:
    """The invoices to travel: those of these numbers, else the newest. `origins` are connections whose invoices would go there.

    Raises NothingToShow.
    """
    known = SourceRecord.objects.filter(connection=connection, retracted_at__isnull=True, gone_at__isnull=True)
    own = Exists(known.filter(kind="invoice", target_id=OuterRef("pk"))) | Exists(known.filter(kind="customer", target_id=OuterRef("customer_id")))
    mine = Document.objects.filter(Q(connection=connection) | Q(connection_id__in=list(origins)) | Q(own), kind="invoice")
    wanted = list(dict.fromkeys(number.strip() for number in numbers if number.strip()))
    if len(wanted) > MOST:
        raise NothingToShow(f"{len(wanted)} invoices are named; at most {MOST} travel at once")
    if not wanted:
        found = list(mine.exclude(status="draft").order_by("-issue_date", "-id")[:USUAL])
        if not found:
            raise NothingToShow(f"there is no invoice yet that {connection.name} has or would get; read its history first")
        return found
    found = list(mine.filter(number__in=wanted).order_by("-issue_date", "-id")[:MOST])
    unknown = [number for number in wanted if number not in {one.number for one in found}]
    if unknown:
        raise NothingToShow(f"{connection.name} neither has nor would get an invoice {unknown[0]!r}; look at its number in Receivables")
    return found


def begin(*, connection: Connection, documents: Iterable[Document], actor: Actor, now: dt.datetime) -> PilotRun:
    """Ask for a run over these invoices."""
    chosen = [one.pk for one in documents]
    row: PilotRun = PilotRun.objects.create(connection=connection, asked_at=now, asked_by=actor.name[:300], chosen=chosen)
    detail = {"run": row.pk, "invoices": len(chosen)}
    audit.write(actor=actor, action="pilot.run", object_kind="connection", object_id=connection.pk, now=now, detail=detail)
    return row


def keep(*, run_id: int, results: list[dict[str, Any]], differing: int, refused: int, now: dt.datetime) -> None:
    """What the run met."""
    PilotRun.objects.filter(pk=run_id).update(state="done", finished_at=now, results=results, differing=differing, refused=refused, error="")


def failed(*, run_id: int, error: str, now: dt.datetime) -> None:
    """It could not be run to its end."""
    PilotRun.objects.filter(pk=run_id).update(state="failed", finished_at=now, error=error)


def confirm(*, connection: Connection, actor: Actor, now: dt.datetime) -> None:
    """A person has looked at the latest run and says that it is right. Raises NotYetRun."""
    row = PilotRun.objects.filter(connection=connection).order_by("-asked_at", "-id").first()
    if row is None or row.state != PilotRun.State.DONE:
        raise NotYetRun(f"{connection.name} has no finished pilot run to confirm; run the pilot first")
    row.confirmed_at, row.confirmed_by = now, actor.name[:300]
    row.save(update_fields=["confirmed_at", "confirmed_by"])
    audit.write(actor=actor, action="pilot.confirm", object_kind="connection", object_id=connection.pk, now=now, detail={"run": row.pk})


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A run for a page; `results` in full where they were asked for."""

    id: int
    asked_at: dt.datetime
    asked_by: str
    state: str
    invoices: int
    differing: int
    refused: int
    error: str
    confirmed_at: dt.datetime | None
    confirmed_by: str
    results: list[Mapping[str, Any]] = []


def runs(*, connection_id: int, limit: int = 10) -> list[Ran]:
    """Runs of a connection, the newest first; the newest with its results."""
    rows = PilotRun.objects.filter(connection_id=connection_id).order_by("-asked_at", "-id")[:limit]
    return [
        Ran(
            id=r.pk, asked_at=r.asked_at, asked_by=r.asked_by, state=r.state, invoices=len(r.chosen), differing=r.differing, refused=r.refused,
            error=r.error, confirmed_at=r.confirmed_at, confirmed_by=r.confirmed_by, results=[] if place else r.results,
        )
        for place, r in enumerate(rows)
    ]  # fmt: skip
