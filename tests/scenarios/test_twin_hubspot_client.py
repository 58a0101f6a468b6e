"""The vendor's own Python client works with the HubSpot stand-in as with the vendor: over HTTP, with its own models and errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hubspot
import hubspot.oauth
import pytest
from hubspot.crm import companies, contacts, deals, properties
from hubspot.crm.associations import v4
from hubspot.crm.objects import notes, tasks
from hubspot.utils.objects import fetch_all
from urllib3.util.retry import Retry

from tests.scenarios.hubspot_answers import stand_in
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.hubspot import HubSpot
from tieout.rehearsal.twins.server import Serving, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    with serving(stand_in(), deliver=False) as running:
        yield running


@pytest.fixture
def twin(served: Serving) -> HubSpot:
    """The stand-in of this module, emptied."""
    twin = served.twin
    assert isinstance(twin, HubSpot)
    for record in [record for kind in twin.records.values() for record in kind.values()]:
        twin.archive(record)
    return twin


@pytest.fixture
def client(served: Serving) -> Any:
    return hubspot.HubSpot(access_token="pat-twin", host=served.url)


def new(**given: str) -> Any:
    return companies.SimplePublicObjectInputForCreate(properties=given, associations=[])


def test_companies_are_made_read_changed_and_archived(client: Any, twin: HubSpot) -> None:
    api = client.crm.companies.basic_api
    made = api.create(simple_public_object_input_for_create=new(name="Alder Ceramics", city="Larkfield"))
    assert made.created_at.isoformat() == "2026-06-10T09:30:00+00:00"
    api.update(made.id, simple_public_object_input=companies.SimplePublicObjectInput(properties={"city": "Elsewhere"}))
    assert api.get_by_id(made.id, properties=["city", "phone"]).properties["city"] == "Elsewhere"
    assert api.get_by_id(made.id, properties=["city", "phone"]).properties["phone"] is None
    api.archive(made.id)
    with pytest.raises(companies.ApiException) as refused:
        api.get_by_id(made.id)
    assert refused.value.status == 404
    assert api.get_by_id(made.id, archived=True).archived is True


def test_all_pages_are_fetched(client: Any, twin: HubSpot) -> None:
    twin.fill(230)
    every = fetch_all(client.crm.companies.basic_api, properties=["name"])
    assert [one.id for one in every] == [company.id for company in twin.everyone("companies")]
    people = client.crm.contacts.get_all(properties=["email"], associations=["companies"])
    assert len(people) == 230
    assert {one.type for one in people[0].associations["companies"].results} == {"contact_to_company", "contact_to_company_unlabeled"}


def test_contacts_are_found_by_address_and_a_second_one_is_a_conflict(client: Any, twin: HubSpot) -> None:
    api = client.crm.contacts.basic_api
    given = contacts.SimplePublicObjectInputForCreate(properties={"email": "ada@alder.example", "firstname": "Ada"}, associations=[])
    made = api.create(simple_public_object_input_for_create=given)
    assert api.get_by_id("ada@alder.example", id_property="email").id == made.id
    with pytest.raises(contacts.ApiException) as refused:
        api.create(simple_public_object_input_for_create=given)
    assert refused.value.status == 409


def test_deals_are_made_with_their_company_and_won(client: Any, twin: HubSpot) -> None:
    company = twin.company("Alder")
    tied = deals.PublicAssociationsForObject(
        to=deals.PublicObjectId(id=company.id),
        types=[deals.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=5)],
    )
    given = deals.SimplePublicObjectInputForCreate(properties={"dealname": "Yearly order", "amount": "1200.50"}, associations=[tied])
    made = client.crm.deals.basic_api.create(simple_public_object_input_for_create=given)
    client.crm.deals.basic_api.update(made.id, simple_public_object_input=deals.SimplePublicObjectInput(properties={"dealstage": "closedwon"}))
    read = client.crm.deals.basic_api.get_by_id(made.id, properties=["hs_is_closed_won", "closedate"], associations=["companies"])
    assert (read.properties["hs_is_closed_won"], read.properties["closedate"]) == ("true", "2026-06-10T09:30:00Z")
    assert {one.id for one in read.associations["companies"].results} == {company.id}


def test_a_search_reads_on_from_a_date_page_by_page(client: Any, twin: HubSpot) -> None:
    made = twin.fill(120, contacts=False, deals=False)
    since = companies.Filter(property_name="hs_lastmodifieddate", operator="GTE", value="2026-06-10T09:28:20Z")
    seen: list[str] = []
    after = "0"
    while after:
        asked = companies.PublicObjectSearchRequest(
            filter_groups=[companies.FilterGroup(filters=[since])], sorts=["hs_lastmodifieddate"], properties=["name"], limit=40, after=after
        )
        page = client.crm.companies.search_api.do_search(public_object_search_request=asked)
        seen += [one.id for one in page.results]
        after = page.paging.next.after if page.paging else ""
    assert (page.total, seen) == (100, [company.id for company in made[20:]])


def test_properties_and_groups_are_defined_and_a_batch_is_upserted_by_the_unique_one(client: Any, twin: HubSpot) -> None:
    core, groups = client.crm.properties.core_api, client.crm.properties.groups_api
    groups.create("companies", property_group_create=properties.PropertyGroupCreate(name="tieout", label="Receivables"))
    unique = properties.PropertyCreate(
        name="ar_customer_id", label="Customer number", type="string", field_type="text", group_name="tieout", has_unique_value=True
    )
    levels = [
        properties.OptionInput(value=value, label=value.title(), display_order=place, hidden=False) for place, value in enumerate(("low", "high"))
    ]
    risk = properties.PropertyCreate(name="ar_risk", label="Risk", type="enumeration", field_type="select", group_name="tieout", options=levels)
    for made in (unique, risk):
        core.create("companies", property_create=made)
    assert core.get_by_name("companies", "ar_customer_id").has_unique_value is True
    assert "tieout" in {group.name for group in groups.get_all("companies").results}
    assert {"ar_customer_id", "ar_risk", "name"} <= {one.name for one in core.get_all("companies").results}
    api = client.crm.companies.batch_api

    def upserted(risk: str) -> list[Any]:
        inputs = [
            companies.SimplePublicObjectBatchInputUpsert(
                id_property="ar_customer_id", id=f"C-{n}", properties={"name": f"Customer {n}", "ar_risk": risk}
            )
            for n in range(100)
        ]
        answered = api.upsert(companies.BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs))
        return list(answered.results)

    first, second = upserted("low"), upserted("high")
    assert [one.id for one in first] == [one.id for one in second]
    assert ({one.new for one in first}, {one.new for one in second}) == ({True}, {False})
    assert {one.properties["ar_risk"] for one in second} == {"high"}
    with pytest.raises(companies.ApiException) as refused:
        upserted("dire")
    assert "INVALID_OPTION" in refused.value.body


def test_a_batch_is_read_with_what_is_missing_told(client: Any, twin: HubSpot) -> None:
    company = twin.company("Alder")
    wanted = companies.BatchReadInputSimplePublicObjectId(
        inputs=[companies.SimplePublicObjectId(id=ident) for ident in (company.id, "404")], properties=["name"], properties_with_history=[]
    )
    read = client.crm.companies.batch_api.read(wanted)
    assert [one.properties["name"] for one in read.results] == ["Alder"]
    assert (read.num_errors, read.errors[0].category, read.errors[0].context) == (1, "OBJECT_NOT_FOUND", {"ids": ["404"]})


def test_associations_of_the_fourth_version_are_made_labelled_read_and_cut(client: Any, twin: HubSpot) -> None:
    company, contact = twin.company("Alder"), twin.contact("bo@alder.example")
    api = client.crm.associations.v4.basic_api
    made = api.create_default("contacts", contact.id, "companies", company.id)
    assert {one.association_spec.association_type_id for one in made.results} == {279, 280}
    primary = [v4.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=1)]
    assert api.create("contacts", contact.id, "companies", company.id, association_spec=primary).labels == ["Primary"]
    page = api.get_page("contacts", contact.id, "companies")
    assert [(one.to_object_id, [type_.label for type_ in one.association_types]) for one in page.results] == [(company.id, [None, "Primary"])]
    asked = v4.BatchInputPublicFetchAssociationsBatchRequest(inputs=[v4.PublicFetchAssociationsBatchRequest(id=company.id)])
    read = client.crm.associations.v4.batch_api.get_page("companies", "contacts", batch_input_public_fetch_associations_batch_request=asked)
    assert [one.to[0].to_object_id for one in read.results] == [contact.id]
    api.archive("contacts", contact.id, "companies", company.id)
    assert api.get_page("contacts", contact.id, "companies").results == []


def test_a_task_and_a_note_are_left_on_a_company(client: Any, twin: HubSpot) -> None:
    company = twin.company("Alder")

    def on_company(package: Any, number: int) -> list[Any]:
        spec = package.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=number)
        return [package.PublicAssociationsForObject(to=package.PublicObjectId(id=company.id), types=[spec])]

    task = tasks.SimplePublicObjectInputForCreate(
        properties={"hs_timestamp": "1781083800000", "hs_task_subject": "Call", "hs_task_status": "NOT_STARTED"}, associations=on_company(tasks, 192)
    )
    note = notes.SimplePublicObjectInputForCreate(
        properties={"hs_timestamp": "1781083800000", "hs_note_body": "Promised Friday"}, associations=on_company(notes, 190)
    )
    left = client.crm.objects.tasks.basic_api.create(simple_public_object_input_for_create=task)
    client.crm.objects.notes.basic_api.create(simple_public_object_input_for_create=note)
    done = tasks.SimplePublicObjectInput(properties={"hs_task_status": "COMPLETED"})
    assert client.crm.objects.tasks.basic_api.update(left.id, simple_public_object_input=done).properties["hs_task_status"] == "COMPLETED"
    tied = client.crm.companies.basic_api.get_by_id(company.id, associations=["tasks", "notes"]).associations
    assert {kind: found.results[0].type for kind, found in tied.items()} == {"tasks": "company_to_task", "notes": "company_to_note"}


def test_tokens_are_given_told_refreshed_and_dropped(client: Any, twin: HubSpot, served: Serving) -> None:
    held = twin.authorise()
    app = {"client_id": twin.client_id, "client_secret": twin.client_secret}
    fresh = client.oauth.tokens_api.create(grant_type="refresh_token", refresh_token=held["refresh_token"], **app)
    assert fresh.refresh_token == held["refresh_token"]
    assert fresh.access_token != held["access_token"]
    told = client.oauth.access_tokens_api.get(fresh.access_token)
    assert (told.hub_id, told.app_id, told.expires_in) == (twin.portal_id, twin.app_id, 1800)
    assert client.oauth.refresh_tokens_api.get(held["refresh_token"]).client_id == twin.client_id
    ours = hubspot.HubSpot(access_token=fresh.access_token, host=served.url)
    assert ours.crm.companies.basic_api.get_page().results == []
    client.oauth.refresh_tokens_api.archive(held["refresh_token"])
    with pytest.raises(hubspot.oauth.ApiException) as refused:
        client.oauth.tokens_api.create(grant_type="refresh_token", refresh_token=held["refresh_token"], **app)
    assert "BAD_REFRESH_TOKEN" in refused.value.body


def test_a_token_nobody_gave_and_a_property_nobody_knows_are_the_clients_own_errors(client: Any, twin: HubSpot, served: Serving) -> None:
    with pytest.raises(companies.ApiException) as stranger:
        hubspot.HubSpot(access_token="strange", host=served.url).crm.companies.basic_api.get_page()
    assert stranger.value.status == 401
    with pytest.raises(companies.ApiException) as unknown:
        client.crm.companies.basic_api.create(simple_public_object_input_for_create=new(shoe_size="43"))
    assert (unknown.value.status, "PROPERTY_DOESNT_EXIST" in unknown.value.body) == (400, True)


def test_the_clients_own_retry_gets_over_a_moment_of_too_many(twin: HubSpot, served: Serving) -> None:
    twin.faults.put(Fault(fault="too_many", path="/companies", times=2))
    patient = hubspot.HubSpot(access_token="pat-twin", host=served.url, retry=Retry(total=3, backoff_factor=0, status_forcelist=(429,)))
    assert patient.crm.companies.basic_api.get_page().results == []
    assert [line.status for line in twin.log[-3:]] == [429, 429, 200]
