"""Web server, worker and database killed where it hurts, as the product runs them: nothing is lost, nothing is doubled, every promise holds.

Readers and writers killed at each of their points stand beside their stories (`test_connected_stripe.py`, `test_faults_in_turn.py`,
`test_three_systems.py`, `test_told_crm.py`); here the processes are real ones, and the database goes away under them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from django.db import connection, connections

from tests.conftest import NOW, ROOT
from tests.scenarios.test_hooks import Doors, doors, jobs_waiting
from tests.scenarios.test_three_systems import Office, office
from tieout.flow import jobs, sweep
from tieout.rehearsal.bench import serving
from tieout.settings import embedded
from tieout.stages.base import queries, walls
from tieout.stages.intake.models import Connection, Envelope
from tieout.stages.writeback.models import Outgoing

__all__ = ["doors", "office"]  # fixtures
_PAUSING = """
import sys
import django
django.setup()
from uuid import UUID
from tieout.stages.base import crash
def pause(name):
    if name == {point!r}:
        print("there", flush=True)
        sys.stdin.readline()
crash.point = pause
{work}
"""
READ = "from tieout.flow import sync; sync.once(UUID({organisation!r}), {connection})"
WRITE = "from tieout.flow import write; write.run(UUID({organisation!r}))"


def until(true: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False


@contextlib.contextmanager
def peer_that_may_die() -> Iterator[int]:
    """The web server as `tieout web` runs it."""
    with contextlib.suppress(RuntimeError), serving.peer("tieout.faces.web.wsgi:application") as port:
        yield port


def crash_the_database(data: Path) -> None:
    """As when its machine loses power: it ends at once, writes nothing more, and recovers when it comes up again."""
    connections.close_all()
    server = embedded._servers[(data / "postgres").resolve()]
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(30)
    embedded._servers.pop((data / "postgres").resolve())
    embedded.start(data)


@pytest.mark.parametrize("point", ["sync.after_read", "sync.before_checkpoint", "sync.after_checkpoint"])
def test_a_database_that_crashes_under_a_reader_loses_and_doubles_nothing(database: Path, office: Office, point: str) -> None:
    invoice = office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), 12_000)
    office.stripe.pay(invoice, 5_000)
    work = READ.format(organisation=str(office.organisation), connection=office.gateway.connection)
    _paused_over_a_crash(database, point, work)
    office.round()
    office.round()
    office.agree()


@pytest.mark.parametrize("point", ["outbox.after_claim", "outbox.after_call"])
def test_a_database_that_crashes_under_a_writer_has_it_written_once(database: Path, office: Office, point: str) -> None:
    office.stripe.pay(office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), 12_000))
    office.gateway.sync()
    _paused_over_a_crash(database, point, WRITE.format(organisation=str(office.organisation)))
    office.round()
    office.round()
    assert [len(office.theirs(entity)) for entity in ("Invoice", "Payment")] == [1, 1]
    office.agree()


def _paused_over_a_crash(database: Path, point: str, work: str) -> None:
    script = _PAUSING.format(point=point, work=work)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", script], text=True, cwd=ROOT, **pipes)  # type: ignore[call-overload]
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n", process.communicate()[1]
    crash_the_database(database)
    _, said = process.communicate("\n" * 20, timeout=60)
    # Its line to the database is gone: it ends with that, unless it had nothing more to say.
    assert process.returncode == 0 or "OperationalError" in said, said


@pytest.fixture
def worker() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """`tieout worker`, as many as are asked for, killed at a point."""
    running: list[subprocess.Popen[bytes]] = []

    def start(point: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "TIEOUT_CRASH_AT": point}
        running.append(subprocess.Popen([sys.executable, "-m", "tieout.faces.cli", "worker", "--concurrency", "2"], cwd=ROOT, env=environment))
        return running[-1]

    yield start
    for one in running:
        if one.poll() is None:
            one.terminate()
        one.wait(30)


@pytest.mark.parametrize("point", ["sync.before_checkpoint", "outbox.after_call"])
def test_a_worker_that_dies_is_followed_by_another_that_goes_on(
    office: Office, worker: Callable[[str], subprocess.Popen[bytes]], point: str
) -> None:
    organisation = office.organisation
    _leave_alone_all_but(organisation)
    office.stripe.pay(office.stripe.invoice(office.stripe.customer("Brightwater GmbH"), 12_000))
    jobs.later(jobs.sync_connection, organisation=organisation, lock=f"sync-{office.gateway.connection}", connection=office.gateway.connection)
    assert worker(point).wait(90) == -signal.SIGKILL
    _time_passes(organisation)
    worker("")
    assert until(lambda: bool(office.theirs("Invoice") and office.theirs("Payment")), 90)
    office.round()
    office.round()
    assert [len(office.theirs(entity)) for entity in ("Invoice", "Payment")] == [1, 1]
    office.agree()


def _leave_alone_all_but(organisation: uuid.UUID) -> None:
    """The database of a suite is shared: what other tests left behind is no work for this one's workers."""
    for other in queries.organisations():
        if other != organisation:
            with walls.inside(other):
                Connection.objects.update(paused_at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def _time_passes(organisation: uuid.UUID) -> None:
    """Minutes later: the dead worker has been silent for long, its lease and its claim are over, and the sweep has come by."""
    with walls.inside(organisation):
        Connection.objects.update(leased_until=None)
        Outgoing.objects.filter(state="claimed").update(claimed_at="2026-01-01T00:00:00Z")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '10 minutes'")
    asyncio.run(sweep.run())
    jobs.later(jobs.write, organisation=organisation, lock="write")


def test_a_web_server_that_dies_between_keeping_and_answering_is_told_again_and_keeps_it_once(
    doors: Doors, organisation: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = doors.twin.invoice(doors.twin.customer("Brightwater GmbH"), 10_000)
    doors.books.sync()
    doors.twin.deliver()
    doors.books.sync(poll=False)
    before = len(doors.envelopes())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE queueing_lock LIKE %s", [f"hooked:{organisation}:%"])
    doors.twin.pay(invoice, 4_000)
    delivery = doors.twin._waiting[0][2]
    answers = []
    for point in ("intake.after_receive", ""):
        monkeypatch.setenv("TIEOUT_CRASH_AT", point)
        with peer_that_may_die() as port:
            headers = {"Content-Type": "application/json", **delivery.sign(delivery.body, doors.twin.now())}
            try:
                address = f"http://localhost:{port}{doors.path}"
                answers.append(httpx2.post(address, content=delivery.body, headers=headers, trust_env=False, timeout=60).status_code)
            except httpx2.HTTPError:
                answers.append(0)
    # It was kept the first time, and nobody was asked to look; told again it is known, and somebody is.
    assert answers == [0, 200]
    assert len(doors.envelopes()) == before + 1
    assert jobs_waiting(organisation) == 1
    doors.books.sync(poll=False)
    doors.books.sync()
    assert doors.books.open_by_number() == {invoice.number: 6_000}
    with walls.inside(organisation):
        assert set(Envelope.objects.filter(name="webhook").values_list("state", flat=True)) == {"applied"}
    doors.books.verify()
