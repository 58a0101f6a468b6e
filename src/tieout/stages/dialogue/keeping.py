"""Whether promises were kept, judged from the money alone: pure, so that it can be tried a thousand times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

Kept = Literal["open", "kept", "broken"]


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A promise of `minor` by `date`, given at `made_at`."""

    promise_id: int
    minor: int
    date: dt.date
    made_at: dt.datetime


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """Money (or a credit) that arrived on business day `date` and that we knew of from `known_at`."""

    minor: int
    date: dt.date
    known_at: dt.datetime


def judge(promises: Iterable[Given], money: Sequence[Received], *, today: dt.date, grace_days: int, settled: bool) -> dict[int, Kept]:
    """State of each promise of one scope (a document, or a customer in a currency), by promise id.

    Money counts for a promise when we learnt of it after the promise was given and its business day is not past the grace;
    the earliest promise takes first, and no cent counts twice. `settled`: nothing is open in the scope any more, so what is
    not yet due is kept whatever settled it. A late bank file so turns a broken promise into a kept one, and money that came
    back turns a kept one around.
    """
    left = [m.minor for m in money]
    order = sorted(range(len(money)), key=lambda i: (money[i].date, money[i].known_at, i))
    states: dict[int, Kept] = {}
    for promise in sorted(promises, key=lambda p: (p.date, p.promise_id)):
        last = promise.date + dt.timedelta(days=grace_days)
        missing = promise.minor
        for i in order:
            if missing and money[i].known_at >= promise.made_at and money[i].date <= last:
                taken = min(missing, left[i])
                left[i], missing = left[i] - taken, missing - taken
        running = today <= last
        states[promise.promise_id] = "kept" if missing == 0 or (running and settled) else "open" if running else "broken"
    return states
