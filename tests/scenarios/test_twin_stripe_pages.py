"""The pages of the Stripe stand-in, for a person who pays, and its doors, for whoever rehearses."""

from __future__ import annotations

import json
import re

import pytest
import requests

from tests.scenarios.stripe_desk import Desk, Watched
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import TWIN, StripeTwin, money
from tieout.rehearsal.twins.twin import Twin


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_package_offers_one_twin() -> None:
    assert TWIN is StripeTwin
    assert issubclass(TWIN, Twin)
    assert TWIN.name == "stripe"


def test_the_first_page_lists_what_is_open_with_what_remains(desk: Desk) -> None:
    twin = desk.twin
    assert "Nobody owes anything" in desk.page("/")
    owed = twin.customer("Müller & <Söhne>")
    first, second = twin.invoice(owed, 123_456), twin.invoice(owed, 100)
    twin.pay(first, 3_456)
    twin.void(second)
    shown = desk.page("/")
    assert "1,200.00 EUR" in shown
    assert "Müller &amp; &lt;Söhne&gt;" in shown
    assert f'href="/pay/{first.id}"' in shown
    assert second.id not in shown
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", shown) == []  # nothing from elsewhere


def test_an_invoice_is_paid_in_part_and_then_wholly_from_its_own_page() -> None:
    twin = Watched()
    invoice = twin.invoice(twin.customer("Brightwater Bakery"), lines=[("Rye", 4_000), ("Wheat <fine>", 6_000)])
    with serving(twin, deliver=False) as running:
        shown = requests.get(f"{running.url}/v1/invoices/{invoice.id}", headers={"Authorization": "Bearer sk_test_twin"}, timeout=2).json()
        page = shown["hosted_invoice_url"]
        assert page == f"{running.url}/pay/{invoice.id}"
        before = requests.get(page, timeout=2).text
        assert "Wheat &lt;fine&gt;" in before
        assert 'value="100.00"' in before
        part = requests.post(page, data={"amount": "30,50"}, timeout=2)  # as a German types it
        assert part.url.endswith("?paid=yes")
        assert "Your payment has arrived" in part.text
        assert 'value="69.50"' in part.text
        whole = requests.post(page, data={"amount": "69.50"}, timeout=2).text
        assert "Nothing is left to pay" in whole
        _is_pdf(requests.get(shown["invoice_pdf"], timeout=2).content, b"Wheat <fine>", b"100.00 EUR")
    paid = twin.books.invoices.get(invoice.id)
    assert (paid.status, paid.amount_paid) == ("paid", 10_000)
    assert [event.type for event in twin.told("invoice_payment.paid", "invoice.paid")] == [
        "invoice_payment.paid",
        "invoice_payment.paid",
        "invoice.paid",
    ]


def _is_pdf(content: bytes, *told: bytes) -> None:
    """Every object stands where the table says, and the text is there."""
    start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n", 1)[0])
    assert content[:9] == b"%PDF-1.4\n"
    assert content[start:].startswith(b"xref\n0 6\n")
    for number, line in enumerate(content[start:].split(b"\n")[3:8], 1):
        assert content[int(line[:10]) :].startswith(b"%d 0 obj" % number)
    assert all(text in content for text in told)


@pytest.mark.parametrize("typed", ["", "abc", "0", "-5", "100.01", "1.234", "NaN", "1e9"])
def test_a_wrong_amount_is_told_on_the_page_and_pays_nothing(desk: Desk, typed: str) -> None:
    invoice = desk.twin.invoice(desk.twin.customer("A"), 10_000)
    answer = desk.form(f"/pay/{invoice.id}", amount=typed)
    assert answer.status_code == 400
    assert "<form" in answer.get_data(as_text=True)
    assert invoice.amount_paid == 0


def test_a_page_of_an_invoice_that_is_not_there_says_so(desk: Desk) -> None:
    assert desk.form("/pay/in_0", amount="1").status_code == 404
    assert "No such invoice" in desk.page("/pay/in_0")
    void = desk.twin.void(desk.twin.invoice(desk.twin.customer("A"), 100))
    assert "the invoice is void" in desk.page(f"/pay/{void.id}")
    assert desk.form(f"/pay/{void.id}", amount="1").status_code == 400


@pytest.mark.parametrize(
    ("typed", "currency", "amount"),
    [
        ("12", "eur", 1_200),
        ("12.5", "eur", 1_250),
        ("1,250.00", "eur", 125_000),
        ("1 250,5", "eur", 125_050),
        ("1,250", "eur", 125_000),
        ("5000", "jpy", 5_000),
        ("50.5", "jpy", None),
        ("1.234", "kwd", 1_234),
        ("1.234", "eur", None),
        ("Infinity", "eur", None),
    ],
)
def test_amounts_are_read_as_people_type_them(typed: str, currency: str, amount: int | None) -> None:
    assert money.parsed(typed, currency) == amount


def test_amounts_are_written_with_the_decimals_of_their_currency() -> None:
    assert [money.written(1_234_567, currency) for currency in ("eur", "jpy", "kwd")] == ["12,345.67 EUR", "1,234,567 JPY", "1,234.567 KWD"]


def test_the_doors_do_what_only_a_bank_or_a_cardholder_could(desk: Desk) -> None:
    owed = desk.twin.customer("Copperfield Optics")
    invoice, failing = desk.twin.invoice(owed, 60_000), desk.twin.invoice(owed, 700)
    assert desk.door("pay", invoice=invoice.id, amount=20_000)["amount_paid"] == 20_000
    assert desk.door("pay", invoice=invoice.id)["status"] == "paid"
    assert desk.door("pay", invoice=failing.id, amount=100, out_of_band=True)["payment"]["type"] == "payment_record"
    assert desk.door("fail_payment", invoice=failing.id, decline="expired_card")["attempt_count"] == 1
    assert desk.get("/v1/charges", f"customer={owed.id}")["data"][0]["outcome"]["reason"] == "expired_card"
    opened = desk.door("dispute", invoice=invoice.id, reason="product_not_received", amount=5_000)
    assert (opened["status"], opened["amount"]) == ("needs_response", 5_000)
    assert desk.door("dispute/close", dispute=opened["id"], outcome="won")["status"] == "won"
    assert desk.get(f"/v1/disputes/{opened['id']}")["balance_transactions"][-1]["amount"] == 5_000
    assert desk.door("payout")["status"] == "paid"


def test_a_door_says_what_it_did_not_understand(desk: Desk) -> None:
    owed = desk.twin.customer("A")
    assert "No such invoice" in desk.door_refused("pay", invoice="in_0")
    assert "not understood" in desk.door_refused("dispute")
    assert "won or lost" in desk.door_refused("dispute/close", dispute="du_0", outcome="drawn")
    assert "nothing to pay out" in desk.door_refused("payout")
    assert "No such charge" in desk.door_refused("dispute", invoice=desk.twin.invoice(owed, 5).id)
    assert "No such webhook_endpoint" in desk.door_refused("rotate_secret", endpoint="we_0")


def test_two_twins_of_one_seed_make_the_same_names(desk: Desk) -> None:
    ours, theirs = desk.twin.customer("A"), Watched().customer("A")
    assert (ours.id, ours.invoice_prefix) == (theirs.id, theirs.invoice_prefix)
    assert json.loads(json.dumps(ours.created)) == theirs.created
