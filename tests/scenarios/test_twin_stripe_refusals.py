"""What the Stripe stand-in refuses, and the envelope it says so in; a refused request leaves nothing behind."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.scenarios import stripe_description as description
from tests.scenarios.stripe_desk import Desk, Watched


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def owed(desk: Desk) -> str:
    return desk.twin.customer("Brightwater Bakery").id


def _brief(error: dict[str, Any]) -> tuple[int, str | None, str | None]:
    return error["status"], error.get("code"), error.get("param")


# Keys and versions


@pytest.mark.parametrize("scheme", ["Bearer sk_test_twin", "Basic " + base64.b64encode(b"sk_test_twin:").decode(), "bearer rk_test_twin"])
def test_a_key_opens_as_bearer_and_as_user(desk: Desk, scheme: str) -> None:
    assert desk.ask("GET", "/v1/account", Authorization=scheme).status_code == 200


@pytest.mark.parametrize(
    "scheme", ["", "Bearer ", "Basic !!", "Digest x", "Bearer sk_test_other_0123456789", "Basic " + base64.b64encode(b":x").decode()]
)
def test_without_a_good_key_it_is_a_401(desk: Desk, scheme: str) -> None:
    error = desk.refused("GET", "/v1/account", Authorization=scheme)
    assert (error["status"], error["type"]) == (401, "invalid_request_error")
    assert "0123456789" not in error["message"]


def test_a_key_for_reading_may_not_write(desk: Desk) -> None:
    assert desk.ask("GET", "/v1/customers", key="rk_test_reader").status_code == 200
    assert desk.refused("POST", "/v1/customers", "name=A", key="rk_test_reader")["status"] == 403
    assert len(desk.twin.books.customers) == 0


def test_the_version_is_pinned_and_another_known_one_is_honoured(desk: Desk) -> None:
    assert desk.ask("GET", "/v1/account").headers["Stripe-Version"] == "2026-08-26.dahlia"
    assert desk.ask("GET", "/v1/account", Stripe_Version="2026-10-28.endive").headers["Stripe-Version"] == "2026-10-28.endive"
    for unknown in ("2026-08-26", "2031-01-01.zinnia", "latest"):
        error = desk.refused("GET", "/v1/account", Stripe_Version=unknown)
        assert (error["status"], error["message"]) == (400, f"Invalid Stripe API version: {unknown}")
    assert desk.ask("GET", "/v1/account", Stripe_Account="acct_other").status_code == 200


def test_an_unknown_path_or_method_is_a_404_in_the_envelope(desk: Desk) -> None:
    for method, path in (("GET", "/v1/parcels"), ("DELETE", "/v1/charges/ch_1"), ("PUT", "/v1/customers"), ("GET", "/v2/core/events")):
        error = desk.refused(method, path)
        assert (error["status"], error["type"]) == (404, "invalid_request_error")
        assert f"{method}: {path}" in error["message"]


# Parameters


@pytest.mark.parametrize(
    ("method", "path", "encoded", "code", "param"),
    [
        ("POST", "/v1/customers", "nmae=x", "parameter_unknown", "nmae"),
        ("POST", "/v1/customers", "address[town]=x", "parameter_unknown", "address[town]"),
        ("GET", "/v1/invoices", "updated[gte]=1", "parameter_unknown", "updated"),
        ("POST", "/v1/customers", "[]=x", "parameter_unknown", "[]"),
        ("POST", "/v1/customers", "a[b[c]]=x", "parameter_unknown", "a[b[c]]"),
        ("POST", "/v1/customers", f"metadata{'[a]' * 9}=x", "parameter_unknown", f"metadata{'[a]' * 9}"),
        ("POST", "/v1/invoices", "currency=eur", "parameter_missing", "customer"),
        ("POST", "/v1/invoices", "customer=", "parameter_missing", "customer"),
        ("POST", "/v1/refunds", "amount=5", "parameter_missing", "charge"),
        ("POST", "/v1/payment_intents", "amount=12.50&currency=eur", "parameter_invalid_integer", "amount"),
        ("POST", "/v1/payment_intents", "amount=-100&currency=eur", "parameter_invalid_integer", "amount"),
        ("POST", "/v1/payment_intents", "amount=0&currency=eur", "parameter_invalid_integer", "amount"),
        ("POST", "/v1/payment_intents", "amount=10000000000000&currency=eur", "parameter_invalid_integer", "amount"),
        ("POST", "/v1/payment_intents", "amount=&currency=eur", "parameter_missing", "amount"),
        ("POST", "/v1/payment_intents", "amount=1250&currency=isk", "parameter_invalid_integer", "amount"),
        ("POST", "/v1/payment_intents", "amount=100&currency=zzz", None, "currency"),
        ("POST", "/v1/customers", "balance=", "parameter_invalid_empty", "balance"),
        ("POST", "/v1/customers", "email=nobody", "email_invalid", "email"),
        ("POST", "/v1/customers", "address=Kiel", None, "address"),
        ("POST", "/v1/customers", "name[first]=A", None, "name"),
        ("POST", "/v1/customers", "name=A&name[first]=A", None, "name"),
        ("POST", "/v1/customers", "preferred_locales[]=", "parameter_invalid_empty", "preferred_locales[0]"),
        ("POST", "/v1/customers", "preferred_locales[a]=de", None, "preferred_locales"),
        ("POST", "/v1/customers", f"name={'x' * 5001}", None, "name"),
        ("POST", "/v1/customers", f"metadata[{'k' * 41}]=1", None, "metadata"),
        ("POST", "/v1/customers", "tax_id_data[0][type]=eu_vat", "parameter_missing", "tax_id_data[0][value]"),
        ("POST", "/v1/customers", "tax_id_data[0][type]=moon_vat&tax_id_data[0][value]=1", None, "tax_id_data[0][type]"),
        ("GET", "/v1/invoices", "limit=0", "parameter_invalid_integer", "limit"),
        ("GET", "/v1/invoices", "limit=1000", "parameter_invalid_integer", "limit"),
        ("GET", "/v1/invoices", "limit=ten", "parameter_invalid_integer", "limit"),
        ("GET", "/v1/invoices", "status=overdue", None, "status"),
        ("GET", "/v1/invoices", "created[since]=1", "parameter_unknown", "created[since]"),
        ("GET", "/v1/invoices", "starting_after=in_none", "resource_missing", "starting_after"),
        ("GET", "/v1/invoices", "starting_after=in_1&ending_before=in_2", "parameters_exclusive", "starting_after"),
        ("GET", "/v1/events", "type=a&types[]=b", "parameters_exclusive", "type"),
        ("GET", "/v1/balance_transactions", "payout=po_none", "resource_missing", "payout"),
        ("GET", "/v1/account", "expand[]=a.b.c.d.e", None, "expand"),
        ("POST", "/v1/webhook_endpoints", "url=nowhere&enabled_events[]=*", "url_invalid", "url"),
        ("POST", "/v1/webhook_endpoints", "url=http://a.example&enabled_events[]=invoice.eaten", None, "enabled_events[0]"),
        ("POST", "/v1/webhook_endpoints", "url=http://a.example&enabled_events[]=*&api_version=1999", None, "api_version"),
    ],
)
def test_a_wrong_parameter_is_named(desk: Desk, method: str, path: str, encoded: str, code: str | None, param: str) -> None:
    error = desk.refused(method, path, encoded)
    assert _brief(error) == (400, code, param)
    assert error["type"] == "invalid_request_error"
    assert len(desk.twin.books.customers) == len(desk.twin.books.payment_intents) == 0


def test_what_may_be_unset_is_unset_by_an_empty_value(desk: Desk) -> None:
    made = desk.post("/v1/customers", "name=A&address[city]=Kiel&metadata[a]=1&metadata[b]=2&preferred_locales[]=de&preferred_locales[]=en")
    assert made["preferred_locales"] == ["de", "en"]
    after = desk.post(f"/v1/customers/{made['id']}", "name=&address=&metadata[a]=&preferred_locales=")
    assert (after["name"], after["address"], after["metadata"], after["preferred_locales"]) == (None, None, {"b": "2"}, [])
    assert desk.post(f"/v1/customers/{made['id']}", "metadata=")["metadata"] == {}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/customers/cus_0",
        "/v1/customers/cus_0/tax_ids",
        "/v1/invoices/in_0",
        "/v1/invoices/in_0/lines",
        "/v1/invoiceitems/ii_0",
        "/v1/invoice_payments/inpay_0",
        "/v1/payment_intents/pi_0",
        "/v1/payment_records/pr_0",
        "/v1/charges/ch_0",
        "/v1/credit_notes/cn_0",
        "/v1/refunds/re_0",
        "/v1/disputes/du_0",
        "/v1/payouts/po_0",
        "/v1/balance_transactions/txn_0",
        "/v1/tax_rates/txr_0",
        "/v1/events/evt_0",
        "/v1/webhook_endpoints/we_0",
    ],
)
def test_what_is_not_there_is_a_404_that_names_it(desk: Desk, path: str) -> None:
    error = desk.refused("GET", path)
    assert (error["status"], error["code"]) == (404, "resource_missing")
    assert path.split("/")[3] in error["message"]
    assert description.faults("GET", path, 404, {"error": {key: value for key, value in error.items() if key != "status"}}) == []


def test_what_a_parameter_names_in_vain_is_a_400(desk: Desk) -> None:
    assert _brief(desk.refused("POST", "/v1/invoices", "customer=cus_0")) == (400, "resource_missing", "customer")
    assert _brief(desk.refused("POST", "/v1/refunds", "charge=ch_0")) == (400, "resource_missing", "charge")
    assert _brief(desk.refused("POST", "/v1/credit_notes", "invoice=in_0&amount=1")) == (400, "resource_missing", "invoice")


def test_only_what_can_be_expanded_is(desk: Desk, owed: str) -> None:
    error = desk.refused("GET", f"/v1/customers/{owed}", "expand[]=email")
    assert (error["status"], error["message"]) == (400, "This property cannot be expanded (email).")


# States


def test_a_void_invoice_takes_nothing_any_more(desk: Desk, owed: str) -> None:
    invoice = desk.twin.void(desk.twin.invoice(owed, 500)).id
    before = desk.get(f"/v1/invoices/{invoice}")
    for step, encoded in (
        ("pay", "paid_out_of_band=true"),
        ("pay", "payment_method=pm_card_visa"),
        ("finalize", ""),
        ("void", ""),
        ("mark_uncollectible", ""),
        ("send", ""),
        ("attach_payment", "payment_intent=pi_0"),
        ("add_lines", "lines[0][amount]=1"),
    ):
        assert desk.refused("POST", f"/v1/invoices/{invoice}/{step}", encoded)["status"] == 400, step
    assert desk.refused("POST", "/v1/credit_notes", f"invoice={invoice}&amount=1")["status"] == 400
    assert desk.refused("DELETE", f"/v1/invoices/{invoice}")["code"] == "invoice_not_editable"
    assert desk.get(f"/v1/invoices/{invoice}") == before


def test_a_paid_invoice_is_not_paid_voided_or_given_up_again(desk: Desk, owed: str) -> None:
    invoice = desk.twin.invoice(owed, 500)
    desk.twin.pay(invoice)
    assert desk.refused("POST", f"/v1/invoices/{invoice.id}/pay", "paid_out_of_band=true")["message"] == "Invoice is already paid"
    assert desk.refused("POST", f"/v1/invoices/{invoice.id}/void")["code"] == "status_transition_invalid"
    assert desk.refused("POST", f"/v1/invoices/{invoice.id}/mark_uncollectible")["code"] == "status_transition_invalid"


def test_an_invoice_with_a_part_payment_cannot_be_voided(desk: Desk, owed: str) -> None:
    invoice = desk.twin.invoice(owed, 500)
    desk.twin.pay(invoice, 100)
    assert desk.refused("POST", f"/v1/invoices/{invoice.id}/void")["code"] == "status_transition_invalid"


def test_what_is_fixed_once_an_invoice_is_final(desk: Desk, owed: str) -> None:
    invoice = desk.twin.invoice(owed, 500).id
    for encoded in ("days_until_due=3", "due_date=1800000000", "number=X", "collection_method=charge_automatically", "custom_fields="):
        assert desk.refused("POST", f"/v1/invoices/{invoice}", encoded)["code"] == "invoice_not_editable", encoded
    line = desk.get(f"/v1/invoices/{invoice}/lines")["data"][0]["id"]
    assert desk.refused("POST", f"/v1/invoices/{invoice}/lines/{line}", "amount=1")["code"] == "invoice_not_editable"
    assert desk.post(f"/v1/invoices/{invoice}", "metadata[ours]=77&description=seen")["metadata"] == {"ours": "77"}


def test_due_dates_belong_to_invoices_that_are_sent(desk: Desk, owed: str) -> None:
    assert _brief(desk.refused("POST", "/v1/invoices", f"customer={owed}&collection_method=send_invoice")) == (
        400,
        "parameter_missing",
        "days_until_due",
    )
    assert desk.refused("POST", "/v1/invoices", f"customer={owed}&days_until_due=3")["param"] == "days_until_due"
    both = f"customer={owed}&collection_method=send_invoice&days_until_due=3&due_date=1800000000"
    assert desk.refused("POST", "/v1/invoices", both)["code"] == "parameters_exclusive"
    charged = desk.post("/v1/invoices", f"customer={owed}")
    assert (charged["collection_method"], charged["due_date"]) == ("charge_automatically", None)
    assert desk.refused("POST", f"/v1/invoices/{charged['id']}/send")["status"] == 400
    assert desk.refused("POST", f"/v1/invoices/{charged['id']}", "description=x&collection_method=send_invoice")["param"] == "days_until_due"
    assert desk.get(f"/v1/invoices/{charged['id']}")["description"] is None  # refused as a whole


def test_currencies_do_not_mix(desk: Desk, owed: str) -> None:
    invoice = desk.twin.invoice(owed, 500, finalized=False).id
    assert desk.refused("POST", "/v1/invoiceitems", f"customer={owed}&invoice={invoice}&amount=1&currency=usd")["param"] == "currency"
    added = "lines[0][amount]=7&lines[1][price_data][currency]=usd&lines[1][price_data][unit_amount]=7"
    assert desk.refused("POST", f"/v1/invoices/{invoice}/add_lines", added)["param"] == "price_data[currency]"
    assert desk.get(f"/v1/invoices/{invoice}")["total"] == 500  # all lines or none
    final = desk.twin.finalize(invoice)
    intent = desk.post("/v1/payment_intents", f"amount=100&currency=usd&customer={owed}")["id"]
    assert desk.refused("POST", f"/v1/invoices/{final.id}/attach_payment", f"payment_intent={intent}")["param"] == "payment_intent"


def test_a_payment_is_attached_to_one_invoice_of_its_customer_and_not_for_more_than_remains(desk: Desk, owed: str) -> None:
    invoice, other = desk.twin.invoice(owed, 500).id, desk.twin.customer("Copperfield").id
    strange = desk.post("/v1/payment_intents", f"amount=100&currency=eur&customer={other}")["id"]
    much = desk.post("/v1/payment_intents", f"amount=501&currency=eur&customer={owed}")["id"]
    path = f"/v1/invoices/{invoice}/attach_payment"
    for intent in (strange, much):
        assert desk.refused("POST", path, f"payment_intent={intent}")["param"] == "payment_intent"
    assert desk.refused("POST", path)["code"] == "parameter_missing"
    good = desk.post("/v1/payment_intents", f"amount=100&currency=eur&customer={owed}")["id"]
    desk.post(path, f"payment_intent={good}")
    assert "already" in desk.refused("POST", path, f"payment_intent={good}")["message"]
    default = desk.get("/v1/invoice_payments", f"invoice={invoice}")["data"][-1]["payment"]["payment_intent"]
    assert "default payment" in desk.refused("POST", f"/v1/payment_intents/{default}/cancel")["message"]


def test_credit_notes_stay_within_what_was_owed(desk: Desk, owed: str) -> None:
    invoice = desk.twin.invoice(owed, 500)
    for encoded in ("amount=501", "amount=-1", "amount=0", "amount=100&refund_amount=100", "", "amount=5&lines[0][type]=custom_line_item"):
        assert desk.refused("POST", "/v1/credit_notes", f"invoice={invoice.id}&{encoded}")["status"] == 400, encoded
    desk.twin.pay(invoice, out_of_band=True)
    assert "refund" in desk.refused("POST", "/v1/credit_notes", f"invoice={invoice.id}&amount=5&refund_amount=5")["message"]
    assert desk.refused("POST", "/v1/credit_notes", f"invoice={invoice.id}&amount=500&credit_amount=400")["status"] == 400
    note = desk.twin.credit(invoice, 500, back="out_of_band")
    assert desk.refused("POST", f"/v1/credit_notes/{note.id}/void")["status"] == 400
    assert desk.refused("POST", "/v1/credit_notes", f"invoice={invoice.id}&amount=1&credit_amount=1")["status"] == 400


def test_refunds_stay_within_the_charge_and_away_from_disputes(desk: Desk, owed: str) -> None:
    invoice = desk.twin.invoice(owed, 90_000)
    desk.twin.pay(invoice)
    charge = desk.twin.charge_of(invoice).id
    assert _brief(desk.refused("POST", "/v1/refunds", f"charge={charge}&amount=90001")) == (400, None, "amount")
    desk.twin.dispute(invoice)
    assert desk.refused("POST", "/v1/refunds", f"charge={charge}")["code"] == "charge_disputed"
    assert desk.door_refused("dispute", charge=charge).endswith("is disputed already")


def test_a_payment_without_any_way_to_pay_is_refused_and_a_declined_one_is_a_402(desk: Desk, owed: str) -> None:
    invoice = desk.twin.invoice(owed, 500).id
    assert desk.refused("POST", f"/v1/invoices/{invoice}/pay")["status"] == 400
    error = desk.refused("POST", f"/v1/invoices/{invoice}/pay", "payment_method=pm_card_chargeDeclined", Idempotency_Key="p1")
    assert (error["status"], error["type"], error["code"], error["decline_code"]) == (402, "card_error", "card_declined", "generic_decline")
    again = desk.ask("POST", f"/v1/invoices/{invoice}/pay", "payment_method=pm_card_chargeDeclined", Idempotency_Key="p1")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (402, "true")
    assert len(desk.get("/v1/charges")["data"]) == 1


# Keys of idempotency


def test_a_key_is_for_one_request_of_one_caller_for_a_day(desk: Desk) -> None:
    first = desk.ask("POST", "/v1/customers", "name=A", Idempotency_Key="k")
    again = desk.ask("POST", "/v1/customers", "name=A", Idempotency_Key="k")
    assert first.get_data() == again.get_data()
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    for path, encoded in (("/v1/customers", "name=B"), ("/v1/payment_intents", "name=A")):
        error = desk.refused("POST", path, encoded, Idempotency_Key="k")
        assert (error["status"], error["type"]) == (400, "idempotency_error")
    assert json.loads(desk.ask("POST", "/v1/customers", "name=A", Idempotency_Key="k", key="rk_test_twin").get_data())["id"] != _id(first)
    assert desk.refused("POST", "/v1/customers", "name=A", Idempotency_Key="k" * 256)["status"] == 400
    desk.twin.move_clock(86_401)
    assert _id(desk.ask("POST", "/v1/customers", "name=A", Idempotency_Key="k")) != _id(first)


def test_a_request_refused_for_its_parameters_leaves_the_key_unused(desk: Desk) -> None:
    assert desk.refused("POST", "/v1/customers", "nmae=A", Idempotency_Key="k")["code"] == "parameter_unknown"
    assert desk.post("/v1/customers", "name=A", Idempotency_Key="k")["name"] == "A"


def _id(response: Any) -> str:
    return str(json.loads(response.get_data())["id"])


def test_every_refusal_here_is_as_stripe_describes_its_errors() -> None:
    twin = Watched()
    desk = Desk(twin)
    invoice = twin.void(twin.invoice(twin.customer("A"), 5)).id
    desk.refused("POST", f"/v1/invoices/{invoice}/pay")
    desk.refused("POST", "/v1/customers", "nmae=A")
    desk.refused("GET", "/v1/charges/ch_0")
    desk.post("/v1/customers", "name=A", Idempotency_Key="k")
    desk.refused("POST", "/v1/customers", "name=B", Idempotency_Key="k")
    assert twin.judged() == 5
