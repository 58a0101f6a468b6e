"""Told day by day against a real mail server and a real IMAP server: what must and must not happen on each day."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client

from tests import imap
from tests.scenarios.office import ADA, Office, moment
from tests.stages import builders
from tieout.core.evidence import Refused
from tieout.flow import clock, nightly, on_mail, send
from tieout.rehearsal import catcher
from tieout.stages.base import audit, walls
from tieout.stages.cash import apply
from tieout.stages.collect.models import Decision
from tieout.stages.dialogue import dispute, promise, reply
from tieout.stages.dialogue.models import Promise, Reply
from tieout.stages.ledger.models import Document
from tieout.stages.outreach import approve
from tieout.stages.outreach.models import Message

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def box() -> Iterator[dict[str, Any]]:
    with imap.serving() as settings:
        yield settings


@pytest.fixture
def office(organisation: uuid.UUID, tmp_path, box: dict[str, Any]) -> Iterator[Office]:
    with catcher.running(tmp_path / "caught") as server:
        yield Office(organisation, tmp_path / "caught", catcher.settings(tmp_path / "caught", server.port), box)
    clock.inject(None)


def answer(office: Office, box: dict[str, Any], letter: catcher.Caught, text: str) -> None:
    """The debtor answers by mail, which arrives at the IMAP server."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = letter.to_address, letter.reply_to, f"Re: {letter.subject}"
    mail["Message-ID"], mail["In-Reply-To"] = f"<{uuid.uuid4()}@debtor.example>", letter.message_id
    mail.set_content(f"{text}\n\nOn some day {letter.sender} wrote:\n> {letter.text.splitlines()[0]}\n")
    imap.append(box, mail.as_bytes())


def paid(office: Office, bill: Document, amount: str) -> None:
    """Money that Ada applies to this invoice."""
    money = builders.payment(amount, office.now.date().isoformat(), owner=bill.customer, created_at=office.now, recorded_at=office.now)
    done = apply.by_person(payment=money, lines=[(bill.pk, money.amount_minor)], actor=ADA, now=office.now)
    assert not isinstance(done, Refused)


def test_brightwater_from_the_invoice_to_the_opt_out(office: Office, box: dict[str, Any]) -> None:
    with walls.inside(office.id):
        brightwater = office.customer("Brightwater Interiors", "ap@brightwater.example")
        bill = builders.invoice(brightwater, "1000.00", "2026-05-11", number="INV-2041")

    assert office.tick("2026-05-12 09:30") == []  # a day late: nothing yet
    assert office.tick("2026-05-17 09:30") == []  # Sunday
    (friendly,) = office.tick("2026-05-18 09:30")
    assert "Do you have everything you need to pay?" in friendly.text
    assert "In all: EUR 1,000.00." in friendly.text
    assert office.tick("2026-05-18 14:00") == []
    assert office.tick("2026-05-19 09:30") == []

    office.now = moment("2026-05-20 10:00")
    with walls.inside(office.id):
        paid(office, bill, "400.00")

    assert office.tick("2026-05-25 09:30") == []  # the second reminder is due, and Whit Monday is a holiday
    assert office.tick("2026-05-26 08:30") == []  # before nine
    (second,) = office.tick("2026-05-26 09:30")
    assert "EUR 600.00 is left of EUR 1,000.00, EUR 400.00 has been paid or credited" in second.text
    assert "In all: EUR 600.00." in second.text

    answer(office, box, second, "Two of the chairs were broken, we will not pay EUR 150 of it.")
    assert office.tick("2026-05-27 09:30") == []
    with walls.inside(office.id):
        (said,) = Reply.objects.filter(customer=brightwater)
        assert said.text == "Two of the chairs were broken, we will not pay EUR 150 of it."
    assert office.tick("2026-06-10 09:30") == []  # the third step is due; the answer waits for one of ours
    with walls.inside(office.id):
        assert Decision.objects.get(customer=brightwater, day=dt.date(2026, 6, 10)).reason == "reply_open"
        opened = dispute.open(document=bill, amount_minor=15_000, category="quality", said=said.text, actor=ADA, now=office.now)
        assert not isinstance(opened, Refused)
        reply.close(reply=said, actor=ADA, now=office.now, reason="disputed part recorded")
        kept = promise.record(
            customer=brightwater, document=bill, amount_minor=20_000, currency="EUR", promised_date=dt.date(2026, 6, 12), actor=ADA, now=office.now
        )
        assert not isinstance(kept, Refused)
    assert office.tick("2026-06-11 09:30") == []  # promised
    with walls.inside(office.id):
        paid(office, bill, "200.00")
    assert office.tick("2026-06-12 09:30") == []
    with walls.inside(office.id):
        assert Promise.objects.get(pk=kept.pk).state == "kept"
        broken = promise.record(
            customer=brightwater, document=bill, amount_minor=25_000, currency="EUR", promised_date=dt.date(2026, 6, 16), actor=ADA, now=office.now
        )
        assert not isinstance(broken, Refused)
    assert office.tick("2026-06-16 09:30") == []
    assert office.tick("2026-06-18 09:30") == []  # two days of grace

    assert office.tick("2026-06-19 09:30") == []  # broken: the firm step, which a person approves
    with walls.inside(office.id):
        assert Promise.objects.get(pk=broken.pk).state == "broken"
        waiting = Message.objects.get(customer=brightwater, state="draft")
        assert waiting.tone == "firm"
        approve.message(message=waiting, actor=ADA, now=office.now)
    (firm,) = office.tick("2026-06-19 10:30")
    assert "In all: EUR 250.00." in firm.text
    assert "EUR 150.00 is in dispute and not asked for here" in firm.text

    assert Client().post(firm.opt_out_url.partition("8000")[2], {"List-Unsubscribe": "One-Click"}).status_code == 200
    with walls.inside(office.id):
        builders.invoice(brightwater, "80.00", "2026-06-15", number="INV-2077")
    assert office.tick("2026-07-01 09:30") == []
    assert office.tick("2026-08-03 09:30") == []
    with walls.inside(office.id):
        assert list(audit.breaks()) == []
    assert [c.subject for c in reversed(office.letters())] == [friendly.subject, second.subject, firm.subject]
    assert office.letters()[0].message_id == firm.message_id


