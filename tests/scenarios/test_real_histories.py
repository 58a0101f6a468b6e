"""Real invoice histories through the command a user types: totals and a past aging equal tables computed independently."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import uuid
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.conftest import ROOT
from tieout.core import measures
from tieout.faces.cli import main
from tieout.stages.base import walls
from tieout.stages.intake.models import Connection, QuarantinedRow, Run
from tieout.stages.ledger import as_of
from tieout.stages.ledger.models import Document

PROFILES = ROOT / "tests" / "adapters" / "profiles"
CENT = Decimal("0.01")
Row = dict[str, str]


def rows_of(path: Path) -> Iterator[Row]:
    data = path.read_bytes()
    yield from csv.DictReader((gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines())


def minor(text: str) -> int:
    return int(Decimal(text).quantize(CENT, rounding=ROUND_HALF_EVEN) * 100)


def take(organisation: uuid.UUID, connection: str, path: Path, profile: str) -> None:
    arguments = ["import", connection, str(path), "--org", str(organisation), "--profile", str(PROFILES / f"{profile}.yaml"), "--json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output


def slash(text: str) -> dt.date:
    month, day, year = text.split("/")
    return dt.date(int(year), int(month), int(day))


def table(rows: list[tuple[str, str, int, dt.date, dt.date, dt.date | None]], day: dt.date) -> dict[tuple[str, str], int]:
    """(currency, bucket) → minor units open on `day`, from (customer, currency, amount, issued, due, paid)."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for _, currency, amount, issued, due, paid in rows:
        if issued <= day and (paid is None or paid > day):
            late = (day - due).days
            bucket = "current" if late <= 0 else "1-30" if late <= 30 else "31-60" if late <= 60 else "61-90" if late <= 90 else "90+"
            found[currency, bucket] += amount
    return dict(found)


def ledger(organisation: uuid.UUID, day: dt.date) -> dict[tuple[str, str], int]:
    with walls.inside(organisation):
        known_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        aged = measures.totals(measures.aging(as_of.positions(day=day, known_at=known_at), day))
    return {(r["currency"], b): r[b] for r in aged.iter_rows(named=True) for b in ("current", "1-30", "31-60", "61-90", "90+") if r[b]}


def totals(organisation: uuid.UUID) -> dict[str, int]:
    with walls.inside(organisation):
        found: dict[str, int] = defaultdict(int)
        for currency, amount in Document.objects.values_list("currency", "amount_minor"):
            found[currency] += amount
        return dict(found)


def accounted(organisation: uuid.UUID, connection: str) -> bool:
    """Every row read reached one end, and nothing waits."""
    with walls.inside(organisation):
        run = Run.objects.get(connection=Connection.objects.get(name=connection))
        assert not QuarantinedRow.objects.exists()
        return bool(run.read == run.created + run.updated + run.unchanged + run.quarantined + run.skipped)


def test_a_paid_history_without_a_currency_column(organisation: uuid.UUID, shared: Path) -> None:
    path = next((shared / "datasets").glob("ibm-accounts-receivable/*.csv"))
    rows = [
        (r["customerID"], "USD", minor(r["InvoiceAmount"]), slash(r["InvoiceDate"]), slash(r["DueDate"]), slash(r["SettledDate"]))
        for r in rows_of(path)
    ]
    take(organisation, "Histories", path, "ibm-late-payment")
    assert len(rows) == 2466
    assert totals(organisation) == {"USD": sum(r[2] for r in rows)}
    assert accounted(organisation, "Histories")
    for day in (dt.date(2012, 6, 30), dt.date(2013, 3, 31), dt.date(2014, 6, 1)):
        assert ledger(organisation, day) == table(rows, day)


def test_a_large_paid_history_with_conditional_currency_and_paid_dates(organisation: uuid.UUID, shared: Path) -> None:
    path = next((shared / "datasets").glob("highradius-payments/closed*"))
    iso = dt.date.fromisoformat
    rows = [
        (
            r["cust_number"],
            "CAD" if r["business_code"] == "CA02" else "USD",
            minor(r["total_open_amount"]),
            iso(r["issue_date_est"]),
            iso(r["due_in_date"]),
            iso(r["clear_date"]) if r["clear_date"] else None,
        )
        for r in rows_of(path)
    ]
    take(organisation, "Closed", path, "highradius-closed")
    expected: dict[str, int] = defaultdict(int)
    for _, currency, amount, *_dates in rows:
        expected[currency] += amount
    assert len(rows) == 40_000
    assert totals(organisation) == dict(expected)
    assert accounted(organisation, "Closed")
    for day in (dt.date(2019, 6, 30), dt.date(2020, 2, 1)):
        assert ledger(organisation, day) == table(rows, day)


def test_an_open_book_whose_amounts_were_computed_in_floating_point(organisation: uuid.UUID, shared: Path) -> None:
    path = next((shared / "datasets").glob("highradius-payments/open*"))
    rows = list(rows_of(path))
    take(organisation, "Open", path, "highradius-open")
    assert len(rows) == 9_681
    assert totals(organisation) == {"USD": sum(minor(r["converted_usd"]) for r in rows)}
    assert accounted(organisation, "Open")


@pytest.mark.parametrize("again", [1, 3])
def test_the_same_history_again_changes_nothing(organisation: uuid.UUID, shared: Path, again: int) -> None:
    path = next((shared / "datasets").glob("ibm-accounts-receivable/*.csv"))
    for _ in range(1 + again):
        take(organisation, "Histories", path, "ibm-late-payment")
    with walls.inside(organisation):
        assert (Run.objects.count(), Document.objects.count()) == (1, 2466)
