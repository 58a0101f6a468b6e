"""Messages leave once, on facts read at the claim, through a real mail server; whatever speaks against one holds it."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor, Refused
from tieout.flow import send
from tieout.rehearsal import catcher
from tieout.rehearsal.free_port import free_port
from tieout.stages.base import audit, walls
from tieout.stages.base.models import Profile
from tieout.stages.cash import apply
from tieout.stages.collect.models import Decision, Release, Task
from tieout.stages.dialogue import contact_point, dispute, hold, promise, reply, say_paid
from tieout.stages.dialogue.models import ContactPoint, Touch
from tieout.stages.ledger.models import Contact, Customer, Document
from tieout.stages.outreach import approve, cancel, claim, draft, edit, opt_out, queries, sending, settle
from tieout.stages.outreach.models import Certificate, Message

ADA = Actor("person", "Ada", 1)
pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A real SMTP server and where it keeps what it caught."""
    place = tmp_path_factory.mktemp("caught")
    with catcher.running(place) as server:
        yield place, server.port


@pytest.fixture
def office(organisation: uuid.UUID, post: tuple[Path, int]) -> uuid.UUID:
    """An organisation that may send."""
    with walls.inside(organisation):
        Profile.objects.update(mode="live")
        assert sending.configure(settings=catcher.settings(*post), actor=ADA, now=NOW) is None
    return organisation


def decision(owner: Customer, *documents: Document, step: str = "friendly", tone: str = "friendly", approval: bool = False) -> Decision:
    return Decision.objects.create(
        customer=owner, day=NOW.date(), step=step, channel="email", tone=tone, outcome="send", document_ids=[d.pk for d in documents],
        approval=approval, policy_version=0, decided_at=NOW,
    )  # fmt: skip


def drafted(owner: Customer, *documents: Document, **how: object) -> Message:
    made = draft.from_decisions(decisions=[decision(owner, *documents, **how)], now=NOW)
    return Message.objects.get(pk=made.created[0])


