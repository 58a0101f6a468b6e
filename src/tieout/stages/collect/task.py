"""Tasks: what only a person can do. Planning makes and withdraws its own; a person settles or postpones them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from tieout.core.evidence import Actor, Refused
from tieout.core.policy.situation import Decision
from tieout.stages.base import audit, feed, walls
from tieout.stages.base import queries as base
from tieout.stages.collect import words
from tieout.stages.collect.models import Task
from tieout.stages.dialogue import touch
from tieout.stages.ledger.models import Customer

KINDS = ("call", "letter", "address", "review", "unknown")

#: Who a task is settled by when planning takes it back; such a task may be opened again, one a person settled never.
PLANNING = "tieout"


def make(
    *,
    customer: Customer,
    kind: str,
    title: str,
    natural_key: str,
    reason: str = "",
    step: str = "",
    document_ids: Sequence[int] = (),
    due_date: dt.date,
    actor: Actor,
    now: dt.datetime,
) -> Task:
    """Give people something to do. The same `natural_key` twice is one task, whatever became of it."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of task; it is one of {', '.join(KINDS)}")
    key = natural_key[:200]
    known: Task | None = Task.objects.filter(natural_key=key).first()
    if known is not None:
        return known
    row: Task = Task.objects.create(
        customer=customer,
        kind=kind,
        title=title,
        reason=reason,
        step=step,
        document_ids=list(document_ids),
        due_date=due_date,
        natural_key=key,
        made_at=now,
    )
    _tell("task.make", row, actor=actor, now=now, reason=reason)
    return row


def settle(*, task: Task, outcome: str, channel: str = "", drop: bool = False, actor: Actor, now: dt.datetime) -> Task | Refused:
    """It is done, or (`drop`) not needed. `channel` (call, letter, email) says a contact took place: it counts as the task's step.

    Refused: a task that is no longer open, and a task done without a word on how it went.
    """
    row: Task = task.lock()
    if row.state != Task.State.OPEN:
        return Refused(f"this task was settled already by {row.settled_by}")
    if not outcome.strip():
        return Refused("say how it went, or why it is not needed")
    if channel and not drop:
        _log(row, channel, outcome="reached", summary=outcome, actor=actor, now=now)
    row.state = Task.State.DROPPED if drop else Task.State.DONE
    row.outcome, row.settled_at, row.settled_by = outcome, now, actor.name[:300]
    row.save(update_fields=["state", "outcome", "settled_at", "settled_by"])
    _tell(f"task.{row.state}", row, actor=actor, now=now, reason=outcome)
    return row


def postpone(*, task: Task, until: dt.date, note: str, tried: bool = False, actor: Actor, now: dt.datetime) -> Task | Refused:
    """Do it later. `tried`: somebody called and nobody was reached, which is logged and moves no step."""
    row: Task = task.lock()
    if row.state != Task.State.OPEN:
        return Refused(f"this task was settled already by {row.settled_by}")
    if until <= base.today_of(base.profile(), now):
        return Refused("choose a day after today")
    if tried:
        _log(row, "call", outcome="failed", summary=note or "nobody was reached", actor=actor, now=now)
    row.due_date = until
    row.save(update_fields=["due_date"])
    _tell("task.postpone", row, actor=actor, now=now, reason=note)
    return row


def reopen(*, task: Task, reason: str, actor: Actor, now: dt.datetime) -> Task | Refused:
    """Undo settling. A contact that was logged with it stays in the log."""
    row: Task = task.lock()
    if row.state == Task.State.OPEN:
        return row
    row.state, row.outcome, row.settled_at, row.settled_by = Task.State.OPEN, "", None, ""
    row.save(update_fields=["state", "outcome", "settled_at", "settled_by"])
    _tell("task.reopen", row, actor=actor, now=now, reason=reason)
    return row


