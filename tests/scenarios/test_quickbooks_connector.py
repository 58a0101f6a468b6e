"""The QuickBooks connector against the stand-in, over HTTP: consent, history, changes, deletions, merges, everything written there, and
all that goes wrong on the way.

Every body it writes is held against Intuit's own schema, where that lies beside the project.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import stamina
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from tests.scenarios.quickbooks_desk import assert_sums
from tests.scenarios.quickbooks_schema import VENDOR, judge
from tieout.adapters.connectors.quickbooks import changes, client, marks, reading
from tieout.adapters.ports import registry
from tieout.adapters.ports.choices import Unmapped
from tieout.adapters.ports.connector import Change, Command, OutcomeUnknown, Raw, Receipt, Ref
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, PortError, TryLater, Unsupported
from tieout.adapters.ports.http import Http
from tieout.core.documents import plain
from tieout.flow import consent
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.quickbooks import QuickBooks, books
from tieout.rehearsal.twins.quickbooks import changes as capture
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.twin import Delivery

QB = registry.connectors()["quickbooks"]
#: One for all: a client that looks for certificates costs each test a fifth of a second.
LINE = httpx2.Client(timeout=5, trust_env=False, verify=False)
START = dt.datetime(2026, 6, 10, 16, 0, tzinfo=dt.UTC)
TODAY = "2026-06-10"
VERIFIER = "verifier-token"
Json = dict[str, Any]


class Watched(QuickBooks):
    """The stand-in, with what came in kept to be judged, deliveries kept instead of posted, and a hand in between."""

    def __init__(self, **given: Any) -> None:
        super().__init__(clock=lambda: START, **given)
        self.heard: list[tuple[str, str, Mapping[str, str], bytes, int]] = []
        self.parcels: list[Delivery] = []
        #: Done before a request that writes is answered, once each.
        self.meanwhile: list[Callable[[], Any]] = []
        #: Requests that write are answered as if they were done, and are not.
        self.asleep = False

    def _routed(self, request: Request) -> Response:
        if request.method == "POST" and self.meanwhile:
            self.meanwhile.pop(0)()
        response = self._dreamt(request) if self.asleep and request.method == "POST" else super()._routed(request)
        self.heard.append((request.method, request.path, request.args.to_dict(), request.get_data(), response.status_code))
        return response

    def _dreamt(self, request: Request) -> Response:
        entity = "Customer" if request.path.endswith("/customer") else "Invoice"
        return self._answer({entity: self.read(entity, json.loads(request.get_data())["Id"])})

    def post(self, delivery: Delivery) -> None:
        self.parcels.append(delivery)

    def requests(self, path: str = "", method: str = "") -> list[Mapping[str, str]]:
        """The parameters of all requests whose path ends so."""
        return [params for verb, asked, params, _, _ in self.heard if asked.endswith(path) and verb == (method or verb)]

    def bodies(self) -> list[Json]:
        """The bodies of all requests that write."""
        return [json.loads(body) for verb, _, _, body, _ in self.heard if verb == "POST"]

    def living(self, entity: str) -> list[Json]:
        """All records of a kind as they stand."""
        return [self.company().shown(record) for record in self.company().records[entity].values()]


class Front:
    """Answers for whatever stand-in a test brings, so that one server does for all of them."""

    twin: Watched

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self.twin(environ, start_response)

    def deliver(self, *, everything: bool = True) -> int:
        return 0


class Desk:
    """A connection to the stand-in, as the engine has it."""

    def __init__(self, twin: Watched, url: str, **given: Any) -> None:
        self.twin, self.url = twin, url
        self.realm = twin.company().realm
        self.settings: Json = {
            "realmId": self.realm, "account": self.realm, "base_url": url, "oauth_url": url, "item": "1", "items": "hours = 2; materials=3",
            "tax_code": "TAX", "tax_codes": "standard = TAX", "no_tax_code": "NON", "bank_account": "35", "fee_account": "8",
        }  # fmt: skip
        self.secrets = {"access_token": twin.connect()["access_token"]}
        options = {"deadline_seconds": 0.4, "attempts": 5, "client": LINE, **given}
        self.http = Http(base_url=url, **{"authorise": lambda: QB.authorise(self.settings, self.secrets), "now": twin.now, **options})
        self.cursor: Any = None

    def history(self, stream: str, *, between: Callable[[], Any] | None = None) -> list[Raw]:
        """A whole stream, page by page; `between` is done after the first page."""
        raws: list[Raw] = []
        cursor: Json = {}
        while True:
            page = QB.page(self.http, self.settings, stream=stream, cursor=json.loads(json.dumps(cursor)))
            raws += page.raws
            if page.last:
                return raws
            cursor = dict(page.cursor)
            if between is not None:
                between()
                between = None

    def start(self) -> None:
        self.cursor = QB.start(self.http, self.settings)

    def steps(self) -> list[Change]:
        """All steps of one look at what changed."""
        found = []
        while True:
            step = QB.changes(self.http, self.settings, cursor=json.loads(json.dumps(self.cursor)))
            self.cursor = step.cursor
            found.append(step)
            if step.last:
                return found

    def poll(self) -> list[Raw]:
        """What changed."""
        return [raw for step in self.steps() for raw in step.raws]

    def reread(self, *refs: Ref) -> tuple[Raw, ...]:
        return QB.reread(self.http, self.settings, refs=refs)

    def said(self, raw: Raw) -> list[Json]:
        return [json.loads(json.dumps(plain(record))) for record in QB.translate(raw, self.settings)]

    def let_in(self) -> None:
        """With a token of this hour."""
        self.secrets["access_token"] = self.twin.connect()["access_token"]

    def read(self, stream: str, record: Json) -> list[Json]:
        """A record of the stand-in's as we understand it."""
        (raw,) = (raw for raw in self.reread(Ref(stream, record["Id"])) if (raw.stream, raw.id) == (stream, record["Id"]))
        return self.said(raw)

    def write(self, act: str, key: str = "7:x:1", **body: Any) -> Receipt:
        return QB.write(self.http, self.settings, Command(act=act, key=key, body=body))

    def find(self, act: str, key: str = "7:x:1", **body: Any) -> Receipt | None:
        return QB.find(self.http, self.settings, Command(act=act, key=key, body=body))


@pytest.fixture(scope="module")
def front() -> Iterator[tuple[Front, str]]:
    one = Front()
    with serving(one, deliver=False) as running:  # type: ignore[arg-type]
        yield one, running.url


