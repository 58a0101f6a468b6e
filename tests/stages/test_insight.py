"""Figures tie out: the overview, the list and the core's own aging say the same, and every total is the sum of its rows."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.conftest import NOW
from tests.stages import builders
from tieout.core import measures, position
from tieout.core.evidence import Actor
from tieout.stages.behaviour.models import Profile
from tieout.stages.dialogue import dispute, hold, promise
from tieout.stages.insight import expected, figures, find, listing
from tieout.stages.insight.listing import Wanted
from tieout.stages.ledger import as_of
from tieout.stages.ledger.models import DueDate

TODAY = NOW.date()
ADA = Actor("person", "Ada", 1)


def a_book() -> None:
    """Two customers, three currencies, every bucket's edges, a credit note, money nobody knows, an invoice without a due date."""
    brightwater, calder = builders.customer("Brightwater pays late"), builders.customer("Calder & Sons")
    for late in (-30, -1, 0, 1, 30, 31, 60, 61, 90, 91, 400):
        due = (TODAY - dt.timedelta(days=late)).isoformat()
        builders.invoice(brightwater, f"{100 + late + 40}.37", due)
        builders.invoice(calder, "1000.00", due, currency="USD")
    builders.invoice(calder, "5000", "2026-05-01", currency="JPY")
    builders.invoice(calder, "12.00", "", currency="USD")
    builders.credit_note(brightwater, "20.00")
    builders.payment("33.00", owner=calder)
    builders.invoice(calder, "77.00", "2026-05-01", status="void")


def test_the_overview_ages_as_the_core_does(inside: uuid.UUID) -> None:
    a_book()
    core = {row["currency"]: row for row in measures.totals(measures.aging(as_of.positions(day=TODAY, known_at=NOW), TODAY)).iter_rows(named=True)}
    ours = {aged.currency: aged for aged in figures.aging(today=TODAY)}
    assert set(ours) == set(core) == {"EUR", "USD", "JPY"}
    for currency, row in core.items():
        aged = ours[currency]
        assert {name: aged.buckets.get(name, figures.Cell()).minor for name in aged.buckets} == {name: row[name] for name in aged.buckets}
        assert (aged.open.minor, aged.over_60.minor, aged.credit.minor, aged.unapplied.minor) == (
            row["total"], row["60+"], row["credit"], row["unapplied"])
    assert ours["EUR"].overdue.count == 8
    assert ours["EUR"].overdue.minor == ours["EUR"].open.minor - ours["EUR"].buckets["current"].minor


@pytest.mark.parametrize("bucket", ["current", "1-30", "31-60", "60+", "61-90", "90+", "no_due_date"])
def test_every_bucket_is_a_door_to_the_rows_that_add_up_to_it(inside: uuid.UUID, bucket: str) -> None:
    a_book()
    for aged in figures.aging(today=TODAY):
        cell = aged.over_60 if bucket == "60+" else aged.buckets.get(bucket, figures.Cell())
        wanted = Wanted(bucket=bucket, currency=aged.currency)
        rows = list(listing.every(wanted=wanted, today=TODAY))
        assert (len(rows), sum(row.open_minor for row in rows)) == (cell.count, cell.minor)
        assert [(t.count, t.open_minor) for t in listing.totals(wanted=wanted, today=TODAY)] == ([(cell.count, cell.minor)] if cell.count else [])


def test_instalments_are_aged_by_their_own_days_as_the_core_splits_them(inside: uuid.UUID) -> None:
    chance = random.Random(7)
    owner = builders.customer()
    for _ in range(25):
        amounts = [chance.randint(1, 9999) for _ in range(chance.randint(2, 5))]
        reported = chance.choice([None, chance.randint(1, sum(amounts)), sum(amounts)])
        document = builders.invoice(owner, f"{sum(amounts) / 100:.2f}", "2026-05-01", reported_open_minor=reported)
        dues = []
        for ordinal, amount in enumerate(amounts, start=1):
            due = TODAY - dt.timedelta(days=chance.randint(-40, 120))
            DueDate.objects.create(document=document, ordinal=ordinal, due_date=due, amount_minor=amount)
            dues.append((due, amount))
        wanted = sorted(part for part in position.by_due_date(document.open_minor, dues) if part[1])
        rows = [row for row in listing.every(wanted=Wanted(text=document.number), today=TODAY) if row.id == document.pk]
        assert sorted((row.due_date, row.open_minor) for row in rows) == wanted
        assert all(row.part for row in rows)


@pytest.mark.parametrize("sort", sorted(listing.SORTS))
@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
def test_paging_by_key_neither_skips_nor_repeats(inside: uuid.UUID, sort: str, down: bool) -> None:
    a_book()
    wanted = Wanted(state="all", sort=sort, down=down)
    seen, after = [], ""
    while True:
        rows, after = listing.page(wanted=wanted, today=TODAY, after=after, limit=3)
        seen += [(row.id, row.part) for row in rows]
        if not after:
            break
    assert seen == [(row.id, row.part) for row in listing.page(wanted=wanted, today=TODAY, limit=500)[0]]
    assert len(seen) == len(set(seen)) == 25


@pytest.mark.parametrize("key", ["abc", "1~2", "x~1~0", "2026-99-99~1~0", "'; DROP TABLE x --~1~0", "infinity~99999999999999999999~0"])
def test_a_mangled_key_starts_at_the_first_page(inside: uuid.UUID, key: str) -> None:
    a_book()
    assert listing.page(wanted=Wanted(), today=TODAY, after=key) == listing.page(wanted=Wanted(), today=TODAY)


