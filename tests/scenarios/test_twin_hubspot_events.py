"""The HubSpot stand-in tells what happened: signed as the vendor signs, in batches, with the echo of our own writes among it."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hubspot.utils.signature import Signature

from tests.conftest import NOW, ROOT
from tests.scenarios.hubspot_answers import Asker, stand_in
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.hubspot import HubSpot
from tieout.rehearsal.twins.hubspot.events import signature_v1, signature_v3

SECRET = "client-secret"
APP = 1_160_452
FIVE_MINUTES = 300_000


class Receiver:
    """A small door of our own: it believes what is signed and fresh, and answers 401 to everything else."""

    def __init__(self) -> None:
        self.believed: list[list[dict[str, Any]]] = []
        self.refused = 0
        self.shut = False
        self.now_ms = int(NOW.timestamp() * 1000)
        receiver = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                good = not receiver.shut and receiver.believes(f"{receiver.url}{self.path}", dict(self.headers), body)
                if good:
                    receiver.believed.append(json.loads(body))
                else:
                    receiver.refused += 1
                self.send_response(204 if good else 503 if receiver.shut else 401)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def believes(self, uri: str, headers: dict[str, str], body: bytes) -> bool:
        given = {name.lower(): value for name, value in headers.items()}
        if "x-hubspot-signature-v3" in given:
            timestamp = given["x-hubspot-request-timestamp"]
            made = hmac.new(SECRET.encode(), f"POST{uri}{body.decode()}{timestamp}".encode(), hashlib.sha256).digest()
            fresh = abs(self.now_ms - int(timestamp)) <= FIVE_MINUTES
            return fresh and hmac.compare_digest(base64.b64encode(made).decode(), given["x-hubspot-signature-v3"])
        made_v1 = hashlib.sha256(SECRET.encode() + body).hexdigest()
        return hmac.compare_digest(made_v1, given.get("x-hubspot-signature", ""))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.believed for event in batch]


@pytest.fixture(scope="module")
def door() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def receiver(door: Receiver) -> Receiver:
    door.believed.clear()
    door.refused, door.shut, door.now_ms = 0, False, int(NOW.timestamp() * 1000)
    return door


@pytest.fixture
def twin(receiver: Receiver) -> HubSpot:
    twin = stand_in()
    twin.subscribe(f"{receiver.url}/hooks/hubspot?tenant=33", SECRET, APP)
    return twin


def told(receiver: Receiver) -> list[tuple[Any, ...]]:
    return [(event["subscriptionType"], event.get("propertyName"), event.get("propertyValue")) for event in receiver.events]


# Signatures


@pytest.mark.skipif(
    not (ROOT.parent / "shared" / "vendor-specs").is_dir(), reason="the vendor's samples (../shared/vendor-specs) are not beside the project"
)
def test_our_signatures_agree_with_the_vectors() -> None:
    vectors = json.loads((ROOT.parent / "shared/vendor-specs/webhooks/signature-vectors.json").read_text("utf-8"))
    third, first = vectors["hubspot.v3"], vectors["hubspot.v1"]
    made = signature_v3(third["secret"], third["method"], third["uri"], third["body"].encode(), third["now_ms"])
    assert made == third["headers"]["X-HubSpot-Signature-v3"]
    assert signature_v1(first["secret"], first["body"].encode()) == first["headers"]["X-HubSpot-Signature"]


def test_our_signatures_agree_with_the_vendors_client() -> None:
    uri, body, at = "https://app.example.test/hooks?a=1", '[{"objectId":1}]', 1_781_083_800_000
    assert signature_v3("s", "POST", uri, body.encode(), at) == Signature.get_signature("s", body, "v3", uri, "POST", str(at))
    assert signature_v1("s", body.encode()) == Signature.get_signature("s", body, "v1")


def test_an_address_is_signed_with_some_of_its_escapes_undone() -> None:
    assert signature_v3("s", "POST", "https://x.example/a%3Ab%20c", b"[]", 1) == signature_v3("s", "POST", "https://x.example/a:b%20c", b"[]", 1)


# What is told


def test_a_person_at_work_is_told_event_by_event(twin: HubSpot, receiver: Receiver) -> None:
    company = twin.company("Alder", city="Larkfield")
    twin.change(company, city="Elsewhere")
    twin.archive(company)
    assert twin.deliver() == 3
    assert receiver.refused == 0
    assert told(receiver) == [
        ("company.creation", None, None),
        ("company.propertyChange", "name", "Alder"),
        ("company.propertyChange", "city", "Larkfield"),
        ("company.propertyChange", "city", "Elsewhere"),
        ("company.deletion", None, None),
    ]
    event = receiver.events[-2]
    assert {name: event[name] for name in ("portalId", "appId", "occurredAt", "attemptNumber", "objectId", "changeSource", "sourceId")} == {
        "portalId": twin.portal_id,
        "appId": APP,
        "occurredAt": int(NOW.timestamp() * 1000),
        "attemptNumber": 0,
        "objectId": int(company.id),
        "changeSource": "CRM_UI",
        "sourceId": "userId:7700001",
    }
    assert len({event["eventId"] for event in receiver.events}) == 5
    assert len({event["subscriptionId"] for event in receiver.events}) == 4


def test_our_own_writes_come_back_as_an_echo_with_our_number(twin: HubSpot, receiver: Receiver) -> None:
    ask = Asker(twin, token=twin.authorise()["access_token"])
    made = ask("POST", "/crm/v3/objects/companies", {"properties": {"name": "Alder"}}, status=201)
    ask("PATCH", f"/crm/v3/objects/companies/{made['id']}", {"properties": {"city": "Larkfield"}})
    ask("DELETE", f"/crm/v3/objects/companies/{made['id']}", status=204)
    twin.deliver()
    assert {(event["changeSource"], event["sourceId"]) for event in receiver.events} == {("INTEGRATION", str(APP))}
    private = Asker(twin)
    private("POST", "/crm/v3/objects/contacts", {"properties": {"email": "ada@alder.example"}}, status=201)
    twin.deliver()
    assert receiver.events[-1]["sourceId"] == str(twin.private_app_id)


def test_a_value_that_stays_is_no_change(twin: HubSpot, receiver: Receiver) -> None:
    company = twin.company("Alder")
    twin.deliver()
    receiver.believed.clear()
    twin.change(company, name="Alder")
    assert twin.deliver() == 0


def test_a_won_deal_is_told_with_its_stage_and_its_close_date(twin: HubSpot, receiver: Receiver) -> None:
    deal = twin.deal("Order")
    twin.deliver()
    receiver.believed.clear()
    twin.win(deal)
    twin.deliver()
    assert told(receiver) == [
        ("deal.propertyChange", "dealstage", "closedwon"),
        ("deal.propertyChange", "closedate", "2026-06-10T09:30:00Z"),
    ]


def test_events_come_in_batches_of_a_hundred_at_most(twin: HubSpot, receiver: Receiver) -> None:
    ask = Asker(twin)
    inputs = [{"properties": {"name": f"Company {number}"}, "associations": []} for number in range(100)]
    for _ in range(2):
        ask("POST", "/crm/v3/objects/companies/batch/create", {"inputs": inputs}, status=201)
    twin.company("One more")
    assert twin.deliver() == 6
    assert sorted(len(batch) for batch in receiver.believed) == [1, 1, 100, 100, 100, 100]


def test_only_what_was_subscribed_is_told_and_notes_never(receiver: Receiver) -> None:
    twin = stand_in()
    twin.subscribe(f"{receiver.url}/", SECRET, APP, types=("deal.propertyChange",), properties=("dealstage",))
    twin.company("Alder")
    twin.win(twin.deal("Order", amount="10"))
    Asker(twin)("POST", "/crm/v3/objects/notes", {"properties": {"hs_timestamp": "1781083800000"}}, status=201)
    twin.deliver()
    assert told(receiver) == [("deal.propertyChange", "dealstage", "appointmentscheduled"), ("deal.propertyChange", "dealstage", "closedwon")]


def test_what_was_there_before_is_not_told(twin: HubSpot) -> None:
    twin.fill(5)
    assert twin.deliver() == 0


# Who believes it


def test_the_old_signature_alone_or_beside_the_new_one_is_believed(receiver: Receiver) -> None:
    for signatures in (("v1",), ("v3", "v1")):
        twin = stand_in()
        twin.subscribe(f"{receiver.url}/", SECRET, APP, signatures=signatures)
        twin.company("Alder")
        twin.deliver()
    assert (len(receiver.believed), receiver.refused) == (4, 0)


@pytest.mark.parametrize("tampered", ["body", "address", "secret", "time"])
def test_whatever_is_tampered_with_is_refused(receiver: Receiver, tampered: str) -> None:
    body, uri = b'[{"objectId":1,"subscriptionType":"company.creation"}]', f"{receiver.url}/hooks"
    signed = {
        "X-HubSpot-Request-Timestamp": str(receiver.now_ms),
        "X-HubSpot-Signature-v3": signature_v3("other" if tampered == "secret" else SECRET, "POST", uri, body, receiver.now_ms),
    }
    if tampered == "time":
        signed["X-HubSpot-Request-Timestamp"] = str(receiver.now_ms + 1)
    assert not receiver.believes(uri + ("?a=1" if tampered == "address" else ""), signed, body.replace(b"1", b"2") if tampered == "body" else body)


def test_the_wrong_secret_is_refused_at_the_door(receiver: Receiver) -> None:
    twin = stand_in()
    twin.subscribe(f"{receiver.url}/", "not-ours", APP)
    twin.company("Alder")
    assert twin.deliver() == 0
    assert (receiver.believed, receiver.refused) == ([], 2)


def test_an_event_signed_by_a_clock_six_minutes_ahead_is_too_old_to_believe(twin: HubSpot, receiver: Receiver) -> None:
    twin.move_clock(360)
    twin.company("Alder")
    assert twin.deliver() == 0
    receiver.now_ms += 360_000
    assert twin.retry() == 2
    assert twin.deliver() == 2


def test_an_event_nobody_took_comes_again_with_its_id_and_one_attempt_more(twin: HubSpot, receiver: Receiver) -> None:
    receiver.shut = True
    twin.company("Alder")
    assert twin.deliver() == 0
    first = [event for delivery, _ in twin.undelivered for event in json.loads(delivery.body)]
    receiver.shut = False
    twin.retry()
    assert twin.deliver() == 2
    assert [(event["eventId"], event["attemptNumber"]) for event in receiver.events] == [(event["eventId"], 1) for event in first]


def test_the_vendor_gives_up_in_the_end(twin: HubSpot, receiver: Receiver) -> None:
    receiver.shut = True
    twin.company("Alder")
    tries = 0
    twin.deliver()
    while twin.retry():
        twin.deliver()
        tries += 1
    assert tries == 10
    assert twin.undelivered == []


# Faults of deliveries


def test_events_can_be_silenced_doubled_late_and_shuffled(twin: HubSpot, receiver: Receiver) -> None:
    twin.faults.put(Fault(fault="silence", path="company.creation"), Fault(fault="doubled", path="company.propertyChange"))
    twin.company("Alder")
    assert twin.deliver() == 2
    assert told(receiver) == [("company.propertyChange", "name", "Alder")] * 2
    assert len({event["eventId"] for event in receiver.events}) == 1
    receiver.believed.clear()
    twin.faults.put(Fault(fault="late", path="contact.creation", seconds=60))
    twin.contact("ada@alder.example")
    assert twin.deliver(everything=False) == 1
    assert [event["subscriptionType"] for event in receiver.events] == ["contact.propertyChange"]
    assert twin.deliver() == 1
    receiver.believed.clear()
    twin.faults.put(Fault(fault="shuffled", path="deal", times=0))
    deals = [twin.deal(f"Order {number}") for number in range(3)]
    for deal in deals:
        twin.archive(deal)
        twin.deliver(everything=False)
    twin.deliver()
    gone = [event["objectId"] for event in receiver.events if event["subscriptionType"] == "deal.deletion"]
    assert sorted(gone) == [int(deal.id) for deal in deals]


def test_a_moment_of_an_event_is_the_vendors(twin: HubSpot, receiver: Receiver) -> None:
    twin.move_clock(-120)
    twin.company("Alder")
    twin.deliver()
    assert dt.datetime.fromtimestamp(receiver.events[0]["occurredAt"] / 1000, dt.UTC) == NOW - dt.timedelta(seconds=120)
