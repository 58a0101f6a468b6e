"""Store decisions, one per customer, day and step, however often the day is planned; and with them the tasks they ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import connection

from tieout.core.policy.situation import Decision
from tieout.stages.base import walls
from tieout.stages.collect import task

#: Decisions stored at once while the next ones are judged.
PAGE = 1_500


class Recorded(msgspec.Struct, frozen=True):
    """A decision that is new today, or that turned from waiting into acting."""

    id: int
    customer_id: int
    outcome: str


class Storing:
    """Decisions on their way into the database, with the tasks they ask for.

    The database stores one page while the next one is judged, and while the work list is made: judging is thought and storing is
    waiting, so a second thread does the waiting, on the transaction's own connection.
    """

    def __init__(self, *, thread: ThreadPoolExecutor, cursor: Any, day: dt.date, policy_version: int, now: dt.datetime) -> None:
        self._thread, self._cursor, self._day, self._version, self._now = thread, cursor, day, policy_version, now
        self._organisation = walls.current()
        self._pages: list[Future[tuple[list[Recorded], list[int]]]] = []

    def decisions(self, judged: Iterable[Decision]) -> list[Decision]:
        """Hand over what is to be done or waits (`none` leaves no row), and return it.

        What was decided stands: planned again, the day adds nothing. A hold that was lifted during the day turns into its act; and
        a customer for whom something is to be done today is not given a second thing.
        """
        made: list[Decision] = []
        for page in _pages(judged):
            made += page
            self._pages.append(self._thread.submit(self._store, page))
        return made

    def stored(self) -> tuple[list[Recorded], list[int]]:
        """Wait for the database; what of it was not known before, and the ids of the new tasks."""
        pages = [page.result() for page in self._pages]
        return [row for recorded, _ in pages for row in recorded], [task_id for _, tasks in pages for task_id in tasks]

    def failure(self) -> BaseException | None:
        """What went wrong first in the other thread, once it has ended."""
        return next((error for page in self._pages if (error := page.exception()) is not None), None)

    def _store(self, made: Sequence[Decision]) -> tuple[list[Recorded], list[int]]:
        kept = [_row(d) for d in sorted(made, key=lambda d: int(d.customer_id))]
        args = {"org": self._organisation, "day": self._day, "now": self._now, "version": self._version}
        self._cursor.execute(_INSERT, args | {"rows": msgspec.json.encode(kept).decode()})
        recorded = [Recorded(*row) for row in self._cursor.fetchall()]
        acting = {r.customer_id for r in recorded if r.outcome == "task"}
        wanted = [d for d in made if int(d.customer_id) in acting]
        return recorded, task.from_decisions(made=wanted, today=self._day, now=self._now, cursor=self._cursor, organisation=self._organisation)


@contextmanager
def storing(*, day: dt.date, policy_version: int, now: dt.datetime) -> Iterator[Storing]:
    """Store decisions beside other work. An error of the database there is raised here, whatever the block met because of it."""
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as thread:
        found = Storing(thread=thread, cursor=cursor, day=day, policy_version=policy_version, now=now)
        try:
            yield found
        except Exception:
            first = found.failure()
            if first is not None:
                raise first from None
            raise


def _pages(judged: Iterable[Decision]) -> Iterable[list[Decision]]:
    page: list[Decision] = []
    for decision in judged:
        if decision.decision != "none":
            page.append(decision)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


class _Row(msgspec.Struct):
    """One decision on its way to the database: all rows travel as one JSON text, half the cost of an array for each column."""

    customer_id: int
    step: str
    channel: str
    tone: str
    outcome: str
    reason: str
    document_ids: msgspec.Raw
    amounts: dict[str, int]
    not_before: dt.datetime | None
    approval: bool
    trace: tuple[str, ...]


def _row(d: Decision) -> _Row:
    documents = msgspec.Raw(f"[{','.join(d.invoice_ids)}]".encode())
    amounts = {m.currency: m.minor for m in d.amounts}
    required = d.approval == "required"
    return _Row(
        int(d.customer_id), d.step or "", d.channel or "", d.tone or "", d.decision, d.reason, documents, amounts, d.not_before, required, d.trace
    )


_INSERT = """
INSERT INTO collect_decision AS kept
  (organisation_id, customer_id, day, step, channel, tone, outcome, reason, document_ids, amounts, not_before, approval, trace,
   policy_version, decided_at)
SELECT %(org)s, n.customer_id, %(day)s, n.step, n.channel, n.tone, n.outcome, n.reason, n.document_ids, n.amounts, n.not_before, n.approval,
       n.trace, %(version)s, %(now)s
  FROM jsonb_to_recordset(%(rows)s::jsonb)
       AS n (customer_id bigint, step text, channel text, tone text, outcome text, reason text, document_ids jsonb, amounts jsonb,
             not_before timestamptz, approval boolean, trace jsonb)
 WHERE NOT EXISTS (SELECT 1 FROM collect_decision d
                    WHERE d.organisation_id = %(org)s AND d.customer_id = n.customer_id AND d.day = %(day)s AND d.step <> n.step
                      AND d.outcome IN ('send', 'task'))
ON CONFLICT (organisation_id, customer_id, day, step) DO UPDATE
   SET channel = excluded.channel, tone = excluded.tone, outcome = excluded.outcome, reason = excluded.reason,
       document_ids = excluded.document_ids, amounts = excluded.amounts, not_before = excluded.not_before, approval = excluded.approval,
       trace = excluded.trace, policy_version = excluded.policy_version, decided_at = excluded.decided_at
 WHERE kept.outcome = 'hold' AND excluded.outcome <> 'hold'
RETURNING id, customer_id, outcome"""
