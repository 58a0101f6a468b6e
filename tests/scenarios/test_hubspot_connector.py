"""The HubSpot connector against the stand-in, over HTTP: history, changes, deletions, figures and notes back, and all that goes wrong.

Every request it makes and every answer it meets is held against HubSpot's own description, where that lies beside the project.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any

import httpx2
import jsonschema
import msgspec
import pytest
import stamina
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from tests.conftest import NOW
from tests.scenarios.hubspot_answers import UNDESCRIBED, book, described
from tieout.adapters.connectors.hubspot import changes, reading, remarks
from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Change, Command, OutcomeUnknown, Raw, Receipt, Ref
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, TryLater, Unsupported
from tieout.adapters.ports.http import Http
from tieout.core.documents import Deal, plain
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.hubspot import HubSpot, search
from tieout.rehearsal.twins.hubspot import catalogue as kinds
from tieout.rehearsal.twins.hubspot.records import Record
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.twin import Delivery

HUB = registry.connectors()["hubspot"]
#: One for all: a client that looks for certificates costs each test a fifth of a second.
LINE = httpx2.Client(timeout=5, trust_env=False, verify=False)
SECRET, APP, DOOR = "client-secret", 1_160_452, "https://ar.marrowlane.example/hooks/7?t=x"


class Watched(HubSpot):
    """The stand-in, with what came in and went out kept to be judged, and deliveries kept instead of posted."""

    def __init__(self, **given: Any) -> None:
        super().__init__(clock=lambda: NOW, **given)
        self.heard: list[tuple[str, str, bytes, int, bytes]] = []
        self.sent: list[Delivery] = []

    def _routed(self, request: Request) -> Response:
        response = super()._routed(request)
        self.heard.append((request.method, request.path, request.get_data(), response.status_code, response.get_data()))
        return response

    def post(self, delivery: Delivery) -> None:
        self.sent.append(delivery)

    def asked(self, path: str, method: str = "") -> list[Any]:
        """The bodies of all requests whose path ends so."""
        return [
            json.loads(body or b"null") for verb, asked, body, _, _ in self.heard if asked.endswith(path) and verb == (method or verb)
        ]  # fmt: skip


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
        self.twin = twin
        self.settings = {"account": str(twin.portal_id), "time_zone": "Europe/Berlin", "billing_label": "Billing contact"}
        options = {"deadline_seconds": 0.4, "attempts": 5, "client": LINE, **given}
        let_in = HUB.authorise({}, {"access_token": "pat-twin"})
        self.http = Http(base_url=url, **{"authorise": lambda: let_in, "now": twin.now, **options})
        self.cursor: Any = None

    def history(self, stream: str = "customers") -> list[Raw]:
        """A whole stream, page by page."""
        raws: list[Raw] = []
        cursor: dict[str, Any] = {}
        while True:
            page = HUB.page(self.http, self.settings, stream=stream, cursor=json.loads(json.dumps(cursor)))
            raws += page.raws
            if page.last:
                return raws
            cursor = dict(page.cursor)

    def start(self) -> None:
        self.cursor = HUB.start(self.http, self.settings)

    def steps(self) -> list[Change]:
        """All steps of one look at what changed."""
        found = []
        while True:
            step = HUB.changes(self.http, self.settings, cursor=json.loads(json.dumps(self.cursor)))
            self.cursor = step.cursor
            found.append(step)
            if step.last:
                return found

    def poll(self) -> list[Raw]:
        """What changed, read as it stands now."""
        return [raw for step in self.steps() for raw in (*step.raws, *self.reread(*step.refs))]

    def reread(self, *refs: Ref) -> tuple[Raw, ...]:
        return HUB.reread(self.http, self.settings, refs=refs)

    def customer(self, ident: str) -> dict[str, Any]:
        (raw,) = (raw for raw in self.reread(Ref("customers", ident)) if raw.id == ident)
        return self.said(raw)

    def said(self, raw: Raw) -> dict[str, Any]:
        (record,) = HUB.translate(raw, self.settings)
        return plain(record)

    def write(self, act: str, key: str = "k", **body: Any) -> Receipt:
        return HUB.write(self.http, self.settings, Command(act=act, key=key, body=body))

    def find(self, act: str, key: str = "k", **body: Any) -> Receipt | None:
        return HUB.find(self.http, self.settings, Command(act=act, key=key, body=body))


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
    judge(twin)


@pytest.fixture
def desk(twin: Watched, front: tuple[Front, str]) -> Desk:
    return Desk(twin, front[1])


def judge(twin: Watched) -> int:
    """Hold what was asked and answered against the description, where there is one; returns how many requests that were."""
    known, count = book(), 0
    for method, path, body, status, answer in twin.heard if known else ():
        if UNDESCRIBED.search(path):
            continue
        assert known is not None
        if body and status < 400:
            for operation in known._operations(method, path):
                content = known.operations[operation]["requestBody"]["content"]
                schema = {**next(iter(content.values()))["schema"], "components": known.documents[operation.document]["components"]}
                jsonschema.Draft202012Validator(schema).validate(_with_plain_sorts(json.loads(body)))
        known.check(method, path, status, json.loads(answer) if answer else None)
        count += 1
    return count


def _with_plain_sorts(body: Any) -> Any:
    # HubSpot describes a sort as text and explains it as an object; the object is what its guide shows.
    return {**body, "sorts": [one["propertyName"] for one in body["sorts"]]} if isinstance(body, dict) and "sorts" in body else body


def ids(raws: Iterable[Raw]) -> list[tuple[str, str]]:
    """(id, how it is gone) of each."""
    return [(raw.id, raw.gone) for raw in raws]


def named(record: Record) -> str:
    """A contact as a customer of its own."""
    return f"contact-{record.id}"


def of(record: Record) -> Ref:
    return Ref({"companies": "customers"}.get(record.kind.name, record.kind.name), record.id)


# What was described


def test_what_we_ask_is_what_hubspot_describes(desk: Desk, twin: Watched) -> None:
    described()
    firm = twin.company("Alder")
    twin.contact("ada@alder.example", company=firm)
    twin.deal("Order", company=firm, amount="10")
    desk.start()
    desk.history()
    desk.history("deals")
    desk.poll()
    desk.write("status", customers=[figures(firm)])
    desk.write("company", ours="12", name="Bramble")
    desk.write("document", company=firm.id, number="A-1", amount="10", currency="EUR", status="open")
    desk.write("document", "k2", company=firm.id, number="A-1", amount="10", currency="EUR", status="paid")
    assert judge(twin) > 30


# Whom we reach


def test_the_account_says_who_it_is(desk: Desk, twin: Watched) -> None:
    account = HUB.account(desk.http, {})
    assert (account.id, account.name, account.currency, account.live) == ("145000333", "HubSpot account 145000333", "EUR", True)


# History


def test_a_company_comes_with_its_only_contact(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder Ceramics", domain="alder.example", city="Larkfield", country="Germany", phone="+49 30 7")
    twin.contact("ada@alder.example", company=firm, firstname="Ada", hs_language="de")
    (raw,) = desk.history()
    assert desk.said(raw) == {
        "kind": "customer", "source_format": "hubspot", "customer_id": firm.id, "name": "Alder Ceramics", "city": "Larkfield", "country": "DE",
        "phone": "+49 30 7", "email": "ada@alder.example", "language": "de",
    }  # fmt: skip
    assert raw.changed_at == NOW


def test_of_several_contacts_only_the_labelled_one_is_written_to(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    twin.contact("sales@alder.example", company=firm)
    accounts = twin.contact("accounts@agency.example", company=twin.company("The agency"))
    twin.associate(accounts, firm)
    assert "email" not in desk.customer(firm.id)
    twin.label("contacts", "companies", "Billing contact")
    twin.associate(accounts, firm, "Billing contact")
    assert desk.customer(firm.id)["email"] == "accounts@agency.example"


def test_a_contact_without_a_company_is_a_customer_of_its_own(desk: Desk, twin: Watched) -> None:
    juno = twin.contact("juno@marsh.example", firstname="Juno", lastname="Marsh", mobilephone="+43 1")
    (raw,) = desk.history()
    assert raw.id == named(juno)
    assert desk.said(raw) == {
        "kind": "customer", "source_format": "hubspot", "customer_id": named(juno), "name": "Juno Marsh", "email": "juno@marsh.example",
        "phone": "+43 1",
    }  # fmt: skip


def test_a_company_that_is_not_the_primary_one_is_a_company_all_the_same(desk: Desk, twin: Watched) -> None:
    firm, ada = twin.company("Alder"), twin.contact("ada@alder.example")
    twin.associate(ada, firm)
    assert ada.properties.get("associatedcompanyid") is None
    assert ids(desk.history()) == [(firm.id, "")]


def test_every_page_of_a_long_history_is_read_once(desk: Desk, twin: Watched) -> None:
    firms = twin.fill(230)
    people = [twin.contact(f"p{number}@person.example") for number in range(120)]
    raws = desk.history()
    assert [raw.id for raw in raws] == [firm.id for firm in firms] + [named(one) for one in people]
    assert desk.said(raws[0])["email"] == "accounts@alder-ceramics-1.example"
    assert len(desk.history("deals")) == 77


def test_an_empty_account_has_an_empty_history(desk: Desk) -> None:
    assert (desk.history(), desk.history("deals")) == ([], [])


def test_a_company_that_moves_while_we_read_is_met(desk: Desk, twin: Watched) -> None:
    twin.fill(150, deals=False)
    twin.faults.put(Fault(fault="moving", path="companies$", method="GET", after=1))
    assert len(desk.history()) == 150


def test_a_stream_it_does_not_have_is_unsupported(desk: Desk) -> None:
    with pytest.raises(Unsupported):
        desk.history("tickets")


def test_a_deal_belongs_to_its_primary_company(desk: Desk, twin: Watched) -> None:
    first, second = twin.company("Alder"), twin.company("Bramble")
    deal = twin.deal("Order", company=first, amount="1200.50", closedate="2026-07-01T10:00:00Z")
    twin.associate(deal, second)
    (raw,) = desk.history("deals")
    assert desk.said(raw) == {
        "kind": "deal", "source_format": "hubspot", "deal_id": deal.id, "name": "Order", "stage": "appointmentscheduled", "won": False,
        "customer_id": first.id, "amount": "1200.50", "currency": "EUR", "close_date": "2026-07-01",
    }  # fmt: skip


def test_a_deal_of_a_person_belongs_to_the_person_or_to_the_persons_company(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    twin.deal("Lessons", contact=twin.contact("juno@marsh.example"))
    twin.deal("Order", contact=twin.contact("ada@alder.example", company=firm))
    twin.deal("Nobody's")
    shared = twin.deal("Two people's", contact=twin.contact("one@x.example"))
    twin.associate(shared, twin.contact("two@x.example"))
    told = {said["name"]: said.get("customer_id") for said in map(desk.said, desk.history("deals"))}
    juno = next(one for one in twin.everyone("contacts") if one.properties["email"] == "juno@marsh.example")
    assert told == {"Lessons": named(juno), "Order": firm.id, "Nobody's": None, "Two people's": None}


def test_the_currency_of_the_account_is_asked_for_once_and_only_where_a_deal_names_none(desk: Desk, twin: Watched) -> None:
    twin.deal("In pounds", amount="10", deal_currency_code="GBP")
    desk.history("deals")
    assert twin.asked("/details") == []
    twin.deal("Bare", amount="20")
    twin.deal("Bare too", amount="30")
    assert [desk.said(raw)["currency"] for raw in desk.history("deals")] == ["GBP", "EUR", "EUR"]
    assert len(twin.asked("/details")) == 1


# Changes


def settled(desk: Desk) -> None:
    """Followed, and long enough ago that nothing can be on its way into the index."""
    desk.start()
    desk.poll()
    desk.twin.move_clock(300)
    desk.poll()
    desk.poll()


def test_each_change_is_told_once(desk: Desk, twin: Watched) -> None:
    firm, other = twin.company("Alder"), twin.company("Bramble")
    deal = twin.deal("Order", company=firm)
    settled(desk)
    assert desk.poll() == []
    twin.change(other, city="Larkfield")
    twin.win(deal)
    told = desk.poll()
    assert ids(told) == [(other.id, ""), (deal.id, "")]
    assert desk.said(told[0])["city"] == "Larkfield"
    assert desk.said(told[1])["won"] is True
    assert desk.poll() == []


def test_a_company_born_after_the_start_is_told_and_one_before_is_not(desk: Desk, twin: Watched) -> None:
    twin.company("Old")
    twin.move_clock(3600)
    twin.company("Newest")
    desk.start()
    born = twin.company("Born")
    assert {desk.said(raw)["name"] for raw in desk.poll()} == {"Newest", "Born"}
    assert born.id


def test_a_changed_contact_is_a_change_of_every_company_it_belongs_to(desk: Desk, twin: Watched) -> None:
    first, second = twin.company("Alder"), twin.company("Bramble")
    ada = twin.contact("ada@alder.example", company=first)
    twin.associate(ada, second)
    twin.move_clock(30 * 86_400)
    settled(desk)
    twin.change(ada, email="ada.quist@alder.example")
    told = desk.poll()
    assert ids(told) == [(first.id, ""), (second.id, "")]
    assert {desk.said(raw)["email"] for raw in told} == {"ada.quist@alder.example"}


def test_a_young_contact_that_is_filed_under_a_company_ends_as_a_customer_of_its_own(desk: Desk, twin: Watched) -> None:
    ada = twin.contact("ada@alder.example")
    settled(desk)
    firm = twin.company("Alder")
    twin.associate(ada, firm, "Primary")
    twin.change(ada, lastname="Quist")
    assert set(ids(desk.poll())) == {(named(ada), "merged"), (firm.id, "")}


def test_an_old_contact_that_is_filed_under_a_company_is_noticed_when_all_is_read_anew(desk: Desk, twin: Watched) -> None:
    ada = twin.contact("ada@alder.example")
    twin.move_clock(8 * 86_400)
    settled(desk)
    firm = twin.company("Alder")
    twin.associate(ada, firm, "Primary")
    twin.change(ada, lastname="Quist")
    assert set(ids(desk.poll())) == {(firm.id, "")}
    assert named(ada) not in [raw.id for raw in desk.history()]
    assert set(ids(desk.reread(Ref("customers", named(ada))))) == {(named(ada), "merged"), (firm.id, "")}


def test_no_search_asks_past_the_end_of_results(desk: Desk, twin: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.start()
    firms = twin.fill(400, contacts=False, deals=False)
    monkeypatch.setattr(search, "LAST", 120)
    assert [raw.id for raw in desk.poll()] == [firm.id for firm in firms]
    assert {asked["after"] for asked in twin.asked("/search")} == {"0"}


def test_many_changes_of_one_moment_are_all_told_and_each_once(desk: Desk, twin: Watched) -> None:
    desk.start()
    firms = [twin.company(f"Company {number}") for number in range(330)]
    told = [ref for step in desk.steps() for ref in step.refs]
    assert sorted(told) == sorted(of(firm) for firm in firms)
    assert [ref for step in desk.steps() for ref in step.refs] == []


def test_a_record_that_moves_during_the_walk_is_not_lost(desk: Desk, twin: Watched) -> None:
    desk.start()
    firms = twin.fill(250, contacts=False, deals=False)
    twin.faults.put(Fault(fault="moving", path="companies/search", after=1))
    told = [ref for step in desk.steps() for ref in step.refs]
    assert set(told) == {of(firm) for firm in firms}


def test_what_the_index_does_not_know_yet_is_told_once_it_does(front: tuple[Front, str]) -> None:
    front[0].twin = twin = Watched(index_lag_seconds=40)
    firm = twin.company("Alder")
    twin.move_clock(300)
    desk = Desk(twin, front[1])
    desk.start()
    desk.poll()
    twin.change(firm, city="Larkfield")
    twin.move_clock(10)
    assert desk.poll() == []
    twin.move_clock(40)
    assert [desk.said(raw)["city"] for raw in desk.poll()] == ["Larkfield"]
    assert desk.poll() == []


def test_what_comes_late_into_the_index_beside_newer_changes_is_still_met(desk: Desk, twin: Watched) -> None:
    twin.company("Newest")
    desk.start()
    desk.poll()
    late = twin.place(kinds.kind("companies"), twin.next_id(), {"name": "Late"}, twin.ago(90))
    twin.move_clock(60)
    assert [raw.id for raw in desk.poll()] == [late.id]


def test_a_quiet_account_is_not_asked_for_the_same_changes_again_and_again(desk: Desk, twin: Watched) -> None:
    twin.fill(300)
    desk.start()
    settled(desk)
    twin.heard.clear()
    desk.poll()
    searched = [json.loads(answer) for _, path, _, _, answer in twin.heard if path.endswith("/search")]
    assert [answer["total"] for answer in searched] == [0, 0, 0]


def test_a_mass_change_is_remembered_in_part_and_told_whole(desk: Desk, twin: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_SEEN", 50)
    desk.start()
    firms = [twin.company(f"Company {number}") for number in range(230)]
    assert {ref for step in desk.steps() for ref in step.refs} == {of(firm) for firm in firms}
    assert len(json.dumps(desk.cursor)) < 3_000
    twin.move_clock(300)
    desk.steps()
    assert [ref for step in desk.steps() for ref in step.refs] == []


def test_an_index_that_orders_by_what_was_and_shows_what_is_hides_nothing(desk: Desk, twin: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.start()
    firms = twin.fill(250, contacts=False, deals=False)
    found = search.found

    def fresher(query: Any, kind: Any, candidates: Any) -> Any:
        # The last of the first page has changed just now, and still stands where it stood.
        hits = found(query, kind, candidates)
        if len(hits) == 250:
            record, version = hits[99]
            now = {**version.properties, "hs_lastmodifieddate": "2026-06-10T09:30:00Z"}
            hits[99] = (record, msgspec.structs.replace(version, properties=now))
        return hits

    monkeypatch.setattr(search, "found", fresher)
    assert {ref for step in desk.steps() for ref in step.refs} == {of(firm) for firm in firms}


def test_records_that_do_not_say_when_they_changed_need_a_person(desk: Desk, twin: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.start()
    twin.fill(120, contacts=False, deals=False)
    timeless = {"results": [{"id": str(number), "properties": {}} for number in range(100)]}
    monkeypatch.setattr(twin, "searched", lambda request, called: twin.answer(timeless))
    with pytest.raises(NeedsPerson, match="modified"):
        desk.steps()
    twin.heard.clear()


# Deletions


def test_what_was_archived_is_told_once_for_companies_people_and_deals(desk: Desk, twin: Watched) -> None:
    firm, juno = twin.company("Alder"), twin.contact("juno@marsh.example")
    deal = twin.deal("Order", company=firm)
    settled(desk)
    for record in (firm, juno, deal):
        twin.archive(record)
    twin.move_clock(1_000)
    assert set(ids(desk.poll())) == {(firm.id, "archived"), (named(juno), "archived"), (deal.id, "archived")}
    twin.move_clock(1_000)
    assert desk.poll() == []


def test_the_archive_is_not_walked_with_every_look(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    settled(desk)
    twin.heard.clear()
    twin.archive(firm)
    twin.move_clock(60)
    assert desk.poll() == []
    assert [method for method, *_ in twin.heard] == ["POST", "POST", "POST"]


def test_a_long_archive_is_walked_to_its_end_and_its_past_is_left_alone(desk: Desk, twin: Watched) -> None:
    for firm in twin.fill(150, contacts=False, deals=False):
        twin.archive(firm)
    twin.move_clock(86_400)
    desk.start()
    assert desk.poll() == []
    fresh = twin.company("Fresh")
    desk.poll()
    twin.archive(fresh)
    twin.move_clock(1_000)
    assert ids(desk.poll()) == [(fresh.id, "archived")]


def test_the_company_of_an_archived_contact_is_looked_at(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    ada = twin.contact("ada@alder.example", company=firm)
    settled(desk)
    twin.archive(ada)
    twin.move_clock(1_000)
    told = desk.poll()
    assert ids(told) == [(named(ada), "archived"), (firm.id, "")]
    assert "email" not in desk.said(told[1])
    assert ids(desk.reread(Ref("contacts", ada.id))) == ids(told)


def test_what_is_restored_is_told_again(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    settled(desk)
    twin.archive(firm)
    twin.move_clock(1_000)
    desk.poll()
    twin.restore(firm)
    assert ids(desk.poll()) == [(firm.id, "")]


# Single records


def test_what_is_not_there_is_gone_and_says_how(desk: Desk, twin: Watched) -> None:
    firm, deal, juno = twin.company("Alder"), twin.deal("Order"), twin.contact("juno@marsh.example")
    for record in (firm, deal, juno):
        twin.archive(record)
    refs = (of(firm), of(deal), Ref("customers", named(juno)), Ref("customers", "999"), Ref("deals", "998"), Ref("customers", "contact-997"))
    assert set(ids(desk.reread(*refs))) == {
        (firm.id, "archived"), (deal.id, "archived"), (named(juno), "archived"), ("999", "deleted"), ("998", "deleted"), ("contact-997", "deleted"),
    }  # fmt: skip


def test_an_id_that_is_no_number_is_gone_without_being_asked_for(desk: Desk, twin: Watched) -> None:
    assert ids(desk.reread(Ref("customers", "C-7"), Ref("customers", "contact-"))) == [("contact-", "deleted"), ("C-7", "deleted")]
    assert twin.heard == []


def test_many_records_are_read_a_hundred_at_a_time(desk: Desk, twin: Watched) -> None:
    firms = twin.fill(230, deals=False)
    assert [raw.id for raw in desk.reread(*(of(firm) for firm in firms))] == [firm.id for firm in firms]
    assert [len(asked["inputs"]) for asked in twin.asked("/companies/batch/read")] == [100, 100, 30]
    assert len(twin.asked("/companies/contacts/batch/read")) == 1


def test_a_record_asked_for_twice_is_read_once(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    ada = twin.contact("ada@alder.example", company=firm)
    twin.move_clock(30 * 86_400)
    assert ids(desk.reread(of(firm), Ref("contacts", ada.id), of(firm), Ref("contacts", ada.id))) == [(firm.id, "")]


# The door


def delivered(twin: Watched, *, signature: str = "v3") -> list[tuple[dict[str, str], bytes]]:
    """What the stand-in would send now, signed."""
    twin.sent.clear()
    twin._gather()
    return [({k.lower(): v for k, v in one.sign(one.body, twin.now()).items()}, one.body) for one in twin.sent]


@pytest.mark.parametrize("signature", ["v3", "v1"])
def test_what_the_stand_in_sends_opens_the_door_and_says_what_to_read(desk: Desk, twin: Watched, signature: str) -> None:
    twin.subscribe(DOOR, SECRET, APP, signatures=(signature,))
    firm = twin.company("Alder")
    ada = twin.contact("ada@alder.example", company=firm)
    twin.win(twin.deal("Order", company=firm))
    refs: list[Ref] = []
    for headers, body in delivered(twin):
        name = HUB.delivery(headers=headers, body=body, url=DOOR, secrets=(SECRET,), now=twin.now())
        again = json.dumps([{**event, "attemptNumber": 1} for event in json.loads(body)]).encode()
        resigned = twin.sent[0].sign(again, twin.now())
        assert HUB.delivery(headers={k.lower(): v for k, v in resigned.items()}, body=again, url=DOOR, secrets=(SECRET,), now=twin.now()) == name
        refs += HUB.hints(body=body, settings=desk.settings)
    assert {raw.id for raw in desk.reread(*refs)} == {firm.id, named(ada), twin.everyone("deals")[0].id}


def test_the_echo_of_our_own_figures_is_no_hint(desk: Desk, twin: Watched) -> None:
    twin.subscribe(DOOR, SECRET, APP)
    firm = twin.company("Alder")
    delivered(twin)
    desk.write("status", customers=[figures(firm)])
    ((_, body),) = delivered(twin)
    assert len(json.loads(body)) == 6
    assert HUB.hints(body=body, settings={**desk.settings, "app_id": str(twin.private_app_id)}) == ()
    assert HUB.hints(body=body, settings=desk.settings) == (of(firm),)


def test_events_of_another_account_are_left_out(desk: Desk, twin: Watched) -> None:
    twin.subscribe(DOOR, SECRET, APP)
    twin.company("Alder")
    body = delivered(twin)[0][1]
    assert HUB.hints(body=body, settings={"account": "1"}) == ()


# What goes wrong while reading


def test_a_pause_hubspot_asks_for_is_kept_and_reading_goes_on(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    twin.faults.put(Fault(fault="too_many", times=3, retry_after=0))
    assert ids(desk.history()) == [(firm.id, "")]


def test_a_pause_without_an_end_is_told_as_try_later(desk: Desk, twin: Watched) -> None:
    twin.faults.put(Fault(fault="too_many", times=0))
    with pytest.raises(TryLater):
        desk.history()


def test_a_long_pause_is_told_with_its_end(desk: Desk, twin: Watched) -> None:
    desk.start()
    twin.faults.put(Fault(fault="too_many", path="/search", times=0, retry_after=90))
    with pytest.raises(TryLater) as told:
        desk.poll()
    assert told.value.at == NOW + dt.timedelta(seconds=90)


@pytest.mark.parametrize("fault", ["error_before", "error_after", "silent_after", "cut", "truncated"])
@pytest.mark.parametrize("path", ["companies$", "contacts/search", "contacts/batch/read", "companies/contacts/batch/read"])
def test_a_read_that_fails_is_asked_again(desk: Desk, twin: Watched, fault: str, path: str) -> None:
    firm = twin.company("Alder")
    twin.contact("ada@alder.example", company=firm)
    twin.faults.put(Fault(fault=fault, path=path, times=2))
    (raw,) = desk.history()
    assert desk.said(raw)["email"] == "ada@alder.example"


def test_an_interrupted_look_goes_on_from_its_last_step(desk: Desk, twin: Watched) -> None:
    desk.start()
    firms = twin.fill(150, contacts=False, deals=False)
    twin.faults.put(Fault(fault="error_before", path="companies/search", after=1, times=0))
    step = HUB.changes(desk.http, desk.settings, cursor=desk.cursor)
    with pytest.raises(TryLater):
        HUB.changes(desk.http, desk.settings, cursor=step.cursor)
    twin.faults.put()
    desk.cursor = step.cursor
    assert [*step.refs, *(ref for one in desk.steps() for ref in one.refs)] == [of(firm) for firm in firms]


def test_an_expired_token_is_renewed_once_and_reading_goes_on(twin: Watched, front: tuple[Front, str]) -> None:
    tokens = twin.authorise()
    held = {"access_token": tokens["access_token"]}
    renewed: list[str] = []

    def renew() -> bool:
        renewed.append("asked")
        held["access_token"] = twin.authorise()["access_token"]
        return True

    desk = Desk(twin, front[1], authorise=lambda: HUB.authorise({}, held), renew=renew)
    firm = twin.company("Alder")
    assert ids(desk.history()) == [(firm.id, "")]
    twin.move_clock(1_801)
    assert ids(desk.history()) == [(firm.id, "")]
    assert renewed == ["asked"]


def test_a_token_that_is_no_good_needs_a_person(twin: Watched, front: tuple[Front, str]) -> None:
    desk = Desk(twin, front[1], authorise=lambda: HUB.authorise({}, {"access_token": "pat-withdrawn"}))
    with pytest.raises(NeedsPerson, match="connect again") as told:
        HUB.account(desk.http, {})
    assert "pat-withdrawn" not in str(told.value)


def test_an_answer_of_another_version_is_read_as_far_as_it_is_known(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    twin.deal("Order", company=firm, dealstage="contractsent")
    twin.faults.put(Fault(fault="version", times=0))
    assert ids(desk.history()) == [(firm.id, "")]
    (raw,) = desk.history("deals")
    (deal,) = HUB.translate(raw, desk.settings)
    assert isinstance(deal, Deal)
    assert (deal.stage, deal.customer_id) == ("OF_TOMORROW", firm.id)


def test_a_list_of_another_form_needs_a_person(desk: Desk, twin: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin, "listed", lambda request, called: twin.answer({"items": []}))
    twin.heard.clear()
    with pytest.raises(NeedsPerson, match="describes"):
        desk.history()
    twin.heard.clear()


# Figures


def figures(record: Record, **given: Any) -> dict[str, Any]:
    ident = record.id if record.kind.name == "companies" else named(record)
    return {"company": ident, "balance": "1200.5", "overdue": "0", "currency": "EUR", "oldest_due": "2026-05-01", "risk": "low", **given}


def ours(record: Record) -> dict[str, str]:
    return {name.removeprefix("tieout_"): value for name, value in record.properties.items() if name.startswith("tieout_")}


def test_figures_make_their_properties_on_first_use_and_stand_there_as_decimals(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    receipt = desk.write("status", customers=[figures(firm, ours="41")])
    assert ours(firm) == {
        "balance": "1200.50", "overdue": "0.00", "currency": "EUR", "oldest_due": "2026-05-01", "risk": "low", "customer_id": "41",
        "updated_at": "2026-06-10T09:30:00Z",
    }  # fmt: skip
    assert (receipt.found, receipt.raw.id, receipt.said) == (False, firm.id, "1 written, 0 as they were, 0 refused")
    defined = twin.definitions["companies"]
    assert {defined[name].group for name in defined if name.startswith("tieout_")} == {"tieout_receivables"}
    assert [(defined[f"tieout_{name}"].type, defined[f"tieout_{name}"].unique) for name in ("balance", "oldest_due", "customer_id")] == [
        ("number", False), ("date", False), ("string", True),
    ]  # fmt: skip


def test_figures_that_stand_there_already_are_not_written_again(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    desk.write("status", customers=[figures(firm)])
    before = dict(firm.properties)
    twin.move_clock(60)
    receipt = desk.write("status", "k2", customers=[figures(firm, balance="1200.50")])
    assert receipt.found
    assert firm.properties == before
    assert len(twin.asked("/batch/update")) == 1


def test_only_what_differs_is_written(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    desk.write("status", customers=[figures(firm)])
    twin.move_clock(60)
    desk.write("status", customers=[figures(firm, balance="0", oldest_due=None)])
    ((given,),) = [[one["properties"] for one in asked["inputs"]] for asked in twin.asked("/batch/update")[1:]]
    assert given == {"tieout_balance": "0.00", "tieout_oldest_due": "", "tieout_updated_at": "2026-06-10T09:31:00.000Z"}
    assert "oldest_due" not in ours(firm)


def test_a_risk_nobody_speaks_of_stays_and_an_empty_one_is_taken_away(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    row = figures(firm, risk="high")
    desk.write("status", customers=[row])
    desk.write("status", customers=[{name: value for name, value in row.items() if name != "risk"} | {"balance": "7"}])
    assert (ours(firm)["risk"], ours(firm)["balance"]) == ("high", "7.00")
    desk.write("status", customers=[{**row, "risk": None}])
    assert "risk" not in ours(firm)


def test_figures_of_many_companies_go_a_hundred_at_a_time(desk: Desk, twin: Watched) -> None:
    firms = twin.fill(230, contacts=False, deals=False)
    receipt = desk.write("status", customers=[figures(firm, balance=str(number)) for number, firm in enumerate(firms)])
    assert receipt.said == "230 written, 0 as they were, 0 refused"
    assert [len(asked["inputs"]) for asked in twin.asked("/batch/update")] == [100, 100, 30]
    assert ours(firms[229])["balance"] == "229.00"


def test_figures_of_a_customer_without_a_company_stand_on_the_contact(desk: Desk, twin: Watched) -> None:
    juno, firm = twin.contact("juno@marsh.example"), twin.company("Alder")
    desk.write("status", customers=[figures(juno), figures(firm, balance="3")])
    assert (ours(juno)["balance"], ours(firm)["balance"]) == ("1200.50", "3.00")


def test_one_that_is_refused_holds_back_no_other(desk: Desk, twin: Watched) -> None:
    firm, gone = twin.company("Alder"), twin.company("Gone")
    twin.archive(gone)
    rows = [
        figures(firm), figures(gone), figures(firm, company="C-7"), figures(firm, company="999", balance="1.001"),
        figures(firm, company="998", currency="DM"), figures(firm, company="997", oldest_due="May"), figures(firm, company="996", overdue=""),
    ]  # fmt: skip
    receipt = desk.write("status", customers=rows)
    became = json.loads(receipt.raw.body)
    assert became["written"] == [firm.id]
    assert set(became["refused"]) == {gone.id, "C-7", "999", "998", "997", "996"}
    assert became["refused"][gone.id] == "it is not there"
    assert "1.001" in became["refused"]["999"]
    with pytest.raises(BadRecord, match="none of the figures"):
        desk.write("status", customers=rows[1:])


def test_two_companies_that_are_one_customer_both_say_the_figures(desk: Desk, twin: Watched) -> None:
    first, second = twin.company("Alder"), twin.company("Alder Ceramics")
    desk.write("status", customers=[figures(first, ours="41")])
    receipt = desk.write("status", customers=[figures(second, ours="41")])
    assert receipt.said == "1 written, 0 as they were, 0 refused"
    assert (ours(second)["balance"], "customer_id" in ours(second)) == ("1200.50", False)
    assert desk.write("status", customers=[figures(second, ours="41")]).found


def test_what_hubspot_refuses_of_one_company_is_told_in_its_words(desk: Desk, twin: Watched) -> None:
    good, bad = twin.company("Alder"), twin.company("Bramble")
    desk.write("status", customers=[figures(good)])
    receipt = desk.write("status", customers=[figures(good, balance="5"), figures(bad, risk="x" * 70_000)])
    assert "2 written" not in receipt.said
    assert "longer than 65536" in json.loads(receipt.raw.body)["refused"][bad.id]
    assert ours(good)["balance"] == "5.00"


def test_properties_somebody_else_makes_at_the_same_time_are_as_good(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    # Made, and the answer lost: asked again, everything is there already.
    twin.faults.put(Fault(fault="error_after", path="properties/.*/groups"), Fault(fault="error_after", path="properties/.*/batch/create"))
    desk.write("status", customers=[figures(firm)])
    assert ours(firm)["balance"] == "1200.50"


def test_properties_an_account_has_no_room_for_need_a_person(desk: Desk, twin: Watched) -> None:
    for number in range(10):
        twin.definitions["companies"][f"mine_{number}"] = _unique(f"mine_{number}")
    with pytest.raises(NeedsPerson, match="tieout_customer_id"):
        desk.write("status", customers=[figures(twin.company("Alder"))])


def _unique(name: str) -> Any:
    from tieout.rehearsal.twins.hubspot.definitions import Definition

    return Definition(name=name, label=name, type="string", field_type="text", group="companyinformation", unique=True)


@pytest.mark.parametrize("fault", ["error_before", "error_after", "silent_after", "cut", "truncated"])
def test_figures_whose_answer_is_lost_are_simply_written_again(desk: Desk, twin: Watched, fault: str) -> None:
    firm = twin.company("Alder")
    twin.faults.put(Fault(fault=fault, path="batch/update"))
    assert desk.write("status", customers=[figures(firm)]).said.startswith("1 written")
    assert ours(firm)["balance"] == "1200.50"


def test_figures_are_found_where_every_company_says_them(desk: Desk, twin: Watched) -> None:
    firm, other = twin.company("Alder"), twin.company("Bramble")
    rows = [figures(firm), figures(other)]
    assert desk.find("status", customers=rows) is None
    desk.write("status", customers=rows[:1])
    assert desk.find("status", customers=rows) is None
    desk.write("status", customers=rows)
    found = desk.find("status", customers=rows)
    assert found is not None
    assert found.found
    assert desk.find("status", customers=[figures(firm, balance="1")]) is None


# A company for a customer born elsewhere


def test_a_company_is_made_once_and_never_written_over(desk: Desk, twin: Watched) -> None:
    body = {"ours": "41", "name": "Bramble Supplies", "domain": "bramble.example", "city": "Leeds", "country": "GB", "email": "a@bramble.example"}
    assert desk.find("company", **body) is None
    made = desk.write("company", "7:customer:customer:41:1", **body)
    (firm,) = twin.everyone("companies")
    assert (made.found, made.raw.id, firm.properties["domain"]) == (False, firm.id, "bramble.example")
    assert HUB.owner(made.raw) == "7:customer:customer:41:1"
    assert desk.said(made.raw)["name"] == "Bramble Supplies"
    twin.change(firm, name="Bramble Ltd")
    again = desk.write("customer", "another key", **body)
    assert (again.found, again.raw.id, firm.properties["name"]) == (True, firm.id, "Bramble Ltd")
    assert desk.find("company", **body) == again


@pytest.mark.parametrize("fault", ["error_after", "silent_after", "cut", "truncated"])
def test_a_company_whose_answer_is_lost_is_made_once(desk: Desk, twin: Watched, fault: str) -> None:
    twin.faults.put(Fault(fault=fault, path="batch/upsert"))
    desk.write("company", ours="a/b c?", name="Bramble")
    assert [firm.properties["tieout_customer_id"] for firm in twin.everyone("companies")] == ["a/b c?"]
    assert desk.write("company", ours="a/b c?", name="Bramble").found


def test_a_company_we_gave_a_number_by_its_figures_is_the_customers_company(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    desk.write("status", customers=[figures(firm, ours="41")])
    assert desk.write("company", ours="41", name="Alder Ceramics").raw.id == firm.id


@pytest.mark.parametrize("fault", ["", "error_after", "silent_after", "cut", "truncated"])
def test_a_property_of_a_company_changes_and_the_rest_stays(desk: Desk, twin: Watched, fault: str) -> None:
    firm = twin.company("The Water People", phone="+49 30 1234", city="Hamburg")
    wanted = {"customer": firm.id, "field": "name", "value": "Brightwater Foods GmbH"}
    assert desk.find("update_customer", **wanted) is None
    if fault:
        twin.faults.put(Fault(fault=fault, method="PATCH"))
    raw = desk.write("update_customer", **wanted).raw
    assert (desk.said(raw)["name"], firm.properties["phone"], firm.properties["city"]) == ("Brightwater Foods GmbH", "+49 30 1234", "Hamburg")
    assert desk.find("update_customer", **wanted) is not None


@pytest.mark.parametrize(("customer", "field"), [("1", "email"), ("contact-1", "name"), ("1", "language")])
def test_what_is_no_companys_is_not_changed(desk: Desk, twin: Watched, customer: str, field: str) -> None:
    before = len(twin.heard)
    with pytest.raises((Unsupported, BadRecord)):
        desk.write("update_customer", customer=customer, field=field, value="x")
    assert len(twin.heard) == before


def test_our_own_company_comes_back_as_ours(desk: Desk, twin: Watched) -> None:
    settled(desk)
    desk.write("company", "key-1", ours="41", name="Bramble")
    (raw,) = desk.poll()
    assert HUB.owner(raw) == "key-1"


# Documents


def invoice(firm: Record, **given: Any) -> dict[str, Any]:
    return {
        "company": firm.id, "number": "2026-014", "amount": "1190", "currency": "EUR", "status": "open", "due_date": "2026-07-10",
        "url": "https://ar.marrowlane.example/i/14?a=1&b=2", **given,
    }  # fmt: skip


def noted(twin: Watched) -> list[str]:
    """The words of all notes, without our own line."""
    return [note.properties["hs_note_body"].partition("<p>Tieout:")[0] for note in twin.everyone("notes")]


def test_a_document_is_one_note_that_follows_it(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    deal = twin.deal("Order", company=firm)
    first = desk.write("document", "3:document:14:1", **invoice(firm))
    link = '<a href="https://ar.marrowlane.example/i/14?a=1&amp;b=2">Invoice 2026-014</a>'
    assert noted(twin) == [f"<p>{link}: 1190.00 EUR, open, due 2026-07-10</p>"]
    assert desk.write("document", "3:document:14:1", **invoice(firm)).found
    second = desk.write("document", "3:document:14:2", **invoice(firm, status="paid", deal=deal.id))
    assert noted(twin) == [f"<p>{link}: 1190.00 EUR, paid, due 2026-07-10</p>"]
    assert first.raw.id == second.raw.id
    assert [HUB.owner(one.raw) for one in (first, second)] == ["3:document:14:1", "3:document:14:2"]
    (note,) = twin.everyone("notes")
    assert [other.id for kind in ("companies", "deals") for other, _ in twin.tied(note, kinds.kind(kind))] == [firm.id, deal.id]


def test_documents_of_two_companies_may_have_one_number(desk: Desk, twin: Watched) -> None:
    for firm in (twin.company("Alder"), twin.company("Bramble")):
        desk.write("document", firm.id, **invoice(firm, url=None, due_date=None))
    assert noted(twin) == ["<p>Invoice 2026-014: 1190.00 EUR, open</p>"] * 2


def test_a_document_counts_as_told_only_where_the_note_says_this_very_thing(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    assert desk.find("document", "k1", **invoice(firm)) is None
    desk.write("document", "k1", **invoice(firm))
    assert desk.find("document", "k1", **invoice(firm)) is not None
    assert desk.find("document", "k2", **invoice(firm, status="paid")) is None


def test_a_note_a_person_deleted_is_made_anew(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    desk.write("document", "k1", **invoice(firm))
    twin.archive(twin.everyone("notes")[0])
    assert desk.find("document", "k1", **invoice(firm)) is None
    assert not desk.write("document", "k2", **invoice(firm)).found
    assert len(noted(twin)) == 1


@pytest.mark.parametrize(
    "wrong", [{"url": "javascript:alert(1)"}, {"amount": "1,190"}, {"currency": "EURO"}, {"amount": "1.005"}, {"company": "C-7"}]
)
def test_a_document_that_cannot_be_said_is_refused_before_anything_is_asked(desk: Desk, twin: Watched, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRecord):
        desk.write("document", **{**invoice(twin.company("Alder")), **wrong})
    assert twin.heard == []


def test_what_stands_in_a_document_is_words_and_never_html(desk: Desk, twin: Watched) -> None:
    desk.write("document", **invoice(twin.company("Alder"), number="<b>1</b>", status="<i>open</i>", url='https://x.example/"><script>'))
    link = '<a href="https://x.example/&quot;&gt;&lt;script&gt;">Invoice &lt;b&gt;1&lt;/b&gt;</a>'
    assert noted(twin) == [f"<p>{link}: 1190.00 EUR, &lt;i&gt;open&lt;/i&gt;, due 2026-07-10</p>"]


def test_a_company_or_a_deal_that_is_not_there_is_a_bad_record(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    with pytest.raises(BadRecord):
        desk.write("document", **{**invoice(firm), "company": "999"})
    with pytest.raises(BadRecord):
        desk.write("document", **invoice(firm, deal="998"))
    assert noted(twin) == []


# Notes and tasks


def remark(act: str, beside: str) -> dict[str, Any]:
    if act == "note":
        return {"company": beside, "text": "Promised to pay on Friday.\nBy transfer.", "at": "2026-06-10T11:15:00+02:00"}
    return {"company": beside, "subject": "Call about 2026-014", "due": "2026-06-12", "text": "Half of it is disputed."}


def everything(twin: Watched, act: str) -> list[Record]:
    return twin.everyone({"note": "notes", "task": "tasks"}[act])


def test_a_note_stands_at_its_moment(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    receipt = desk.write("note", "5:note:1", **remark("note", firm.id))
    (note,) = twin.everyone("notes")
    assert note.properties["hs_timestamp"] == "2026-06-10T09:15:00Z"
    assert noted(twin) == ["<p>Promised to pay on Friday.<br>By transfer.</p>"]
    assert (receipt.raw.stream, receipt.raw.id, HUB.owner(receipt.raw)) == ("notes", note.id, "5:note:1")


def test_a_task_falls_due_in_the_morning_of_its_day_by_the_organisations_clock(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    desk.write("task", "t1", **remark("task", firm.id), owner="7700001")
    desk.write("task", "t2", **{**remark("task", firm.id), "due": "2026-06-12T15:00:00Z", "text": ""})
    first, second = twin.everyone("tasks")
    assert {name: first.properties[name] for name in ("hs_timestamp", "hs_task_subject", "hs_task_status", "hs_task_type", "hubspot_owner_id")} == {
        "hs_timestamp": "2026-06-12T07:00:00Z", "hs_task_subject": "Call about 2026-014", "hs_task_status": "NOT_STARTED",
        "hs_task_type": "todo".upper(), "hubspot_owner_id": "7700001",
    }  # fmt: skip
    assert second.properties["hs_timestamp"] == "2026-06-12T15:00:00Z"


@pytest.mark.parametrize(("act", "wrong"), [("note", {"at": "yesterday"}), ("task", {"due": "soon"}), ("note", {"company": "contact-x"})])
def test_a_remark_without_a_moment_or_a_place_is_a_bad_record(desk: Desk, twin: Watched, act: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadRecord):
        desk.write(act, **{**remark(act, "1"), **wrong})
    assert everything(twin, act) == []


@pytest.mark.parametrize("act", ["note", "task"])
def test_a_remark_may_stand_beside_a_contact_without_a_company(desk: Desk, twin: Watched, act: str) -> None:
    juno = twin.contact("juno@marsh.example")
    desk.write(act, **remark(act, named(juno)))
    (made,) = everything(twin, act)
    assert [other.id for other, _ in twin.tied(made, kinds.kind("contacts"))] == [juno.id]
    assert desk.write(act, **remark(act, named(juno))).found


@pytest.mark.parametrize("act", ["note", "task"])
@pytest.mark.parametrize("fault", ["error_after", "silent_after", "truncated"])
def test_a_remark_that_was_made_and_whose_answer_was_lost_is_found_and_made_no_second_time(desk: Desk, twin: Watched, act: str, fault: str) -> None:
    firm = twin.company("Alder")
    twin.faults.put(Fault(fault=fault, path=f"/{act}s$", method="POST"))
    with pytest.raises(OutcomeUnknown):
        desk.write(act, "k1", **remark(act, firm.id))
    found = desk.find(act, "k1", **remark(act, firm.id))
    assert found is not None
    assert (found.found, HUB.owner(found.raw)) == (True, "k1")
    assert desk.write(act, "k1", **remark(act, firm.id)).raw.id == found.raw.id
    assert len(everything(twin, act)) == 1


@pytest.mark.parametrize("act", ["note", "task"])
@pytest.mark.parametrize("fault", ["error_before", "cut"])
def test_a_remark_that_was_not_made_is_not_found_and_made_the_next_time(desk: Desk, twin: Watched, act: str, fault: str) -> None:
    firm = twin.company("Alder")
    twin.faults.put(Fault(fault=fault, path=f"/{act}s$", method="POST"))
    with pytest.raises(OutcomeUnknown):
        desk.write(act, "k1", **remark(act, firm.id))
    assert desk.find(act, "k1", **remark(act, firm.id)) is None
    assert not desk.write(act, "k1", **remark(act, firm.id)).found
    assert len(everything(twin, act)) == 1


@pytest.mark.parametrize("retry_after", [None, 60])
def test_a_remark_hubspot_has_no_time_for_is_surely_not_made(desk: Desk, twin: Watched, retry_after: int | None) -> None:
    firm = twin.company("Alder")
    twin.faults.put(Fault(fault="too_many", path="/notes$", method="POST", retry_after=retry_after))
    with pytest.raises(TryLater) as told:
        desk.write("note", **remark("note", firm.id))
    assert told.value.at == (NOW + dt.timedelta(seconds=60) if retry_after else None)
    assert everything(twin, "note") == []


def test_a_remark_the_index_does_not_know_yet_is_found_beside_the_company(front: tuple[Front, str]) -> None:
    front[0].twin = twin = Watched(index_lag_seconds=3_600)
    desk, firm = Desk(twin, front[1]), twin.company("Alder")
    desk.write("note", "k1", **remark("note", firm.id))
    assert desk.write("note", "k1", **remark("note", firm.id)).found
    assert not desk.write("note", "k2", **remark("note", firm.id)).found
    assert len(everything(twin, "note")) == 2


def test_an_old_remark_under_many_newer_ones_is_found_by_the_search(desk: Desk, twin: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remarks, "_NEWEST", 3)
    firm = twin.company("Alder")
    desk.write("document", "first", **invoice(firm))
    for number in range(5):
        desk.write("note", f"k{number}", **remark("note", firm.id))
    desk.write("document", "second", **invoice(firm, status="paid"))
    assert len(everything(twin, "note")) == 6


def test_words_longer_than_hubspot_takes_are_refused_in_its_words(desk: Desk, twin: Watched) -> None:
    firm = twin.company("Alder")
    with pytest.raises(BadRecord, match="longer than"):
        desk.write("task", **{**remark("task", firm.id), "subject": "x" * 70_000})
    assert everything(twin, "task") == []


def test_the_label_a_connection_says_is_the_one_that_counts(desk: Desk) -> None:
    assert reading.label({}) == "Billing contact"
    assert reading.label({"billing_label": "Accounts payable"}) == "Accounts payable"
