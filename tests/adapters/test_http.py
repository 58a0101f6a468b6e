"""The polite client against a real server that misbehaves by script: what is asked again, what never is, what is said."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest
from werkzeug.wrappers import Request, Response

from tieout.adapters.ports.connector import OutcomeUnknown
from tieout.adapters.ports.errors import NeedsPerson, TryLater
from tieout.adapters.ports.http import Budget, Http
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.server import Serving, serving
from tieout.rehearsal.twins.twin import Twin, answer_json

SECRET = "sk_live_do_not_tell"
NOON = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)


class Till(Twin):
    """A vendor with one list and one act."""

    name, title = "till", "Till"
    routes: ClassVar[tuple[tuple[str, tuple[str, ...], str], ...]] = (
        ("/things", ("GET",), "things"), ("/pay", ("POST",), "pay"), ("/closed", ("GET",), "closed"))
    paid = 0

    def things(self, request: Request) -> Response:
        return answer_json({"amount": 12.10, "auth": request.headers.get("authorization")})

    def pay(self, request: Request) -> Response:
        self.paid += 1
        return answer_json({"paid": self.paid})

    def closed(self, request: Request) -> Response:
        return answer_json({"error": f"no, {SECRET}"}, 403)


@pytest.fixture
def till() -> Iterator[tuple[Till, Serving]]:
    twin = Till()
    with serving(twin, deliver=False) as running:
        yield twin, running


def client(running: Serving, **options: object) -> Http:
    let_in = {"Authorization": f"Bearer {SECRET}"}
    given = {"base_url": running.url, "authorise": lambda: let_in, "now": lambda: NOON, "deadline_seconds": 3.0, **options}
    return Http(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", ["error_before", "error_after", "silent_after", "cut", "truncated"])
def test_a_read_is_asked_again_after(till: tuple[Till, Serving], fault: str) -> None:
    till[0].faults.put(Fault(fault=fault, times=2))
    assert client(till[1]).get("/things").json()["auth"] == f"Bearer {SECRET}"


def test_money_is_read_as_a_decimal_never_a_float(till: tuple[Till, Serving]) -> None:
    assert str(client(till[1]).get("/things").json()["amount"]) == "12.1"


def test_retry_after_is_obeyed_to_the_second(till: tuple[Till, Serving]) -> None:
    # More than the second that is waited where nobody names a time.
    till[0].faults.put(Fault(fault="too_many", retry_after=2))
    began = time.monotonic()
    client(till[1], deadline_seconds=10.0).get("/things")
    assert time.monotonic() - began >= 2.0


def test_a_wait_longer_than_the_deadline_is_told_with_its_end(till: tuple[Till, Serving]) -> None:
    till[0].faults.put(Fault(fault="too_many", retry_after=90, times=0))
    with pytest.raises(TryLater) as told:
        client(till[1]).get("/things")
    assert told.value.at is not None
    assert dt.timedelta(seconds=85) < told.value.at - NOON <= dt.timedelta(seconds=90)


def test_too_many_without_a_time_is_tried_again_by_the_usual_back_off(till: tuple[Till, Serving]) -> None:
    till[0].faults.put(Fault(fault="too_many"))
    assert client(till[1]).get("/things").status == 200


@pytest.mark.parametrize("fault", ["error_after", "silent_after", "truncated"])
def test_a_write_that_may_have_happened_is_unknown_and_not_repeated(till: tuple[Till, Serving], fault: str) -> None:
    till[0].faults.put(Fault(fault=fault, times=0))
    with pytest.raises(OutcomeUnknown):
        client(till[1]).send("POST", "/pay", json={})
    assert till[0].paid == 1


def test_a_write_with_a_key_of_its_own_is_repeated_until_it_is_answered(till: tuple[Till, Serving]) -> None:
    till[0].faults.put(Fault(fault="error_after", times=1))
    assert client(till[1]).send("POST", "/pay", json={}, repeatable=True).json() == {"paid": 2}


def test_a_write_that_surely_did_not_happen_is_for_later(till: tuple[Till, Serving]) -> None:
    till[0].faults.put(Fault(fault="too_many", times=0, retry_after=60))
    with pytest.raises(TryLater):
        client(till[1]).send("POST", "/pay", json={})
    assert till[0].paid == 0


def test_an_expired_token_is_renewed_once_and_a_second_refusal_needs_a_person(till: tuple[Till, Serving]) -> None:
    renewed: list[int] = []
    till[0].faults.put(Fault(fault="expired"))
    assert client(till[1], renew=lambda: renewed.append(1) is None).get("/things").status == 200
    till[0].faults.put(Fault(fault="expired", times=0))
    with pytest.raises(NeedsPerson, match="connect again"):
        client(till[1], renew=lambda: renewed.append(1) is None).get("/things")
    assert len(renewed) == 2


def test_no_error_tells_the_secret(till: tuple[Till, Serving]) -> None:
    with pytest.raises(NeedsPerson) as told:
        client(till[1]).get("/closed")
    assert SECRET not in str(told.value)
    till[0].faults.put(Fault(fault="cut", times=0))
    with pytest.raises(TryLater) as later:
        client(till[1], attempts=1).get("/things")
    assert SECRET not in str(later.value)


def test_nobody_there_is_for_later() -> None:
    with pytest.raises(TryLater, match="cannot be reached"):
        Http(base_url="http://127.0.0.1:9", authorise=dict, attempts=1).get("/")


def test_history_leaves_room_for_a_check_before_a_send() -> None:
    moment = [0.0]
    budget = Budget(per_second=10, clock=lambda: moment[0])
    taken = 0
    while budget.wait_for("history") == 0:
        taken += 1
    assert taken == 6
    assert [budget.wait_for("check") for _ in range(4)] == [0, 0, 0, 0]
    assert budget.wait_for("check") > 0
    moment[0] += 1.0
    assert budget.wait_for("history") == 0


def test_no_more_run_at_once_than_the_vendor_allows(till: tuple[Till, Serving]) -> None:
    running, most, guard = [0], [0], threading.Lock()
    original = till[0].things

    def counted(request: Request) -> Response:
        with guard:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.03)
        with guard:
            running[0] -= 1
        return original(request)

    till[0].things = counted  # type: ignore[method-assign]
    # The twin's own lock would let one in at a time.
    till[0].lock = contextlib.nullcontext()  # type: ignore[assignment]
    budget = Budget(per_second=None, concurrent=2)
    threads = [threading.Thread(target=client(till[1], budget=budget).get, args=("/things",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2
