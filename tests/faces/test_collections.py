"""The work list, its tasks and the release in waves: who comes first and why, and what a person says about it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import told, words
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.flow import nightly
from tieout.stages.base import walls
from tieout.stages.collect import release, task
from tieout.stages.collect.models import Baseline, Release, Task, Wave
from tieout.stages.dialogue import hold
from tieout.stages.dialogue.models import Note, Promise, Touch

Browser = Any
ADA = Actor("person", "Ada", None)


@pytest.fixture
def book(organisation: uuid.UUID, standing_clock: dt.datetime) -> dict[str, Any]:
    """Three released customers, one of them held, and one nobody has released."""
    with walls.inside(organisation):
        large = builders.customer("Large and late")
        builders.invoice(large, "9000.00", "2026-04-01")
        builders.invoice(large, "70.00", "2026-05-20", currency="USD")
        small = builders.customer("Small & soon")
        builders.invoice(small, "80.00", "2026-06-02")
        held = builders.customer("Held for Petra")
        builders.invoice(held, "500.00", "2026-05-01")
        new = builders.customer("New <i>history</i>")
        builders.invoice(new, "300.00", "2026-01-15")
        release.wave(customer_ids=[large.pk, small.pk, held.pk], name="First", actor=ADA, now=NOW)
        hold.place(customer=held, reason="manual", note="ask Petra", actor=ADA, now=NOW)
        made = task.make(
            customer=large, kind="call", title="call about the oldest", natural_key="t1", due_date=dt.date(2026, 6, 9), actor=ADA, now=NOW)
    nightly.run(organisation)
    return {"large": large.pk, "small": small.pk, "held": held.pk, "new": new.pk, "task": made.pk}


def test_the_list_ranks_and_says_why(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    with queries() as asked:
        said = words(owner.get(reverse("collections")))
    assert len(asked) <= BUDGET
    assert said.index("Large and late") < said.index("Small & soon")
    assert "9,000.00 EUR" in said
    assert "70.00 USD" in said
    assert "Waits to be released" in said
    assert "Why here" in said
    assert "New <i>history</i>" in said


@pytest.mark.parametrize(("query", "shows", "hides"), [
    pytest.param("state=held", "Held for Petra", "Large and late", id="by state"),
    pytest.param("text=small", "Small & soon", "Large and late", id="by name"),
    pytest.param("currency=USD", "Large and late", "Small & soon", id="by currency"),
    pytest.param("state=unreleased", "New <i>history</i>", "Small & soon", id="not released"),
    pytest.param("owner=0", "Large and late", "Nobody fits", id="nobody's"),
    pytest.param("tier=low", "Nobody fits these filters", "Large and late", id="a risk nobody has"),
])
def test_filters_live_in_the_address(organisation: uuid.UUID, book: dict[str, Any], owner: Browser, query: str, shows: str, hides: str) -> None:
    said = words(owner.get(f"{reverse('collections')}?{query}"))
    assert shows in said
    assert hides not in said


@pytest.mark.parametrize(
    "query", ["after=x", "after=1~2~3~4", "after=1~2~2026-06-31~4", "owner=x", "state=%00", "text=%25_%00", "tier=x", "currency=x"])
def test_no_address_breaks_the_list(organisation: uuid.UUID, book: dict[str, Any], owner: Browser, query: str) -> None:
    assert owner.get(f"{reverse('collections')}?{query}").status_code == 200


def test_a_call_is_logged_and_shows_as_the_last_signal(organisation: uuid.UUID, book: dict[str, Any], sign_in: Callable[..., Browser]) -> None:
    browser, at = sign_in("collector"), reverse("collections_say", args=[book["large"]])
    assert "USD" in words(browser.get(at))
    assert "how it went" in told(browser.post(at, {"channel": "call", "summary": " "}, follow=True))
    browser.post(at, {"channel": "call", "reached": "yes", "summary": "Dana promises to look"})
    with walls.inside(organisation):
        row = Touch.objects.get(customer_id=book["large"])
        assert (row.channel, row.outcome, row.summary) == ("call", "reached", "Dana promises to look")
    assert "Dana promises to look" in words(browser.get(reverse("collections")))


def test_a_promise_and_a_note_are_taken_from_the_list(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    back = reverse("collections")
    given = {"amount": "9000", "currency": "EUR", "date": "2026-06-20", "next": back}
    assert owner.post(reverse("customer_promise", args=[book["large"]]), given)["Location"] == back
    owner.post(reverse("customer_note", args=[book["large"]]), {"text": "asks for copies", "next": back})
    with walls.inside(organisation):
        assert Promise.objects.get(customer_id=book["large"]).amount_minor == 900000
        assert Note.objects.get(customer_id=book["large"]).text == "asks for copies"


def test_tasks_are_done_with_a_word_put_off_and_taken_back(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    with queries() as asked:
        said = words(owner.get(reverse("tasks")))
    assert len(asked) <= BUDGET
    assert "Call about the oldest" in said
    assert "1 d late" in said
    at = reverse("task_settle", args=[book["task"]])

    def state() -> tuple[str, dt.date]:
        with walls.inside(organisation):
            row = Task.objects.get(pk=book["task"])
            return str(row.state), row.due_date

    assert "say how it went" in told(owner.post(at, {"how": "done", "outcome": ""}, follow=True)).lower()
    owner.post(at, {"how": "later", "until": "2026-06-15", "tried": "1", "outcome": "engaged"})
    assert state() == ("open", dt.date(2026, 6, 15))
    owner.post(at, {"how": "done", "outcome": "reached Dana"})
    assert state()[0] == "done"
    assert "reached Dana" in words(owner.get(reverse("tasks") + "?state=done"))
    owner.post(at, {"how": "reopen"})
    assert state()[0] == "open"


def test_judging_again_changes_nothing_the_second_time(organisation: uuid.UUID, book: dict[str, Any], owner: Browser) -> None:
    before = words(owner.get(reverse("collections")))
    assert "Judged" in told(owner.post(reverse("collections_plan"), follow=True))
    assert words(owner.get(reverse("collections"))) == before


def test_a_wave_shows_who_and_what_first_and_is_released_and_withdrawn(
    organisation: uuid.UUID, book: dict[str, Any], sign_in: Callable[..., Browser]
) -> None:
    assert sign_in("collector").post(reverse("release_wave"), {"customer": book["new"]}).status_code == 403
    browser = sign_in("admin")
    with queries() as asked:
        said = words(browser.get(reverse("releases")))
    # The one page over the budget: it judges a whole backlog by the policy, in a fixed number of statements whatever its size.
    assert len(asked) <= 2 * BUDGET + 2
    assert "Wave 1 1 customer, 1 open item: 300.00 EUR" in said
    assert "First" in said
    assert "Open then" in said  # the baseline frozen at the first release
    assert "choose at least one" in told(browser.post(reverse("release_wave"), {"name": "None"}, follow=True)).lower()
    assert "Released" in told(browser.post(reverse("release_wave"), {"group": "Wave 1", "whole": "1", "name": "Second"}, follow=True))
    with walls.inside(organisation):
        wave = Wave.objects.get(name="Second")
        assert Release.objects.get(customer_id=book["new"], wave=wave).soft
        assert Baseline.objects.count() == 1
    assert "Nobody waits" in words(browser.get(reverse("releases")))
    browser.post(reverse("release_undo"), {"wave": wave.pk})
    assert "Wave 1 1 customer" in words(browser.get(reverse("releases")))


def test_whoever_has_nothing_open_finds_an_empty_list_that_says_what_comes_here(organisation: uuid.UUID, owner: Browser) -> None:
    assert "Nobody to see to" in words(owner.get(reverse("collections")))
    assert "Nothing to do by hand" in words(owner.get(reverse("tasks")))
    assert "Nobody waits to be released" in words(owner.get(reverse("releases")))
