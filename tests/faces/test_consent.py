"""Consent from page to page: asked with state and PKCE at the twin, come back from, kept encrypted, taken back; and every way it fails."""

from __future__ import annotations

import datetime as dt
import html
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from django.urls import reverse

from tests.faces.reading import words
from tieout.flow import asking, clock, sync
from tieout.rehearsal.twins.hubspot import TWIN as HUBSPOT
from tieout.rehearsal.twins.quickbooks import TWIN as QUICKBOOKS
from tieout.rehearsal.twins.server import Serving, serving
from tieout.stages.base import found, secret, walls
from tieout.stages.base.models import AuditEntry, Secret
from tieout.stages.intake.models import Connection, SyncStream

Browser = Any
APP = {"client_id": "tieout-client", "client_secret": "tieout-secret"}
#: HubSpot's twin is known to another app.
OTHER_APP = {"client_id": "twin-client", "client_secret": "twin-secret"}


@pytest.fixture
def quickbooks() -> Iterator[Serving]:
    with serving(QUICKBOOKS(currency="EUR"), deliver=False) as running:
        yield running


@pytest.fixture
def hubspot() -> Iterator[Serving]:
    with serving(HUBSPOT(), deliver=False) as running:
        yield running


def onward(page: Any) -> str:
    """Where the page sends the person."""
    return html.unescape(re.search(r'href="([^"]+)"[^>]* id="onward"', page.content.decode())[1])  # type: ignore[index]


def form(running: Serving, **fields: str) -> dict[str, str]:
    return {"connection_name": "Books", "base_url": running.url, "oauth_url": running.url, **APP, **fields}


def asked(browser: Browser, running: Serving, **fields: str) -> str:
    vendor = running.twin.name
    page = browser.post(reverse("system_new", args=[vendor]), form(running, **fields))
    assert page.status_code == 200, words(page)
    return onward(page)


def answered(address: str, answer: str = "approve", realm: str = "") -> str:
    """A person answers at the other side; where their browser is sent, without the host."""
    sent = dict(parse_qsl(urlsplit(address).query))
    host = address.split("/connect/oauth2")[0].split("/oauth/authorize")[0]
    page = httpx2.get(address, trust_env=False)
    assert page.status_code == 200
    assert "Approve" in page.text
    if not realm and (first := re.search(r'option value="(\d+)"', page.text)):
        realm = first[1]
    back = httpx2.post(f"{host}{urlsplit(address).path}", data={**sent, "realm": realm, "answer": answer}, trust_env=False)
    assert back.status_code == 302
    found = urlsplit(back.headers["Location"])
    assert found.netloc == "testserver"
    return f"{found.path}?{found.query}"


def systems(organisation: uuid.UUID) -> list[Connection]:
    with walls.inside(organisation):
        return list(Connection.objects.filter(kind="system"))


def connected(organisation: uuid.UUID, browser: Browser, running: Serving, **fields: str) -> Connection:
    said = words(browser.get(answered(asked(browser, running, **fields)), follow=True))
    assert "Connected to" in said
    return systems(organisation)[-1]


def tokens(organisation: uuid.UUID, connection: Connection) -> dict[str, str | None]:
    with walls.inside(organisation):
        return {key: secret.get(name=f"connection:{connection.pk}:{key}") for key in ("access_token", "refresh_token")}


