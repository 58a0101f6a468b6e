"""Rows that cannot be taken without guessing: set aside whole, with the reason, until mended or dismissed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec

from tieout.core.evidence import Actor
from tieout.stages.base import audit
from tieout.stages.intake.models import Envelope, QuarantinedRow, Run


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """One row to set aside: where it stood, what is wrong in words, and the row as it was read."""

    code: str
    message: str
    line: int | None = None
    column: str = ""
    field: str = ""
    raw: dict[str, Any] = {}
    stream: str = ""
    external_id: str = ""


def add(*, rows: Iterable[SetAside], run: Run, envelope: Envelope | None) -> int:
    """Set rows aside; returns how many."""
    kept = QuarantinedRow.objects.bulk_create(
        [
            QuarantinedRow(
                connection_id=run.connection_id,
                envelope=envelope,
                run=run,
                line=r.line,
                column=r.column[:300],
                field=r.field[:64],
                code=r.code[:64],
                message=r.message,
                raw=_storable(r.raw),
            )
            for r in rows
        ],
        batch_size=2000,
    )
    return len(kept)


def of_objects(*, rows: Iterable[SetAside], run: Run, envelope_id: int, now: dt.datetime) -> None:
    """Set objects of a connected system aside; the same object's older reason gives way to the newer one."""
    kept = list(rows)
    waiting = QuarantinedRow.objects.filter(connection_id=run.connection_id, state="open", external_id__in=[r.external_id for r in kept])
    again = {(r.stream, r.external_id) for r in kept}
    old = [row.pk for row in waiting if (row.stream, row.external_id) in again]
    QuarantinedRow.objects.filter(pk__in=old).update(state="superseded", settled_at=now, settled_by=f"run {run.pk}")
    QuarantinedRow.objects.bulk_create(
        QuarantinedRow(
            connection_id=run.connection_id, envelope_id=envelope_id, run=run, field=r.field[:64], code=r.code[:64], message=r.message,
            raw=_storable(r.raw), stream=r.stream, external_id=r.external_id[:300],
        )
        for r in kept
    )  # fmt: skip


def understood(*, connection_id: int, objects: Iterable[tuple[str, str]], run_id: int, now: dt.datetime) -> None:
    """These objects could be read: what waits of them is superseded."""
    waiting = QuarantinedRow.objects.filter(connection_id=connection_id, state="open").exclude(external_id="")
    if waiting.exists():
        good = set(objects)
        old = [row.pk for row in waiting.filter(external_id__in=[external_id for _, external_id in good]) if (row.stream, row.external_id) in good]
        QuarantinedRow.objects.filter(pk__in=old).update(state="superseded", settled_at=now, settled_by=f"run {run_id}")


def supersede(*, connection_id: int, run: Run, now: dt.datetime) -> int:
    """Rows still waiting from earlier files of the connection: the newer file speaks for them. Returns how many."""
    waiting = QuarantinedRow.objects.filter(connection_id=connection_id, state="open").exclude(run=run)
    return int(waiting.update(state="superseded", settled_at=now, settled_by=f"run {run.pk}"))


def mended(*, row: QuarantinedRow, actor: Actor, now: dt.datetime, values: dict[str, Any]) -> None:
    """The row was taken with `values` in place of what it held."""
    _settle(row, "mended", actor, now, {"before": row.raw, "after": values})


def still_bad(*, row: QuarantinedRow, found: SetAside, values: dict[str, Any]) -> None:
    """A mending that did not help: keep what was typed and say what is still wrong."""
    row.raw, row.code, row.message, row.column, row.field = _storable(values), found.code[:64], found.message, found.column[:300], found.field[:64]
    row.save(update_fields=["raw", "code", "message", "column", "field"])


def dismiss(*, row: QuarantinedRow, reason: str, actor: Actor, now: dt.datetime) -> None:
    """A person decided that the row is not needed; it stays on record."""
    _settle(row, "dismissed", actor, now, {"reason": reason})


def reopen(*, row: QuarantinedRow, actor: Actor, now: dt.datetime) -> None:
    """Undo a dismissal."""
    _settle(row, "open", actor, now, {})


def _settle(row: QuarantinedRow, state: str, actor: Actor, now: dt.datetime, detail: dict[str, Any]) -> None:
    row.state, row.settled_at, row.settled_by = state, (None if state == "open" else now), actor.name[:300]
    row.save(update_fields=["state", "settled_at", "settled_by"])
    audit.write(actor=actor, action=f"quarantine.{state}", object_kind="quarantined_row", object_id=row.pk, now=now, detail=detail)


def _storable(raw: dict[str, Any]) -> dict[str, Any]:
    # PostgreSQL's JSON takes no NUL; everything else is kept as it was.
    return {str(k).replace("\x00", "␀"): (v.replace("\x00", "␀") if isinstance(v, str) else v) for k, v in raw.items()}
