"""Events of the Stripe stand-in: one per change, signed at the door, kept for thirty days, and what happens when a door does not take them."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator

import pytest
import stripe

from tests.scenarios.stripe_desk import KEY, START, Desk, Received, Watched, official, receiver
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import StripeTwin


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def door() -> Iterator[Received]:
    with receiver() as made:
        yield made


def _types(desk: Desk, asked: str = "limit=100") -> list[str]:
    return [event["type"] for event in desk.get("/v1/events", asked)["data"]][::-1]


def test_each_change_leaves_its_event(desk: Desk) -> None:
    twin = desk.twin
    owed = twin.customer("Ivybridge Logistics", email="ap@ivybridge.example")
    invoice = twin.invoice(owed, 5_000, sent=True)
    twin.pay(invoice, 2_000)
    twin.credit(invoice, 1_000)
    twin.pay(invoice)
    assert _types(desk) == [
        "customer.created",
        "invoice.created",
        "invoiceitem.created",
        "invoice.updated",
        "payment_intent.created",
        "invoice.finalized",
        "invoice.sent",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.updated",
        "credit_note.created",
        "invoice.updated",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_what_goes_wrong_leaves_its_events_too(desk: Desk) -> None:
    twin = desk.twin
    owed = twin.customer("Juniper Watches")
    failing, void, given_up, paid = (twin.invoice(owed, amount) for amount in (1_000, 2_000, 3_000, 90_000))
    twin.fail_payment(failing)
    twin.void(void)
    twin.write_off(given_up)
    twin.pay(paid)
    twin.refund(paid, 500)
    twin.close_dispute(twin.dispute(paid, amount=1_000), won=True)
    twin.close_dispute(twin.dispute(_paid(twin, owed.id), reason="fraudulent"), won=False)
    twin.pay(_open(twin, owed.id), 150)  # 50 too much
    twin.payout()
    twin.delete_customer(owed)
    told = _types(desk)
    for expected in (
        "charge.failed payment_intent.payment_failed invoice.payment_failed customer.updated invoice.voided invoice.marked_uncollectible "
        "refund.created charge.refunded charge.dispute.created charge.dispute.funds_withdrawn charge.dispute.funds_reinstated "
        "charge.dispute.closed invoice.overpaid payout.created payout.paid payout.reconciliation_completed customer.deleted"
    ).split():
        assert expected in told
    assert twin.told("customer.deleted")[0].data.object  # the customer as it last was, not its tombstone
    assert json.loads(bytes(twin.told("customer.deleted")[0].data.object))["name"] == "Juniper Watches"


def _open(twin: StripeTwin, owed: str) -> str:
    return twin.invoice(owed, 100).id


def _paid(twin: StripeTwin, owed: str) -> str:
    invoice = twin.invoice(owed, 40_000)
    twin.pay(invoice)
    return invoice.id


def test_an_update_names_what_was_there_before(desk: Desk) -> None:
    owed = desk.twin.customer("Aldergate Optics", metadata={"erp": "1", "area": "north"}, address={"city": "Kiel", "country": "DE"})
    desk.post(f"/v1/customers/{owed.id}", "metadata[erp]=2&metadata[tier]=gold&address[city]=Plön&address[country]=DE")
    event = desk.get("/v1/events", "type=customer.updated")["data"][0]
    assert event["data"]["previous_attributes"] == {"metadata": {"erp": "1", "tier": None}, "address": {"city": "Kiel"}}
    desk.post(f"/v1/customers/{owed.id}", "metadata[erp]=2")
    assert len(desk.get("/v1/events", "type=customer.updated")["data"]) == 1  # nothing changed, nothing told


def test_an_event_keeps_the_object_as_it_was_and_names_its_request(desk: Desk) -> None:
    owed = desk.post("/v1/customers", "name=Before", Idempotency_Key="make-1")["id"]
    desk.post(f"/v1/customers/{owed}", "name=After")
    first = desk.get("/v1/events", "type=customer.created")["data"][0]
    assert first["data"]["object"]["name"] == "Before"
    assert first["request"]["id"].startswith("req_")
    assert first["request"]["idempotency_key"] == "make-1"
    assert first["api_version"] == "2026-08-26.dahlia"
    assert desk.get(f"/v1/events/{first['id']}") == first
    desk.twin.customer("By nobody's request")
    assert desk.get("/v1/events")["data"][0]["request"] == {"id": None, "idempotency_key": None}


def test_out_of_band_money_is_in_no_event(desk: Desk) -> None:
    invoice = desk.twin.invoice(desk.twin.customer("Copperfield Bakery"), 700)
    desk.twin.pay(invoice, out_of_band=True)
    assert desk.get(f"/v1/invoices/{invoice.id}")["amount_paid_off_stripe"] == 700
    assert all("amount_paid_off_stripe" not in event["data"]["object"] for event in desk.get("/v1/events", "type=invoice.*")["data"])


def test_events_are_narrowed_by_type_and_forgotten_after_thirty_days(desk: Desk) -> None:
    owed = desk.twin.customer("Dunmore Vineyards")
    desk.twin.invoice(owed, 100)
    desk.twin.move_clock(20 * 86_400)
    later = desk.twin.invoice(owed, 200)
    assert _types(desk, "type=invoice.finalized") == ["invoice.finalized"] * 2
    assert _types(desk, "types[]=invoice.created&types[]=customer.created") == ["customer.created", "invoice.created", "invoice.created"]
    assert len(_types(desk, f"limit=100&created[gte]={later.created}")) == 5
    first = desk.get("/v1/events", "type=customer.created")["data"][0]["id"]
    desk.twin.move_clock(11 * 86_400)
    assert _types(desk, "type=invoice.finalized") == ["invoice.finalized"]
    assert desk.refused("GET", f"/v1/events/{first}")["code"] == "resource_missing"
    assert desk.refused("GET", "/v1/events", "&".join(f"types[]=a{at}" for at in range(21)))["param"] == "types"


def test_history_is_kept_but_told_to_nobody(desk: Desk, door: Received) -> None:
    desk.twin.endpoint(door.url)
    with_past = desk.twin.customer("Eastlake Tools", at=START - dt.timedelta(days=10))
    desk.twin.invoice(with_past, 100, at=START - dt.timedelta(days=9))
    assert desk.twin.deliver() == 0
    assert _types(desk)[0] == "customer.created"


def test_stripes_own_client_opens_a_door_and_believes_what_comes_to_it(door: Received) -> None:
    twin = Watched()
    with official(twin) as client:
        made = client.v1.webhook_endpoints.create({"url": door.url, "enabled_events": ["invoice.paid", "invoice.finalized"], "description": "ours"})
        assert (made.secret or "").startswith("whsec_")
        assert client.v1.webhook_endpoints.list().data[0].to_dict().get("secret") is None  # told once
        invoice = twin.invoice(twin.customer("Fairholm Textiles"), 3_000)
        twin.pay(invoice)
        assert twin.deliver() == 2
    assert door.topics() == ["invoice.finalized", "invoice.paid"]
    body, signature = door.came[1]
    event = stripe.Webhook.construct_event(body, signature, made.secret, tolerance=None)  # type: ignore[arg-type]
    assert (event.type, event.data.object["id"], event.data.object["status"]) == ("invoice.paid", invoice.id, "paid")
    for wrong_body, wrong_secret in ((body.replace(b'"paid"', b'"open"'), made.secret), (body, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(wrong_body, signature, wrong_secret, tolerance=None)  # type: ignore[arg-type]
    twin.judged()


def test_a_signature_is_of_the_moment_of_delivery_by_the_twins_clock(door: Received) -> None:
    twin = StripeTwin()  # the clock of this machine
    secret = twin.endpoint(door.url).secret
    twin.customer("Greywell Printing")
    twin.deliver()
    assert stripe.Webhook.construct_event(*door.came[0], secret).type == "customer.created"  # type: ignore[arg-type]
    twin.move_clock(-3_600)  # the vendor's clock is an hour behind
    twin.customer("Hollin Printing")
    twin.deliver()
    with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
        stripe.Webhook.construct_event(*door.came[1], secret)  # type: ignore[arg-type]


def test_while_a_secret_is_changed_both_are_good(desk: Desk, door: Received) -> None:
    twin = desk.twin
    made = twin.endpoint(door.url)
    new = desk.door("rotate_secret", endpoint=made.id, seconds=600)["secret"]
    twin.customer("Ivybridge Roofing")
    twin.deliver()
    body, signature = door.came[0]
    assert signature.count("v1=") == 2
    for secret in (made.secret, new):
        assert stripe.Webhook.construct_event(body, signature, secret, tolerance=None)  # type: ignore[arg-type]
    twin.move_clock(601)
    twin.customer("Juniper Roofing")
    twin.deliver()
    body, signature = door.came[1]
    assert signature.count("v1=") == 1
    assert stripe.Webhook.construct_event(body, signature, new, tolerance=None)  # type: ignore[arg-type]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature, made.secret, tolerance=None)  # type: ignore[arg-type]


def test_several_doors_get_what_each_asked_for(desk: Desk) -> None:
    with receiver() as everything, receiver() as money, receiver() as off:
        twin = desk.twin
        twin.endpoint(everything.url)
        twin.endpoint(money.url, ["invoice.paid"], version="2026-05-27.dahlia")
        closed = twin.endpoint(off.url)
        desk.post(f"/v1/webhook_endpoints/{closed.id}", "disabled=true")
        twin.pay(twin.invoice(twin.customer("Aldergate Tools"), 100), out_of_band=True)
        twin.deliver()
    assert money.topics() == ["invoice.paid"]
    assert json.loads(money.came[0][0])["api_version"] == "2026-05-27.dahlia"
    assert len(everything.came) == len(twin.told())
    assert off.came == []


def test_what_a_door_does_not_take_waits_and_can_be_found(desk: Desk, door: Received) -> None:
    twin = desk.twin
    twin.customer("Before any door")
    twin.endpoint(door.url)
    door.answers = 503
    owed = twin.customer("Copperfield Tools")
    assert twin.deliver() == 0
    waiting = desk.get("/v1/events", "delivery_success=false")["data"]
    assert [(event["data"]["object"]["id"], event["pending_webhooks"]) for event in waiting] == [(owed.id, 1)]
    assert len(desk.get("/v1/events", "delivery_success=true")["data"]) == 1
    door.answers = 200
    assert desk.door("redeliver") == {"sent": 1}
    assert twin.deliver() == 1
    assert desk.get("/v1/events", "delivery_success=false")["data"] == []


def test_in_silence_nothing_comes_and_the_list_of_undelivered_events_is_the_way_back(desk: Desk, door: Received) -> None:
    desk.twin.endpoint(door.url)
    desk.twin.faults.put(Fault(fault="silence"))
    missed = desk.twin.customer("Dunmore Optics")
    heard = desk.twin.customer("Dunmore Lenses")
    assert desk.twin.deliver() == 1
    assert [json.loads(body)["data"]["object"]["id"] for body, _ in door.came] == [heard.id]
    assert [event["data"]["object"]["id"] for event in desk.get("/v1/events", "delivery_success=false")["data"]] == [missed.id]


def test_a_doubled_event_comes_twice_with_one_id(desk: Desk, door: Received) -> None:
    desk.twin.endpoint(door.url, ["invoice.created", "customer.created"])
    desk.twin.faults.put(Fault(fault="doubled", path="invoice"))
    desk.twin.invoice(desk.twin.customer("Dunmore Bakery"), 100)
    assert desk.twin.deliver() == 3
    assert door.topics() == ["customer.created", "invoice.created", "invoice.created"]
    assert len({json.loads(body)["id"] for body, _ in door.came}) == 2


def test_deliveries_come_late_or_out_of_order_by_the_script(desk: Desk, door: Received) -> None:
    twin = desk.twin
    twin.endpoint(door.url, ["invoice.created", "invoice.finalized"])
    twin.faults.put(Fault(fault="late", path="invoice.created", seconds=30))
    twin.invoice(twin.customer("Eastlake Optics"), 100)
    assert twin.deliver(everything=False) == 1
    assert twin.deliver() == 1
    assert door.topics() == ["invoice.finalized", "invoice.created"]
    twin.faults.put(Fault(fault="shuffled", times=0))
    for _ in range(6):
        twin.invoice(twin.customer("Another"), 100)
    twin.deliver()
    came = [json.loads(body)["id"] for body, _ in door.came[2:]]
    told = [event.id for event in twin.told("invoice.created", "invoice.finalized")[2:]]
    assert sorted(came) == sorted(told)
    assert came != told


def test_a_serving_twin_delivers_on_its_own(door: Received) -> None:
    twin = Watched()
    twin.endpoint(door.url, ["customer.created"])
    with serving(twin) as running:
        client = stripe.StripeClient(KEY, base_addresses={"api": running.url}, max_network_retries=0)
        client.v1.customers.create({"name": "Fairholm Optics"})
        for _ in range(100):
            if door.came:
                break
            time.sleep(0.02)
    assert door.topics() == ["customer.created"]
