"""One story after another between Stripe and the ledger, against the twin: both sides agree at the end of each, with every fault in turn."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator

import pytest
import stamina

from tests.conftest import ROOT
from tests.scenarios.connected import Books, connect
from tieout.adapters.ports.connector import Command
from tieout.adapters.ports.errors import Unsupported
from tieout.flow import line as lines
from tieout.rehearsal.twins import faults as faulty
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.server import Serving, serving
from tieout.rehearsal.twins.stripe import TWIN
from tieout.stages.base import crash, walls
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Customer

Stripe = TWIN
KEY = "sk_test_twin"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """What is asked again is asked again at once."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def stripe() -> Iterator[Serving]:
    with serving(Stripe(), deliver=False) as running:
        yield running


def account(organisation: uuid.UUID, stripe: Serving) -> Books:
    return connect(organisation, "stripe", api_key=KEY, base_url=stripe.url)


def agree(books: Books, twin: Stripe) -> None:
    """What Stripe says remains of each invoice is what we say is open; every promise holds."""
    theirs = {one.number: one.amount_remaining if one.status in ("open", "uncollectible") else 0 for one in twin.books.invoices.newest_first()
              if one.status not in ("draft", None)}
    for lost in twin.books.disputes.newest_first():
        if lost.status == "lost":
            # Stripe goes on calling the invoice paid; the money is gone, so it is open again here.
            paid = next(p for p in twin.books.invoice_payments.newest_first() if p.payment.id() == lost.payment_intent)
            theirs[twin.books.invoices.get(paid.invoice).number] += lost.amount
    ours = {number: minor for number, minor in books.open_by_number().items() if number in theirs}
    assert ours == theirs
    told = books.tie_out()
    assert told.unexplained == {}, told.lines
    for line in told.lines:
        assert line.theirs + sum(part.minor for part in line.parts) == line.ours
    books.verify()


def test_an_invoice_paid_in_two_parts_is_paid_here(organisation: uuid.UUID, stripe: Serving) -> None:
    twin = stripe.twin
    customer = twin.customer("Brightwater GmbH", email="ap@brightwater.example")
    invoice = twin.invoice(customer, 12_000)
    books = account(organisation, stripe)
    assert books.sync().stopped == ""
    twin.pay(invoice, 5_000)
    books.sync()
    assert books.open_by_number() == {invoice.number: 7_000}
    twin.pay(invoice)
    books.sync()
    assert books.open_by_number() == {invoice.number: 0}
    assert [(amount, applied) for amount, applied, _, _ in books.payments()] == [(5_000, 5_000), (7_000, 7_000)]
    agree(books, twin)


def test_a_history_of_several_pages_is_read_whole(organisation: uuid.UUID, stripe: Serving) -> None:
    stripe.twin.fill(230, customers=3)
    books = account(organisation, stripe)
    assert books.sync().stopped == ""
    assert len(books.open_by_number()) == 230
    agree(books, stripe.twin)


@pytest.mark.parametrize("fault", ["", "error_after", "silent_after", "cut", "truncated"])
def test_a_field_of_a_customer_is_changed_there_and_the_rest_stays(organisation: uuid.UUID, stripe: Serving, fault: str) -> None:
    twin = stripe.twin
    address = {"line1": "12 Ferry Row", "city": "Hamburg", "postal_code": "20095", "country": "DE"}
    customer = twin.customer("Brightwater GmbH", email="ap@brightwater.example", address=address)
    books = account(organisation, stripe)
    with lines.open(organisation, books.connection) as there:
        for field, value in (("city", "Berlin"), ("name", "Brightwater Foods GmbH"), ("city", "Munich")):
            if fault:
                twin.faults.put(Fault(fault=fault, method="POST", path="customers"))
            body = {"customer": customer.id, "field": field, "value": value}
            there.connector.write(there.http, there.settings, Command(act="update_customer", key="1:update_customer:1", body=body))
        with pytest.raises(Unsupported, match="takes no change of a customer's language"):
            body = {"customer": customer.id, "field": "language", "value": "en"}
            there.connector.write(there.http, there.settings, Command(act="update_customer", key="k", body=body))
    now = twin.books.customers.find(customer.id)
    assert (now.name, now.email) == ("Brightwater Foods GmbH", "ap@brightwater.example")
    assert (now.address.line1, now.address.city, now.address.postal_code, now.address.country) == ("12 Ferry Row", "Munich", "20095", "DE")


STORIES: dict[str, Callable[[Stripe], None]] = {}


def story(tell: Callable[[Stripe], None]) -> Callable[[Stripe], None]:
    STORIES[tell.__name__.replace("_", " ")] = tell
    return tell