def again(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def at(moment: dt.datetime = NOW):
    return lambda: moment


def test_a_reminder_leaves_once_with_its_certificate_and_its_trace(office: uuid.UUID, post: tuple[Path, int]) -> None:
    with walls.inside(office):
        brightwater = builders.customer()
        bill = builders.invoice(brightwater, "1234.50")
        Release.objects.create(customer=brightwater, released_at=NOW)
        message = drafted(brightwater, bill)
    assert send.run(office, at()).sent == 1
    assert send.run(office, at()).sent == 0
    with walls.inside(office):
        sent = again(message)
        assert sent.state == "sent"
        proof = Certificate.objects.get(message_id=message.pk)
        assert proof.allowed
        assert {c["code"] for c in proof.checks} >= {"balance", "money", "hours", "budget", "debtor", "text", "sources", "sending"}
        touched = Touch.objects.get(message_id=message.pk)
        assert (touched.direction, touched.step, touched.outcome, touched.local_date) == ("out", "friendly", "sent", NOW.date())
        assert not Release.objects.get(customer=brightwater).soft
        assert list(audit.breaks()) == []
        shown = queries.message(message_id=message.pk)
    caught = catcher.listed(post[0], organisation_id=office)
    assert [c.message_id for c in caught] == [sent.message_id]
    assert "EUR 1,234.50" in caught[0].text
    assert "everything you need to pay" in caught[0].text
    assert caught[0].to_address == "ap@brightwater.example"
    assert caught[0].reply_to == f"ar+{message.token}@marrowlane.example"
    assert caught[0].opt_out_url in caught[0].text
    assert shown is not None
    assert len(shown.certificates) == 1


def test_a_customer_with_several_open_documents_gets_a_statement(office: uuid.UUID, post: tuple[Path, int]) -> None:
    with walls.inside(office):
        harbour = builders.customer("Harbour & Söhne", email="ap@harbour.example", language="de")
        first, second = builders.invoice(harbour, "100.00"), builders.invoice(harbour, "2000.00", currency="USD")
        builders.credit_note(harbour, "20.00")
        drafted(harbour, first, second, tone="neutral")
    assert send.run(office, at()).sent == 1
    caught = catcher.listed(post[0], organisation_id=office)[0]
    assert "Zusammen: 100,00 EUR und 2.000,00 USD." in caught.text
    assert caught.attachments == ("kontoauszug-2026-06-10.pdf",)


def test_drafting_a_thousand_times_makes_one_message(inside: uuid.UUID) -> None:
    owner = builders.customer()
    wanted = decision(owner, builders.invoice(owner))
    first = draft.from_decisions(decisions=[wanted], now=NOW)
    repeated = [draft.from_decisions(decisions=[wanted.pk], now=NOW) for _ in range(50)]
    assert len(first.created) == 1
    assert {r.created for r in repeated} == {()}
    assert {r.existing for r in repeated} == {1}
    assert Message.objects.count() == 1


def test_a_newer_draft_replaces_the_older_but_never_an_edited_one(inside: uuid.UUID) -> None:
    owner = builders.customer()
    one, two, three = (builders.invoice(owner) for _ in range(3))
    older = drafted(owner, one)
    newer = drafted(owner, one, two, step="second")
    assert (again(older).state, again(older).outcome) == ("cancelled", "replaced by a newer draft")
    edited = edit.message(message=newer, subject="Your invoices", body=newer.body, actor=ADA, now=NOW)
    assert not isinstance(edited, Refused)
    made = draft.from_decisions(decisions=[decision(owner, one, two, three, step="third")], now=NOW)
    assert made.created == ()
    assert made.with_a_person == (owner.pk,)


def test_what_a_person_cancelled_is_not_written_again(inside: uuid.UUID) -> None:
    owner = builders.customer()
    bill = builders.invoice(owner)
    wanted = decision(owner, bill)
    message = Message.objects.get(pk=draft.from_decisions(decisions=[wanted], now=NOW).created[0])
    cancel.message(message=message, actor=ADA, now=NOW, reason="they called")
    assert draft.from_decisions(decisions=[wanted], now=NOW).created == ()
    restored = cancel.undo(message=message, actor=ADA, now=NOW)
    assert not isinstance(restored, Refused)
    assert restored.state == "draft"


def test_no_address_no_message(inside: uuid.UUID) -> None:
    nobody = builders.customer("No Mailbox Ltd", email=None)
    two_in_one = builders.customer("Two In One", email="a@x.example, b@y.example")
    made = draft.from_decisions(decisions=[decision(c, builders.invoice(c)) for c in (nobody, two_in_one)], now=NOW)
    assert set(made.without_address) == {nobody.pk, two_in_one.pk}
    assert Message.objects.count() == 0


def _paid_meanwhile(owner: Customer, bill: Document) -> None:
    money = builders.payment("100.00", owner=owner)
    assert not isinstance(apply.by_person(payment=money, lines=[(bill.pk, 10_000)], actor=ADA, now=NOW), Refused)


def _unknown_payer(owner: Customer, bill: Document) -> None:
    builders.payment("100.00", text="thanks")


def _parent_paid(owner: Customer, bill: Document) -> None:
    parent = builders.customer("Brightwater Holding", email=None)
    Customer.objects.filter(pk=owner.pk).update(parent=parent)
    builders.payment("70.00", owner=parent)


def _pending(owner: Customer, bill: Document) -> None:
    builders.payment("100.00", owner=owner, status="pending")


def _credited(owner: Customer, bill: Document) -> None:
    builders.credit_note(owner, "150.00")


def _replied(owner: Customer, bill: Document) -> None:
    reply.receive(envelope=None, parsed=reply.Parsed(sender="ap@brightwater.example", text="One moment"), customer=owner, message=None, now=NOW)


def _somebody_replied_from_the_mailbox(owner: Customer, bill: Document) -> None:
    reply.receive(envelope=None, parsed=reply.Parsed(sender="ap@brightwater.example", text="Which invoice?"), customer=None, message=None, now=NOW)


def _promised(owner: Customer, bill: Document) -> None:
    promise.record(customer=owner, amount_minor=10_000, currency="EUR", promised_date=dt.date(2026, 6, 12), actor=ADA, now=NOW)


def _disputed(owner: Customer, bill: Document) -> None:
    dispute.open(document=bill, said="never delivered", actor=ADA, now=NOW)


def _held(owner: Customer, bill: Document) -> None:
    hold.place(customer=owner, reason="legal", actor=ADA, now=NOW)


def _says_paid(owner: Customer, bill: Document) -> None:
    say_paid.record(customer=owner, document=bill, actor=ADA, now=NOW)


def _opted_out(owner: Customer, bill: Document) -> None:
    point = contact_point.of(channel="email", address="ap@brightwater.example", now=NOW)
    assert isinstance(point, ContactPoint)
    contact_point.opt_out(point=point, how="asked on the telephone", actor=ADA, now=NOW)


def _consumer(owner: Customer, bill: Document) -> None:
    Customer.objects.filter(pk=owner.pk).update(debtor_type="")


def _stale(owner: Customer, bill: Document) -> None:
    connection = builders.connection()
    connection.last_success_at = NOW - dt.timedelta(hours=25)
    connection.save()


def _placeless(owner: Customer, bill: Document) -> None:
    Customer.objects.filter(pk=owner.pk).update(time_zone="", country="")


def _shadow(owner: Customer, bill: Document) -> None:
    Profile.objects.update(mode="shadow")


def _stopped(owner: Customer, bill: Document) -> None:
    Profile.objects.update(stopped_at=NOW)


def _written_to_lately(owner: Customer, bill: Document) -> None:
    other = builders.customer("Same Mailbox, Other Customer")
    earlier = drafted(other, builders.invoice(other))
    Message.objects.filter(pk=earlier.pk).update(state="sent", claimed_at=NOW - dt.timedelta(days=6), sent_at=NOW - dt.timedelta(days=6))


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        pytest.param(_unknown_payer, "exactly one of the items", id="money of an unknown payer that fits"),
        pytest.param(_parent_paid, "is from this customer", id="money of the parent"),
        pytest.param(_pending, "in transit", id="a payment on its way"),
        pytest.param(_credited, "credits of 150.00 EUR cover the 100.00", id="credits that outweigh the demand"),
        pytest.param(_replied, "reply waiting", id="a reply nobody has closed"),
        pytest.param(_somebody_replied_from_the_mailbox, "reply waiting", id="an unsorted reply from the same mailbox"),
        pytest.param(_promised, "promised for 2026-06-12", id="a promise"),
        pytest.param(_disputed, "of which only 0.00 is undisputed", id="a dispute of the whole"),
        pytest.param(_held, "on hold: legal", id="a hold"),
        pytest.param(_says_paid, "in transit", id="they say they paid"),
        pytest.param(_opted_out, "opted out", id="an opt-out"),
        pytest.param(_consumer, "not known to be a business", id="an unknown kind of debtor"),
        pytest.param(_stale, "longer ago than its cadence", id="a stale source"),
        pytest.param(_placeless, "time zone is not known", id="a recipient nobody knows where"),
        pytest.param(_shadow, "shadow mode", id="shadow mode"),
        pytest.param(_stopped, "stopped for the whole organisation", id="the stop switch"),
        pytest.param(_written_to_lately, "had 1 message(s) in 7 days", id="the mailbox was written to for another customer"),
    ],
)
def test_what_happens_between_drafting_and_the_claim_holds(office: uuid.UUID, post: tuple[Path, int], happens, reason: str) -> None:
    with walls.inside(office):
        owner = builders.customer()
        bill = builders.invoice(owner, "100.00")
        message = drafted(owner, bill)
        happens(owner, bill)
    found = send.run(office, at(), customer_ids=[owner.pk])
    assert (found.sent, found.held) == (0, 1)
    with walls.inside(office):
        held = again(message)
        assert held.state == "held"
        assert reason in held.hold_reason
        assert held.hold_release
        assert not Certificate.objects.filter(message_id=message.pk).exists()
    assert [c for c in catcher.listed(post[0], organisation_id=office) if c.message_id == held.message_id] == []


