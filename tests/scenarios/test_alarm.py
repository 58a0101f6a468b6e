"""A system falls silent: reminders that rest on it wait and say so, people hear of it once, and all of it ends when it speaks again.

Over a twin, a real mail server, and a receiver of webhooks that checks who signed; with every failure on the way, and killed.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from tests.conftest import NOW
from tests.scenarios.connected import Books, connect
from tests.scenarios.receiver import SECRET, Receiver, genuine, receiving
from tieout.core.evidence import Actor
from tieout.flow import alarm, clock, jobs, send
from tieout.rehearsal import catcher
from tieout.rehearsal.twins.faults import Fault
from tieout.rehearsal.twins.server import Serving, serving
from tieout.rehearsal.twins.stripe import TWIN
from tieout.stages.base import crash, found, switch, walls
from tieout.stages.base.models import Membership, Person
from tieout.stages.collect.models import Decision
from tieout.stages.health import address
from tieout.stages.health.models import Alert, AlertChannel, Notice
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Customer, Document, TieOutRun
from tieout.stages.outreach import draft, sending
from tieout.stages.outreach.models import Message

ADA = Actor("person", "Ada", 1)
MAILBOX = "ada@marrowlane.example"
pytestmark = pytest.mark.database


class Time:
    """The clock of these tests: it stands where it is put."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def goes_on(self, **by: float) -> None:
        self.now += dt.timedelta(**by)


@pytest.fixture(autouse=True)
def time_() -> Iterator[Time]:
    standing = Time()
    clock.inject(standing)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield standing
    clock.inject(None)


@pytest.fixture
def pager() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Path]:
    with catcher.running(tmp_path) as server:
        (tmp_path / "port").write_text(str(server.port))
        yield tmp_path


@pytest.fixture
def office(organisation: uuid.UUID, post: Path, pager: Receiver) -> uuid.UUID:
    """An organisation that may send, whose owner wants alerts by mail, and which has a pager."""
    with walls.inside(organisation):
        switch.go_live(actor=ADA, now=NOW)
        assert sending.configure(settings=catcher.settings(post, int((post / "port").read_text())), actor=ADA, now=NOW) is None
        person = Person.objects.filter(email=MAILBOX).first() or found.person(email=MAILBOX, name="Ada", password=None)
        found.member(person=person, role="owner", actor=ADA, now=NOW)
        address.by_mail(person=person, wanted=True, actor=ADA, now=NOW)
        assert isinstance(_webhook(pager), AlertChannel)
    return organisation


def _webhook(pager: Receiver) -> object:
    return address.add(vendor="webhook", name="Pager", given={"address": pager.url, "secret": SECRET}, actor=ADA, now=NOW)


@pytest.fixture
def stripe() -> Iterator[Serving]:
    with serving(TWIN(clock=lambda: NOW), deliver=False) as running:
        yield running


def watched(organisation: uuid.UUID) -> alarm.Told:
    """What the job of every few minutes does."""
    alarm.look(organisation)
    return alarm.tell(organisation)


def mails(post: Path, organisation: uuid.UUID) -> list[str]:
    return [one.subject for one in reversed(catcher.listed(post, organisation_id=organisation)) if one.to_address == MAILBOX]


def reminder(books: Books) -> Message:
    """A reminder about the one invoice there is, ready to leave."""
    with walls.inside(books.organisation):
        Customer.objects.update(debtor_type="business", country="DE", time_zone="Europe/Berlin", language="en")
        owed = Document.objects.get()
        wanted = Decision.objects.create(
            customer=owed.customer, day=clock.today(), step="friendly", channel="email", tone="friendly", outcome="send", document_ids=[owed.pk],
            policy_version=0, decided_at=clock.now(),
        )  # fmt: skip
        return Message.objects.get(pk=draft.from_decisions(decisions=[wanted], now=clock.now()).created[0])


