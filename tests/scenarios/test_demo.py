"""The sample company: the same for the same seed, its sums tie, no letter of it leaves the machine, and one click takes all of it away."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections

from tests.conftest import NOW
from tieout.flow import clock
from tieout.rehearsal import catcher, demo
from tieout.rehearsal.company import exports, shop, story, trade
from tieout.rehearsal.demo import calendar, opening, place
from tieout.stages.base import found, walls
from tieout.stages.base.models import Organisation, Person

FIRST = dt.date(2026, 6, 10)


@pytest.fixture(scope="module")
def world() -> trade.World:
    return trade.world(seed=3, first=FIRST, until=FIRST)


def test_the_same_seed_makes_the_same_company_to_the_byte(world: trade.World) -> None:
    again = trade.world(seed=3, first=FIRST, until=FIRST)
    assert again == world
    for made in (exports.orders, exports.workbook, exports.euro_account, exports.sterling_account, exports.dollar_account):
        assert made(again, since=dt.date.min).content == made(world, since=dt.date.min).content


def test_another_seed_makes_another_company(world: trade.World) -> None:
    assert trade.world(seed=4, first=FIRST, until=FIRST).bills != world.bills


def test_a_later_day_adds_to_the_world_and_changes_nothing_before_it(world: trade.World) -> None:
    later = trade.world(seed=3, first=FIRST, until=FIRST + dt.timedelta(days=40))
    assert len(later.bills) > len(world.bills)
    assert trade.upto(later, FIRST) == world


def test_its_figures_are_those_of_a_real_company(world: trade.World) -> None:
    assert len(world.clients) > 110
    assert 2_200 < len(world.bills) < 3_200
    paid = {number for receipt in (*world.noted, *world.banked) for number in receipt.pays}
    for code in ("EUR", "GBP", "USD"):
        mine = [b for b in world.bills if b.client.currency == code and not b.cancelled]
        unpaid = [b for b in mine if b.number not in paid]
        owed = sum(b.minor for b in unpaid)
        overdue = sum(b.minor for b in unpaid if b.due and b.due < FIRST)
        quarter = sum(b.minor for b in mine if (FIRST - b.issued).days < 90)
        assert 0.10 < overdue / owed < 0.50, (code, overdue / owed)
        assert 28 < owed / quarter * 90 < 65, (code, owed / quarter * 90)


def test_every_part_of_the_story_is_played_once(world: trade.World) -> None:
    played = Counter(c.part for c in world.clients if c.part)
    assert {"kept", "broken", "dispute", "parent", "child", "double", "consumer", "undated"} <= set(played)
    assert all(count == 1 for part, count in played.items() if part != "no mail")


def test_nobody_has_an_address_that_mail_could_reach(world: trade.World) -> None:
    assert all(c.email.endswith(".example") for c in world.clients if c.email)


def test_a_company_opened_half_way_and_given_up_leaves_nothing(database: Path) -> None:
    organisation = _founded(database)
    assert demo.known() is None
    with demo.alone():
        assert demo.there() is None
    assert not Organisation.objects.filter(pk=organisation).exists()


def test_deleting_it_leaves_no_row_and_touches_nobody_else(database: Path, organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        from tests.stages import builders

        builders.invoice(builders.customer())
    before = _rows_of(organisation)
    sample = _founded(database)
    letter = catcher.keep(place.letters(), f"Message-ID: <1.1.{sample.hex}@aldermere.example>\r\nSubject: x\r\n\r\nx".encode())
    other = catcher.keep(place.letters(), f"Message-ID: <1.1.{organisation.hex}@x.example>\r\nSubject: x\r\n\r\nx".encode())
    assert sum(_rows_of(sample).values()) > 100
    demo.delete(sample)
    assert _rows_of(sample) == {}
    assert not Organisation.objects.filter(pk=sample).exists()
    assert not Person.objects.filter(email=demo.LOGIN).exists()
    assert not letter.exists()
    assert other.exists()
    assert _rows_of(organisation) == before
    other.unlink()


def test_a_real_organisation_cannot_be_deleted_as_a_sample(organisation: uuid.UUID) -> None:
    before = _rows_of(organisation)
    with pytest.raises(DatabaseError, match="only a demo organisation"):
        demo.delete(organisation)
    assert _rows_of(organisation) == before


def test_a_sample_cannot_be_deleted_from_inside_another_organisation(organisation: uuid.UUID) -> None:
    sample = _bare_sample()
    with pytest.raises(DatabaseError, match="belongs to another organisation"), walls.inside(organisation), connection.cursor() as sql:
        sql.execute("SELECT base_forget_demo(%s)", [sample])
    assert Organisation.objects.filter(pk=sample).exists()
    demo.delete(sample)


def test_time_moves_for_a_sample_only(organisation: uuid.UUID) -> None:
    with pytest.raises(demo.NoSample):
        demo.advance(organisation, 1)
    with pytest.raises(ValueError, match="days"):
        demo.advance(organisation, 0)


def test_a_day_has_its_moments_in_order_and_a_weekend_has_none() -> None:
    friday = dt.datetime(2026, 6, 12, 20, tzinfo=dt.UTC)
    assert list(calendar.between(friday, friday + dt.timedelta(days=2))) == []
    monday = [what for _, what in calendar.between(friday, friday + dt.timedelta(days=3))]
    assert monday == [what for _, what in calendar.DAY]


def test_a_moment_is_lived_once() -> None:
    start = dt.datetime(2026, 6, 8, 0, tzinfo=dt.UTC)
    moments = [moment for moment, _ in calendar.between(start, start + dt.timedelta(days=4))]
    middle = moments[len(moments) // 2]
    parts = [*calendar.between(start, middle), *calendar.between(middle, start + dt.timedelta(days=4))]
    assert [moment for moment, _ in parts] == moments


def test_the_clock_stands_for_whom_it_was_stopped_only(organisation: uuid.UUID) -> None:
    with walls.inside(organisation):
        with clock.standing_at(NOW):
            assert clock.now() == NOW
        assert clock.now() > NOW - dt.timedelta(days=3650)
        assert abs(clock.now() - clock.real_now()) < dt.timedelta(seconds=5)


def test_no_job_works_by_a_time_that_is_being_left(organisation: uuid.UUID) -> None:
    """Asked from another connection, as a worker is one."""

    def asked() -> bool:
        try:
            with clock.in_step(organisation) as free:
                return free
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        assert worker.submit(asked).result()
        with clock.moving(organisation):
            assert not worker.submit(asked).result()
        assert worker.submit(asked).result()


@pytest.mark.timeout(600)
def test_the_whole_road_without_a_server_ties_out(tmp_path: Path) -> None:
    """`tieout demo --once --json` in a process of its own, on a database of its own."""
    given = {k: v for k, v in os.environ.items() if not k.startswith(("TIEOUT_", "DATABASE_", "DJANGO_"))}
    given |= {"TMPDIR": str(tmp_path)}
    first = dt.datetime.now(calendar.ZONE).date()
    command = [sys.executable, "-m", "tieout.faces.cli", "demo", "--once", "--json"]
    done = subprocess.run(command, env=given, cwd=tmp_path, capture_output=True, text=True, timeout=560, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert list(tmp_path.glob("tieout-demo-*")) == []  # nothing left behind

    today = dt.date.fromisoformat(said["today"])
    if today - dt.timedelta(days=3) != first:
        pytest.skip("the day ended while the test ran")
    _sums_tie(said, trade.upto(trade.world(seed=opening.SEED, first=first, until=today), _last_file(today)))
    assert said["answered"] is True
    assert said["applied"]["by_machine"] > 100
    assert all("no other reading" in reason for reason in said["applied"]["reasons_of_machine"])
    assert said["promises"]["kept"] >= 1
    assert said["promises"]["broken"] >= 1
    assert said["replies"]["closed"] >= 1
    assert len(said["quarantined"]) == 5
    assert said["inbox"]["proposed"] > 0
    left = sum(said["messages"].get(state, 0) for state in ("sent", "bounced"))
    assert left > 10
    assert said["caught"] == left  # every letter that left lies in the catcher, once
    assert said["messages"].get("unknown", 0) == said["messages"].get("refused", 0) == 0
    assert said["verify"]["broken"] == {}


def _sums_tie(said: dict[str, Any], truth: trade.World) -> None:
    fair = {"EUR": Decimal("704.50"), "GBP": Decimal("310.00"), "USD": Decimal("540.00")}
    for code, sums in said["currencies"].items():
        numbers = {name: Decimal(text) for name, text in sums.items() if name != "dso_days"}
        billed = Decimal(sum(b.minor for b in truth.bills if b.client.currency == code and not b.cancelled)) / 100
        received = Decimal(sum(r.minor for r in (*truth.noted, *truth.banked) if r.currency == code)) / 100
        assert numbers["applied"] + numbers["unapplied"] + numbers["refunded"] == numbers["received"], code
        # What the shop gave back is not asked for again: Stripe goes on saying that the invoice is paid.
        settled = numbers["applied"] + numbers["credits_used"] + numbers["written_off"] + numbers["refunded"]
        assert numbers["open"] == numbers["invoiced"] - settled, code
        if code == "EUR":  # its files come every working day; the others have not all been exported yet
            sold, taken = _shop(truth.first, truth.until)
            assert numbers["invoiced"] == billed + fair[code] + sold
            assert numbers["received"] == received + taken
            received += taken
        assert numbers["received"] <= received
        assert 20 < Decimal(sums["dso_days"]) < 75


def _shop(first: dt.date, last: dt.date) -> tuple[Decimal, Decimal]:
    """What the web shop billed, without what it took back, and what came in, up to its last look."""
    moments = calendar.between(calendar.at(last - dt.timedelta(days=7), 0), calendar.at(last, 0) + dt.timedelta(days=4))
    until = max(moment for moment, what in moments if what == "shop" and moment <= dt.datetime.now(dt.UTC) + dt.timedelta(days=3))
    acts = shop.acts(seed=opening.SEED, first=first, after=dt.datetime(2000, 1, 1, tzinfo=dt.UTC), until=until)
    void = {act.number for act in acts if act.what == "void"}
    owed = Counter({act.number: act.minor for act in acts if act.what == "raise" and act.number not in void})
    sold = sum(owed.values())
    owed.subtract({act.number: act.minor for act in acts if act.what == "credit"})
    taken = sum(owed[act.number] for act in acts if act.what == "pay")
    return Decimal(sold) / 100, Decimal(taken) / 100


def _last_file(today: dt.date) -> dt.date:
    """The last working day whose morning files have come by now, on the company's last day."""
    now = dt.datetime.now(calendar.ZONE)
    day = today if now.time() >= dt.time(7, 30) else today - dt.timedelta(days=1)
    while day.weekday() >= 5:
        day -= dt.timedelta(days=1)
    return day


