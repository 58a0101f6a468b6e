"""Tokens that run out: renewed once however many ask, kept before they are used, survived in the middle of a page; and what a system
does not let us into, or asks us to wait for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import stamina

from tests.conftest import ROOT
from tests.scenarios.connected import Books, connect
from tieout.adapters.ports.errors import NeedsPerson, TryLater
from tieout.flow import consent, line
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.hubspot import TWIN as HUBSPOT
from tieout.rehearsal.twins.quickbooks import TWIN as QUICKBOOKS
from tieout.rehearsal.twins.server import Serving, serving
from tieout.stages.base import secret, walls
from tieout.stages.intake.models import Connection, SyncStream
from tieout.stages.ledger.models import Document

TOKENS = "/oauth2/v1/tokens/bearer"


@pytest.fixture
def quickbooks() -> Iterator[Serving]:
    """A twin that gives a new refresh token each time, and takes the old one no more."""
    twin = QUICKBOOKS(currency="EUR", rotate_always=True, grace_seconds=-1)
    with stamina.set_testing(True, attempts=5, cap=True), serving(twin, deliver=False) as running:
        yield running


@pytest.fixture
def books(organisation: uuid.UUID, quickbooks: Serving) -> Books:
    return connected(organisation, quickbooks)


def connected(organisation: uuid.UUID, running: Serving) -> Books:
    twin: Any = running.twin
    tokens = twin.connect()
    return connect(
        organisation, "quickbooks", client_id=twin.permissions.client_id, client_secret=twin.permissions.client_secret,
        access_token=tokens["access_token"], refresh_token=tokens["refresh_token"], realmId=twin.company().realm, base_url=running.url,
        oauth_url=running.url)


def kept(books: Books, key: str) -> str:
    with walls.inside(books.organisation):
        found = secret.get(name=f"connection:{books.connection}:{key}")
    assert found
    return found


def renewals(running: Serving) -> int:
    return sum(logged.path == TOKENS for logged in running.twin.log)


def test_a_token_that_has_run_out_is_renewed_and_both_new_ones_are_kept(books: Books, quickbooks: Serving) -> None:
    before = kept(books, "access_token"), kept(books, "refresh_token")
    quickbooks.twin.move_clock(3601)
    assert books.sync().stopped == ""
    assert renewals(quickbooks) == 1
    grant = quickbooks.twin.permissions.grants[-1]
    assert kept(books, "refresh_token") == grant.refresh != before[1]
    assert kept(books, "access_token") != before[0]
    assert books.row().account["refresh_expires_at"] > books.row().account["access_expires_at"]


def test_two_that_renew_at_once_renew_once_and_both_go_on_with_the_new_token(books: Books, quickbooks: Serving) -> None:
    quickbooks.twin.latency_seconds = 0.3
    spent = kept(books, "access_token")
    together, got, failed = threading.Barrier(2), [], []

    def renew() -> None:
        from django.db import connection

        try:
            together.wait()
            got.append(consent.renew(books.organisation, books.connection, spent=spent))
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=renew) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert renewals(quickbooks) == 1
    assert got[0] == got[1] == {"access_token": kept(books, "access_token"), "refresh_token": kept(books, "refresh_token")}
    assert got[0]["access_token"] != spent


def test_two_readers_whose_token_ran_out_renew_it_once(books: Books, quickbooks: Serving) -> None:
    with line.open(books.organisation, books.connection) as first, line.open(books.organisation, books.connection) as second:
        quickbooks.twin.move_clock(3601)
        for one in (first, second, first):
            assert one.connector.account(one.http, one.settings).name == "Larkspur Landscaping"
    assert renewals(quickbooks) == 1


def test_tokens_lost_between_fetching_and_keeping_are_told_as_connect_again(organisation: uuid.UUID, books: Books, quickbooks: Serving) -> None:
    quickbooks.twin.move_clock(3601)
    script = f"""
