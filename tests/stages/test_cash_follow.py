"""What follows new money, as one act: applied, proposed, promises judged, behaviour learnt; and nothing a second time."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import uuid

import pytest
from django.db import connection

from tests.conftest import NOW, ROOT
from tests.stages import builders
from tests.stages.builders import day
from tieout.core.evidence import Actor
from tieout.flow import on_cash
from tieout.stages.base import walls
from tieout.stages.behaviour import queries as behaviour
from tieout.stages.cash import queries as cash
from tieout.stages.cash.models import Proposal
from tieout.stages.dialogue import promise
from tieout.stages.dialogue import queries as dialogue
from tieout.stages.dialogue.models import ContactPoint
from tieout.stages.ledger.models import Allocation, Payment

ADA = Actor("person", "Ada", 1)


def test_new_money_is_followed_to_its_end_and_only_once(inside: uuid.UUID) -> None:
    owner = builders.customer("Brightwater pays late")
    stated, named = builders.invoice(owner, "50.00", "2026-06-01", number="INV-501"), builders.invoice(owner, "70.00", "2026-06-01", number="INV-702")
    for number in ("INV-903", "INV-904"):
        builders.invoice(owner, "90.00", "2026-06-20", number=number)
    promise.record(customer=owner, amount_minor=7000, currency="EUR", promised_date=day("2026-06-12"), document=named, actor=ADA, now=NOW)
    builders.payment("50.00", "2026-06-09", connection=builders.connection(), stated_document="INV-501")
    builders.payment("70.00", "2026-06-09", text="INV-702")
    builders.payment("90.00", "2026-06-09", payer_name="Brightwater pays late")

    done = on_cash.after_money(customer_ids=[owner.pk], now=NOW)

    assert done == on_cash.Followed(stated=1, applied=1, proposed=2, promises_kept=1, tiers_moved=1)
    for invoice in (stated, named):
        invoice.refresh_from_db()
        assert invoice.open_minor == 0
    assert [len(row.offers) for row in cash.inbox()] == [2]
    assert dialogue.live_holds([owner.pk]) == []
    assert behaviour.tiers([owner.pk])[owner.pk].paid_invoices == 2
    assert ContactPoint.objects.filter(address="ap@brightwater.example").exists()
    assert on_cash.after_money(customer_ids=[owner.pk], now=NOW) == on_cash.Followed()


def test_money_a_source_takes_back_reopens_the_promise_it_had_kept(inside: uuid.UUID) -> None:
    owner = builders.customer()
    invoice = builders.invoice(owner, "70.00", "2026-06-01", number="INV-702")
    promise.record(customer=owner, amount_minor=7000, currency="EUR", promised_date=day("2026-06-12"), document=invoice, actor=ADA, now=NOW)
    receipt = builders.payment("70.00", "2026-06-09", text="INV-702")
    assert on_cash.after_money(now=NOW).promises_kept == 1
    Payment.objects.filter(pk=receipt.pk).update(status="reversed")
    assert on_cash.after_money(now=NOW + dt.timedelta(hours=1)).reopened == 1
    assert [h.reason for h in dialogue.live_holds([owner.pk])] == ["promise"]


def test_in_a_large_book_a_click_leaves_the_matching_to_a_job(inside: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cash, "LARGE", 1)
    owner = builders.customer("Brightwater pays late")
    for number in ("INV-903", "INV-904"):
        builders.invoice(owner, "90.00", "2026-06-20", number=number)
    receipt = builders.payment("90.00", payer_name="Brightwater pays late")
    on_cash.after_money(customer_ids=[owner.pk], now=NOW)
    for _ in range(2):
        on_cash.after_money(customer_ids=[owner.pk], payment_ids=[receipt.pk], now=NOW)
    assert not Proposal.objects.filter(state="open").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'tieout.match' AND args ->> 'organisation' = %s", [str(inside)])
        assert cursor.fetchone() == (1,)
    on_cash.match(inside)
    assert Proposal.objects.filter(state="open").count() == 2


def test_a_worker_killed_after_the_allocation_leaves_nothing_and_the_next_one_applies_once(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        invoice = builders.invoice(builders.customer(), "70.00", number="INV-702")
        builders.payment("70.00", text="INV-702")
    script = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tieout.settings.test'; django.setup()\n"
        "import datetime as dt, sys, uuid\n"
        "from tieout.flow import on_cash\n"
        "from tieout.stages.base import walls\n"
        "with walls.inside(uuid.UUID(sys.argv[1])):\n"
        "    on_cash.after_money(now=dt.datetime(2026, 6, 10, tzinfo=dt.UTC))\n"
    )

    def worker(**extra: str) -> int:
        return subprocess.run(
            [sys.executable, "-c", script, str(organisation)], env={**os.environ, **extra}, cwd=ROOT, timeout=60, check=False).returncode

    assert worker(TIEOUT_CRASH_AT="cash.after_allocation") == -signal.SIGKILL
    with walls.inside(organisation):
        assert not Allocation.objects.exists()
    assert worker() == 0
    assert worker() == 0
    with walls.inside(organisation):
        invoice.refresh_from_db()
        assert (invoice.open_minor, Allocation.objects.count()) == (0, 1)
