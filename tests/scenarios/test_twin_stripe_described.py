"""Every kind of answer of the Stripe stand-in is as Stripe itself describes it: no field missing, none made up, no value unknown."""

from __future__ import annotations

import json
import re

import pytest

from tests.conftest import ROOT
from tests.scenarios import stripe_description as description
from tests.scenarios.stripe_desk import Desk, Watched
from tieout.rehearsal.twins.stripe.shapes.common import plain
from tieout.rehearsal.twins.stripe.twin import OPERATIONS

_LIFECYCLE = ROOT.parent / "shared" / "vendor-specs" / "stripe" / "stripe-world-lifecycle.json"


@pytest.fixture(scope="module")
def told() -> Watched:
    """An account in which everything has happened, and every request of the API has been answered."""
    twin = Watched()
    desk = Desk(twin)
    address = "address[line1]=Kai+3&address[city]=Kiel&address[country]=DE"
    cus = desk.post("/v1/customers", f"name=Dunmore+Tools&email=ap@dunmore.example&{address}&shipping[name]=Yard&shipping[address][city]=Kiel")["id"]
    desk.post(f"/v1/customers/{cus}", "invoice_settings[custom_fields][0][name]=PO&invoice_settings[custom_fields][0][value]=77&balance=300")
    desk.get(f"/v1/customers/{cus}", "expand[]=tax_ids")
    number = desk.post(f"/v1/customers/{cus}/tax_ids", "type=eu_vat&value=DE811907980")["id"]
    desk.get(f"/v1/customers/{cus}/tax_ids/{number}")
    desk.get(f"/v1/customers/{cus}/tax_ids")
    move = desk.post(f"/v1/customers/{cus}/balance_transactions", "amount=-500&currency=eur&description=goodwill")["id"]
    desk.get(f"/v1/customers/{cus}/balance_transactions/{move}")
    desk.get(f"/v1/customers/{cus}/balance_transactions")
    rate = desk.post("/v1/tax_rates", "display_name=VAT&inclusive=false&percentage=19.0&tax_type=vat&country=DE")["id"]
    desk.post(f"/v1/tax_rates/{rate}", "active=false")
    desk.get(f"/v1/tax_rates/{rate}")
    desk.get("/v1/tax_rates", "active=false")
    hook = desk.post("/v1/webhook_endpoints", "url=http://127.0.0.1:9/x&enabled_events[]=*&metadata[for]=nobody")["id"]
    desk.post(f"/v1/webhook_endpoints/{hook}", "disabled=true")
    desk.get(f"/v1/webhook_endpoints/{hook}")
    desk.get("/v1/webhook_endpoints")
    _bill(desk, cus, rate)
    twin.fail_refund(twin.refund(_paid(twin, cus), 500))
    back = twin.payout()
    twin.fail_payout(back)
    _paid(twin, cus)
    twin.reverse_payout(twin.payout())
    for one in ("failed", "paid"):
        desk.get("/v1/payouts", f"status={one}")
    desk.get("/v1/refunds", "limit=100")
    _collect(twin, desk, cus)
    twin.payout()
    payout = desk.get("/v1/payouts", "status=paid")["data"][0]["id"]
    desk.get(f"/v1/payouts/{payout}")
    desk.post(f"/v1/payouts/{payout}", "metadata[batch]=1")
    entry = desk.get("/v1/balance_transactions", f"payout={payout}&expand[]=data.source")["data"][-1]["id"]
    desk.get(f"/v1/balance_transactions/{entry}")
    desk.get("/v1/balance")
    desk.get("/v1/account")
    for kind in ("charges", "payment_intents", "payment_records", "invoice_payments", "refunds", "disputes", "credit_notes", "invoices", "customers"):
        desk.get(f"/v1/{kind}", "limit=100")
    event = desk.get("/v1/events", "limit=100")["data"][0]["id"]
    desk.get(f"/v1/events/{event}")
    desk.delete(f"/v1/webhook_endpoints/{hook}")
    desk.delete(f"/v1/customers/{cus}/tax_ids/{number}")
    desk.delete(f"/v1/customers/{cus}")
    desk.get(f"/v1/customers/{cus}")
    return twin


