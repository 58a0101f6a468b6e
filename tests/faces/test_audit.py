"""The audit log: found by who and what, verified from the first entry, its end exported for an anchor outside."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import told, words
from tieout.core.evidence import Actor
from tieout.stages.base import audit, walls

Browser = Any


@pytest.fixture
def trail(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        for i in range(60):
            audit.write(actor=Actor("machine", "planner"), action="plan.day", object_kind="plan", object_id=i, now=NOW)
        audit.write(
            actor=Actor("person", "Ada <b>Lovelace</b>", 1), action="cash.apply", object_kind="allocation", object_id=7, now=NOW,
            reason="by telephone", detail={"items": "a key called items", "amount": "1.00 EUR"})


def test_the_newest_acts_come_first_with_reason_and_detail(organisation: uuid.UUID, trail: None, sign_in: Callable[..., Browser]) -> None:
    browser = sign_in("auditor")
    with queries() as asked:
        page = browser.get(reverse("audit"))
    assert len(asked) <= BUDGET
    said = words(page)
    assert said.index("cash.apply") < said.index("plan.day")
    assert "by telephone" in said
    assert "items: a key called items" in said
    assert "<b>Lovelace" not in page.content.decode()


@pytest.mark.parametrize(("query", "shows", "hides"), [
    pytest.param("action=cash", "cash.apply", "plan.day", id="by room"),
    pytest.param("actor_kind=machine", "plan.day", "cash.apply", id="by the machine"),
    pytest.param("text=telephone", "cash.apply", "plan.day", id="by reason"),
    pytest.param("object_kind=allocation&object_id=7", "cash.apply", "plan.day", id="by what it was done to"),
    pytest.param("text=nobody+did+this", "No entry fits", "cash.apply", id="nothing fits"),
])
def test_filters_live_in_the_address(organisation: uuid.UUID, trail: None, owner: Browser, query: str, shows: str, hides: str) -> None:
    said = words(owner.get(f"{reverse('audit')}?{query}"))
    assert shows in said
    assert hides not in said.partition("By a source")[2]


def test_older_entries_go_on_where_the_page_ended(organisation: uuid.UUID, trail: None, owner: Browser) -> None:
    first = owner.get(reverse("audit")).content.decode()
    assert "Older entries" in first
    before = first.split("before=")[1].split('"')[0]
    assert "organisation.found" in words(owner.get(f"{reverse('audit')}?before={before}"))


@pytest.mark.parametrize("query", ["before=x", "before=99999999999999999999", "text=%00", "object_id=%00", "action=%25"])
def test_no_address_breaks_the_log(organisation: uuid.UUID, trail: None, owner: Browser, query: str) -> None:
    assert owner.get(f"{reverse('audit')}?{query}").status_code == 200


def test_the_chain_is_verified_and_a_broken_one_named(organisation: uuid.UUID, trail: None, owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "The chain holds" in told(owner.post(reverse("audit_verify"), follow=True))
    # The database refuses to change an entry, so the page is shown what a changed one would give.
    monkeypatch.setattr(audit, "breaks", lambda: iter([(3, "its detail was changed")]))
    assert "Entry 3: its detail was changed" in told(owner.post(reverse("audit_verify"), follow=True))


def test_the_end_is_exported_as_it_stands(organisation: uuid.UUID, trail: None, sign_in: Callable[..., Browser]) -> None:
    browser = sign_in("auditor")
    answer = browser.get(reverse("audit_head"))
    with walls.inside(organisation):
        end = audit.head()
    kept = json.loads(answer.content)
    assert (kept["organisation_id"], kept["seq"], kept["hash"]) == (str(organisation), end.seq, end.hash)
    assert f'filename="tieout-audit-head-{end.seq}.json"' in answer["Content-Disposition"]
    assert sign_in("collector").get(reverse("audit_head")).status_code == 403
