"""The HubSpot stand-in keeps records as the vendor does: properties, pages, batches, search, ties, bad input. Every answer on the
way is held against the vendor's description."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import NOW
from tests.scenarios.hubspot_answers import Asker, stand_in
from tieout.rehearsal.twins.hubspot import TWIN, HubSpot

COMPANIES = "/crm/v3/objects/companies"
CONTACTS = "/crm/v3/objects/contacts"
DEALS = "/crm/v3/objects/deals"
OURS = {"groupName": "tieout", "label": "Receivables"}
MODIFIED = "hs_lastmodifieddate"


@pytest.fixture
def twin() -> HubSpot:
    return stand_in()


@pytest.fixture
def ask(twin: HubSpot) -> Asker:
    return Asker(twin)


@pytest.fixture(scope="module")
def refusing() -> Asker:
    """One stand-in for all that is refused, since nothing of it changes anything. Our properties are there."""
    ask = Asker(stand_in())
    with_receivables(ask)
    return ask


def with_receivables(ask: Asker) -> None:
    """The account after our integration prepared it: a group, a unique customer number, a balance, a risk."""
    ask("POST", "/crm/v3/properties/companies/groups", {"name": "tieout", "label": "Receivables", "displayOrder": 3}, status=201)
    number = {**OURS, "name": "ar_customer_id", "type": "string", "fieldType": "text", "hasUniqueValue": True}
    balance = {**OURS, "name": "ar_balance", "label": "Balance", "type": "number", "fieldType": "number"}
    oldest = {**OURS, "name": "ar_oldest_due", "label": "Oldest due", "type": "date", "fieldType": "date"}
    levels = [{"value": value, "label": value.title(), "displayOrder": place, "hidden": False} for place, value in enumerate(("low", "high"))]
    risk = {**OURS, "name": "ar_risk", "label": "Risk", "type": "enumeration", "fieldType": "select", "options": levels}
    for made in (number, balance, oldest, risk):
        ask("POST", "/crm/v3/properties/companies", made, status=201)


def search(ask: Asker, *filters: dict[str, Any], kind: str = "companies", status: int = 200, **more: Any) -> Any:
    return ask("POST", f"/crm/v3/objects/{kind}/search", {"filterGroups": [{"filters": list(filters)}] if filters else [], **more}, status=status)


def names(answered: Any, name: str = "name") -> list[str]:
    return [one["properties"][name] for one in answered["results"]]


def where(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"propertyName": name, "operator": operator, **({} if value is None else {"value": value}), **more}


# Records


def test_the_stand_in_is_what_its_folder_exports_under_its_name() -> None:
    assert TWIN is HubSpot
    assert TWIN.name == "hubspot"


@pytest.mark.parametrize("family", ["/crm/v3/objects", "/crm/objects/2026-03"])
def test_a_company_is_made_read_changed_and_archived_in_both_families_of_paths(ask: Asker, twin: HubSpot, family: str) -> None:
    made = ask("POST", f"{family}/companies", {"properties": {"name": "Alder Ceramics", "annualrevenue": 125000.75}, "associations": []}, status=201)
    assert made["properties"]["annualrevenue"] == "125000.75"
    assert made["properties"]["hs_object_id"] == made["id"]
    assert int(made["id"]) > 2**32
    assert ask.headers["Location"].endswith(f"{family}/companies/{made['id']}")
    twin.move_clock(60)
    changed = ask("PATCH", f"{family}/companies/{made['id']}", {"properties": {"name": "Alder Ceramics Ltd", "annualrevenue": ""}})
    assert changed["properties"]["name"] == "Alder Ceramics Ltd"
    assert changed["createdAt"] == "2026-06-10T09:30:00Z"
    assert changed["updatedAt"] == changed["properties"][MODIFIED] == "2026-06-10T09:31:00Z"
    read = ask("GET", f"{family}/companies/{made['id']}?properties=name,annualrevenue,nobody_knows")
    assert read["properties"]["annualrevenue"] is None
    assert "nobody_knows" not in read["properties"]
    ask("DELETE", f"{family}/companies/{made['id']}", status=204)
    ask("DELETE", f"{family}/companies/{made['id']}", status=204)
    assert ask("GET", f"{family}/companies/{made['id']}", status=404)["message"] == "resource not found"
    gone = ask("GET", f"{family}/companies/{made['id']}?archived=true")
    assert gone["archived"] is True
    assert gone["archivedAt"] == "2026-06-10T09:31:00Z"


def test_an_instant_has_no_fraction_where_its_thousandths_are_zero(ask: Asker, twin: HubSpot) -> None:
    twin.move_clock(0.25)
    made = ask("POST", COMPANIES, {"properties": {"name": "Bramble Print"}}, status=201)
    assert made["createdAt"] == "2026-06-10T09:30:00.250Z"


def test_a_list_goes_on_by_id_and_archived_records_are_a_list_of_their_own(ask: Asker, twin: HubSpot) -> None:
    five = twin.fill(5, contacts=False, deals=False)
    first = ask("GET", f"{COMPANIES}?limit=2")
    twin.archive(five[0])
    second = ask("GET", f"{COMPANIES}?limit=2&after={first['paging']['next']['after']}")
    third = ask("GET", f"{COMPANIES}?limit=2&after={second['paging']['next']['after']}")
    assert [one["id"] for page in (first, second, third) for one in page["results"]] == [company.id for company in five]
    assert "paging" not in third
    assert [one["id"] for one in ask("GET", f"{COMPANIES}?archived=true")["results"]] == [five[0].id]


def test_the_properties_of_a_list_are_those_asked_for_and_the_stamps(ask: Asker, twin: HubSpot) -> None:
    twin.company("Cinder Foods", city="Larkfield")
    assert set(ask("GET", COMPANIES)["results"][0]["properties"]) == {"name", "domain", "createdate", MODIFIED, "hs_object_id"}
    assert set(ask("GET", f"{COMPANIES}?properties=city")["results"][0]["properties"]) == {"city", "createdate", MODIFIED, "hs_object_id"}


def test_the_history_of_a_property_tells_who_changed_it(ask: Asker, twin: HubSpot) -> None:
    company = twin.company("Dunmore Joinery")
    twin.move_clock(5)
    ask("PATCH", f"{COMPANIES}/{company.id}", {"properties": {"name": "Dunmore"}})
    history = ask("GET", f"{COMPANIES}/{company.id}?propertiesWithHistory=name")["propertiesWithHistory"]["name"]
    assert [(one["value"], one["sourceType"]) for one in history] == [("Dunmore", "INTEGRATION"), ("Dunmore Joinery", "CRM_UI")]
    ask("GET", f"{COMPANIES}?propertiesWithHistory=name&limit=51", status=400)


def test_writing_what_is_there_already_still_moves_the_date_of_modification(ask: Asker, twin: HubSpot) -> None:
    company = twin.company("Elmgate Textiles")
    twin.move_clock(9)
    ask("PATCH", f"{COMPANIES}/{company.id}", {"properties": {"name": "Elmgate Textiles"}})
    assert company.properties[MODIFIED] == "2026-06-10T09:30:09Z"


def test_a_contact_is_found_by_its_address_and_has_one_only(ask: Asker, twin: HubSpot) -> None:
    contact = twin.contact("Ada@Fenwick.example", firstname="Ada")
    read = ask("GET", f"{CONTACTS}/ada@fenwick.example?idProperty=email&properties=email")
    assert read["id"] == contact.id
    assert read["properties"]["email"] == "ada@fenwick.example"
    assert "lastmodifieddate" in read["properties"]
    again = ask("POST", CONTACTS, {"properties": {"email": "ADA@fenwick.example"}}, status=409)
    assert again["category"] == "CONFLICT"
    assert again["message"].endswith(f"Existing ID: {contact.id}")
    other = twin.contact("bo@fenwick.example")
    assert (
        f"{contact.id} already has that value"
        in ask("PATCH", f"{CONTACTS}/{other.id}", {"properties": {"email": "ada@fenwick.example"}}, status=400)["message"]
    )
    twin.archive(contact)
    ask("POST", CONTACTS, {"properties": {"email": "ada@fenwick.example"}}, status=201)


def test_a_restored_company_is_back_under_its_id(ask: Asker, twin: HubSpot) -> None:
    company = twin.company("Garrow Works")
    twin.archive(company)
    twin.restore(company)
    assert ask("GET", f"{COMPANIES}/{company.id}")["archived"] is False
    assert twin.everyone("companies") == [company]


def test_a_won_deal_is_closed_today_and_knows_it(ask: Asker, twin: HubSpot) -> None:
    deal = twin.deal("Yearly order", amount="1200.50")
    assert deal.properties["dealstage"] == "appointmentscheduled"
    twin.move_clock(86_400)
    twin.win(deal)
    wanted = "dealstage,closedate,hs_is_closed_won,hs_is_closed"
    told = ask("GET", f"{DEALS}/{deal.id}?properties={wanted}")["properties"]
    assert [told[name] for name in wanted.split(",")] == ["closedwon", "2026-06-11T09:30:00Z", "true", "true"]


def test_the_amount_of_a_line_is_its_price_times_its_quantity(ask: Asker, twin: HubSpot) -> None:
    deal = twin.deal("Yearly order")
    tied = [{"to": {"id": deal.id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 20}]}]
    line = ask(
        "POST", "/crm/v3/objects/line_items", {"properties": {"name": "Tiles", "price": "19.90", "quantity": 3}, "associations": tied}, status=201
    )
    assert line["properties"]["amount"] == "59.70"
    shown = ask("GET", f"{DEALS}/{deal.id}?associations=line_items")
    assert shown["associations"] == {"line items": {"results": [{"id": line["id"], "type": "deal_to_line_item"}]}}


def test_invoices_are_read_and_never_written_by_an_application(ask: Asker, twin: HubSpot) -> None:
    company = twin.company("Hazel Packaging")
    invoice = twin.invoice("INV-7", company=company, hs_amount_billed="100.00", hs_balance_due="40.00", hs_due_date="2026-07-01T00:00:00Z")
    read = ask("GET", f"/crm/v3/objects/invoices/{invoice.id}?properties=hs_invoice_status,hs_balance_due&associations=companies")
    assert (read["properties"]["hs_invoice_status"], read["properties"]["hs_balance_due"]) == ("open", "40.00")
    assert read["associations"]["companies"]["results"] == [{"id": company.id, "type": "invoice_to_company"}]
    refused = ask("POST", "/crm/v3/objects/invoices", {"properties": {"hs_number": "X"}}, status=403)
    assert refused["category"] == "MISSING_SCOPES"


def test_a_task_and_a_note_hang_on_a_company_and_need_their_moment(ask: Asker, twin: HubSpot) -> None:
    company = twin.company("Ivybridge Trading")
    for kind, number, properties in (
        (
            "tasks",
            192,
            {"hs_timestamp": "1781083800000", "hs_task_subject": "Call about INV-7", "hs_task_status": "NOT_STARTED", "hs_task_type": "CALL"},
        ),
        ("notes", 190, {"hs_timestamp": "2026-06-10T09:30:00Z", "hs_note_body": "Promised to pay on Friday"}),
    ):
        tied = [{"to": {"id": company.id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}]}]
        made = ask("POST", f"/crm/v3/objects/{kind}", {"properties": properties, "associations": tied}, status=201)
        assert made["properties"]["hs_timestamp"] == "2026-06-10T09:30:00Z"
        assert [one["toObjectId"] for one in ask("GET", f"/crm/v4/objects/companies/{company.id}/associations/{kind}")["results"]] == [
            int(made["id"])
        ]
        refused = ask("POST", f"/crm/v3/objects/{kind}", {"properties": {}}, status=400)
        assert refused["context"] == {"properties": ["hs_timestamp"]}


# Properties


def test_properties_and_groups_are_made_changed_and_archived(ask: Asker) -> None:
    with_receivables(ask)
    group = ask("GET", "/crm/v3/properties/companies/groups/tieout")
    assert group == {"name": "tieout", "label": "Receivables", "displayOrder": 3, "archived": False}
    number = ask("GET", "/crm/v3/properties/companies/ar_customer_id")
    assert (number["hasUniqueValue"], number["groupName"], number["modificationMetadata"]["readOnlyValue"]) == (True, "tieout", False)
    ask("PATCH", "/crm/v3/properties/companies/ar_balance", {"label": "Open balance", "options": []})
    listed = {one["name"]: one for one in ask("GET", "/crm/v3/properties/companies")["results"]}
    assert listed["ar_balance"]["label"] == "Open balance"
    assert listed["name"]["hubspotDefined"] is True
    ask("DELETE", "/crm/v3/properties/companies/groups/tieout", status=400)
    ask("DELETE", "/crm/v3/properties/companies/ar_balance", status=204)
    assert [one["name"] for one in ask("GET", "/crm/v3/properties/companies?archived=true")["results"]] == ["ar_balance"]
    assert ask("GET", "/crm/v3/properties/companies/ar_balance", status=404)["subCategory"] == "Properties.PROPERTY_NOT_FOUND"
    assert ask("POST", COMPANIES, {"properties": {"ar_balance": "1"}}, status=400)["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"


def test_what_exists_already_is_a_conflict_with_its_own_category(ask: Asker) -> None:
    with_receivables(ask)
    group = ask("POST", "/crm/v3/properties/companies/groups", {"name": "tieout", "label": "Again"}, status=409)
    made = ask("POST", "/crm/v3/properties/companies", {**OURS, "name": "ar_customer_id", "type": "string", "fieldType": "text"}, status=409)
    assert group["category"] == made["category"] == "OBJECT_ALREADY_EXISTS"


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"name": "AR Balance"}, id="a name with capitals and spaces"),
        pytest.param({"label": ""}, id="no label"),
        pytest.param({"type": "money"}, id="a type nobody knows"),
        pytest.param({"fieldType": "checkbox"}, id="a field that does not go with the type"),
        pytest.param({"groupName": "nowhere"}, id="a group that is not there"),
        pytest.param({"type": "enumeration", "fieldType": "select"}, id="an enumeration without options"),
        pytest.param({"type": "enumeration", "fieldType": "select", "options": [{"value": "a"}]}, id="an option without a label"),
        pytest.param({"type": "date", "fieldType": "date", "hasUniqueValue": True}, id="a unique date"),
        pytest.param({"displayOrder": "first"}, id="a place that is no number"),
    ],
)
def test_a_property_badly_made_is_refused(refusing: Asker, wrong: dict[str, Any]) -> None:
    made = {**OURS, "name": "ar_more", "type": "number", "fieldType": "number", **wrong}
    assert refusing("POST", "/crm/v3/properties/companies", made, status=400)["category"] == "VALIDATION_ERROR"


def test_the_properties_an_account_is_born_with_stay(ask: Asker) -> None:
    ask("DELETE", "/crm/v3/properties/companies/name", status=400)
    ask("PATCH", f"/crm/v3/properties/companies/{MODIFIED}", {"label": "Mine"}, status=400)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        pytest.param("nobody_knows", "1", "PROPERTY_DOESNT_EXIST", id="a property nobody defined"),
        pytest.param(MODIFIED, "2026-06-10", "READ_ONLY_VALUE", id="a stamp"),
        pytest.param("ar_balance", "12,50", "INVALID_NUMBER", id="a number with a comma"),
        pytest.param("ar_balance", "NaN", "INVALID_NUMBER", id="no number at all"),
        pytest.param("ar_balance", " 12.50", "INVALID_WHITESPACE", id="a number after a space"),
        pytest.param("ar_oldest_due", "31.05.2026", "INVALID_DATE", id="a day in another order"),
        pytest.param("ar_oldest_due", "1781083800000", "INVALID_DATE", id="a day at half past nine"),
        pytest.param("ar_risk", "High", "INVALID_OPTION", id="an option by its label"),
        pytest.param("lifecyclestage", "friend", "INVALID_OPTION", id="an option nobody offers"),
        pytest.param("description", "x" * 65_537, "STRING_TOO_LONG", id="a text that is too long"),
    ],
)
def test_a_value_that_is_not_well_is_refused_and_named(refusing: Asker, name: str, value: str, code: str) -> None:
    refused = refusing("POST", COMPANIES, {"properties": {"name": "Juniper", name: value}}, status=400)
    assert refused["category"] == "VALIDATION_ERROR"
    assert [(one["code"], one["context"]) for one in refused["errors"]] == [(code, {"propertyName": [name]})]
    told = json.loads(refused["message"].removeprefix("Property values were not valid: "))
    assert (told[0]["error"], told[0]["name"], told[0]["isValid"]) == (code, name, False)


def test_all_bad_values_are_told_at_once(ask: Asker) -> None:
    refused = ask("POST", CONTACTS, {"properties": {"email": "nobody at home", "shoe_size": "43"}}, status=400)
    assert [one["code"] for one in refused["errors"]] == ["INVALID_EMAIL", "PROPERTY_DOESNT_EXIST"]


def test_a_day_may_be_sent_as_its_midnight_and_an_instant_in_any_zone(ask: Asker, twin: HubSpot) -> None:
    with_receivables(ask)
    made = ask("POST", COMPANIES, {"properties": {"name": "Kestrel", "ar_oldest_due": "1780272000000"}}, status=201)
    assert made["properties"]["ar_oldest_due"] == "2026-06-01"
    deal = twin.deal("Order", closedate="2026-06-10T11:30:00+02:00")
    assert deal.properties["closedate"] == "2026-06-10T09:30:00Z"


# Batches


def test_a_batch_upsert_by_a_unique_property_makes_once_and_changes_after(ask: Asker, twin: HubSpot) -> None:
    with_receivables(ask)
    twin.company("Linden Studio", ar_customer_id="C-1")
    inputs = [
        {"idProperty": "ar_customer_id", "id": f"C-{n}", "properties": {"name": f"Customer {n}", "ar_balance": f"{n}.50"}} for n in range(1, 101)
    ]
    first = ask("POST", f"{COMPANIES}/batch/upsert", {"inputs": inputs})
    assert [one["new"] for one in first["results"]] == [False] + [True] * 99
    again = ask("POST", f"{COMPANIES}/batch/upsert", {"inputs": inputs})
    assert [one["id"] for one in again["results"]] == [one["id"] for one in first["results"]]
    assert not any(one["new"] for one in again["results"])
    assert len(twin.everyone("companies")) == 100
    read = ask("GET", f"{COMPANIES}/C-77?idProperty=ar_customer_id&properties=ar_balance")
    assert read["properties"]["ar_balance"] == "77.50"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        pytest.param([{"idProperty": "name", "id": "A", "properties": {}}], "not a unique property", id="by a property that is not unique"),
        pytest.param([{"idProperty": "ar_customer_id", "id": "A", "properties": {}}] * 2, "Duplicate IDs", id="the same id twice"),
        pytest.param(
            [{"idProperty": "ar_customer_id", "id": "A", "properties": {}}, {"id": "1", "properties": {}}], "same idProperty", id="by two properties"
        ),
        pytest.param([{"idProperty": "ar_customer_id", "id": str(n), "properties": {}} for n in range(101)], "at most 100", id="a hundred and one"),
        pytest.param([{"idProperty": "ar_customer_id", "properties": {}}], "needs its id", id="without an id"),
        pytest.param("all of them", "must be a list", id="no list at all"),
    ],
)
def test_a_batch_that_is_not_well_is_refused_as_a_whole(refusing: Asker, inputs: Any, said: str) -> None:
    assert said in refusing("POST", f"{COMPANIES}/batch/upsert", {"inputs": inputs}, status=400)["message"]
    assert refusing.twin.everyone("companies") == []


def test_one_bad_input_spoils_a_batch_unless_every_input_carries_a_trace(ask: Asker, twin: HubSpot) -> None:
    inputs = [{"properties": {"name": "Good"}, "associations": []}, {"properties": {"shoe_size": "43"}, "associations": []}]
    ask("POST", f"{COMPANIES}/batch/create", {"inputs": inputs}, status=400)
    assert twin.everyone("companies") == []
    traced = [{**one, "objectWriteTraceId": f"line-{place}"} for place, one in enumerate(inputs)]
    partly = ask("POST", f"{COMPANIES}/batch/create", {"inputs": traced}, status=207)
    assert names(partly) == ["Good"]
    assert partly["numErrors"] == 1
    assert partly["errors"][0]["context"]["objectWriteTraceId"] == ["line-1"]


def test_a_batch_tells_which_records_it_did_not_find(ask: Asker, twin: HubSpot) -> None:
    company = twin.company("Alder")
    read = ask(
        "POST",
        f"{COMPANIES}/batch/read",
        {"inputs": [{"id": company.id}, {"id": "404"}], "properties": ["name"], "propertiesWithHistory": []},
        status=207,
    )
    assert names(read) == ["Alder"]
    assert read["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert read["errors"][0]["context"] == {"ids": ["404"]}
    changed = [{"id": company.id, "properties": {"city": "Larkfield"}}, {"id": "404", "properties": {"city": "Nowhere"}}]
    assert ask("POST", f"{COMPANIES}/batch/update", {"inputs": changed}, status=207)["numErrors"] == 1
    assert company.properties["city"] == "Larkfield"
    ask("POST", f"{COMPANIES}/batch/archive", {"inputs": [{"id": company.id}, {"id": "404"}]}, status=204)
    assert twin.everyone("companies") == []


def test_two_new_records_of_one_batch_cannot_share_a_unique_value(ask: Asker, twin: HubSpot) -> None:
    two = [{"properties": {"email": "one@alder.example"}, "associations": []}] * 2
    ask("POST", f"{CONTACTS}/batch/create", {"inputs": two}, status=400)
    assert twin.everyone("contacts") == []


# Search


def test_a_search_reads_what_changed_since_a_moment_in_the_order_it_changed(ask: Asker, twin: HubSpot) -> None:
    made = twin.fill(250, contacts=False, deals=False)
    twin.move_clock(30)
    twin.change(made[0], city="Elsewhere")
    since = where(MODIFIED, "GTE", "1781083800000")
    assert search(ask, since, properties=["name"])["total"] == 1
    since = where(MODIFIED, "GTE", "2026-06-10T09:25:50Z")
    pages, after = [], "0"
    while after:
        page = search(ask, since, sorts=[{"propertyName": MODIFIED, "direction": "ASCENDING"}], limit=100, after=after, properties=["name"])
        pages.append(page)
        after = page.get("paging", {}).get("next", {}).get("after", "")
    assert [len(page["results"]) for page in pages] == [100, 100, 50]
    assert {page["total"] for page in pages} == {250}
    seen = [one["id"] for page in pages for one in page["results"]]
    assert seen == [company.id for company in made[1:]] + [made[0].id]


def test_a_search_ends_at_ten_thousand_and_goes_on_from_the_last_date(ask: Asker, twin: HubSpot) -> None:
    twin.fill(10_050, contacts=False, deals=False)
    body = {"sorts": [MODIFIED], "limit": 200, "properties": ["name"]}
    last = search(ask, after=9_800, **body)
    assert (last["total"], last["paging"]["next"]["after"]) == (10_050, "10000")
    assert "10000" in search(ask, after=10_000, status=400, **body)["message"]
    onwards = search(ask, where(MODIFIED, "GTE", last["results"][-1]["properties"][MODIFIED]), **body)
    assert onwards["total"] == 51
    assert onwards["results"][0]["id"] == last["results"][-1]["id"]


FOUR = (("Alder Ceramics", "100", "DE"), ("Bramble Print", "20.0", "FR"), ("Cinder Foods", "3", None), ("Alder & Sons", None, "DE"))


@pytest.fixture(scope="module")
def four() -> tuple[Asker, dict[str, str]]:
    """Four companies to search among, and their letters by id."""
    ask = Asker(stand_in())
    letters = {}
    for letter, (name, revenue, country) in zip("ABCD", FOUR, strict=True):
        given = {"annualrevenue": revenue, "country": country}
        letters[ask.twin.company(name, **{key: value for key, value in given.items() if value}).id] = letter
    return ask, letters


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param([where("annualrevenue", "EQ", "20")], "B", id="numbers are compared as numbers"),
        pytest.param([where("annualrevenue", "GT", "9")], "AB", id="more than nine is also twenty and a hundred"),
        pytest.param([where("annualrevenue", "LTE", "20")], "BC", id="at most"),
        pytest.param([where("annualrevenue", "BETWEEN", "3", highValue="20")], "BC", id="both bounds belong to it"),
        pytest.param([where("annualrevenue", "LT", "20")], "C", id="less than"),
        pytest.param([where("annualrevenue", "HAS_PROPERTY")], "ABC", id="is set"),
        pytest.param([where("annualrevenue", "NOT_HAS_PROPERTY")], "D", id="is not set"),
        pytest.param([where("country", "EQ", "de")], "AD", id="text is compared in any case"),
        pytest.param([where("country", "NEQ", "DE")], "B", id="not equal does not find what is not set"),
        pytest.param([where("country", "IN", values=["de", "fr"])], "ABD", id="among small letters"),
        pytest.param([where("country", "IN", values=["DE"])], "", id="among capitals nothing is found"),
        pytest.param([where("country", "NOT_IN", values=["de"])], "B", id="not among"),
        pytest.param([where("name", "CONTAINS_TOKEN", "alder")], "AD", id="a word of the text"),
        pytest.param([where("name", "CONTAINS_TOKEN", "c*")], "AC", id="the beginning of a word"),
        pytest.param([where("name", "NOT_CONTAINS_TOKEN", "alder")], "BC", id="without a word"),
        pytest.param([where("country", "EQ", "DE"), where("annualrevenue", "GTE", "100")], "A", id="all filters of a group"),
    ],
)
def test_a_filter_finds(four: tuple[Asker, dict[str, str]], filters: list[dict[str, Any]], expected: str) -> None:
    ask, letters = four
    assert "".join(letters[one["id"]] for one in search(ask, *filters)["results"]) == expected


def test_groups_are_alternatives_and_words_are_looked_up_in_what_is_shown(ask: Asker, twin: HubSpot) -> None:
    for name, _, _ in FOUR:
        twin.company(name)
    either = {
        "filterGroups": [{"filters": [where("name", "EQ", "cinder foods")]}, {"filters": [where("name", "EQ", "bramble print")]}],
        "sorts": ["-name"],
    }
    assert names(ask("POST", f"{COMPANIES}/search", either)) == ["Cinder Foods", "Bramble Print"]
    assert names(search(ask, query="alder", sorts=[{"propertyName": "name", "direction": "DESCENDING"}])) == ["Alder Ceramics", "Alder & Sons"]


def test_enumerations_are_compared_to_the_letter(ask: Asker, twin: HubSpot) -> None:
    twin.company("Alder", lifecyclestage="customer")
    assert search(ask, where("lifecyclestage", "IN", values=["customer"]))["total"] == 1
    assert search(ask, where("lifecyclestage", "EQ", "Customer"))["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"filterGroups": [{"filters": [where("name", "HAS_PROPERTY")]}] * 6}, id="six groups"),
        pytest.param({"filterGroups": [{"filters": [where("name", "HAS_PROPERTY")] * 11}]}, id="eleven filters in a group"),
        pytest.param({"filterGroups": [{"filters": [where("name", "HAS_PROPERTY")] * 9}] * 3}, id="twenty-seven filters in all"),
        pytest.param({"filterGroups": [{"filters": [where("nobody_knows", "EQ", "1")]}]}, id="a property nobody knows"),
        pytest.param({"filterGroups": [{"filters": [where("name", "LIKE", "a")]}]}, id="an operator nobody knows"),
        pytest.param({"filterGroups": [{"filters": [where("name", "EQ")]}]}, id="a comparison with nothing"),
        pytest.param({"filterGroups": [{"filters": [where("name", "IN")]}]}, id="among no values"),
        pytest.param({"filterGroups": [{"filters": [where("annualrevenue", "GT", "much")]}]}, id="more than a word"),
        pytest.param({"filterGroups": [{"filters": [where(MODIFIED, "GT", "yesterday")]}]}, id="since no date"),
        pytest.param({"filterGroups": [{"filters": [where("annualrevenue", "BETWEEN", "1")]}]}, id="between one bound"),
        pytest.param({"filterGroups": {"filters": []}}, id="groups that are no list"),
        pytest.param({"filterGroups": ["name"]}, id="a group that is no group"),
        pytest.param({"sorts": ["name", "city"]}, id="two sorts"),
        pytest.param({"sorts": ["nobody_knows"]}, id="a sort by nothing"),
        pytest.param({"limit": 201}, id="too large a page"),
        pytest.param({"after": "soon"}, id="a place that is no number"),
        pytest.param({"query": "x" * 3_001}, id="too long a text"),
    ],
)
def test_a_search_that_cannot_be_is_refused(refusing: Asker, body: dict[str, Any]) -> None:
    assert refusing("POST", f"{COMPANIES}/search", body, status=400)["category"] == "VALIDATION_ERROR"


def test_the_search_index_lags_and_says_what_was() -> None:
    twin = stand_in(index_lag_seconds=10)
    ask = Asker(twin)
    company = twin.company("Alder")
    assert search(ask)["total"] == 0
    twin.move_clock(10)
    assert names(search(ask)) == ["Alder"]
    twin.change(company, name="Alder Ltd")
    assert names(search(ask)) == ["Alder"]
    assert ask("GET", f"{COMPANIES}/{company.id}")["properties"]["name"] == "Alder Ltd"
    twin.move_clock(10)
    assert names(search(ask)) == ["Alder Ltd"]
    twin.archive(company)
    assert search(ask)["total"] == 1
    twin.move_clock(10)
    assert search(ask)["total"] == 0


# Ties


def test_ties_are_made_labelled_listed_and_cut(ask: Asker, twin: HubSpot) -> None:
    company, contact = twin.company("Alder"), twin.contact("ada@alder.example")
    base = f"/crm/v4/objects/contacts/{contact.id}/associations"
    made = ask("PUT", f"/crm/v4/objects/contacts/{contact.id}/associations/default/companies/{company.id}")
    assert [one["associationSpec"]["associationTypeId"] for one in made["results"]] == [279, 280]
    number = twin.label("contact", "company", "Pays the bills")
    labelled = ask("PUT", f"{base}/companies/{company.id}", [{"associationCategory": "USER_DEFINED", "associationTypeId": number}], status=201)
    assert (labelled["labels"], labelled["fromObjectTypeId"], labelled["toObjectTypeId"]) == (["Pays the bills"], "0-1", "0-2")
    listed = ask("GET", f"{base}/companies")["results"]
    assert listed == [
        {
            "toObjectId": int(company.id),
            "associationTypes": [
                {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None},
                {"category": "USER_DEFINED", "typeId": number, "label": "Pays the bills"},
            ],
        }
    ]
    assert any(one["label"] == "Pays the bills" for one in ask("GET", "/crm/v4/associations/company/contact/labels")["results"])
    ask("DELETE", f"{base}/companies/{company.id}", status=204)
    assert ask("GET", f"/crm/v4/objects/companies/{company.id}/associations/contacts")["results"] == []


def test_a_contact_has_one_primary_company(ask: Asker, twin: HubSpot) -> None:
    first, second = twin.company("First"), twin.company("Second")
    contact = twin.contact("ada@first.example", company=first)
    primary = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    ask("PUT", f"/crm/v4/objects/contacts/{contact.id}/associations/companies/{second.id}", primary, status=201)
    read = ask("GET", f"{CONTACTS}/{contact.id}?associations=companies&properties=associatedcompanyid")
    assert read["properties"]["associatedcompanyid"] == second.id
    assert [(one["id"], one["type"]) for one in read["associations"]["companies"]["results"]] == [
        (first.id, "contact_to_company_unlabeled"),
        (second.id, "contact_to_company_unlabeled"),
        (second.id, "contact_to_company"),
    ]


def test_a_company_may_be_the_parent_of_another(ask: Asker, twin: HubSpot) -> None:
    parent, child = twin.company("Alder Group"), twin.company("Alder Print")
    twin.associate(parent, child, "Child Company")
    listed = ask("GET", f"/crm/v4/objects/companies/{child.id}/associations/companies")["results"]
    assert [one["label"] for one in listed[0]["associationTypes"]] == [None, "Parent Company"]


def test_ties_come_in_pages_and_leave_out_who_is_archived(ask: Asker, twin: HubSpot) -> None:
    company = twin.company("Alder")
    deals = [twin.deal(f"Order {number}", company=company) for number in range(5)]
    base = f"/crm/v4/objects/companies/{company.id}/associations/deals"
    first = ask("GET", f"{base}?limit=3")
    twin.archive(deals[4])
    rest = ask("GET", f"{base}?limit=3&after={first['paging']['next']['after']}")
    assert [one["toObjectId"] for page in (first, rest) for one in page["results"]] == [int(deal.id) for deal in deals[:4]]
    ask("GET", f"{base}?limit=501", status=400)


def test_many_ties_are_made_read_and_cut_at_once(ask: Asker, twin: HubSpot) -> None:
    company = twin.company("Alder")
    contacts = [twin.contact(f"{name}@alder.example") for name in ("ada", "bo")]
    base = "/crm/v4/associations/contacts/companies/batch"
    pairs = [{"from": {"id": contact.id}, "to": {"id": company.id}} for contact in contacts]
    primary = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    assert len(ask("POST", f"{base}/associate/default", {"inputs": pairs})["results"]) == 4
    ask("POST", f"{base}/create", {"inputs": [{**pair, "types": primary} for pair in pairs]}, status=201)
    strange = {"from": {"id": contacts[0].id}, "to": {"id": "404"}, "types": primary}
    assert ask("POST", f"{base}/create", {"inputs": [strange]}, status=207)["errors"][0]["context"]["toObjectId"] == ["404"]
    read = ask("POST", f"{base}/read", {"inputs": [{"id": contact.id} for contact in contacts]})
    assert [[one["label"] for one in entry["to"][0]["associationTypes"]] for entry in read["results"]] == [[None, "Primary"], [None, "Primary"]]
    assert ask("POST", f"{base}/read", {"inputs": [{"id": "404"}]}, status=207)["numErrors"] == 1
    ask("POST", f"{base}/labels/archive", {"inputs": [{**pairs[0], "types": primary}]}, status=204)
    ask("POST", f"{base}/archive", {"inputs": [{"from": pairs[1]["from"], "to": [pairs[1]["to"]]}]}, status=204)
    left = ask("GET", f"/crm/v4/objects/companies/{company.id}/associations/contacts")["results"]
    assert [(one["toObjectId"], [type_["label"] for type_ in one["associationTypes"]]) for one in left] == [(int(contacts[0].id), [None])]


@pytest.mark.parametrize(
    ("number", "category", "target", "said"),
    [
        pytest.param(280, "HUBSPOT_DEFINED", "company", "invalid from object type 0-1", id="the number of the other direction"),
        pytest.param(4, "HUBSPOT_DEFINED", "company", "are invalid", id="the number for a deal with the id of a company"),
        pytest.param(9999, "HUBSPOT_DEFINED", "company", "No association type", id="a number nobody knows"),
        pytest.param(279, "USER_DEFINED", "company", "No association type", id="another category"),
        pytest.param(279, "HUBSPOT_DEFINED", "404", "are invalid", id="a company that is not there"),
    ],
)
def test_a_tie_that_cannot_be_is_refused_with_the_record(ask: Asker, twin: HubSpot, number: int, category: str, target: str, said: str) -> None:
    company = twin.company("Alder")
    ident = company.id if target == "company" else target
    tied = [{"to": {"id": ident}, "types": [{"associationCategory": category, "associationTypeId": number}]}]
    refused = ask("POST", CONTACTS, {"properties": {"email": "ada@alder.example"}, "associations": tied}, status=400)
    assert said in refused["message"]
    assert twin.everyone("contacts") == []


# The account, and what is wrong with a request


def test_the_account_tells_its_zone_and_currency(ask: Asker, twin: HubSpot) -> None:
    told = ask("GET", "/account-info/v3/details")
    assert told == ask("GET", "/account-info/2026-03/details")
    assert (told["portalId"], told["timeZone"], told["companyCurrency"], told["utcOffset"]) == (twin.portal_id, "Europe/Berlin", "EUR", "+02:00")


def test_the_stages_of_a_deal_say_which_of_them_close_it(ask: Asker) -> None:
    stages = ask("GET", "/crm/v3/pipelines/deals")["results"][0]["stages"]
    assert [stage["id"] for stage in stages if stage["metadata"]["isClosed"] == "true"] == ["closedwon", "closedlost"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("GET", "/crm/v3/objects/widgets", None, 400, id="a kind nobody knows"),
        pytest.param("GET", f"{COMPANIES}?limit=101", None, 400, id="too large a page"),
        pytest.param("GET", f"{COMPANIES}?limit=0", None, 400, id="an empty page"),
        pytest.param("GET", f"{COMPANIES}?after=next", None, 400, id="a place that is no id"),
        pytest.param("GET", f"{COMPANIES}/alder", None, 404, id="an id in letters"),
        pytest.param("GET", f"{COMPANIES}/404", None, 404, id="an id nobody has"),
        pytest.param("GET", f"{COMPANIES}/alder?idProperty=name", None, 400, id="by a property that is not unique"),
        pytest.param("PATCH", f"{COMPANIES}/404", {"properties": {}}, 404, id="a change of nobody"),
        pytest.param("DELETE", f"{COMPANIES}/404", None, 404, id="an end of nobody"),
        pytest.param("POST", COMPANIES, {"properties": ["name"]}, 400, id="properties in a list"),
        pytest.param("POST", COMPANIES, {"properties": {"name": {"is": "Alder"}}}, 400, id="a value that is an object"),
        pytest.param("POST", COMPANIES, ["name"], 400, id="a list for an object"),
        pytest.param("POST", COMPANIES, {"properties": {"name": "A"}, "associations": [{"to": "404"}]}, 400, id="a tie without types"),
    ],
)
def test_a_request_that_cannot_be_is_refused_in_the_vendors_envelope(refusing: Asker, method: str, path: str, body: Any, status: int) -> None:
    refused = refusing(method, path, body, status=status)
    assert refused["status"] == "error"
    assert refused["correlationId"]
    assert refused["category"] in {"VALIDATION_ERROR", "OBJECT_NOT_FOUND"}


def test_a_body_that_is_no_json_is_refused(ask: Asker) -> None:
    answered = ask.client.post(COMPANIES, data=b"{", headers={"Authorization": "Bearer pat-twin"})
    assert (answered.status_code, answered.get_json()["category"]) == (400, "VALIDATION_ERROR")


def test_a_path_or_method_nobody_knows_is_told_in_the_envelope_too(ask: Asker) -> None:
    unknown = ask.client.get("/crm/v9/objects/companies")
    assert (unknown.status_code, unknown.get_json()["category"]) == (404, "OBJECT_NOT_FOUND")
    assert ask.client.put(COMPANIES).status_code == 405


def test_two_stand_ins_of_one_seed_answer_alike() -> None:
    def played() -> list[Any]:
        twin = stand_in(seed=7)
        ask = Asker(twin)
        twin.fill(3)
        return [ask("GET", f"{CONTACTS}?associations=companies"), ask("GET", f"{COMPANIES}/404", status=404), twin.authorise()]

    assert played() == played()
    assert NOW.isoformat() == "2026-06-10T09:30:00+00:00"
