"""What must hold before a system goes live: each point from facts, with what to do where it does not hold yet."""

from __future__ import annotations

import datetime as dt

import msgspec

from tieout.stages.intake import queries, stream
from tieout.stages.intake.models import Connection, Envelope
from tieout.stages.ledger.models import TieOutRun
from tieout.stages.writeback import pilot
from tieout.stages.writeback.pilot import Ran


class Point(msgspec.Struct, frozen=True):
    """One point: its name, whether it holds, what it says of itself, and what to do while it does not."""

    name: str
    met: bool
    says: str
    todo: str = ""


def points(*, connection: Connection, runs: list[Ran], consent_ended: bool, now: dt.datetime) -> list[Point]:
    """The list for a connection; `runs` are its pilot runs, the newest first."""
    last = next(iter(runs), None)
    return [
        _credentials(connection, consent_ended),
        _history(connection),
        _fresh(connection, now),
        _ties_out(connection),
        *_piloted(last),
        _looked_at(last),
    ]


def missing(*, connection: Connection, consent_ended: bool, now: dt.datetime) -> list[str]:
    """What does not hold yet, by name."""
    runs = pilot.runs(connection_id=connection.pk, limit=1)
    return [one.name for one in points(connection=connection, runs=runs, consent_ended=consent_ended, now=now) if not one.met]


def _credentials(connection: Connection, consent_ended: bool) -> Point:
    works = bool(connection.last_success_at) and not connection.needs_person and not consent_ended and connection.paused_at is None
    why = connection.needs_person or ("Its consent has run out." if consent_ended else "It has not been read yet.")
    return Point("Credentials work", works, "It lets us in." if works else why, "Connect it again." if connection.needs_person else "")


def _history(connection: Connection) -> Point:
    rows = [one for one in stream.shown(connection_id=connection.pk) if one.name]
    unread = [one.name for one in rows if one.state in stream.UNREAD or one.state in ("auth_broken", "paused")]
    closed = [one.name for one in rows if one.state == "disabled"]
    says = f"{sum(one.seen for one in rows)} objects were read" + (f"; not there in this account: {', '.join(closed)}" if closed else "") + "."
    if unread:
        return Point("History read to its end", False, f"Still to be read: {', '.join(unread)}.", "Wait, or read it now.")
    return Point("History read to its end", True, says)


def _fresh(connection: Connection, now: dt.datetime) -> Point:
    found = queries.freshness_of(connection, now)
    if found.stale or connection.last_success_at is None:
        return Point("Heard from", False, "Neither its door nor a poll has brought anything of late.", "Read it now, and see that a worker runs.")
    heard = Envelope.objects.filter(connection=connection, name="webhook").exists()
    return Point("Heard from", True, "Its webhooks arrive." if heard else "It is asked for changes every minute; webhooks would be quicker.")


def _ties_out(connection: Connection) -> Point:
    last = TieOutRun.objects.filter(connection=connection).order_by("-at", "-id").first()
    if last is None:
        return Point("Ties out", False, "No comparison of balances has been kept yet.", "Open its tie-out and keep one.")
    if last.unexplained:
        return Point("Ties out", False, f"Of {last.documents} documents {last.differing} differ, some without a cause.", "Open its tie-out.")
    return Point("Ties out", True, f"{last.documents} documents compared, nothing unexplained.")


def _piloted(last: Ran | None) -> list[Point]:
    run, mapping = "Pilot run without surprises", "Everything mapped"
    if last is None or last.state == "waiting":
        waits = "The pilot waits for a worker." if last else "The pilot has not been run yet."
        return [Point(run, False, waits, "Run it."), Point(mapping, False, "The pilot shows what the other side needs mapped.", "Run it.")]
    if last.state == "failed":
        return [Point(run, False, "The last run failed.", "Run it again."), Point(mapping, False, "The last run failed.", "Run it again.")]
    smooth = f"{last.invoices} invoices travelled, nothing unexplained." if not last.differing else f"{last.differing} differences are unexplained."
    whole = "Nothing was refused for want of an item, a tax or an account." if not last.refused else f"{last.refused} commands would be refused."
    return [
        Point(run, not last.differing, smooth, "Look at them below, mend them, run it again."),
        Point(mapping, not last.refused, whole, "See why below, fill in the setting, run it again."),
    ]


def _looked_at(last: Ran | None) -> Point:
    if last is not None and last.confirmed_at is not None:
        return Point("Confirmed by an owner", True, f"{last.confirmed_by} has looked at the last run.")
    return Point("Confirmed by an owner", False, "Nobody has looked at the last run yet.", "An owner confirms it below the results.")
