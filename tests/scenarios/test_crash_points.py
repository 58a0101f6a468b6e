"""A worker dies at every named point of a send, or is paused and overtaken: exactly one message, or an honest unknown.

The workers are processes of their own against the same database and a real mail server, killed as by SIGKILL.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.flow import clock, on_mail, send
from tieout.rehearsal import catcher
from tieout.stages.base import crash, walls
from tieout.stages.base.models import Profile
from tieout.stages.collect.models import Decision, Task
from tieout.stages.dialogue.models import Reply, Touch
from tieout.stages.outreach import draft, mailbox, sending
from tieout.stages.outreach.models import Certificate, Message

ADA = Actor("person", "Ada", 1)
SEND_POINTS = [name for name in crash.POINTS if name.startswith("send.")]
pytestmark = pytest.mark.database

_WORKER = """
import datetime as dt, os, signal, sys, uuid
import django
django.setup()
from tieout.flow import clock, on_mail, send
from tieout.stages.base import crash
clock.inject(lambda: dt.datetime.fromisoformat(os.environ["AT"]))
if os.environ.get("PAUSE_AT"):
    real = crash.point
    def point(name):
        if name == os.environ.get("PAUSE_AT"):
            del os.environ["PAUSE_AT"]  # once
            os.kill(os.getpid(), signal.SIGSTOP)
        real(name)
    crash.point = point
{work}(uuid.UUID(sys.argv[1]))
"""


def worker(organisation: uuid.UUID, *, work: str = "send.run", **env: str) -> subprocess.Popen[bytes]:
    """A worker in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _WORKER.replace("{work}", work), str(organisation)], env={**os.environ, "AT": NOW.isoformat(), **env},
        stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    place = tmp_path_factory.mktemp("caught")
    with catcher.running(place) as server:
        yield place, server.port


@pytest.fixture(params=["can be asked", "cannot be asked"])
def askable(request: pytest.FixtureRequest) -> bool:
    """Whether the mail server knows what it has taken, as the catcher does and SMTP does not."""
    return bool(request.param == "can be asked")


@pytest.fixture
def planned(organisation: uuid.UUID, post: tuple[Path, int], askable: bool) -> Message:
    """One reminder, ready to leave."""
    settings: dict[str, Any] = catcher.settings(*post)
    with walls.inside(organisation):
        Profile.objects.update(mode="live")
        sending.configure(settings=settings if askable else {**settings, "caught": ""}, actor=ADA, now=NOW)
        owner = builders.customer()
        wanted = Decision.objects.create(
            customer=owner, day=NOW.date(), step="friendly", channel="email", tone="friendly", outcome="send",
            document_ids=[builders.invoice(owner).pk], policy_version=0, decided_at=NOW,
        )  # fmt: skip
        return Message.objects.get(pk=draft.from_decisions(decisions=[wanted], now=NOW).created[0])


def others_go_on(organisation: uuid.UUID, minutes: int) -> None:
    """What every other worker does from then on, again and again."""
    for n in range(3):
        moment = NOW + dt.timedelta(minutes=minutes, seconds=10 * n)
        send.run(organisation, lambda: moment)  # noqa: B023 - used up within the turn
        send.reconcile(organisation, lambda: moment)  # noqa: B023


def outcome(organisation: uuid.UUID, planned: Message, place: Path) -> tuple[str, int]:
    """The message's state and how often it was delivered."""
    with walls.inside(organisation):
        message = Message.objects.get(pk=planned.pk)
        touches = Touch.objects.filter(message_id=planned.pk).count()
        assert Certificate.objects.filter(message_id=planned.pk).count() == message.claims
        assert touches == (1 if message.state in ("sent", "unknown") else 0)
        assert Task.objects.filter(kind="unknown", state="open").exists() is (message.state == "unknown")
        return message.state, catcher.deliveries(place, message.message_id) if message.message_id else 0


@pytest.mark.parametrize("point", SEND_POINTS)
def test_killed_at_every_point_of_a_send(organisation: uuid.UUID, post: tuple[Path, int], planned: Message, askable: bool, point: str) -> None:
    died = worker(organisation, TIEOUT_CRASH_AT=point)
    assert died.wait(60) == -signal.SIGKILL, died.stderr.read().decode() if died.stderr else ""
    others_go_on(organisation, minutes=0)  # at once: a live worker might still be at it, so nobody touches its claim
    early = outcome(organisation, planned, post[0])
    assert early[0] in ("sending", "sent")
    others_go_on(organisation, minutes=2)
    state, delivered = outcome(organisation, planned, post[0])
    if point == "send.before_claim" or askable:
        assert (state, delivered) == ("sent", 1)
    else:
        assert state == "unknown"
        assert delivered == (0 if point == "send.after_claim" else 1)


def test_a_paused_worker_that_is_overtaken_does_not_send_again(
    organisation: uuid.UUID, post: tuple[Path, int], planned: Message, askable: bool
) -> None:
    paused = worker(organisation, PAUSE_AT="send.after_claim")
    _until_stopped(paused.pid)
    begun = time.monotonic()
    others_go_on(organisation, minutes=2)
    state, delivered = outcome(organisation, planned, post[0])
    assert (state, delivered) == (("sent", 1) if askable else ("unknown", 0))
    time.sleep(max(0.0, 5.2 - (time.monotonic() - begun)))  # its certificate has expired by the time it wakes
    paused.send_signal(signal.SIGCONT)
    assert paused.wait(60) == 0, paused.stderr.read().decode() if paused.stderr else ""
    others_go_on(organisation, minutes=6)
    # It knows that it never called, so what was unknown is asked about again and leaves once.
    assert outcome(organisation, planned, post[0]) == ("sent", 1)


def test_killed_between_keeping_a_mail_and_looking_at_it(organisation: uuid.UUID, tmp_path: Path) -> None:
    with walls.inside(organisation):
        builders.customer()
        mailbox.configure(settings=catcher.mailbox(tmp_path), actor=ADA, now=NOW)
    catcher.deliver(tmp_path, b"From: ap@brightwater.example\r\nTo: ar@m.example\r\nMessage-ID: <1@b>\r\n\r\nWe pay on Friday.\r\n", now=NOW)
    died = worker(organisation, work="on_mail.fetch", TIEOUT_CRASH_AT="intake.after_receive")
    assert died.wait(60) == -signal.SIGKILL, died.stderr.read().decode() if died.stderr else ""
    clock.inject(lambda: NOW)
    try:
        for _ in range(3):
            on_mail.fetch(organisation)
    finally:
        clock.inject(None)
    with walls.inside(organisation):
        assert [r.text for r in Reply.objects.all()] == ["We pay on Friday."]


def test_every_point_of_a_send_is_swept() -> None:
    assert SEND_POINTS == ["send.before_claim", "send.after_claim", "send.after_call", "send.after_settle"]


def _until_stopped(pid: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return
        time.sleep(0.05)
    raise TimeoutError("the worker did not come to its pause")