def test_paid_in_full_before_the_claim_ends_the_message(office: uuid.UUID) -> None:
    with walls.inside(office):
        owner = builders.customer()
        bill = builders.invoice(owner, "100.00")
        message = drafted(owner, bill)
        _paid_meanwhile(owner, bill)
    assert send.run(office, at()).ended == 1
    with walls.inside(office):
        assert (again(message).state, again(message).outcome) == ("cancelled", "nothing is left to ask for")


def test_a_part_payment_changes_the_text_to_the_true_remainder(office: uuid.UUID, post: tuple[Path, int]) -> None:
    with walls.inside(office):
        owner = builders.customer()
        bill = builders.invoice(owner, "100.00")
        drafted(owner, bill)
        money = builders.payment("40.00", owner=owner)
        apply.by_person(payment=money, lines=[(bill.pk, 4_000)], actor=ADA, now=NOW)
    assert send.run(office, at()).sent == 1
    text = catcher.listed(post[0], organisation_id=office)[0].text
    assert "EUR 60.00 is left of EUR 100.00" in text
    assert "In all: EUR 60.00." in text


def test_a_disputed_part_is_left_out_and_said(office: uuid.UUID, post: tuple[Path, int]) -> None:
    with walls.inside(office):
        owner = builders.customer()
        bill = builders.invoice(owner, "100.00")
        drafted(owner, bill)
        dispute.open(document=bill, amount_minor=3_000, said="two boxes were missing", actor=ADA, now=NOW)
    assert send.run(office, at()).sent == 1
    text = catcher.listed(post[0], organisation_id=office)[0].text
    assert "In all: EUR 70.00." in text
    assert "EUR 30.00 is in dispute and not asked for here" in text


