"""What a customer owes is told to the CRM: once, only where it changed, whatever goes wrong on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
import stamina

from tests.conftest import ROOT
from tests.scenarios.connected import ADA, connect
from tieout.flow import clock, connecting, write
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.hubspot import TWIN as HUBSPOT
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import TWIN as STRIPE
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import link
from tieout.stages.ledger.models import Customer, SourceRecord
from tieout.stages.writeback.models import Outgoing, Route


class Office:
    """Stripe and HubSpot, one customer in both, HubSpot live."""

    def __init__(self, organisation: uuid.UUID, stripe: STRIPE, hubspot: HUBSPOT, addresses: tuple[str, str]) -> None:
        self.organisation, self.stripe, self.hubspot = organisation, stripe, hubspot
        self.customer = stripe.customer("Brightwater GmbH", email="ap@brightwater.example")
        self.company = hubspot.company("Brightwater", domain="brightwater.example")
        self.books = connect(organisation, "stripe", api_key="sk_test_twin", base_url=addresses[0])
        self.crm = connect(organisation, "hubspot", access_token="pat-twin", base_url=addresses[1], stage="pilot")
        assert self.books.sync().stopped == ""
        assert self.crm.sync().stopped == ""
        with walls.inside(organisation):
            ours = SourceRecord.objects.get(connection_id=self.books.connection, kind="customer").target_id
            record = SourceRecord.objects.get(connection_id=self.crm.connection, kind="customer", retracted_at__isnull=True)
            link.link(record=record, customer=Customer.objects.get(pk=ours), evidence="Ada knows them", actor=ADA, now=clock.now())
        connecting.go_live(organisation, self.crm.connection, actor=ADA)

    def told(self, name: str) -> str | None:
        return self.hubspot.everyone("companies")[0].properties.get(f"tieout_{name}")

    def outgoing(self) -> list[str]:
        with walls.inside(self.organisation):
            return list(Outgoing.objects.filter(connection_id=self.crm.connection).order_by("id").values_list("state", flat=True))

    def tell(self) -> write.Written:
        with walls.inside(self.organisation):
            Outgoing.objects.filter(state="waiting").update(not_before=clock.now())
        return write.follow(self.organisation)


@pytest.fixture
def office(organisation: uuid.UUID) -> Iterator[Office]:
    stripe, hubspot = STRIPE(), HUBSPOT()
    with (
        stamina.set_testing(True, attempts=5, cap=True), serving(stripe, deliver=False) as one, serving(hubspot, deliver=False) as other,
    ):
        yield Office(organisation, stripe, hubspot, (one.url, other.url))


def test_the_map_suggests_the_status_of_every_customer(office: Office) -> None:
    with walls.inside(office.organisation):
        assert [(row.what, row.origin_id) for row in Route.objects.filter(enabled=True)] == [("status", None)]


def test_what_is_owed_is_told_once_and_again_only_when_it_changed(office: Office) -> None:
    invoice = office.stripe.invoice(office.customer, 12_000)
    office.books.sync()
    assert office.tell().done == 1
    assert (office.told("balance"), office.told("currency")) == ("120.00", "EUR")
    assert office.tell().done == 0
    office.stripe.pay(invoice, 2_000)
    office.books.sync()
    office.tell()
    assert office.told("balance") == "100.00"
    office.stripe.pay(invoice)
    office.books.sync()
    office.tell()
    assert office.told("balance") == "0.00"
    assert office.outgoing() == ["done"] * 3
    # Our own echo comes back and changes nothing.
    before = office.outgoing()
    office.crm.sync()
    office.tell()
    assert office.outgoing() == before
    office.books.verify()


def test_nothing_is_told_while_it_is_in_pilot(organisation: uuid.UUID, office: Office) -> None:
    with walls.inside(organisation):
        Connection.objects.filter(pk=office.crm.connection).update(stage="pilot")
    office.stripe.invoice(office.customer, 12_000)
    office.books.sync()
    assert office.tell().done == 0
    assert office.told("balance") is None


@pytest.mark.parametrize("kind", ["too_many", "error_before", "error_after", "silent_after", "cut", "truncated"])
def test_with_a_fault_in_the_middle_it_is_told_in_the_end(office: Office, kind: str) -> None:
    office.stripe.invoice(office.customer, 12_000)
    office.books.sync()
    office.hubspot.faults.put(Fault(fault=kind, method="POST", times=6), Fault(fault=kind, method="PATCH", times=6))
    office.tell()
    office.hubspot.faults.put()
    office.crm.again()
    office.tell()
    office.tell()
    assert office.told("balance") == "120.00"
    assert set(office.outgoing()) == {"done"}


@pytest.mark.parametrize("point", ["outbox.after_claim", "outbox.after_call"])
def test_a_writer_killed_anywhere_tells_it_once_in_the_end(office: Office, point: str) -> None:
    office.stripe.invoice(office.customer, 12_000)
    office.books.sync()
    script = f"""
import django; django.setup()
from uuid import UUID
from tieout.flow import write
write.follow(UUID("{office.organisation}"))
"""
    dead = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TIEOUT_CRASH_AT": point}, cwd=ROOT, check=False)
    assert dead.returncode == -signal.SIGKILL
    with walls.inside(office.organisation):
        Outgoing.objects.filter(state="claimed").update(claimed_at="2026-01-01T00:00:00Z")
    write.run(office.organisation)
    write.run(office.organisation)
    assert office.told("balance") == "120.00"
    assert office.outgoing() == ["done"]
