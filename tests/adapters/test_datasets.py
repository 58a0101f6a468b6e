"""Real invoice histories beside the project: totals per currency equal an independent sum, and no row is lost."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest

from tests.adapters.tables import kinds, read
from tieout.adapters.ports.format import Upload
from tieout.adapters.ports.profile import load

PROFILES = Path(__file__).parent / "profiles"
CENT = Decimal("0.01")

Row = dict[str, str]


def rows_of(path: Path) -> Iterator[Row]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    yield from csv.DictReader(text.splitlines())


def in_dollars(_row: Row) -> str:
    return "USD"


def by_business_code(row: Row) -> str:
    return "CAD" if row["business_code"] == "CA02" else "USD"


@pytest.mark.parametrize(
    ("file", "profile", "amount", "currency", "paid"),
    [
        pytest.param("ibm-accounts-receivable/*.csv", "ibm-late-payment", "InvoiceAmount", in_dollars, "SettledDate", id="no currency column"),
        pytest.param(
            "highradius-payments/closed*", "highradius-closed", "total_open_amount", by_business_code, "clear_date", id="currency by condition"
        ),
        pytest.param("highradius-payments/open*", "highradius-open", "converted_usd", in_dollars, None, id="amounts computed in floating point"),
    ],
)
def test_totals_per_currency_equal_an_independent_sum(
    shared: Path, file: str, profile: str, amount: str, currency: Callable[[Row], str], paid: str | None
) -> None:
    path = next((shared / "datasets").glob(file))
    expected: dict[str, Decimal] = defaultdict(Decimal)
    received: dict[str, Decimal] = defaultdict(Decimal)
    count = 0
    for row in rows_of(path):
        value = Decimal(row[amount]).quantize(CENT, rounding=ROUND_HALF_EVEN)
        expected[currency(row)] += value
        count += 1
        if paid and row[paid]:
            received[currency(row)] += value

    records, findings = read(Upload.of_path(path), profile=load(PROFILES / f"{profile}.yaml"))

    claimed: dict[str, Decimal] = defaultdict(Decimal)
    for body in kinds(records, "invoice"):
        claimed[body["currency"]] += Decimal(body["amount"])
    paid_out: dict[str, Decimal] = defaultdict(Decimal)
    for body in kinds(records, "payment"):
        paid_out[body["currency"]] += Decimal(body["amount"])
    assert claimed == expected
    assert paid_out == received
    assert [f for f in findings if f.blocking] == []
    assert {body["line"] for body in kinds(records, "invoice")} == set(range(2, count + 2))


def test_real_exports_end_in_records_findings_or_a_stated_question(shared: Path) -> None:
    from tieout.adapters.ports import registry
    from tieout.adapters.ports.errors import PortError

    outcomes: dict[str, int] = defaultdict(int)
    for path in sorted((shared / "corpora" / "csv").iterdir()) + sorted((shared / "corpora" / "sheet").iterdir()):
        if path.suffix == ".md" or path.name == "FILES.tsv":
            continue
        try:
            shown = registry.preview(Upload.of_path(path))
        except PortError:
            outcomes["refused"] += 1
            continue
        outcomes["asked" if shown.questions else "read"] += 1
        assert shown.questions or shown.records or shown.findings
    assert outcomes["read"] >= 30, outcomes