def test_a_silent_system_holds_the_reminders_that_rest_on_it_and_lets_them_go_when_it_is_back(
    office: uuid.UUID, stripe: Serving, post: Path, pager: Receiver, time_: Time
) -> None:
    stripe.twin.invoice(stripe.twin.customer("Brightwater GmbH", email="ap@brightwater.example"), 12_000)
    books = connect(office, "stripe", name="Stripe EU", api_key="sk_test_twin", base_url=stripe.url)
    assert books.sync().stopped == ""
    letter = reminder(books)
    stripe.twin.faults.put(Fault(fault="cut", path="/", times=0))
    time_.goes_on(minutes=50)
    for _ in range(3):
        assert books.sync().stopped
    time_.goes_on(minutes=25)
    # More than an hour since it was heard of: what it says is open may be paid.
    assert send.run(office).sent == 0
    with walls.inside(office):
        held = Message.objects.get(pk=letter.pk)
        assert held.state == "held"
    assert "Stripe EU was last read 2026-06-10 09:30, longer ago than its cadence" in held.hold_reason
    assert not any(one.to_address == "ap@brightwater.example" for one in catcher.listed(post, organisation_id=office))
    watched(office)
    assert sorted(mails(post, office)) == ["[tieout] Readings of Stripe EU fail", "[tieout] Stripe EU is stale"]
    assert pager.types == ["alert.opened", "alert.opened"]
    stale = next(body for body in pager.bodies if body["alert"]["kind"] == "stale")
    assert "nobody is chased" in stale["what_to_do"]
    assert stale["link"].endswith(f"/connections/{books.connection}/")

    stripe.twin.faults.put()
    books.again()
    time_.goes_on(minutes=60)  # what is held is asked about again within the hour
    assert books.sync().stopped == ""
    assert send.run(office).sent == 1
    watched(office)
    time_.goes_on(minutes=11)
    books.sync()
    watched(office)
    assert mails(post, office)[2:] == ["[tieout] Over: Readings of Stripe EU fail", "[tieout] Over: Stripe EU is stale"]
    assert pager.types == ["alert.opened"] * 2 + ["alert.closed"] * 2
    with walls.inside(office):
        assert not Alert.objects.filter(closed_at__isnull=True).exists()


def test_access_lost_is_told_at_once_and_the_job_after_a_failed_reading_looks(
    office: uuid.UUID, stripe: Serving, pager: Receiver, time_: Time
) -> None:
    stripe.twin.invoice(stripe.twin.customer("Brightwater GmbH"), 12_000)
    books = connect(office, "stripe", api_key="sk_test_twin", base_url=stripe.url)
    books.sync()
    stripe.twin.faults.put(Fault(fault="expired", path="/", times=0))
    jobs.sync_connection(organisation=str(office), connection=books.connection)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'tieout.watch' AND args ->> 'organisation' = %s", [str(office)])
        assert cursor.fetchone()[0] == 1
    jobs.watch(organisation=str(office))
    jobs.tell(organisation=str(office))
    [body] = pager.known.values()
    assert (body["alert"]["kind"], body["alert"]["severity"]) == ("refused", "urgent")
    assert "connect it again" in body["what_to_do"]


def test_each_system_is_compared_once_a_day_and_what_nobody_can_explain_is_told(
    office: uuid.UUID, stripe: Serving, pager: Receiver, time_: Time
) -> None:
    invoice = stripe.twin.invoice(stripe.twin.customer("Brightwater GmbH"), 12_000)
    books = connect(office, "stripe", api_key="sk_test_twin", base_url=stripe.url)
    books.sync()
    with walls.inside(office):
        Document.objects.filter(number=invoice.number).update(reported_open_minor=9_000)
    for _ in range(3):
        watched(office)
    assert [body["alert"]["kind"] for body in pager.known.values()] == ["unexplained"]
    assert "30.00" in next(iter(pager.known.values()))["says"]
    with walls.inside(office):
        assert TieOutRun.objects.count() == 1
        Document.objects.filter(number=invoice.number).update(reported_open_minor=12_000)
    time_.goes_on(hours=21)
    books.sync()
    watched(office)
    with walls.inside(office):
        assert TieOutRun.objects.count() == 2
        assert Alert.objects.get(kind="unexplained").closed_at is not None


