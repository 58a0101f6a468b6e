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
