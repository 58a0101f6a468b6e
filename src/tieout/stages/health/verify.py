"""Verify the promises on the live database: one result each, with the rows that break it. Changes nothing."""

from __future__ import annotations

import datetime as dt
from types import ModuleType
from typing import Any

import msgspec
from django.db import connection

from tieout.stages.health.looking import Breach, Given, Looked
from tieout.stages.health.promises import (
    applied_if_unique,
    every_cent,
    exact_money,
    law_as_data,
    nothing_lost,
    once,
    people_first,
    provable_past,
    right_to_chase,
    two_clocks,
    walls_stand,
)

#: In the order of their numbers. Each has CODE, TITLE, SENTENCE, OF (what is counted) and `look(given)`.
PROMISES: tuple[ModuleType, ...] = (
    right_to_chase, once, nothing_lost, every_cent, two_clocks, people_first, applied_if_unique, walls_stand, law_as_data, provable_past, exact_money,
)  # fmt: skip


class PromiseResult(msgspec.Struct, frozen=True, kw_only=True):
    """One promise: whether it holds, over how many of what, the first rows that break it and how many do."""

    code: str
    title: str
    sentence: str
    holds: bool
    checked: int
    of: str
    broken: int = 0
    breaches: tuple[Breach, ...] = ()
    notes: tuple[str, ...] = ()


def steady() -> None:
    """One unmoving view of the database for all checks, in which nothing can be written: call it first in the transaction.

    Without it a check sees what commits while another runs, and finds differences that never were.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def run(*, now: dt.datetime, anchors: list[dict[str, Any]] | None = None, only: frozenset[str] = frozenset()) -> list[PromiseResult]:
    """Look at every promise of the current organisation (or `only` those codes) as of `now`.

    `anchors` are the heads of the audit trail kept outside the database, read before the transaction began: an anchor written
    since would lie beyond what is seen.
    """
    given = Given(now=now, anchors=anchors)
    with connection.cursor() as cursor:
        # Everything is read whole. Straight after an import the tables are not counted yet, and the planner would loop.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute("SET LOCAL work_mem = '128MB'")
        cursor.execute("SET LOCAL jit = off")
        found = [_result(promise, promise.look(given)) for promise in PROMISES if not only or promise.CODE in only]
        cursor.execute("SET LOCAL enable_nestloop = on")
    return found


def _result(promise: ModuleType, looked: Looked) -> PromiseResult:
    return PromiseResult(
        code=promise.CODE, title=promise.TITLE, sentence=promise.SENTENCE, of=promise.OF, holds=not looked.broken, checked=looked.checked,
        broken=looked.broken, breaches=looked.breaches, notes=looked.notes,
    )  # fmt: skip
