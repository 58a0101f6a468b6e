"""What HubSpot's records and events mean, without HubSpot: samples, drifted fields, signatures, hints, marks in notes."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hubspot.utils.signature import Signature
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOW, ROOT
from tieout.adapters.connectors.hubspot import client, door, fields, remarks, shapes, translate, whole
from tieout.adapters.connectors.hubspot.shapes import Tie, TieType
from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Account, Command, Connector, NotGenuine, Raw, Ref
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, PortError, TryLater, Unsupported
from tieout.adapters.ports.http import Answer
from tieout.core import documents
from tieout.core.documents import plain

HUBSPOT: Connector = registry.connectors()["hubspot"]
SAMPLES = sorted((HUBSPOT.folder / "samples").glob("*.json"))
VECTORS = ROOT.parent / "shared" / "vendor-specs" / "webhooks" / "signature-vectors.json"
SECRET = "client-secret"
URL = "https://app.example.test/hooks/hubspot?tenant=33"


def raw_of(path: Path) -> Raw:
    stream, what, _ = path.name.split(".")
    return Raw(stream=stream, id=what, body=path.read_bytes())


def reading(path: Path) -> list[dict[str, Any]]:
    return [plain(record) for record in HUBSPOT.translate(raw_of(path), {})]


# Samples


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_reads_as_its_twin_says_twice_the_same(path: Path) -> None:
    now = reading(path)
    twin = path.with_name(f"{path.name}.expected.jsonl").read_text("utf-8")
    assert "".join(json.dumps(body, ensure_ascii=False, sort_keys=True) + "\n" for body in now) == twin
    assert reading(path) == now
    assert "float" not in {type(value).__name__ for body in now for value in body.values()}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_damaged_sample_gives_a_record_or_one_of_the_four_refusals(path: Path) -> None:
    whole_body = path.read_bytes()
    for broken in [whole_body[: len(whole_body) * part // 9] for part in range(9)] + [
        whole_body[:place] + bytes([value]) + whole_body[place + 1 :] for place in range(0, len(whole_body), 23) for value in (0, 34, 255)
    ]:
        try:
            HUBSPOT.translate(Raw(stream=path.name.split(".")[0], id="1", body=broken), {})
        except PortError:
            continue


def test_there_is_a_sample_of_every_stream() -> None:
    assert {path.name.split(".")[0] for path in SAMPLES} == {stream.name for stream in HUBSPOT.manifest.streams}


def test_every_kind_a_stream_declares_is_what_its_samples_become() -> None:
    declared = {(stream.name, kind) for stream in HUBSPOT.manifest.streams for kind in stream.kinds}
    assert {(raw_of(path).stream, body["kind"]) for path in SAMPLES for body in reading(path)} == declared


# Customers


def company(people: list[dict[str, Any]] | None = None, **properties: Any) -> documents.Customer:
    body = {"company": {"id": "7", "properties": {"name": "Alder", **properties}}, "people": people or []}
    (record,) = HUBSPOT.translate(Raw(stream="customers", id="7", body=json.dumps(body).encode()), {})
    assert isinstance(record, documents.Customer)
    return record


def person(ident: str, **properties: Any) -> dict[str, Any]:
    return {"id": ident, "properties": properties}


def test_of_those_who_speak_the_first_with_an_address_is_taken() -> None:
    told = company([person("1", phone="+49 1"), person("2", email="b@alder.example"), person("3", email="c@alder.example")])
    assert (told.email, told.phone) == ("b@alder.example", None)


def test_without_an_address_the_first_still_has_a_telephone() -> None:
    assert company([person("1", mobilephone="+49 1"), person("2", phone="+49 2")]).phone == "+49 1"


def test_a_companys_own_telephone_comes_before_that_of_its_people() -> None:
    assert company([person("1", email="a@alder.example", phone="+49 1")], phone="+49 30").phone == "+49 30"


def test_an_address_that_is_none_is_left_out_and_the_customer_stays() -> None:
    assert company([person("1", email="a@alder.example; b@alder.example")]).email is None


def test_a_company_is_not_said_to_be_a_business() -> None:
    assert company().debtor_type is None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (("DE", "France"), "DE"), (("", "France"), "FR"), ((None, " united  KINGDOM "), "GB"), (("uk",), "GB"), (("USA",), "US"), (("EU",), None),
        (("Deutschland",), None), (("",), None), ((None, None), None), (("xx", "Austria"), "AT"), (("Côte d’Ivoire",), "CI"), (("Hong Kong",), "HK"),
    ],
)  # fmt: skip
def test_a_country_is_a_code_or_an_english_name_and_else_nothing(written: tuple[str | None, ...], code: str | None) -> None:
    assert translate.country(*written) == code


@pytest.mark.parametrize(
    ("spoken", "language"), [("de", "de"), ("en-GB", "en"), ("pt_br", "pt"), ("", None), (None, None), ("x", None), ("1-2", None)]
)
def test_a_language_is_two_letters(spoken: str | None, language: str | None) -> None:
    assert company([person("1", email="a@alder.example", hs_language=spoken)]).language == language


@pytest.mark.parametrize(
    ("stream", "body", "field"),
    [
        ("customers", {"company": {"id": "1", "properties": {"name": ["Alder"]}}}, "company.properties.name"),
        ("customers", {"company": {"id": 1, "properties": {}}}, "company.id"),
        ("customers", {"contact": {"id": "1", "properties": {"email": {"value": "a@b.example"}}}}, "contact.properties.email"),
        ("customers", {}, "company"),
        ("deals", {"deal": {"id": "1", "properties": {"amount": 12.5}}}, "deal.properties.amount"),
        ("deals", {"deal": {"id": "1", "properties": {"hs_is_closed_won": "perhaps"}}}, "hs_is_closed_won"),
        ("deals", {"deal": {"id": "1", "properties": {"closedate": "next spring"}}}, "closedate"),
        ("deals", {"deal": {"id": "1", "properties": {"amount": "ten", "deal_currency_code": "EUR"}}}, "amount"),
        ("deals", {"deal": {"id": "1", "properties": {"amount": "10.001", "deal_currency_code": "EUR"}}}, "amount"),
        ("deals", {"deal": {"id": "1", "properties": {"amount": "1E400", "deal_currency_code": "EUR"}}}, "amount"),
        ("deals", {"deal": {"id": "1", "properties": {"amount": "NaN", "deal_currency_code": "EUR"}}}, "amount"),
        ("deals", {"deal": {"id": "1", "properties": {"amount": "-5", "deal_currency_code": "EUR"}}}, "amount"),
        ("deals", {"deal": {"id": "1", "properties": {"amount": "10", "deal_currency_code": "XXX"}}}, "deal_currency_code"),
        ("deals", {"deal": {"id": "1", "properties": {"amount": "10"}}}, "deal_currency_code"),
    ],
)
def test_a_drifted_field_is_named_and_never_guessed(stream: str, body: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRecord) as refused:
        HUBSPOT.translate(Raw(stream=stream, id="1", body=json.dumps(body).encode()), {})
    assert refused.value.field == field


def test_a_field_or_a_stage_nobody_knows_changes_nothing() -> None:
    body = {"deal": {"id": "1", "properties": {"dealstage": "OF_TOMORROW", "hs_new": "x"}, "since": 1}, "of": {}}
    (record,) = HUBSPOT.translate(Raw(stream="deals", id="1", body=json.dumps(body).encode()), {})
    assert isinstance(record, documents.Deal)
    assert (record.stage, record.won) == ("OF_TOMORROW", False)


def test_what_is_only_written_there_has_no_meaning_here() -> None:
    assert HUBSPOT.translate(Raw(stream="notes", id="1", body=b"{}"), {}) == ()


def test_a_deal_closes_on_the_day_of_the_organisations_clock() -> None:
    body = {"deal": {"id": "1", "properties": {"closedate": "2026-06-30T23:30:00.000Z"}}}
    raw = Raw(stream="deals", id="1", body=json.dumps(body).encode())
    assert [HUBSPOT.translate(raw, {"time_zone": zone})[0].close_date for zone in ("Europe/Berlin", "America/Chicago")] == [  # type: ignore[attr-defined]
        dt.date(2026, 7, 1),
        dt.date(2026, 6, 30),
    ]


@given(st.datetimes(min_value=dt.datetime(1971, 1, 1), max_value=dt.datetime(2200, 1, 1)))
def test_an_instant_is_the_same_in_words_and_in_milliseconds(when: dt.datetime) -> None:
    instant = when.replace(microsecond=when.microsecond // 1000 * 1000, tzinfo=dt.UTC)
    assert shapes.moment(shapes.written(instant)) == shapes.moment(str(shapes.millis(instant))) == shapes.moment(shapes.millis(instant)) == instant


@pytest.mark.parametrize("nonsense", ["", "soon", None, 1.5, "9" * 40, [], "2026-13-01"])
def test_what_is_no_instant_is_none(nonsense: object) -> None:
    assert shapes.moment(nonsense) is None


# Who speaks for a company, and whose a deal is


def tie(ident: str | int, *types: tuple[int, str | None]) -> Tie:
    return Tie(to_object_id=ident, association_types=[TieType(type_id=number, label=label) for number, label in types])


@pytest.mark.parametrize(
    ("tied", "label", "chosen"),
    [
        ([], "Billing contact", []),
        ([tie(5, (280, None))], "Billing contact", ["5"]),
        ([tie("5"), tie("6")], "Billing contact", []),
        ([tie("5"), tie("61", (901, "billing CONTACT ")), tie("6", (901, "Billing contact"))], "Billing contact", ["6", "61"]),
        ([tie("5", (2, "Contact with Primary Company")), tie("6", (280, None))], "", []),
        ([tie("5", (280, None)), tie("6", (280, None))], "", []),
    ],
    ids=["nobody", "the only one", "two without the label", "those with it, the oldest first", "no label wanted", "an empty label is nobody's"],
)
def test_who_speaks_for_a_company(tied: list[Tie], label: str, chosen: list[str]) -> None:
    assert whole.speakers(tied, label) == chosen


@pytest.mark.parametrize(
    ("tied", "company_id"),
    [
        ([tie("5", (341, None))], "5"),
        ([tie("5", (341, None)), tie("6", (341, None), (5, "Deal with Primary Company"))], "6"),
        ([tie("5", (279, None)), tie("6", (279, None), (1, "Contact with Primary Company"))], "6"),
        ([tie("5", (341, None)), tie("6", (341, None))], None),
        ([], None),
    ],
    ids=["its only company", "its primary one, by the number of the tie", "that of its contact", "one of two: not said", "none"],
)
def test_whose_a_deal_is(tied: list[Tie], company_id: str | None) -> None:
    assert whole.firm(tied) == company_id


# Answers


class Answering:
    """HubSpot, as a list of answers in order; `asked` keeps the bodies and parameters."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = [Answer(status, {}, told if isinstance(told, bytes) else json.dumps(told).encode()) for status, told in answers]
        self.asked: list[Any] = []

    def get(self, path: str, params: Any = None, **_: Any) -> Answer:
        self.asked.append(params)
        return self.answers.pop(0)

    def send(self, method: str, path: str, *, json: Any = None, **_: Any) -> Answer:
        self.asked.append(json)
        return self.answers.pop(0)