def test_quickbooks_is_asked_with_state_and_pkce_and_begins_in_pilot(organisation: uuid.UUID, owner: Browser, quickbooks: Serving) -> None:
    address = asked(owner, quickbooks)
    sent = dict(parse_qsl(urlsplit(address).query))
    assert sent["code_challenge_method"] == "S256"
    assert len(sent["code_challenge"]) == 43
    assert len(sent["state"]) >= 20
    assert sent["redirect_uri"] == f"http://testserver{reverse('system_returned')}"
    assert "tieout-secret" not in address
    assert systems(organisation) == []
    page = owner.get(answered(address), follow=True)
    assert "Connected to Larkspur Landscaping" in words(page)
    [row] = systems(organisation)
    company = quickbooks.twin.company()
    assert (row.stage, row.name, row.settings["realmId"], row.account["id"]) == ("pilot", "Books", company.realm, company.realm)
    assert row.account["currency"] == "EUR"
    kept = tokens(organisation, row)
    grant = quickbooks.twin.permissions.grants[-1]
    assert kept["refresh_token"] == grant.refresh
    with walls.inside(organisation):
        blobs = b"".join(bytes(blob) for blob in Secret.objects.values_list("blob", flat=True)).decode("latin-1")
        assert not Secret.objects.filter(name__startswith="consent:").exists()
        audited = str(list(AuditEntry.objects.values_list("detail", flat=True)))
    for hidden in (*kept.values(), "tieout-secret"):
        assert hidden
        assert hidden not in blobs + str(row.settings) + str(row.account) + audited + page.content.decode()
    assert sync.once(organisation, row.pk).stopped == ""


@pytest.mark.parametrize("instead", [{"state": "made-up-by-somebody"}, {}], ids=["another state", "none"])
def test_an_answer_to_no_question_of_ours_is_refused_and_the_question_still_stands(
    organisation: uuid.UUID, owner: Browser, quickbooks: Serving, instead: dict[str, str]
) -> None:
    back = answered(asked(owner, quickbooks))
    forged = {name: value for name, value in parse_qsl(urlsplit(back).query) if name != "state"} | instead
    assert "not the answer to a question asked from this browser" in words(owner.get(urlsplit(back).path, forged, follow=True))
    assert systems(organisation) == []
    assert "Connected to" in words(owner.get(back, follow=True))


def test_an_answer_in_another_browser_or_organisation_is_refused(
    organisation: uuid.UUID, owner: Browser, sign_in: Callable[..., Browser], quickbooks: Serving
) -> None:
    back = answered(asked(owner, quickbooks))
    assert "not the answer to a question asked from this browser" in words(sign_in("owner").get(back, follow=True))
    elsewhere = found.organisation(
        name="Elsewhere", country="DE", time_zone="UTC", base_currency="EUR", language="en", sender_name="E", sender_address="e@e.example",
        now=clock.real_now())
    stranger = sign_in("owner", elsewhere)
    session = stranger.session
    session["consent"] = dict(parse_qsl(urlsplit(back).query))["state"]
    session.save()
    assert "belongs to another organisation" in words(stranger.get(back, follow=True))
    assert systems(organisation) == systems(elsewhere) == []


def test_an_answer_counts_once_and_not_for_ever(organisation: uuid.UUID, owner: Browser, quickbooks: Serving) -> None:
    back = answered(asked(owner, quickbooks))
    with walls.inside(organisation):
        long_ago = clock.real_now() - dt.timedelta(minutes=asking.MINUTES + 1)
        assert Secret.objects.filter(name__startswith="consent:").update(set_at=long_ago) == 1
    assert "longer than 30 minutes" in words(owner.get(back, follow=True))
    assert systems(organisation) == []
    back = answered(asked(owner, quickbooks))
    assert "Connected to" in words(owner.get(back, follow=True))
    assert "not the answer to a question" in words(owner.get(back, follow=True))
    assert len(systems(organisation)) == 1


def test_what_nobody_came_back_for_is_forgotten_with_the_next_question(organisation: uuid.UUID, owner: Browser, quickbooks: Serving) -> None:
    asked(owner, quickbooks)
    with walls.inside(organisation):
        Secret.objects.filter(name__startswith="consent:").update(set_at=clock.real_now() - dt.timedelta(days=1))
    asked(owner, quickbooks)
    with walls.inside(organisation):
        assert Secret.objects.filter(name__startswith="consent:").count() == 1


def test_consent_that_is_denied_is_told_and_the_form_is_there_to_try_again(organisation: uuid.UUID, owner: Browser, quickbooks: Serving) -> None:
    page = owner.get(answered(asked(owner, quickbooks), "cancel"), follow=True)
    assert page.status_code == 400
    assert "did not give its consent: access_denied" in words(page)
    assert f'action="{reverse("system_new", args=["quickbooks"])}"' in page.content.decode()
    assert "tieout-secret" not in page.content.decode()
    assert systems(organisation) == []
    with walls.inside(organisation):
        assert not Secret.objects.exists()


