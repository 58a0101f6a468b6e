"""Stripe's amounts, signatures and events, without any network."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Connector, NotGenuine, Raw, Ref
from tieout.adapters.ports.errors import BadRecord
from tieout.core.documents import Customer, Invoice, Payment

STRIPE: Connector = registry.connectors()["stripe"]


def payment(**fields: Any) -> Payment:
    body = {"id": "pi_1", "amount": 1_000, "amount_received": 1_000, "created": 1767744000, "currency": "eur", "status": "succeeded", **fields}
    (record,) = STRIPE.translate(Raw(stream="payments", id="pi_1", body=json.dumps(body).encode()), {})
    assert isinstance(record, Payment)
    return record


@pytest.mark.parametrize(("currency", "units", "text"), [
    pytest.param("eur", 1_050, "10.50", id="two decimals"),
    pytest.param("jpy", 1_050, "1050", id="none"),
    pytest.param("kwd", 1_050, "1.050", id="three"),
    pytest.param("isk", 105_000, "1050", id="two at Stripe, none by ISO"),
    pytest.param("mga", 1_050, "1050.00", id="none at Stripe, two by ISO"),
])
def test_an_amount_is_read_by_stripes_own_table(currency: str, units: int, text: str) -> None:
    assert payment(currency=currency, amount=units, amount_received=units).amount.text() == text


def test_a_fraction_that_the_currency_does_not_have_is_refused() -> None:
    with pytest.raises(BadRecord, match="no whole amount of ISK"):
        payment(currency="isk", amount=105_050, amount_received=105_050)


@pytest.mark.parametrize(("field", "value"), [("status", "teleported"), ("currency", "zzz"), ("amount_received", "12.50"), ("amount_received", 12.5)])
def test_what_drifts_is_refused_with_its_field(field: str, value: Any) -> None:
    with pytest.raises(BadRecord) as told:
        payment(**{field: value})
    assert told.value.field == field


def test_what_is_not_even_text_is_refused() -> None:
    with pytest.raises(BadRecord):
        STRIPE.translate(Raw(stream="payments", id="pi_1", body=b'{"id": "pi_\xff"}'), {})


def test_two_addresses_in_one_field_are_no_address_and_the_customer_is_taken() -> None:
    body = json.dumps({"id": "cus_1", "name": "Brightwater", "email": "a@x.example, b@x.example"}).encode()
    (record,) = STRIPE.translate(Raw(stream="customers", id="cus_1", body=body), {})
    assert isinstance(record, Customer)
    assert (record.name, record.email) == ("Brightwater", None)


def test_a_due_moment_is_a_day_in_the_organisations_zone() -> None:
    # 2026-02-03 23:59:59 in Auckland is another day in UTC.
    sample = json.loads((STRIPE.folder / "samples" / "invoices.open.json").read_text())
    sample["due_date"] = int(dt.datetime(2026, 2, 3, 10, 59, 59, tzinfo=dt.UTC).timestamp())
    (record,) = STRIPE.translate(Raw(stream="invoices", id="x", body=json.dumps(sample).encode()), {"time_zone": "Pacific/Auckland"})
    assert isinstance(record, Invoice)
    assert record.due_date == dt.date(2026, 2, 3)


def test_an_event_is_a_hint_and_nothing_more() -> None:
    paid = json.dumps({"id": "evt_1", "created": 1, "type": "invoice.paid", "data": {"object": {"object": "invoice", "id": "in_1", "total": 9}}})
    assert STRIPE.hints(body=paid.encode(), settings={}) == (Ref("invoices", "in_1"),)
    charge = json.dumps({"id": "evt_2", "created": 1, "type": "charge.succeeded", "data": {"object": {"object": "charge", "payment_intent": "pi_1"}}})
    assert STRIPE.hints(body=charge.encode(), settings={}) == (Ref("payments", "pi_1"),)
    unknown = json.dumps({"id": "evt_3", "created": 1, "type": "plan.created", "data": {"object": {"object": "plan", "id": "plan_1"}}})
    assert STRIPE.hints(body=unknown.encode(), settings={}) == ()


def test_the_published_signature_verifies_and_tampered_copies_do_not(shared: Path) -> None:
    vectors = json.loads((shared / "vendor-specs" / "webhooks" / "signature-vectors.json").read_text())
    for name, vector in vectors.items():
        if not name.startswith("stripe."):
            continue
        headers = {key.lower(): value for key, value in vector["headers"].items()}
        body, now = vector["body"].encode(), dt.datetime.fromtimestamp(vector["now"], dt.UTC)

        def told(*, headers: dict[str, str] = headers, body: bytes = body, secret: str = vector["secret"], now: dt.datetime = now) -> str:
            return STRIPE.delivery(headers=headers, body=body, url="", secrets=("another", secret), now=now)

        assert told() == json.loads(body)["id"]
        signature = headers["stripe-signature"]
        for tampered in (
            {"body": body.replace(b"9900", b"9901", 1)}, {"secret": "whsec_other"}, {"now": now + dt.timedelta(minutes=6)},
            {"headers": {"stripe-signature": signature[:-1] + ("0" if signature[-1] != "0" else "1")}}, {"headers": {}},
            {"headers": {"stripe-signature": signature.replace("t=", "t=9")}}, {"headers": {"stripe-signature": signature.replace("v1=", "v0=")}},
        ):
            with pytest.raises(NotGenuine):
                told(**tampered)  # type: ignore[arg-type]