def ties(ident: str, *others: str, after: str = "") -> dict[str, Any]:
    paging = {"paging": {"next": {"after": after}}} if after else {}
    return {"from": {"id": ident}, "to": [{"toObjectId": other, "associationTypes": []} for other in others], **paging}


def test_the_ties_of_a_record_that_has_very_many_are_read_to_their_end() -> None:
    http = Answering((200, {"results": [ties("1", "5", after="x"), ties("2", "6")]}), (200, {"results": [ties("1", "7")]}))
    found = client.ties(http, "companies", "contacts", ["1", "2", "1"])  # type: ignore[arg-type]
    assert {ident: [one.other for one in tied] for ident, tied in found.items()} == {"1": ["5", "7"], "2": ["6"]}
    assert http.asked == [{"inputs": [{"id": "1"}, {"id": "2"}]}, {"inputs": [{"id": "1", "after": "x"}]}]


def test_what_stands_beside_a_company_is_listed_to_its_end() -> None:
    pages = ({"results": ties("", "5", "6")["to"], "paging": {"next": {"after": "7"}}}, {"results": ties("", "7")["to"]})
    http = Answering(*((200, page) for page in pages))
    assert list(client.tied(http, "companies", "1", "notes")) == ["5", "6", "7"]  # type: ignore[arg-type]
    assert [asked["after"] for asked in http.asked] == [None, "7"]


