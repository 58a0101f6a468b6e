"""Every fault of the script in turn while QuickBooks and HubSpot are read, and at their doors: the end is what their side says.

Stripe has the same in `test_connected_stripe.py` and `test_hooks.py`.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import httpx2
import pytest
import stamina
from django.test import Client

from tests.conftest import NOW, ROOT
from tests.scenarios.connected import ADA, Books, connect
from tieout.flow import hooked, line
from tieout.rehearsal.twins import faults as faulty
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.hubspot import TWIN as HUBSPOT
from tieout.rehearsal.twins.quickbooks import TWIN as QUICKBOOKS
from tieout.rehearsal.twins.server import serving
from tieout.stages.base import crash, walls
from tieout.stages.intake import system
from tieout.stages.intake.models import Connection, Envelope
from tieout.stages.ledger.models import Customer, Document, SourceRecord

ON_THE_WAY = [kind for kind in faulty.KINDS if kind not in faulty.OF_EVENTS and kind not in ("version", "clock")]
AT_THE_DOOR = sorted(faulty.OF_EVENTS)


class World(Protocol):
    """One vendor with something in it, and our connection to it."""

    twin: Any
    books: Books
    path: str

    def happen(self, what: int) -> None: ...
    def agree(self) -> None: ...
    def subscribe(self, url: str) -> str: ...


class Quickbooks:
    """Invoices, part payments, credits, a void and a deletion."""

    path = "/v3/"

    def __init__(self, organisation: uuid.UUID, twin: QUICKBOOKS, url: str) -> None:
        self.twin = twin
        tokens = twin.connect()
        self.customer = twin.customer("Brightwater GmbH", email="ap@brightwater.example")
        self.books = connect(
            organisation, "quickbooks", client_id=twin.permissions.client_id, client_secret=twin.permissions.client_secret,
            access_token=tokens["access_token"], refresh_token=tokens["refresh_token"], realmId=twin.company().realm, base_url=url, oauth_url=url,
        )  # fmt: skip

    def happen(self, what: int) -> None:
        twin = self.twin
        invoice = twin.invoice(self.customer, 100)
        match what % 5:
            case 0:
                twin.pay(invoice, amount=40)
            case 1:
                twin.pay(invoice)
            case 2:
                twin.apply_credit(twin.credit(self.customer, 30), invoice, 30)
            case 3:
                twin.void("Invoice", invoice)
            case _:
                twin.delete("Invoice", invoice)

    def agree(self) -> None:
        theirs = {one["Id"]: int(one["Balance"] * 100) for one in self.twin.query("select * from Invoice maxresults 1000").get("Invoice", [])}
        with walls.inside(self.books.organisation):
            rows = list(Document.objects.filter(kind="invoice").exclude(status="deleted").values_list("external_id", "open_minor"))
        assert dict(rows) == theirs
        assert len(rows) == len(theirs)
        money = [int(one["TotalAmt"] * 100) for one in self.twin.query("select * from Payment maxresults 1000").get("Payment", []) if one["TotalAmt"]]
        assert sorted(amount for amount, _, _, _ in self.books.payments()) == sorted(money)
        told = self.books.tie_out()
        assert told.unexplained == {}, told.lines
        self.books.verify()

    def subscribe(self, url: str) -> str:
        self.twin.subscribe(url, "verifier-token")
        return "verifier-token"


class Hubspot:
    """Companies, people and deals that come, change, are archived and restored."""

    path = "/crm/"

    def __init__(self, organisation: uuid.UUID, twin: HUBSPOT, url: str) -> None:
        self.twin, self.number = twin, 0
        self.books = connect(organisation, "hubspot", access_token="pat-twin", base_url=url)

    def happen(self, what: int) -> None:
        twin = self.twin
        self.number += 1
        firm = twin.company(f"Alder {self.number}", domain=f"alder{self.number}.example")
        match what % 5:
            case 0:
                twin.contact(f"ada@alder{self.number}.example", company=firm)
            case 1:
                twin.change(firm, name=f"Alder {self.number} GmbH")
            case 2:
                twin.win(twin.deal("Order", company=firm, amount="120.00"))
            case 3:
                twin.archive(firm)
            case _:
                twin.archive(firm)
                twin.restore(firm)

    def agree(self) -> None:
        theirs = {one.id: one.properties["name"] for one in self.twin.everyone("companies")}
        with walls.inside(self.books.organisation):
            rows = SourceRecord.objects.filter(connection_id=self.books.connection, kind="customer", retracted_at__isnull=True)
            known = dict(Customer.objects.values_list("id", "name"))
            ours = {row.external_id: known[row.target_id] for row in rows}
        assert ours == theirs
        self.books.verify()

    def subscribe(self, url: str) -> str:
        self.twin.subscribe(url, "client-secret", 4_242)
        return "client-secret"


@pytest.fixture(params=["quickbooks", "hubspot"])
def world(request: pytest.FixtureRequest, organisation: uuid.UUID) -> Iterator[World]:
    twin = QUICKBOOKS(currency="EUR") if request.param == "quickbooks" else HUBSPOT()
    made = Quickbooks if request.param == "quickbooks" else Hubspot
    with stamina.set_testing(True, attempts=5, cap=True), serving(twin, deliver=False) as running:
        yield made(organisation, twin, running.url)  # type: ignore[arg-type]


def settled(world: World) -> None:
    """No more faults, and two readings."""
    world.twin.faults.put()
    for _ in range(2):
        world.books.again()
        ended = world.books.sync()
    assert ended.stopped == ""
    assert world.books.set_aside() == []
    world.agree()


def strike(world: World, *faults: Callable[..., Fault] | Fault) -> None:
    world.twin.faults.put(*faults)
    world.books.again()
    world.books.sync()


@pytest.mark.parametrize("kind", ON_THE_WAY)
def test_with_a_fault_in_the_middle_of_reading_nothing_is_lost_or_doubled(world: World, kind: str) -> None:
    for what in range(5):
        world.happen(what)
    # In the history, at its beginning and later; then among the changes.
    strike(world, *(Fault(fault=kind, path=world.path, after=after) for after in (0, 3)))
    world.happen(1)
    strike(world, *(Fault(fault=kind, path=world.path, after=after) for after in (1, 2)))
    settled(world)


def test_a_pause_that_names_its_end_is_kept_and_reading_goes_on(world: World) -> None:
    world.happen(0)
    strike(world, Fault(fault="too_many", path=world.path, retry_after=0, times=3))
    world.happen(1)
    strike(world, Fault(fault="too_many", path=world.path, retry_after=900, times=0))
    # It is not asked again before then, and says so.
    assert world.books.row().not_before is not None
    line._BUDGETS.clear()  # a quarter of an hour later
    settled(world)


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_is_wrong_loses_no_change(world: World, hours: int) -> None:
    world.twin.move_clock(hours * 3_600)
    world.happen(0)
    world.books.sync()
    world.happen(2)
    settled(world)


def test_an_answer_of_another_version_is_never_guessed_at(world: World) -> None:
    world.happen(0)
    world.books.sync()
    world.happen(1)
    strike(world, Fault(fault="version", path=world.path, times=0))
    world.twin.faults.put()
    world.books.again()
    world.books.sync(anew=True)
    settled(world)


@pytest.mark.parametrize("kind", AT_THE_DOOR)
def test_whatever_becomes_of_the_events_the_end_is_the_same(world: World, kind: str) -> None:
    organisation, connection = world.books.organisation, world.books.connection
    with walls.inside(organisation):
        token = hooked.token_of(Connection.objects.get(pk=connection))
    path = f"/hooks/{organisation}/{connection}/{token}/"
    secret = world.subscribe(f"http://localhost{path}")
    with walls.inside(organisation):
        row = Connection.objects.get(pk=connection)
        system.replace_secrets(connection=row, secrets={hooked.SECRET: secret}, account=row.account, actor=ADA, now=NOW)
    hooked.forget()
    answers: list[int] = []

    def arrive(request: httpx2.Request) -> httpx2.Response:
        signed = {name: value for name, value in request.headers.items() if "signature" in name or "timestamp" in name}
        answers.append(Client(headers={**signed, "host": "localhost"}).post(path, request.content, content_type="application/json").status_code)
        return httpx2.Response(answers[-1])

    world.twin._postman = httpx2.Client(transport=httpx2.MockTransport(arrive))
    world.books.sync()
    world.twin.faults.put(Fault(fault=kind, times=0))
    for what in (0, 1, 2):
        world.happen(what)
    world.twin.deliver()
    world.books.sync(poll=False)
    assert set(answers) == (set() if kind == "silence" else {200})
    if kind != "silence":
        world.agree()
    settled(world)
    with walls.inside(organisation):
        assert set(Envelope.objects.filter(name="webhook").values_list("state", flat=True)) <= {"applied"}


QUICK = range(3)


@pytest.mark.parametrize("seed", [*QUICK, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(QUICK.stop, 50))])
def test_at_random_it_agrees_within_two_readings_after_the_faults_end(world: World, seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(3):
        world.happen(chance.randrange(5))
        strike(world, *(
            Fault(fault=chance.choice(ON_THE_WAY), path=world.path, after=chance.randrange(12), times=chance.randrange(1, 3)) for _ in range(3)))
    settled(world)


@pytest.mark.parametrize("point", [name for name in crash.POINTS if name.startswith("sync.")])
def test_a_reader_killed_anywhere_loses_and_doubles_nothing(world: World, point: str) -> None:
    for what in range(5):
        world.happen(what)
    # Further back than changes are looked at again: whoever loses it here has lost it.
    world.twin.move_clock(3_600)
    world.happen(1)
    script = f"""
import django; django.setup()
from uuid import UUID
from tieout.flow import sync
sync.once(UUID("{world.books.organisation}"), {world.books.connection})
"""
    dead = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TIEOUT_CRASH_AT": point}, cwd=ROOT, check=False)
    assert dead.returncode == -signal.SIGKILL
    with walls.inside(world.books.organisation):
        Connection.objects.filter(pk=world.books.connection).update(leased_until=None)
    settled(world)
