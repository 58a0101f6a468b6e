"""The Stripe connector, unmodified, against Stripe World: a stateful stand-in that somebody else wrote, with Stripe's billing rules.

`make stripe-world` installs it beside the project; it has no invoice payments, no account and no webhooks, which our own twin has.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe

from tests.conftest import ROOT
from tests.scenarios.connected import Books, connect
from tieout.rehearsal.free_port import free_port

PYTHON = Path(os.environ.get("TIEOUT_STRIPE_WORLD", ROOT / ".venv-stripe-world" / "bin" / "python"))
KEY = "sk_test_world"


@pytest.fixture(scope="module")
def world() -> Iterator[str]:
    if not PYTHON.exists():
        pytest.skip("Stripe World is not installed beside the project (make stripe-world, needs a Python 3.13)")
    port = free_port()
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    start = {"startup": {"livemode": False}, "seed": 7, "now": now.isoformat().replace("+00:00", "Z"), "clock_mode": "tick"}
    runner = str(Path(__file__).with_name("stripe_world_runner.py"))
    program = subprocess.Popen(
        [str(PYTHON), runner, "--host", "127.0.0.1", "--port", str(port), "--reset-options", json.dumps(start)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/worlds/{uuid.uuid4().hex}"
        for _ in range(100):
            try:
                stripe.StripeClient(KEY, base_addresses={"api": url}, max_network_retries=0).v1.balance.retrieve()
                break
            except stripe.APIConnectionError:
                time.sleep(0.1)
        yield url
    finally:
        program.terminate()
        program.wait(10)


@pytest.fixture
def account(world: str) -> stripe.StripeClient:
    return stripe.StripeClient(KEY, base_addresses={"api": f"{world.rsplit('/', 1)[0]}/{uuid.uuid4().hex}"})


def _invoice(account: stripe.StripeClient, customer: str, cents: int) -> stripe.Invoice:
    made = account.v1.invoices.create({"customer": customer, "collection_method": "send_invoice", "days_until_due": 30, "currency": "eur"})
    account.v1.invoice_items.create({"customer": customer, "invoice": made.id, "amount": cents, "currency": "eur", "description": "Work"})
    return account.v1.invoices.finalize_invoice(made.id)


def test_a_life_of_invoices_reads_the_same_as_stripe_world_says(organisation: uuid.UUID, account: stripe.StripeClient) -> None:
    customer = account.v1.customers.create({"name": "Acme GmbH", "email": "ap@acme.example", "address": {"country": "DE", "city": "Berlin"}}).id
    credited, elsewhere = _invoice(account, customer, 10_000), _invoice(account, customer, 5_000)
    account.v1.credit_notes.create({"invoice": credited.id, "amount": 1_000})
    account.v1.invoices.pay(elsewhere.id, {"paid_out_of_band": True})
    base = account._requestor._options.base_addresses["api"]
    books = connect(organisation, "stripe", api_key=KEY, base_url=str(base))

    assert books.sync().stopped == ""
    assert books.open_by_number() == {credited.number: 9_000, elsewhere.number: 0}

    voided, lost = _invoice(account, customer, 777), _invoice(account, customer, 888)
    account.v1.invoices.void_invoice(voided.id)
    account.v1.invoices.mark_uncollectible(lost.id)
    assert books.sync().stopped == ""
    assert books.open_by_number() == {credited.number: 9_000, elsewhere.number: 0, voided.number: 0, lost.number: 888}
    assert books.sync().seen == 0
    _whole_again(books, account)


def _whole_again(books: Books, account: stripe.StripeClient) -> None:
    """Read anew, nothing is written; what Stripe says remains is what we say is open."""
    again = books.sync(anew=True)
    assert (again.created, again.updated, again.gone, again.stopped) == (0, 0, 0, "")
    theirs = {one.number: one.amount_remaining for one in account.v1.invoices.list({"limit": 100}).auto_paging_iter() if one.status != "void"}
    assert {number: minor for number, minor in books.open_by_number().items() if number in theirs} == theirs
    books.verify()