@pytest.mark.parametrize(
    ("status", "told", "error", "words"),
    [
        (423, {"message": "locked"}, TryLater, "locked"),
        (477, {}, TryLater, "status 477"),
        (400, {"message": "no such property"}, BadRecord, "no such property"),
        (409, b"<html>", BadRecord, "status 409"),
        (200, b'{"results": [', TryLater, "not whole"),
        (200, b'{"results": [], "paging": {"next": {"after": "\xff"}}}', TryLater, "not whole"),
        (200, {"items": []}, NeedsPerson, "describes"),
        (200, {"results": [{"properties": {}}]}, NeedsPerson, "describes"),
        (200, [], NeedsPerson, "describes"),
    ],
)
def test_an_answer_that_is_no_list_is_named_by_what_happens_next(status: int, told: Any, error: type[PortError], words: str) -> None:
    with pytest.raises(error, match=words):
        client.listed(Answering((status, told)), "companies", after=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "live"), [("STANDARD", True), ("SANDBOX", False), ("DEVELOPER_TEST", False), ("OF_TOMORROW", True)])
def test_an_account_to_try_things_in_is_not_live(kind: str, live: bool) -> None:
    told = {"portalId": 5, "accountType": kind, "companyCurrency": "eur"}
    assert client.account(Answering((200, told))) == Account(id="5", name="HubSpot account 5", currency="EUR", live=live)  # type: ignore[arg-type]


