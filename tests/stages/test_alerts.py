"""Alerts open with their cause, last with it and close with it; each is told once, where it is wanted, and says what to do."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, found, secret, walls
from tieout.stages.base.models import AuditEntry
from tieout.stages.cash import assign
from tieout.stages.health import address, answer, lookers, notice, queries, watch
from tieout.stages.health.models import Alert, AlertChannel, Notice
from tieout.stages.health.sight import Given, Sight
from tieout.stages.intake.models import Connection, QuarantinedRow, Run
from tieout.stages.ledger.gone import TOO_MANY
from tieout.stages.ledger.models import TieOutRun
from tieout.stages.writeback.models import Outgoing

ADA = Actor("person", "Ada", 1)
MACHINE = Actor("machine", "tieout")
BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
pytestmark = pytest.mark.database


def given(at: dt.datetime = NOW) -> Given:
    return Given(now=at, real_now=at, today=at.date())


def look(at: dt.datetime = NOW) -> watch.Watched:
    return watch.run(given=given(at), actor=MACHINE)


def seen(at: dt.datetime = NOW) -> dict[str, Sight]:
    """What is seen, by kind."""
    return {sight.kind: sight for looker in lookers.known().values() for sight in looker.look(given=given(at))}


def stripe(**fields: Any) -> Connection:
    """A connected system, heard of just now."""
    return Connection.objects.create(**{
        "name": "Stripe", "kind": "system", "vendor": "stripe", "stage": "live", "created_at": NOW - 90 * DAY, "last_success_at": NOW,
        "cadence_hours": 1, **fields,
    })  # fmt: skip


def ran(source: Connection, at: dt.datetime, **fields: Any) -> Run:
    usual = {"started_at": at, "finished_at": at, "state": "done", "mode": "changes", "created": 1}
    return Run.objects.create(connection=source, **{**usual, **fields})


# What is seen


def test_nothing_is_seen_where_nothing_is_wrong(inside: uuid.UUID) -> None:
    stripe()
    builders.invoice(builders.customer())
    assert seen() == {}


def test_every_kind_has_a_title_and_every_sight_says_what_to_do_and_where(inside: uuid.UUID) -> None:
    from django.urls import reverse

    titles = list(lookers.kinds().values())
    assert len(set(titles)) == len(titles)
    everything_wrong()
    found_now = [sight for looker in lookers.known().values() for sight in looker.look(given=given())]
    assert {sight.kind for sight in found_now} <= set(lookers.kinds())
    for sight in found_now:
        assert sight.mend, sight.kind
        assert sight.says, sight.kind
        assert not sight.mend.endswith("."), sight.kind
        assert reverse(sight.page, args=[sight.page_key] if sight.page_key is not None else [])


def everything_wrong() -> None:
    stripe(name="Refuses", needs_person="the other side does not let us in any more")
    stripe(name="Empty", needs_person=f"25 of 30 invoices were not met; {TOO_MANY}. Look")
    late = stripe(name="Late", last_success_at=NOW - 3 * HOUR)
    failing = stripe(name="Failing", last_success_at=NOW - HOUR / 2, last_error="it answers 500")
    for minutes in (25, 20, 5):
        ran(failing, NOW - dt.timedelta(minutes=minutes), state="failed", created=0)
    stripe(name="Ending", account={"refresh_expires_at": (NOW + 10 * DAY).isoformat()})
    run = ran(late, NOW - 4 * HOUR)
    strange = "status is 'frozen', which nobody knows"
    QuarantinedRow.objects.create(connection=late, run=run, code="not_understood", message=strange, stream="invoices")
    QuarantinedRow.objects.create(connection=builders.connection(), run=run, line=3, code="bad_date", message="no such day")
    for state, hours in (("failed", 1), ("unknown", 1), ("waiting", 30)):
        Outgoing.objects.create(
            kind="invoice", natural_key=f"k-{state}", connection=late, state=state, written_at=NOW - hours * HOUR, receipt="no such tax code",
            body={"label": "INV-1"})
    builders.payment("40.00", text="who is it", date="2026-06-01")
    TieOutRun.objects.create(connection=late, at=NOW, documents=4, differing=1, causes={}, unexplained={"EUR": 1234})
    secret.put(name="smtp", value="x", now=NOW)
    secret.Secret.objects.update(key_id="gone", blob=b"gone".ljust(16) + b"x" * 100)


def test_each_cause_is_seen_for_what_it_is(inside: uuid.UUID) -> None:
    everything_wrong()
    now = seen()
    assert set(now) == {
        "refused", "brake", "failing", "stale", "expiring", "drift", "rows", "write_failed", "write_unknown", "write_waiting", "unmatched",
        "unexplained", "secret",
    }  # fmt: skip
    assert "does not let us in" in now["refused"].says
    assert "it answers 500" in now["failing"].says
    assert now["expiring"].subject == "The consent of Ending runs out in 10 days"
    assert "which nobody knows" in now["drift"].says
    assert "no such tax code" in now["write_failed"].says
    assert now["unmatched"].says.startswith("40.00 EUR")
    assert "12.34 EUR unexplained" in now["unexplained"].says
    assert {now[kind].severity for kind in ("refused", "brake", "stale", "write_unknown", "unexplained")} == {"urgent"}


@pytest.mark.parametrize(
    ("left", "severity", "says"),
    [
        pytest.param(15 * DAY, None, "", id="fifteen days are no hurry"),
        pytest.param(14 * DAY, "soon", "in 14 days", id="fourteen are told"),
        pytest.param(3 * DAY, "urgent", "in 3 days", id="three are urgent"),
        pytest.param(5 * HOUR, "urgent", "within a day", id="the last day"),
        pytest.param(-HOUR, "urgent", "has run out", id="over"),
    ],
)
def test_a_consent_is_counted_down(inside: uuid.UUID, left: dt.timedelta, severity: str | None, says: str) -> None:
    stripe(account={"refresh_expires_at": (NOW + left).isoformat()})
    now = seen().get("expiring")
    assert (now.severity if now else None) == severity
    assert says in (now.subject if now else "")


def test_a_hiccup_of_a_reading_is_no_alert(inside: uuid.UUID) -> None:
    source = stripe(last_success_at=NOW - HOUR / 2, last_error="it answers 500")
    ran(source, NOW - HOUR, state="failed", created=0)  # before the last that went well
    for minutes in (20, 5):
        ran(source, NOW - dt.timedelta(minutes=minutes), state="failed", created=0)
    assert seen() == {}
    ran(source, NOW, state="failed", created=0)
    assert set(seen()) == {"failing"}


def test_silence_is_told_where_there_is_traffic_and_ends_with_the_next_arrival(inside: uuid.UUID) -> None:
    busy, calm = stripe(), stripe(name="Calm")
    now = dt.datetime(2026, 6, 10, 14, 5, tzinfo=BERLIN)
    for source in (busy, calm):
        Connection.objects.filter(pk=source.pk).update(last_success_at=now)
    for days in range(60):
        day = now - days * DAY
        for hour in range(9, 17):
            at = day.replace(hour=hour, minute=20)
            if day.weekday() < 5 and at <= now.replace(hour=9, minute=30):
                ran(busy, at)
    ran(calm, now - 30 * DAY)
    ran(busy, now - HOUR, mode="echo")  # our own echo is no sign of life
    told = seen(now)
    assert set(told) == {"silent"}
    assert told["silent"].connection_id == busy.pk
    assert "in 4 of the hours since then something usually does, by the last 8 weeks" in told["silent"].says
    ran(busy, now - HOUR / 2)
    assert seen(now) == {}


def test_money_a_person_put_on_account_is_no_question(inside: uuid.UUID) -> None:
    owner = builders.customer()
    paid = builders.payment("40.00", text="who is it", date="2026-06-01")
    builders.payment("10.00", text="only just", date="2026-06-04")
    assert seen()["unmatched"].count == 1
    assign.customer(payment=paid, customer=owner, actor=ADA, now=NOW)
    assert seen() == {}


def test_a_disconnected_system_needs_nobody(inside: uuid.UUID) -> None:
    stripe(paused_at=NOW, needs_person="does not let us in", account={"refresh_expires_at": NOW.isoformat()}, last_success_at=NOW - 9 * DAY)
    assert seen() == {}


# From its beginning to its end


def test_an_alert_lasts_with_its_cause_and_closes_with_it(inside: uuid.UUID) -> None:
    source = stripe(last_success_at=NOW - 2 * HOUR)
    assert look() == watch.Watched(opened=1)
    assert look(NOW + HOUR) == watch.Watched(lasting=1)
    alert = Alert.objects.get()
    assert (alert.kind, alert.first_seen_at, alert.last_seen_at, alert.closed_at) == ("stale", NOW, NOW + HOUR, None)
    Connection.objects.filter(pk=source.pk).update(last_success_at=NOW + HOUR)
    assert look(NOW + HOUR) == watch.Watched(closed=1)
    assert look(NOW + HOUR) == watch.Watched()
    assert Alert.objects.get().closed_at == NOW + HOUR
    acts = list(AuditEntry.objects.filter(object_kind="alert").order_by("seq").values_list("action", flat=True))
    assert acts == ["alert.open", "alert.close"]
    assert list(audit.breaks()) == []


def test_what_comes_back_at_once_was_never_away_and_what_comes_back_later_is_new(inside: uuid.UUID) -> None:
    source = stripe(last_success_at=NOW - 2 * HOUR)

    def heard(at: dt.datetime) -> None:
        Connection.objects.filter(pk=source.pk).update(last_success_at=at)

    look()
    heard(NOW)
    look(NOW)
    heard(NOW - 2 * HOUR)
    assert look(NOW + HOUR / 10) == watch.Watched(reopened=1)
    assert Alert.objects.get().closed_at is None
    heard(NOW)
    look(NOW + HOUR / 10)
    heard(NOW - 2 * HOUR)
    assert look(NOW + HOUR) == watch.Watched(opened=1)
    assert Alert.objects.count() == 2


def test_a_looker_that_fails_leaves_its_alerts_and_the_others_work(inside: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    stripe(last_success_at=NOW - 2 * HOUR)
    builders.payment("40.00", date="2026-06-01")
    look()
    monkeypatch.setattr(lookers.known()["sources"], "_FAILED", "SELECT no_such_column")
    Outgoing.objects.create(kind="invoice", natural_key="k", connection=Connection.objects.get(name="Stripe"), state="failed", written_at=NOW)
    watched = look(NOW + HOUR)
    assert set(watched.failed) == {"sources"}
    assert (watched.opened, watched.closed) == (1, 0)
    assert set(Alert.objects.filter(closed_at__isnull=True).values_list("kind", flat=True)) == {"stale", "unmatched", "write_failed"}


def test_what_becomes_urgent_asks_again_for_whoever_acknowledged_the_lesser_thing(inside: uuid.UUID) -> None:
    source = stripe(account={"refresh_expires_at": (NOW + 10 * DAY).isoformat()})
    look()
    assert answer.acknowledge(alert=Alert.objects.get(), actor=ADA, now=NOW) is None
    Connection.objects.filter(pk=source.pk).update(last_success_at=NOW + 8 * DAY)
    look(NOW + 8 * DAY)
    alert = Alert.objects.get()
    assert (alert.severity, alert.acknowledged_at, alert.worse_at) == ("urgent", None, NOW + 8 * DAY)


def test_an_alert_is_acknowledged_put_off_and_taken_up_again(inside: uuid.UUID) -> None:
    stripe(last_success_at=NOW - 2 * HOUR)
    look()
    alert = Alert.objects.get()
    assert queries.counts(now=NOW) == {"open": 1, "seen": 0, "over": 0}
    answer.acknowledge(alert=alert, actor=ADA, now=NOW)
    assert queries.counts(now=NOW) == {"open": 0, "seen": 1, "over": 0}
    answer.wake(alert=alert, actor=ADA, now=NOW)
    answer.snooze(alert=alert, days=2, actor=ADA, now=NOW)
    assert queries.counts(now=NOW) == {"open": 0, "seen": 1, "over": 0}
    assert queries.counts(now=NOW + 3 * DAY) == {"open": 1, "seen": 0, "over": 0}
    [shown] = queries.alerts(state="seen", now=NOW)
    assert (shown.snoozed_by, shown.title) == ("Ada", "A source is stale")
    assert isinstance(answer.snooze(alert=alert, days=31, actor=ADA, now=NOW), Refused)
    Connection.objects.update(last_success_at=NOW)
    look()
    assert [isinstance(act(alert=alert, actor=ADA, now=NOW), Refused) for act in (answer.acknowledge, answer.wake)] == [True, True]


# Where they are told


@pytest.fixture
def hook(inside: uuid.UUID) -> AlertChannel:
    settings = {"address": "https://pager.example/in/s3cret", "secret": "k" * 16}
    made = address.add(vendor="webhook", name="Pager", given=settings, actor=ADA, now=NOW - DAY)
    assert isinstance(made, AlertChannel)
    return made


@pytest.mark.parametrize(
    ("vendor", "fields", "says"),
    [
        ("slack", {"address": ""}, "an address is needed"),
        ("slack", {"address": "hooks.slack.com/x"}, "no address"),
        ("slack", {"address": "http://hooks.slack.com/x"}, "begins with https://"),
        ("slack", {"address": "https://me:secret@hooks.example/x"}, "no user name"),
        ("slack", {"address": "https://[::1"}, "no address"),
        ("webhook", {"address": "https://pager.example/x", "secret": "short"}, "at least 16"),
        ("webhook", {"address": "http://127.0.0.1.evil.example/x", "secret": "k" * 16}, "begins with https://"),
        ("webhook", {"address": "ftp://localhost/x", "secret": "k" * 16}, "begins with https://"),
        ("telegraph", {"address": "https://x.example"}, "no such kind"),
        ("email", {"address": "https://x.example"}, "no such kind"),
    ],
)
def test_an_address_that_cannot_work_is_refused_in_words(inside: uuid.UUID, vendor: str, fields: dict[str, str], says: str) -> None:
    refused = address.add(vendor=vendor, name="Pager", given=fields, actor=ADA, now=NOW)
    assert isinstance(refused, Refused)
    assert says in refused.reason
    assert not AlertChannel.objects.exists()
    assert secret.kept() == []


def test_an_address_is_kept_encrypted_and_forgotten_when_it_is_removed(hook: AlertChannel) -> None:
    assert hook.shown == "https://pager.example/…"
    assert "s3cret" not in str(AlertChannel.objects.values_list().get())
    assert "s3cret" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert address.settings_of(channel=hook) == {"address": "https://pager.example/in/s3cret", "secret": "k" * 16}
    again = address.add(vendor="slack", name="pager", given={"address": "https://hooks.example/x"}, actor=ADA, now=NOW)
    assert isinstance(again, Refused)
    address.remove(channel=hook, actor=ADA, now=NOW)
    assert secret.kept() == []
    assert queries.channels() == []


def planned(at: dt.datetime = NOW) -> int:
    look(at)
    return notice.plan(now=at, zone=BERLIN)


def told() -> list[tuple[str, str]]:
    return list(Notice.objects.order_by("id").values_list("occasion", "state"))


def told_all(channel: AlertChannel, at: dt.datetime) -> None:
    for row in notice.claim(channel_id=channel.pk, now=at, real_now=at):
        notice.settle(notice=row, state="done", said="200", now=at)


def test_one_message_when_it_opens_one_a_day_while_it_lasts_and_one_when_it_is_over(hook: AlertChannel) -> None:
    source = stripe(last_success_at=NOW - 2 * HOUR)
    assert [planned(), planned(), planned(NOW + HOUR)] == [1, 0, 0]
    told_all(hook, NOW + HOUR)
    at = NOW
    while at < NOW + 3 * DAY:
        planned(at)
        told_all(hook, at)
        at += HOUR
    assert told() == [("opened", "done"), ("reminder:2026-06-11", "done"), ("reminder:2026-06-12", "done")]
    Connection.objects.filter(pk=source.pk).update(last_success_at=at)
    # Closed at once here, told a little later: it may come back.
    assert [planned(at), planned(at + HOUR / 10), planned(at + HOUR / 4), planned(at + HOUR)] == [0, 0, 1, 0]
    assert told()[-1] == ("closed", "waiting")


def test_nobody_is_reminded_of_what_somebody_looks_after(hook: AlertChannel) -> None:
    stripe(last_success_at=NOW - 2 * HOUR)
    planned()
    alert = Alert.objects.get()
    answer.snooze(alert=alert, days=2, actor=ADA, now=NOW)
    assert planned(NOW + DAY + HOUR) == 0
    assert planned(NOW + 2 * DAY + HOUR) == 1
    answer.acknowledge(alert=alert, actor=ADA, now=NOW + 2 * DAY)
    assert planned(NOW + 5 * DAY) == 0


def test_what_is_over_before_it_could_be_told_is_not_told(hook: AlertChannel) -> None:
    source = stripe(last_success_at=NOW - 2 * HOUR)
    planned()
    Connection.objects.filter(pk=source.pk).update(last_success_at=NOW + HOUR)
    planned(NOW + HOUR)
    told_all(hook, NOW + HOUR)
    planned(NOW + 2 * HOUR - HOUR / 10)
    assert told() == [("opened", "moot")]


def test_a_kind_nobody_wants_is_not_told_and_a_new_channel_hears_of_old_alerts_a_day_later(hook: AlertChannel) -> None:
    stripe(last_success_at=NOW - 2 * HOUR)
    address.choose(channel=hook, wanted=set(address.kinds()) - {"stale"}, actor=ADA, now=NOW)
    assert planned() == 0
    address.choose(channel=hook, wanted=address.kinds(), actor=ADA, now=NOW)
    assert planned() == 1
    later = address.add(vendor="slack", name="Slack", given={"address": "https://hooks.example/x"}, actor=ADA, now=NOW + HOUR)
    assert isinstance(later, AlertChannel)
    assert planned(NOW + 2 * HOUR) == 0
    planned(NOW + DAY + 2 * HOUR)
    assert [n.occasion for n in Notice.objects.filter(channel=later)] == ["reminder:2026-06-11"]


def test_what_becomes_urgent_is_told_once_more(hook: AlertChannel) -> None:
    source = stripe(account={"refresh_expires_at": (NOW + 4 * DAY).isoformat()})
    planned()
    Connection.objects.filter(pk=source.pk).update(last_success_at=NOW + 2 * DAY)
    assert [planned(NOW + 2 * DAY), planned(NOW + 2 * DAY + HOUR)] == [1, 0]
    assert [o.partition(":")[0] for o, _ in told()] == ["opened", "worse"]


def test_a_call_that_fails_is_made_again_ever_more_rarely_and_then_given_up(hook: AlertChannel) -> None:
    stripe(last_success_at=NOW - 2 * HOUR)
    planned()
    at, tries = NOW, 0
    while Notice.objects.get().state == "waiting" and tries < 20:
        for row in notice.claim(channel_id=hook.pk, now=at, real_now=at):
            tries += 1
            notice.settle(notice=row, state="waiting", said="cannot be reached", now=at)
        at += HOUR / 60
        if tries and not notice.channels_due(now=at):
            at = max(at, Notice.objects.get().not_before)
    assert tries == 8
    assert Notice.objects.get().state == "failed"
    assert seen(NOW)["unheard"].says == "given up after 8 tries: cannot be reached"
    Notice.objects.update(state="claimed", claimed_at=NOW)
    notice.settle(notice=Notice.objects.get(), state="done", said="200", now=NOW)
    assert "unheard" not in seen(NOW)


@pytest.mark.parametrize(("repeatable", "then"), [(True, "waiting"), (False, "unknown")])
def test_the_claim_of_a_dead_worker_is_taken_back_only_where_the_other_side_knows_it_again(hook: AlertChannel, repeatable: bool, then: str) -> None:
    stripe(last_success_at=NOW - 2 * HOUR)
    planned()
    notice.claim(channel_id=hook.pk, now=NOW, real_now=NOW)
    assert notice.lost(real_now=NOW + HOUR / 60) == []
    assert notice.claim(channel_id=hook.pk, now=NOW + HOUR, real_now=NOW + HOUR) == []
    assert notice.lost(real_now=NOW + HOUR) == [hook.pk]
    notice.take_back(channel_id=hook.pk, repeatable=repeatable, now=NOW + HOUR, real_now=NOW + HOUR)
    assert Notice.objects.get().state == then


def test_somebody_wants_alerts_by_mail_once_and_not_any_more(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        person = found.person(email=f"ada-{uuid.uuid4().hex[:6]}@marrowlane.example", name="Ada", password=None)
        found.member(person=person, role="admin", actor=ADA, now=NOW)
        first = address.by_mail(person=person, wanted=True, actor=ADA, now=NOW)
        assert address.by_mail(person=person, wanted=True, actor=ADA, now=NOW) == first
        assert [(c.vendor, c.shown) for c in queries.channels()] == [("email", person.email)]
        assert address.by_mail(person=person, wanted=False, actor=ADA, now=NOW) is None
        assert queries.channels() == []
        assert address.by_mail(person=person, wanted=True, actor=ADA, now=NOW) is not None
