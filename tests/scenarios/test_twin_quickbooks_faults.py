"""What goes wrong on the way to QuickBooks goes wrong in its own way: limits, broken answers, lost answers, moving pages, other
versions, and the same request shown twice."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.scenarios.quickbooks_desk import Desk, Json, item_line
from tieout.rehearsal.twins import faults
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.quickbooks import Limits


def _customers(desk: Desk) -> int:
    return int(desk.ask("select count(*) from Customer")["totalCount"])


def test_too_many_requests_are_told_with_a_time_or_without() -> None:
    desk = Desk()
    desk.twin.faults.put(Fault(fault="too_many"), Fault(fault="too_many", after=1, retry_after=60))
    assert desk.fault(desk.get("customer/1")) == "3001"
    assert (desk.status, "Retry-After" in desk.headers) == (429, False)
    desk.get("customer/1")
    assert (desk.status, desk.headers["Retry-After"]) == (429, "60")
    desk.get("preferences")
    assert desk.status == 200


def test_a_failure_before_does_nothing_and_one_after_does_it() -> None:
    desk = Desk()
    desk.twin.faults.put(Fault(fault="error_before", method="POST"), Fault(fault="error_after", method="POST", after=1))
    assert desk.fault(desk.post("customer", {"DisplayName": "Brightwater"})) == "10000"
    assert (desk.status, _customers(desk)) == (500, 0)
    assert desk.fault(desk.post("customer", {"DisplayName": "Brightwater"}, requestid="r1")) == "10000"
    assert _customers(desk) == 1
    assert desk.post("customer", {"DisplayName": "Brightwater"}, requestid="r1")["Customer"]["Id"] == "1"


@pytest.mark.parametrize(("kind", "done"), [("cut", 0), ("silent_after", 1), ("truncated", 1)])
def test_a_cut_line_leaves_the_work_done_or_not(kind: str, done: int) -> None:
    desk = Desk()
    desk.twin.faults.put(Fault(fault=kind, method="POST"))
    with pytest.raises(ConnectionResetError):
        desk.post("customer", {"DisplayName": "Brightwater"})
    assert _customers(desk) == done


def test_an_expired_token_is_told_whatever_the_token() -> None:
    desk = Desk()
    desk.twin.faults.put(Fault(fault="expired", times=2))
    assert desk.get("customer/1")["fault"]["error"][0]["code"] == "3200"
    assert desk.status == 401
    refused = desk.client.post("/oauth2/v1/tokens/bearer", data={"grant_type": "refresh_token"})
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")


def test_a_record_that_moves_is_doubled_and_makes_a_reader_of_offsets_miss_its_neighbour() -> None:
    desk = Desk()
    desk.twin.customer("Brightwater")
    for _ in range(6):
        desk.clock.pass_time(minutes=1)
        desk.twin.invoice("1", 1)
    desk.clock.pass_time(minutes=1)
    desk.twin.faults.put(Fault(fault="moving", path="/query", after=1))
    statement = "select * from Invoice orderby MetaData.LastUpdatedTime"
    pages = [desk.ids(f"{statement} startposition {start} maxresults 2") for start in (1, 3, 5)]
    assert pages == [["1", "2"], ["4", "5"], ["6", "1"]]
    # Whoever goes on from the last time seen instead of from a position loses nothing.
    seen = "2026-06-10T09:02:00-07:00"
    assert desk.ids(f"select * from Invoice where MetaData.LastUpdatedTime >= '{seen}' orderby MetaData.LastUpdatedTime") == [
        "2",
        "3",
        "4",
        "5",
        "6",
        "1",
    ]


def test_the_vendors_clock_goes_ahead() -> None:
    desk = Desk()
    desk.twin.faults.put(Fault(fault="clock", method="POST", seconds=300))
    made = desk.post("customer", {"DisplayName": "Brightwater"})
    assert made["Customer"]["MetaData"]["CreateTime"] == "2026-06-10T09:05:00-07:00"
    assert made["time"] == "2026-06-10T09:05:00.000-07:00"


def test_another_version_says_what_nobody_knows() -> None:
    desk = Desk()
    desk.twin.invoice(desk.twin.customer("Brightwater"), "10.10")
    desk.twin.faults.put(Fault(fault="version", path="/query|/cdc|/invoice", times=0))
    listed = desk.ask("select * from Invoice")["Invoice"][0]
    read = desk.get("invoice/1")["Invoice"]
    changed = desk.get("cdc", entities="Invoice", changedSince="2026-06-10")["CDCResponse"][0]["QueryResponse"][0]["Invoice"][0]
    for record in (listed, read, changed):
        assert (record["EmailStatus"], str(record["TotalAmt"])) == ("Teleported", "10.10")
        assert "SettlementOutlook" in record
    assert "SettlementOutlook" not in desk.twin.read("Invoice", "1")


def test_every_fault_of_requests_is_told_here() -> None:
    told = {"too_many", "error_before", "error_after", "silent_after", "cut", "truncated", "expired", "moving", "clock", "version"}
    assert told == set(faults.KINDS) - faults.OF_EVENTS


# Limits of the vendor itself


def test_the_limits_hold_by_the_second_by_the_minute_and_for_batches() -> None:
    desk = Desk(limits=Limits(per_minute=15, per_second=10, batches_per_minute=2))
    answers = [desk.get("preferences") for _ in range(11)]
    assert [desk.fault(answer) for answer in answers] == [*[""] * 10, "3001"]
    assert desk.status == 429
    desk.clock.pass_time(seconds=2)
    assert [desk.fault(desk.get("preferences")) for _ in range(6)] == [*[""] * 5, "3001"]
    desk.clock.pass_time(seconds=61)
    work = {"BatchItemRequest": [{"bId": "1", "Query": "select count(*) from Invoice"}]}
    assert [desk.fault(desk.post("batch", work)) for _ in range(3)] == ["", "", "3001"]


def test_without_limits_nobody_is_counted() -> None:
    desk = Desk()
    assert not any(desk.fault(desk.get("preferences")) for _ in range(40))


# The same request twice


def test_a_request_shown_again_gets_its_old_answer_even_after_its_record_is_gone() -> None:
    desk = Desk()
    desk.twin.customer("Brightwater")
    given = {"CustomerRef": {"value": "1"}, "Line": [item_line("5")]}
    first = desk.post("invoice", given, requestid="inv-1")
    desk.clock.pass_time(hours=2)
    desk.post("invoice", {"Id": "1", "SyncToken": "0"}, operation="delete")
    assert desk.post("invoice", given, requestid="inv-1") == first
    assert desk.ids("select * from Invoice") == []
    assert desk.post("invoice", given, requestid="inv-1/2")["Invoice"]["Id"] == "2"


def test_a_refused_request_may_be_shown_again_and_a_blank_id_is_none() -> None:
    desk = Desk()
    assert desk.fault(desk.post("customer", {"Colour": "red"}, requestid="c-1")) == "2010"
    assert desk.post("customer", {"DisplayName": "Brightwater"}, requestid="c-1")["Customer"]["Id"] == "1"
    assert desk.post("customer", {"DisplayName": "Copper Books"}, requestid="")["Customer"]["Id"] == "2"
    assert desk.post("customer", {"DisplayName": "Linden Bakery"}, requestid="")["Customer"]["Id"] == "3"


def test_a_batch_shown_again_is_done_once() -> None:
    desk = Desk()
    work = {"BatchItemRequest": [{"bId": "1", "operation": "create", "Customer": {"DisplayName": "Brightwater"}}]}
    assert desk.post("batch", work, requestid="b-1") == desk.post("batch", work, requestid="b-1")
    assert _customers(desk) == 1


# Batches


def test_a_batch_voids_pays_and_goes_on_after_a_refusal() -> None:
    desk = Desk()
    customer = desk.twin.customer("Brightwater")
    desk.twin.invoice(customer, 10)
    link = {"Amount": 10, "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}
    work = [
        {"bId": "a", "operation": "create", "Payment": {"CustomerRef": {"value": "1"}, "TotalAmt": 10, "Line": [link]}},
        {"bId": "b", "operation": "update", "optionsData": "void", "Invoice": {"Id": "1", "SyncToken": "0"}},
        {"bId": "c", "operation": "update", "optionsData": "void", "Invoice": {"Id": "1", "SyncToken": "1"}},
        {"bId": "d", "operation": "frame", "Invoice": {"Id": "1"}},
        {"bId": "e", "operation": "create", "Unicorn": {}},
        {"bId": "f", "Query": "select * from"},
    ]
    parts = desk.post("batch", {"BatchItemRequest": work})["BatchItemResponse"]
    assert [part["bId"] for part in parts] == list("abcdef")
    assert [desk.fault(part) for part in parts] == ["", "5010", "", "500", "500", "4000"]
    assert parts[2]["Invoice"]["PrivateNote"] == "Voided"


@pytest.mark.parametrize(
    ("given", "code"),
    [({}, "2020"), ({"BatchItemRequest": []}, "2020"), ({"BatchItemRequest": [{}] * 31}, "6000"), ({"BatchItemRequest": ["x"]}, "2010")],
)
def test_a_batch_that_cannot_be_read_is_refused_whole(given: Json, code: str) -> None:
    desk = Desk()
    assert desk.fault(desk.post("batch", given)) == code


# The envelope


def test_every_answer_of_the_api_has_its_trace_and_its_time() -> None:
    desk = Desk()
    traces = set()
    for path in ("preferences", "customer/1", "unicorn/1", f"companyinfo/{desk.realm}", "query", "/v3/company/1/customer/1"):
        assert desk.get(path)["time"].endswith("-07:00")
        traces.add(desk.headers["intuit_tid"])
    assert len(traces) == 6
    assert all(trace.startswith("1-6a29") for trace in traces)


def test_unknown_paths_are_unsupported_operations() -> None:
    desk = Desk()
    assert desk.fault(desk.get("customer/1/5")) == "500"
    assert desk.fault(desk.get("/v3/nowhere")) == "500"


def test_the_same_seed_and_clock_say_the_same() -> None:
    def story() -> list[Json]:
        desk = Desk(seed=7)
        desk.twin.fill(20)
        desk.get("invoice/3")
        desk.ask("select * from Customer")
        return [*desk.answers, desk.twin.connect()]

    assert story() == story()


def test_the_log_and_the_doors_of_the_twin_are_open_to_whoever_rehearses() -> None:
    desk = Desk()
    assert desk.client.post("/_twin/fill", json={"invoices": 10, "customers": 2}).get_json()["Invoice"] == 10
    tokens = desk.client.post("/_twin/connect", json={"realm": desk.realm}).get_json()
    desk.token = tokens["access_token"]
    assert len(desk.ids("select * from Invoice")) == 10
    desk.client.put("/_twin/faults", json=[{"fault": "too_many"}])
    desk.get("preferences")
    log = desk.client.get("/_twin/log").get_json()
    assert [(line["path"].rpartition("/")[2], line["status"], line["fault"]) for line in log] == [
        ("query", 200, ""),
        ("preferences", 429, "too_many"),
    ]
    desk.client.post("/_twin/clock", json={"seconds": 3600})
    desk.get("preferences")
    assert desk.status == 401
    assert desk.twin.now() - desk.clock() == dt.timedelta(hours=1)