@pytest.fixture(scope="module", autouse=True)
def _one_table() -> Iterator[None]:
    """The stand-ins of this module share the table of their paths: to make it takes longer than most tests."""
    made: list[Map] = []

    def table(rules: Any, **given: Any) -> Map:
        if not made:
            made.append(Map(rules, **given))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tieout.rehearsal.twins.twin.Map", table)
        yield


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    """Tries follow each other without a pause."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def twin(front: tuple[Front, str]) -> Iterator[Watched]:
    front[0].twin = twin = Watched()
    yield twin
    assert_sums(twin.company())
    for method, path, _, body, status in front[0].twin.heard:
        entity = next((name for name in client.ENTITIES.values() if path.endswith(f"/{name.lower()}")), None)
        if VENDOR.exists() and method == "POST" and status == 200 and entity:
            judge({entity: json.loads(body, parse_float=Decimal)})


@pytest.fixture
def desk(twin: Watched, front: tuple[Front, str]) -> Desk:
    return Desk(twin, front[1])


@pytest.fixture
def acme(twin: Watched) -> Json:
    return twin.customer("Brightwater", email="ap@brightwater.example")


def ids(raws: Any) -> list[tuple[str, str, str]]:
    """(stream, id, how it is gone) of each."""
    return [(raw.stream, raw.id, raw.gone) for raw in raws]


def form(customer: Json, number: str = "A-1", amount: int = 10_000, **more: Any) -> Json:
    """The body of an invoice or credit note of one line."""
    lines = [{"description": "Work", "amount_minor": amount, "quantity": ""}]
    return {"customer": customer["Id"], "number": number, "currency": "USD", "amount_minor": amount, "lines": lines, "tax_minor": 0, **more}


def money(customer: Json, amount: int, **more: Any) -> Json:
    """The body of a payment or refund."""
    return {"customer": customer["Id"], "amount_minor": amount, "currency": "USD", "date": TODAY, **more}


# Whom we reach


def test_the_company_says_who_it_is_and_what_money_it_keeps(desk: Desk) -> None:
    account = QB.account(desk.http, desk.settings)
    assert (account.id, account.name, account.currency, account.country, account.live) == (desk.realm, "Larkspur Landscaping", "USD", "US", True)
    assert not QB.account(desk.http, {**desk.settings, "base_url": "https://sandbox-quickbooks.api.intuit.com"}).live


def test_without_its_number_no_company_is_asked(desk: Desk) -> None:
    for number in ("", "12/../9"):
        with pytest.raises(NeedsPerson, match="realmId"):
            QB.account(desk.http, {"realmId": number})


def test_a_token_of_another_company_lets_nobody_in(desk: Desk, twin: Watched) -> None:
    other = twin.open_company("Somebody else")
    with pytest.raises(NeedsPerson, match="not permitted"):
        QB.account(desk.http, {"realmId": other.realm})
    desk.secrets["access_token"] = "spent"
    with pytest.raises(NeedsPerson, match="connect again"):
        QB.account(desk.http, desk.settings)


def test_a_person_consents_and_the_company_comes_back_with_the_code(desk: Desk, twin: Watched) -> None:
    there = f"{desk.url}/back"
    address, state, verifier = consent.ask(connector=QB, settings=desk.settings, client_id="tieout-client", return_url=there)
    assert address.startswith(f"{desk.url}/connect/oauth2?")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["scope"] == "com.intuit.quickbooks.accounting"
    returned = parse_qs(urlsplit(twin.approve(asked)).query)
    oauth = QB.manifest.oauth
    assert oauth is not None
    assert [returned[name] for name in oauth.returned] == [[desk.realm]]
    assert returned["state"] == [state]
    told = consent.tokens(
        connector=QB, settings=desk.settings, client_id="tieout-client", client_secret="tieout-secret", return_url=there,
        code=returned["code"][0], verifier=verifier,
    )  # fmt: skip
    desk.secrets["access_token"] = told["access_token"]
    assert QB.account(desk.http, desk.settings).id == desk.realm


def test_without_a_stand_in_consent_is_asked_at_intuits_own_addresses() -> None:
    oauth = QB.manifest.oauth
    assert oauth is not None
    found = [consent._address({}, oauth, path) for path in (oauth.authorize, oauth.token, oauth.revoke)]
    assert [urlsplit(one).hostname for one in found] == ["appcenter.intuit.com", "oauth.platform.intuit.com", "developer.api.intuit.com"]


# History


def test_every_page_of_a_long_history_is_read_once(desk: Desk, twin: Watched) -> None:
    twin.fill(2300, customers=30)
    raws = desk.history("invoices")
    assert [raw.id for raw in raws] == list(twin.company().records["Invoice"])
    assert len(desk.history("customers")) == 30
    assert all(params["minorversion"] == "75" for params in twin.requests("/query"))


def test_a_history_that_ends_with_a_full_page_ends(desk: Desk, twin: Watched, acme: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 20)
    made = [twin.invoice(acme, 1)["Id"] for _ in range(40)]
    assert [raw.id for raw in desk.history("invoices")] == made


def test_an_empty_company_has_an_empty_history(desk: Desk) -> None:
    assert [desk.history(stream.name) for stream in QB.manifest.streams] == [[]] * 6


def test_customers_that_are_no_longer_active_are_read_all_the_same(desk: Desk, twin: Watched, acme: Json) -> None:
    twin.change("Customer", acme, Active=False)
    (raw,) = desk.history("customers")
    assert desk.said(raw) == [{
        "kind": "customer", "source_format": "quickbooks", "customer_id": acme["Id"], "name": "Brightwater", "currency": "USD",
        "email": "ap@brightwater.example",
    }]  # fmt: skip


def test_a_record_that_moves_while_we_read_is_met_once(desk: Desk, twin: Watched, acme: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 20)
    made = [twin.invoice(acme, 1)["Id"] for _ in range(50)]
    twin.move_clock(60)
    twin.faults.put(Fault(fault="moving", path="/query", after=1, times=0))
    assert [raw.id for raw in desk.history("invoices")] == made


@pytest.mark.parametrize("deleted", [range(3), range(12, 20), range(10, 33), range(39), range(20)], ids=str)
def test_what_is_deleted_while_we_read_hides_nothing_else(
    desk: Desk, twin: Watched, acme: Json, monkeypatch: pytest.MonkeyPatch, deleted: range
) -> None:
    monkeypatch.setattr(client, "PAGE", 20)
    made = [twin.invoice(acme, 1)["Id"] for _ in range(60)]

    def between() -> None:
        for place in deleted:
            twin.delete("Invoice", made[place])

    met = {raw.id for raw in desk.history("invoices", between=between)}
    assert {ident for place, ident in enumerate(made) if place not in deleted} <= met


def test_a_stream_it_does_not_have_is_unsupported(desk: Desk) -> None:
    with pytest.raises(Unsupported):
        desk.history("estimates")


def test_an_object_comes_with_its_version_and_the_moment_it_changed(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice = twin.invoice(acme, "100")
    twin.move_clock(90)
    twin.pay(invoice, amount="40")
    (raw,) = desk.history("invoices")
    assert (raw.version, raw.changed_at) == ("1", START + dt.timedelta(seconds=90))
    assert json.loads(raw.body)["Balance"] == 60


def test_a_token_that_runs_out_between_two_pages_is_renewed_once(twin: Watched, front: tuple[Front, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 20)
    renewed: list[str] = []

    def renew() -> bool:
        here.let_in()
        renewed.append(here.secrets["access_token"])
        return True

    here = Desk(twin, front[1], renew=renew)
    customer = twin.customer("Brightwater")
    made = [twin.invoice(customer, 1)["Id"] for _ in range(50)]
    assert [raw.id for raw in here.history("invoices", between=lambda: twin.move_clock(4_000))] == made
    assert len(renewed) == 1


@pytest.mark.parametrize("kind", ["error_before", "error_after", "silent_after", "cut", "truncated"])
def test_a_page_that_fails_is_asked_for_again(desk: Desk, twin: Watched, acme: Json, kind: str) -> None:
    made = twin.invoice(acme, 1)
    twin.faults.put(Fault(fault=kind, path="/query", times=2))
    assert [raw.id for raw in desk.history("invoices")] == [made["Id"]]


def test_a_page_that_goes_on_failing_is_for_later(desk: Desk, twin: Watched) -> None:
    twin.faults.put(Fault(fault="error_before", path="/query", times=0))
    with pytest.raises(TryLater):
        desk.history("invoices")


def test_too_many_requests_wait_as_long_as_they_are_told(desk: Desk, twin: Watched, acme: Json) -> None:
    twin.faults.put(Fault(fault="too_many", path="/query", retry_after=0))
    assert desk.history("invoices") == []
    twin.faults.put(Fault(fault="too_many", path="/query", retry_after=60))
    with pytest.raises(TryLater) as told:
        desk.history("invoices")
    assert told.value.at == START + dt.timedelta(seconds=60)


def test_too_many_requests_without_a_word_of_when_are_for_later(desk: Desk, twin: Watched) -> None:
    twin.faults.put(Fault(fault="too_many", path="/query"))
    with pytest.raises(TryLater):
        desk.history("invoices")


def test_an_answer_of_another_version_is_read_as_far_as_it_is_known(desk: Desk, twin: Watched, acme: Json) -> None:
    twin.invoice(acme, "10.10")
    twin.faults.put(Fault(fault="version", path="/query"))
    (raw,) = desk.history("invoices")
    assert desk.said(raw)[0]["amount"] == "10.10"


# What it means


def test_a_taxed_invoice_reads_with_its_lines_and_what_is_open(desk: Desk, twin: Watched, acme: Json) -> None:
    lines: list[Json] = [
        {"Amount": Decimal("60"), "Description": "Edging", "DetailType": "SalesItemLineDetail",
         "SalesItemLineDetail": {"ItemRef": {"value": "2"}, "Qty": 2, "UnitPrice": 30, "TaxCodeRef": {"value": "TAX"}}},
        {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10}},
    ]  # fmt: skip
    invoice = twin.invoice(acme, lines=lines, number="L-9", date=TODAY, due="2026-07-01")
    twin.pay(invoice, amount="20")
    assert desk.read("invoices", invoice) == [{
        "kind": "invoice", "source_format": "quickbooks", "invoice_id": invoice["Id"], "number": "L-9", "customer_id": acme["Id"],
        "customer_name": "Brightwater", "amount": "58.80", "currency": "USD", "open_amount": "38.80", "issue_date": TODAY,
        "due_date": "2026-07-01",
        "lines": [{"description": "Edging", "amount": "60.00", "quantity": "2"}, {"description": "Discount", "amount": "-6.00"}],
    }]  # fmt: skip


def test_a_voided_invoice_is_void_and_its_money_free_again(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice = twin.invoice(acme, 100)
    payment = twin.pay(invoice, amount=100)
    twin.void("Invoice", invoice)
    (said,) = desk.read("invoices", invoice)
    assert (said["status"], said["source_status"], said["amount"], said.get("open_amount")) == ("void", "Voided", "0.00", None)
    paid, application = desk.read("payments", payment)
    assert (paid["amount"], application["entries"]) == ("100.00", [])


def test_an_invoice_without_a_number_is_called_by_its_id(front: tuple[Front, str]) -> None:
    front[0].twin = twin = Watched(custom_numbers=True)
    desk = Desk(twin, front[1])
    invoice = twin.invoice(twin.customer("Brightwater"), 5)
    (said,) = desk.read("invoices", invoice)
    assert said["number"] == f"QBO {invoice['Id']}"


def test_a_company_of_many_currencies_reads_each_in_its_own(front: tuple[Front, str]) -> None:
    front[0].twin = twin = Watched(rates={"EUR": Decimal("1.1"), "JPY": Decimal("0.0064")})
    desk = Desk(twin, front[1])
    told = {}
    for code, amount in (("EUR", "200.05"), ("JPY", "48000"), ("USD", "7")):
        invoice = twin.invoice(twin.customer(f"Customer {code}", currency=code), amount)
        twin.pay(invoice)
        (said,) = desk.read("invoices", invoice)
        told[code] = (said["amount"], said["currency"], said["open_amount"])
    assert told == {"EUR": ("200.05", "EUR", "0.00"), "JPY": ("48000", "JPY", "0"), "USD": ("7.00", "USD", "0.00")}


def test_a_payment_reads_with_all_it_applies_and_credits_go_first(desk: Desk, twin: Watched, acme: Json) -> None:
    first, second, memo = twin.invoice(acme, 100), twin.invoice(acme, 50), twin.credit(acme, 30)
    payment = twin.pay(amount=125, applied={first["Id"]: 100, second["Id"]: 50}, credits={memo["Id"]: 30}, customer=acme, reference="CHK 12")
    paid, application = desk.read("payments", payment)
    assert (paid["amount"], paid["reference"], paid["date"]) == ("125.00", "CHK 12", TODAY)
    assert application["entries"] == [
        {"document_id": first["Id"], "credit_note_id": memo["Id"], "amount": "30.00"},
        {"document_id": first["Id"], "payment_id": payment["Id"], "amount": "70.00"},
        {"document_id": second["Id"], "payment_id": payment["Id"], "amount": "50.00"},
    ]


def test_a_payment_of_nothing_is_only_the_link_between_a_credit_and_an_invoice(desk: Desk, twin: Watched, acme: Json) -> None:
    memo, invoice = twin.credit(acme, 30), twin.invoice(acme, 100)
    link = twin.apply_credit(memo, invoice)
    (said,) = desk.read("payments", link)
    assert (said["kind"], said["application_id"]) == ("application", link["Id"])
    assert said["entries"] == [{"document_id": invoice["Id"], "credit_note_id": memo["Id"], "amount": "30.00"}]
    (note,) = desk.read("credit_memos", memo)
    assert (note["amount"], note["open_amount"]) == ("30.00", "0.00")


def test_taking_a_payment_off_an_invoice_empties_what_it_applies(desk: Desk, twin: Watched, acme: Json) -> None:
    payment = twin.pay(twin.invoice(acme, 100), amount=60)
    twin.apply(payment, {})
    paid, application = desk.read("payments", payment)
    assert (paid["amount"], application["entries"]) == ("60.00", [])


def test_a_deposit_reads_with_its_payments_refunds_and_the_fee(desk: Desk, twin: Watched, acme: Json) -> None:
    payment = twin.pay(twin.invoice(acme, 100))
    deposit = twin.deposit(payment, fee="2.90")
    (said,) = desk.read("deposits", deposit)
    assert (said["amount"], said["fee"], said["status"]) == ("97.10", "2.90", "paid")
    assert said["parts"] == [
        {"what": "payment", "gross": "100.00", "fee": "0.00", "id": payment["Id"]}, {"what": "fee", "gross": "0.00", "fee": "2.90"},
    ]  # fmt: skip


def test_a_refund_receipt_is_money_given_back_for_no_payment(desk: Desk, twin: Watched, acme: Json) -> None:
    receipt = twin.refund(acme, 35)
    (said,) = desk.read("refund_receipts", receipt)
    assert (said["kind"], said["amount"], said.get("payment_id"), said.get("status", "succeeded")) == ("refund", "35.00", None, "succeeded")
    twin.void("RefundReceipt", receipt)
    assert desk.read("refund_receipts", receipt)[0]["status"] == "cancelled"


# Changes


def settled(desk: Desk) -> None:
    """Followed, and all that was in the overlap told."""
    desk.start()
    desk.poll()
    desk.twin.move_clock(600)
    desk.poll()


def test_each_change_is_told_with_all_it_moved_and_not_forever(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice = twin.invoice(acme, 100)
    settled(desk)
    assert desk.poll() == []
    payment = twin.pay(invoice, amount=40)
    told = [("customers", acme["Id"], ""), ("invoices", invoice["Id"], ""), ("payments", payment["Id"], "")]
    assert ids(desk.poll()) == told
    twin.move_clock(60)
    assert ids(desk.poll()) == told
    twin.move_clock(150)
    desk.poll()
    assert desk.poll() == []


def test_what_happens_between_the_start_and_the_first_look_is_told(desk: Desk, twin: Watched, acme: Json) -> None:
    desk.start()
    twin.move_clock(1_200)
    invoice = twin.invoice(acme, 5)
    twin.move_clock(1_200)
    assert ("invoices", invoice["Id"], "") in ids(desk.poll())


def test_one_question_is_asked_for_all_kinds(desk: Desk, twin: Watched) -> None:
    settled(desk)
    before = len(twin.heard)
    desk.poll()
    (asked,) = twin.requests("/cdc")[-1:]
    assert (len(twin.heard) - before, asked["entities"]) == (1, "Customer,Invoice,CreditMemo,Payment,RefundReceipt,Deposit")
    assert asked["changedSince"] == "2026-06-10T09:08:00-07:00"


def test_a_deleted_record_is_told_as_gone_and_moves_the_mark_on(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice, payment = twin.invoice(acme, 100), twin.pay(customer=acme, amount=5)
    settled(desk)
    twin.delete("Invoice", invoice)
    twin.delete("Payment", payment)
    assert {("invoices", invoice["Id"], "deleted"), ("payments", payment["Id"], "deleted")} <= set(ids(desk.poll()))
    twin.move_clock(150)
    desk.poll()
    assert desk.poll() == []


def test_a_voided_payment_is_gone_for_its_amount_is_destroyed(desk: Desk, twin: Watched, acme: Json) -> None:
    payment = twin.pay(twin.invoice(acme, 100))
    settled(desk)
    twin.void("Payment", payment)
    (raw,) = (raw for raw in desk.poll() if raw.stream == "payments")
    assert (raw.id, raw.gone, json.loads(raw.body)["TotalAmt"]) == (payment["Id"], "deleted", 0)
    assert [said["entries"] for said in desk.said(raw)] == [[]]
    assert ids(desk.history("payments")) == [("payments", payment["Id"], "deleted")]


def test_a_credit_taken_off_again_takes_its_link_along(desk: Desk, twin: Watched, acme: Json) -> None:
    memo, invoice = twin.credit(acme, 30), twin.invoice(acme, 100)
    link = twin.apply_credit(memo, invoice)
    settled(desk)
    twin.void("Invoice", invoice)
    assert ("payments", link["Id"], "deleted") in ids(desk.poll())


def test_merged_customers_bring_along_what_changed_hands_without_a_word(desk: Desk, twin: Watched, acme: Json) -> None:
    twice = twin.customer("Brightwater again")
    invoice, payment, memo = twin.invoice(twice, 100), twin.pay(customer=twice, amount=5), twin.credit(twice, 7)
    receipt = twin.refund(twice, 3)
    settled(desk)
    twin.merge(twice, into=acme)
    steps = desk.steps()
    told = [raw for step in steps for raw in step.raws]
    assert {(raw.stream, raw.id, raw.gone) for raw in told} == {
        ("customers", twice["Id"], "merged"), ("customers", acme["Id"], ""), ("invoices", invoice["Id"], ""), ("payments", payment["Id"], ""),
        ("credit_memos", memo["Id"], ""), ("refund_receipts", receipt["Id"], ""),
    }  # fmt: skip
    assert {said["customer_id"] for raw in told if not raw.gone for said in desk.said(raw) if "customer_id" in said} == {acme["Id"]}
    assert set(desk.cursor) == {"since"}


def test_an_answer_that_is_full_over_all_kinds_is_asked_for_kind_by_kind(
    desk: Desk, twin: Watched, acme: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    _narrow(monkeypatch, 30)
    settled(desk)
    made = [twin.invoice(acme, 100) for _ in range(20)]
    paid = [twin.pay(one) for one in made]
    gone = twin.delete("Invoice", twin.invoice(acme, 1))
    steps = desk.steps()
    assert len(steps) == 1
    told = set(ids(steps[0].raws))
    assert told == {
        ("customers", acme["Id"], ""), ("invoices", gone["Id"], "deleted"), *(("invoices", one["Id"], "") for one in made),
        *(("payments", one["Id"], "") for one in paid),
    }  # fmt: skip
    assert len(twin.requests("/cdc")) == 2 + 1 + 6
    assert set(desk.cursor) == {"since"}


def test_a_kind_that_is_full_by_itself_is_read_by_its_last_change(
    desk: Desk, twin: Watched, acme: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    _narrow(monkeypatch, 30)
    monkeypatch.setattr(client, "PAGE", 20)
    twin.invoice(acme, 9)
    settled(desk)
    made = [twin.invoice(acme, 100)["Id"] for _ in range(75)]
    gone = twin.delete("Invoice", made.pop())
    twin.move_clock(300)
    late = [twin.invoice(acme, 100)["Id"] for _ in range(3)]
    last = twin.delete("Invoice", late.pop())
    # QuickBooks' own answer is cut in the order of ids, so the earlier deletion is not among what it says at first.
    steps = desk.steps()
    told = [raw for step in steps for raw in step.raws]
    assert [raw.id for raw in told if raw.stream == "invoices" and not raw.gone] == [*made, *late]
    assert [raw.id for raw in told if raw.gone] == [last["Id"]]
    assert len(steps) > 4
    assert all(len(step.raws) <= 30 for step in steps)
    assert gone["Id"] not in {raw.id for raw in told}
    assert set(desk.cursor) == {"since"}
    assert ids(desk.reread(Ref("invoices", gone["Id"]))) == [("invoices", gone["Id"], "deleted")]


def test_the_catching_up_goes_on_where_it_was_interrupted(desk: Desk, twin: Watched, acme: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    _narrow(monkeypatch, 30)
    monkeypatch.setattr(client, "PAGE", 20)
    settled(desk)
    made = [twin.invoice(acme, 100)["Id"] for _ in range(50)]
    first = QB.changes(desk.http, desk.settings, cursor=desk.cursor)
    desk.cursor = json.loads(json.dumps(first.cursor))
    twin.faults.put(Fault(fault="error_before", path="/query", after=1, times=5))
    met: list[Raw] = []
    with pytest.raises(TryLater):
        while True:
            step = QB.changes(desk.http, desk.settings, cursor=desk.cursor)
            met, desk.cursor = [*met, *step.raws], json.loads(json.dumps(step.cursor))
    during = twin.invoice(acme, 1)["Id"]
    met += desk.poll()
    assert [raw.id for raw in met if raw.stream == "invoices"] == [*made, during]


def _narrow(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Both sides let an answer hold so many objects instead of a thousand."""
    monkeypatch.setattr(changes, "MOST", most)
    monkeypatch.setattr(capture, "MOST", most)


