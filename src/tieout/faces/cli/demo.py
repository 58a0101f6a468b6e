"""`tieout demo`: the living sample company, on this machine only; `--once` walks the same road without a server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from tieout.faces.cli import _processes, _setup

#: Where the sample lives unless TIEOUT_DATA says otherwise.
PLACE = Path("var") / "demo"
#: Ports tried after the wanted one.
_TRIES = 50
#: Seconds between two looks whether a moment of the company's day has come.
_PAUSE = 30
#: Seconds between two looks of the twins whether their company is still there.
_LOOK = 5.0


@click.command(help="A living sample company: two years of history, money arriving, letters caught on this machine.")
@click.option("--once", is_flag=True, help="no server: load it, live some days, print what happened, leave nothing behind")
@click.option("--json", "as_json", is_flag=True, help="with --once: the summary as one JSON line")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="the next free one is taken where it is in use")
@click.option("--catch", "catching", type=int, hidden=True, help="the process that catches letters and lives the days")
@click.option("--twins", "vendors", is_flag=True, hidden=True, help="the process that stands in for Stripe, QuickBooks and HubSpot")
def command(once: bool, as_json: bool, port: int, catching: int | None, vendors: bool) -> None:
    os.environ["TIEOUT_DEMO"] = "1"
    if catching is not None:
        _catch(catching)
    elif vendors:
        _twins()
    elif once:
        _once(as_json=as_json)
    else:
        sys.exit(_serve(port))


def _serve(wanted: int) -> int:
    os.environ.setdefault("TIEOUT_DATA", str(PLACE))
    port = _free(wanted)
    if port != wanted:
        click.echo(f"Port {wanted} is in use; taking {port}.")
    os.environ.setdefault("TIEOUT_URL", f"http://127.0.0.1:{port}")
    click.echo("Setting up the database ...", err=True)
    _setup.django()
    from django.db import connections

    from tieout.rehearsal import demo

    smtp = _ready(_say)
    pages = _pages()
    connections.close_all()
    click.echo(
        f"\n  Tieout answers at  http://127.0.0.1:{port}\n  Sign in as         {demo.LOGIN}\n  Password           {demo.PASSWORD}\n\n"
        f"{pages}  Nothing leaves this machine: every letter is caught and shown under Demo. Data in {os.environ['TIEOUT_DATA']}; Ctrl-C ends it.\n"
    )
    catcher = [sys.executable, "-m", "tieout.faces.cli", "demo", "--catch", str(smtp)]
    twins = [sys.executable, "-m", "tieout.faces.cli", "demo", "--twins"]
    return _processes.run_together({"web": _processes.web(port), "worker": _processes.worker(), "catcher": catcher, "twins": twins})


def _pages() -> str:
    """Where the twins' own pages are, for the greeting."""
    from tieout.rehearsal import demo
    from tieout.stages.base import walls

    organisation = demo.known()
    if organisation is None:
        return ""
    with walls.inside(organisation):
        told = [f"  {name:18} {demo.connected.url(vendor)}\n" for vendor, name in demo.connected.NAMES.items() if demo.connected.url(vendor)]
    return "".join([*told, "\n"]) if told else ""


def _twins() -> None:
    """Stand in for the company's Stripe, QuickBooks and HubSpot until asked to stop; what they hold is kept for the next time."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    _setup.django(migrated=False)
    from django.db import connections

    from tieout.rehearsal import demo

    organisation = demo.known()
    if organisation is None:
        stopped.wait()
        return
    try:
        with demo.connected.running(organisation, door=os.environ.get("TIEOUT_URL", "")):
            connections.close_all()
            while not stopped.wait(_LOOK) and demo.known() == organisation:
                connections.close_all()
    except demo.Gone as error:
        click.echo(f"tieout: {error}", err=True)
    # A sample that was deleted, or whose twins cannot be gone on with, needs none; the product goes on without them.
    stopped.wait()


def _ready(say: Any) -> int:
    """The company is there and its letters have a port; returns it."""
    from tieout.flow import clock, line
    from tieout.rehearsal import demo

    line.unlimited()  # the vendors are twins, and weeks are lived in seconds
    with demo.alone():
        organisation = demo.there()
        if organisation is None:
            organisation = demo.company(now=clock.real_now(), say=say)
        else:
            say("found as it was left")
    port = demo.post(organisation, now=clock.real_now())
    if _free(port) != port:
        port = demo.post(organisation, now=clock.real_now(), port=_any_port())
    return port


def _catch(port: int) -> None:
    """Catch letters on `port`, and let each moment of the company's day come when it is due, until asked to stop."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    _setup.django(migrated=False)
    from tieout.rehearsal import catcher, demo

    server = catcher.start(demo.letters(), port=port)
    try:
        while not stopped.is_set():
            _live()
            stopped.wait(_PAUSE)
    finally:
        server.stop()


