"""One pass over an envelope, begun and ended."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tieout.stages.intake.models import Connection, Envelope, Run


def begin(*, connection: Connection, envelope: Envelope | None, now: dt.datetime) -> Run:
    """Begin a run; committed before the work, so that a dead one is seen."""
    connection.last_attempt_at = now
    connection.save(update_fields=["last_attempt_at"])
    row: Run = Run.objects.create(connection=connection, envelope=envelope, started_at=now)
    return row


def done(*, run: Run, counts: dict[str, int], notices: list[dict[str, Any]], now: dt.datetime) -> None:
    """End a run with its counts; the connection is fresh as of now."""
    for name, value in counts.items():
        setattr(run, name, value)
    run.state, run.finished_at, run.notices = "done", now, notices[:200]
    run.save()
    connection = run.connection
    connection.last_success_at, connection.last_error = now, ""
    connection.save(update_fields=["last_success_at", "last_error"])


def failed(*, run: Run, error: str, now: dt.datetime) -> None:
    """End a run that took nothing, with the reason in words."""
    run.state, run.finished_at, run.error = "failed", now, error
    run.save(update_fields=["state", "finished_at", "error"])
    connection = run.connection
    connection.last_error = error
    connection.save(update_fields=["last_error"])
