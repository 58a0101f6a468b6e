"""Promises judged from the money alone."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from tieout.stages.dialogue.keeping import Given, Received, judge

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
days = st.integers(0, 40)


def at(offset: int) -> dt.datetime:
    return NOON + dt.timedelta(days=offset)


promises = st.lists(st.tuples(st.integers(1, 300), days, days), max_size=5).map(
    lambda rows: [Given(promise_id=i, minor=m, date=at(d).date(), made_at=at(made)) for i, (m, d, made) in enumerate(rows)])
money = st.lists(st.tuples(st.integers(1, 300), days, days), max_size=6).map(
    lambda rows: [Received(minor=m, date=at(d).date(), known_at=at(k)) for m, d, k in rows])


@given(promises, money, days)
def test_no_cent_keeps_two_promises(promised: list[Given], received: list[Received], today: int) -> None:
    states = judge(promised, received, today=at(today).date(), grace_days=2, settled=False)
    assert sum(p.minor for p in promised if states[p.promise_id] == "kept") <= sum(m.minor for m in received)


@given(promises, money, days)
def test_nothing_is_broken_before_its_grace_has_run_out(promised: list[Given], received: list[Received], today: int) -> None:
    states = judge(promised, received, today=at(today).date(), grace_days=2, settled=False)
    for p in promised:
        over = at(today).date() > p.date + dt.timedelta(days=2)
        assert states[p.promise_id] in (("kept", "broken") if over else ("kept", "open"))


@given(promises, money, days, st.randoms(use_true_random=False))
def test_the_order_in_which_rows_are_read_does_not_matter(promised: list[Given], received: list[Received], today: int, chance: object) -> None:
    before = judge(promised, received, today=at(today).date(), grace_days=2, settled=False)
    chance.shuffle(promised)  # type: ignore[attr-defined]
    assert judge(promised, received, today=at(today).date(), grace_days=2, settled=False) == before


@given(st.integers(1, 300), days, money, st.integers(1, 300), days)
def test_more_money_never_breaks_a_promise_that_stands_alone(minor: int, due: int, received: list[Received], more: int, when: int) -> None:
    alone = [Given(promise_id=1, minor=minor, date=at(due).date(), made_at=at(0))]
    later = [*received, Received(minor=more, date=at(when).date(), known_at=at(when))]
    before = judge(alone, received, today=at(50).date(), grace_days=2, settled=False)[1]
    assert before == "broken" or judge(alone, later, today=at(50).date(), grace_days=2, settled=False)[1] == "kept"
