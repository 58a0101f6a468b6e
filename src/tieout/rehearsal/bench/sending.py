"""`send`: reminders written from the day's decisions, gated, certified and handed to a local SMTP server, in batches of at most 50.

The server is a process of its own, as a mail server is; it accepts every letter, counts it and keeps nothing but its Message-ID.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tieout.flow import clock, send
from tieout.rehearsal.bench import books, laying, peers
from tieout.rehearsal.bench.figures import Figure, Stopwatch, rate, timed
from tieout.stages.base import walls
from tieout.stages.collect import plan
from tieout.stages.outreach import claim, draft, sending
from tieout.stages.outreach.models import Certificate, Message

#: Invoices of a customer where a statement as PDF goes along, which the peer does not make.
_WITH_STATEMENT = 3


class Sink:
    """The mail server's process: its port, and at the end how many letters it took."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def taken(self) -> tuple[int, int]:
        """Letters taken, and how many different ones. Ends the server."""
        letters, distinct = self._process.communicate("", timeout=30)[0].split()
        return int(letters), int(distinct)


@contextmanager
def sink() -> Iterator[Sink]:
    """A mail server for the length of the block."""
    program = [sys.executable, "-m", "tieout.rehearsal.bench.sink"]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Sink(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def run(size: int) -> Iterator[Figure]:
    """Decisions to letters taken by the server: `size` of them, about one invoice each as the peer's, then with statements."""
    clock.inject(lambda: books.NOW)
    writing, leaving = _sent(size, invoices=1)
    whole = writing + leaving
    yield rate("send: drafted, gated, certified, handed over", size, whole.seconds, "reminders")
    yield rate("send: of it drafting", size, writing.seconds, "reminders")
    yield rate("send: of it gate, certificate and handing over", size, leaving.seconds, "reminders")
    yield from peers.tryton_mail(size, whole)
    yield Figure(name="send: claims in one transaction", size=size, value=claim.LIMIT, unit="messages", must=50, better="less")
    fewer = max(1, size // 5)
    writing, leaving = _sent(fewer, invoices=_WITH_STATEMENT)
    yield rate("send: with a statement as PDF", fewer, (writing + leaving).seconds, "reminders")


def _sent(size: int, *, invoices: int) -> tuple[Stopwatch, Stopwatch]:
    """Draft and send one reminder to each of `size` customers, and see that each was taken once and has its certificate.

    The times of drafting and of all that follows.
    """
    org = laying.organisation()
    laying.customers(org, size)
    # One to two weeks late: every customer is due for a mail that needs nobody's approval.
    laying.documents(org, 1, size * invoices, open_=True, days_late=(8, 13))
    laying.settle_down()
    with sink() as server:
        with walls.inside(org):
            refused = sending.configure(settings=_settings(server.port), actor=laying.ACTOR, now=books.NOW)
            assert refused is None, refused
            planned = plan.day(today=books.TODAY, now=books.NOW)
        assert len(planned.to_draft) == size, planned
        with timed(server=laying.server()) as writing, walls.inside(org):
            drafted = draft.from_decisions(decisions=planned.to_draft, now=books.NOW)
        assert len(drafted.created) == size, drafted
        with timed(server=laying.server()) as leaving:
            sent = send.run(org, lambda: books.NOW)
        assert sent.sent == size, sent
        assert server.taken() == (size, size)
    with walls.inside(org):
        assert Certificate.objects.filter(allowed=True).count() == Message.objects.filter(state="sent").count() == size
    return writing, leaving


def _settings(port: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "security": "none"}