def test_of_two_invoices_one_paid_the_letter_names_the_other(office: uuid.UUID, post: tuple[Path, int]) -> None:
    with walls.inside(office):
        owner = builders.customer()
        paid, open_ = builders.invoice(owner, "100.00"), builders.invoice(owner, "55.00")
        drafted(owner, paid, open_)
        _paid_meanwhile(owner, paid)
    assert send.run(office, at()).sent == 1
    text = catcher.listed(post[0], organisation_id=office)[0].text
    assert open_.number in text
    assert paid.number not in text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda body: body.replace("EUR 100.00", "EUR 90.00"), "the amount 90.00 in the text is missing", id="another amount typed"),
        pytest.param(lambda body: body.replace("Kind regards", "There is a fee of €12.50.\n\nKind regards"), "the amount 12.50", id="a fee made up"),
        pytest.param(lambda body: body.replace("INV-", "our bill "), "is missing", id="the invoice no longer named"),
    ],
)
def test_an_edited_text_that_is_not_true_is_held(office: uuid.UUID, change, reason: str) -> None:
    with walls.inside(office):
        owner = builders.customer()
        message = drafted(owner, builders.invoice(owner, "100.00"))
        edited = edit.message(message=message, subject=message.subject, body=change(message.body), actor=ADA, now=NOW)
        assert not isinstance(edited, Refused)
        assert edited.state == "draft"
        approve.message(message=edited, actor=ADA, now=NOW)
    assert send.run(office, at()).held == 1
    with walls.inside(office):
        assert reason in again(message).hold_reason


def test_an_edited_text_that_stays_true_leaves_in_the_persons_words(office: uuid.UUID, post: tuple[Path, int]) -> None:
    with walls.inside(office):
        owner = builders.customer()
        bill = builders.invoice(owner, "100.00")
        message = drafted(owner, bill)
        body = message.body.replace("Hello", "Dear friends, it was good to meet you on 10.05.2026, you owe us 100 EUR. Hello")
        edit.message(message=message, subject="A word about your invoice", body=body, actor=ADA, now=NOW)
        assert send.run(office, at()).sent == 0
        approve.message(message=again(message), actor=ADA, now=NOW)
    assert send.run(office, at()).sent == 1
    assert "it was good to meet you" in catcher.listed(post[0], organisation_id=office)[0].text


def test_an_edited_text_whose_figures_changed_is_held_not_rewritten(office: uuid.UUID) -> None:
    with walls.inside(office):
        owner = builders.customer()
        bill = builders.invoice(owner, "100.00")
        message = drafted(owner, bill)
        edit.message(message=message, subject="Please", body=message.body, actor=ADA, now=NOW)
        approve.message(message=again(message), actor=ADA, now=NOW)
        apply.by_person(payment=builders.payment("40.00", owner=owner), lines=[(bill.pk, 4_000)], actor=ADA, now=NOW)
    assert send.run(office, at()).held == 1
    with walls.inside(office):
        assert "60.00 EUR open, the text says 100.00" in again(message).hold_reason


