"""The health report: what changed in one system and not in another, how each connection did, the same on the page and on paper."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor, Refused
from tieout.stages.health import report, report_pdf
from tieout.stages.health.models import Alert, HealthReport
from tieout.stages.intake.models import Connection, QuarantinedRow, Run
from tieout.stages.ledger import correct
from tieout.stages.ledger.models import Allocation, Document, SourceRecord
from tieout.stages.writeback.models import Outgoing

ADA = Actor("person", "Ada", 1)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
TODAY = NOW.date()
JUNE = dt.date(2026, 6, 1)
pytestmark = pytest.mark.database


def system(name: str, **fields: Any) -> Connection:
    return Connection.objects.create(**{
        "name": name, "kind": "system", "vendor": name.lower(), "stage": "live", "created_at": NOW - 90 * DAY, "last_success_at": NOW,
        "cadence_hours": 1, **fields,
    })  # fmt: skip


def says(document: Document, source: Connection, *, at: dt.datetime = NOW - 3 * DAY, **word: Any) -> SourceRecord:
    """What another system says of a document."""
    return SourceRecord.objects.create(
        connection=source, kind=document.kind, external_id=f"x{document.pk}", target_id=document.pk, content_hash=b"x", recorded_at=at, seen_at=at,
        **{"reported_minor": document.amount_minor, "reported_open_minor": document.amount_minor, "reported_status": "open", **word},
    )  # fmt: skip


def born(in_: Connection, number: str, *, at: dt.datetime = NOW - 3 * DAY, **fields: Any) -> Document:
    """An invoice of 100.00 that a system reports as open, with its record there."""
    usual = {"connection": in_, "reported_open_minor": 10_000, "recorded_at": at, "created_at": at}
    made = builders.invoice(builders.customer(f"{number} Ltd"), "100.00", number=number, **{**usual, **fields})
    # The builder's own record is of the file it usually comes from; here it is the system's.
    SourceRecord.objects.filter(kind="invoice", target_id=made.pk).update(connection=in_, seen_at=at, recorded_at=at)
    return made


def paid(document: Document, at: dt.datetime = NOW - DAY) -> None:
    money = builders.payment("100.00", owner=document.customer)
    Allocation.objects.create(
        kind="cash", payment=money, document=document, currency="EUR", amount_minor=10_000, date=at.date(), recorded_at=at, rank=1,
        actor_kind="machine", actor_name="tieout", rule="unique", reason="named",
    )  # fmt: skip


def made(begin: dt.date = JUNE, end: dt.date = TODAY, *, now: dt.datetime = NOW, compared: dict[int, report.Compared] | None = None) -> report.Facts:
    row = report.make(
        from_date=begin, to_date=end, monthly=False, compared=compared or {}, today=now.date(), actor=ADA, now=now, zone=BERLIN
    )
    assert isinstance(row, HealthReport), row
    return report.facts_of(HealthReport.objects.get(pk=row.pk))


def told(facts: report.Facts) -> list[str]:
    return sorted(f"{c.number}: {c.to} in {c.changed_in}, {c.still} in {c.not_in}" for c in facts.changed)


def test_a_status_that_changed_in_one_system_and_not_in_the_other_is_told_with_where(inside: uuid.UUID) -> None:
    stripe, books = system("Stripe"), system("QuickBooks")
    both = born(stripe, "SAME")
    says(both, books)
    one = born(stripe, "PAID", reported_open_minor=0)
    paid(one)
    says(one, books)
    two = born(stripe, "VOID", status="void", recorded_at=NOW - 2 * DAY)
    says(two, books)
    three = born(stripe, "THERE")
    says(three, books, reported_status="void", at=NOW - DAY)
    four = born(stripe, "BANK")
    paid(four)
    says(four, books, reported_open_minor=0, at=NOW - DAY)
    five = born(stripe, "GONE")
    says(five, books, gone_at=NOW - DAY)
    six = born(stripe, "PART")
    says(six, books, reported_open_minor=4_000, at=NOW - DAY)
    seven = born(stripe, "UNSAID")
    says(seven, books, reported_open_minor=None, reported_minor=None, reported_status="")
    assert told(made()) == [
        "BANK: paid in our books, open in Stripe",
        "GONE: deleted in QuickBooks, open in Stripe",
        "PAID: paid in Stripe, open in QuickBooks",
        "PART: part paid in QuickBooks, open in Stripe",
        "THERE: void in QuickBooks, open in Stripe",
        "VOID: void in Stripe, open in QuickBooks",
    ]


def test_what_changed_before_the_period_is_counted_and_not_listed_and_what_changed_after_it_is_neither(inside: uuid.UUID) -> None:
    stripe, books = system("Stripe"), system("QuickBooks")
    for number, at in (("MAY", NOW - 20 * DAY), ("JUNE", NOW - 2 * DAY)):
        document = born(stripe, number, at=at, status="void")
        says(document, books, at=at - DAY)
    facts = made()
    assert (told(facts), facts.changed_count, facts.older_count) == (["JUNE: void in Stripe, open in QuickBooks"], 1, 1)
    may = made(dt.date(2026, 5, 1), dt.date(2026, 5, 31))
    assert (told(may), may.older_count) == (["MAY: void in Stripe, open in QuickBooks"], 0)


def test_a_disconnected_system_and_one_system_alone_disagree_with_nobody(inside: uuid.UUID) -> None:
    stripe, books = system("Stripe"), system("QuickBooks", paused_at=NOW - DAY)
    document = born(stripe, "VOID", status="void")
    says(document, books)
    assert told(made()) == []


def test_each_connection_is_told_by_its_own_figures_of_the_period(inside: uuid.UUID) -> None:
    stripe, other = system("Stripe"), system("Quiet", last_success_at=NOW - 5 * HOUR)
    for at, state, created in ((NOW - DAY, "done", 3), (NOW - HOUR, "failed", 0), (NOW - 40 * DAY, "done", 50)):
        run = Run.objects.create(connection=stripe, started_at=at, state=state, mode="changes", created=created, updated=1, quarantined=1)
    Run.objects.create(connection=stripe, started_at=NOW - DAY, state="done", mode="echo", created=9)
    QuarantinedRow.objects.create(connection=stripe, run=run, code="not_understood", message="?")
    document = born(stripe, "INV-1")
    correct.field(kind="invoice", target_id=document.pk, field="po_number", value="PO-7", reason="said so", actor=ADA, now=NOW - HOUR)
    for state, times in (("done", 2), ("failed", 1), ("unknown", 1)):
        for n in range(times):
            Outgoing.objects.create(
                kind="credit_note", natural_key=f"{state}{n}", connection=stripe, state=state, written_at=NOW - DAY, settled_at=NOW - DAY)
    Outgoing.objects.create(kind="void", natural_key="w", connection=stripe, state="waiting", written_at=NOW - HOUR)
    Outgoing.objects.create(kind="void", natural_key="old", connection=stripe, state="done", written_at=NOW - 60 * DAY, settled_at=NOW - 60 * DAY)
    for closed, first in ((NOW - DAY, NOW - 2 * DAY), (None, NOW - 2 * HOUR), (NOW - 50 * DAY, NOW - 51 * DAY)):
        Alert.objects.create(
            key=f"stale:{first}", kind="stale", severity="urgent", subject="s", page="connection", connection=stripe, first_seen_at=first,
            last_seen_at=first, closed_at=closed)
    compared = report.Compared(
        at=NOW, documents=4, differing=1, causes={"EUR": {"timing": -300, "unexplained": 250}}, of_document={document.pk: "applied here"})
    facts = made(compared={stripe.pk: compared})
    parts = {part.connection_id: part for part in facts.parts}
    quiet, told_ = parts[other.pk], parts[stripe.pk]
    assert (quiet.name, quiet.stale != "", quiet.readings) == ("Quiet", True, 0)
    assert (told_.readings, told_.failed, told_.created, told_.updated, told_.quarantined, told_.still_aside) == (2, 1, 3, 2, 2, 1)
    assert told_.corrections == 1
    assert (told_.alerts_opened, told_.alerts_closed, told_.alert_minutes) == (2, 1, 26 * 60)
    assert [(w.act, w.done, w.failed, w.unknown, w.waiting) for w in told_.written] == [("credit note", 2, 1, 1, 0), ("void", 0, 0, 0, 1)]
    causes = [(d.cause, d.minor) for d in told_.differences]
    assert causes == [("applied here and not yet in what the source reports", -300), ("no cause is known", 250)]
    assert facts.sums["written"] == 2


@pytest.mark.parametrize(
    ("begin", "end", "why"),
    [
        (TODAY, TODAY - DAY, "ends before it begins"),
        (TODAY, TODAY + DAY, "in the future"),
        (TODAY - 400 * DAY, TODAY, "a year at most"),
    ],
)
def test_a_period_that_cannot_be_is_refused_in_words(inside: uuid.UUID, begin: dt.date, end: dt.date, why: str) -> None:
    refused = report.make(from_date=begin, to_date=end, monthly=False, compared={}, today=TODAY, actor=ADA, now=NOW, zone=BERLIN)
    assert isinstance(refused, Refused)
    assert why in refused.reason
    assert not HealthReport.objects.exists()


def test_the_paper_holds_every_figure_and_is_the_same_each_time(inside: uuid.UUID) -> None:
    stripe, books = system("Stripe"), system("QuickBooks #1 [eu] *x*")
    document = born(stripe, "INV-<7> & $x_1$", status="void")
    says(document, books)
    Run.objects.create(connection=stripe, started_at=NOW - DAY, state="done", mode="changes", created=1_234)
    compared = report.Compared(at=NOW, documents=4, differing=1, causes={"EUR": {"unexplained": 123_456_789}}, of_document={document.pk: "late <b>"})
    facts = made(compared={books.pk: compared})
    paper = report_pdf.pdf(facts, zone=BERLIN)
    assert paper == report_pdf.pdf(facts, zone=BERLIN)
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages).split())
    for wanted in (
        "Health report", "1 June 2026 to 10 June 2026", "Marrow Lane Studio", "Made 10 Jun 2026, 11:30", "INV-<7> & $x_1$", "void in Stripe",
        "open in QuickBooks #1 [eu] *x*", "late <b>", "1,234", "1 of 4 documents differ", "EUR 1,234,567.89", "no cause is known",
    ):  # fmt: skip
        assert wanted in text, f"{wanted!r} is not in {text!r}"
    for name, figure in report_pdf.shown(facts, BERLIN)["sums"]:
        assert f"{name} {figure}" in text
    assert report_pdf.name(facts) == "health-report-2026-06-01-to-2026-06-10.pdf"


def test_a_paper_of_nothing_says_so(inside: uuid.UUID) -> None:
    text = " ".join(PdfReader(io.BytesIO(report_pdf.pdf(made(), zone=BERLIN))).pages[0].extract_text().split())
    assert "every status that changed is the same everywhere" in text
    assert "No system was connected" in text


@pytest.mark.parametrize(("minutes", "words"), [(0, "0 min"), (59, "59 min"), (725, "12 h 5 min"), (4_560, "3 d 4 h")])
def test_how_long_is_written_as_people_say_it(minutes: int, words: str) -> None:
    assert report_pdf.lasted(minutes) == words