def _one(twin: Stripe, cents: int = 10_000):  # type: ignore[no-untyped-def]
    return twin.invoice(twin.customer("Kestrel & Co", email="pay@kestrel.example"), cents)


@story
def raised_and_edited(twin: Stripe) -> None:
    invoice = _one(twin)
    twin.customer("Nobody yet")
    draft = twin.invoice(invoice.customer, 4_000, finalized=False)
    twin.finalize(draft)


@story
def paid(twin: Stripe) -> None:
    twin.pay(_one(twin))


@story
def part_paid(twin: Stripe) -> None:
    twin.pay(_one(twin), 2_500)


@story
def paid_elsewhere(twin: Stripe) -> None:
    twin.pay(_one(twin), out_of_band=True)


@story
def credited_before_it_is_paid(twin: Stripe) -> None:
    invoice = _one(twin)
    twin.credit(invoice, 3_000)
    twin.pay(invoice)


@story
def credited_and_given_back_after_it_was_paid(twin: Stripe) -> None:
    invoice = _one(twin)
    twin.pay(invoice)
    twin.credit(invoice, 4_000)


@story
def refunded_in_part(twin: Stripe) -> None:
    invoice = _one(twin)
    twin.pay(invoice)
    twin.refund(invoice, 1_500)


@story
def voided(twin: Stripe) -> None:
    twin.void(_one(twin))


@story
def written_off(twin: Stripe) -> None:
    twin.write_off(_one(twin))


@story
def a_payment_that_fails(twin: Stripe) -> None:
    twin.fail_payment(_one(twin))


@story
def a_dispute_that_is_lost(twin: Stripe) -> None:
    invoice = _one(twin)
    twin.pay(invoice)
    twin.close_dispute(twin.dispute(invoice), won=False)


@story
def a_customer_that_is_deleted(twin: Stripe) -> None:
    twin.delete_customer(twin.customer("Short Lived Ltd"))


@pytest.mark.parametrize("tell", STORIES.values(), ids=STORIES)
def test_told_before_and_after_connecting_a_story_ends_the_same(organisation: uuid.UUID, stripe: Serving, tell: Callable[[Stripe], None]) -> None:
    tell(stripe.twin)
    books = account(organisation, stripe)
    assert books.sync().stopped == ""
    tell(stripe.twin)
    assert books.sync().stopped == ""
    assert books.set_aside() == []
    agree(books, stripe.twin)
    again = books.sync(anew=True)
    assert (again.created, again.updated, again.gone) == (0, 0, 0)


#: Faults a reading meets on its way; `version` and the events' faults are told apart below.
ON_THE_WAY = [kind for kind in faulty.KINDS if kind not in faulty.OF_EVENTS and kind not in ("version", "clock")]


@pytest.mark.parametrize("kind", ON_THE_WAY)
def test_with_a_fault_in_the_middle_nothing_is_lost_or_doubled(organisation: uuid.UUID, stripe: Serving, kind: str) -> None:
    twin = stripe.twin
    for tell in (paid, part_paid, credited_before_it_is_paid, voided):
        tell(twin)
    books = account(organisation, stripe)
    twin.faults.put(*(Fault(fault=kind, path="/v1/(invoices|payment|events)", after=after) for after in (0, 2)))
    books.sync()
    books.sync()
    twin.faults.put(Fault(fault=kind, path="/v1/", after=1))
    paid(twin)
    books.again()
    books.sync()
    twin.faults.put()
    books.again()
    books.sync()
    assert books.sync().stopped == ""
    agree(books, twin)


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_vendor_whose_clock_is_wrong_is_read_as_well(organisation: uuid.UUID, stripe: Serving, hours: int) -> None:
    stripe.twin.move_clock(hours * 3_600)
    paid(stripe.twin)
    books = account(organisation, stripe)
    for tell in (part_paid, voided):
        books.sync()
        tell(stripe.twin)
    assert books.sync().stopped == ""
    agree(books, stripe.twin)


def test_an_answer_of_another_version_is_set_aside_with_its_reason_and_taken_when_it_is_right(organisation: uuid.UUID, stripe: Serving) -> None:
    twin = stripe.twin
    invoice = _one(twin)
    books = account(organisation, stripe)
    twin.faults.put(Fault(fault="version", path="/v1/invoices", times=0))
    books.sync()
    assert any("status" in why for why in books.set_aside())
    assert books.open_by_number() == {}
    twin.faults.put()
    books.sync(anew=True)
    assert books.set_aside() == []
    assert books.open_by_number() == {invoice.number: 10_000}
    agree(books, twin)


