"""Alerts on the pages: what needs somebody says what to do, is looked after or put off, and is told where it is wanted."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from pypdf import PdfReader

from tests.conftest import NOW
from tests.faces.reading import words
from tests.scenarios.connected import connect
from tests.scenarios.receiver import SECRET, Receiver, receiving
from tieout.flow import alarm, clock, health_report
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import TWIN
from tieout.stages.base import secret, walls
from tieout.stages.health import report
from tieout.stages.health.models import Alert, AlertChannel, HealthReport, Notice
from tieout.stages.intake.models import Connection

Browser = Any


@pytest.fixture
def stale(organisation: uuid.UUID, standing_clock: dt.datetime) -> uuid.UUID:
    """A system that was last heard of three hours ago, and the alert about it."""
    with walls.inside(organisation):
        Connection.objects.create(
            name="Stripe <EU>", kind="system", vendor="stripe", stage="live", created_at=NOW, cadence_hours=1,
            last_success_at=NOW - dt.timedelta(hours=3))
    alarm.look(organisation)
    return organisation


@pytest.fixture
def pager() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def alert(organisation: uuid.UUID) -> Alert:
    with walls.inside(organisation):
        found: Alert = Alert.objects.get()
        return found


def test_where_nothing_needs_anybody_the_page_says_what_would_come_here(owner: Browser) -> None:
    said = words(owner.get(reverse("alerts")))
    assert "Nothing needs anybody" in said
    for state in ("seen", "over", "no such state"):
        assert owner.get(reverse("alerts"), {"state": state, "kind": "nonsense"}).status_code == 200


def test_an_alert_says_what_to_do_and_where_and_every_page_counts_it(stale: uuid.UUID, owner: Browser) -> None:
    page = owner.get(reverse("alerts"))
    said = words(page)
    assert "Stripe <EU> is stale" in said
    assert "What to do: bring a newer file or mend the connection" in said
    assert reverse("connection", args=[alert(stale).page_key]) in page.content.decode()
    assert 'title="1 alerts"' in owner.get(reverse("overview")).content.decode()
    assert "Nothing needs anybody" in words(owner.get(reverse("alerts"), {"kind": "unmatched"}))


def test_it_is_looked_after_taken_back_and_put_off(stale: uuid.UUID, owner: Browser) -> None:
    say = reverse("alert_say", args=[alert(stale).pk])
    assert "Acknowledged" in words(owner.post(say, {"how": "acknowledge"}, follow=True))
    assert "by Owner Person" in words(owner.get(reverse("alerts"), {"state": "seen"}))
    assert 'title="1 alerts"' not in owner.get(reverse("overview")).content.decode()
    assert "among the open ones" in words(owner.post(say, {"how": "wake"}, follow=True))
    assert "Put off" in words(owner.post(say, {"how": "snooze", "days": "3"}, follow=True))
    assert alert(stale).snoozed_until == NOW + dt.timedelta(days=3)
    for body in ({"how": "snooze", "days": "400"}, {"how": "snooze", "days": "x"}, {"how": "eat it"}, {}):
        assert 'class="error"' in owner.post(say, body, follow=True).content.decode()
    assert alert(stale).snoozed_until == NOW + dt.timedelta(days=3)


def test_who_only_reads_cannot_say_anything(stale: uuid.UUID, sign_in: Callable[..., Browser]) -> None:
    auditor = sign_in("auditor")
    assert "I look after it" not in words(auditor.get(reverse("alerts")))
    assert auditor.post(reverse("alert_say", args=[alert(stale).pk]), {"how": "acknowledge"}).status_code == 403
    assert auditor.get(reverse("alert_settings")).status_code == 403
    assert auditor.post(reverse("health")).status_code == 403


def test_looking_again_is_a_job(organisation: uuid.UUID, owner: Browser) -> None:
    from django.db import connection

    assert "being looked at again" in words(owner.post(reverse("alerts_look"), follow=True))
    with connection.cursor() as cursor:
        waiting = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'tieout.watch' AND args ->> 'organisation' = %s"
        cursor.execute(waiting, [str(organisation)])
        assert cursor.fetchone()[0] == 1


# Who is told


def test_an_address_is_added_tried_told_less_and_removed(organisation: uuid.UUID, owner: Browser, pager: Receiver) -> None:
    assert "Only these pages tell alerts so far" in words(owner.get(reverse("alert_settings")))
    given = {"vendor": "webhook", "name": "Pager", "address": pager.url, "secret": SECRET}
    page = owner.post(reverse("alert_channel_add"), given, follow=True)
    assert "Pager is told from now on" in words(page)
    assert SECRET not in page.content.decode()
    with walls.inside(organisation):
        channel = AlertChannel.objects.get()
        assert [kept.name for kept in secret.kept()] == [f"alert:{channel.pk}"]
    assert "The test arrived at Pager" in words(owner.post(reverse("alert_channel_test", args=[channel.pk]), follow=True))
    assert pager.types == ["test"]
    pager.answers = [404]
    assert "answers 404" in words(owner.post(reverse("alert_channel_test", args=[channel.pk]), follow=True))
    body = {f"shown-{channel.pk}": "1", f"{channel.pk}:stale": "yes", f"{channel.pk}:drift": "yes"}
    owner.post(reverse("alerts_choose"), body, follow=True)
    with walls.inside(organisation):
        without = AlertChannel.objects.get().without
    assert "stale" not in without
    assert {"silent", "unmatched", "health_report"} <= set(without)
    assert "told nothing any more" in words(owner.post(reverse("alert_channel_remove", args=[channel.pk]), follow=True))
    assert owner.post(reverse("alert_channel_test", args=[channel.pk])).status_code == 404
    with walls.inside(organisation):
        assert secret.kept() == []


def test_an_address_that_cannot_work_keeps_what_was_typed_and_says_why(organisation: uuid.UUID, owner: Browser) -> None:
    page = owner.post(reverse("alert_channel_add"), {"vendor": "slack", "name": "Room", "address": "http://hooks.example/s3cret"})
    assert page.status_code == 422
    assert "An address begins with https://" in words(page)
    assert 'value="Room"' in page.content.decode()
    assert "s3cret" not in page.content.decode()
    with walls.inside(organisation):
        assert not AlertChannel.objects.exists()


def test_a_demo_tells_only_this_machine(organisation: uuid.UUID, owner: Browser, pager: Receiver) -> None:
    from tieout.stages.base.models import Organisation

    Organisation.objects.filter(pk=organisation).update(is_demo=True)
    given = {"vendor": "webhook", "name": "Pager", "address": "https://elsewhere.example/x", "secret": SECRET}
    assert "A demo stays on this machine" in words(owner.post(reverse("alert_channel_add"), given))
    assert "is told from now on" in words(owner.post(reverse("alert_channel_add"), given | {"address": pager.url}, follow=True))


def test_mail_is_each_persons_own_choice(organisation: uuid.UUID, sign_in: Callable[..., Browser]) -> None:
    ada, grace = sign_in("owner"), sign_in("admin")
    said = words(ada.post(reverse("alerts_by_mail"), {"wanted": "yes"}, follow=True))
    assert "Alerts are mailed to owner-" in said
    assert "No mail server is set" in said
    with walls.inside(organisation):
        channel = AlertChannel.objects.get()
    grace.post(reverse("alerts_choose"), {f"shown-{channel.pk}": "1"}, follow=True)
    with walls.inside(organisation):
        assert AlertChannel.objects.get().without == []
    assert "No alerts are mailed to you" in words(ada.post(reverse("alerts_by_mail"), {"wanted": "no"}, follow=True))


# Health reports


def paper(answer: Any) -> str:
    assert answer["Content-Type"] == "application/pdf"
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages).split())


def test_a_report_is_made_read_and_carried_away_with_the_same_figures(organisation: uuid.UUID, owner: Browser) -> None:
    assert "No report yet" in words(owner.get(reverse("health")))
    with serving(TWIN(clock=lambda: NOW), deliver=False) as stripe:
        invoice = stripe.twin.invoice(stripe.twin.customer("Brightwater GmbH"), 10_000)
        books = connect(organisation, "stripe", api_key="sk_test_twin", base_url=stripe.url)
        books.sync()
        stripe.twin.pay(invoice, out_of_band=True)
        books.sync()
    page = owner.post(reverse("health"), {"begin": "2026-06-01", "end": "2026-06-10"}, follow=True)
    said = words(page)
    assert "The report is made and kept" in said
    assert f"{invoice.number}" in said
    assert "Paid in Stripe Open in our books" in said
    assert "Settled at the source by money" in said
    with walls.inside(organisation):
        row = HealthReport.objects.get()
        facts = report.facts_of(row)
    assert facts.sums["changed"] == 1
    text = paper(owner.get(reverse("health_report_pdf", args=[row.pk])))
    assert f"{invoice.number} Brightwater GmbH paid in Stripe open in our books" in text
    assert "Statuses changed in one place only 1" in text
    # What changes afterwards changes no report that was made.
    with walls.inside(organisation):
        Connection.objects.update(name="Renamed")
    assert "Renamed" not in words(owner.get(reverse("health_report", args=[row.pk])))
    assert "1 Jun 2026 to 10 Jun 2026" in words(owner.get(reverse("health")))


@pytest.mark.parametrize(("begin", "end", "says"), [
    ("2026-06-10", "2026-06-01", "ends before it begins"), ("2026-06-10", "2027-06-01", "in the future"), ("soon", "2026-06-01", "is not a day"),
])
def test_a_period_that_cannot_be_is_refused(organisation: uuid.UUID, owner: Browser, begin: str, end: str, says: str) -> None:
    page = owner.post(reverse("health"), {"begin": begin, "end": end})
    assert page.status_code == 422
    assert says in words(page)
    with walls.inside(organisation):
        assert not HealthReport.objects.exists()


def test_the_report_of_a_month_is_made_once_and_told_to_who_wants_it(organisation: uuid.UUID, pager: Receiver, owner: Browser) -> None:
    owner.post(reverse("alert_channel_add"), {"vendor": "webhook", "name": "Pager", "address": pager.url, "secret": SECRET})
    assert health_report.monthly(organisation) is False  # nothing was connected in May
    with walls.inside(organisation):
        Connection.objects.create(
            name="Stripe", kind="system", vendor="stripe", created_at=NOW - dt.timedelta(days=40), last_success_at=NOW, cadence_hours=1)
    assert [health_report.monthly(organisation) for _ in range(3)] == [True, False, False]
    alarm.tell(organisation)
    alarm.tell(organisation)
    [body] = pager.bodies
    assert (body["type"], body["report"]["from"], body["report"]["to"]) == ("report.made", "2026-05-01", "2026-05-31")
    with walls.inside(organisation):
        row = HealthReport.objects.get()
        assert (row.monthly, Notice.objects.get().state) == (True, "done")
    assert body["link"].endswith(reverse("health_report", args=[row.pk]))
    clock.inject(lambda: NOW + dt.timedelta(days=25))
    assert health_report.monthly(organisation) is True
    clock.inject(lambda: NOW)
    assert "Monthly" in words(owner.get(reverse("health")))
