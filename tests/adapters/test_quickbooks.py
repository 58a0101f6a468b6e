"""QuickBooks' amounts, notes, refusals, signatures and events, without any network."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOW
from tieout.adapters.connectors.quickbooks import applying, client, faults, marks, posting, reading, translate
from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Connector, NotGenuine, Raw, Ref
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, PortError, TryLater, Unsupported
from tieout.adapters.ports.http import Answer
from tieout.core import documents
from tieout.core.documents import plain
from tieout.core.money import Money

QB: Connector = registry.connectors()["quickbooks"]
SAMPLES = sorted((QB.folder / "samples").glob("*.json"))
SECRET = "verifier-token"
Json = dict[str, Any]


def sample(name: str, **fields: Any) -> Raw:
    """A sample with some fields changed; None takes one away. Amounts are given as text, so that none becomes a float."""
    body = json.loads((QB.folder / "samples" / f"{name}.json").read_text("utf-8"), parse_float=Decimal)
    body = {key: value for key, value in {**body, **fields}.items() if value is not None}
    return Raw(stream=name.split(".")[0], id=body["Id"], body=json.dumps(body, default=str).encode())


def said(raw: Raw, **settings: Any) -> list[Json]:
    return [json.loads(json.dumps(plain(record))) for record in QB.translate(raw, settings)]


# Amounts and currencies


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_damaged_sample_gives_records_or_one_of_the_four_refusals(path: Path) -> None:
    whole = path.read_bytes()
    broken = [whole[: len(whole) * part // 9] for part in range(9)]
    broken += [whole[:at] + bytes([value]) + whole[at + 1 :] for at in range(0, len(whole), 29) for value in (0, 34, 45, 255)]
    for body in broken:
        raw = Raw(stream=path.name.split(".")[0], id="x", body=body)
        try:
            for record in QB.translate(raw, {"currency": "USD"}):
                json.dumps(plain(record))
        except PortError:
            pass
        assert isinstance(QB.owner(raw), str)


def test_an_amount_without_a_currency_is_in_the_home_currency_or_in_none() -> None:
    raw = sample("invoices.single_currency")
    assert said(raw, currency="cad")[0]["currency"] == "CAD"
    for settings in ({}, {"currency": "ZZZ"}):
        with pytest.raises(BadRecord) as told:
            QB.translate(raw, settings)
        assert told.value.field == "CurrencyRef"


@pytest.mark.parametrize(("name", "fields", "field"), [
    pytest.param("invoices.void", {"TotalAmt": "-1.00"}, "TotalAmt", id="less than nothing"),
    pytest.param("invoices.yen", {"Balance": "0.50"}, "Balance", id="half a yen"),
    pytest.param("invoices.yen", {"TotalAmt": "a lot"}, "TotalAmt", id="an amount that is none"),
    pytest.param("invoices.yen", {"TotalAmt": "NaN"}, "TotalAmt", id="not a number"),
    pytest.param("invoices.yen", {"TotalAmt": "1e40"}, "TotalAmt", id="beyond all reason"),
    pytest.param("invoices.yen", {"Balance": None}, "", id="no balance"),
    pytest.param("invoices.yen", {"CustomerRef": None}, "CustomerRef", id="nobody who owes it"),
    pytest.param("invoices.yen", {"CurrencyRef": {"value": "XAU"}}, "CurrencyRef", id="gold"),
    pytest.param("invoices.yen", {"TxnDate": "10/06/2026"}, "TxnDate", id="a day in another order"),
    pytest.param("invoices.yen", {"Line": [{"DetailType": "TeleportLineDetail", "Amount": 1}]}, "Line[0].DetailType", id="a line nobody knows"),
    pytest.param("credit_memos.part_used", {"RemainingCredit": "-1"}, "RemainingCredit", id="a credit of less than nothing"),
    pytest.param("payments.two_invoices", {"Line": [{"Amount": "-5", "LinkedTxn": []}]}, "Line.Amount", id="a share of less than nothing"),
    pytest.param("payments.two_invoices", {"Line": [{"LinkedTxn": []}]}, "Line[0]", id="a share without an amount"),
    pytest.param("payments.two_invoices", {"UnappliedAmt": "x"}, "UnappliedAmt", id="an open rest that is none"),
    pytest.param("customers.company", {"DisplayName": None}, "", id="a customer without a name"),
])
def test_what_drifts_is_refused_with_its_field(name: str, fields: Json, field: str) -> None:
    with pytest.raises(BadRecord) as told:
        QB.translate(sample(name, **fields), {})
    assert (told.value.field or "") == field


def test_a_quantity_beyond_all_reason_is_refused() -> None:
    line = {"DetailType": "SalesItemLineDetail", "Amount": 1, "SalesItemLineDetail": {"Qty": "1e99999"}}
    with pytest.raises(BadRecord, match="quantity"):
        QB.translate(sample("invoices.yen", Line=[line]), {})


def test_an_object_of_another_kind_means_nothing_here() -> None:
    assert QB.translate(Raw(stream="vendors", id="1", body=b"{}"), {}) == ()


# What there is no status for


@pytest.mark.parametrize(("note", "total", "status"), [
    pytest.param("Voided", "0", "void", id="voided"),
    pytest.param("Voided - entered twice", "0", "void", id="voided, with its old note"),
    pytest.param("goodwill", "0", "open", id="of nothing"),
    pytest.param(None, "0", "open", id="of nothing, without a note"),
    pytest.param("Voided cheque attached", "75.50", "open", id="a note that only sounds like it"),
])
def test_void_is_what_has_lost_its_amount_and_says_so(note: str | None, total: str, status: str) -> None:
    (record,) = QB.translate(sample("invoices.of_nothing", PrivateNote=note, TotalAmt=total, Balance=total), {})
    assert isinstance(record, documents.Invoice)
    assert record.status == status


def test_a_payment_of_nothing_with_no_lines_or_voided_is_gone() -> None:
    def gone(**fields: Any) -> str:
        return client.raw_of("payments", sample("payments.credit_only", **fields).body).gone

    assert gone() == ""
    assert gone(Line=[]) == "deleted"
    assert gone(PrivateNote="Voided") == "deleted"
    assert gone(TotalAmt="5", PrivateNote="Voided") == ""
    assert client.raw_of("invoices", sample("invoices.void").body).gone == ""
    assert client.raw_of("invoices", b'{"Id": "7", "status": "Deleted"}').gone == "deleted"
    assert client.raw_of("customers", b'{"Id": "7", "status": "Deleted"}').gone == "merged"


def test_an_object_that_has_drifted_keeps_its_id_so_that_it_is_set_aside_alone() -> None:
    raw = client.raw_of("invoices", b'{"Id": "7", "MetaData": "odd", "PrivateNote": "\xff"}')
    assert (raw.id, raw.version) == ("7", "")
    with pytest.raises(BadRecord):
        QB.translate(raw, {})
    with pytest.raises(NeedsPerson):
        client.raw_of("invoices", b'{"id": 7}')


# Customers


@pytest.mark.parametrize(("written", "code"), [
    ("USA", "US"), ("us", "US"), ("Germany", "DE"), ("  united   kingdom ", "GB"), ("UK", "GB"), ("Atlantis", None), ("EU", None), ("", None),
    (None, None),
])  # fmt: skip
def test_a_country_is_a_code_or_its_english_name_or_nothing(written: str | None, code: str | None) -> None:
    assert translate.country(written) == code


def test_several_addresses_in_one_field_are_none() -> None:
    assert said(sample("customers.sub_customer"))[0].get("email") is None


# What a payment applies


Shares = st.dictionaries(st.sampled_from([str(n) for n in range(1, 7)]), st.integers(0, 10_000).map(lambda n: Money(n, "USD")))


@given(Shares, Shares, st.integers(0, 40_000))
def test_no_more_is_applied_than_invoices_take_credits_give_and_money_there_is(takes: Json, gives: Json, cash: int) -> None:
    found = applying.entries(payment_id="p", takes=takes, gives=gives, cash=Money(cash, "USD"))
    on: defaultdict[str, int] = defaultdict(int)
    of: defaultdict[str, int] = defaultdict(int)
    paid = 0
    for one in found:
        assert one.amount.minor > 0
        assert (one.payment_id is None) != (one.credit_note_id is None)
        on[one.document_id] += one.amount.minor
        if one.credit_note_id:
            of[one.credit_note_id] += one.amount.minor
        paid += one.amount.minor if one.payment_id else 0
    assert all(minor <= takes[document].minor for document, minor in on.items())
    assert all(minor <= gives[memo].minor for memo, minor in of.items())
    assert paid <= cash
    wanted, there = sum(one.minor for one in takes.values()), sum(one.minor for one in gives.values()) + cash
    assert sum(on.values()) == min(wanted, there)
    assert len({(one.document_id, one.payment_id, one.credit_note_id) for one in found}) == len(found)


def test_credits_go_first_and_money_to_what_is_left() -> None:
    takes = {"11": Money(100, "USD"), "12": Money(50, "USD")}
    found = applying.entries(payment_id="p", takes=takes, gives={"21": Money(70, "USD"), "22": Money(40, "USD")}, cash=Money(40, "USD"))
    assert [(one.document_id, one.credit_note_id or one.payment_id, one.amount.minor) for one in found] == [
        ("11", "21", 70), ("11", "22", 30), ("12", "22", 10), ("12", "p", 40),
    ]  # fmt: skip


def test_what_has_no_place_is_left_out_and_never_guessed() -> None:
    lines = [
        {"Amount": "10.00", "LinkedTxn": [{"TxnId": "311", "TxnType": "Invoice"}, {"TxnId": "316", "TxnType": "Invoice"}]},
        {"Amount": "5.00"}, {"Amount": "4.00", "LinkedTxn": [{"TxnId": "9", "TxnType": "Check"}]},
        {"Amount": "0", "LinkedTxn": [{"TxnId": "316", "TxnType": "Invoice"}]},
        {"Amount": "3.00", "LinkedTxn": [{"TxnId": "316", "TxnType": "Invoice"}]},
    ]  # fmt: skip
    _, application = said(sample("payments.two_invoices", Line=lines, UnappliedAmt="0"))
    assert application["entries"] == [{"document_id": "316", "payment_id": "402", "amount": "3.00"}]


def test_a_fee_is_what_goes_to_the_account_named_for_fees() -> None:
    assert said(sample("deposits.with_fee"))[0]["fee"] == "0.00"
    (told,) = said(sample("deposits.with_fee"), fee_account="8")
    assert (told["fee"], told["parts"][3]) == ("11.40", {"what": "fee", "gross": "0.00", "fee": "11.40"})
    gross, fees = (sum(Decimal(part[key]) for part in told["parts"]) for key in ("gross", "fee"))
    assert gross - fees == Decimal(told["amount"])


# Our mark


@given(st.text(min_size=1, max_size=120), st.text(max_size=40))
def test_a_mark_is_found_again_whatever_the_key_and_the_note(key: str, memo: str) -> None:
    note = marks.mark(key, memo.replace("[tieout:", ""))
    raw = Raw(stream="invoices", id="1", body=json.dumps({"Id": "1", "PrivateNote": f"Voided - {note} (checked)"}).encode())
    assert marks.is_of(raw, key)
    assert "[tieout:" not in marks.without(note)
    assert marks.kept(note) in note


@given(st.text(min_size=1, max_size=120))
def test_a_request_is_named_the_same_each_time_and_in_fifty_plain_signs(key: str) -> None:
    name = marks.request_id(key)
    assert name == marks.request_id(key)
    assert 0 < len(name) <= 50
    assert name.isascii()
    assert " " not in name
    assert name != marks.request_id(key, "2")


def test_a_short_plain_key_is_its_own_name() -> None:
    assert marks.request_id("4:invoice:invoice:17:1") == "4:invoice:invoice:17:1"


def test_only_our_own_mark_says_whose_an_object_is() -> None:
    assert QB.owner(sample("payments.written_by_us")) == "3:payment:payment:88:1"
    customer = sample("customers.company", Notes="prefers mail [tieout:3:customer:customer:5:1]", PrivateNote="[tieout:another]")
    assert QB.owner(customer) == "3:customer:customer:5:1"
    for body in (b"", b"[]", b"\xff", b'{"Id": 7}', b'{"Id": "7", "PrivateNote": 5}'):
        assert QB.owner(Raw(stream="invoices", id="7", body=body)) == ""


def test_a_mapping_is_text_or_pairs_and_its_names_are_ours() -> None:
    for told in ("Hours = 2; materials=3", "Hours=2\nmaterials = 3\n", {"hours": "2", "Materials": 3}):
        assert posting.mapped({"items": told}, "items", " hours", "the item") == {"value": "2"}
        assert posting.mapped({"items": told}, "items", "MATERIALS", "the item") == {"value": "3"}
        with pytest.raises(BadRecord, match="needs mapping"):
            posting.mapped({"items": told}, "items", "lawns", "the item")


def test_a_value_in_a_question_is_quoted() -> None:
    assert client.text("O'Hara \\ Sons") == "'O\\'Hara \\\\ Sons'"


@pytest.mark.parametrize(("written", "found"), [
    ("2026-06-10T09:12:40-07:00", "2026-06-10T09:12:40-07:00"), ("2026-06-10T09:12:40.531-07:00", "2026-06-10T09:12:40-07:00"),
    ("2025-09-10T21:31:25.179851517Z", "2025-09-10T21:31:25+00:00"), ("2026-06-10T09:12:40", "2026-06-10T09:12:40+00:00"), ("soon", ""), ("", ""),
])  # fmt: skip
def test_a_moment_keeps_the_companys_offset(written: str, found: str) -> None:
    assert client.stamp(written) == found


# Refusals


@pytest.mark.parametrize(("content", "code", "text"), [
    pytest.param(
        b'{"Fault":{"Error":[{"Message":"Stale Object Error","Detail":"somebody else","code":"5010","element":""}],"type":"ValidationFault"}}',
        "5010", "Stale Object Error: somebody else", id="JSON",
    ),
    pytest.param(
        b'{"fault":{"error":[{"message":"AuthenticationFailed","detail":null,"code":"3200"}],"type":"AUTHENTICATION"},"time":1}',
        "3200", "AuthenticationFailed", id="the gateway's JSON",
    ),
    pytest.param(
        b'<IntuitResponse><Fault type="ValidationFault"><Error code="610" element=""><Message>Object Not Found</Message>'
        b"<Detail>made inactive</Detail></Error></Fault></IntuitResponse>",
        "610", "Object Not Found: made inactive", id="XML",
    ),
    pytest.param(b"<html>bad gateway</html>", "", "", id="a page of a proxy"), pytest.param(b"", "", "", id="nothing"),
    pytest.param(b'{"Fault":{"Error":[]}}', "", "", id="a fault without errors"), pytest.param(b'{"Fault":"x"}', "", "", id="a fault that is none"),
    pytest.param(b"[]", "", "", id="a list"), pytest.param(b"\xff", "", "", id="no text"),
])  # fmt: skip
def test_a_refusal_is_read_in_each_of_its_forms(content: bytes, code: str, text: str) -> None:
    found = faults.read(content)
    assert (found.code, found.text) == (code, text)
    with pytest.raises(PortError):
        faults.good(Answer(400, {}, content))


@pytest.mark.parametrize(("code", "kind", "error"), [
    ("610", "ValidationFault", faults.NotThere), ("6240", "ValidationFault", faults.NameTaken), ("6140", "ValidationFault", faults.NameTaken),
    ("5010", "ValidationFault", faults.Stale), ("6000", "ValidationFault", BadRecord), ("4001", "ValidationFault", BadRecord),
    ("500", "ValidationFault", Unsupported), ("3100", "AuthorizationFault", NeedsPerson), ("5020", "ValidationFault", NeedsPerson),
    ("6190", "ValidationFault", NeedsPerson), ("3001", "ThrottleExceeded", TryLater), ("10000", "SystemFault", TryLater),
    ("9", "SystemFault", TryLater), ("", "AUTHENTICATION", NeedsPerson),
])  # fmt: skip
def test_a_code_says_what_happens_next(code: str, kind: str, error: type[PortError]) -> None:
    found = faults.error(faults.Fault(code, "words", kind))
    assert type(found) is error
    assert "words" in str(found)


def test_a_refusal_that_comes_as_a_success_is_one_all_the_same() -> None:
    with pytest.raises(BadRecord, match="Invalid query"):
        faults.good(Answer(200, {}, b'{"Fault":{"Error":[{"Message":"Invalid query","code":"4001"}],"type":"ValidationFault"}}'))
    assert faults.good(Answer(200, {}, b'{"Invoice":{"Id":"1"}}')).status == 200


def test_a_fault_that_lists_every_property_is_cut() -> None:
    assert len(str(faults.error(faults.Fault("2010", faults._text("m", "x" * 5_000), "ValidationFault")))) < 400


# Intuit's own recordings


def test_what_intuit_recorded_reads(shared: Path) -> None:
    def recorded(name: str) -> list[Json]:
        found = yaml.safe_load((shared / "vendor-specs" / "quickbooks" / "recorded-json" / f"{name}.yml").read_text("utf-8"))
        return [json.loads(each["response"]["body"]["string"], parse_float=Decimal) for each in found["http_interactions"]]

    def read(stream: str, body: Json) -> Json:
        return said(Raw(stream=stream, id=body["Id"], body=json.dumps(body, default=str).encode()))[0]

    before, after = (read("invoices", each["Invoice"]) for each in recorded("void_invoice"))
    assert (before["amount"], before.get("status", "open"), after["amount"], after["status"]) == ("100.00", "open", "0.00", "void")
    customers = [one for answer in recorded("all_customers") for one in answer.get("QueryResponse", {}).get("Customer", ())]
    assert customers
    assert all(read("customers", one)["name"] for one in customers)
    assert [faults.read(json.dumps(answer).encode()).code for answer in recorded("error_validation")] == ["6240"]
    assert [faults.read(json.dumps(answer, default=str).encode()).code for answer in recorded("error_401")] == ["3200"]


# The door


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"intuit-signature": base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()}


def delivered(body: bytes, headers: Mapping[str, str] | None = None, secrets: tuple[str, ...] = ("older", SECRET)) -> str:
    return QB.delivery(headers=signed(body) if headers is None else headers, body=body, url="", secrets=secrets, now=NOW)


def event(kind: str = "qbo.invoice.updated.v1", ident: Any = "12", company: str = "310687", **more: Any) -> Json:
    return {
        "specversion": "1.0", "id": f"{kind}-{ident}", "source": "intuit.x", "type": kind, "time": "2026-06-10T21:31:25.179851517Z",
        "intuitentityid": ident, "intuitaccountid": company, "data": {}, **more,
    }  # fmt: skip


def hinted(body: Any, company: str = "310687") -> tuple[Ref, ...]:
    return QB.hints(body=body if isinstance(body, bytes) else json.dumps(body).encode(), settings={"realmId": company})


def test_the_published_signatures_verify_and_tampered_copies_do_not(shared: Path) -> None:
    vectors = json.loads((shared / "vendor-specs" / "webhooks" / "signature-vectors.json").read_text("utf-8"))
    names = [name for name in vectors if name.startswith("quickbooks.")]
    assert names
    for vector in (vectors[name] for name in names):
        headers = {key.lower(): value for key, value in vector["headers"].items()}
        body, secret = vector["body"].encode(), vector["secret"]
        name = delivered(body, headers, ("older", secret))
        assert len(name) == 64
        signature = headers["intuit-signature"]
        for tampered in (
            (body.replace(b"1234", b"1235", 1), headers, (secret,)), (body + b" ", headers, (secret,)), (body, headers, ("other",)),
            (body, {}, (secret,)), (body, headers, ()), (body, {"intuit-signature": ""}, (secret,)),
            (body, {"intuit-signature": signature[:-2] + "A="}, (secret,)),
            (body, {"intuit-signature": signature.lower()}, (secret,)), (body, {"intuit-signature": "é"}, (secret,)),
        ):  # fmt: skip
            with pytest.raises(NotGenuine):
                delivered(*tampered)


def test_an_empty_secret_opens_no_door() -> None:
    body = json.dumps([event()]).encode()
    with pytest.raises(NotGenuine):
        delivered(body, signed(body, ""), ("", ""))


def test_what_is_signed_and_is_no_event_is_not_taken() -> None:
    for body in (b"", b"{}", b"null", b"5", b"[1]", b'["x"]', b"not json", b"\xff", b'[{"id": "1"}]'):
        with pytest.raises(NotGenuine, match="signed, and no events"):
            delivered(body)


def test_a_delivery_sent_again_has_the_same_name_and_another_has_another() -> None:
    first, second = event(), event(ident="13")
    name = delivered(json.dumps([first, second]).encode())
    assert name == delivered(json.dumps([second, {**first, "time": "2027-01-01T00:00:00Z"}], indent=1).encode())
    assert name != delivered(json.dumps([first]).encode())


def test_events_of_other_companies_and_other_kinds_are_passed_over() -> None:
    told = [
        event(), event(), event("qbo.payment.created.v1", 77), event("qbo.creditmemo.voided.v1", "5"), event("qbo.vendor.updated.v1", "6"),
        event("qbo.refundreceipt.emailed.v1", "8"), event("qbo.deposit.deleted.v1", "9"), event("qbo.customer.updated.v1", "10", "999"),
        event("unheard.of", "11"), event("qbo.invoice.updated.v1", "../12"), event("", "1"),
    ]  # fmt: skip
    assert hinted(told) == (
        Ref("invoices", "12"), Ref("payments", "77"), Ref("credit_memos", "5"), Ref("refund_receipts", "8"), Ref("deposits", "9"),
    )  # fmt: skip
    assert hinted(told, "999") == (Ref("customers", "10"),)
    assert hinted(told, "") == ()


def test_a_merge_names_both_and_asks_for_all_that_changed_hands() -> None:
    wanted = (Ref(reading.MERGED, "10"), Ref("customers", "11"))
    assert hinted([event("qbo.customer.merged.v1", "10", data={"deletedid": "11"})]) == wanted
    entity = {"id": "10", "operation": "Merge", "name": "Customer", "deletedId": "11", "lastUpdated": "2025-09-08T20:52:31.657Z"}
    assert hinted({"eventNotifications": [{"realmId": "310687", "dataChangeEvent": {"entities": [entity]}}]}) == wanted


def test_the_form_before_cloud_events_is_still_read(shared: Path) -> None:
    vectors = json.loads((shared / "vendor-specs" / "webhooks" / "signature-vectors.json").read_text("utf-8"))
    assert hinted(vectors["quickbooks.legacy"]["body"].encode()) == (Ref("invoices", "1234"), Ref("payments", "77"), Ref("invoices", "1301"))
    assert hinted(vectors["quickbooks.cloudevents_two_companies"]["body"].encode()) == (Ref("invoices", "1234"),)
    assert hinted(vectors["quickbooks.cloudevents_two_companies"]["body"].encode(), "9341453474484455") == (Ref("payments", "77"),)


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"eventNotifications": 5}', b"\xff", b'[{"id": "1", "type": "qbo.invoice.updated.v1"}]'])
def test_events_that_cannot_be_read_are_a_bad_record(body: bytes) -> None:
    with pytest.raises(BadRecord):
        hinted(body)


# The manifest


def test_no_secret_is_in_an_address_and_each_setting_we_go_by_is_a_field() -> None:
    assert QB.base_url({}) == "https://quickbooks.api.intuit.com"
    assert QB.authorise({}, {"access_token": "t"}) == {"Authorization": "Bearer t", "Accept": "application/json"}
    names = {field.name for field in QB.manifest.fields}
    mapped = {"item", "items", "tax_code", "tax_codes", "tax_rate_code", "no_tax_code", "bank_account", "fee_account", "deposit_account"}
    assert mapped | {"currency", "oauth_url"} <= names
    oauth = QB.manifest.oauth
    assert oauth is not None
    assert (oauth.base in names, oauth.returned) == (True, ("realmId",))


def test_dates_stay_plain_days_whatever_the_zone() -> None:
    (record,) = QB.translate(sample("payments.written_by_us"), {"time_zone": "Pacific/Auckland"})[:1]
    assert isinstance(record, documents.Payment)
    assert record.date == dt.date(2026, 5, 20)
