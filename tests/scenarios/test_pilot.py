"""The pilot: chosen invoices travel end to end, every hop is seen, what would be told is shown, and nothing at all is written."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import stamina

from tests.scenarios.connected import ADA, Books, connect
from tieout.flow import clock, connecting, pilot
from tieout.rehearsal.twins.hubspot import TWIN as HUBSPOT
from tieout.rehearsal.twins.quickbooks import TWIN as QUICKBOOKS
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import TWIN as STRIPE
from tieout.rehearsal.twins.twin import Twin
from tieout.stages.base import walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.health import piloted
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import correct
from tieout.stages.ledger.models import Document, SourceRecord
from tieout.stages.writeback import pilot as choosing
from tieout.stages.writeback.models import Outgoing, PilotRun, Route

Json = dict[str, Any]


class Desk:
    """Three systems, Stripe live, the other two in pilot; all read to the end."""

    def __init__(self, organisation: uuid.UUID, stack: ExitStack, **mapped: str) -> None:
        self.organisation = organisation
        self.stripe, self.hubspot, self.quickbooks = STRIPE(), HUBSPOT(), QUICKBOOKS(currency="EUR")
        urls = {twin.name: stack.enter_context(serving(twin, deliver=False)).url for twin in (self.stripe, self.quickbooks, self.hubspot)}
        tokens = self.quickbooks.connect()
        self.gateway = connect(organisation, "stripe", api_key="sk_test_twin", base_url=urls["stripe"])
        self.books = connect(
            organisation, "quickbooks", client_id="tieout-client", client_secret="tieout-secret", access_token=tokens["access_token"],
            refresh_token=tokens["refresh_token"], realmId=self.quickbooks.company().realm, base_url=urls["quickbooks"],
            oauth_url=urls["quickbooks"], stage="pilot", **(mapped or {"item": "1", "tax_code": "TAX"}))
        self.crm = connect(organisation, "hubspot", access_token="pat-twin", base_url=urls["hubspot"], stage="pilot")
        self.read()

    def read(self) -> None:
        for one in (self.gateway, self.books, self.crm):
            assert one.sync().stopped == ""

    def raised(self, cents: int = 12_000) -> Any:
        return self.stripe.invoice(self.stripe.customer("Brightwater GmbH", email="ap@brightwater.example"), cents)

    def run(self, books: Books, *numbers: str) -> PilotRun:
        number = pilot.ask(self.organisation, books.connection, numbers=numbers, actor=ADA)
        pilot.run(self.organisation, number)
        with walls.inside(self.organisation):
            found: PilotRun = PilotRun.objects.get(pk=number)
            return found

    def stands(self) -> Json:
        """Everything a pilot could have touched and must not have."""
        with walls.inside(self.organisation):
            return {
                "outbox": list(Outgoing.objects.values_list("pk", "state")), "map": list(Route.objects.order_by("pk").values_list("pk", "since")),
                "stages": list(Connection.objects.order_by("pk").values_list("pk", "stage")),
                "links": SourceRecord.objects.count(), "documents": list(Document.objects.order_by("pk").values_list("pk", "open_minor", "status")),
            }  # fmt: skip

    def points(self, books: Books) -> dict[str, bool]:
        with walls.inside(self.organisation):
            row = Connection.objects.get(pk=books.connection)
            runs = choosing.runs(connection_id=row.pk)
            return {one.name: one.met for one in piloted.points(connection=row, runs=runs, consent_ended=False, now=clock.now())}


def writes(twin: Twin) -> list[str]:
    """Requests that change something there; a search and a batch of readings are none, and neither are tokens."""
    return [
        f"{one.method} {one.path}" for one in twin.log
        if one.method not in ("GET", "HEAD") and not one.path.endswith(("/search", "/batch/read", "/query", "/bearer"))
    ]  # fmt: skip


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        held.enter_context(stamina.set_testing(True, attempts=5, cap=True))
        yield held


@pytest.fixture
def desk(organisation: uuid.UUID, stack: ExitStack) -> Desk:
    return Desk(organisation, stack)


def test_an_invoice_travels_every_hop_and_nothing_is_written(desk: Desk) -> None:
    invoice = desk.raised()
    desk.stripe.pay(invoice, 5_000)
    desk.read()
    before, seen = desk.stands(), {twin.name: len(writes(twin)) for twin in (desk.stripe, desk.quickbooks, desk.hubspot)}
    run = desk.run(desk.books)
    assert (run.state, run.error, run.differing, run.refused) == ("done", "", 0, 0), run.results
    [one] = run.results
    assert (one["number"], one["source"], one["read"]) == (invoice.number, "Stripe", True)
    assert one["milliseconds"] >= 0
    assert (one["stands"]["amount"], one["stands"]["open"]) == ("120.00", "70.00")
    [there] = one["there"]
    assert (there["system"], there["has"]) == ("Quickbooks", False)
    assert [told["act"] for told in there["told"]] == ["customer", "invoice", "payment"]
    customer, mirrored, payment = there["told"]
    assert customer["body"]["name"] == "Brightwater GmbH"
    assert customer["request"].endswith("/customer")
    assert '"DisplayName": "Brightwater GmbH"' in customer["sends"]
    assert mirrored["body"]["amount_minor"] == 12_000
    assert (payment["body"]["amount_minor"], payment["body"]["applied"][0]["amount_minor"]) == (5_000, 5_000)
    assert desk.stands() == before
    assert {twin.name: len(writes(twin)) for twin in (desk.stripe, desk.quickbooks, desk.hubspot)} == seen
    with walls.inside(desk.organisation):
        assert AuditEntry.objects.filter(action="pilot.run").count() == 1


def test_a_crm_shows_the_figures_it_would_be_told(desk: Desk) -> None:
    company = desk.hubspot.company("Brightwater", domain="brightwater.example")
    desk.raised()
    desk.read()
    with walls.inside(desk.organisation):
        from tieout.stages.ledger import link
        from tieout.stages.ledger.models import Customer

        record = SourceRecord.objects.get(connection_id=desk.crm.connection, kind="customer", external_id=company.id)
        link.link(record=record, customer=Customer.objects.get(name="Brightwater GmbH"), evidence="Ada knows them", actor=ADA, now=clock.now())
    before = writes(desk.hubspot)
    run = desk.run(desk.crm)
    assert (run.state, run.refused) == ("done", 0), run.results
    told = [told for there in run.results[0]["there"] if there["system"] == "Hubspot" for told in there["told"]]
    assert [one["act"] for one in told] == ["status"]
    assert told[0]["body"]["customers"][0]["balance"] == "120.00"
    assert told[0]["request"].startswith("POST /crm/")
    assert writes(desk.hubspot) == before
    assert desk.hubspot.everyone("companies")[0].properties.get("tieout_balance") in (None, "")


def test_what_no_setting_maps_is_told_before_it_can_go_wrong(organisation: uuid.UUID, stack: ExitStack) -> None:
    desk = Desk(organisation, stack, tax_code="TAX")
    desk.raised()
    desk.read()
    run = desk.run(desk.books)
    assert run.refused == 1
    refused = [told["refused"] for told in run.results[0]["there"][0]["told"] if told["refused"]]
    assert "needs mapping" in refused[0]
    assert desk.points(desk.books)["Everything mapped"] is False


def test_a_difference_is_shown_field_by_field_and_explained_where_it_can_be(desk: Desk) -> None:
    corrected, changed, odd = (desk.raised(cents) for cents in (10_000, 20_000, 30_000))
    desk.read()
    with walls.inside(desk.organisation):
        document = Document.objects.get(number=corrected.number)
        assert document.due_date is not None
        correct.field(
            kind="invoice", target_id=document.pk, field="due_date", value=(document.due_date + dt.timedelta(days=9)).isoformat(),
            reason="agreed by phone", actor=ADA, now=clock.now())
        Document.objects.filter(number=odd.number).update(amount_minor=29_900)
    desk.stripe.move_clock(60)
    desk.stripe.void(changed)
    run = desk.run(desk.gateway, corrected.number, changed.number, odd.number)
    found = {one["number"]: {d["field"]: d for d in one["differences"]} for one in run.results}
    assert found[corrected.number]["due date"]["why"] == "a person corrected it here"
    assert (found[changed.number]["status"]["theirs"], found[changed.number]["status"]["ours"]) == ("void", "open")
    amount = found[odd.number]["amount"]
    assert (amount["ours"], amount["theirs"], amount["why"]) == ("299.00", "300.00", "")
    assert run.differing >= 1
    assert desk.points(desk.gateway)["Pilot run without surprises"] is False


def test_an_invoice_of_the_same_number_that_is_not_linked_is_not_overlooked(desk: Desk) -> None:
    invoice = desk.raised()
    customer = desk.quickbooks.create("Customer", {"DisplayName": "Somebody else"})
    line = {"Amount": 120, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}
    desk.quickbooks.create("Invoice", {"CustomerRef": {"value": customer["Id"]}, "DocNumber": invoice.number, "Line": [line]})
    desk.read()
    run = desk.run(desk.books, invoice.number)
    said = [d["theirs"] for one in run.results for there in one["there"] for d in there["differences"]]
    assert any("not linked with ours" in theirs for theirs in said), run.results
    assert run.differing >= 1


def test_a_system_that_is_away_is_told_and_counts_as_unexplained(desk: Desk) -> None:
    desk.raised()
    desk.read()
    from tieout.rehearsal.twins.faults import Fault

    desk.quickbooks.faults.put(Fault(fault="error_before", times=0))
    run = desk.run(desk.books)
    assert run.state == "done"
    assert "500" in str(run.results)
    assert run.differing + run.refused >= 1


def test_nothing_to_show_is_said_and_so_is_a_number_nobody_knows(desk: Desk) -> None:
    with pytest.raises(choosing.NothingToShow, match="read its history first"):
        pilot.ask(desk.organisation, desk.books.connection, numbers=(), actor=ADA)
    desk.raised()
    desk.read()
    with pytest.raises(choosing.NothingToShow, match="NO-SUCH"):
        pilot.ask(desk.organisation, desk.books.connection, numbers=("NO-SUCH",), actor=ADA)
    with pytest.raises(choosing.NothingToShow, match="at most 25"):
        pilot.ask(desk.organisation, desk.books.connection, numbers=[str(n) for n in range(26)], actor=ADA)


def test_the_checklist_turns_green_point_by_point_from_facts(desk: Desk) -> None:
    desk.raised()
    desk.read()
    first = desk.points(desk.books)
    assert [name for name, met in first.items() if met] == ["Credentials work", "History read to its end", "Heard from"]
    desk.books.tie_out()
    assert desk.points(desk.books)["Ties out"] is True
    with walls.inside(desk.organisation), pytest.raises(choosing.NotYetRun):
        choosing.confirm(connection=Connection.objects.get(pk=desk.books.connection), actor=ADA, now=clock.now())
    desk.run(desk.books)
    with walls.inside(desk.organisation):
        choosing.confirm(connection=Connection.objects.get(pk=desk.books.connection), actor=ADA, now=clock.now())
    assert all(desk.points(desk.books).values())
    desk.run(desk.books)
    assert desk.points(desk.books)["Confirmed by an owner"] is False, "another run has to be looked at again"
    with walls.inside(desk.organisation):
        Connection.objects.filter(pk=desk.books.connection).update(needs_person="connect again")
    assert desk.points(desk.books)["Credentials work"] is False


def test_what_was_shown_is_what_is_written_once_it_is_live(desk: Desk) -> None:
    invoice = desk.raised()
    desk.read()
    run = desk.run(desk.books, invoice.number)
    shown = {told["act"]: told["sends"] for there in run.results[0]["there"] for told in there["told"]}
    connecting.go_live(desk.organisation, desk.books.connection, actor=ADA)
    from tieout.flow import write

    with walls.inside(desk.organisation):
        Route.objects.update(since=dt.date(2000, 1, 1))
    write.run(desk.organisation)
    [made] = desk.quickbooks.query("select * from Invoice maxresults 10")["Invoice"]
    assert f'"DocNumber": "{made["DocNumber"]}"' in shown["invoice"]
    again = desk.run(desk.books, invoice.number)
    [there] = again.results[0]["there"]
    assert (there["has"], there["told"], there["differences"]) == (True, [], [])