def _live() -> None:
    import structlog

    from tieout.rehearsal import demo

    try:
        organisation = demo.known()
        if organisation is not None:
            demo.catch_up(organisation)
    except Exception:
        # The sample may be deleted while its day is lived; letters are still caught and the next look starts afresh.
        structlog.get_logger().exception("the sample company's day could not be lived")


def _once(*, as_json: bool) -> None:
    temporary = None
    if not os.environ.get("TIEOUT_DATA"):
        temporary = os.environ["TIEOUT_DATA"] = tempfile.mkdtemp(prefix="tieout-demo-")
        Path(temporary).chmod(0o755)
    try:
        _setup.django()
        summary = _lived()
    finally:
        _end(temporary)
    click.echo(json.dumps(summary, ensure_ascii=False) if as_json else _words(summary))


def _lived() -> dict[str, Any]:
    from tieout.flow import clock, line
    from tieout.rehearsal import demo

    line.unlimited()  # the vendors are twins, and weeks are lived in seconds
    with demo.alone():
        organisation: UUID = demo.there() or demo.company(now=clock.real_now())
    lived = demo.advance(organisation, 3)
    answered = demo.answer_one(organisation)
    return {"lived_days": lived.days, "answered": answered, **demo.summary(organisation)}


def _end(temporary: str | None) -> None:
    """Nothing keeps running, and what was made for this once is gone."""
    from tieout.settings import embedded

    if os.environ.get("TIEOUT_APP_DSN"):
        from django.db import connections

        connections.close_all()
    if temporary is not None:
        if not os.environ.get("DATABASE_URL"):
            embedded.stop(Path(temporary))
        shutil.rmtree(temporary, ignore_errors=True)


def _words(summary: dict[str, Any]) -> str:
    counted = ", ".join(f"{summary[name]} {name.replace('_', ' ')}" for name in ("customers", "invoices", "credit_notes", "payments"))
    lines = [f"{summary['organisation']} on {summary['today']}: {counted}"]
    applied = summary["applied"]
    lines.append(f"applied: {applied['by_source']} as stated, {applied['by_machine']} by machine, {applied['by_person']} by people")
    lines += [f"  {count} because the payment {reason}" for reason, count in applied["reasons_of_machine"].items()]
    lines.append(f"inbox: {summary['inbox']['proposed']} proposed, {summary['inbox']['unmatched']} not matched")
    lines.append("messages: " + ", ".join(f"{n} {state}" for state, n in summary["messages"].items()) + f"; {summary['caught']} caught")
    lines += [f"  {count} held: {reason}" for reason, count in summary["held"].items()]
    lines.append("replies: " + (", ".join(f"{n} {state}" for state, n in summary["replies"].items()) or "none"))
    lines.append(f"set aside: {len(summary['quarantined'])} rows")
    lines += [
        f"{code}: open {sums['open']}, overdue {sums.get('overdue', '0')}, DSO {sums.get('dso_days') or '-'} days"
        for code, sums in summary["currencies"].items()
    ]
    broken = summary["verify"]["broken"]
    lines.append("every promise holds" if not broken else "BROKEN: " + "; ".join(f"{code}: {rows[0]}" for code, rows in broken.items()))
    return "\n".join(lines)


def _say(what: str) -> None:
    click.echo(f"The sample company: {what} ...", err=True)


def _free(wanted: int) -> int:
    """The port, or the next one nobody uses."""
    for port in range(wanted, min(wanted + _TRIES, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    click.echo(f"tieout: the ports from {wanted} on are all in use; name another with --port", err=True)
    sys.exit(2)


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
