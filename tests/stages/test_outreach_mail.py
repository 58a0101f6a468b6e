"""What comes back: bounces, answers of people and machines, wishes to stop; each kept first and acted on once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor, Refused
from tieout.flow import clock, on_mail, send
from tieout.rehearsal import catcher
from tieout.stages.base import walls
from tieout.stages.base.models import Profile
from tieout.stages.collect.models import Decision, Task
from tieout.stages.dialogue import reply
from tieout.stages.dialogue.models import ContactPoint, Hold, Reply, Touch
from tieout.stages.intake.models import Connection, Envelope
from tieout.stages.ledger.models import Customer
from tieout.stages.outreach import draft, mailbox, sending
from tieout.stages.outreach.models import Message

ADA = Actor("person", "Ada", 1)
LATER = NOW + dt.timedelta(hours=1)
pytestmark = pytest.mark.database


class Office(msgspec.Struct):
    """An organisation that sends into the catcher and reads a mailbox on this machine."""

    id: uuid.UUID
    caught: Path
    box: Path

    def last(self) -> catcher.Caught:
        return catcher.listed(self.caught, organisation_id=self.id)[0]

    def write(self, owner: Customer) -> Message:
        bill = builders.invoice(owner, "100.00")
        wanted = Decision.objects.create(
            customer=owner, day=NOW.date(), step="friendly", channel="email", tone="friendly", outcome="send", document_ids=[bill.pk],
            policy_version=0, decided_at=NOW,
        )  # fmt: skip
        return Message.objects.get(pk=draft.from_decisions(decisions=[wanted], now=NOW).created[0])


@pytest.fixture
def office(organisation: uuid.UUID, tmp_path: Path) -> Iterator[Office]:
    found = Office(organisation, tmp_path / "caught", tmp_path / "box")
    clock.inject(lambda: NOW)
    with catcher.running(found.caught) as server, walls.inside(organisation):
        Profile.objects.update(mode="live")
        assert sending.configure(settings=catcher.settings(found.caught, server.port), actor=ADA, now=NOW) is None
        assert mailbox.configure(settings=catcher.mailbox(found.box), actor=ADA, now=NOW) is None
    with catcher.running(found.caught) as server:
        with walls.inside(organisation):
            sending.configure(settings=catcher.settings(found.caught, server.port), actor=ADA, now=NOW)
        on_mail.fetch(organisation)
        yield found
    clock.inject(None)


@pytest.fixture
def sent(office: Office) -> Message:
    """A reminder to Brightwater that has left."""
    with walls.inside(office.id):
        message = office.write(builders.customer())
    assert send.run(office.id).sent == 1
    return message


def test_an_answer_holds_the_customer_until_it_is_closed(office: Office, sent: Message) -> None:
    catcher.answer(caught=office.last(), mailbox_place=office.box, text="Which order is this for?", now=LATER)
    assert on_mail.fetch(office.id).taken == 1
    with walls.inside(office.id):
        (got,) = Reply.objects.all()
        assert (got.customer_id, got.message_id, got.state) == (sent.customer_id, sent.pk, "open")
        assert got.text == "Which order is this for?"
        assert got.sender == "ap@brightwater.example"
        assert Hold.objects.get(customer_id=sent.customer_id).reason == "reply_open"
        assert Envelope.objects.get().state == "applied"
        reply.close(reply=got, actor=ADA, now=LATER)
        assert Hold.objects.get(customer_id=sent.customer_id).released_at == LATER


def test_the_same_mail_again_changes_nothing(office: Office, sent: Message) -> None:
    path = catcher.answer(caught=office.last(), mailbox_place=office.box, text="One moment please", now=LATER)
    on_mail.fetch(office.id)
    with walls.inside(office.id):  # the server renumbers its mails: the cursor means nothing any more
        connection = Connection.objects.get(kind="mailbox")
        connection.settings = {k: v for k, v in connection.settings.items() if k != "cursor"}
        connection.save()
    found = on_mail.fetch(office.id)
    assert (found.taken, found.again) == (0, 1)
    catcher.deliver(office.box, b"Received: by another way\r\n" + path.read_bytes(), now=LATER)  # and a copy by another way
    assert on_mail.fetch(office.id).taken == 1
    with walls.inside(office.id):
        assert Reply.objects.count() == 1
        assert sorted(Envelope.objects.values_list("state", flat=True)) == ["applied", "ignored"]


def test_a_worker_that_died_after_keeping_a_mail_loses_nothing(office: Office, sent: Message) -> None:
    from tieout.adapters.ports import registry

    catcher.answer(caught=office.last(), mailbox_place=office.box, text="We will pay", now=LATER)
    with walls.inside(office.id):
        box = Connection.objects.get(kind="mailbox")
        settings = mailbox.stored(connection=box)
    (arrived,) = registry.doors()["mailbox"].fetch(settings, {})
    on_mail.keep(office.id, box.pk, arrived)  # and here it dies
    with walls.inside(office.id):
        assert Envelope.objects.get().state == "received"
    on_mail.fetch(office.id)
    with walls.inside(office.id):
        assert Reply.objects.count() == 1


def test_a_bounce_marks_the_mailbox_and_does_not_advance_the_ladder(office: Office, sent: Message) -> None:
    catcher.bounce(caught=office.last(), mailbox_place=office.box, now=LATER)
    on_mail.fetch(office.id)
    with walls.inside(office.id):
        assert Message.objects.get(pk=sent.pk).state == "bounced"
        assert ContactPoint.objects.get(pk=sent.contact_point_id).bounced_at is not None
        assert Touch.objects.get(message_id=sent.pk).outcome == "bounced"
        assert Task.objects.get(customer_id=sent.customer_id).kind == "address"
        assert not Hold.objects.exists()
        assert not Reply.objects.exists()


def test_a_temporary_bounce_only_counts(office: Office, sent: Message) -> None:
    catcher.bounce(caught=office.last(), mailbox_place=office.box, now=LATER, status="4.2.2", said="mailbox full")
    on_mail.fetch(office.id)
    with walls.inside(office.id):
        assert Message.objects.get(pk=sent.pk).state == "sent"
        point = ContactPoint.objects.get(pk=sent.contact_point_id)
        assert (point.soft_bounces, point.bounced_at) == (1, None)


def test_a_bounce_of_something_else_counts_against_the_mailbox_it_names(office: Office, sent: Message) -> None:
    stray = msgspec.structs.replace(office.last(), message_id="<other@x.example>", reply_to="ar@marrowlane.example")
    catcher.bounce(caught=stray, mailbox_place=office.box, now=LATER)
    stranger = msgspec.structs.replace(stray, to_address="nobody@nowhere.example")
    catcher.bounce(caught=stranger, mailbox_place=office.box, now=LATER)
    on_mail.fetch(office.id)
    with walls.inside(office.id):
        assert ContactPoint.objects.get(pk=sent.contact_point_id).bounced_at is not None
        assert sorted(Envelope.objects.values_list("state", flat=True)) == ["applied", "ignored"]


def test_an_absence_notice_is_noted_and_holds_nothing(office: Office, sent: Message) -> None:
    subject = "Automatic reply: Invoice"
    catcher.answer(caught=office.last(), mailbox_place=office.box, text="I am away until Monday.", now=LATER, subject=subject)
    on_mail.fetch(office.id)
    with walls.inside(office.id):
        assert Reply.objects.get().state == "automatic"
        assert not Hold.objects.exists()


@pytest.mark.parametrize("text", ["unsubscribe", "Bitte abmelden."])
def test_a_plain_wish_to_stop_is_granted_at_once(office: Office, sent: Message, text: str) -> None:
    catcher.answer(caught=office.last(), mailbox_place=office.box, text=text, now=LATER)
    on_mail.fetch(office.id)
    with walls.inside(office.id):
        point = ContactPoint.objects.get(pk=sent.contact_point_id)
        assert point.opted_out_at is not None
        assert text in point.opted_out_how


def _mail(sender: str, to: str = "ar@marrowlane.example", **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = sender, to, "About our invoices", f"<{uuid.uuid4()}@x>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Please call us.")
    return mail.as_bytes()


def test_a_mail_is_matched_by_token_by_reference_and_by_sender_in_that_order(office: Office, sent: Message) -> None:
    caught = office.last()
    catcher.deliver(office.box, _mail("boss@elsewhere.example", caught.reply_to), now=LATER)
    catcher.deliver(office.box, _mail("clerk@elsewhere.example", In_Reply_To=caught.message_id), now=LATER)
    catcher.deliver(office.box, _mail("AP@Brightwater.example"), now=LATER)
    catcher.deliver(office.box, _mail("stranger@nowhere.example"), now=LATER)
    on_mail.fetch(office.id)
    with walls.inside(office.id):
        got = {r.sender.lower(): r.customer_id for r in Reply.objects.all()}
        assert got == {
            "boss@elsewhere.example": sent.customer_id, "clerk@elsewhere.example": sent.customer_id, "ap@brightwater.example": sent.customer_id,
            "stranger@nowhere.example": None,
        }  # fmt: skip


def test_a_shared_mailbox_that_writes_by_itself_holds_everybody_behind_it(office: Office) -> None:
    with walls.inside(office.id):
        branches = [builders.customer(name, email="shared@branches.example") for name in ("North Branch", "South Branch")]
        catcher.deliver(office.box, _mail("shared@branches.example"), now=LATER)
        messages = [office.write(branch) for branch in branches]
    on_mail.fetch(office.id)
    found = send.run(office.id)
    assert (found.sent, found.held) == (0, 2)
    with walls.inside(office.id):
        assert Reply.objects.get().customer is None
        assert {"reply waiting" in Message.objects.get(pk=m.pk).hold_reason for m in messages} == {True}


def test_our_own_copy_is_no_answer(office: Office, sent: Message) -> None:
    caught = office.last()
    catcher.deliver(office.box, (office.caught / caught.file).read_bytes(), now=LATER)
    on_mail.fetch(office.id)
    with walls.inside(office.id):
        assert not Reply.objects.exists()
        assert Envelope.objects.get().reason == "our own message, as a copy"


def test_a_mail_that_cannot_be_taken_keeps_the_mailbox_from_counting_as_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from tieout.adapters.ports import registry

    class Broken:
        def read(self, content: bytes) -> None:
            raise RuntimeError("a fault nobody foresaw")

        def fetch(self, *args: object) -> object:
            return registry_door.fetch(*args)

    registry_door = registry.doors()["mailbox"]
    catcher.deliver(office.box, _mail("ap@brightwater.example"), now=LATER)
    catcher.deliver(office.box, _mail("other@brightwater.example"), now=LATER)
    monkeypatch.setattr(registry, "doors", lambda: {"mailbox": Broken()})
    clock.inject(lambda: LATER)
    found = on_mail.fetch(office.id)
    assert "could not be looked at" in found.failed[0]
    with walls.inside(office.id):
        box = Connection.objects.get(kind="mailbox")
        assert box.last_success_at == NOW
        assert "RuntimeError" in box.last_error
    monkeypatch.undo()
    on_mail.fetch(office.id)
    with walls.inside(office.id):
        assert Reply.objects.count() == 2  # nothing was lost
        assert Connection.objects.get(kind="mailbox").last_error == ""


def test_a_mailbox_nobody_has_read_lately_holds_everything(office: Office) -> None:
    with walls.inside(office.id):
        office.write(builders.customer())
        box = Connection.objects.get(kind="mailbox")
        box.last_success_at = NOW - dt.timedelta(hours=25)
        box.save()
    assert send.run(office.id).held == 1
    with walls.inside(office.id):
        assert "Mailbox was last read" in Message.objects.get().hold_reason


def test_the_password_of_a_mailbox_is_sealed_and_never_shown(inside: uuid.UUID) -> None:
    given = {"host": "imap.example", "user": "ar", "password": "tulip-77", "folder": "INBOX"}
    assert mailbox.configure(settings=given, actor=ADA, now=NOW) is None
    row = Connection.objects.get(kind="mailbox")
    assert "tulip" not in str(row.settings)
    assert mailbox.stored(connection=row)["password"] == "tulip-77"
    shown = mailbox.shown()
    assert shown is not None
    assert shown["has_password"]
    assert "password" not in shown
    mailbox.configure(settings={**given, "password": "", "folder": "Answers"}, actor=ADA, now=NOW)
    assert mailbox.stored(connection=Connection.objects.get(kind="mailbox"))["password"] == "tulip-77"
    refused = mailbox.configure(settings={"host": ""}, actor=ADA, now=NOW)
    assert isinstance(refused, Refused)


def test_the_password_of_the_mail_server_is_sealed_and_never_shown(inside: uuid.UUID) -> None:
    given = {"host": "smtp.example", "port": "465", "security": "tls", "user": "ar", "password": "tulip-78", "plus_addressing": "no"}
    assert sending.shown() is None
    assert sending.configure(settings=given, actor=ADA, now=NOW) is None
    assert sending.configure(settings={**given, "password": ""}, actor=ADA, now=NOW) is None
    stored, shown = sending.stored(), sending.shown()
    assert stored is not None
    assert (stored["password"], stored["port"]) == ("tulip-78", 465)
    assert shown is not None
    assert "tulip" not in str(shown)
    assert isinstance(sending.configure(settings={**given, "port": "0"}, actor=ADA, now=NOW), Refused)