#: With the seeds of `test_three_systems.py` and `test_faults_in_turn.py` twenty in the suite and two hundred in the sweep.
@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8, 60))])
def test_at_random_both_sides_agree_within_two_readings_after_the_faults_end(organisation: uuid.UUID, stripe: Serving, seed: int) -> None:
    print(f"seed {seed}")
    twin, chance = stripe.twin, random.Random(seed)
    books = account(organisation, stripe)
    tales = list(STORIES.values())
    for _ in range(4):
        twin.faults.put(*(
            Fault(fault=chance.choice(ON_THE_WAY), path="/v1/", after=chance.randrange(12), times=chance.randrange(1, 3))
            for _ in range(3)))
        chance.choice(tales)(twin)
        books.again()
        books.sync()
    twin.faults.put()
    books.again()
    books.sync()
    books.again()
    assert books.sync().stopped == ""
    assert books.set_aside() == []
    agree(books, twin)


def test_what_is_deleted_without_an_event_is_found_by_reading_anew(organisation: uuid.UUID, stripe: Serving) -> None:
    twin = stripe.twin
    customer = twin.customer("Brightwater GmbH")
    kept, lost = twin.invoice(customer, 1_000), twin.invoice(customer, 2_000)
    books = account(organisation, stripe)
    books.sync()
    with twin.lock:
        twin.books.invoices.remove(lost.id)
    gone = books.sync(anew=True)
    assert (gone.gone, gone.stopped) == (1, "")
    assert books.document(lost.number).status == "deleted"
    assert books.open_by_number() == {kept.number: 1_000, lost.number: 0}
    books.verify()


def test_too_many_missing_at_once_stop_for_a_person_and_nothing_is_deleted(organisation: uuid.UUID, stripe: Serving) -> None:
    twin = stripe.twin
    customer = twin.customer("Brightwater GmbH")
    for cents in range(1_000, 1_030):
        twin.invoice(customer, cents)
    books = account(organisation, stripe)
    books.sync()
    with twin.lock:
        for one in list(itertools.islice(twin.books.invoices.newest_first(), 25)):
            twin.books.invoices.remove(one.id)
    stopped = books.sync(anew=True)
    assert "too many to believe" in stopped.stopped
    assert stopped.gone == 0
    assert len([minor for minor in books.open_by_number().values() if minor]) == 30
    assert "too many" in books.row().needs_person


READ_POINTS = [name for name in crash.POINTS if name.startswith("sync.") or name == "cash.after_allocation"]


@pytest.mark.parametrize("point", READ_POINTS)
def test_a_reader_killed_anywhere_loses_and_doubles_nothing(organisation: uuid.UUID, stripe: Serving, point: str) -> None:
    twin = stripe.twin
    for tell in (paid, part_paid, credited_before_it_is_paid):
        tell(twin)
    twin.customer("Early Bird Ltd")
    # What happened lies further back than events are looked at again: whoever loses it here has lost it.
    twin.move_clock(3_600)
    twin.customer("Nobody yet")
    books = account(organisation, stripe)
    script = f"""
import django; django.setup()
from uuid import UUID
from tieout.flow import sync
sync.once(UUID("{organisation}"), {books.connection})
"""
    dead = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TIEOUT_CRASH_AT": point}, cwd=ROOT, check=False)
    assert dead.returncode == -signal.SIGKILL
    # The dead reader's place is free once its lease has run out; until then nobody else reads.
    assert "somebody is reading" in books.sync().stopped
    with walls.inside(organisation):
        Connection.objects.filter(pk=books.connection).update(leased_until=None)
    assert books.sync().stopped == ""
    assert books.sync().stopped == ""
    assert len(books.payments()) == 3
    with walls.inside(organisation):
        assert set(Customer.objects.values_list("name", flat=True)) == {"Kestrel & Co", "Early Bird Ltd", "Nobody yet"}
    agree(books, twin)


def test_a_paused_reader_that_was_overtaken_stores_nothing_of_what_it_had_fetched(organisation: uuid.UUID, stripe: Serving) -> None:
    twin = stripe.twin
    invoice = _one(twin)
    books = account(organisation, stripe)
    books.sync()
    overtaken: list[str] = []

    def newer(stream: str, count: int) -> None:
        # While the first reading stands between its page and its checkpoint, another takes over and reads what is newer.
        if not overtaken:
            with walls.inside(organisation):
                Connection.objects.filter(pk=books.connection).update(leased_until=None)
            twin.pay(invoice)
            overtaken.append(books.sync().stopped)

    stopped = books.sync(anew=True, progress=newer)
    assert overtaken == [""]
    assert "somebody else" in stopped.stopped
    assert books.open_by_number() == {invoice.number: 0}
    agree(books, twin)
