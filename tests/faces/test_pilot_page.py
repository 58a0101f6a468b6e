"""Pilot and go-live on a page: run, look, confirm, go live; by whom it may be done, and what is said where it may not yet."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import words
from tieout.core.evidence import Actor
from tieout.flow import connecting, pilot, sync
from tieout.rehearsal.twins.server import Serving, serving
from tieout.rehearsal.twins.stripe import TWIN
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.intake.models import Connection
from tieout.stages.writeback.models import PilotRun

Browser = Any


@pytest.fixture
def stripe() -> Iterator[Serving]:
    with serving(TWIN(clock=lambda: NOW), deliver=False) as running:
        twin: Any = running.twin
        twin.invoice(twin.customer("Brightwater GmbH"), 12_000)
        yield running


@pytest.fixture
def connection(organisation: uuid.UUID, standing_clock: Any, stripe: Serving) -> int:
    ada = Actor("person", "Ada")
    found, _ = connecting.open(
        organisation, vendor="stripe", name="Stripe", given={"api_key": "sk_test_twin", "base_url": stripe.url}, stage="pilot", actor=ada)
    assert sync.once(organisation, found).stopped == ""
    return found


def the_run(organisation: uuid.UUID) -> PilotRun:
    with walls.inside(organisation):
        found: PilotRun = PilotRun.objects.order_by("-id").first()
        return found


def stage(organisation: uuid.UUID, connection: int) -> str:
    with walls.inside(organisation):
        return str(Connection.objects.get(pk=connection).stage)


def test_all_the_way_from_the_first_look_to_live(organisation: uuid.UUID, owner: Browser, connection: int) -> None:
    page = reverse("system_pilot", args=[connection])
    first = words(owner.get(page))
    assert "No pilot has been run yet" in first
    assert "4 missing" in first
    assert "Not yet live, this is missing: ties out" in words(owner.post(reverse("system_live", args=[connection]), follow=True))
    assert "no finished pilot run to confirm" in words(owner.post(reverse("system_pilot_confirm", args=[connection]), follow=True))
    assert "on its way; nothing is written" in words(owner.post(reverse("system_pilot_run", args=[connection]), follow=True))
    assert "wait" in words(owner.get(page))
    pilot.run(organisation, the_run(organisation).pk)
    with queries() as asked:
        shown = owner.get(page)
    assert len(asked) <= BUDGET
    said = words(shown)
    assert "was read again in" in said
    assert "Our ledger says the same" in said
    assert "By the map it belongs nowhere else" in said
    owner.post(reverse("tie_out_one", args=[connection]))
    assert "Confirmed" in words(owner.post(reverse("system_pilot_confirm", args=[connection]), follow=True))
    assert "all there" in words(owner.get(page))
    assert stage(organisation, connection) == "pilot"
    assert "Stripe is live" in words(owner.post(reverse("system_live", args=[connection]), follow=True))
    assert stage(organisation, connection) == "live"
    with walls.inside(organisation):
        entry = AuditEntry.objects.get(action="connection.live")
    assert (entry.reason, entry.detail) == ("", {"missing": []})


def test_an_owner_may_go_live_all_the_same_and_the_reason_is_kept(organisation: uuid.UUID, owner: Browser, connection: int) -> None:
    assert "is live" in words(owner.post(reverse("system_live", args=[connection]), {"reason": "the auditor waits"}, follow=True))
    with walls.inside(organisation):
        entry = AuditEntry.objects.get(action="connection.live")
    assert entry.reason == "the auditor waits"
    assert "Pilot run without surprises" in entry.detail["missing"]


@pytest.mark.parametrize(("role", "says"), [("admin", "only an owner may go live all the same"), ("collector", "403")])
def test_nobody_else_goes_live_without_it(
    organisation: uuid.UUID, sign_in: Callable[..., Browser], connection: int, role: str, says: str
) -> None:
    answer = sign_in(role).post(reverse("system_live", args=[connection]), {"reason": "I should like to"}, follow=True)
    assert says == str(answer.status_code) or says in words(answer)
    assert stage(organisation, connection) == "pilot"
    assert sign_in(role).post(reverse("system_pilot_confirm", args=[connection])).status_code == 403


def test_a_number_nobody_knows_is_told_and_nothing_is_run(organisation: uuid.UUID, owner: Browser, connection: int) -> None:
    page = owner.post(reverse("system_pilot_run", args=[connection]), {"numbers": "X-1, X-2"}, follow=True)
    assert "neither has nor would get an invoice 'X-1'" in words(page)
    assert the_run(organisation) is None


def test_a_run_that_fails_says_why(organisation: uuid.UUID, owner: Browser, connection: int) -> None:
    owner.post(reverse("system_pilot_run", args=[connection]))
    with walls.inside(organisation):
        Connection.objects.filter(pk=connection).update(vendor="nobody")
    pilot.run(organisation, the_run(organisation).pk)
    said = words(owner.get(reverse("system_pilot", args=[connection])))
    assert "there is no connector 'nobody'" in said
