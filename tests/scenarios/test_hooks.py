"""The door webhooks come to, as a real server has it: proven, kept once, looked at; in whatever order, number or quiet they come."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import httpx2
import pytest
import stamina
from django.db import connection
from django.test import Client

from tests.conftest import NOW
from tests.scenarios.connected import ADA, connect
from tieout.flow import hooked
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.server import Serving, serving
from tieout.rehearsal.twins.stripe import TWIN
from tieout.stages.base import walls
from tieout.stages.intake import hint, system
from tieout.stages.intake.models import Connection, Envelope

KEY = "sk_test_twin"


class Doors:
    """A twin whose deliveries come to our door through Django's own handling of requests."""

    def __init__(self, stripe: Serving, organisation: uuid.UUID) -> None:
        self.twin = stripe.twin
        self.books = connect(organisation, "stripe", api_key=KEY, base_url=stripe.url)
        with walls.inside(organisation):
            token = hooked.token_of(Connection.objects.get(pk=self.books.connection))
        self.path = f"/hooks/{organisation}/{self.books.connection}/{token}/"
        self.answers: list[int] = []
        endpoint = self.twin.endpoint(f"http://localhost{self.path}")
        with walls.inside(organisation):
            row = Connection.objects.get(pk=self.books.connection)
            system.replace_secrets(connection=row, secrets={"webhook_secret": endpoint.secret}, account=row.account, actor=ADA, now=NOW)
        hooked.forget()
        self.endpoint = endpoint
        self.twin._postman = httpx2.Client(transport=httpx2.MockTransport(self._arrive))

    def _arrive(self, request: httpx2.Request) -> httpx2.Response:
        headers = {name: value for name, value in request.headers.items() if name.startswith("stripe")}
        answer = Client(headers=headers).post(request.url.path, request.content, content_type="application/json")
        self.answers.append(answer.status_code)
        return httpx2.Response(answer.status_code)

    def envelopes(self) -> list[str]:
        with walls.inside(self.books.organisation):
            return list(Envelope.objects.filter(name="webhook").order_by("id").values_list("state", flat=True))


@pytest.fixture
def doors(organisation: uuid.UUID) -> Iterator[Doors]:
    with stamina.set_testing(True, attempts=5, cap=True), serving(TWIN(), deliver=False) as stripe:
        yield Doors(stripe, organisation)


def test_a_payment_told_at_the_door_is_in_the_ledger_after_one_look(doors: Doors) -> None:
    invoice = doors.twin.invoice(doors.twin.customer("Brightwater GmbH"), 10_000)
    doors.books.sync()
    doors.twin.deliver()
    doors.books.sync(poll=False)
    doors.twin.pay(invoice, 4_000)
    doors.twin.deliver()
    looked = doors.books.sync(poll=False)
    assert looked.stopped == ""
    assert doors.books.open_by_number() == {invoice.number: 6_000}
    assert set(doors.envelopes()) == {"applied"}
    assert set(doors.answers) == {200}
    doors.books.verify()


@pytest.mark.parametrize("kind", ["doubled", "shuffled", "silence"])
def test_repeated_shuffled_or_missing_the_end_is_the_same(doors: Doors, kind: str) -> None:
    doors.books.sync()
    doors.twin.faults.put(Fault(fault=kind, times=0))
    invoice = doors.twin.invoice(doors.twin.customer("Brightwater GmbH"), 10_000)
    doors.twin.pay(invoice, 4_000)
    doors.twin.pay(invoice)
    doors.twin.deliver()
    doors.books.sync(poll=False)
    # Polling stands behind every webhook.
    doors.books.sync()
    assert doors.books.open_by_number() == {invoice.number: 0}
    assert len(doors.books.payments()) == 2
    assert set(doors.envelopes()) <= {"applied"}
    doors.books.verify()


def test_what_comes_twice_is_kept_once_and_answered_as_the_first_time(doors: Doors) -> None:
    doors.twin.faults.put(Fault(fault="doubled", times=0))
    doors.twin.customer("Brightwater GmbH")
    doors.twin.deliver()
    assert doors.answers == [200, 200]
    assert doors.envelopes() == ["received"]