# The door


def signed(body: bytes, *, secret: str = SECRET, url: str = URL, at: dt.datetime = NOW) -> dict[str, str]:
    stamp = str(int(at.timestamp() * 1000))
    made = hmac.new(secret.encode(), f"POST{url}".encode() + body + stamp.encode(), hashlib.sha256).digest()
    return {"x-hubspot-signature-v3": base64.b64encode(made).decode(), "x-hubspot-request-timestamp": stamp}


def event(**given: Any) -> dict[str, Any]:
    return {
        "eventId": 1, "subscriptionId": 2, "portalId": 33, "appId": 44, "occurredAt": 1_780_000_000_000, "attemptNumber": 0, "objectId": 55,
        "subscriptionType": "company.propertyChange", "changeSource": "CRM_UI", "sourceId": "userId:1", **given,
    }  # fmt: skip


def batch(*events: dict[str, Any]) -> bytes:
    return json.dumps(list(events)).encode()


def opened(body: bytes, headers: dict[str, str], *, url: str = URL, secrets: tuple[str, ...] = (SECRET,), now: dt.datetime = NOW) -> str:
    return HUBSPOT.delivery(headers=headers, body=body, url=url, secrets=secrets, now=now)


@pytest.fixture
def vectors() -> dict[str, Any]:
    if not VECTORS.is_file():
        pytest.skip("the signatures of vendors (../shared/vendor-specs/webhooks) are not beside the project")
    told: dict[str, Any] = json.loads(VECTORS.read_text("utf-8"))
    return told


@pytest.mark.parametrize("version", ["v3", "v1"])
def test_a_known_signature_opens_the_door_and_a_tampered_one_does_not(vectors: dict[str, Any], version: str) -> None:
    one = vectors[f"hubspot.{version}"]
    headers = {name.lower(): value for name, value in one["headers"].items()}
    crooked = {name: value[:-2] + value[:2] if name.startswith("x-hubspot-signature") else value for name, value in headers.items()}
    body, url = one["body"].encode(), one.get("uri", URL)
    now = dt.datetime.fromtimestamp(one["now_ms"] / 1000, dt.UTC) if "now_ms" in one else NOW
    assert len(opened(body, headers, url=url, secrets=("before", one["secret"]), now=now)) == 64
    tampered = [
        (body.replace(b"1246965", b"1246966"), headers, url, (one["secret"],)),
        (body + b" ", headers, url, (one["secret"],)),
        (body, headers, url, ("another",)),
        (body, headers, url, ()),
        (body, crooked, url, (one["secret"],)),
        (body, {}, url, (one["secret"],)),
    ]
    if version == "v3":
        late = str(one["now_ms"] + 1)
        tampered += [(body, headers, f"{url}x", (one["secret"],)), (body, {**headers, "x-hubspot-request-timestamp": late}, url, (one["secret"],))]
    for bad_body, bad_headers, bad_url, secrets in tampered:
        with pytest.raises(NotGenuine):
            opened(bad_body, bad_headers, url=bad_url, secrets=secrets, now=now)


def test_the_vendors_own_client_signs_the_same() -> None:
    body = batch(event())
    stamp = str(int(NOW.timestamp() * 1000))
    made = Signature.get_signature(SECRET, body.decode(), "v3", URL, "POST", stamp)
    assert opened(body, {"x-hubspot-signature-v3": made, "x-hubspot-request-timestamp": stamp})
    old = Signature.get_signature(SECRET, body.decode(), "v1")
    assert opened(body, {"x-hubspot-signature": old, "x-hubspot-signature-version": "v1"})


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_is_older_than_five_minutes_or_of_tomorrow_is_refused(minutes: int) -> None:
    body = batch(event())
    with pytest.raises(NotGenuine, match="five minutes"):
        opened(body, signed(body, at=NOW + dt.timedelta(minutes=minutes)))


