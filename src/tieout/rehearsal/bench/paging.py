"""`pages`: overview and work list over a growing history: server time and queries, as a signed-in person asks for them.

The same open invoices stand over a tenth of the history and then over all of it, in one run: what is closed may hardly cost
anything. Time is measured around the whole request in the server's own process, without a network.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tieout.core.evidence import Actor
from tieout.flow import clock
from tieout.rehearsal.bench import books, laying
from tieout.rehearsal.bench.figures import Figure, timed
from tieout.stages.base import found, walls
from tieout.stages.collect import plan

_PAGES = {"overview": "/", "work list": "/collections/"}
_OPEN, _PER_CUSTOMER = 100_000, 10
#: Requests of a round; the best of the rounds counts, so that somebody else's busy second on the machine does not.
_ASKED, _ROUNDS, _WARM = 15, 5, 3
#: The promise is made for this history; at less it is measured and not judged.
_JUDGED = 1_000_000
#: Work of the kind and length of a page's own, over nothing stored.
_FIXED = "SELECT i % 150, count(*), sum(i) FROM generate_series(1, 150000) i GROUP BY 1"
#: Statements that carry a transaction and read no rows.
_CARRIERS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET LOCAL")


def run(size: int) -> Iterator[Figure]:
    """`size` closed invoices at the end, a tenth of them at the beginning."""
    clock.inject(lambda: books.NOW)
    org = laying.organisation()
    opened = min(_OPEN, size)
    tenth = max(1, size // 10)
    laying.customers(org, max(1, opened // _PER_CUSTOMER))
    laying.documents(org, 1, opened, open_=True, days_late=(-30, 120))
    laying.documents(org, opened + 1, opened + tenth, open_=False, days_late=(121, 1200))
    with walls.inside(org):
        plan.day(today=books.TODAY, now=books.NOW)
    browser = _signed_in(org)
    before: dict[str, float] = {}
    for at in (tenth, size):
        if at == size:
            laying.documents(org, opened + tenth + 1, opened + size, open_=False, days_late=(121, 1200))
        laying.settle_down()
        for name, path in _PAGES.items():
            seconds, queries, work = _asked(browser, path)
            title = f"pages: {name}"
            median = seconds * 1000
            yield Figure(name=title, size=at, value=median, unit="ms", must=100, better="less", seconds=seconds, against="median").judged(_JUDGED)
            yield Figure(name=f"{title}, queries", size=at, value=queries, unit="queries", must=12, better="less")
            if at == size:
                grown = Figure(
                    name=f"{title}, ten times the history", size=at, value=work / before[name], unit="x", must=1.2, better="less",
                    against="each beside the same piece of work",
                )  # fmt: skip
                yield grown.judged(_JUDGED)
            before[name] = work


def _signed_in(org: UUID) -> Any:
    with walls.inside(org):
        person = found.person(email="ada@bench.example", name="Ada", password=None)
        found.member(person=person, role="owner", actor=Actor("machine", "bench"), now=books.NOW)
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def _asked(browser: Any, path: str) -> tuple[float, int, float]:
    """Median seconds of a page, how many statements read or wrote rows for it, and its time in pieces of fixed work.

    Minutes lie between the two histories, and the machine's speed drifts by more than what is asked about: so each round also
    times a statement whose work never changes, and the two histories are compared in units of that.
    """
    _round(browser, path, _WARM)
    _yard(_WARM)
    rounds = [(_round(browser, path, _ASKED), _yard(_ASKED)) for _ in range(_ROUNDS)]
    with CaptureQueriesContext(connection) as captured:
        browser.get(path)
    queries = sum(not query["sql"].startswith(_CARRIERS) for query in captured.captured_queries)
    return min(page for page, _ in rounds), queries, statistics.median(page / yard for page, yard in rounds)


def _yard(count: int) -> float:
    took = []
    with connection.cursor() as cursor:
        for _ in range(count):
            with timed() as watch:
                cursor.execute(_FIXED)
            took.append(watch.seconds)
    return statistics.median(took)


def _round(browser: Any, path: str, count: int) -> float:
    took = []
    for _ in range(count):
        with timed() as watch:
            answer = browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        took.append(watch.seconds)
    return statistics.median(took)
