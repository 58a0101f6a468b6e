"""Connect a system on a page, see how it stands, read what it sent, let it go: by the roles that may, on a real twin."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.reading import words
from tieout.flow import sync
from tieout.rehearsal.twins.server import Serving, serving
from tieout.rehearsal.twins.stripe import TWIN
from tieout.stages.base import secret, walls
from tieout.stages.intake.models import Connection, Envelope, SyncStream
from tieout.stages.ledger.models import TieOutRun

Browser = Any
KEY = "sk_test_twin"


@pytest.fixture
def stripe() -> Iterator[Serving]:
    with serving(TWIN(clock=lambda: NOW), deliver=False) as running:
        yield running


def connect(browser: Browser, stripe: Serving, **fields: str) -> Any:
    given = {"connection_name": "Stripe", "api_key": KEY, "base_url": stripe.url, "webhook_secret": "", **fields}
    return browser.post(reverse("system_new", args=["stripe"]), given, follow=True)


def the_connection(organisation: uuid.UUID) -> Connection:
    with walls.inside(organisation):
        found: Connection = Connection.objects.get(kind="system")
        return found


def test_the_gallery_says_what_each_system_can_do_and_what_was_tested(owner: Browser) -> None:
    said = words(owner.get(reverse("systems")))
    assert "Stripe" in said
    assert "Not yet with a live account" in said


def test_a_system_is_connected_in_pilot_and_its_key_is_kept_encrypted(organisation: uuid.UUID, owner: Browser, stripe: Serving) -> None:
    page = connect(owner, stripe)
    said = words(page)
    assert "Connected to Marrow Lane Studio" in said
    assert "Pilot" in said
    assert KEY not in page.content.decode()
    row = the_connection(organisation)
    assert (row.stage, row.vendor) == ("pilot", "stripe")
    assert KEY not in str(row.settings)
    with walls.inside(organisation):
        assert secret.get(name=f"connection:{row.pk}:api_key") == KEY


@pytest.mark.parametrize(("fields", "says"), [
    ({"api_key": "sk_test_wrong"}, "does not let us in"),
    ({"api_key": ""}, "needed to be let in"),
    ({"base_url": "http://elsewhere.example"}, "begins with https://"),
    ({"base_url": "http://127.0.0.1:9"}, "cannot be reached"),
])
def test_what_does_not_reach_anybody_is_refused_and_nothing_is_stored(
    organisation: uuid.UUID, owner: Browser, stripe: Serving, fields: dict[str, str], says: str
) -> None:
    page = connect(owner, stripe, **fields)
    assert page.status_code == 400
    assert says in words(page)
    with walls.inside(organisation):
        assert not Connection.objects.filter(kind="system").exists()


def test_the_same_name_twice_is_refused(owner: Browser, stripe: Serving) -> None:
    connect(owner, stripe)
    assert "here is a connection called" in words(connect(owner, stripe))


def test_its_page_shows_streams_readings_and_what_it_sent(organisation: uuid.UUID, owner: Browser, stripe: Serving) -> None:
    twin = stripe.twin
    twin.invoice(twin.customer("<b>Brightwater</b> GmbH"), 10_000)
    connect(owner, stripe)
    row = the_connection(organisation)
    sync.once(organisation, row.pk)
    with queries() as asked:
        page = owner.get(reverse("connection", args=[row.pk]))
    assert len(asked) <= BUDGET
    said = words(page)
    assert "Invoices" in said
    assert "/hooks/" in page.content.decode()
    with walls.inside(organisation):
        envelope = Envelope.objects.filter(name="answer").first()
    shown = owner.get(reverse("envelope_shown", args=[envelope.pk]))
    assert "<b>Brightwater" not in shown.content.decode()
    assert "Brightwater" in words(shown)


def test_it_goes_live_is_read_anew_and_let_go_of(organisation: uuid.UUID, owner: Browser, stripe: Serving) -> None:
    connect(owner, stripe)
    row = the_connection(organisation)
    sync.once(organisation, row.pk)
    assert "is live" in words(owner.post(reverse("system_live", args=[row.pk]), {"reason": "it is only a twin"}, follow=True))
    assert "read anew" in words(owner.post(reverse("system_read", args=[row.pk]), {"anew": "yes"}, follow=True))
    with walls.inside(organisation):
        assert SyncStream.objects.filter(connection=row, state="needs_resync").count() == 8
    assert "disconnected" in words(owner.post(reverse("system_end", args=[row.pk]), follow=True))
    with walls.inside(organisation):
        assert secret.get(name=f"connection:{row.pk}:api_key") is None
    assert "paused" in sync.once(organisation, row.pk).stopped


def test_new_credentials_of_another_account_are_refused(organisation: uuid.UUID, owner: Browser, stripe: Serving) -> None:
    connect(owner, stripe)
    row = the_connection(organisation)
    with walls.inside(organisation):
        Connection.objects.filter(pk=row.pk).update(account={"id": "acct_other", "name": "Somebody else"})
    assert "hese credentials are for" in words(owner.post(reverse("system_again", args=[row.pk]), {"api_key": KEY}, follow=True))
    with walls.inside(organisation):
        Connection.objects.filter(pk=row.pk).update(account=row.account)
    assert "connected again" in words(owner.post(reverse("system_again", args=[row.pk]), {"api_key": KEY}, follow=True))


def test_who_may_not_connect_is_told(sign_in: Callable[..., Browser], stripe: Serving) -> None:
    assert connect(sign_in("collector"), stripe).status_code == 403


def test_a_difference_is_opened_down_to_its_document(organisation: uuid.UUID, owner: Browser, stripe: Serving) -> None:
    twin = stripe.twin
    invoice = twin.invoice(twin.customer("Brightwater GmbH"), 10_000)
    connect(owner, stripe)
    row = the_connection(organisation)
    sync.once(organisation, row.pk)
    assert "Ties out" in words(owner.get(reverse("tie_outs")))
    twin.pay(invoice, out_of_band=True)
    sync.once(organisation, row.pk)
    said = words(owner.get(reverse("tie_out_one", args=[row.pk])))
    assert "100.00 EUR" in said
    assert "ettled at the source by money, a credit or a journal that is not applied here" in said
    kept = owner.post(reverse("tie_out_one", args=[row.pk]))
    assert reverse("invoice", args=[1])[:-2] in kept.content.decode()
    with walls.inside(organisation):
        assert TieOutRun.objects.get().differing == 1
