"""Each fault a script can ask for, as the Stripe stand-in shows it, and that what was done under it can be found again."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import stripe

from tests.scenarios.stripe_desk import KEY, START, Desk, Watched, official
from tieout.rehearsal.twins.faults import KINDS, OF_EVENTS, Fault
from tieout.rehearsal.twins.server import serving

#: Faults of requests, each of which has its test below; those of deliveries are tested with the events.
TESTED = {"too_many", "error_before", "error_after", "silent_after", "cut", "truncated", "expired", "moving", "clock", "version"}


@pytest.fixture
def twin() -> Watched:
    return Watched()


def test_every_fault_of_requests_has_its_test() -> None:
    assert set(KINDS) - OF_EVENTS == TESTED


def test_too_many_is_a_429_with_or_without_a_time(twin: Watched) -> None:
    twin.faults.put(Fault(fault="too_many"), Fault(fault="too_many", retry_after=7))
    desk = Desk(twin)
    without, with_time = desk.ask("GET", "/v1/invoices"), desk.ask("GET", "/v1/invoices")
    assert without.status_code == with_time.status_code == 429
    assert json.loads(without.get_data())["error"]["code"] == "rate_limit"
    assert ("Retry-After" in without.headers, with_time.headers["Retry-After"]) == (False, "7")
    assert without.headers["Request-Id"].startswith("req_")
    with official(twin) as client:
        twin.faults.put(Fault(fault="too_many", path="/v1/customers"))
        with pytest.raises(stripe.RateLimitError):
            client.v1.customers.list()


def test_an_error_before_leaves_nothing_done_and_the_key_unused(twin: Watched) -> None:
    with official(twin) as client:
        twin.faults.put(Fault(fault="error_before", method="POST"))
        with pytest.raises(stripe.APIError) as broken:
            client.v1.customers.create({"name": "Once"}, {"idempotency_key": "c-1"})
        assert broken.value.http_status == 500
        assert client.v1.customers.list().data == []
        again = client.v1.customers.create({"name": "Once"}, {"idempotency_key": "c-1"})
        assert again.last_response is not None
        assert "Idempotent-Replayed" not in again.last_response.headers


@pytest.mark.parametrize("fault", ["error_after", "silent_after", "truncated"])
def test_an_answer_lost_after_the_deed_is_given_again_to_the_same_key(twin: Watched, fault: str) -> None:
    with official(twin) as client:
        twin.faults.put(Fault(fault=fault, method="POST", seconds=0.05))
        with pytest.raises(stripe.StripeError):
            client.v1.customers.create({"name": "Once"}, {"idempotency_key": "c-1"})
        kept = client.v1.customers.list().data
        again = client.v1.customers.create({"name": "Once"}, {"idempotency_key": "c-1"})
        assert [again.id] == [customer.id for customer in kept]
        assert again.last_response is not None
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert len(client.v1.customers.list().data) == 1


def test_without_a_key_the_same_loss_makes_a_second_customer(twin: Watched) -> None:
    desk = Desk(twin)
    twin.faults.put(Fault(fault="error_after", method="POST"))
    assert desk.ask("POST", "/v1/customers", "name=Twice").status_code == 500
    desk.post("/v1/customers", "name=Twice")
    assert len(desk.get("/v1/customers")["data"]) == 2


def test_a_cut_line_leaves_nothing_done(twin: Watched) -> None:
    twin.faults.put(Fault(fault="cut", method="POST"))
    with serving(twin, deliver=False) as running:
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{running.url}/v1/customers", data={"name": "Never"}, headers={"Authorization": f"Bearer {KEY}"}, timeout=2)
        assert len(twin.books.customers) == 0


def test_a_truncated_answer_is_no_json(twin: Watched) -> None:
    twin.customer("Half")
    twin.faults.put(Fault(fault="truncated"))
    with serving(twin, deliver=False) as running, pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        requests.get(f"{running.url}/v1/customers", headers={"Authorization": f"Bearer {KEY}"}, timeout=2)


def test_an_expired_key_is_a_401_that_says_so(twin: Watched) -> None:
    with official(twin) as client:
        twin.faults.put(Fault(fault="expired"))
        with pytest.raises(stripe.AuthenticationError) as refused:
            client.v1.invoices.list()
        assert refused.value.http_status == 401
        assert refused.value.error is not None
        assert refused.value.error.code == "api_key_expired"
        assert KEY not in str(refused.value)  # a key is never told whole
        assert client.v1.invoices.list().data == []


def test_between_two_pages_a_read_invoice_is_paid_and_a_new_one_comes(twin: Watched) -> None:
    desk = Desk(twin)
    owed = twin.customer("Brightwater Tools")
    made = [twin.invoice(owed, 1_000 + at, at=START - dt.timedelta(days=9 - at)).id for at in range(6)][::-1]
    twin.faults.put(Fault(fault="moving", path="/v1/invoices", after=1))
    first = [thing["id"] for thing in desk.get("/v1/invoices", "limit=3&status=open")["data"]]
    second = [thing["id"] for thing in desk.get("/v1/invoices", f"limit=3&status=open&starting_after={first[-1]}")["data"]]
    assert first + second == made  # cursors never shift: a reader sees neither change ...
    told = {event["data"]["object"]["id"] for event in desk.get("/v1/events", "types[]=invoice.paid&types[]=invoice.finalized&limit=2")["data"]}
    newest = desk.get("/v1/invoices", "limit=1")["data"][0]
    assert told == {first[-1], newest["id"]}  # ... and the events tell of both
    assert newest["id"] not in made


def test_between_two_pages_of_customers_one_changes_and_one_comes(twin: Watched) -> None:
    desk = Desk(twin)
    made = [twin.customer(f"customer {at}").id for at in range(4)][::-1]
    twin.faults.put(Fault(fault="moving", path="/v1/customers"))
    page = desk.get("/v1/customers", f"starting_after={made[1]}")
    assert [thing["id"] for thing in page["data"]] == made[2:]
    assert twin.books.customers.get(made[1]).metadata == {"moved": "yes"}
    assert len(twin.books.customers) == 5


def test_the_vendors_clock_can_run_ahead(twin: Watched) -> None:
    desk = Desk(twin)
    twin.faults.put(Fault(fault="clock", seconds=3_600))
    desk.get("/v1/account")
    ahead = START.timestamp() + 3_600
    assert desk.post("/v1/customers", "name=Early")["created"] == ahead
    draft = desk.post("/v1/invoices", f"customer={desk.get('/v1/customers')['data'][0]['id']}&collection_method=send_invoice&days_until_due=1")
    assert draft["due_date"] == ahead + 86_400


@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/customers", "/v1/events", "/v1/account", "/v1/balance_transactions"])
def test_another_version_answers_with_what_nobody_knows(twin: Watched, path: str) -> None:
    desk = Desk(twin)
    twin.pay(twin.invoice(twin.customer("Aldergate Printing"), 100))
    before = desk.get(path)
    twin.faults.put(Fault(fault="version", path=path))
    response = desk.ask("GET", path)
    changed = json.loads(response.get_data())
    assert response.headers["Stripe-Version"] == "2027-03-31.fescue"
    things = changed.get("data", [changed])
    assert all("settlement_route" in thing for thing in things)
    if path == "/v1/events":
        assert {thing["api_version"] for thing in things} == {"2027-03-31.fescue"}
        assert things[0]["data"]["object"]["status"] == "partly_settled"
    else:
        field = {"/v1/invoices": "status", "/v1/balance_transactions": "status", "/v1/account": "business_type", "/v1/customers": "tax_exempt"}[path]
        assert things[0][field] == "partly_settled"
    assert desk.get(path) == before  # nothing was changed but the answer


def test_the_limit_of_requests_is_per_second_of_the_twins_clock() -> None:
    twin = Watched(rate_limit=3)
    desk = Desk(twin)
    assert [desk.ask("GET", "/v1/customers").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    twin.move_clock(1)
    assert desk.ask("GET", "/v1/customers").status_code == 200
    refused = desk.ask("POST", "/v1/customers", "name=A", Idempotency_Key="k")
    assert refused.status_code == 200
    assert [desk.ask("POST", "/v1/customers", "name=B", Idempotency_Key="b").status_code for _ in range(2)] == [200, 429]
    twin.move_clock(1)
    assert "Idempotent-Replayed" in desk.ask("POST", "/v1/customers", "name=B", Idempotency_Key="b").headers  # a 429 is not remembered


def test_many_at_once_with_one_key_make_one_customer_and_pay_no_more_than_is_owed(twin: Watched) -> None:
    invoice = twin.invoice(twin.customer("Eastlake Tools"), 1_000)

    def caller(number: int) -> int:
        desk = Desk(twin)
        desk.ask("POST", "/v1/customers", "name=Once", Idempotency_Key="one")
        return desk.ask("POST", f"/v1/invoices/{invoice.id}/pay", "payment_method=pm_card_visa", Idempotency_Key=f"pay-{number}").status_code

    with ThreadPoolExecutor(8) as callers:
        statuses = sorted(callers.map(caller, range(8)))
    assert statuses == [200] + [400] * 7
    assert len(twin.books.customers) == 2
    assert (invoice.amount_paid, len(twin.books.charges)) == (1_000, 1)


def test_a_script_comes_in_by_its_door_and_every_request_is_logged(twin: Watched) -> None:
    with serving(twin, deliver=False) as running:
        script = [{"fault": "error_before", "path": "/v1/payouts", "times": 0}]
        assert requests.put(f"{running.url}/_twin/faults", json=script, timeout=2).ok
        headers = {"Authorization": f"Bearer {KEY}"}
        assert requests.get(f"{running.url}/v1/payouts", headers=headers, timeout=2).status_code == 500
        assert requests.get(f"{running.url}/v1/charges", headers=headers, timeout=2).status_code == 200
        logged = requests.get(f"{running.url}/_twin/log", timeout=2).json()
    assert [(line["path"], line["status"], line["fault"]) for line in logged] == [("/v1/payouts", 500, "error_before"), ("/v1/charges", 200, "")]