def test_changes_of_a_month_ago_are_no_longer_told_and_all_is_read_anew(desk: Desk, twin: Watched) -> None:
    desk.start()
    twin.move_clock(28 * 86_400)
    desk.let_in()
    assert desk.steps()[0].resync == ""
    twin.move_clock(29 * 86_400)
    desk.let_in()
    (step,) = desk.steps()
    assert (step.resync, step.last, step.raws) == ("changes since 2026-07-08 are no longer all told", True, ())


def test_a_clock_that_runs_ahead_of_ours_is_not_asked_beyond_its_memory(desk: Desk, twin: Watched) -> None:
    desk.start()
    twin.move_clock(28 * 86_400)
    ours = twin.now()
    desk.http._now = lambda: ours
    twin.move_clock(3 * 86_400)
    desk.let_in()
    (step,) = desk.steps()
    assert step.resync.startswith("changes since 2026-06-10 are not told")


def test_a_cursor_that_is_no_moment_has_everything_read_anew(desk: Desk) -> None:
    assert "no moment" in QB.changes(desk.http, desk.settings, cursor={"since": "yesterday"}).resync


@pytest.mark.parametrize("kind", ["error_before", "silent_after", "cut", "truncated"])
def test_a_look_that_fails_is_repeated_and_the_mark_stays(desk: Desk, twin: Watched, acme: Json, kind: str) -> None:
    settled(desk)
    invoice = twin.invoice(acme, 1)
    before = desk.cursor
    twin.faults.put(Fault(fault=kind, path="/cdc", times=5))
    with pytest.raises(TryLater):
        desk.steps()
    assert desk.cursor == before
    twin.faults.put(Fault(fault=kind, path="/cdc", times=1))
    assert ("invoices", invoice["Id"], "") in ids(desk.poll())


