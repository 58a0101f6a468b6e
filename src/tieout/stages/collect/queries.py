"""Rows in, frozen values out: decisions, tasks, policies, waves, and what is released. The work list itself: `listing`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
from django.db import connection

from tieout.stages.base import walls
from tieout.stages.collect.listing import Filters, Mark, Page, Row, counts, worklist
from tieout.stages.collect.models import Decision, Policy, Release, Wave

__all__ = [
    "DecisionRow", "Filters", "Mark", "Page", "PolicyRow", "Row", "TaskRow", "WaveRow", "counts", "decisions", "policies", "released", "tasks",
    "waves", "worklist",
]  # fmt: skip


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy said about a customer on a day: `outcome` send, task or hold, with its trace in sentences."""

    decision_id: int
    customer_id: int
    day: dt.date
    step: str
    channel: str
    tone: str
    outcome: str
    reason: str
    document_ids: tuple[int, ...]
    amounts: dict[str, int]
    not_before: dt.datetime | None
    approval: bool
    trace: tuple[str, ...]
    policy_version: int
    decided_at: dt.datetime


class TaskRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something for a person to do. `waits` says why it should wait (the customer is held), '' where it may be done now."""

    task_id: int
    customer_id: int
    customer_name: str
    kind: str
    title: str
    reason: str
    step: str
    document_ids: tuple[int, ...]
    due_date: dt.date
    made_at: dt.datetime
    state: str
    outcome: str
    settled_at: dt.datetime | None
    settled_by: str
    waits: str


class WaveRow(msgspec.Struct, frozen=True, kw_only=True):
    """A released wave; `undone_at` where it was withdrawn."""

    wave_id: int
    name: str
    released_at: dt.datetime
    released_by: str
    customers: int
    open_items: int
    undone_at: dt.datetime | None


class PolicyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A saved version of the policy; `active` for the one in force."""

    policy_id: int
    version: int
    name: str
    text: str
    saved_at: dt.datetime
    saved_by: str
    active: bool


def decisions(*, customer_id: int, limit: int = 50) -> list[DecisionRow]:
    """What was decided about a customer, the latest first."""
    return [_decision(row) for row in Decision.objects.filter(customer_id=customer_id).order_by("-day", "-id")[:limit]]


def tasks(
    *, state: str = "open", kind: str | None = None, customer_id: int | None = None, due_by: dt.date | None = None, limit: int = 200
) -> list[TaskRow]:
    """Tasks in a state, those to be done first: not waiting before waiting, then by due date; settled ones the latest first."""
    args = {"org": walls.current(), "state": state, "kind": kind, "customer": customer_id, "due": due_by, "limit": limit}
    to_do = "(w.state IN ('held', 'promised', 'disputed')) IS TRUE, t.due_date, t.id"
    with connection.cursor() as cursor:
        cursor.execute(_TASKS.format(order=to_do if state == "open" else "t.settled_at DESC, t.id DESC"), args)
        rows = cursor.fetchall()
    return [_task(row) for row in rows]


def waves() -> list[WaveRow]:
    """Every wave, the latest first."""
    return [
        WaveRow(
            wave_id=w.pk, name=w.name, released_at=w.released_at, released_by=w.released_by, customers=w.customers, open_items=w.open_items,
            undone_at=w.undone_at,
        )
        for w in Wave.objects.order_by("-released_at", "-id")
    ]  # fmt: skip


def policies() -> list[PolicyRow]:
    """Every saved version of the policy, the latest first; none while the one that came with the product is in force."""
    return [
        PolicyRow(policy_id=p.pk, version=p.version, name=p.name, text=p.text, saved_at=p.saved_at, saved_by=p.saved_by, active=p.active)
        for p in Policy.objects.order_by("-version")
    ]


def released(*, customer_ids: Iterable[int]) -> dict[int, bool]:
    """Of these customers, those released, with whether their first message is still outstanding (soft)."""
    rows = Release.objects.filter(customer_id__in=set(customer_ids), withdrawn_at__isnull=True)
    # Whom a person has withdrawn is not chased by way of a link with somebody who is released.
    withdrawn = Release.objects.filter(withdrawn_at__isnull=False, customer__lead__in=set(customer_ids))
    rows = rows.exclude(customer_id__in=list(withdrawn.values_list("customer__lead_id", flat=True)))
    return dict(rows.values_list("customer_id", "soft"))


def _decision(row: Decision) -> DecisionRow:
    return DecisionRow(
        decision_id=row.pk, customer_id=row.customer_id, day=row.day, step=row.step, channel=row.channel, tone=row.tone, outcome=row.outcome,
        reason=row.reason, document_ids=tuple(row.document_ids), amounts=row.amounts, not_before=row.not_before, approval=row.approval,
        trace=tuple(row.trace), policy_version=row.policy_version, decided_at=row.decided_at,
    )  # fmt: skip


def _task(row: tuple[object, ...]) -> TaskRow:
    named = dict(zip(TaskRow.__struct_fields__, row, strict=True))
    documents = named["document_ids"]
    named["document_ids"] = tuple(msgspec.json.decode(documents) if isinstance(documents, str) else documents)  # type: ignore[arg-type]
    return TaskRow(**named)  # type: ignore[arg-type]


_TASKS = """
SELECT t.id, t.customer_id, c.name, t.kind, t.title, t.reason, t.step, t.document_ids, t.due_date, t.made_at, t.state, t.outcome, t.settled_at,
       t.settled_by, CASE WHEN w.state IN ('held', 'promised', 'disputed') THEN w.next_step ELSE '' END AS waits
  FROM collect_task t
  JOIN ledger_customer c ON c.organisation_id = t.organisation_id AND c.id = t.customer_id
  LEFT JOIN collect_workitem w ON w.organisation_id = t.organisation_id AND w.customer_id = t.customer_id
 WHERE t.organisation_id = %(org)s AND t.state = %(state)s
   AND (%(kind)s::text IS NULL OR t.kind = %(kind)s) AND (%(customer)s::bigint IS NULL OR t.customer_id = %(customer)s)
   AND (%(due)s::date IS NULL OR t.due_date <= %(due)s)
 ORDER BY {order} LIMIT %(limit)s"""
