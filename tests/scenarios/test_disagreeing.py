"""One customer in Stripe, QuickBooks and HubSpot, each with another name: edited on either side, told to the others, agreed again; and
answers that come in the wrong order."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import uuid
from typing import Any

import msgspec
import pytest

from tests.conftest import ROOT
from tests.scenarios.connected import ADA
from tests.scenarios.test_three_systems import Office, office
from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Raw, Ref
from tieout.flow import clock, line, taking
from tieout.rehearsal.twins.stripe.verbs import customers as stripe_customers
from tieout.stages.base import walls
from tieout.stages.intake import run as runs
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import correct, link
from tieout.stages.ledger.models import Customer, Document, FieldWord, SourceRecord
from tieout.stages.writeback import answer, compare, telling
from tieout.stages.writeback.models import Conflict, Outgoing

__all__ = ["office"]


def _one_customer(office: Office) -> tuple[Any, Any]:
    """Brightwater in all three, known to be one: (its customer in Stripe, its company in HubSpot)."""
    company = office.hubspot.company("The Water People", phone="+49 30 1234")
    debtor = office.stripe.customer("Brightwater", email="ap@brightwater.example")
    office.stripe.invoice(debtor, 12_000)
    office.round()
    with walls.inside(office.organisation):
        ours = Customer.objects.get(name="Brightwater")
        record = SourceRecord.objects.get(connection_id=office.crm.connection, kind="customer", external_id=company.id)
        link.link(record=record, customer=ours, evidence="Ada knows them", actor=ADA, now=clock.now())
    return debtor, company


def _open(office: Office) -> set[tuple[str, str, str]]:
    with walls.inside(office.organisation):
        return {(row.field, row.connection.name, str(row.theirs)) for row in Conflict.objects.filter(state="open")}


def _name(office: Office) -> str:
    with walls.inside(office.organisation):
        return str(Customer.objects.get(pk=SourceRecord.objects.filter(
            connection_id=office.gateway.connection, kind="customer", retracted_at__isnull=True).values_list("target_id", flat=True)[0]).name)


def _answer(office: Office, connection: int, what: str) -> None:
    with walls.inside(office.organisation):
        row = Conflict.objects.get(connection_id=connection, field="name", state="open")
        answer.run(conflict=row, answer=what, actor=ADA, now=clock.now())


def test_a_name_edited_in_the_books_is_told_to_the_others_and_all_agree(office: Office) -> None:
    debtor, company = _one_customer(office)
    (theirs,) = office.theirs("Customer")
    office.quickbooks.change("Customer", theirs, CompanyName="Brightwater Foods GmbH", DisplayName="Brightwater Foods GmbH")
    office.round()
    assert _name(office) == "Brightwater Foods GmbH"
    assert _open(office) == {("name", "Stripe", "Brightwater"), ("name", "Hubspot", "The Water People")}

    _answer(office, office.gateway.connection, "tell")
    _answer(office, office.crm.connection, "tell")
    office.round()
    office.round()
    assert office.stripe.books.customers.find(debtor.id).name == "Brightwater Foods GmbH"
    assert office.hubspot.everyone("companies")[0].properties["name"] == "Brightwater Foods GmbH"
    assert office.hubspot.everyone("companies")[0].properties["phone"] == "+49 30 1234"
    assert _open(office) == set()
    with walls.inside(office.organisation):
        told = Outgoing.objects.filter(kind="update_customer")
        assert [(row.state, row.attempts) for row in told] == [("done", 1), ("done", 1)]

    stripe_customers.update(office.stripe.books, {"name": "Brightwater Foods Gesellschaft mbH"}, customer=debtor.id)
    office.round()
    assert _open(office) == set(), "the spelling of a legal form is no conflict"
    office.hubspot.change(company, name="Water Folk")
    office.round()
    assert (_name(office), _open(office)) == ("Brightwater Foods GmbH", {("name", "Hubspot", "Water Folk")})
    _answer(office, office.crm.connection, "take")
    office.round()
    assert (_name(office), _open(office)) == ("Water Folk", set())
    office.gateway.verify()


def test_the_books_take_what_they_are_told_and_keep_the_rest_of_the_record(office: Office) -> None:
    _one_customer(office)
    (theirs,) = office.theirs("Customer")
    address = {"Line1": "12 Ferry Row", "City": "Hamburg", "PostalCode": "20095"}
    office.quickbooks.change("Customer", theirs, BillAddr=address, CompanyName="Brightwater Foods GmbH", DisplayName="Brightwater Foods GmbH")
    office.round()
    with walls.inside(office.organisation):
        ours = SourceRecord.objects.get(connection_id=office.accounting.connection, kind="customer", retracted_at__isnull=True).target_id
        # A person knows better: the books are then the ones who say otherwise.
        correct.field(kind="customer", target_id=ours, field="city", value="Lübeck", reason="moved", actor=ADA, now=clock.now())
        compare.run(customer_ids=[ours], now=clock.now())
        row = Conflict.objects.get(field="city", connection_id=office.accounting.connection)
        assert (row.state, row.answer, row.settled_by) == ("settled", "keep", "Ada")
        telling.put(conflict=row, now=clock.now())
    office.round()
    (theirs,) = office.theirs("Customer")
    assert (theirs["BillAddr"]["City"], theirs["BillAddr"]["Line1"], theirs["CompanyName"]) == ("Lübeck", "12 Ferry Row", "Brightwater Foods GmbH")


# Answers in the wrong order

SAMPLES = ROOT / "src" / "tieout" / "adapters" / "connectors" / "quickbooks" / "samples"
T0 = dt.datetime(2026, 6, 1, 12, 0, tzinfo=dt.UTC)


def _customer(version: int, name: str) -> Raw:
    """A customer of QuickBooks as it was at a version, one change a minute."""
    body = json.loads((SAMPLES / "customers.company.json").read_text())
    body |= {"SyncToken": str(version), "CompanyName": name, "DisplayName": name}
    at = T0 + dt.timedelta(minutes=version)
    return Raw(stream="customers", id="41", body=json.dumps(body).encode(), version=str(version), changed_at=at)


def _invoice(version: int, cents: int) -> Raw:
    body = json.loads((SAMPLES / "invoices.single_currency.json").read_text())
    body |= {"SyncToken": str(version), "PONumber": f"V{version}", "DueDate": f"2026-07-{version + 1:02d}"}
    return Raw(stream="invoices", id=body["Id"], body=json.dumps(body).encode(), version=str(version), changed_at=T0 + dt.timedelta(minutes=cents))


def _take(connection: Connection, raws: list[Raw], *, now: dt.datetime, asked_at: dt.datetime | None = None) -> taking.Taken:
    started = runs.begin(connection=connection, envelope=None, now=now)
    return taking.raws(
        connector=registry.connectors()[connection.vendor], settings={"currency": "USD", "time_zone": "UTC"}, raws=raws, content=b"",
        connection_id=connection.pk, run_id=started.pk, settle_after=True, now=now, asked_at=asked_at)


def _books(vendor: str, name: str) -> Connection:
    made: Connection = Connection.objects.create(kind="system", vendor=vendor, name=name, created_at=T0, stage="live")
    return made


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))), ids=str)
def test_versions_in_any_order_end_in_the_highest(inside: uuid.UUID, order: tuple[int, ...]) -> None:
    books = _books("quickbooks", "Books")
    for place, version in enumerate(order):
        _take(books, [_customer(version, f"Name {version}"), _invoice(version, version)], now=T0 + dt.timedelta(hours=place))
    assert (Customer.objects.get().name, FieldWord.objects.get(kind="customer", field="name").value) == ("Name 3", "Name 3")
    assert Document.objects.get().due_date == dt.date(2026, 7, 4)
    record = SourceRecord.objects.get(kind="customer")
    assert (record.version, record.changed_at) == ("3", T0 + dt.timedelta(minutes=3))


def test_any_order_and_any_cutting_of_the_same_facts_ends_in_the_same_state(inside: uuid.UUID) -> None:
    """Random orders with repetitions, cut into random batches: every one ends where the newest facts say."""
    for seed in range(12):
        dice = random.Random(seed)
        books = _books("quickbooks", f"Books {seed}")
        facts = [_customer(version, f"Name {version}") for version in range(6)] + [_invoice(version, version) for version in range(6)]
        facts += dice.choices(facts, k=6)
        dice.shuffle(facts)
        at = T0
        while facts:
            size = dice.randint(1, 5)
            batch, facts, at = facts[:size], facts[size:], at + dt.timedelta(minutes=1)
            _take(books, batch, now=at)
        mine = SourceRecord.objects.filter(connection=books)
        assert Customer.objects.get(pk=mine.get(kind="customer").target_id).name == "Name 5", f"seed {seed}"
        assert Document.objects.get(pk=mine.get(kind="invoice").target_id).due_date == dt.date(2026, 7, 6), f"seed {seed}"


def test_an_unversioned_answer_asked_for_before_something_newer_was_taken_is_read_again(inside: uuid.UUID) -> None:
    stripe = _books("stripe", "Gateway")
    body = json.loads((ROOT / "src/tieout/adapters/connectors/stripe/samples/customers.company.json").read_text())

    def said(name: str) -> Raw:
        return Raw(stream="customers", id=body["id"], body=msgspec.json.encode({**body, "name": name}))

    asked_at = T0
    _take(stripe, [said("Older")], now=T0 - dt.timedelta(hours=1))
    _take(stripe, [said("Newer")], now=T0 + dt.timedelta(seconds=1), asked_at=T0)
    late = _take(stripe, [said("Older")], now=T0 + dt.timedelta(seconds=2), asked_at=asked_at)
    assert ([ref.id for ref in late.again], Customer.objects.get().name) == ([body["id"]], "Newer")
    again = _take(stripe, [said("Newest")], now=T0 + dt.timedelta(seconds=4), asked_at=T0 + dt.timedelta(seconds=3))
    assert (again.again, Customer.objects.get().name) == ((), "Newest")


def test_an_answer_that_was_overtaken_by_our_own_write_is_read_again_in_the_same_reading(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader asks, we write and take the echo in, the reader's old answer arrives: what was written stays."""
    debtor, _ = _one_customer(office)
    connector = registry.connectors()["stripe"]
    asking, meanwhile = type(connector).page, iter([True])

    def slow(self: Any, http: Any, settings: Any, *, stream: str, cursor: Any) -> Any:
        page = asking(self, http, settings, stream=stream, cursor=cursor)
        if stream == "customers" and next(meanwhile, False):
            stripe_customers.update(office.stripe.books, {"name": "Brightwater SE"}, customer=debtor.id)
            with line.open(office.organisation, office.gateway.connection) as other:
                written = other.connector.reread(other.http, other.settings, refs=[Ref("customers", debtor.id)])
            with walls.inside(office.organisation):
                taking.echo(
                    connector=connector, settings=other.settings, objects=list(written), connection_id=office.gateway.connection,
                    now=clock.now(), asked_at=clock.now())
        return page

    monkeypatch.setattr(type(connector), "page", slow)
    assert office.gateway.sync(anew=True).stopped == ""
    assert next(meanwhile, False) is False
    with walls.inside(office.organisation):
        assert FieldWord.objects.get(connection_id=office.gateway.connection, kind="customer", field="name").value == "Brightwater SE"
