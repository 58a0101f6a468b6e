"""Plan the day: gather what is due, let the policy judge each account, store what it decided with its trace.

Planning the same day again, a thousand times if need be, finds its own rows and adds nothing.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
import polars as pl

from tieout.core.evidence import Actor
from tieout.core.policy import columns, packs
from tieout.core.policy.evaluate import evaluate
from tieout.core.policy.language import Policy
from tieout.core.policy.situation import Decision, Hold
from tieout.stages.base import audit, feed
from tieout.stages.collect import awake, book, fetch, gather, policy, record, task, words, worklist

_PLANNING = Actor("machine", task.PLANNING)
_HANDFUL = 20


class PlanResult(msgspec.Struct, frozen=True, kw_only=True):
    """What planning did. `to_draft` are the ids of new decisions that a message be written; `looked_at` counts the
    accounts that were not asleep, `judged` those of them with something due."""

    day: dt.date
    looked_at: int = 0
    judged: int = 0
    decided: int = 0
    held: int = 0
    to_draft: tuple[int, ...] = ()
    tasks: tuple[int, ...] = ()
    withdrawn: int = 0
    listed: int = 0


def day(*, today: dt.date, now: dt.datetime, customer_ids: Iterable[int] | None = None) -> PlanResult:
    """Plan `today` for these customers (None: for all) and bring their place in the work list up to date.

    Only released customers are judged; the others stand in the list as unreleased. Returns what is new.
    """
    scope = None if customer_ids is None else sorted(set(customer_ids))
    with _without_collector(), fetch.set_wise(scope):
        return _day(today, now, scope)


@contextmanager
def _without_collector() -> Iterator[None]:
    # A book is a million small values without a cycle among them; looking for cycles took a third of the judging.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _day(today: dt.date, now: dt.datetime, scope: list[int] | None) -> PlanResult:
    rules, version = policy.in_force()
    seen = _survey(rules, today) if scope is None else worklist.Survey(reached=tuple(scope), differing=(), settled=tuple(scope))
    found = book.read(policy=rules, today=today, customer_ids=seen.reached)
    held = gather.holds(customer_ids=found.customers["customer_id"].to_list(), today=today)
    judged = _judged(rules, found, held, today)
    with record.storing(day=today, policy_version=version, now=now) as storing:
        made = storing.decisions(judged)
        by_customer = {int(d.customer_id): d for d in made}
        listed = worklist.refresh(book=found, held=held, made=by_customer, policy=rules, today=today, now=now)
        recorded, new_tasks = storing.stored()
    wanted = [task.Wanted(int(d.customer_id), words.task_kind(d)) for d in made if d.decision == "task"]
    withdrawn = task.withdraw_unwanted(wanted=wanted, customer_ids=scope, now=now)
    listed += worklist.drop_settled(customer_ids=seen.settled)
    listed += _refresh_others(rules, found, seen.differing, today=today, now=now)
    result = PlanResult(
        day=today,
        looked_at=len(found.customers),
        judged=len(made),
        decided=len(recorded),
        held=sum(r.outcome == "hold" for r in recorded),
        to_draft=tuple(r.id for r in recorded if r.outcome == "send"),
        tasks=tuple(new_tasks),
        withdrawn=withdrawn,
        listed=listed,
    )
    _tell(result, recorded, version, now)
    return result


def _judged(rules: Policy, found: book.Book, held: Mapping[int, tuple[Hold, ...]], today: dt.date) -> Iterator[Decision]:
    """The decisions about released customers that may have something due: all of a handful, which cost less to judge than to choose
    from; of a whole book those for whom the columns find a step."""
    contact = packs.contact_rules()
    if len(found.customers) <= _HANDFUL:
        some = [row["customer_id"] for row in found.customers.iter_rows(named=True) if row["released"]]
        for situation in gather.situations(book=found, held=held, customer_ids=some, today=today):
            yield evaluate(rules, situation, today, rules=contact)
        return
    due = columns.due_items(rules, found.items.filter(pl.col("released")), today, touches=found.touches)
    customers = due["customer_id"].unique().to_list()
    theirs = found.items.select("customer_id", "invoice_id").filter(pl.col("customer_id").is_in(customers))
    marked = theirs.join(due, on=["customer_id", "invoice_id"], how="left", maintain_order="left").fill_null(-1)
    places = list(zip(marked["segment"].to_list(), marked["reached"].to_list(), strict=True))
    seen = 0
    for situation in gather.situations(book=found, held=held, customer_ids=customers, today=today):
        mine, seen = places[seen : seen + len(situation.items)], seen + len(situation.items)
        yield evaluate(rules, situation, today, rules=contact, places=mine)


def _survey(rules: Policy, today: dt.date) -> worklist.Survey:
    return worklist.survey(today=today, reach=today - dt.timedelta(days=book.first_day(rules)), woken=awake.changed())


def _refresh_others(rules: Policy, found: book.Book, differing: Sequence[int], *, today: dt.date, now: dt.datetime) -> int:
    """Accounts with nothing in the reach of any step whose row no longer fits the ledger: new ones, paid in part, invoiced again."""
    known = set(found.customers["customer_id"].to_list())
    others = [c for c in differing if c not in known]
    if not others:
        return 0
    rest = book.read(policy=rules, today=today, customer_ids=others)
    held = gather.holds(customer_ids=others, today=today)
    return worklist.refresh(book=rest, held=held, made={}, policy=rules, today=today, now=now)


def _tell(result: PlanResult, recorded: Sequence[record.Recorded], version: int, now: dt.datetime) -> None:
    feed.publish(kind="decision", ids=[r.id for r in recorded], customer_ids=[r.customer_id for r in recorded], cause="plan.day", now=now)
    if not (result.decided or result.tasks or result.withdrawn):
        return
    detail = {
        "day": result.day, "policy_version": version, "judged": result.judged, "decided": result.decided, "held": result.held,
        "to_draft": len(result.to_draft), "tasks": len(result.tasks), "withdrawn": result.withdrawn,
    }  # fmt: skip
    audit.write(actor=_PLANNING, action="plan.day", object_kind="plan", object_id=result.day, now=now, detail=detail)