# On the way


@pytest.fixture
def stale(office: uuid.UUID) -> uuid.UUID:
    """An alert is open and due to be told by mail and pager."""
    with walls.inside(office):
        Connection.objects.create(
            name="Stripe EU", kind="system", vendor="stripe", stage="live", created_at=NOW, cadence_hours=1,
            last_success_at=NOW - dt.timedelta(hours=3),
        )
    alarm.look(office)
    return office


def states(organisation: uuid.UUID, vendor: str = "webhook") -> list[str]:
    with walls.inside(organisation):
        return list(Notice.objects.filter(channel__vendor=vendor).order_by("id").values_list("state", flat=True))


@pytest.mark.parametrize(
    ("answers", "state", "tries"),
    [
        pytest.param([503], "done", 2, id="away for a moment"),
        pytest.param([503] * 9, "waiting", 2, id="away for long"),
        pytest.param([404], "failed", 1, id="the wrong address"),
        pytest.param([403], "failed", 1, id="not let in"),
        pytest.param([400], "failed", 1, id="not understood"),
        pytest.param([429], "done", 2, id="asked to slow down"),
    ],
)
def test_what_the_other_side_answers_decides_what_happens(stale: uuid.UUID, pager: Receiver, answers: list[int], state: str, tries: int) -> None:
    pager.answers = list(answers)
    alarm.tell(stale)
    assert states(stale) == [state]
    assert len(pager.bodies) >= tries
    assert len(pager.known) == 1
    assert states(stale, "email") == ["done"]


def test_an_address_that_is_away_is_tried_again_later_with_the_same_id(stale: uuid.UUID, pager: Receiver, time_: Time) -> None:
    pager.answers = [500] * 4
    for _ in range(4):
        alarm.tell(stale)
        time_.goes_on(minutes=6)
    assert states(stale) == ["done"]
    assert len(pager.bodies) == 5
    assert len(pager.known) == 1


def test_an_address_that_is_refused_is_shown_and_a_test_that_arrives_mends_it(stale: uuid.UUID, pager: Receiver, time_: Time) -> None:
    pager.answers = [410]
    alarm.tell(stale)
    alarm.look(stale)
    with walls.inside(stale):
        assert "answers 410" in Alert.objects.get(kind="unheard").says
        channel = AlertChannel.objects.get(vendor="webhook").pk
    pager.answers = [410]
    assert "answers 410" in alarm.test(stale, channel)
    assert alarm.test(stale, channel) == ""
    alarm.look(stale)
    with walls.inside(stale):
        assert Alert.objects.get(kind="unheard").closed_at is not None


def test_slack_is_told_in_its_own_words_and_never_twice(stale: uuid.UUID, pager: Receiver, time_: Time) -> None:
    with walls.inside(stale):
        address.add(vendor="slack", name="Slack", given={"address": pager.url.replace("/in", "/slack")}, actor=ADA, now=NOW - dt.timedelta(hours=1))
        Connection.objects.update(name="Stripe <EU> & Co")
    watched(stale)
    [said] = [body for body in pager.bodies if "blocks" in body]
    assert said["text"] == "Stripe &lt;EU&gt; &amp; Co is stale"
    assert "*What to do:* bring a newer file" in said["blocks"][1]["text"]["text"]
    assert "/connections/" in said["blocks"][2]["text"]["text"]
    assert states(stale, "slack") == ["done"]
    assert alarm.tell(stale) == alarm.Told()


