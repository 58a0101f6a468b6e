"""`tieout doctor`: what is wrong with this installation and how to mend it. Changes nothing, and never ends in a stack trace."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
import msgspec

from tieout.faces.cli import _lines, _machine
from tieout.stages.health.finding import Finding, note, ok, wrong

#: Jobs due for longer than this with nobody to do them are not a moment's pause.
LATE = dt.timedelta(minutes=5)


@click.command(help="Say what is wrong with this installation and how to mend it. Exit 1 where something is.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one for each thing looked at")
def command(as_json: bool) -> None:
    found: list[Finding] = []
    for finding in _all():
        found.append(finding)
        click.echo(json.dumps(msgspec.to_builtins(finding), ensure_ascii=False) if as_json else _line(finding))
    count = sum(one.mark == "wrong" for one in found)
    if not as_json:
        click.echo("Nothing is wrong." if not count else f"{count} thing{'' if count == 1 else 's'} to mend.")
    sys.exit(1 if count else 0)


def _line(finding: Finding) -> str:
    word = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}[finding.mark]
    return f"{word} {finding.what}: {finding.says}" + (f"\n      -> {finding.mend}" if finding.mend else "")


def _all() -> Iterator[Finding]:
    data = Path(os.environ.get("TIEOUT_DATA") or Path.home() / ".tieout").expanduser().resolve()
    yield from _safely("machine", lambda: _machine.look(data))
    hindered = _no_database(data) or _opened()
    if hindered is not None:
        yield hindered
        return
    yield from _safely("schema", _schema)
    yield from _safely("database", _database)
    yield from _safely("jobs", _jobs)
    yield from _safely("organisations", _organisations)


def _safely(what: str, looked: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Whatever goes wrong while looking is itself a finding."""
    try:
        yield from looked()
    except Exception as error:
        words = " ".join(str(error).split())[:300]
        says = f"could not be looked at: {type(error).__name__}: {words}"
        yield wrong(what, says, "mend what is named above first, then run `tieout doctor` again")


def _no_database(data: Path) -> Finding | None:
    """Where there is none yet: a look must not make one."""
    if os.environ.get("DATABASE_URL") or os.environ.get("TIEOUT_APP_DSN"):
        return None
    if not (data / "postgres" / "PG_VERSION").exists() and not list(data.glob("postgres/*/PG_VERSION")):
        return wrong("database", f"there is none in {data}", "run `tieout init` for a new one, or `tieout restore FILE` for a backup")
    return None


def _opened() -> Finding | None:
    """Open the database and the framework; what is wrong if that cannot be done."""
    import psycopg

    from tieout.settings import place, roles

    given = os.environ.get("DATABASE_URL")
    where = "the server of DATABASE_URL" if given else "the embedded database"
    mend = "check the address, the password, and that the server runs" if given else "look into the server's log in the data directory"
    try:
        if given:
            with psycopg.connect(given, connect_timeout=5) as server:
                # Any other command would make the roles and the database now; a look must not.
                if server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [roles.APP]).fetchone() is None:
                    return wrong("database", f"{where} knows no {roles.APP}", "run `tieout migrate` with an administrator's address once")
        place.prepare()
        import django

        django.setup()
        from django.db import connection

        connection.ensure_connection()
    except Exception as error:
        return wrong("database", f"{where} does not answer: {' '.join(str(error).split())[:300]}", mend)
    return None


def _schema() -> Iterator[Finding]:
    from tieout.settings import schema

    if schema.up_to_date():
        yield ok("schema", "every migration applied, the walls of this version in force")
    else:
        yield wrong("schema", "the tables or their walls are not those of this version", "run `tieout migrate`")


def _database() -> Iterator[Finding]:
    from tieout.flow import clock
    from tieout.stages.health import database

    yield from database.look(now=clock.real_now())


def _jobs() -> Iterator[Finding]:
    from tieout.flow import clock, queue

    now, state = clock.real_now(), queue.state()
    late = state.waiting_since is not None and now - state.waiting_since > LATE
    if state.workers:
        yield ok("worker", f"{state.workers} alive")
    elif late or _anybody_live():
        jobs = f", and {state.waiting} jobs wait" if state.waiting else ""
        yield wrong("worker", f"none is alive{jobs}", "run `tieout serve`, or `tieout worker` beside the pages")
    else:
        yield note("worker", "none is alive; nothing waits for one", "`tieout serve` runs one beside the pages")
    if state.workers and late:
        yield wrong("jobs", f"{state.waiting} due, the oldest since {state.waiting_since:%Y-%m-%d %H:%M} UTC", "run another `tieout worker`")
    if state.stalled:
        yield wrong("jobs", f"{state.stalled} hang: their worker is gone", "run `tieout worker`: its sweep frees them within a minute")
    if state.failed:
        yield note("jobs", f"{state.failed} failed within a day", "the worker's log says why; each is asked for again by what causes it")


def _anybody_live() -> bool:
    from tieout.stages.base import queries, walls

    for organisation in queries.organisations():
        with walls.inside(organisation):
            if queries.sending_mode()[0] == "live":
                return True
    return False


def _organisations() -> Iterator[Finding]:
    from tieout.flow import clock
    from tieout.stages.base import queries, walls
    from tieout.stages.health import organisation as condition

    organisations = queries.organisations()
    if not organisations:
        yield note("organisations", "there is none yet", "run `tieout init`")
    for organisation in organisations:
        with walls.inside(organisation):
            name = queries.profile().name
            found = list(condition.look(now=clock.now()))
        for finding in [*found, *_safely("lines", lambda org=organisation: _lines.look(org))]:  # type: ignore[misc]
            yield msgspec.structs.replace(finding, what=f"{name}, {finding.what}" if len(organisations) > 1 else finding.what)
