"""Tasks: made once, settled by a person with a word on how it went, counted as the step they were."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.collecting import ADA, MACHINE, TODAY, graded, late, planned, released
from tieout.core.evidence import Refused
from tieout.stages.collect import queries, task
from tieout.stages.collect.models import Task
from tieout.stages.dialogue.models import Touch
from tieout.stages.ledger.models import Customer


@pytest.fixture
def owner(inside: uuid.UUID) -> Customer:
    """A high-risk customer a month late, planned: there is a call to make."""
    row = graded(builders.customer("Hollow Oak"), "high")
    late(row, 31, "500.00")
    released(row)
    planned()
    return row


def test_the_task_shows_what_and_why(owner: Customer) -> None:
    (row,) = queries.tasks()
    assert (row.customer_name, row.kind, row.title, row.due_date, row.waits) == ("Hollow Oak", "call", "Call: 500.00 EUR in 1 document", TODAY, "")
    assert "is a call for a person" in row.reason


def test_a_call_made_counts_as_its_step_and_is_not_asked_for_again(owner: Customer) -> None:
    done = task.settle(task=Task.objects.get(), outcome="pays on Friday", channel="call", actor=ADA, now=NOW)
    assert isinstance(done, Task)
    assert (done.state, done.outcome, done.settled_by) == ("done", "pays on Friday", "Ada")
    logged = Touch.objects.get()
    assert (logged.channel, logged.step, logged.outcome, logged.document_ids) == ("call", "call", "reached", done.document_ids)
    assert planned(TODAY + dt.timedelta(days=1)).judged == 0


def test_a_call_nobody_answered_moves_no_step_and_waits_for_its_new_day(owner: Customer) -> None:
    tomorrow = TODAY + dt.timedelta(days=1)
    later = task.postpone(task=Task.objects.get(), until=tomorrow, note="no answer", tried=True, actor=ADA, now=NOW)
    assert isinstance(later, Task)
    assert Touch.objects.get().outcome == "failed"
    assert planned(tomorrow).tasks == ()
    assert (Task.objects.get().state, Task.objects.get().due_date) == ("open", tomorrow)


def test_a_task_a_person_dropped_stays_dropped(owner: Customer) -> None:
    task.settle(task=Task.objects.get(), outcome="they are friends", drop=True, actor=ADA, now=NOW)
    planned(TODAY + dt.timedelta(days=1))
    assert Task.objects.get().state == "dropped"
    assert Touch.objects.count() == 0


REFUSALS = {
    "without a word on how it went": (lambda t: task.settle(task=t, outcome=" ", actor=ADA, now=NOW), "say how it went"),
    "to a day that is over": (lambda t: task.postpone(task=t, until=TODAY, note="", actor=ADA, now=NOW), "a day after today"),
}


@pytest.mark.parametrize(("act", "says"), REFUSALS.values(), ids=REFUSALS)
def test_it_is_not_settled(owner: Customer, act, says: str) -> None:  # type: ignore[no-untyped-def]
    found = act(Task.objects.get())
    assert isinstance(found, Refused)
    assert says in found.reason
    assert Task.objects.get().state == "open"


def test_two_people_settle_it_once(owner: Customer) -> None:
    stale = Task.objects.get()
    task.settle(task=Task.objects.get(), outcome="called", actor=ADA, now=NOW)
    assert isinstance(task.settle(task=stale, outcome="called too", actor=ADA, now=NOW), Refused)


def test_settling_can_be_undone(owner: Customer) -> None:
    row = task.settle(task=Task.objects.get(), outcome="called the wrong one", actor=ADA, now=NOW)
    assert isinstance(row, Task)
    task.reopen(task=row, reason="wrong customer", actor=ADA, now=NOW)
    assert (Task.objects.get().state, Task.objects.get().settled_at) == ("open", None)


def test_the_same_key_is_one_task_whatever_became_of_it(inside: uuid.UUID) -> None:
    owner = builders.customer()
    given = {
        "customer": owner,
        "kind": "unknown",
        "title": "Did it arrive?",
        "natural_key": "unknown:1",
        "due_date": TODAY,
        "actor": MACHINE,
        "now": NOW,
    }
    first = task.make(**given)
    task.settle(task=first, outcome="it did", actor=ADA, now=NOW)
    assert task.make(**given) == first
    with pytest.raises(ValueError, match="no kind of task"):
        task.make(**given | {"kind": "dance"})


def test_tasks_can_be_looked_for(owner: Customer) -> None:
    assert [len(queries.tasks(**asked)) for asked in ({"kind": "call"}, {"kind": "letter"}, {"customer_id": owner.pk}, {"state": "done"})] == [
        1,
        0,
        1,
        0,
    ]
    assert queries.tasks(due_by=TODAY - dt.timedelta(days=1)) == []
