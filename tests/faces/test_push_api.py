"""The push API: what is in, what is refused and how it is told, the same request twice, and whose eyes see what."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
import schemathesis
from click.testing import CliRunner
from django.db import connections
from django.test import Client
from hypothesis import HealthCheck, settings
from procrastinate.contrib.django.models import ProcrastinateJob
from schemathesis.config import SchemathesisConfig

from tests.conftest import NOW
from tieout.core.evidence import Actor
from tieout.faces.cli import main
from tieout.flow import pushed
from tieout.stages.base import api_key, found, walls
from tieout.stages.base.models import ApiKey, AuditEntry
from tieout.stages.health import verify
from tieout.stages.intake import original
from tieout.stages.intake.models import Connection, Envelope, QuarantinedRow, Run
from tieout.stages.ledger.models import Allocation, Customer, Document, Payment

pytestmark = pytest.mark.usefixtures("database", "standing_clock")
ADA = Actor("person", "Ada")


def invoice(**given: Any) -> dict[str, Any]:
    whole = {"id": "inv-1", "number": "R-1", "customer_id": "c-1", "customer_name": "Fellgate Ltd", "amount": "120.50", "currency": "EUR",
             "issue_date": "2026-05-01", "due_date": "2026-05-31"}  # fmt: skip
    return {name: value for name, value in {**whole, **given}.items() if value is not ...}


class Pusher:
    """A program that pushes with its key."""

    def __init__(self, organisation: uuid.UUID, key: str) -> None:
        self.organisation, self.key, self.client = organisation, key, Client()

    def post(self, what: str, body: Any, *, idempotency: str | None = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"} | ({"Idempotency-Key": idempotency} if idempotency else {})
        data = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.post(f"/api/v1/{what}", data, headers=headers, **{"content_type": "application/json", **options})

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {self.key}"})

    def count(self, model: Any, **wanted: Any) -> int:
        with walls.inside(self.organisation):
            return int(model.objects.filter(**wanted).count())


@pytest.fixture
def pusher(organisation: uuid.UUID, standing_clock: dt.datetime) -> Pusher:
    return Pusher(organisation, pushed.open(organisation, name="The old system", actor=ADA).plain)


@pytest.fixture
def stranger(standing_clock: dt.datetime) -> Pusher:
    """A program of another organisation."""
    other = found.organisation(
        name="Zanzibar Holding", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="Z",
        sender_address="ar@zanzibar.example", now=NOW)  # fmt: skip
    return Pusher(other, pushed.open(other, name="Theirs", actor=ADA).plain)


def errors(answer: Any) -> list[tuple[list[Any], str]]:
    assert answer.headers["content-type"] == "application/problem+json", answer.content
    body = answer.json()
    assert (body["status"], set(body) >= {"type", "title", "detail", "errors"}) == (answer.status_code, True)
    return [(one["loc"], one["message"]) for one in body["errors"]]


# What is in


def test_an_invoice_is_in_the_ledger_with_its_customer_and_read_back(pusher: Pusher) -> None:
    answer = pusher.post("invoices", invoice())
    assert answer.status_code == 200, answer.content
    taken = answer.json()["taken"]
    assert (answer.json()["refused"], taken[0]["index"], taken[0]["external_id"]) == ([], 0, "inv-1")
    shown = pusher.get(f"invoices/{taken[0]['id']}").json()
    assert (shown["external_id"], shown["number"], shown["amount"], shown["open_amount"], shown["due_date"], shown["settlement"]) == (
        "inv-1", "R-1", "120.50", "120.50", "2026-05-31", "unpaid")  # fmt: skip
    with walls.inside(pusher.organisation):
        kept, ran = Envelope.objects.get(), Run.objects.get()
        assert (kept.state, ran.mode, ran.read, ran.created, ran.quarantined) == ("applied", "push", 1, 1, 0)
        assert Connection.objects.get(kind="push").last_success_at == NOW
        assert Customer.objects.get().name == "Fellgate Ltd"
    assert ProcrastinateJob.objects.filter(task_name="tieout.write", args__organisation=str(pusher.organisation)).count() == 1


def test_every_kind_is_taken_and_what_is_kept_are_the_original_bytes(pusher: Pusher) -> None:
    body = b' [ {"id": "c-1",  "name": "Fellgate Ltd", "email": "ap@fellgate.example", "country": "DE", "time_zone": "Europe/Berlin"} ] '
    assert pusher.post("customers", body, idempotency="k").status_code == 200
    assert pusher.post("credit-notes", {"id": "cn-1", "number": "G-1", "customer_id": "c-1", "amount": "5.00", "currency": "EUR"}).status_code == 200
    assert pusher.post("payments", [{"id": "p-1", "amount": "7", "currency": "JPY", "date": "2026-06-01"}]).json()["refused"] == []
    with walls.inside(pusher.organisation):
        assert b"".join(original.chunks(envelope=Envelope.objects.get(external_id="key:k"))) == body
    assert pusher.get("payments?external_id=p-1").json()["items"][0]["amount"] == "7"
    assert pusher.get("credit-notes?number=G-1").json()["items"][0]["open_amount"] == "5.00"
    assert [one["name"] for one in pusher.get("customers?email=AP@fellgate.example").json()["items"]] == ["Fellgate Ltd"]


def test_money_that_names_its_invoice_is_applied_at_once_and_every_promise_holds(pusher: Pusher) -> None:
    pusher.post("invoices", invoice())
    answer = pusher.post(
        "payments", {"id": "p-1", "amount": "120.50", "currency": "EUR", "date": "2026-06-02", "customer_id": "c-1", "invoice_number": "R-1"}
    )
    assert answer.status_code == 200, answer.content
    assert pusher.get("invoices?external_id=inv-1").json()["items"][0]["settlement"] == "paid"
    assert pusher.count(Allocation) == 1
    with walls.inside(pusher.organisation):
        assert [(one.code, one.breaches) for one in verify.run(now=NOW) if one.breaches] == []


def test_lines_and_instalments_are_taken_and_must_add_up(pusher: Pusher) -> None:
    parts = [{"due_date": "2026-06-30", "amount": "60.25"}, {"due_date": "2026-07-31", "amount": "60.25"}]
    lines = [{"description": "Work", "amount": "130.50", "quantity": "3"}, {"description": "Rebate", "amount": "-10.00"}]
    answer = pusher.post("invoices", invoice(due_date=..., due_dates=parts, lines=lines))
    assert answer.status_code == 200, answer.content
    assert pusher.get("invoices?external_id=inv-1").json()["items"][0]["due_date"] == "2026-06-30"
    wrong = pusher.post("invoices", invoice(due_dates=parts[:1]))
    assert errors(wrong) == [(["due_dates"], "the instalments must add up to `amount`")]


def test_the_same_object_again_changes_nothing_and_another_version_changes_it(pusher: Pusher) -> None:
    first = pusher.post("invoices", invoice()).json()
    assert pusher.post("invoices", invoice()).json() == first
    assert pusher.post("invoices", invoice(amount="99.00")).json() == first
    assert pusher.get("invoices").json()["items"][0]["amount"] == "99.00"
    with walls.inside(pusher.organisation):
        assert list(Run.objects.order_by("id").values_list("created", "updated", "unchanged")) == [(1, 0, 0), (0, 0, 1), (0, 1, 0)]


def test_pages_go_from_the_newest_to_the_oldest(pusher: Pusher) -> None:
    pusher.post("invoices", [invoice(id=f"i-{n}", number=f"R-{n}") for n in range(5)])
    seen, after = [], ""
    while True:
        page = pusher.get(f"invoices?limit=2{after}").json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)


# What is refused


def test_good_items_are_taken_and_bad_ones_told_one_by_one(pusher: Pusher) -> None:
    answer = pusher.post("invoices", [invoice(), invoice(id="inv-2", amount=12.5), invoice(id="inv-3"), invoice(id="inv-3", number="X"), 7])
    body = answer.json()
    assert answer.status_code == 207
    assert [one["external_id"] for one in body["taken"]] == ["inv-1", "inv-3"]
    assert [(one["index"], one["external_id"], one["errors"][0]["loc"]) for one in body["refused"]] == [
        (1, "inv-2", [1, "amount"]), (3, "inv-3", [3, "id"]), (4, "", [4])]  # fmt: skip
    assert "same id as item 2" in body["refused"][1]["errors"][0]["message"]
    with walls.inside(pusher.organisation):
        row, ran = QuarantinedRow.objects.get(), Run.objects.get()
        assert (row.stream, row.external_id, row.field, row.state, row.raw["amount"]) == ("invoices", "inv-2", "amount", "open", "12.5")
        assert (ran.read, ran.created, ran.quarantined, ran.skipped) == (5, 2, 1, 2)
    assert pusher.post("invoices", invoice(id="inv-2")).status_code == 200
    assert pusher.count(QuarantinedRow, state="open") == 0


@pytest.mark.parametrize(("changed", "field", "says"), [
    ({"amount": 12.5}, "amount", "send amounts as text"),
    ({"amount": 12}, "amount", "send amounts as text"),
    ({"amount": "12.345"}, "amount", "12.345 has more decimal places than EUR has (2)"),
    ({"amount": "1.5", "currency": "JPY"}, "amount", "more decimal places than JPY has (0)"),
    ({"amount": "1,000.00"}, "amount", "no plain decimal"),
    ({"amount": "9999999999999"}, "amount", "at most 12"),
    ({"amount": "-1.00"}, "amount", "credit note"),
    ({"amount": ...}, "amount", "is missing"),
    ({"open_amount": "121.00"}, "open_amount", "between 0 and `amount`"),
    ({"currency": "EURO"}, "currency", "no ISO 4217 currency"),
    ({"currency": "XYZ"}, "currency", "no ISO 4217 currency"),
    ({"currency": "XAU"}, "currency", "no ISO 4217 currency"),
    ({"number": "R\x001"}, "number", "NUL byte"),
    ({"number": "  "}, "number", "is empty"),
    ({"id": 5}, "id", "must be text in quotes"),
    ({"id": "x" * 301}, "id", "longer than the 300"),
    ({"due_date": "2026-02-30"}, "due_date", "no calendar has"),
    ({"due_date": "30.06.2026"}, "due_date", "year first"),
    ({"due_date": 20260630}, "due_date", "year first"),
    ({"status": "paid"}, "status", "must be one of"),
    ({"customer_email": "nobody"}, "customer_email", "no e-mail address"),
    ({"customer_id": ..., "customer_name": ...}, "customer_id", "say whose it is"),
    ({"duedate": "2026-06-30"}, "duedate", "there is no such field; the fields are id, number"),
    ({"lines": [{"description": "x", "amount": "1", "vat": "2"}]}, "lines", "the fields are description, amount, quantity"),
])  # fmt: skip
def test_a_bad_field_is_named_with_what_to_do(pusher: Pusher, changed: dict[str, Any], field: str, says: str) -> None:
    answer = pusher.post("invoices", invoice(**changed))
    assert answer.status_code == 422
    told = errors(answer)
    assert told[0][0][0] == field
    assert says in told[0][1]
    assert pusher.count(Document) == 0


@pytest.mark.parametrize(("body", "status", "says"), [
    (b"{", 400, "not JSON"), (b"\xff", 400, "not UTF-8"), (b'{"id": "1", "id": "2"}', 400, "twice"), (b'{"id": NaN}', 400, "NaN"),
    (b"[" * 100_000, 400, "deeper"), (b'{"id": "1", "x": ' + b"[" * 700 + b"]" * 700 + b"}", 400, "deeper"),
    (b'{"id": ' + b"9" * 5000 + b"}", 400, "digits"), (b'{"id": 1e999999999999999999999}', 400, "taken"),
    (b"[]", 422, "one or more"), (b'"x"', 422, "one object"), (b"[" + b",".join([b"{}"] * 1001) + b"]", 422, "at most 1000"),
])  # fmt: skip
def test_a_body_that_is_no_batch_is_refused_and_nothing_kept(pusher: Pusher, body: bytes, status: int, says: str) -> None:
    answer = pusher.post("invoices", body)
    assert answer.status_code == status, answer.content
    errors(answer)
    assert says in answer.json()["detail"]
    assert pusher.count(Envelope) == 0


@pytest.mark.parametrize("raw", [
    {"id": "c-1", "name": "a\x00b", "aliases": ["\x00", "\ud800"]}, {"id": "c-1", "name": 1e300},
    {"id": "c-1", "\x00": 1, "\udfff": {"\x00": ["\x00"]}}, {"id": "c-1", "name": "x", "y" * 5000: 10**30},
])  # fmt: skip
def test_what_no_database_can_hold_is_set_aside_legibly(pusher: Pusher, raw: dict[str, Any]) -> None:
    assert pusher.post("customers", raw).status_code == 422
    assert pusher.count(QuarantinedRow, external_id="c-1") == 1


def test_an_amount_below_what_is_applied_is_refused_and_the_rest_taken(pusher: Pusher) -> None:
    pusher.post("invoices", invoice())
    pusher.post("payments", {"id": "p-1", "amount": "120.50", "currency": "EUR", "customer_id": "c-1", "invoice_number": "R-1", "date": "2026-06-02"})
    with walls.inside(pusher.organisation):
        Allocation.objects.update(rank=3, actor_kind="person", actor_name="Ada")
    answer = pusher.post("invoices", [invoice(amount="10.00"), invoice(id="inv-2", number="R-2")])
    assert answer.status_code == 207, answer.content
    assert "already applied" in answer.json()["refused"][0]["errors"][0]["message"]


@pytest.mark.parametrize(("query", "field"), [
    ("limit=101", "limit"), ("limit=0", "limit"), ("limit=x", "limit"), ("after=99999999999999999999", "after"), ("externalid=1", "externalid"),
    ("number=%00", "number"), ("number=1&number=2", "number"), ("email=x", "email"),
])  # fmt: skip
def test_a_question_that_is_not_understood_is_not_answered(pusher: Pusher, query: str, field: str) -> None:
    answer = pusher.get(f"invoices?{query}")
    assert (answer.status_code, errors(answer)[0][0]) == (422, ["query", field])


def test_what_is_too_large_is_not_read(pusher: Pusher) -> None:
    answer = pusher.post("invoices", b"[" + b" " * (5 * 1024 * 1024) + b"]")
    assert (answer.status_code, "5 MB" in answer.json()["detail"]) == (413, True)


def test_other_addresses_methods_and_kinds_of_content_are_problems_too(pusher: Pusher) -> None:
    nothing = pusher.get("nothing")
    assert (nothing.status_code, errors(nothing)) == (404, [])
    assert pusher.get("invoices/999999999").status_code == 404
    assert pusher.post("invoices", b"a=b", content_type="application/x-www-form-urlencoded").status_code == 415
    deleted = pusher.client.delete("/api/v1/invoices", headers={"Authorization": f"Bearer {pusher.key}"})
    assert (deleted.status_code, set(deleted.headers["allow"].split(", "))) == (405, {"GET", "POST"})
    assert errors(deleted) == []


# The same request twice


def test_the_same_key_and_body_give_the_first_answer_again(pusher: Pusher) -> None:
    batch = [invoice(), invoice(id="inv-2", amount="x")]
    first = pusher.post("invoices", batch, idempotency="abc")
    pusher.post("invoices", invoice(amount="50.00"))
    again = pusher.post("invoices", batch, idempotency="abc")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert pusher.get("invoices").json()["items"][0]["amount"] == "50.00"
    assert pusher.count(Run) == 2


def test_a_refusal_is_replayed_too(pusher: Pusher) -> None:
    first, again = (pusher.post("invoices", invoice(amount="x"), idempotency="abc") for _ in range(2))
    assert (first.json(), first.status_code, again.headers["Idempotent-Replayed"]) == (again.json(), 422, "true")
    assert pusher.count(QuarantinedRow) == 1


def test_the_same_key_for_another_request_is_refused(pusher: Pusher) -> None:
    pusher.post("invoices", invoice(), idempotency="abc")
    for what, body in (("invoices", invoice(amount="1.00")), ("credit-notes", invoice())):
        answer = pusher.post(what, body, idempotency="abc")
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:tieout:problem:key-used")
    assert pusher.get("invoices").json()["items"][0]["amount"] == "120.50"
    assert pusher.post("invoices", invoice(), idempotency="a b").status_code == 422


@pytest.mark.parametrize("key", ["the-same", None])
def test_many_at_once_are_taken_once(pusher: Pusher, key: str | None) -> None:
    answers: list[Any] = []
    gate = threading.Barrier(6)

    def one() -> None:
        gate.wait()
        try:
            answers.append(Pusher(pusher.organisation, pusher.key).post("invoices", [invoice(), invoice(id="inv-2")], idempotency=key))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == (5 if key else 0)
    assert (pusher.count(Document), pusher.count(Run)) == (2, 1 if key else 6)


def test_two_connections_of_one_house_may_push_at_once(pusher: Pusher) -> None:
    second = pushed.open(pusher.organisation, name="Another", actor=ADA).plain
    statuses: list[int] = []
    gate = threading.Barrier(4)

    def one(key: str, mark: str) -> None:
        mine = Pusher(pusher.organisation, key)
        try:
            gate.wait()
            for turn in range(3):
                number = f"{mark}{turn}"
                paid = {"id": number, "amount": "120.50", "currency": "EUR", "customer_id": mark, "invoice_number": number}
                for what, body in (("invoices", invoice(id=number, number=number, customer_id=mark)), ("payments", paid)):
                    answer = mine.post(what, body, idempotency=what + number)
                    while answer.status_code == 503:
                        answer = mine.post(what, body, idempotency=what + number)
                    statuses.append(answer.status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(key, mark)) for key, mark in ((pusher.key, "A"), (second, "B"), (pusher.key, "C"), (second, "D"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 24
    assert (pusher.count(Document, open_minor=0), pusher.count(Payment, unapplied_minor=0)) == (12, 12)
    with walls.inside(pusher.organisation):
        assert [(one.code, one.breaches) for one in verify.run(now=NOW) if one.breaches] == []


# Whose eyes see what


def test_without_a_good_key_nobody_is_let_in(pusher: Pusher, stranger: Pusher) -> None:
    theirs = stranger.key.split("_", 2)
    mixed = f"tk_{pusher.organisation.hex}_{theirs[2]}"
    for key in ("", "x", "tk_", f"tk_{uuid.uuid4().hex}_abc", f"tk_{'z' * 32}_abc", pusher.key + "x", pusher.key[:-1], mixed, "tk_\x00", "tk_ü_ü"):
        answer = Pusher(pusher.organisation, key).post("invoices", invoice())
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="tieout"'), key
        errors(answer)
    assert pusher.count(Envelope) == 0


def test_a_revoked_key_and_a_paused_connection_take_nothing(pusher: Pusher) -> None:
    with walls.inside(pusher.organisation):
        row = ApiKey.objects.get()
        Connection.objects.filter(kind="push").update(paused_at=NOW)
    answer = pusher.post("invoices", invoice())
    assert (answer.status_code, "paused" in answer.json()["detail"]) == (403, True)
    errors(answer)
    with walls.inside(pusher.organisation):
        api_key.revoke(key_id=row.pk, actor=ADA, now=NOW)
    assert pusher.get("invoices").status_code == 401
    with walls.inside(pusher.organisation), pytest.raises(api_key.NoSuchKey):
        api_key.revoke(key_id=row.pk, actor=ADA, now=NOW)


def test_a_key_is_kept_as_a_hash_only_and_its_life_is_audited(pusher: Pusher) -> None:
    pusher.get("invoices")
    with walls.inside(pusher.organisation):
        row = ApiKey.objects.get()
        assert pusher.key not in str({**row.__dict__})
        assert (row.last_used_at, pusher.key.split("_", 2)[2].startswith(row.prefix)) == (NOW, True)
        assert list(AuditEntry.objects.order_by("seq").values_list("action", flat=True))[-2:] == ["connection.open", "api_key.issue"]


def test_another_organisations_key_sees_and_changes_nothing(pusher: Pusher, stranger: Pusher) -> None:
    ident = pusher.post("invoices", invoice()).json()["taken"][0]["id"]
    customer = pusher.get("customers").json()["items"][0]["id"]
    for path in ("invoices", "customers", "payments", "credit-notes", "invoices?external_id=inv-1", "invoices?number=R-1"):
        assert stranger.get(path).json() == {"items": [], "next": None}
    assert [stranger.get(f"invoices/{ident}").status_code, stranger.get(f"customers/{customer}").status_code] == [404, 404]
    assert stranger.post("invoices", invoice(amount="1.00"), idempotency="k").json()["taken"][0]["id"] != ident
    assert pusher.get(f"invoices/{ident}").json()["amount"] == "120.50"


def test_another_connection_of_the_house_sees_only_its_own(pusher: Pusher) -> None:
    pusher.post("invoices", invoice())
    second = Pusher(pusher.organisation, pushed.open(pusher.organisation, name="Another", actor=ADA).plain)
    assert second.get("invoices").json()["items"] == second.get("customers").json()["items"] == []


def test_a_key_opens_its_own_house_whatever_cookies_lie_beside_it(pusher: Pusher, stranger: Pusher, sign_in: Callable[..., Any]) -> None:
    stranger.client = sign_in("owner")
    assert stranger.post("invoices", invoice()).status_code == 200
    assert pusher.get("invoices").json()["items"] == []
    pusher.client = sign_in("owner")
    assert pusher.post("invoices", invoice()).status_code == 200


# The description, and whatever fits it


@pytest.fixture
def described(pusher: Pusher) -> Any:
    from tieout.faces.web.wsgi import application

    config = SchemathesisConfig.from_dict({
        "auth": {"openapi": {"ApiKey": {"bearer": pusher.key}}},
        # Rules between fields (three decimals in EUR, half of the open amount) are beyond what a schema says: refusing is right.
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "422"]}},
    })  # fmt: skip
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application, config=config)


def test_the_description_needs_no_key_and_no_page_of_it_is_served() -> None:
    client = Client()
    described = client.get("/api/v1/openapi.json").json()
    assert len(described["paths"]) == 8
    assert client.get("/api/v1/docs").status_code == 404


def test_whatever_is_sent_is_answered_as_described(described: Any) -> None:
    seen = set()
    for result in described.get_all_operations():
        operation = result.ok()
        seen.add((operation.method, operation.path))

        for mode in schemathesis.GenerationMode:

            @settings(max_examples=8, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
            @_given(operation, mode)
            def check(case: Any) -> None:
                case.call_and_validate()

            check()
    assert len(seen) == 12


def _given(operation: Any, mode: Any) -> Any:
    from hypothesis import given

    return given(case=operation.as_strategy(generation_mode=mode))


# A legacy system's exports


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def served(pusher: Pusher) -> Iterator[str]:
    """The product, served on this machine."""
    from tieout.faces.web.wsgi import application

    server = make_server("127.0.0.1", 0, application, _Server, _Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


EXPORT = (
    "invoice_id,customer_id,customer_name,issue_date,due_date,currency,amount\n"
    "A1,C1,Fellgate Ltd,2026-05-01,2026-05-31,EUR,100.00\n"
    "A2,C1,Fellgate Ltd,2026-05-02,2026-06-01,EUR,55.10\n"
)


def _push(folder: Any, url: str, key: str) -> Any:
    return CliRunner().invoke(main, ["push", str(folder), "--to", url], env={"TIEOUT_PUSH_KEY": key})


def test_a_folder_of_exports_is_carried_in_and_again_changes_nothing(pusher: Pusher, served: str, tmp_path: Any) -> None:
    (tmp_path / "invoices.csv").write_text(EXPORT)
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    for _ in range(2):
        result = _push(tmp_path, served, pusher.key)
        assert result.exit_code == 0, result.output
        assert "invoices.csv: 3 taken, 0 refused, 0 set aside, 0 not pushed" in result.stdout
        assert "logo.png: skipped" in result.stderr
    assert (pusher.count(Document), pusher.count(Run)) == (2, 2)


def test_what_cannot_be_taken_is_told_and_ends_with_1(pusher: Pusher, served: str, tmp_path: Any) -> None:
    (tmp_path / "invoices.csv").write_text(EXPORT + "A3,C1,Fellgate Ltd,2026-05-02,2026-02-31,EUR,5.00\nA4,C1,F,2026-05-02,1850-06-01,EUR,5.00\n")
    result = _push(tmp_path, served, pusher.key)
    assert result.exit_code == 1, result.output
    assert "3 taken, 0 refused, 2 set aside" in result.stdout
    assert "line 4: " in result.stderr


def test_a_key_that_is_wrong_ends_with_2(pusher: Pusher, served: str, tmp_path: Any) -> None:
    (tmp_path / "invoices.csv").write_text(EXPORT)
    result = _push(tmp_path, served, pusher.key + "x")
    assert (result.exit_code, "401" in result.stderr) == (2, True)
    assert pusher.count(Payment) == pusher.count(Document) == 0


def test_a_place_that_cannot_be_reached_ends_with_2(pusher: Pusher, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tieout.faces.cli.push._WAIT_SECONDS", 0.0)
    (tmp_path / "invoices.csv").write_text(EXPORT)
    result = _push(tmp_path, "http://127.0.0.1:9", pusher.key)
    assert (result.exit_code, "cannot be reached" in result.stderr) == (2, True)
    assert _push(tmp_path / "none", "http://127.0.0.1:9", pusher.key).exit_code == 2