def test_slack_at_an_address_that_is_not_slacks_is_no_success(stale: uuid.UUID, pager: Receiver) -> None:
    from tieout.adapters.channels.slack.send import Talk
    from tieout.adapters.ports.errors import NeedsPerson

    class Page:
        def post(self, body: bytes, headers: object) -> str:
            return "200 <html>Welcome"

    with walls.inside(stale):
        letter = alarm.letter(Notice.objects.select_related("alert", "channel", "report").first())
    with pytest.raises(NeedsPerson, match="does not answer as Slack does"):
        Talk(Page()).send(letter)  # type: ignore[arg-type]


def test_a_tampered_message_is_not_genuine(stale: uuid.UUID, pager: Receiver) -> None:
    import time as machine

    from tieout.adapters.channels.webhook.send import signature

    header = signature(b'{"id":"1"}', SECRET, int(machine.time()))
    assert genuine(b'{"id":"1"}', header, SECRET)
    assert not genuine(b'{"id":"2"}', header, SECRET)
    assert not genuine(b'{"id":"1"}', header, "another secret")
    assert not genuine(b'{"id":"1"}', signature(b'{"id":"1"}', SECRET, int(machine.time()) - 600), SECRET)


def test_nothing_leaves_while_everything_is_stopped(stale: uuid.UUID, pager: Receiver) -> None:
    with walls.inside(stale):
        switch.stop(actor=ADA, now=NOW, reason="audit week")
    assert alarm.tell(stale) == alarm.Told()
    with walls.inside(stale):
        switch.resume(actor=ADA, now=NOW, reason="over")
    assert alarm.tell(stale).done == 2


def test_somebody_who_has_left_is_told_nothing(stale: uuid.UUID, pager: Receiver, post: Path) -> None:
    with walls.inside(stale):
        Membership.objects.update(ended_at=NOW)
    assert alarm.tell(stale).done == 1
    assert mails(post, stale) == []
    assert pager.types == ["alert.opened"]


def test_without_a_mail_server_the_mail_fails_in_words_and_the_pager_is_told(stale: uuid.UUID, pager: Receiver) -> None:
    from tieout.stages.base import secret

    with walls.inside(stale):
        secret.forget(name="channel.email")
    told = alarm.tell(stale)
    assert (told.done, told.failed) == (1, 1)
    with walls.inside(stale):
        assert "no mail server is set" in AlertChannel.objects.get(vendor="email").last_error


ALARM_POINTS = [name for name in crash.POINTS if name.startswith("alarm.")]


def test_every_point_of_a_telling_is_swept() -> None:
    assert ALARM_POINTS == ["alarm.after_claim", "alarm.after_call"]


@pytest.mark.parametrize("point", ALARM_POINTS)
def test_killed_in_the_middle_nobody_is_told_twice(stale: uuid.UUID, pager: Receiver, post: Path, time_: Time, point: str) -> None:
    script = f"""
import datetime as dt, django; django.setup()
from uuid import UUID
from tieout.flow import alarm, clock
clock.inject(lambda: dt.datetime.fromisoformat("{NOW.isoformat()}"))
alarm.tell(UUID("{stale}"))
"""
    # Each channel is a claim of its own: the first worker dies over the one, the second over the other.
    for _ in range(2):
        dead = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TIEOUT_CRASH_AT": point}, check=False, capture_output=True)
        assert dead.returncode == -signal.SIGKILL, dead.stderr.decode()
    assert alarm.tell(stale) == alarm.Told()  # a live worker might still be at it
    time_.goes_on(minutes=3)
    for _ in range(3):
        alarm.tell(stale)
    assert pager.types == ["alert.opened"]
    assert states(stale) == ["done"]
    # Nobody can ask a mail server what it has taken: one letter at most, and said to be unknown.
    assert states(stale, "email") == ["unknown"]
    assert len(mails(post, stale)) == (1 if point == "alarm.after_call" else 0)
    assert len(pager.bodies) == (2 if point == "alarm.after_call" else 1)