def test_a_code_the_other_side_does_not_take_is_told(organisation: uuid.UUID, owner: Browser, quickbooks: Serving) -> None:
    back = answered(asked(owner, quickbooks, client_secret="mistyped"))
    page = owner.get(back, follow=True)
    assert page.status_code == 400
    assert "gives no tokens (invalid_client" in words(page)
    assert systems(organisation) == []


@pytest.mark.parametrize("lacks", ["client_id", "client_secret"])
def test_an_app_that_is_not_named_whole_is_asked_for(organisation: uuid.UUID, owner: Browser, quickbooks: Serving, lacks: str) -> None:
    page = owner.post(reverse("system_new", args=["quickbooks"]), form(quickbooks, **{lacks: ""}))
    assert page.status_code == 400
    assert "needed to ask for consent" in words(page)


# Again, and no more


def again(browser: Browser, connection: Connection, realm: str = "") -> Any:
    page = browser.post(reverse("system_again", args=[connection.pk]), {"client_id": "", "client_secret": ""})
    return browser.get(answered(onward(page), realm=realm), follow=True)


def test_connecting_again_keeps_the_connection_and_asks_for_no_secret_twice(organisation: uuid.UUID, owner: Browser, quickbooks: Serving) -> None:
    row = connected(organisation, owner, quickbooks)
    before = tokens(organisation, row)
    with walls.inside(organisation):
        Connection.objects.filter(pk=row.pk).update(needs_person="the other side does not let us in any more; connect again", stage="live")
        SyncStream.objects.filter(connection=row, name="invoices").update(state="disabled", reason="not permitted")
    assert "Books is connected again" in words(again(owner, row))
    [same] = systems(organisation)
    assert (same.pk, same.needs_person, same.stage) == (row.pk, "", "live")
    assert tokens(organisation, row) != before
    with walls.inside(organisation):
        assert SyncStream.objects.get(connection=row, name="invoices").state == "needs_resync"
    assert sync.once(organisation, row.pk).stopped == ""


def test_connecting_again_to_another_company_is_refused_and_that_consent_given_back(
    organisation: uuid.UUID, owner: Browser, quickbooks: Serving
) -> None:
    row = connected(organisation, owner, quickbooks)
    before, other = tokens(organisation, row), quickbooks.twin.open_company("Second Street Books")
    page = again(owner, row, realm=other.realm)
    assert page.status_code == 400
    assert "hese credentials are for Second Street Books" in words(page)
    [same] = systems(organisation)
    assert same.settings["realmId"] == same.account["id"] == quickbooks.twin.company().realm
    assert tokens(organisation, row) == before
    first, second = quickbooks.twin.permissions.grants
    assert (first.revoked, second.revoked) == (False, True)


def test_disconnecting_ends_the_consent_there_and_forgets_every_secret(organisation: uuid.UUID, owner: Browser, quickbooks: Serving) -> None:
    row = connected(organisation, owner, quickbooks)
    sync.once(organisation, row.pk)
    said = words(owner.post(reverse("system_end", args=[row.pk]), follow=True))
    assert "Books is disconnected. What came from it stays" in said
    assert [grant.revoked for grant in quickbooks.twin.permissions.grants] == [True]
    with walls.inside(organisation):
        assert not Secret.objects.filter(name__startswith=f"connection:{row.pk}:").exists()
    shown = words(owner.get(reverse("connection", args=[row.pk])))
    assert "Connect it again" in shown
    refused = owner.post(reverse("system_again", args=[row.pk]), {})
    assert "needed to ask for consent" in words(refused)
    page = owner.post(reverse("system_again", args=[row.pk]), APP)
    assert "begins in pilot again" in words(owner.get(answered(onward(page)), follow=True))
    [same] = systems(organisation)
    assert (same.pk, same.paused_at, same.stage) == (row.pk, None, "pilot")
    assert sync.once(organisation, row.pk).stopped == ""