def test_where_the_newer_signature_is_it_counts_whatever_the_older_says() -> None:
    body = batch(event())
    old = {"x-hubspot-signature": hashlib.sha256(SECRET.encode() + body).hexdigest(), "x-hubspot-signature-version": "v1"}
    with pytest.raises(NotGenuine):
        opened(body, {**old, **signed(body, secret="another")})


def test_an_address_is_signed_with_some_of_its_escapes_undone() -> None:
    body = batch(event())
    assert opened(body, signed(body, url="https://x.example/a:b%20c"), url="https://x.example/a%3Ab%20c")
    assert door.unescaped("%3a%2F%25%zz%2") == ":/%25%zz%2"


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'[{"eventId": {}}]', b'"x"'])
def test_what_is_signed_and_holds_no_events_is_refused(body: bytes) -> None:
    with pytest.raises(NotGenuine):
        opened(body, signed(body))


def test_a_batch_that_is_sent_again_has_the_same_name_in_any_order_and_another_batch_has_not() -> None:
    one, two = event(eventId=1), event(eventId=2)
    first = batch(one, two)
    again = batch({**two, "attemptNumber": 3}, {**one, "attemptNumber": 3})
    other = batch(one, {**two, "objectId": 56})
    names = [opened(body, signed(body)) for body in (first, again, other)]
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize(
    ("told", "refs"),
    [
        ({"subscriptionType": "company.creation"}, [("customers", "55")]),
        ({"subscriptionType": "contact.propertyChange"}, [("contacts", "55")]),
        ({"subscriptionType": "contact.privacyDeletion"}, [("contacts", "55")]),
        ({"subscriptionType": "deal.deletion"}, [("deals", "55")]),
        ({"subscriptionType": "object.propertyChange", "objectTypeId": "0-2"}, [("customers", "55")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-3"}, [("deals", "55")]),
        ({"subscriptionType": "object.creation", "objectTypeId": "2-7700"}, []),
        ({"subscriptionType": "ticket.creation"}, []),
        ({"subscriptionType": "of.tomorrow"}, []),
        (
            {"subscriptionType": "company.merge", "primaryObjectId": 55, "mergedObjectIds": [56, 57], "newObjectId": 58},
            [("customers", "55"), ("customers", "58"), ("customers", "56"), ("customers", "57")],
        ),
        (
            {"subscriptionType": "contact.associationChange", "associationType": "CONTACT_TO_COMPANY", "fromObjectId": 1, "toObjectId": 2},
            [("contacts", "1"), ("customers", "2")],
        ),
        ({"subscriptionType": "deal.associationChange", "associationType": "DEAL_TO_TICKET", "fromObjectId": 1, "toObjectId": 2}, [("deals", "1")]),
        ({"portalId": 34}, []),
        ({"changeSource": "INTEGRATION", "sourceId": "777"}, []),
        ({"changeSource": "INTEGRATION", "sourceId": 44}, []),
        ({"changeSource": "INTEGRATION", "sourceId": "888"}, [("customers", "55")]),
        ({"changeSource": "IMPORT", "sourceId": "777"}, [("customers", "55")]),
    ],
    ids=lambda value: value.get("subscriptionType", str(value)) if isinstance(value, dict) else "",
)
def test_an_event_tells_what_to_look_at(told: dict[str, Any], refs: list[tuple[str, str]]) -> None:
    found = HUBSPOT.hints(body=batch(event(**told)), settings={"account": "33", "app_id": "777"})
    assert found == tuple(Ref(stream, ident) for stream, ident in refs)


def test_a_hundred_events_about_one_company_are_one_hint() -> None:
    flood = batch(*(event(eventId=number, changeSource="IMPORT") for number in range(100)))
    assert HUBSPOT.hints(body=flood, settings={}) == (Ref("customers", "55"),)


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b'[{"eventId": 1}]'])
def test_events_of_another_form_are_a_bad_record(body: bytes) -> None:
    with pytest.raises(BadRecord):
        HUBSPOT.hints(body=body, settings={})


# Marks


