"""Canonical documents: written as plain JSON without loss, and settlement derived from amounts."""

from __future__ import annotations

import datetime as dt
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.core.documents import Allocation, AnyRecord, CreditNote, Customer, DueDate, Invoice, Line, Payment, Refund, plain, settlement
from tieout.core.money import Money, from_text

EUR = Money(123450, "EUR")
RECORDS: list[AnyRecord] = [
    Customer(customer_id="C1", name="Brightwater", aliases=("BW",), currency="EUR"),
    Invoice(
        invoice_id="1",
        number="R-1",
        customer_id="C1",
        amount=EUR,
        open_amount=Money(50, "EUR"),
        due_date=dt.date(2026, 6, 30),
        lines=(Line(description="Pumps", amount=EUR),),
        due_dates=(DueDate(due_date=dt.date(2026, 6, 30), amount=EUR),),
        recorded_at=dt.datetime(2026, 6, 1, tzinfo=dt.UTC),
    ),
    CreditNote(credit_note_id="2", number="C-2", customer_id="C1", amount=Money(500, "JPY")),
    Payment(payment_id="3", amount=EUR, invoice_number="R-1", status="pending"),
    Refund(refund_id="4", amount=EUR, payment_id="3"),
    Allocation(payment_id="3", document_id="1", amount=EUR, date=dt.date(2026, 6, 2)),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)
def test_a_record_keeps_itself_as_json(record: AnyRecord) -> None:
    assert msgspec.json.decode(msgspec.json.encode(record), type=AnyRecord) == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)
def test_plain_names_its_kind_and_holds_no_float_and_no_minor_units(record: AnyRecord) -> None:
    body = plain(record)
    text = json.dumps(body)
    assert body["kind"] == record.__struct_config__.tag
    assert "minor" not in text
    assert not [value for value in json.loads(text, parse_float=lambda _: "float").values() if value == "float"]


def test_plain_writes_amounts_with_all_places_and_dates_as_iso() -> None:
    body = plain(RECORDS[1])
    assert (body["amount"], body["open_amount"], body["currency"], body["due_date"]) == ("1234.50", "0.50", "EUR", "2026-06-30")
    assert (body["lines"][0]["amount"], body["due_dates"][0]["amount"]) == ("1234.50", "1234.50")


@given(st.integers(0, 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_plain_amount_reads_back_exactly(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    body = plain(Payment(payment_id="1", amount=money))
    assert from_text(body["amount"], body["currency"]) == money


@pytest.mark.parametrize(
    ("amount", "open_minor", "over", "word"),
    [
        pytest.param(100, 100, 0, "unpaid", id="all of it is open"),
        pytest.param(100, 1, 0, "partially_paid", id="a cent is open"),
        pytest.param(100, 0, 0, "paid", id="nothing is open"),
        pytest.param(100, 0, 1, "overpaid", id="a cent too much"),
        pytest.param(0, 0, 0, "paid", id="an invoice of nothing"),
    ],
)
def test_settlement_follows_from_amounts(amount: int, open_minor: int, over: int, word: str) -> None:
    assert settlement(amount=amount, open_minor=open_minor, over_minor=over) == word