def test_an_edit_keeps_the_link_that_ends_the_mails(inside: uuid.UUID) -> None:
    owner = builders.customer()
    message = drafted(owner, builders.invoice(owner))
    refused = edit.message(message=message, subject="Pay", body="Pay now.", actor=ADA, now=NOW)
    assert isinstance(refused, Refused)
    assert "must stay in the text" in refused.reason


def test_a_draft_waits_for_its_approval(office: uuid.UUID) -> None:
    with walls.inside(office):
        owner = builders.customer()
        message = drafted(owner, builders.invoice(owner), approval=True)
        assert message.state == "draft"
    assert send.run(office, at()).sent == 0
    with walls.inside(office):
        assert isinstance(approve.message(message=message, actor=Actor("machine", "planner"), now=NOW), Refused)
        approve.message(message=message, actor=ADA, now=NOW)
    assert send.run(office, at()).sent == 1
    with walls.inside(office):
        assert isinstance(cancel.message(message=message, actor=ADA, now=NOW), Refused)


def test_a_held_message_leaves_by_itself_once_the_facts_allow(office: uuid.UUID) -> None:
    with walls.inside(office):
        owner = builders.customer()
        message = drafted(owner, builders.invoice(owner))
        placed = hold.place(customer=owner, reason="manual", note="wait", actor=ADA, now=NOW)
    assert send.run(office, at()).held == 1
    assert send.run(office, at()).held == 0  # not asked about again while nothing changed
    with walls.inside(office):
        assert not isinstance(placed, Refused)
        hold.release(hold=placed, reason="settled", actor=ADA, now=NOW)
    assert send.run(office, at()).sent == 1
    with walls.inside(office):
        assert again(message).state == "sent"


def test_outside_contact_hours_it_waits_for_the_window(office: uuid.UUID) -> None:
    evening = dt.datetime(2026, 6, 10, 15, 30, tzinfo=dt.UTC)  # 17:30 in Berlin
    with walls.inside(office):
        owner = builders.customer()
        message = drafted(owner, builders.invoice(owner))
        for one in (builders.connection(), builders.connection("Bank")):
            one.last_success_at = evening
            one.save()
    assert send.run(office, at(evening)).held == 1
    with walls.inside(office):
        assert again(message).not_before == dt.datetime(2026, 6, 11, 7, 0, tzinfo=dt.UTC)
    assert send.run(office, at(dt.datetime(2026, 6, 11, 6, 59, tzinfo=dt.UTC))).sent == 0
    assert send.run(office, at(dt.datetime(2026, 6, 11, 7, 0, tzinfo=dt.UTC))).sent == 1


def test_two_customers_behind_one_mailbox_get_one_message_in_a_batch(office: uuid.UUID) -> None:
    with walls.inside(office):
        for name in ("North Branch", "South Branch"):
            owner = builders.customer(name, email="shared@branches.example")
            drafted(owner, builders.invoice(owner))
    found = send.run(office, at())
    assert (found.sent, found.held) == (1, 1)