def from_decisions(*, made: Iterable[Decision], today: dt.date, now: dt.datetime, cursor: Any, organisation: UUID) -> list[int]:
    """The tasks of today's new decisions, by id. A customer who has a task of that kind to do is not given another.

    The transaction's cursor and its organisation are passed in: planning stores in a thread of its own.
    """
    rows = [d for d in made if d.decision == "task" and d.invoice_ids]
    if not rows:
        return []
    args = {"org": organisation, "today": today, "now": now, "planning": PLANNING, "rows": msgspec.json.encode([_row(d) for d in rows]).decode()}
    cursor.execute(_MAKE, args)
    return [row[0] for row in cursor.fetchall()]


def _row(d: Decision) -> dict[str, object]:
    kind = words.task_kind(d)
    reason = "\n".join((*d.trace, *((f"goes to the {d.escalate_to}",) if d.escalate_to else ())))
    key = f"plan:{kind}:{d.customer_id}:{d.step}:{d.invoice_ids[0]}"[:200]
    documents = msgspec.Raw(f"[{','.join(d.invoice_ids)}]".encode())
    named = {"kind": kind, "title": words.task(d), "reason": reason, "step": d.step or "", "natural_key": key}
    return named | {"customer_id": int(d.customer_id), "document_ids": documents}


class Wanted(msgspec.Struct, frozen=True):
    """A task that planning stands by: its customer and kind."""

    customer_id: int
    kind: str


def withdraw_unwanted(*, wanted: Sequence[Wanted], customer_ids: Sequence[int] | None, now: dt.datetime) -> int:
    """Take back open tasks made by planning (for these customers, None: for all) that today's decisions no longer ask for."""
    scope = "" if customer_ids is None else "AND t.customer_id = ANY(%(scope)s)"
    args = {"org": walls.current(), "now": now, "planning": PLANNING, "scope": list(customer_ids or ())}
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAW.format(scope=scope), args | {"customers": [w.customer_id for w in wanted], "kinds": [w.kind for w in wanted]})
        return int(cursor.rowcount)


def _log(row: Task, channel: str, *, outcome: str, summary: str, actor: Actor, now: dt.datetime) -> None:
    touch.record(
        customer=row.customer, channel=channel, step=row.step, outcome=outcome, summary=summary, document_ids=row.document_ids, actor=actor, now=now
    )


def _tell(action: str, row: Task, *, actor: Actor, now: dt.datetime, reason: str) -> None:
    feed.publish(kind="task", ids=[row.pk], customer_ids=[row.customer_id], cause=action, now=now)
    detail = {"customer_id": row.customer_id, "kind": row.kind, "title": row.title}
    audit.write(actor=actor, action=action, object_kind="task", object_id=row.pk, now=now, reason=reason, detail=detail)


_MAKE = """
INSERT INTO collect_task AS kept
  (organisation_id, customer_id, kind, title, reason, step, document_ids, due_date, natural_key, made_at, state, outcome, settled_by)
SELECT %(org)s, n.customer_id, n.kind, n.title, n.reason, n.step, n.document_ids, %(today)s, n.natural_key, %(now)s, 'open', '', ''
  FROM jsonb_to_recordset(%(rows)s::jsonb)
       AS n (customer_id bigint, kind text, title text, reason text, step text, document_ids jsonb, natural_key text)
 WHERE NOT EXISTS (SELECT 1 FROM collect_task t
                    WHERE t.organisation_id = %(org)s AND t.customer_id = n.customer_id AND t.kind = n.kind AND t.state = 'open')
ON CONFLICT (organisation_id, natural_key) DO UPDATE
   SET state = 'open', outcome = '', settled_at = NULL, settled_by = '', title = excluded.title, reason = excluded.reason,
       document_ids = excluded.document_ids, due_date = excluded.due_date
 WHERE kept.state = 'dropped' AND kept.settled_by = %(planning)s
RETURNING id"""

_WITHDRAW = """
UPDATE collect_task t
   SET state = 'dropped', outcome = 'no longer called for', settled_at = %(now)s, settled_by = %(planning)s
 WHERE t.organisation_id = %(org)s AND t.state = 'open' AND t.natural_key LIKE 'plan:%%' {scope}
   AND NOT EXISTS (SELECT 1 FROM unnest(%(customers)s::bigint[], %(kinds)s::text[]) AS w (customer_id, kind)
                    WHERE w.customer_id = t.customer_id AND w.kind = t.kind)"""