import django; django.setup()
from uuid import UUID
from tieout.flow import sync
sync.once(UUID("{organisation}"), {books.connection})
"""
    dead = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TIEOUT_CRASH_AT": "consent.after_fetch"}, cwd=ROOT, check=False)
    assert dead.returncode == -signal.SIGKILL
    assert renewals(quickbooks) == 1
    with walls.inside(organisation):
        Connection.objects.update(leased_until=None)
    stopped = books.sync().stopped
    assert "gives no tokens (invalid_grant" in stopped
    assert "connect again" in stopped
    assert books.row().needs_person == stopped


def test_tokens_that_cannot_be_fetched_now_are_for_later_and_cost_nothing(books: Books, quickbooks: Serving) -> None:
    quickbooks.twin.move_clock(3601)
    before = kept(books, "refresh_token")
    for fault in ("too_many", "error_before", "cut", "truncated"):
        quickbooks.twin.faults.put(Fault(fault=fault, path=TOKENS, times=0))
        with pytest.raises(TryLater):
            consent.renew(books.organisation, books.connection, spent=kept(books, "access_token"))
        if fault == "truncated":
            break
        assert kept(books, "refresh_token") == before
    assert books.row().needs_person == ""


def test_a_consent_taken_back_at_the_other_side_needs_a_person(books: Books, quickbooks: Serving) -> None:
    quickbooks.twin.permissions.grants[-1].revoked = True
    with pytest.raises(NeedsPerson, match="connect again"):
        consent.renew(books.organisation, books.connection, spent=kept(books, "access_token"))


def test_a_token_that_runs_out_in_the_middle_of_paging_is_survived(
    organisation: uuid.UUID, books: Books, quickbooks: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tieout.adapters.connectors.quickbooks import client

    monkeypatch.setattr(client, "PAGE", 20)
    twin: Any = quickbooks.twin
    customer = twin.create("Customer", {"DisplayName": "Brightwater GmbH"})
    for _ in range(45):
        line_ = {"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}
        twin.create("Invoice", {"CustomerRef": {"value": customer["Id"]}, "Line": [line_]})
    twin.faults.put(Fault(fault="expired", path="/query", after=3, times=1))
    synced = books.sync()
    assert synced.stopped == ""
    assert renewals(quickbooks) == 1
    with walls.inside(organisation):
        assert Document.objects.filter(kind="invoice").count() == 45


def test_a_429_without_a_word_of_when_is_waited_out_for_a_minute(books: Books, quickbooks: Serving) -> None:
    quickbooks.twin.faults.put(Fault(fault="too_many", path="/query", times=1))
    stopped = books.sync()
    assert "slow down" in stopped.stopped
    row = books.row()
    assert row.not_before is not None
    with line.open(books.organisation, books.connection) as open_line:
        assert 45 < (row.not_before - open_line.http.now()).total_seconds() <= 60
        # Nobody else of this process asks meanwhile either.
        asked = len(quickbooks.twin.log)
        with pytest.raises(TryLater, match="budget"):
            open_line.http.get("/v3/company/1/companyinfo/1")
        assert len(quickbooks.twin.log) == asked
    line.rested(books.connection)
    assert books.sync().stopped == ""


def test_the_home_currency_of_the_account_is_known_to_the_connector(organisation: uuid.UUID, books: Books) -> None:
    with line.open(organisation, books.connection) as open_line:
        assert open_line.settings["currency"] == "EUR"
    with walls.inside(organisation):
        row = Connection.objects.get(pk=books.connection)
        row.settings = {**row.settings, "currency": "USD"}
        row.save(update_fields=["settings"])
    with line.open(organisation, books.connection) as open_line:
        assert open_line.settings["currency"] == "USD", "what a person typed goes before what the account says"


# What a system does not let us into


@pytest.fixture
def hubspot() -> Iterator[Serving]:
    with serving(HUBSPOT(withheld=["deals"]), deliver=False) as running:
        yield running


def test_a_kind_that_is_not_permitted_closes_its_stream_and_the_others_go_on(organisation: uuid.UUID, hubspot: Serving) -> None:
    twin: Any = hubspot.twin
    twin.company("Brightwater", domain="brightwater.example")
    crm = connect(organisation, "hubspot", access_token="pat-twin", base_url=hubspot.url)
    assert crm.sync().stopped == ""
    assert crm.streams() == {"": "live", "customers": "live", "deals": "disabled"}
    with walls.inside(organisation):
        reason = SyncStream.objects.get(name="deals").reason
    assert "does not let this connection read deals" in reason
    assert "permission" in reason
    assert crm.row().needs_person == ""
    twin.company("Kestrel & Co", domain="kestrel.example")
    assert crm.sync().created >= 1
    twin.withheld.clear()
    assert crm.sync(anew=True).stopped == ""
    assert crm.streams()["deals"] == "live"


def test_a_permission_taken_away_later_is_seen_in_the_changes_and_not_passed_over(organisation: uuid.UUID, hubspot: Serving) -> None:
    twin: Any = hubspot.twin
    twin.withheld.clear()
    crm = connect(organisation, "hubspot", access_token="pat-twin", base_url=hubspot.url)
    crm.sync()
    assert crm.streams()["deals"] == "live"
    twin.withheld.add("deals")
    twin.company("Kestrel & Co", domain="kestrel.example")
    synced = crm.sync()
    assert (synced.stopped, synced.created >= 1) == ("", True)
    assert crm.streams()["deals"] == "disabled"
