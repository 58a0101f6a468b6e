"""Every kind of answer of the HubSpot stand-in is one the vendor describes: each operation is asked, once well and once badly."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.scenarios.hubspot_answers import Asker, described, stand_in

# Doors the stand-in does not have, with the refusal a caller meets there.
ABSENT = ("/merge", "/gdpr-delete", "/commerce_payments", "/high-usage-report/")
# The vendor's descriptions list these among the pairs of one kind, and serve them for all.
KINDS = ("companies", "contacts", "0-3", "line_items", "notes", "tasks")
TIED = {"companies": 450, "contacts": 449, "0-3": 451, "line_items": 20, "notes": 190, "tasks": 192}


def walk_records(ask: Asker, family: str, kind: str) -> None:
    """Each door of records of one kind, well and badly."""
    base = f"{family}/{kind}"
    given: dict[str, Any] = {"hs_timestamp": "2026-06-10T09:30:00Z"} if kind in ("notes", "tasks") else {}
    made = ask("POST", base, {"properties": given, "associations": []}, status=201)
    batch = {"inputs": [{"properties": given, "associations": []}]}
    traced = {"inputs": [{"properties": {**given, "unknown": "1"}, "associations": [], "objectWriteTraceId": "a"}]}
    ask("POST", f"{base}/batch/create", batch, status=201)
    ask("POST", f"{base}/batch/create", traced, status=207)
    ask("POST", f"{base}/batch/read", {"inputs": [{"id": made["id"]}], "properties": [], "propertiesWithHistory": ["hs_object_id"]})
    ask("POST", f"{base}/batch/read", {"inputs": [{"id": "404"}], "properties": [], "propertiesWithHistory": []}, status=207)
    ask("POST", f"{base}/batch/update", {"inputs": [{"id": made["id"], "properties": {}}]})
    ask("POST", f"{base}/batch/update", {"inputs": [{"id": "404", "properties": {}}]}, status=207)
    ask("POST", f"{base}/batch/upsert", {"inputs": [{"id": made["id"], "properties": {}}]})
    ask("POST", f"{base}/batch/upsert", {"inputs": [{"id": "404", "properties": {}, "objectWriteTraceId": "a"}]}, status=207)
    ask("POST", f"{base}/search", {"filterGroups": [], "properties": [], "sorts": [], "limit": 1, "after": "0"})
    ask("GET", f"{base}?limit=1")
    ask("GET", f"{base}/{made['id']}")
    ask("PATCH", f"{base}/{made['id']}", {"properties": {}})
    for act in ("create", "read", "update", "upsert", "archive"):
        ask("POST", f"{base}/batch/{act}", {"inputs": "none"}, status=400)
    ask("POST", base, {"properties": {"unknown": "1"}}, status=400)
    ask("POST", f"{base}/search", {"limit": 0}, status=400)
    ask("GET", f"{base}?limit=0", status=400)
    ask("GET", f"{base}/404", status=404)
    ask("PATCH", f"{base}/404", {"properties": {}}, status=404)
    ask("DELETE", f"{base}/404", status=404)
    ask("DELETE", f"{base}/{made['id']}", status=204)
    ask("POST", f"{base}/batch/archive", {"inputs": [{"id": made["id"]}]}, status=204)


def walk_invoices(ask: Asker, family: str) -> None:
    """Invoices are read; every other door refuses."""
    base, invoice = f"{family}/invoices", ask.twin.invoice("INV-1")
    ask("GET", base)
    ask("GET", f"{base}/{invoice.id}")
    ask("POST", f"{base}/search", {"limit": 1})
    ask("POST", f"{base}/batch/read", {"inputs": [{"id": invoice.id}], "properties": [], "propertiesWithHistory": []})
    ask("POST", f"{base}/batch/read", {"inputs": [{"id": "404"}], "properties": [], "propertiesWithHistory": []}, status=207)
    for path, method in (("", "POST"), (f"/{invoice.id}", "PATCH"), (f"/{invoice.id}", "DELETE")):
        ask(method, base + path, {"properties": {}, "associations": []}, status=403)
    for act in ("create", "update", "upsert", "archive"):
        ask("POST", f"{base}/batch/{act}", {"inputs": []}, status=403)
    ask("GET", f"{base}?limit=0", status=400)
    ask("GET", f"{base}/404", status=404)
    ask("POST", f"{base}/search", {"limit": 0}, status=400)
    ask("POST", f"{base}/batch/read", {"inputs": "none"}, status=400)


def walk_properties(ask: Asker) -> None:
    """The doors to definitions and groups."""
    base = "/crm/properties/2026-03/companies"
    group, made = {"name": "tieout", "label": "Receivables"}, {"name": "ar_balance", "label": "Balance", "type": "number", "fieldType": "number"}
    ask("POST", f"{base}/groups", group, status=201)
    ask("POST", f"{base}/groups", group, status=409)
    ask("GET", f"{base}/groups")
    ask("GET", "/crm/properties/2026-03/widgets/groups", status=400)
    for method, status in (("GET", 200), ("PATCH", 200)):
        ask(method, f"{base}/groups/tieout", {"label": "Open items"} if method == "PATCH" else None, status=status)
        ask(method, f"{base}/groups/nowhere", {} if method == "PATCH" else None, status=404)
    ask("POST", base, {**made, "groupName": "tieout"}, status=201)
    ask("POST", base, made, status=409)
    ask("GET", base)
    ask("GET", "/crm/properties/2026-03/widgets", status=400)
    ask("GET", f"{base}/ar_balance")
    ask("PATCH", f"{base}/ar_balance", {"label": "Open balance"})
    ask("GET", f"{base}/lifecyclestage")
    ask("GET", f"{base}/nobody_knows", status=404)
    ask("PATCH", f"{base}/nobody_knows", {}, status=404)
    ask("DELETE", f"{base}/nobody_knows", status=404)
    more = {**made, "name": "ar_overdue", "groupName": "tieout"}
    ask("POST", f"{base}/batch/create", {"inputs": [more]}, status=201)
    ask("POST", f"{base}/batch/create", {"inputs": [more]}, status=207)
    ask("POST", f"{base}/batch/read", {"inputs": [{"name": "ar_overdue"}], "archived": False, "dataSensitivity": "non_sensitive"})
    ask("POST", f"{base}/batch/read", {"inputs": [{"name": "nobody_knows"}]}, status=207)
    ask("POST", f"{base}/batch/archive", {"inputs": [{"name": "ar_overdue"}]}, status=204)
    for act in ("create", "read", "archive"):
        ask("POST", f"{base}/batch/{act}", {"inputs": "none"}, status=400)
    ask("DELETE", f"{base}/groups/nowhere", status=404)
    ask("DELETE", f"{base}/ar_balance", status=204)
    ask("GET", f"{base}/ar_balance?archived=true")
    ask("DELETE", f"{base}/groups/tieout", status=204)


def walk_ties(ask: Asker) -> None:
    """The doors to ties, in the dated family and in the fourth version."""
    company, contact = ask.twin.company("Alder"), ask.twin.contact("ada@alder.example")
    pair, plain = {"from": {"id": contact.id}, "to": {"id": company.id}}, [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    for records, ties in (("/crm/objects/2026-03", "/crm/associations/2026-03"), ("/crm/v4/objects", "/crm/v4/associations")):
        dated = "2026" in records
        one, many = f"{records}/contacts/{contact.id}/associations", f"{ties}/contacts/companies/batch"
        ask("PUT", f"{one}/default/companies/{company.id}")
        ask("PUT", f"{one}/default/companies/404", status=404)
        ask("PUT", f"{one}/companies/{company.id}", plain, status=201)
        ask("PUT", f"{one}/companies/{company.id}", [], status=400)
        ask("GET", f"{one}/companies?limit=1")
        ask("GET", f"{one}/widgets", status=400)
        ask("POST", f"{many}/associate/default", {"inputs": [pair]})
        ask("POST", f"{many}/create", {"inputs": [{**pair, "types": plain}]}, status=201)
        ask("POST", f"{many}/create", {"inputs": [{"from": pair["from"], "to": {"id": "404"}, "types": plain}]}, status=207)
        ask("POST", f"{many}/read", {"inputs": [{"id": contact.id}]})
        ask("POST", f"{many}/read", {"inputs": [{"id": "404"}]}, status=207)
        ask("POST", f"{many}/labels/archive", {"inputs": [{**pair, "types": plain}]}, status=200 if dated else 204)
        ask("POST", f"{many}/archive", {"inputs": [{**pair, "to": [pair["to"]]}]}, status=200 if dated else 204)
        for act in ("associate/default", "create", "read", "labels/archive", "archive"):
            ask("POST", f"{many}/{act}", {"inputs": "none"}, status=400)
        ask("DELETE", f"{one}/companies/{company.id}", status=204)
        ask("DELETE", f"{one}/widgets/1", status=400)


def walk_tokens(ask: Asker) -> None:
    """The token doors."""
    app = {"client_id": ask.twin.client_id, "client_secret": ask.twin.client_secret}
    tokens = ask.twin.authorise()
    refresh = {**app, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    ask("POST", "/oauth/2026-03/token", form=refresh)
    ask("POST", "/oauth/2026-03/token", form={**app, "grant_type": "refresh_token"}, status=400)
    ask("POST", "/oauth/2026-03/token/introspect", form={"token": tokens["access_token"]})
    ask("POST", "/oauth/2026-03/token/introspect", form={"token": tokens["refresh_token"]})
    ask("POST", "/oauth/2026-03/token/introspect", form={"token": "strange"}, status=400)
    ask("POST", "/oauth/2026-03/token/revoke", form={"token": tokens["refresh_token"]}, status=204)
    ask("POST", "/oauth/2026-03/token/revoke", form={"token": tokens["refresh_token"]}, status=400)


def test_every_operation_the_vendor_describes_is_answered_as_described() -> None:
    book, ask = described(), Asker(stand_in())
    for kind in KINDS:
        walk_records(ask, "/crm/objects/2026-03", kind)
    for kind in ("companies", "contacts"):
        walk_records(ask, "/crm/v3/objects", kind)
    walk_invoices(ask, "/crm/objects/2026-03")
    walk_properties(ask)
    walk_ties(ask)
    walk_tokens(ask)
    served = {operation: described for operation, described in book.operations.items() if not any(door in operation.template for door in ABSENT)}
    expected = {(operation, status) for operation, described in served.items() for status in described["responses"]}
    # Invoices are never written here, so that what is described of a good write is never told.
    written = {(o, s) for o, s in expected if "/invoices" in o.template and s != "default" and (o.method, s) not in book_reads(o.template)}
    silent = expected - book.seen - written
    assert silent == set(), "\n".join(
        sorted(f"{operation.document} {operation.method} {operation.template} {status}" for operation, status in silent)
    )


def book_reads(template: str) -> set[tuple[str, str]]:
    """The good answers of a door that only reads."""
    if template.endswith("/search"):
        return {("POST", "200")}
    return {("POST", "200"), ("POST", "207")} if template.endswith("/batch/read") else {("GET", "200")}


def test_the_description_is_strict_enough_to_notice() -> None:
    book = described()
    good = {"id": "1", "properties": {"name": None}, "createdAt": "2026-06-10T09:30:00Z", "updatedAt": "2026-06-10T09:30:00Z", "archived": False}
    book.check("GET", "/crm/v3/objects/companies/1", 200, good)
    for wrong in ({"id": 1}, {"createdAt": "soon"}, {"properties": {"amount": 3}}, {"inventedField": True}, {"archived": None}):
        with pytest.raises(jsonschema.ValidationError):
            book.check("GET", "/crm/v3/objects/companies/1", 200, {**good, **wrong})