def test_filters_narrow_and_their_totals_follow(inside: uuid.UUID) -> None:
    a_book()
    document = listing.page(wanted=Wanted(currency="EUR", bucket="90+"), today=TODAY)[0][0]
    owner = builders.Customer.objects.get(pk=document.customer_id)
    dispute.open(document=builders.Document.objects.get(pk=document.id), amount_minor=100, said="too dear", actor=ADA, now=NOW)
    found = {
        "disputed": Wanted(flag="disputed"), "text": Wanted(text=document.number), "amount": Wanted(least=Decimal("5000"), currency="JPY"),
        "customer": Wanted(customer=owner.pk, bucket="1-30"), "due": Wanted(due_from=TODAY, due_to=TODAY, currency="EUR"),
        "nothing": Wanted(text="no such thing %"),
    }
    counts = {name: sum(t.count for t in listing.totals(wanted=wanted, today=TODAY)) for name, wanted in found.items()}
    assert counts == {"disputed": 1, "text": 1, "amount": 1, "customer": 2, "due": 1, "nothing": 0}
    row = listing.page(wanted=found["disputed"], today=TODAY)[0][0]
    assert (row.state(TODAY), row.disputed_minor) == ("disputed", 100)


def test_a_percent_sign_in_the_text_is_a_percent_sign(inside: uuid.UUID) -> None:
    owner = builders.customer("100% Cotton GmbH")
    builders.invoice(owner, number="A_1")
    builders.invoice(owner, number="AB1")
    assert [row.number for row in listing.page(wanted=Wanted(text="A_1"), today=TODAY)[0]] == ["A_1"]
    assert len(listing.page(wanted=Wanted(text="100%"), today=TODAY)[0]) == 2


def test_money_is_expected_by_habit_and_promise_and_not_where_it_is_contested(inside: uuid.UUID) -> None:
    owner, lawsuit = builders.customer("Ten days late"), builders.customer("In court")
    Profile.objects.create(customer=owner, tier="medium", median_days_late=10, paid_invoices=9, as_of=TODAY, computed_at=NOW)
    builders.invoice(owner, "100.00", (TODAY - dt.timedelta(days=5)).isoformat())  # usual day in 5 days
    builders.invoice(owner, "200.00", (TODAY + dt.timedelta(days=6)).isoformat())  # in 16: past the fortnight, within the band
    builders.invoice(owner, "400.00", (TODAY - dt.timedelta(days=60)).isoformat())  # past its usual day
    promised = builders.invoice(owner, "800.00", (TODAY - dt.timedelta(days=90)).isoformat())
    promise.record(
        customer=owner, amount_minor=80000, currency="EUR", promised_date=TODAY + dt.timedelta(days=12), document=promised, actor=ADA, now=NOW)
    contested = builders.invoice(owner, "1600.00", TODAY.isoformat())
    dispute.open(document=contested, amount_minor=1, actor=ADA, now=NOW)
    builders.invoice(lawsuit, "3200.00", TODAY.isoformat())
    hold.place(customer=lawsuit, reason="legal", actor=ADA, now=NOW)
    [eur] = expected.expected(today=TODAY)
    assert (eur.fortnight.low, eur.fortnight.mid, eur.fortnight.high) == (10000, 90000, 110000)
    assert (eur.past_usual_minor, eur.past_usual_count) == (40000, 1)
    rows = list(listing.every(wanted=Wanted(flag="expected"), today=TODAY))
    assert sum(row.open_minor for row in rows) == eur.fortnight.mid


def test_the_line_of_expected_money_never_falls_and_stays_in_its_band() -> None:
    chance = random.Random(3)
    days = [(TODAY + dt.timedelta(days=chance.randint(-30, 90)), chance.randint(1, 9999), 1) for _ in range(200)]
    line = expected.forecast("EUR", days, today=TODAY).line
    assert [p.date for p in line] == [TODAY + dt.timedelta(days=7 * week) for week in range(expected.WEEKS + 1)]
    assert all(p.low <= p.mid <= p.high for p in line)
    assert all(a.mid <= b.mid for a, b in pairwise(line))


def test_the_largest_holders_of_overdue_money_are_named_with_their_share(inside: uuid.UUID) -> None:
    for name, amount in (("A", "600.00"), ("B", "300.00"), ("C", "60.00"), ("D", "40.00")):
        builders.invoice(builders.customer(name), amount, "2026-05-01")
    assert [(h.name, h.percent) for h in figures.holders(today=TODAY)] == [("A", 60), ("B", 30), ("C", 6)]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [("INV-77", ["invoice"]), ("inv-77", ["invoice"]), ("NV-7", ["invoice"]), ("brightw", ["customer"]), ("PO 12", ["invoice"]),
     ("thanks", ["payment"]), ("nothing like it", []), ("   ", []), ("%", []), ("\\", [])],
)
def test_find_by_what_somebody_has_in_front_of_them(inside: uuid.UUID, text: str, kinds: list[str]) -> None:
    builders.invoice(builders.customer("Brightwater pays late"), number="INV-77", po_number="PO 12")
    builders.payment("5.00", text="many thanks")
    assert [hit.kind for hit in find.find(text=text)] == kinds