def _bare_sample() -> uuid.UUID:
    return found.organisation(
        name="A sample", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="A", sender_address="a@a.example",
        now=NOW, is_demo=True,
    )  # fmt: skip


def _founded(database: Path) -> uuid.UUID:
    """A sample with the beginning of its history, given up before it was opened."""
    began = calendar.at(story.day(FIRST, story.BEGAN), 12)
    with clock.standing_at(began):
        organisation = opening._found(began)
        with walls.inside(organisation):
            owner = opening._people(began)
            opening.files.connections(actor=owner, now=began)
            place.keep(place.Kept(seed=3, first=FIRST, until=began))
        opening.post(organisation, now=began)
        opening.files._take(organisation, place.FAIR, exports.fair_list(FIRST))
        opening.files._take(organisation, place.EURO, exports.euro_account(trade.world(seed=3, first=FIRST, until=began.date()), since=dt.date.min))
    return organisation


def _rows_of(organisation: uuid.UUID) -> dict[str, int]:
    """How many rows of every organisation table are this one's, asked as the owner of the tables inside its walls."""
    with connections["owner"].cursor() as sql:
        sql.execute(
            """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname = 'organisation_id' ORDER BY 1"""
        )
        tables = [row[0] for row in sql.fetchall()]
        sql.execute("SELECT set_config('app.org', %s, false)", [str(organisation)])
        counts = {}
        for table in tables:
            sql.execute(f'SELECT count(*) FROM "{table}" WHERE organisation_id = %s', [str(organisation)])
            counts[table] = sql.fetchone()[0]
        sql.execute("SELECT set_config('app.org', '', false)")
    return {table: count for table, count in counts.items() if count}
