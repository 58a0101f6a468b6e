"""Store decisions: one per customer, day and step, however often the day is planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from tieout.core.policy.situation import Decision
from tieout.stages.base import walls

#: Decisions stored at once while the next ones are judged.
PAGE = 1_500


class Recorded(msgspec.Struct, frozen=True):
    """A decision that is new today, or that turned from waiting into acting."""

    id: int
    customer_id: int
    outcome: str


def decisions(*, judged: Iterable[Decision], day: dt.date, policy_version: int, now: dt.datetime) -> tuple[list[Decision], list[Recorded]]:
    """Write what is to be done or waits (`none` leaves no row); return what was decided, and what of it was not known before.

    What was decided stands: planned again, the day adds nothing. A hold that was lifted during the day turns into its act; and a
    customer for whom something is to be done today is not given a second thing.

    The database stores one page while the next one is judged: judging is thought and storing is waiting, so a second thread
    does the waiting, on the transaction's own cursor.
    """
    made: list[Decision] = []
    stored: list[Future[list[Recorded]]] = []
    organisation = walls.current()
    with connection.cursor() as cursor, ThreadPoolExecutor(1) as storing:
        for page in _pages(judged):
            made += page
            stored.append(storing.submit(_store, cursor, organisation, page, day, policy_version, now))
        return made, [row for page in stored for row in page.result()]


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


def _store(cursor: Any, organisation: UUID, made: Sequence[Decision], day: dt.date, policy_version: int, now: dt.datetime) -> list[Recorded]:
    kept = [_row(d) for d in sorted(made, key=lambda d: int(d.customer_id))]
    cursor.execute(_INSERT, {"org": organisation, "day": day, "now": now, "version": policy_version, "rows": msgspec.json.encode(kept).decode()})
    return [Recorded(*row) for row in cursor.fetchall()]


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