def _bill(desk: Desk, cus: str, rate: str) -> None:
    draft = desk.post("/v1/invoices", f"customer={cus}&collection_method=send_invoice&days_until_due=14&default_tax_rates[]={rate}&footer=Thanks")[
        "id"
    ]
    item = desk.post("/v1/invoiceitems", f"customer={cus}&invoice={draft}&amount=5000&description=Saws&tax_rates[]={rate}")["id"]
    desk.get(f"/v1/invoiceitems/{item}")
    desk.get("/v1/invoiceitems", f"customer={cus}")
    desk.post(f"/v1/invoiceitems/{item}", "description=Sharp+saws")
    lines = desk.post(f"/v1/invoices/{draft}/add_lines", "lines[0][amount]=700&lines[0][quantity]=2&lines[1][amount]=90&lines[1][description]=Oil")
    ids = [line["id"] for line in lines["lines"]["data"]]
    desk.post(f"/v1/invoices/{draft}/lines/{ids[1]}", "quantity=3")
    desk.post(f"/v1/invoices/{draft}/update_lines", f"lines[0][id]={ids[0]}&lines[0][amount]=4800")
    desk.post(f"/v1/invoices/{draft}/remove_lines", f"lines[0][id]={ids[2]}&lines[0][behavior]=unassign")
    desk.post(
        f"/v1/invoices/{draft}",
        "description=June&custom_fields[0][name]=PO&custom_fields[0][value]=4711&shipping_details[name]=Yard&shipping_details[address][city]=Kiel",
    )
    desk.get(f"/v1/invoices/{draft}/lines", "limit=1")
    desk.post(f"/v1/invoices/{draft}/finalize")
    desk.post(f"/v1/invoices/{draft}/send")
    note = desk.post(
        "/v1/credit_notes", f"invoice={draft}&lines[0][type]=invoice_line_item&lines[0][invoice_line_item]={ids[0]}&lines[0][amount]=100"
    )["id"]
    desk.post(f"/v1/credit_notes/{note}", "memo=chipped")
    desk.get(f"/v1/credit_notes/{note}")
    desk.get(f"/v1/credit_notes/{note}/lines")
    desk.post(f"/v1/credit_notes/{note}/void")
    desk.post("/v1/credit_notes", f"invoice={draft}&amount=40&reason=duplicate")
    intent = desk.post("/v1/payment_intents", f"amount=1000&currency=eur&customer={cus}&metadata[for]=part")["id"]
    desk.post(f"/v1/payment_intents/{intent}", "description=first+part")
    desk.post(f"/v1/invoices/{draft}/attach_payment", f"payment_intent={intent}")
    desk.post(f"/v1/payment_intents/{intent}/confirm", "payment_method=pm_card_visa&expand[]=latest_charge.balance_transaction")
    desk.get(f"/v1/payment_intents/{intent}", "expand[]=customer")
    other = desk.post("/v1/payment_intents", "amount=5&currency=eur")["id"]
    desk.post(f"/v1/payment_intents/{other}/cancel", "cancellation_reason=abandoned")
    told = "processor_details[type]=custom&processor_details[custom][payment_reference]=R1&customer_details[email]=a@b.example"
    method = "payment_method_details[type]=custom&payment_method_details[custom][display_name]=Bank"
    sums = "amount_requested[value]=50&amount_requested[currency]=eur&initiated_at=1780000000&outcome=guaranteed"
    record = desk.post("/v1/payment_records/report_payment", f"{sums}&{method}&{told}")["id"]
    desk.get(f"/v1/payment_records/{record}")
    desk.post(f"/v1/invoices/{draft}/attach_payment", f"payment_record={record}")
    paid = desk.get("/v1/invoice_payments", f"invoice={draft}&status=paid&expand[]=data.invoice")["data"]
    desk.get(f"/v1/invoice_payments/{paid[0]['id']}")
    for step in ("void", "mark_uncollectible", "finalize"):
        desk.refused("POST", f"/v1/invoices/{draft}/{step}") if step != "mark_uncollectible" else desk.post(f"/v1/invoices/{draft}/{step}")
    desk.get(f"/v1/invoices/{draft}", "expand[]=payments&expand[]=customer")
    spare = desk.post("/v1/invoices", f"customer={cus}&pending_invoice_items_behavior=include")["id"]
    desk.delete(f"/v1/invoices/{spare}")
    lone = desk.post("/v1/invoiceitems", f"customer={cus}&amount=1&currency=eur")["id"]
    desk.delete(f"/v1/invoiceitems/{lone}")