def test_money_between_planning_and_the_claim_means_no_message(office: Office) -> None:
    with walls.inside(office.id):
        cedar = office.customer("Cedar & Sons", "ap@cedar.example")
        bill = builders.invoice(cedar, "300.00", "2026-05-11")
    office.now = moment("2026-05-18 09:30")
    on_mail.fetch(office.id)
    assert nightly.run(office.id).drafted == 1
    with walls.inside(office.id):
        paid(office, bill, "300.00")
    assert send.run(office.id).sent == 0
    assert office.tick("2026-05-18 10:30") == []
    with walls.inside(office.id):
        assert Message.objects.get().state == "cancelled"


def test_money_of_nobody_knows_whom_holds_until_it_is_applied_elsewhere(office: Office) -> None:
    with walls.inside(office.id):
        cedar = office.customer("Cedar & Sons", "ap@cedar.example")
        other = office.customer("Dune Hotels", "ap@dune.example")
        builders.invoice(cedar, "300.00", "2026-05-11")
        mine = builders.invoice(other, "300.00", "2026-07-30")
        money = builders.payment("300.00", "2026-05-17", text="thank you")
    assert office.tick("2026-05-18 09:30") == []
    with walls.inside(office.id):
        assert "is exactly one of the items" in Message.objects.get().hold_reason
        applied = apply.by_person(payment=money, lines=[(mine.pk, 30_000)], actor=ADA, now=office.now)
        assert not isinstance(applied, Refused)
    assert [c.to_address for c in office.tick("2026-05-18 11:00")] == ["ap@cedar.example"]


def test_the_scheduler_a_thousand_times_in_a_day_sends_one_message(office: Office) -> None:
    with walls.inside(office.id):
        elm = office.customer("Elm Street Bakery", "ap@elm.example")
        builders.invoice(elm, "300.00", "2026-05-11")
    office.tick("2026-05-18 06:00")
    start = office.now
    for n in range(1000):
        office.now = start + dt.timedelta(minutes=n)
        send.run(office.id)
        if n % 50 == 0:
            nightly.run(office.id)
            send.reconcile(office.id)
    assert len(office.letters()) == 1
    with walls.inside(office.id):
        assert Message.objects.count() == 1
        assert Message.objects.get().sent_at == moment("2026-05-18 09:00")


def test_a_held_customer_hears_nothing_however_long_it_lasts(office: Office, box: dict[str, Any]) -> None:
    with walls.inside(office.id):
        fern = office.customer("Fern Textiles", "ap@fern.example")
        builders.invoice(fern, "300.00", "2026-05-11")
    (first,) = office.tick("2026-05-18 09:30")
    answer(office, box, first, "We are looking into it.")
    for day in ("2026-05-19", "2026-05-26", "2026-06-02", "2026-06-12", "2026-07-15"):
        assert office.tick(f"{day} 09:30") == []