def test_two_workers_at_once_send_each_message_once(office: uuid.UUID, post: tuple[Path, int]) -> None:
    with walls.inside(office):
        for n in range(12):
            owner = builders.customer(f"Customer {n}", email=f"ap{n}@many.example")
            drafted(owner, builders.invoice(owner))
    counts: list[int] = []
    workers = [threading.Thread(target=lambda: counts.append(_sent_by_a_worker(office))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    counts.append(send.run(office, at()).sent)
    assert sum(counts) == 12
    caught = catcher.listed(post[0], organisation_id=office)
    assert len(caught) == len({c.message_id for c in caught}) == 12


class _GoesAway:
    """A mail server that takes a few letters and then is shutting down."""

    def __init__(self, takes: int) -> None:
        self.taken, self.takes = 0, takes

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        if self.taken == self.takes:
            return "421 shutting down"
        self.taken += 1
        return "250 taken"


def test_a_server_that_goes_away_leaves_the_rest_planned_and_nothing_in_doubt(office: uuid.UUID) -> None:
    handler = _GoesAway(4)
    server = Controller(handler, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=True)
    server.start()
    try:
        with walls.inside(office):
            assert sending.configure(settings={"host": "127.0.0.1", "port": server.port, "security": "none"}, actor=ADA, now=NOW) is None
            for n in range(20):
                owner = builders.customer(f"Customer {n}", email=f"ap{n}@many.example")
                drafted(owner, builders.invoice(owner))
        found = send.run(office, at(), limit=3)
        assert "shutting down" in found.stopped
        with walls.inside(office):
            states = Counter(Message.objects.values_list("state", flat=True))
        assert states == {"sent": 4, "planned": 16}
        assert found.sent == handler.taken == 4
        handler.takes = 20
        assert send.run(office, at(NOW + dt.timedelta(minutes=3)), limit=3).sent == 16
    finally:
        server.stop()
    with walls.inside(office):
        assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
        assert Touch.objects.filter(direction="out").count() == 20


def _sent_by_a_worker(office: uuid.UUID) -> int:
    from django.db import connections

    try:
        return send.run(office, at(), limit=3).sent
    finally:
        connections.close_all()


def test_the_opt_out_link_ends_it_for_every_customer_of_the_mailbox(office: uuid.UUID) -> None:
    with walls.inside(office):
        north = builders.customer("North Branch", email="shared@branches.example")
        message = drafted(north, builders.invoice(north))
        looked = opt_out.look(token=message.token)
        assert looked is not None
        assert (looked.mailbox, looked.done) == ("sh…@branches.example", False)
        assert opt_out.look(token="0" * 32) is None
        for _ in range(2):
            done = opt_out.by_token(token=message.token, how="the link", now=NOW)
            assert done is not None
            assert done.done
        assert ContactPoint.objects.get(address="shared@branches.example").opted_out_how == "the link"
        # A corrected contact or a re-import makes no difference: the mailbox asked.
        Contact.objects.filter(customer=north).update(retracted_at=NOW)
        Contact.objects.create(customer=north, email="Shared@Branches.example", roles=["chase"], recorded_at=NOW)
    assert send.run(office, at()).sent == 0


def test_without_a_mail_server_messages_are_held_with_that_reason(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        Profile.objects.update(mode="live")
        owner = builders.customer()
        message = drafted(owner, builders.invoice(owner))
    send.run(organisation, at())
    with walls.inside(organisation):
        assert "no mail server is set" in again(message).hold_reason


def test_an_unknown_outcome_becomes_a_task_and_is_settled_by_a_person(office: uuid.UUID) -> None:
    with walls.inside(office):
        owner = builders.customer()
        message = drafted(owner, builders.invoice(owner))
        (claimed,) = claim.batch(now=NOW).claimed
        settle.batch(outcomes=[settle.Settled(id=claimed.id, claim=claimed.claim, outcome="unknown", said="no answer")], now=NOW)
        assert again(message).state == "unknown"
        assert Task.objects.get(customer=owner).kind == "unknown"
        assert Touch.objects.get(message_id=message.pk).outcome == "unknown"
    assert send.run(office, at()).sent == 0
    with walls.inside(office):
        known = settle.by_person(message=message, was_sent=True, actor=ADA, now=NOW, note="they have it")
        assert not isinstance(known, Refused)
        assert known.state == "sent"
        assert Touch.objects.get(message_id=message.pk).outcome == "sent"
        assert Task.objects.get(customer=owner).state == "dropped"


def test_only_the_holder_of_a_claim_settles_it(office: uuid.UUID) -> None:
    with walls.inside(office):
        owner = builders.customer()
        message = drafted(owner, builders.invoice(owner))
        (claimed,) = claim.batch(now=NOW).claimed
        stranger = settle.Settled(id=claimed.id, claim=claimed.claim + 1, outcome="back")
        assert settle.batch(outcomes=[stranger], now=NOW) == 0
        assert again(message).state == "sending"