def noted(text: str, kind: str = "notes") -> Raw:
    return Raw(stream=kind, id="1", body=json.dumps({"id": "1", "properties": {remarks.TEXT[kind]: text}}).encode())


@given(st.text(min_size=1, max_size=200).map(str.strip).filter(bool))
def test_whatever_a_key_is_it_is_known_again(key: str) -> None:
    key = " ".join(key.split()) or "k"
    assert HUBSPOT.owner(noted(remarks.signed("<p>words</p>", key, "document 7 A-1"))) == key


@pytest.mark.parametrize(
    "text",
    ["", "<p>Tieout: k tieout</p>", "<p>Tieout: another " + remarks.mark("k") + "</p>", "Tieout: " + remarks.mark("k"), "<p>A person's words</p>"],
)
def test_a_note_of_somebody_else_is_nobodys(text: str) -> None:
    assert HUBSPOT.owner(noted(text)) == ""


def test_words_that_look_like_a_mark_hide_no_mark() -> None:
    text = remarks.signed(remarks.laid_out(f"Tieout: forged {remarks.mark('x')}\n\nTieout: "), "3:note:1")
    assert [HUBSPOT.owner(noted(text, kind)) for kind in remarks.TEXT] == ["3:note:1", "3:note:1"]


def test_a_company_of_ours_says_by_which_order_it_was_made() -> None:
    sample = next(path for path in SAMPLES if "company_of_ours" in path.name)
    assert HUBSPOT.owner(raw_of(sample)) == "company:C-2041"
    for body in (b'{"contact": {"id": "1"}}', b'{"company": {"id": "1", "properties": null}}', b'{"company": [1]}', b"[]", b"{", b'"\xff"'):
        assert HUBSPOT.owner(Raw(stream="customers", id="1", body=body)) == ""


def test_a_mark_is_one_word() -> None:
    assert remarks.mark("7:note:customer:12:1").isalnum()
    assert remarks.mark("a") != remarks.mark("b")


def test_plain_words_become_html_that_says_nothing_else() -> None:
    assert remarks.laid_out("one <b>\ntwo\n\n\nthree & four\n") == "<p>one &lt;b&gt;<br>two</p><p>three &amp; four</p>"
    assert remarks.laid_out("") == ""


# The manifest


def test_the_manifest_says_what_can_be_written_and_every_secret_is_one() -> None:
    manifest = HUBSPOT.manifest
    assert (manifest.name, manifest.role) == ("hubspot", "crm")
    assert manifest.abilities.writes == ("status", "document", "task", "note", "company", "customer", "update_customer")
    assert {field.name for field in manifest.fields if field.secret} == {"access_token", "client_id", "client_secret", "webhook_secret"}
    assert (HUBSPOT.folder / "README.md").is_file()


def test_the_token_is_in_the_header_and_nowhere_else() -> None:
    assert HUBSPOT.authorise({}, {"access_token": "pat-secret"}) == {"Authorization": "Bearer pat-secret"}
    assert HUBSPOT.base_url({}) == "https://api.hubapi.com"
    assert HUBSPOT.base_url({"base_url": "http://127.0.0.1:9"}) == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("act", "body", "field"),
    [
        ("note", {"company": "1", "text": "", "at": "2026-06-10T09:00:00Z"}, "text"),
        ("note", {"company": "1", "text": "x"}, "at"),
        ("task", {"subject": "x", "due": "2026-06-10"}, "company"),
        ("document", {"company": "1", "number": "A-1", "amount": "1", "currency": "EUR"}, "status"),
        ("company", {"name": "Alder"}, "ours"),
        ("customer", {"name": "", "ours": "1"}, "name"),
        ("status", {}, "customers"),
    ],
)
def test_a_command_that_does_not_say_enough_is_refused_before_anything_is_asked(act: str, body: dict[str, Any], field: str) -> None:
    for call in (HUBSPOT.write, HUBSPOT.find):
        with pytest.raises(BadRecord) as refused:
            call(None, {}, Command(act=act, key="k", body=body))  # type: ignore[arg-type]
        assert refused.value.field == field


def test_an_act_it_has_no_word_for_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="void"):
        HUBSPOT.write(None, {}, Command(act="void", key="k", body={}))  # type: ignore[arg-type]


def test_of_our_properties_one_is_unique_and_all_have_words_for_people() -> None:
    assert [name for name, field in fields.FIELDS.items() if field.unique] == [fields.OURS]
    assert all(name.startswith("tieout_") and field.label and field.description for name, field in fields.FIELDS.items())
