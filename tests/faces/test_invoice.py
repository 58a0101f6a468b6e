"""The invoice page: what settled it and why, each with its undo; what was known when; disputes and corrections."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import NOW
from tests.faces.conftest import BUDGET, queries
from tests.faces.rows import everything
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.stages.base import walls
from tieout.stages.cash import queries as cash
from tieout.stages.dialogue.models import Dispute
from tieout.stages.insight.document import card
from tieout.stages.insight.stood import stood
from tieout.stages.ledger import as_of
from tieout.stages.ledger import correct as corrections
from tieout.stages.ledger.models import Allocation, Correction, Document

TODAY = NOW.date()
ADA = Actor("person", "Ada", 1)
EARLIER = NOW - dt.timedelta(days=20)


@pytest.fixture
def invoice(organisation: uuid.UUID) -> Document:
    """100.00 due a month ago; 40.00 paid on 25 May but learnt of only today, by a machine."""
    with walls.inside(organisation):
        owner = builders.customer()
        row = builders.invoice(owner, "100.00", "2026-05-10", number="INV-1", recorded_at=EARLIER)
        money = builders.payment("40.00", "2026-05-25", owner=owner, payer_name="Brightwater")
        Allocation.objects.create(
            kind="cash",
            payment=money,
            document=row,
            currency="EUR",
            amount_minor=4000,
            date=dt.date(2026, 5, 25),
            recorded_at=NOW,
            rank=1,
            actor_kind="machine",
            actor_name="tieout",
            rule="unique",
            reason="names INV-1 and nothing else fits",
        )
        row.refresh_from_db()
        return row


@pytest.fixture
def act(owner: Any, invoice: Document) -> Callable[..., str]:
    def post(what: str, **fields: Any) -> str:
        answer = owner.post(f"/invoices/{invoice.pk}/{what}/", fields, follow=True)
        assert answer.status_code == 200
        return str(answer.content.decode())

    return post


def test_the_page_says_what_is_open_what_settled_it_and_why(owner: Any, invoice: Document) -> None:
    page = owner.get(f"/invoices/{invoice.pk}/").content.decode()
    for said in ("60.00", "of 100.00", "31 d past due", "names INV-1 and nothing else fits", "tieout (automatic)", "Billing export", "INV-1"):
        assert said in page


@pytest.mark.parametrize(
    ("day", "known", "said"),
    [
        ("2026-05-20", "2026-06-10", "100.00"),
        ("2026-05-25", "2026-06-10", "60.00"),
        ("2026-05-25", "2026-06-01", "100.00"),
        ("2026-06-10", "", "60.00"),
    ],
    ids=["before it was paid", "after it was paid, as known now", "after it was paid, as known before we heard of it", "today"],
)
def test_two_clocks_tell_what_was_open_and_what_was_known(owner: Any, invoice: Document, day: str, known: str, said: str) -> None:
    page = owner.get(f"/invoices/{invoice.pk}/?day={day}&known={known}").content.decode()
    answer = page[page.index('class="answer"') :][:600]
    assert f'<span class="amount">{said}' in answer


@pytest.mark.parametrize(("day", "known"), [("2026-03-01", ""), ("2026-06-10", "2026-01-01")], ids=["not issued yet", "not known yet"])
def test_before_its_time_there_was_no_such_document(owner: Any, invoice: Document, day: str, known: str) -> None:
    assert "there was no such document" in owner.get(f"/invoices/{invoice.pk}/?day={day}&known={known}").content.decode()


def test_the_page_and_the_ledger_agree_on_every_day(inside: uuid.UUID) -> None:
    owner = builders.customer()
    row = builders.invoice(owner, "100.00", "2026-05-10", recorded_at=EARLIER, reported_open_minor=9000)
    money = builders.payment("40.00", "2026-05-25", owner=owner)
    Allocation.objects.create(
        kind="cash",
        payment=money,
        document=row,
        currency="EUR",
        amount_minor=4000,
        date=dt.date(2026, 5, 25),
        recorded_at=NOW,
        rank=1,
        actor_kind="machine",
        actor_name="tieout",
        rule="unique",
        reason="fits",
    )
    corrections.field(
        kind="invoice", target_id=row.pk, field="due_date", value=dt.date(2026, 6, 1), reason="agreed", actor=ADA, now=NOW + dt.timedelta(hours=1)
    )
    read, allocations = card(document_id=row.pk, today=TODAY), cash.allocations(document_id=row.pk)
    assert read is not None
    for day in (dt.date(2026, 4, 1), dt.date(2026, 5, 21), dt.date(2026, 5, 26), TODAY):
        for known_at in (EARLIER, NOW, NOW + dt.timedelta(days=1)):
            ours = stood(card=read, allocations=allocations, day=day, known_at=known_at)
            book = as_of.positions(day=day, known_at=known_at).filter(document_id=f"invoice:{row.pk}").to_dicts()
            theirs = book[0] if book else None
            assert (ours is None) == (theirs is None)
            if ours and theirs:
                assert (ours.open_minor, ours.applied_minor, ours.due_date) == (theirs["open_minor"], theirs["applied_minor"], theirs["due_date"])


def test_an_allocation_is_undone_and_stays_on_record(act: Callable[..., str], organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        key = Allocation.objects.get().pk
    page = act("undo", allocation=key)
    assert "Taken back" in page
    assert "undone on the invoice" in page
    with walls.inside(organisation):
        assert Document.objects.get().open_minor == 10000
        assert Allocation.objects.get().retracted_at == NOW


def test_a_part_is_disputed_settled_and_opened_again(act: Callable[..., str], organisation: uuid.UUID) -> None:
    assert "the rest still is" in act("dispute", amount="30.00", category="quality", said="three were broken")
    with walls.inside(organisation):
        key = Dispute.objects.get().pk
    assert "Not accepted" not in act("dispute/settle", dispute=key, state="upheld", answer="credit note follows")
    assert "Not accepted" in act("dispute/settle", dispute=key, reopen="1")


@pytest.mark.parametrize(
    ("what", "fields", "said"),
    [
        ("dispute", {"amount": "300.00"}, "at most the"),
        ("dispute", {"amount": "lots"}, "not an amount"),
        ("write-off", {"amount": "60.01", "reason": "x"}, "left to write off"),
        ("write-off", {"amount": "1.00", "reason": " "}, "say why"),
        ("correct", {"field": "amount_minor", "value": "39.99"}, "below what is already applied"),
        ("correct", {"field": "due_date", "value": "2026-02-31"}, "not a day"),
        ("correct", {"field": "customer_id", "value": "1"}, "not a field"),
        ("correct", {"field": "status", "value": "paid"}, "the status is one of"),
        ("dispute/settle", {"dispute": "1"}, ""),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    owner: Any, invoice: Document, organisation: uuid.UUID, what: str, fields: dict[str, str], said: str
) -> None:
    answer = owner.post(f"/invoices/{invoice.pk}/{what}/", fields, follow=True)
    if said:
        assert said.lower() in answer.content.decode().lower()
        assert 'class="error"' in answer.content.decode()
    else:
        assert answer.status_code == 404
    with walls.inside(organisation):
        row = Document.objects.get(pk=invoice.pk)
        assert (row.open_minor, row.amount_minor, row.due_date, row.status) == (6000, 10000, dt.date(2026, 5, 10), "open")


def test_only_who_may_write_off_writes_off_and_takes_it_back(sign_in: Callable[..., Any], invoice: Document, organisation: uuid.UUID) -> None:
    where = f"/invoices/{invoice.pk}/"
    assert sign_in("collector").post(f"{where}write-off/", {"amount": "60.00", "reason": "small"}).status_code == 403
    assert b"Written off" in sign_in("owner").post(f"{where}write-off/", {"amount": "60.00", "reason": "small"}, follow=True).content
    with walls.inside(organisation):
        key = Allocation.objects.get(kind="write_off").pk
    assert sign_in("collector").post(f"{where}undo/", {"allocation": key}).status_code == 403
    sign_in("owner").post(f"{where}undo/", {"allocation": key})
    with walls.inside(organisation):
        assert Document.objects.get(pk=invoice.pk).open_minor == 6000


def test_a_correction_is_a_new_version_and_can_be_taken_back(act: Callable[..., str], organisation: uuid.UUID) -> None:
    page = act("correct", field="due_date", value="2026-07-01", reason="agreed by mail")
    assert "1 Jul 2026" in page
    assert "agreed by mail" in page
    with walls.inside(organisation):
        key = Correction.objects.get().pk
    assert "10 May 2026" in act("correct", retract=key)
    with walls.inside(organisation):
        assert Document.objects.get().due_date == dt.date(2026, 5, 10)


def test_a_credit_note_shows_where_it_went(owner: Any, organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        debtor = builders.customer()
        target, credit = builders.invoice(debtor, number="INV-9"), builders.credit_note(debtor, number="CN-9")
        Allocation.objects.create(
            kind="credit",
            credit_note=credit,
            document=target,
            currency="EUR",
            amount_minor=500,
            date=TODAY,
            recorded_at=NOW,
            rank=3,
            actor_kind="person",
            actor_name="Ada",
            rule="by hand",
            reason="as agreed",
        )
    page = owner.get(f"/invoices/{credit.pk}/").content.decode()
    assert "Credit note CN-9" in page
    assert "to invoice INV-9" in page
    assert "15.00" in page


def test_the_page_with_everything_on_it_keeps_to_its_budget(owner: Any, organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        rows = everything("Full")
    with queries() as asked:
        page = owner.get(f"/invoices/{rows['invoice_id']}/").content.decode()
    assert len(asked) <= BUDGET
    assert "Full reminder" in page, "the message that named it"