# Read again


def test_a_payment_brings_what_it_pays_and_an_invoice_what_pays_it(desk: Desk, twin: Watched, acme: Json) -> None:
    memo, invoice = twin.credit(acme, 30), twin.invoice(acme, 100)
    payment = twin.pay(amount=70, applied={invoice["Id"]: 100}, credits={memo["Id"]: 30}, customer=acme)
    of_payment = {("payments", payment["Id"], ""), ("invoices", invoice["Id"], ""), ("credit_memos", memo["Id"], "")}
    assert set(ids(desk.reread(Ref("payments", payment["Id"])))) == of_payment
    of_invoice = {("payments", payment["Id"], ""), ("invoices", invoice["Id"], "")}
    assert set(ids(desk.reread(Ref("invoices", invoice["Id"])))) == of_invoice


def test_many_are_asked_for_together_and_what_is_not_there_by_itself(desk: Desk, twin: Watched, acme: Json) -> None:
    made = [twin.invoice(acme, 1) for _ in range(30)]
    for one in made[:2]:
        twin.delete("Invoice", one)
    before = len(twin.heard)
    told = desk.reread(*(Ref("invoices", one["Id"]) for one in made), Ref("customers", acme["Id"]), Ref("invoices", made[5]["Id"]))
    assert sorted(ids(told)) == sorted(
        [("customers", acme["Id"], ""), *(("invoices", one["Id"], "deleted" if place < 2 else "") for place, one in enumerate(made))]
    )
    assert len(twin.heard) - before == 1 + 1 + 2


def test_a_customer_that_is_not_there_was_merged(desk: Desk, twin: Watched, acme: Json) -> None:
    twice = twin.customer("Brightwater again")
    invoice = twin.invoice(twice, 9)
    twin.merge(twice, into=acme)
    told = desk.reread(Ref(reading.MERGED, acme["Id"]), Ref("customers", twice["Id"]))
    assert set(ids(told)) == {("customers", acme["Id"], ""), ("customers", twice["Id"], "merged"), ("invoices", invoice["Id"], "")}