def test_disconnecting_goes_on_where_the_other_side_is_away_and_says_so(organisation: uuid.UUID, owner: Browser) -> None:
    with ExitStack() as stack:
        running = stack.enter_context(serving(QUICKBOOKS(), deliver=False))
        row = connected(organisation, owner, running)
    said = words(owner.post(reverse("system_end", args=[row.pk]), follow=True))
    assert "is disconnected; the other side could not be told" in said
    with walls.inside(organisation):
        assert not Secret.objects.filter(name__startswith=f"connection:{row.pk}:").exists()


@pytest.mark.parametrize(("days", "says", "silent"), [
    (40, "Consent until", "needs you"),
    (9.5, "within 10 days", "ran out"),
    (0.5, "within 1 day", "ran out"),
    (-1, "The consent ran out", "within"),
])
def test_the_page_counts_down_to_the_end_of_the_consent(
    organisation: uuid.UUID, owner: Browser, quickbooks: Serving, days: float, says: str, silent: str
) -> None:
    row = connected(organisation, owner, quickbooks)
    with walls.inside(organisation):
        until = clock.real_now() + dt.timedelta(days=days)
        Connection.objects.filter(pk=row.pk).update(account={**row.account, "refresh_expires_at": until.isoformat()})
    said = words(owner.get(reverse("connection", args=[row.pk])))
    assert says in said
    assert silent not in said.split("Streams")[0]


# HubSpot: a token of its own, or an app


def test_hubspot_is_connected_by_consent_with_the_secret_in_the_body(organisation: uuid.UUID, owner: Browser, hubspot: Serving) -> None:
    hubspot.twin.company("Brightwater", domain="brightwater.example")
    row = connected(organisation, owner, hubspot, **OTHER_APP)
    kept = tokens(organisation, row)
    assert kept["refresh_token"] in hubspot.twin.grants
    assert row.account["id"] == str(hubspot.twin.portal_id)
    assert sync.once(organisation, row.pk).stopped == ""
    hubspot.twin.move_clock(3600)
    assert sync.once(organisation, row.pk).stopped == ""
    assert tokens(organisation, row)["access_token"] != kept["access_token"]
    owner.post(reverse("system_end", args=[row.pk]))
    assert hubspot.twin.grants == {}


def test_hubspot_is_connected_by_a_token_without_asking_anybody(organisation: uuid.UUID, owner: Browser, hubspot: Serving) -> None:
    given = form(hubspot, access_token="pat-twin", client_id="", client_secret="")
    assert "Connected to HubSpot account" in words(owner.post(reverse("system_new", args=["hubspot"]), given, follow=True))
    [row] = systems(organisation)
    assert tokens(organisation, row) == {"access_token": "pat-twin", "refresh_token": None}
    hubspot.twin.tokens.clear()
    assert "does not let us in any more" in sync.once(organisation, row.pk).stopped


def test_hubspot_by_consent_can_go_over_to_a_token(organisation: uuid.UUID, owner: Browser, hubspot: Serving) -> None:
    row = connected(organisation, owner, hubspot, **OTHER_APP)
    page = owner.post(reverse("system_again", args=[row.pk]), {"access_token": "pat-twin"}, follow=True)
    assert "connected again" in words(page)
    assert tokens(organisation, row) == {"access_token": "pat-twin", "refresh_token": None}
    [same] = systems(organisation)
    assert "access_expires_at" not in same.account


def test_neither_a_token_nor_an_app_is_refused(organisation: uuid.UUID, owner: Browser, hubspot: Serving) -> None:
    page = owner.post(reverse("system_new", args=["hubspot"]), form(hubspot, client_id="", client_secret=""))
    assert page.status_code == 400
    assert "needed to be let in" in words(page)
    half = owner.post(reverse("system_new", args=["hubspot"]), form(hubspot, client_secret=""))
    assert "needed to ask for consent" in words(half)