def _collect(twin: Watched, desk: Desk, cus: str) -> None:
    void = twin.invoice(cus, 300, automatic=True, auto_advance=True)
    twin.fail_payment(void)
    desk.post(f"/v1/invoices/{void.id}/void")
    paid = twin.invoice(cus, 90_000)
    desk.refused("POST", f"/v1/invoices/{paid.id}/pay", "payment_method=pm_card_chargeDeclined")
    desk.post(f"/v1/invoices/{paid.id}/pay", "payment_method=pm_card_visa&expand[]=payments.data.payment.payment_intent")
    charge = twin.charge_of(paid).id
    desk.get(f"/v1/charges/{charge}", "expand[]=refunds&expand[]=customer&expand[]=balance_transaction")
    desk.post(f"/v1/charges/{charge}", "description=paid+by+phone")
    refund = desk.post("/v1/refunds", f"charge={charge}&amount=4000&reason=duplicate&expand[]=charge")["id"]
    desk.post(f"/v1/refunds/{refund}", "metadata[seen]=yes")
    desk.get(f"/v1/refunds/{refund}")
    desk.post("/v1/credit_notes", f"invoice={paid.id}&amount=4000&refunds[0][refund]={refund}")
    desk.post("/v1/credit_notes", f"invoice={paid.id}&amount=600&credit_amount=600&expand[]=customer_balance_transaction")
    for inquiry in (False, True):
        dispute = twin.dispute(paid if not inquiry else _paid(twin, cus), inquiry=inquiry).id
        desk.get(f"/v1/disputes/{dispute}", "expand[]=charge")
        desk.post(f"/v1/disputes/{dispute}", "evidence[product_description]=Saws&metadata[case]=9")
        desk.post(f"/v1/disputes/{dispute}/close") if not inquiry else twin.close_dispute(dispute, won=True)
    won = twin.close_dispute(twin.dispute(_paid(twin, cus)), won=True)
    desk.get(f"/v1/disputes/{won.id}")


def _paid(twin: Watched, cus: str) -> str:
    invoice = twin.invoice(cus, 200_000)
    twin.pay(invoice)
    return invoice.id


def test_every_answer_is_as_described(told: Watched) -> None:
    assert told.judged() > 90


def test_every_request_the_twin_answers_has_been_judged(told: Watched) -> None:
    judged = {(method, description.template(path)) for method, path, status, _ in told.answered if status == 200}
    known = {(op.method, description.template(re.sub(r"<[^>]+>", "x", op.rule))) for op in OPERATIONS}
    assert known - judged == set()


def test_every_event_carries_an_object_as_described(told: Watched) -> None:
    topics = set()
    for event in told.told():
        body = json.loads(bytes(event.data.object))
        if body["object"] == "invoice":
            body["amount_paid_off_stripe"] = 0
        assert description.object_faults(body) == [], event.type
        topics.add(event.type)
    assert len(topics) > 40


def test_every_object_kept_is_as_described(told: Watched) -> None:
    books = told.books
    shelves = (books.invoices, books.items, books.invoice_payments, books.charges, books.balance_transactions, books.payment_intents, books.disputes)
    for shelf in shelves:
        for thing in shelf.newest_first():
            assert description.object_faults(plain(thing)) == []


def test_the_judge_notices_what_is_wrong(told: Watched) -> None:
    invoice = plain(next(told.books.invoices.newest_first()))
    missing = {name: value for name, value in invoice.items() if name != "total"}
    for wrong in ({**invoice, "status": "overdue"}, {**invoice, "paid": True}, {**invoice, "total": "12.00"}, {**invoice, "number": 7}, missing):
        assert description.object_faults(wrong) != []
    assert description.faults("GET", "/v1/invoices/in_1", 404, {"error": {"message": "no type"}}) != []


def test_an_invoice_shows_the_same_fields_as_another_stand_in_does(told: Watched) -> None:
    """Stripe World's answers (made once, kept beside the project) are a second opinion on which fields there are."""
    if not _LIFECYCLE.is_file():
        pytest.skip("the recorded life of an account is not beside the project")
    recorded = json.loads(_LIFECYCLE.read_text("utf-8"))
    for kind, shelf in (
        ("invoices", told.books.invoices),
        ("credit_notes", told.books.credit_notes),
        ("refunds", told.books.refunds),
        ("disputes", told.books.disputes),
        ("balance_transactions", told.books.balance_transactions),
    ):
        ours, theirs = plain(next(shelf.newest_first())), recorded[kind]["data"][0]
        assert set(ours) == set(theirs), kind
    line = plain(told.books.invoices.find(next(iter(told.books.lines))).lines.data[0])  # type: ignore[union-attr]
    assert set(line) == set(recorded["invoices"]["data"][0]["lines"]["data"][0])