@pytest.mark.parametrize("how", ["another body", "another secret", "six minutes old", "no signature"])
def test_what_is_not_genuine_is_refused_and_kept_nowhere(doors: Doors, how: str) -> None:
    doors.twin.customer("Brightwater GmbH")
    delivery = doors.twin._waiting[0][2]
    now = doors.twin.now()
    headers = delivery.sign(delivery.body, now)
    body = delivery.body
    if how == "another body":
        body = body.replace(b"Brightwater", b"Bleakwater")
    elif how == "another secret":
        doors.twin.rotate_secret(doors.endpoint, seconds=0)
        headers = delivery.sign(delivery.body, now)
    elif how == "six minutes old":
        doors.twin.move_clock(-360)
        headers = delivery.sign(delivery.body, doors.twin.now())
    else:
        headers = {}
    answer = Client(headers=headers).post(doors.path, body, content_type="application/json")
    assert answer.status_code == 400
    assert doors.envelopes() == []


def test_both_secrets_hold_while_one_is_rotated(doors: Doors) -> None:
    doors.twin.rotate_secret(doors.endpoint, seconds=3_600)
    doors.twin.customer("Brightwater GmbH")
    doors.twin.deliver()
    assert doors.answers == [200]


def test_a_wrong_token_another_organisation_and_a_huge_body_find_no_door(doors: Doors, organisation: uuid.UUID) -> None:
    assert Client().post(doors.path[:-2] + "x/", b"{}", content_type="application/json").status_code == 404
    elsewhere = doors.path.replace(str(organisation), str(uuid.uuid4()))
    assert Client().post(elsewhere, b"{}", content_type="application/json").status_code == 404
    assert Client().post(doors.path, b"x" * (1024 * 1024 + 1), content_type="application/json").status_code == 413
    assert Client().get(doors.path).status_code == 405
    assert doors.envelopes() == []


def jobs_waiting(organisation: uuid.UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE queueing_lock LIKE %s AND status = 'todo'", [f"hooked:{organisation}:%"])
        return int(cursor.fetchone()[0])


def test_many_deliveries_ask_for_one_look_and_one_that_comes_while_somebody_looks_asks_for_another(doors: Doors, organisation: uuid.UUID) -> None:
    for name in ("Brightwater GmbH", "Kestrel & Co"):
        doors.twin.customer(name)
    doors.twin.deliver()
    assert (doors.answers, jobs_waiting(organisation)) == ([200, 200], 1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE queueing_lock LIKE %s", [f"hooked:{organisation}:%"])
    doors.twin.customer("Third Ltd")
    doors.twin.deliver()
    assert jobs_waiting(organisation) == 1


def test_the_door_answers_while_a_reading_holds_the_connection(doors: Doors, organisation: uuid.UUID) -> None:
    """A checkpoint locks the connection for as long as its merge takes; a delivery only refers to it."""
    lease = None
    with walls.inside(organisation):
        lease = system.lease(connection_id=doors.books.connection, at=NOW)
    assert lease
    answered: list[int] = []

    def knock() -> None:
        try:
            doors.twin.deliver()
            answered.extend(doors.answers)
        finally:
            connection.close()

    doors.twin.customer("Brightwater GmbH")
    with walls.inside(organisation):
        system.hold(connection_id=doors.books.connection, lease=lease, at=NOW)
        knocking = threading.Thread(target=knock)
        knocking.start()
        knocking.join(20)
        assert answered == [200]


def test_an_event_nobody_can_read_is_set_aside_and_the_others_go_on(doors: Doors, organisation: uuid.UUID) -> None:
    doors.books.sync()
    hint.receive(
        organisation_id=organisation, connection_id=doors.books.connection, delivery="odd", body=b'{"id": "odd", "type": 7}', now=NOW
    )
    doors.twin.customer("Brightwater GmbH")
    doors.twin.deliver()
    assert doors.books.sync(poll=False).stopped == ""
    assert sorted(doors.envelopes()) == ["applied", "quarantined"]
