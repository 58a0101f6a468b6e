"""What was said and agreed: holds, disputes, promises, replies, contact points; each act leaves its trace and its way back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tests.stages.builders import day
from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit
from tieout.stages.base.models import AuditEntry, Change
from tieout.stages.dialogue import contact_point, dispute, hold, note, promise, queries, reply, say_paid, touch
from tieout.stages.dialogue.models import ContactPoint, Dispute, Hold, Promise, Reply
from tieout.stages.intake.models import Envelope
from tieout.stages.ledger.models import Allocation, Contact, Customer, Document, Payment

pytestmark = pytest.mark.usefixtures("inside")

ADA = Actor("person", "Ada", 1)
MACHINE = Actor("machine", "planner")


def later(days: int) -> dt.datetime:
    return NOW + dt.timedelta(days=days)


def pay(invoice: Document, minor: int, date: str, *, known: dt.datetime) -> Allocation:
    """Money that came on `date` and was applied to the invoice when we learnt of it."""
    receipt = builders.payment(f"{minor // 100}.{minor % 100:02d}", date, owner=invoice.customer, created_at=known, recorded_at=known)
    return settle(receipt, invoice, minor, known)


def settle(receipt: Payment, invoice: Document, minor: int, known: dt.datetime) -> Allocation:
    row: Allocation = Allocation.objects.create(
        kind="cash", payment=receipt, document=invoice, currency="EUR", amount_minor=minor, date=receipt.date, recorded_at=known, rank=3,
        actor_kind="person", actor_name="Ada", rule="by hand")
    return row


def told(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action))


# Holds


def test_a_hold_is_placed_once_however_often_the_button_is_clicked() -> None:
    customer = builders.customer()
    first = hold.place(customer=customer, reason="manual", note="Owner called", actor=ADA, now=NOW)
    second = hold.place(customer=customer, reason="manual", note="Owner called", actor=ADA, now=later(0))
    assert isinstance(first, Hold)
    assert isinstance(second, Hold)
    assert first.pk == second.pk
    assert (first.from_date, first.rank, first.placed_by_id) == (day("2026-06-10"), 3, 1)
    assert len(told("hold.place")) == 1


@pytest.mark.parametrize("reason", list(Hold.Reason.values))
def test_every_reason_holds_and_shows(reason: str) -> None:
    customer = builders.customer()
    assert isinstance(hold.place(customer=customer, reason=reason, actor=ADA, now=NOW), Hold)
    assert [h.reason for h in queries.live_holds([customer.pk])] == [reason]


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        pytest.param({"reason": "mood"}, "not a reason", id="a reason nobody knows"),
        pytest.param({"until": day("2026-06-10")}, "ended already", id="an end that is today"),
        pytest.param({"amount_minor": 100}, "only of one document", id="an amount of nothing in particular"),
        pytest.param({"document": True, "amount_minor": 10001}, "at most 100.00 EUR", id="more than the document"),
        pytest.param({"document": True, "amount_minor": 0}, "more than nothing", id="an amount of zero"),
    ],
)
def test_a_hold_is_refused(terms: dict[str, Any], why: str) -> None:
    customer = builders.customer()
    if terms.get("document"):
        terms = {**terms, "document": builders.invoice(customer)}
    answer = hold.place(**{"customer": customer, "reason": "manual", "actor": ADA, "now": NOW, **terms})
    assert isinstance(answer, Refused)
    assert why in answer.reason
    assert not Hold.objects.filter(customer=customer).exists()


def test_a_hold_on_another_customers_invoice_is_refused() -> None:
    theirs = builders.invoice(builders.customer("Fenwick"))
    assert isinstance(hold.place(customer=builders.customer(), reason="manual", document=theirs, actor=ADA, now=NOW), Refused)


def test_a_released_hold_keeps_its_history_and_releasing_twice_changes_nothing() -> None:
    placed = hold.place(customer=builders.customer(), reason="legal", actor=ADA, now=NOW)
    assert isinstance(placed, Hold)
    hold.release(hold=placed, reason="court decided", actor=ADA, now=later(3))
    hold.release(hold=placed, reason="again", actor=ADA, now=later(4))
    row = placed.lock()
    assert (row.released_at, row.released_by, row.released_reason) == (later(3), "Ada", "court decided")
    assert queries.live_holds([placed.customer_id]) == []
    assert len(told("hold.release")) == 1


def test_a_machine_does_not_release_what_a_person_holds() -> None:
    placed = hold.place(customer=builders.customer(), reason="manual", actor=ADA, now=NOW)
    assert isinstance(placed, Hold)
    answer = hold.release(hold=placed, reason="tidy", actor=MACHINE, now=NOW)
    assert isinstance(answer, Refused)
    assert "Ada placed" in answer.reason
    assert placed.lock().released_at is None


def test_they_say_they_paid_holds_at_once_and_for_ten_days() -> None:
    customer = builders.customer()
    placed = say_paid.record(customer=customer, note="wired on Monday", actor=ADA, now=NOW)
    assert isinstance(placed, Hold)
    assert (placed.reason, placed.until_date) == ("in_transit", day("2026-06-20"))
    assert queries.live_holds([customer.pk], day("2026-06-19"))
    assert not queries.live_holds([customer.pk], day("2026-06-20"))


# Disputes


def test_a_dispute_of_a_part_holds_that_part_only() -> None:
    invoice = builders.invoice(builders.customer(), "100.00")
    opened = dispute.open(document=invoice, amount_minor=3000, category="price", said="three hours too many", actor=ADA, now=NOW)
    assert isinstance(opened, Dispute)
    [held] = queries.live_holds([invoice.customer_id])
    assert (held.reason, held.document_id, held.amount_minor, held.currency, held.until_date) == ("dispute", invoice.pk, 3000, "EUR", None)


def test_disputes_of_one_invoice_never_exceed_it() -> None:
    invoice = builders.invoice(builders.customer(), "100.00")
    dispute.open(document=invoice, amount_minor=6000, actor=ADA, now=NOW)
    answer = dispute.open(document=invoice, amount_minor=4001, actor=ADA, now=NOW)
    assert isinstance(answer, Refused)
    assert "40.00 EUR" in answer.reason
    rest = dispute.open(document=invoice, actor=ADA, now=NOW)
    assert isinstance(rest, Dispute)
    assert rest.amount_minor == 4000


def test_a_settled_dispute_releases_its_hold_and_can_be_taken_back() -> None:
    invoice = builders.invoice(builders.customer())
    opened = dispute.open(document=invoice, amount_minor=5000, actor=ADA, now=NOW)
    assert isinstance(opened, Dispute)
    assert opened.hold is not None
    refused = hold.release(hold=opened.hold, reason="shortcut", actor=ADA, now=NOW)
    assert isinstance(refused, Refused)
    assert "settle the dispute" in refused.reason
    dispute.settle(dispute=opened, state="rejected", answer="the hours were agreed", actor=ADA, now=later(2))
    assert queries.live_holds([invoice.customer_id]) == []
    assert isinstance(dispute.settle(dispute=opened, state="upheld", actor=ADA, now=later(2)), Refused)
    dispute.reopen(dispute=opened, reason="they sent the order", actor=ADA, now=later(3))
    assert [h.amount_minor for h in queries.live_holds([invoice.customer_id])] == [5000]
    assert Hold.objects.filter(document=invoice).count() == 2
    assert [len(told(f"dispute.{a}")) for a in ("open", "settle", "reopen")] == [1, 1, 1]


# Promises


def promised(customer: Customer, minor: int, on: str, **terms: Any) -> Promise:
    row = promise.record(**{
        "customer": customer, "amount_minor": minor, "currency": "EUR", "promised_date": day(on), "how": "by telephone",
        "actor": ADA, "now": NOW, **terms})
    assert isinstance(row, Promise)
    return row


def test_a_promise_holds_through_its_day_and_two_days_of_grace() -> None:
    customer = builders.customer()
    promised(customer, 10000, "2026-06-15")
    [held] = queries.live_holds([customer.pk], day("2026-06-17"))
    assert (held.reason, held.promised_date, held.until_date) == ("promise", day("2026-06-15"), day("2026-06-18"))
    assert not queries.live_holds([customer.pk], day("2026-06-18"))


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        pytest.param({"promised_date": day("2026-06-09")}, "has passed", id="a day that has passed"),
        pytest.param({"amount_minor": 0}, "above nothing", id="nothing"),
        pytest.param({"currency": "EUX"}, "not a currency", id="a currency nobody knows"),
    ],
)
def test_a_promise_is_refused(terms: dict[str, Any], why: str) -> None:
    answer = promise.record(**{
        "customer": builders.customer(), "amount_minor": 100, "currency": "EUR", "promised_date": day("2026-06-15"),
        "actor": ADA, "now": NOW, **terms})
    assert isinstance(answer, Refused)
    assert why in answer.reason


def test_a_promise_is_kept_when_the_money_comes_in_time() -> None:
    invoice = builders.invoice(builders.customer())
    given = promised(invoice.customer, 10000, "2026-06-15", document=invoice)
    assert promise.settle_due(now=later(1)) == promise.Settled()
    pay(invoice, 10000, "2026-06-16", known=later(7))
    assert promise.settle_due(now=later(8)) == promise.Settled(kept=(given.pk,))
    assert promise.settle_due(now=later(8)) == promise.Settled()
    assert queries.live_holds([invoice.customer_id]) == []
    assert len(told("promise.kept")) == 1


def test_a_promise_is_broken_on_the_third_day_after_it() -> None:
    invoice = builders.invoice(builders.customer())
    given = promised(invoice.customer, 10000, "2026-06-15", document=invoice)
    pay(invoice, 4000, "2026-06-14", known=later(5))
    assert promise.settle_due(now=later(7)) == promise.Settled()
    assert promise.settle_due(now=later(8)) == promise.Settled(broken=(given.pk,))
    assert queries.live_holds([invoice.customer_id]) == []


def test_a_late_bank_file_turns_a_broken_promise_into_a_kept_one() -> None:
    invoice = builders.invoice(builders.customer())
    given = promised(invoice.customer, 10000, "2026-06-15", document=invoice)
    promise.settle_due(now=later(8))
    pay(invoice, 10000, "2026-06-15", known=later(10))
    assert promise.settle_due(now=later(10)) == promise.Settled(kept=(given.pk,))


def test_money_that_comes_back_reopens_the_promise_and_its_hold() -> None:
    invoice = builders.invoice(builders.customer())
    given = promised(invoice.customer, 10000, "2026-06-15", document=invoice)
    applied = pay(invoice, 10000, "2026-06-11", known=later(1))
    assert promise.settle_due(now=later(1)).kept == (given.pk,)
    Allocation.objects.filter(pk=applied.pk).update(retracted_at=later(2))
    assert promise.settle_due(now=later(2)) == promise.Settled(reopened=(given.pk,))
    assert [h.reason for h in queries.live_holds([invoice.customer_id])] == ["promise"]


def test_a_promise_for_the_account_is_kept_by_receipts_even_before_they_are_applied() -> None:
    customer = builders.customer()
    builders.invoice(customer)
    given = promised(customer, 10000, "2026-06-15")
    builders.payment("100.00", "2026-06-12", owner=customer, created_at=later(2), recorded_at=later(2))
    assert promise.settle_due(now=later(2)).kept == (given.pk,)


def test_one_receipt_does_not_keep_two_promises() -> None:
    customer = builders.customer()
    builders.invoice(customer, "300.00")
    first, second = promised(customer, 10000, "2026-06-15"), promised(customer, 10000, "2026-06-16")
    builders.payment("100.00", "2026-06-12", owner=customer, created_at=later(2), recorded_at=later(2))
    assert promise.settle_due(now=later(2)).kept == (first.pk,)
    assert promise.settle_due(now=later(9)).broken == (second.pk,)


def test_money_from_before_the_promise_does_not_keep_it() -> None:
    customer = builders.customer()
    builders.invoice(customer)
    builders.payment("100.00", "2026-06-01", owner=customer, created_at=later(-1), recorded_at=later(-1))
    given = promised(customer, 10000, "2026-06-15")
    assert promise.settle_due(now=later(8)).broken == (given.pk,)


def test_a_withdrawn_promise_holds_no_longer_and_is_never_judged() -> None:
    customer = builders.customer()
    builders.invoice(customer)
    given = promised(customer, 10000, "2026-06-15")
    promise.withdraw(promise=given, reason="misheard", actor=ADA, now=NOW)
    assert queries.live_holds([customer.pk]) == []
    assert promise.settle_due(now=later(9)) == promise.Settled()
    assert given.lock().state == "withdrawn"


def test_a_broken_promise_stays_on_the_record() -> None:
    customer = builders.customer()
    builders.invoice(customer)
    given = promised(customer, 10000, "2026-06-15")
    promise.settle_due(now=later(9))
    assert isinstance(promise.withdraw(promise=given, reason="please", actor=ADA, now=later(9)), Refused)


# Replies


def received(customer: Customer | None, **fields: Any) -> Reply:
    parsed = reply.Parsed(**{"sender": "ap@brightwater.example", "subject": "Re: your invoice", "text": "We will look into it.", **fields})
    return reply.receive(envelope=None, parsed=parsed, customer=customer, now=NOW)


def test_a_human_reply_holds_its_customer_until_it_is_closed() -> None:
    customer = builders.customer()
    answer = received(customer)
    assert [h.reason for h in queries.live_holds([customer.pk])] == ["reply_open"]
    assert answer.contact_point is not None
    reply.close(reply=answer, actor=ADA, now=later(1))
    reply.close(reply=answer, actor=ADA, now=later(2))
    assert queries.live_holds([customer.pk]) == []
    assert answer.lock().closed_at == later(1)
    reply.reopen(reply=answer, actor=ADA, now=later(3))
    assert [h.reason for h in queries.live_holds([customer.pk])] == ["reply_open"]


def test_an_automatic_answer_is_noted_and_holds_nobody() -> None:
    customer = builders.customer()
    assert received(customer, automatic=True).state == "automatic"
    assert queries.live_holds([customer.pk]) == []


def test_the_same_envelope_twice_is_one_reply() -> None:
    customer = builders.customer()
    envelope = Envelope.objects.create(
        connection=builders.connection("Mail"), external_id="m1", name="m1.eml", size=1, sha256="0" * 64, received_at=NOW)
    parsed = reply.Parsed(sender="ap@brightwater.example")
    twice = [reply.receive(envelope=envelope, parsed=parsed, customer=customer, now=NOW).pk for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(queries.live_holds([customer.pk])) == 1


def test_a_reply_nobody_can_place_waits_and_holds_once_it_is_assigned() -> None:
    customer, other = builders.customer(), builders.customer("Fenwick")
    answer = received(None, sender="jo@elsewhere.example")
    assert answer.hold is None
    reply.assign(reply=answer, customer=other, actor=ADA, now=NOW)
    reply.assign(reply=answer.lock(), customer=customer, actor=ADA, now=NOW)
    assert [h.customer_id for h in queries.live_holds()] == [customer.pk]


# Contact points


def test_addresses_are_one_point_however_they_are_written() -> None:
    found = [contact_point.of(channel="email", address=a, now=NOW) for a in ("AP@Brightwater.example", " ap@brightwater.EXAMPLE ")]
    phones = [contact_point.of(channel="phone", address=a, country="DE", now=NOW) for a in ("030 1234567", "+49 30 123 4567")]
    assert len({p.pk for p in found if isinstance(p, ContactPoint)}) == 1
    assert [p.address for p in phones if isinstance(p, ContactPoint)] == ["+49301234567", "+49301234567"]


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        pytest.param("email", "a@b.example, c@d.example", id="two addresses"),
        pytest.param("email", "nobody", id="no address"),
        pytest.param("phone", "1234", id="a national number without its country"),
        pytest.param("pigeon", "x", id="a channel we have not"),
    ],
)
def test_what_is_no_address_is_refused(channel: str, address: str) -> None:
    assert isinstance(contact_point.of(channel=channel, address=address, now=NOW), Refused)


def test_an_opt_out_outlives_the_contact_being_imported_again() -> None:
    customer = builders.customer()
    assert contact_point.sync(customer_ids=[customer.pk], now=NOW).new == 1
    [row] = ContactPoint.objects.all()
    contact_point.opt_out(point=row, how="link in the letter", actor=Actor("person", "the recipient"), now=NOW)
    Contact.objects.filter(customer=customer).update(retracted_at=later(1))
    Contact.objects.create(customer=customer, email="AP@brightwater.example ", roles=["chase"], recorded_at=later(1))
    assert contact_point.sync(customer_ids=None, now=later(1)).new == 0
    [known] = queries.points("email", ["ap@brightwater.example"])
    assert (known.opted_out_at, known.opted_out_how) == (NOW, "link in the letter")
    assert Change.objects.filter(kind="contact_point", customer_ids=[customer.pk]).exists()


def test_sync_names_the_contacts_whose_address_cannot_be_used() -> None:
    customer = builders.customer(email="one@x.example; two@x.example")
    found = contact_point.sync(customer_ids=[customer.pk], now=NOW)
    assert found.new == 0
    assert "more than one" in found.unusable[0][1]


def test_one_hard_or_three_soft_bounces_mark_the_point_and_only_a_person_restores_it() -> None:
    hard, soft = (contact_point.of(channel="email", address=f"{a}@x.example", now=NOW) for a in "ab")
    assert isinstance(hard, ContactPoint)
    assert isinstance(soft, ContactPoint)
    assert contact_point.bounce(point=hard, how="550 no such user", hard=True, now=NOW).bounced_at == NOW
    assert [contact_point.bounce(point=soft, how="452 full", hard=False, now=NOW).bounced_at for _ in range(3)] == [None, None, NOW]
    contact_point.opt_out(point=hard, how="asked", actor=ADA, now=NOW)
    assert isinstance(contact_point.restore(point=hard, reason="retry", actor=MACHINE, now=NOW), Refused)
    mended = contact_point.restore(point=hard, reason="they fixed it", actor=ADA, now=later(1))
    assert isinstance(mended, ContactPoint)
    assert (mended.bounced_at, mended.opted_out_at) == (None, NOW)
    assert told("contact_point.restore_bounce")[0].detail["before"]["bounced_how"] == "550 no such user"


# Touches, notes, the timeline


def test_touches_count_in_the_recipients_day() -> None:
    auckland = builders.customer("Kiwi Freight", time_zone="Pacific/Auckland")
    point = contact_point.of(channel="email", address="ap@kiwi.example", now=NOW)
    assert isinstance(point, ContactPoint)
    late = dt.datetime(2026, 6, 10, 13, 0, tzinfo=dt.UTC)
    logged = touch.record(customer=auckland, channel="email", contact_point=point, step="friendly", outcome="sent", actor=MACHINE, now=late)
    assert logged.local_date == day("2026-06-11")
    assert [t.step for t in queries.touches_of_points([point.pk], day("2026-06-11"))] == ["friendly"]
    assert queries.touches_of_points([point.pk], day("2026-06-12")) == []


def test_a_note_is_taken_back_and_stays_on_record() -> None:
    customer = builders.customer()
    written = note.write(customer=customer, text=" Pays on Fridays ", actor=ADA, now=NOW)
    assert not isinstance(written, Refused)
    assert [n.text for n in queries.notes(customer.pk)] == ["Pays on Fridays"]
    note.retract(note=written, actor=ADA, now=later(1))
    assert queries.notes(customer.pk) == []
    assert isinstance(note.write(customer=customer, text="  ", actor=ADA, now=NOW), Refused)
    assert [len(told(a)) for a in ("note.write", "note.retract")] == [1, 1]


def test_the_timeline_tells_the_story_newest_first() -> None:
    customer = builders.customer()
    invoice = builders.invoice(customer, number="INV-7")
    dispute.open(document=invoice, amount_minor=100, category="price", said="too much", actor=ADA, now=later(1))
    promised(customer, 9900, "2026-06-20", now=later(2))
    received(customer, received_at=later(3))
    told_story = [(e.kind, e.word) for e in queries.timeline(customer.pk)]
    assert told_story[0][0] == "reply"
    assert told_story[-1] == ("invoice", "INV-7")
    assert {k for k, _ in told_story} == {"invoice", "dispute", "hold", "promise", "reply"}
    assert [e.document_number for e in queries.timeline(customer.pk) if e.kind == "dispute"] == ["INV-7"]


def test_everything_said_stands_in_an_unbroken_trail() -> None:
    customer = builders.customer()
    invoice = builders.invoice(customer)
    dispute.open(document=invoice, amount_minor=100, said="no", actor=ADA, now=NOW)
    received(customer)
    promised(customer, 100, "2026-06-20")
    assert list(audit.breaks()) == []
    assert Change.objects.filter(cause__in=["dispute.open", "reply.receive", "promise.record"]).count() == 3