def test_an_inactive_customer_is_there(desk: Desk, twin: Watched, acme: Json) -> None:
    other = twin.customer("Somebody")
    twin.change("Customer", acme, Active=False)
    assert {raw.gone for raw in desk.reread(Ref("customers", acme["Id"]), Ref("customers", other["Id"]))} == {""}


# The door


def knocked(desk: Desk) -> list[Delivery]:
    desk.twin.flush()
    parcels, desk.twin.parcels = desk.twin.parcels, []
    return parcels


def opened(desk: Desk, delivery: Delivery, settings: Json | None = None) -> tuple[str, set[Ref]]:
    headers = {name.lower(): value for name, value in delivery.sign(delivery.body, START).items()}
    name = QB.delivery(headers=headers, body=delivery.body, url="", secrets=("older", VERIFIER), now=START)
    return name, set(QB.hints(body=delivery.body, settings=settings or desk.settings))


def test_what_comes_to_the_door_says_what_to_look_at_and_only_of_our_company(desk: Desk, twin: Watched, acme: Json) -> None:
    other = twin.open_company("Somebody else")
    twin.subscribe("https://ar.example/hook", VERIFIER)
    invoice = twin.invoice(acme, 100)
    payment = twin.pay(invoice)
    stranger = twin.customer("Not ours", realm=other.realm)
    twin.create("Vendor", {"DisplayName": "Quarry Stone"})
    (delivery,) = knocked(desk)
    name, refs = opened(desk, delivery)
    assert refs == {Ref("invoices", invoice["Id"]), Ref("payments", payment["Id"])}
    assert opened(desk, delivery)[0] == name
    assert opened(desk, delivery, {"realmId": other.realm})[1] == {Ref("customers", stranger["Id"])}
    assert {raw.id for raw in desk.reread(*refs)} == {invoice["Id"], payment["Id"]}


def test_a_merge_at_the_door_asks_for_all_that_changed_hands(desk: Desk, twin: Watched, acme: Json) -> None:
    twice = twin.customer("Brightwater again")
    invoice = twin.invoice(twice, 9)
    twin.subscribe("https://ar.example/hook", VERIFIER)
    twin.merge(twice, into=acme)
    (delivery,) = knocked(desk)
    _, refs = opened(desk, delivery)
    assert refs == {Ref(reading.MERGED, acme["Id"]), Ref("customers", twice["Id"])}
    assert ("invoices", invoice["Id"], "") in ids(desk.reread(*refs))


