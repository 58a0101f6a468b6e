"""Events of the QuickBooks stand-in: what tells of what, gathered over companies, signed as Intuit signs."""

from __future__ import annotations

import datetime as dt
import json
import re
import time

import pytest

from tests.conftest import ROOT
from tests.scenarios.quickbooks_desk import Desk, LetterBox, letter_box
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.quickbooks import events
from tieout.rehearsal.twins.server import serving

VECTORS = ROOT.parent / "shared" / "vendor-specs" / "webhooks" / "signature-vectors.json"


def _told(box: LetterBox) -> list[str]:
    return [f"{event['type'].removeprefix('qbo.').removesuffix('.v1')} {event['intuitentityid']}" for event in box.events()]


@pytest.mark.parametrize("name", ["quickbooks.legacy", "quickbooks.cloudevents_two_companies"])
def test_our_signature_is_the_one_of_the_vectors(name: str) -> None:
    if not VECTORS.exists():
        pytest.skip("the signature vectors are not here: shared/vendor-specs/webhooks")
    vector = json.loads(VECTORS.read_text("utf-8"))[name]
    assert {events.HEADER: events.signature(vector["body"].encode(), vector["secret"])} == vector["headers"]


def test_each_act_tells_of_what_it_moved() -> None:
    desk = Desk()
    twin = desk.twin
    with letter_box() as box:
        twin.subscribe(box.url, "verifier")
        customer, other = twin.customer("Brightwater"), twin.customer("Brightwatr")
        invoice = twin.invoice(customer, 100)
        payment = twin.pay(invoice, amount=40)
        twin.email(invoice)
        twin.change("Invoice", invoice, PrivateNote="x")
        twin.void("Invoice", invoice)
        twin.delete("Payment", payment)
        twin.merge(other, customer)
        assert twin.deliver() == 1
        assert _told(box) == [
            "customer.created 1",
            "customer.created 2",
            "invoice.created 1",
            "payment.created 2",
            "invoice.updated 1",
            "invoice.emailed 1",
            "invoice.updated 1",
            "payment.updated 2",
            "invoice.voided 1",
            "payment.deleted 2",
            "customer.merged 1",
        ]
        assert [event["data"] for event in box.events()] == [{}] * 10 + [{"deletedid": "2"}]


def test_one_delivery_holds_several_companies_and_is_signed_over_its_raw_body() -> None:
    desk = Desk()
    other = desk.twin.open_company("Second Street Books")
    with letter_box() as box:
        desk.twin.subscribe(box.url, "verifier")
        desk.twin.customer("Brightwater")
        desk.twin.customer("Copper Books", realm=other.realm)
        desk.twin.deliver()
        ((body, headers),) = box.letters
    assert headers["intuit-signature"] == events.signature(body, "verifier")
    assert headers["intuit-signature"] != events.signature(body, "another verifier")
    first, second = json.loads(body)
    assert [first["intuitaccountid"], second["intuitaccountid"]] == [desk.realm, other.realm]
    assert first.keys() == {"specversion", "id", "source", "type", "datacontenttype", "time", "intuitentityid", "intuitaccountid", "data"}
    assert first["id"] != second["id"]
    assert re.fullmatch(r"2026-06-10T16:00:00\.\d{9}Z", first["time"])
    assert dt.datetime.fromisoformat(first["time"]).tzinfo is not None


def test_what_was_refused_tells_nothing_and_nobody_listening_costs_nothing() -> None:
    desk = Desk()
    desk.twin.customer("Nobody hears this")
    with letter_box() as box:
        desk.twin.subscribe(box.url, "verifier")
        desk.post("customer", {"DisplayName": "Nobody hears this"})
        assert (desk.twin.flush(), desk.twin.deliver(), box.letters) == (0, 0, [])


def test_a_served_twin_delivers_by_itself() -> None:
    desk = Desk()
    with letter_box() as box, serving(desk.twin):
        desk.client.post("/_twin/subscribe", json={"url": box.url, "verifier": "verifier"})
        desk.twin.customer("Brightwater")
        deadline = time.monotonic() + 5
        while not box.letters and time.monotonic() < deadline:
            time.sleep(0.01)
        assert _told(box) == ["customer.created 1"]


def test_a_door_that_is_shut_is_remembered() -> None:
    desk = Desk()
    desk.twin.subscribe("http://127.0.0.1:9/closed", "verifier")
    desk.twin.customer("Brightwater")
    assert desk.twin.deliver() == 0
    ((delivery, _reason),) = desk.twin.undelivered
    assert delivery.topic == "qbo.customer.created.v1"


def test_silence_says_nothing_and_doubling_says_it_twice() -> None:
    desk = Desk()
    with letter_box() as box:
        desk.twin.subscribe(box.url, "verifier")
        desk.twin.faults.put(Fault(fault="silence", path="customer"), Fault(fault="doubled", path="invoice"))
        desk.twin.customer("Brightwater")
        desk.twin.deliver()
        assert box.letters == []
        desk.twin.invoice("1", 5)
        assert desk.twin.deliver() == 2
        assert box.letters[0][0] == box.letters[1][0]


def test_late_events_wait_for_their_time() -> None:
    desk = Desk()
    with letter_box() as box:
        desk.twin.subscribe(box.url, "verifier")
        desk.twin.faults.put(Fault(fault="late", path="customer", seconds=60))
        desk.twin.customer("Brightwater")
        assert desk.twin.deliver(everything=False) == 0
        assert desk.twin.deliver() == 1
        assert _told(box) == ["customer.created 1"]


def test_shuffled_events_come_in_another_order_and_none_is_lost() -> None:
    desk = Desk()
    with letter_box() as box:
        desk.twin.subscribe(box.url, "verifier")
        desk.twin.faults.put(Fault(fault="shuffled", times=0))
        for number in range(8):
            desk.twin.customer(f"Customer {number}")
            desk.twin.flush()
        assert desk.twin.deliver() == 8
        told = _told(box)
        made = [f"customer.created {number}" for number in range(1, 9)]
        assert told != made
        assert sorted(told) == made