def test_a_deletion_at_the_door_reads_as_gone(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice = twin.invoice(acme, 9)
    twin.subscribe("https://ar.example/hook", VERIFIER)
    twin.delete("Invoice", invoice)
    (delivery,) = knocked(desk)
    assert ids(desk.reread(*opened(desk, delivery)[1])) == [("invoices", invoice["Id"], "deleted")]


# Customers written


def test_a_customer_is_made_once_and_known_by_its_mark(desk: Desk, twin: Watched) -> None:
    body = {"name": "Marlow: South", "email": "ap@marlow.example", "phone": "555", "city": "Marlow", "country": "GB", "currency": "USD", "tax_id": ""}
    assert desk.find("customer", **body) is None
    receipt = desk.write("customer", **body)
    assert QB.owner(receipt.raw) == "7:x:1"
    (said,) = desk.said(receipt.raw)
    assert (said["name"], said["email"], said["city"], said["country"]) == ("Marlow - South", "ap@marlow.example", "Marlow", "GB")
    assert receipt.said
    assert desk.write("customer", **body).raw.id == receipt.raw.id
    found = desk.find("customer", **body)
    assert found is not None
    assert (found.raw.id, found.found, len(twin.living("Customer"))) == (receipt.raw.id, True, 1)


def test_a_name_that_somebody_else_has_is_for_a_person(desk: Desk, twin: Watched, acme: Json) -> None:
    twin.create("Vendor", {"DisplayName": "Quarry Stone"})
    for name, said in (("Brightwater", "made by somebody else"), ("Quarry Stone", "a vendor or an employee"), ("brightwater", "is taken")):
        with pytest.raises(BadRecord, match=said) as told:
            desk.write("customer", name=name)
        assert told.value.field == "name"
    for name in ("  ", "x" * 501):
        with pytest.raises(BadRecord):
            desk.write("customer", name=name)
    assert len(twin.living("Customer")) == 1


def test_a_customer_that_a_lost_try_made_is_found_when_its_name_is_taken(desk: Desk, twin: Watched) -> None:
    made = {"DisplayName": "Brightwater", "Notes": marks.mark("7:x:1")}
    twin.meanwhile.append(lambda: twin.create("Customer", made))
    receipt = desk.write("customer", name="Brightwater")
    assert (receipt.found, len(twin.living("Customer"))) == (True, 1)


# Invoices and credit memos written


def test_an_invoice_is_made_with_its_lines_dates_and_number(desk: Desk, twin: Watched, acme: Json) -> None:
    lines = [
        {"description": "Hedge", "amount_minor": 9_000, "quantity": "3", "item": "Hours"},
        {"description": "Gravel", "amount_minor": 1_001, "quantity": "3", "item": "materials"},
        {"description": "Visit", "amount_minor": 500, "quantity": ""},
    ]
    body = form(acme, amount=10_501, lines=lines, issue_date="2026-06-01", due_date="2026-06-20", memo="A-1 from Stripe")
    receipt = desk.write("invoice", **body)
    (said,) = desk.said(receipt.raw)
    assert said == {
        "kind": "invoice", "source_format": "quickbooks", "invoice_id": receipt.raw.id, "number": "A-1", "customer_id": acme["Id"],
        "customer_name": "Brightwater", "amount": "105.01", "currency": "USD", "open_amount": "105.01", "issue_date": "2026-06-01",
        "due_date": "2026-06-20",
        "lines": [
            {"description": "Hedge", "amount": "90.00", "quantity": "3"}, {"description": "Gravel", "amount": "10.01"},
            {"description": "Visit", "amount": "5.00"},
        ],
    }  # fmt: skip
    kept = json.loads(receipt.raw.body)
    assert [line["SalesItemLineDetail"]["ItemRef"]["value"] for line in kept["Line"][:3]] == ["2", "3", "1"]
    assert (kept["PrivateNote"], QB.owner(receipt.raw)) == ("A-1 from Stripe [tieout:7:x:1]", "7:x:1")
    assert twin.requests("/invoice", "POST")[0]["requestid"] == "7:x:1"
    again = desk.write("invoice", **body)
    assert (again.raw.id, again.found, len(twin.living("Invoice"))) == (receipt.raw.id, True, 1)


def test_tax_goes_over_to_the_cent_and_a_discount_lowers_the_whole(desk: Desk, acme: Json) -> None:
    taxed = desk.write("invoice", **form(acme, lines=[{"description": "Work", "amount_minor": 9_200}], tax_minor=800))
    assert [said["amount"] for said in desk.said(taxed.raw)] == ["100.00"]
    assert json.loads(taxed.raw.body)["TxnTaxDetail"]["TotalTax"] == 8
    lowered = desk.write("invoice", "7:y:1", **form(acme, "A-2", lines=[{"description": "Work", "amount_minor": 12_000}], tax_minor=-2_000))
    (said,) = desk.said(lowered.raw)
    assert (said["amount"], said["lines"][-1]) == ("100.00", {"description": "Discount", "amount": "-20.00"})
    named = form(acme, "A-3", lines=[{"description": "Work", "amount_minor": 9_200, "tax_code": "Standard"}], tax_minor=800)
    assert desk.said(desk.write("invoice", "7:z:1", **named).raw)[0]["amount"] == "100.00"


@pytest.mark.parametrize(("settings", "line", "tax", "field"), [
    pytest.param({"item": ""}, {}, 0, "item", id="no item"),
    pytest.param({"item": ""}, {"item": "lawns"}, 0, "items", id="an item nobody mapped"),
    pytest.param({"tax_code": ""}, {}, 100, "tax_code", id="tax, and no code for it"),
    pytest.param({}, {"tax_code": "reduced"}, 100, "tax_codes", id="a tax code nobody mapped"),
])
def test_what_nobody_has_mapped_is_refused_and_never_guessed(
    desk: Desk, twin: Watched, acme: Json, settings: Json, line: Json, tax: int, field: str
) -> None:
    desk.settings |= settings
    lines = [{"description": "Work", "amount_minor": 10_000 - tax, **line}]
    with pytest.raises(Unmapped, match="needs mapping") as told:
        desk.write("invoice", **form(acme, lines=lines, tax_minor=tax))
    assert (told.value.field, twin.bodies()) == (field, [])


@pytest.mark.parametrize(("body", "said"), [
    pytest.param({"number": "x" * 22}, "21 characters", id="a number too long to be kept whole"),
    pytest.param({"currency": "XXX"}, "ISO 4217", id="a currency that is none"),
    pytest.param({"amount_minor": 9_999}, "come to 100.00 USD", id="lines of another sum"),
    pytest.param({"lines": [{"description": "x", "amount_minor": "100"}]}, "whole number", id="an amount as text"),
    pytest.param({"lines": [{"description": "x", "amount_minor": -5}], "amount_minor": None}, "zero or more", id="less than nothing"),
    pytest.param({"lines": []}, "needs its lines", id="no lines"),
    pytest.param({"lines": ["x"]}, "no list", id="lines that are none"),
    pytest.param({"due_date": "soon"}, "no date", id="a day that is none"),
    pytest.param({"currency": "EUR"}, "currency of the transaction", id="another currency than the customer's"),
    pytest.param({"customer": "9999"}, "Invalid Reference", id="a customer that is not there"),
])
def test_an_invoice_that_cannot_be_is_refused(desk: Desk, twin: Watched, acme: Json, body: Json, said: str) -> None:
    with pytest.raises(BadRecord, match=said):
        desk.write("invoice", **{**form(acme), **body})
    assert twin.living("Invoice") == []


def test_a_number_that_somebody_else_used_is_for_a_person_unless_that_is_void(desk: Desk, twin: Watched, acme: Json) -> None:
    theirs = twin.invoice(acme, 5, number="A-1")
    with pytest.raises(BadRecord, match="made by somebody else"):
        desk.write("invoice", **form(acme))
    assert desk.find("invoice", **form(acme)) is None
    twin.void("Invoice", theirs)
    assert desk.write("invoice", **form(acme)).raw.id != theirs["Id"]


def test_a_number_that_another_kind_of_transaction_has_is_refused_in_words(front: tuple[Front, str]) -> None:
    front[0].twin = twin = Watched(unique_numbers=True)
    desk = Desk(twin, front[1])
    customer = twin.customer("Brightwater")
    twin.credit(customer, 5, number="A-1")
    with pytest.raises(BadRecord, match="taken in QuickBooks by another transaction"):
        desk.write("invoice", **form(customer))


def test_where_quickbooks_reckons_another_sum_what_was_made_is_taken_away_again(desk: Desk, twin: Watched, acme: Json) -> None:
    # The item is taxable there, and nobody has said which code lines without tax have.
    desk.settings |= {"item": "3", "no_tax_code": ""}
    for _ in range(2):
        with pytest.raises(BadRecord, match=r"makes 108\.00 of it, not 100\.00 USD|has been deleted in QuickBooks since"):
            desk.write("invoice", **form(acme))
        assert twin.living("Invoice") == []


def test_a_credit_note_is_made_and_applied_to_nothing_yet(desk: Desk, twin: Watched, acme: Json) -> None:
    receipt = desk.write("credit_note", **form(acme, "C-1", due_date="2026-07-01"))
    (said,) = desk.said(receipt.raw)
    assert (said["kind"], said["number"], said["amount"], said["open_amount"]) == ("credit_note", "C-1", "100.00", "100.00")
    found = desk.find("credit_note", **form(acme, "C-1"))
    assert found is not None
    assert (found.raw.id, len(twin.living("CreditMemo"))) == (receipt.raw.id, 1)


# Money written


def test_a_payment_pays_what_it_is_told_and_the_rest_stays_on_account(desk: Desk, twin: Watched, acme: Json) -> None:
    first, second = twin.invoice(acme, 100), twin.invoice(acme, 50)
    applied = [{"document": first["Id"], "amount_minor": 6_000}, {"document": second["Id"], "amount_minor": 5_000},
               {"document": first["Id"], "amount_minor": 1_000}]  # fmt: skip
    body = money(acme, 15_000, reference="pi_3QmZr2LkEXAMPLE0001", applied=applied, memo="from Stripe")
    assert desk.find("payment", **body) is None
    receipt = desk.write("payment", **body)
    paid, application = desk.said(receipt.raw)
    assert (paid["amount"], paid["reference"], paid["remittance"]) == ("150.00", "pi_3QmZr2LkEXAMPLE000", "pi_3QmZr2LkEXAMPLE0001 from Stripe")
    assert [(one["document_id"], one["amount"]) for one in application["entries"]] == [(first["Id"], "70.00"), (second["Id"], "50.00")]
    assert json.loads(receipt.raw.body)["UnappliedAmt"] == 30
    assert [one["Balance"] for one in twin.living("Invoice")] == [30, 0]
    again, found = desk.write("payment", **body), desk.find("payment", **body)
    assert found is not None
    assert (again.found, again.raw.id, found.raw.id, len(twin.living("Payment"))) == (True, receipt.raw.id, receipt.raw.id, 1)
    assert QB.owner(found.raw) == "7:x:1"


def test_a_payment_of_the_same_customer_and_day_that_is_not_ours_is_not_taken_for_it(desk: Desk, twin: Watched, acme: Json) -> None:
    twin.pay(customer=acme, amount=10, date=TODAY)
    assert desk.find("payment", **money(acme, 1_000)) is None
    desk.write("payment", **money(acme, 1_000))
    desk.write("payment", "7:x:2", **money(acme, 1_000))
    assert len(twin.living("Payment")) == 3


def test_money_may_go_to_an_account_of_its_own(desk: Desk, acme: Json) -> None:
    desk.settings["deposit_account"] = "35"
    assert json.loads(desk.write("payment", **money(acme, 500)).raw.body)["DepositToAccountRef"]["value"] == "35"


@pytest.mark.parametrize(("body", "said"), [
    pytest.param({"amount_minor": 0}, "more than zero", id="nothing"),
    pytest.param({"applied": [{"document": "1", "amount_minor": 20_000}]}, "are applied of a payment of", id="more applied than there is"),
    pytest.param({"applied": [{"amount_minor": 5}]}, "does not say its document", id="applied to nobody knows what"),
    pytest.param({"applied": [{"document": "1", "amount_minor": -5}]}, "more than zero", id="less than nothing applied"),
    pytest.param({"applied": [{"document": "9999", "amount_minor": 5}]}, "Object Not Found", id="an invoice that is not there"),
    pytest.param({"date": None}, "needs its date", id="no day"),
])
def test_a_payment_that_cannot_be_is_refused(desk: Desk, twin: Watched, acme: Json, body: Json, said: str) -> None:
    with pytest.raises(BadRecord, match=said):
        desk.write("payment", **{**money(acme, 10_000), **body})
    assert twin.living("Payment") == []


def test_an_invoice_that_somebody_has_paid_meanwhile_takes_no_more(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice = twin.invoice(acme, 100)
    twin.pay(invoice)
    with pytest.raises(BadRecord, match="more than is open"):
        desk.write("payment", **money(acme, 10_000, applied=[{"document": invoice["Id"], "amount_minor": 10_000}]))


def test_a_credit_is_applied_by_a_payment_of_nothing(desk: Desk, twin: Watched, acme: Json) -> None:
    memo, invoice = twin.credit(acme, 30), twin.invoice(acme, 100)
    body = money(acme, 2_000, credit_note=memo["Id"], document=invoice["Id"])
    receipt = desk.write("apply_credit", **body)
    (said,) = desk.said(receipt.raw)
    assert said["entries"] == [{"document_id": invoice["Id"], "credit_note_id": memo["Id"], "amount": "20.00"}]
    assert (twin.read("Invoice", invoice)["Balance"], twin.read("CreditMemo", memo)["RemainingCredit"]) == (80, 10)
    again, found = desk.write("apply_credit", **body), desk.find("apply_credit", **body)
    assert found is not None
    assert (again.raw.id, found.raw.id, len(twin.living("Payment"))) == (receipt.raw.id, receipt.raw.id, 1)


def test_money_given_back_is_a_refund_receipt_from_the_bank(desk: Desk, twin: Watched, acme: Json) -> None:
    receipt = desk.write("refund", **money(acme, 3_500, reference="re_1", memo="broken slab"))
    (said,) = desk.said(receipt.raw)
    assert (said["kind"], said["amount"], QB.owner(receipt.raw)) == ("refund", "35.00", "7:x:1")
    found = desk.find("refund", **money(acme, 3_500))
    assert found is not None
    assert (found.raw.id, desk.write("refund", **money(acme, 3_500)).raw.id, len(twin.living("RefundReceipt"))) == (receipt.raw.id, receipt.raw.id, 1)
    desk.settings["bank_account"] = ""
    with pytest.raises(BadRecord, match="needs mapping"):
        desk.write("refund", "7:y:1", **money(acme, 3_500))


def test_a_payout_takes_its_payments_to_the_bank_less_refunds_and_the_fee(desk: Desk, twin: Watched, acme: Json) -> None:
    first, second = twin.pay(twin.invoice(acme, 100)), twin.pay(twin.invoice(acme, 50))
    back = twin.refund(acme, 20, DepositToAccountRef={"value": books.UNDEPOSITED})
    body: Json = {
        "currency": "USD", "date": TODAY, "amount_minor": 12_565, "fee_minor": 435, "memo": "po_1",
        "refunds": [{"refund": back["Id"], "amount_minor": 2_000}],
        "payments": [{"payment": first["Id"], "amount_minor": 10_000}, {"payment": second["Id"], "amount_minor": 5_000}],
    }  # fmt: skip
    receipt = desk.write("payout", **body)
    (said,) = desk.said(receipt.raw)
    assert (said["amount"], said["fee"], said["reference"], [part["what"] for part in said["parts"]]) == (
        "125.65", "4.35", "po_1", ["payment", "payment", "refund", "fee"],
    )  # fmt: skip
    again, found = desk.write("payout", **body), desk.find("payout", **body)
    assert found is not None
    assert (again.raw.id, found.raw.id, len(twin.living("Deposit"))) == (receipt.raw.id, receipt.raw.id, 1)


@pytest.mark.parametrize(("body", "settings", "said"), [
    pytest.param({"amount_minor": 9_999}, {}, "come to 97.10 USD", id="parts of another sum"),
    pytest.param({}, {"fee_account": ""}, "fee of a payout needs mapping", id="no account for the fee"),
    pytest.param({}, {"bank_account": ""}, "bank account of a payout needs mapping", id="no bank account"),
    pytest.param({"payments": []}, {}, "comes to zero or more", id="no payments"),
    pytest.param({"payments": [{"payment": "9999", "amount_minor": 10_000}]}, {}, "Object Not Found", id="a payment that is not there"),
])
def test_a_payout_that_cannot_be_is_refused(desk: Desk, twin: Watched, acme: Json, body: Json, settings: Json, said: str) -> None:
    payment = twin.pay(twin.invoice(acme, 100))
    desk.settings |= settings
    whole: Json = {"currency": "USD", "date": TODAY, "fee_minor": 290, "payments": [{"payment": payment["Id"], "amount_minor": 10_000}]}
    with pytest.raises(BadRecord, match=said):
        desk.write("payout", **{**whole, **body})
    assert twin.living("Deposit") == []


# What stands there, changed


def test_an_invoice_is_voided_once(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice = twin.invoice(acme, 100)
    twin.pay(invoice, amount=40)
    assert desk.find("void", document=invoice["Id"]) is None
    receipt = desk.write("void", document=invoice["Id"])
    assert desk.said(receipt.raw)[0]["status"] == "void"
    again, found = desk.write("void", document=invoice["Id"]), desk.find("void", document=invoice["Id"])
    assert found is not None
    assert (receipt.found, again.found, len(twin.requests("/invoice", "POST"))) == (False, True, 1)


def test_an_invoice_that_is_not_there_any_more_is_neither_voided_nor_changed(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice = twin.invoice(acme, 100)
    twin.delete("Invoice", invoice)
    for act, more in (("void", {}), ("update_invoice", {"due_date": TODAY})):
        with pytest.raises(BadRecord, match="not in QuickBooks any more"):
            desk.write(act, document=invoice["Id"], **more)
        assert desk.find(act, document=invoice["Id"], **more) is None


def test_a_save_by_somebody_else_in_between_is_met_by_reading_once_more(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice = twin.invoice(acme, 100)

    def touch() -> None:
        twin.change("Invoice", invoice, CustomerMemo={"value": f"thank you {len(twin.heard)}"})

    twin.meanwhile += [touch]
    receipt = desk.write("update_invoice", document=invoice["Id"], due_date="2026-08-01", memo="on hold")
    assert (json.loads(receipt.raw.body)["DueDate"], receipt.raw.version) == ("2026-08-01", "2")
    twin.meanwhile += [touch, touch]
    with pytest.raises(TryLater, match="Stale"):
        desk.write("void", document=invoice["Id"])
    twin.meanwhile += [lambda: twin.void("Invoice", invoice)]
    assert desk.said(desk.write("void", document=invoice["Id"]).raw)[0]["status"] == "void"
    assert [status for method, _, _, _, status in twin.heard if method == "POST"] == [400, 200, 400, 400, 400]


def test_dates_number_and_note_of_an_invoice_change_and_the_mark_stays(desk: Desk, twin: Watched, acme: Json) -> None:
    made = desk.write("invoice", **form(acme))
    wanted = {"document": made.raw.id, "due_date": "2026-08-01", "issue_date": "2026-06-02", "number": "A-9", "memo": "agreed"}
    receipt = desk.write("update_invoice", "7:u:1", **wanted)
    (said,) = desk.said(receipt.raw)
    assert (said["due_date"], said["issue_date"], said["number"], said["amount"]) == ("2026-08-01", "2026-06-02", "A-9", "100.00")
    assert (QB.owner(receipt.raw), json.loads(receipt.raw.body)["PrivateNote"]) == ("7:x:1", "agreed [tieout:7:x:1]")
    again, found = desk.write("update_invoice", "7:u:1", **wanted), desk.find("update_invoice", "7:u:1", **wanted)
    assert found is not None
    assert (again.found, len(twin.requests("/invoice", "POST"))) == (True, 2)


def test_a_change_that_closed_books_swallow_is_said_aloud(desk: Desk, twin: Watched, acme: Json) -> None:
    invoice = twin.invoice(acme, 100)
    twin.asleep = True
    for act, more in (("void", {}), ("update_invoice", {"due_date": TODAY})):
        with pytest.raises(BadRecord, match="did not do it; are its books closed"):
            desk.write(act, document=invoice["Id"], **more)


@pytest.mark.parametrize(
    ("field", "value", "shows"),
    [
        ("name", "Acme Holding: East", {"DisplayName": "Acme Holding - East", "CompanyName": "Acme Holding - East"}),
        ("email", "pay@acme.example", {"PrimaryEmailAddr": {"Address": "pay@acme.example"}}),
        ("phone", "+49 30 1234", {"PrimaryPhone": {"FreeFormNumber": "+49 30 1234"}}),
    ],
)
def test_a_field_of_a_customer_changes_and_the_rest_stays(desk: Desk, twin: Watched, acme: Json, field: str, value: str, shows: Json) -> None:
    twin.change("Customer", acme, BillAddr={"Line1": "12 Ferry Row", "City": "Hamburg"}, Notes="a good one")
    wanted = {"customer": acme["Id"], "field": field, "value": value}
    now = json.loads(desk.write("update_customer", "7:c:1", **wanted).raw.body)
    assert {name: now[name] for name in shows} == shows
    assert (now["BillAddr"]["Line1"], now["BillAddr"]["City"], now["Notes"]) == ("12 Ferry Row", "Hamburg", "a good one")
    again, found = desk.write("update_customer", "7:c:1", **wanted), desk.find("update_customer", "7:c:1", **wanted)
    assert found is not None
    assert (again.found, len(twin.requests("/customer", "POST"))) == (True, 1)


def test_an_address_keeps_its_other_lines(desk: Desk, twin: Watched, acme: Json) -> None:
    twin.change("Customer", acme, BillAddr={"Line1": "12 Ferry Row", "City": "Hamburg"})
    now = json.loads(desk.write("update_customer", customer=acme["Id"], field="city", value="Berlin").raw.body)
    assert (now["BillAddr"]["Line1"], now["BillAddr"]["City"]) == ("12 Ferry Row", "Berlin")


def test_a_customer_is_not_changed_where_it_cannot_be(desk: Desk, twin: Watched, acme: Json) -> None:
    twin.customer("Marlow")
    with pytest.raises(BadRecord, match="is taken in QuickBooks"):
        desk.write("update_customer", customer=acme["Id"], field="name", value="Marlow")
    with pytest.raises(Unsupported, match="takes no change of a customer's language"):
        desk.write("update_customer", customer=acme["Id"], field="language", value="en")
    twin.asleep = True
    with pytest.raises(BadRecord, match="did not do it"):
        desk.write("update_customer", customer=acme["Id"], field="city", value="Berlin")


def test_a_customer_saved_by_somebody_else_in_between_is_read_once_more(desk: Desk, twin: Watched, acme: Json) -> None:
    twin.meanwhile += [lambda: twin.change("Customer", acme, Notes="thank you")]
    now = json.loads(desk.write("update_customer", customer=acme["Id"], field="phone", value="030 1").raw.body)
    assert (now["PrimaryPhone"]["FreeFormNumber"], now["Notes"]) == ("030 1", "thank you")


# Whatever goes wrong


def effects(acme: Json, twin: Watched) -> dict[str, tuple[Json, str]]:
    """For each act a body that works, and the kind of record it makes or changes."""
    open_invoice, other, memo = twin.invoice(acme, 100), twin.invoice(acme, 60), twin.credit(acme, 30)
    payment, third = twin.pay(other), twin.invoice(acme, 40)
    lessened, banked = twin.pay(third), twin.deposit(twin.pay(twin.invoice(acme, 25)))
    return {
        "customer": ({"name": "Marlow"}, "Customer"),
        "invoice": (form(acme), "Invoice"),
        "credit_note": (form(acme, "C-1"), "CreditMemo"),
        "payment": (money(acme, 5_000, applied=[{"document": open_invoice["Id"], "amount_minor": 5_000}]), "Payment"),
        "apply_credit": (money(acme, 1_000, credit_note=memo["Id"], document=open_invoice["Id"]), "Payment"),
        "refund": (money(acme, 500), "RefundReceipt"),
        "payout": ({"currency": "USD", "date": TODAY, "payments": [{"payment": payment["Id"], "amount_minor": 6_000}]}, "Deposit"),
        "cancel_payout": ({"deposit": banked["Id"]}, ""),
        "change_payment": (
            {"payment": lessened["Id"], "currency": "USD", "amount_minor": 3_000, "applied": [{"document": third["Id"], "amount_minor": 3_000}]}, "",
        ),
        "void": ({"document": open_invoice["Id"]}, ""),
        "update_customer": ({"customer": acme["Id"], "field": "city", "value": "Port Alder"}, ""),
        "update_invoice": ({"document": open_invoice["Id"], "due_date": "2026-09-01"}, ""),
    }


ACTS = QB.manifest.abilities.writes
FAULTS = ("error_before", "error_after", "silent_after", "cut", "truncated")


def test_every_act_is_tried_here(acme: Json, twin: Watched) -> None:
    assert tuple(effects(acme, twin)) == ACTS


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("act", ACTS)
def test_a_write_that_fails_on_the_way_is_done_exactly_once(desk: Desk, twin: Watched, acme: Json, act: str, fault: str) -> None:
    body, entity = effects(acme, twin)[act]
    before = len(twin.living(entity)) if entity else 0
    twin.faults.put(Fault(fault=fault, method="POST", times=2))
    receipt = desk.write(act, **body)
    assert bool(receipt.raw.gone) is (act == "cancel_payout")
    assert not entity or len(twin.living(entity)) == before + 1
    found = desk.find(act, **body)
    assert found is not None
    assert found.raw == receipt.raw


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("act", ACTS)
def test_a_write_that_never_gets_an_answer_is_found_or_done_later_but_never_twice(
    desk: Desk, twin: Watched, acme: Json, act: str, fault: str
) -> None:
    body, entity = effects(acme, twin)[act]
    before = len(twin.living(entity)) if entity else 0
    twin.faults.put(Fault(fault=fault, method="POST", times=0))
    with pytest.raises((TryLater, OutcomeUnknown)):
        desk.write(act, **body)
    twin.faults.put()
    done = fault in ("error_after", "silent_after", "truncated")
    assert (desk.find(act, **body) is not None) is done
    # As if QuickBooks had forgotten which requests it has done.
    twin._replays.clear()
    receipt = desk.write(act, **body)
    assert receipt.found is done
    assert not entity or len(twin.living(entity)) == before + 1


@pytest.mark.parametrize("act", [act for act in ACTS if act not in ("cancel_payout", "change_payment", "void", "update_customer", "update_invoice")])
def test_a_replayed_answer_is_not_believed_when_the_object_has_been_deleted(desk: Desk, twin: Watched, acme: Json, act: str) -> None:
    body, entity = effects(acme, twin)[act]
    made = desk.write(act, **body)
    if entity == "Customer":
        twin.merge(made.raw.id, into=acme)
    else:
        twin.delete(entity, made.raw.id)
    assert desk.find(act, **body) is None
    with pytest.raises(BadRecord, match="deleted in QuickBooks since"):
        desk.write(act, **body)
    assert made.raw.id not in {one["Id"] for one in twin.living(entity)}
    # A new generation of the same wish makes it anew.
    assert desk.write(act, "7:x:2", **body).raw.id != made.raw.id


@pytest.mark.parametrize("act", ACTS)
def test_a_write_waits_where_it_is_asked_to(desk: Desk, twin: Watched, acme: Json, act: str) -> None:
    body, _ = effects(acme, twin)[act]
    twin.faults.put(Fault(fault="too_many", method="POST", retry_after=0))
    assert bool(desk.write(act, **body).raw.gone) is (act == "cancel_payout")
    twin.faults.put(Fault(fault="too_many", retry_after=60, times=0))
    with pytest.raises(TryLater) as told:
        desk.write(act, "7:x:9", **body)
    assert told.value.at == START + dt.timedelta(seconds=60)


@pytest.mark.parametrize("act", ACTS)
def test_a_write_without_what_it_needs_is_refused_before_anything_is_asked(desk: Desk, twin: Watched, acme: Json, act: str) -> None:
    before = len(twin.heard)
    for look in (desk.write, desk.find):
        with pytest.raises(BadRecord, match="needs its"):
            look(act)
    assert len(twin.heard) == before


@pytest.mark.parametrize("act", ACTS)
def test_what_is_no_value_at_all_is_one_of_the_four_refusals(desk: Desk, twin: Watched, acme: Json, act: str) -> None:
    body, _ = effects(acme, twin)[act]
    for name in body:
        for odd in ({"a": 1}, ["x"], -1, "\\'\"\u2028", "x" * 600, True):
            with contextlib.suppress(PortError):
                desk.write(act, f"7:{name}:1", **{**body, name: odd})


def test_an_act_it_has_no_word_for_is_unsupported(desk: Desk) -> None:
    with pytest.raises(Unsupported):
        desk.write("dunning_letter")


def test_a_long_key_goes_by_its_digest_and_still_marks_what_it_made(desk: Desk, twin: Watched, acme: Json) -> None:
    key = "connection 12: invoice " + "9" * 60
    receipt = desk.write("invoice", key, **form(acme))
    (name,) = {params["requestid"] for params in twin.requests("/invoice", "POST")}
    assert (len(name), name.isascii(), QB.owner(receipt.raw)) == (50, True, key.replace(" ", "_"))
    found = desk.find("invoice", key, **form(acme))
    assert found is not None
    assert found.raw.id == receipt.raw.id
