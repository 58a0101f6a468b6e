"""The formats themselves: the shared exam, encodings, line numbers, large files, spreadsheets, ready profiles."""

from __future__ import annotations

import contextlib
import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.tables import HEADER, invoices, kinds, read, upload
from tieout.adapters.ports import exam, registry
from tieout.adapters.ports.errors import NeedsPerson, PortError, Unsupported
from tieout.adapters.ports.format import RowFinding, Upload
from tieout.adapters.ports.profile import from_plain, load
from tieout.adapters.ports.table import headers


@pytest.mark.parametrize("name", sorted(registry.formats()))
def test_every_format_passes_the_exam(name: str) -> None:
    assert list(exam.complaints(registry.formats()[name])) == []


def test_the_exam_notices_a_reading_that_differs_from_its_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = registry.formats()["csv"]
    samples = tmp_path / "samples"
    samples.mkdir()
    (tmp_path / "README.md").write_text("quirks")
    (samples / "a.csv").write_text(f"{HEADER}\nA1,C1,B,2026-01-31,,EUR,5.00\n")
    (samples / "a.csv.expected.jsonl").write_text('{"kind": "invoice", "amount": 5.0}\n')
    monkeypatch.setattr(adapter, "folder", tmp_path)
    assert list(exam.complaints(adapter)) == ["a.csv: does not read as its twin says"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_file_in_any_usual_encoding(encoding: str) -> None:
    text = f"{HEADER}\nA1,C1,Müller & Söhne Straße,2026-01-31,,EUR,5.00\n" * 1
    records, findings = read(upload(text.encode(encoding)))
    assert kinds(records, "invoice")[0]["customer_name"] == "Müller & Söhne Straße"
    assert findings == []


def test_central_european_bytes_are_read_as_such() -> None:
    text = f"{HEADER}\nA1,C1,Příliš žluťoučký kůň úpěl ďábelské ódy,2026-01-31,,CZK,5.00\n"
    records, _ = read(upload(text.encode("cp1250")))
    assert kinds(records, "invoice")[0]["customer_name"] == "Příliš žluťoučký kůň úpěl ďábelské ódy"


def test_a_file_that_stops_being_utf8_far_down_is_read_whole_in_the_other_encoding() -> None:
    plain_rows = "".join(f"A{i},C1,Plain,2026-01-31,,EUR,5.00\n" for i in range(40_000))
    content = (HEADER + "\n" + plain_rows).encode() + "B1,C2,Café Crème,2026-01-31,,EUR,5.00\n".encode("cp1252")
    records, findings = read(upload(content))
    assert kinds(records[-2:], "invoice")[0]["customer_name"] == "Café Crème"
    assert findings == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, newline: str) -> None:
    lines = [HEADER, "A1,C1,B,2026-01-31,,EUR,5.00", "A2,C1,B,2026-01-31,,EUR,6.00"]
    records, findings = read(upload(newline.join(lines).replace(",", delimiter)))
    assert [(b["invoice_id"], b["line"]) for b in kinds(records, "invoice")] == [("A1", 2), ("A2", 3)]
    assert findings == []


def test_line_numbers_are_those_of_the_file_below_titles_and_cells_of_several_lines() -> None:
    text = f'Report of Marrow Lane\n\n{HEADER}\nA1,C1,"Two\r\nlines",2026-01-31,,EUR,5.00\n\nA2,C1,B,2026-01-31,,EUR,6.00\nTotal,,,,,,11.00\n'
    records, findings = read(upload(text))
    assert [(b["invoice_id"], b["line"]) for b in kinds(records, "invoice")] == [("A1", 4), ("A2", 7)]
    assert [(f.code, f.line, f.blocking) for f in findings] == [("totals_row", 8, False)]


def test_gzip_is_opened_on_the_way() -> None:
    records, _ = read(upload(gzip.compress(f"{HEADER}\nA1,C1,B,2026-01-31,,EUR,5.00\n".encode()), name="x.csv.gz"))
    assert len(kinds(records, "invoice")) == 1


def test_a_large_file_is_understood_from_samples_and_still_checked_row_by_row() -> None:
    rows = [f"A{i},C{i % 7},B,2026-01-31,2026-02-{i % 28 + 1:02d},EUR,{i}.50" for i in range(60_000)]
    rows[30_001] = "A30001,C1,B,2026-01-31,2026-02-30,EUR,1.00"
    progress: list[tuple[int, int]] = []
    file = invoices(*rows)
    everything = list(registry.read(file, progress=lambda done, total: progress.append((done, total))))

    assert sum(1 for r in everything if type(r).__name__ == "Invoice") == 59_999
    assert [(r.code, r.line) for r in everything if isinstance(r, RowFinding) and r.blocking] == [("impossible_date", 30_003)]
    assert progress == sorted(progress)
    assert progress[-1] == (file.size, file.size)
    assert abs(registry.preview(file).row_estimate - 60_000) < 6_000


def test_a_date_order_that_only_a_far_row_settles_is_found_by_the_samples() -> None:
    rows = [f"A{i},C1,B,{i % 12 + 1:02d}/{'28' if i > 30_000 else '03'}/2026,,EUR,1.00" for i in range(60_000)]
    assert registry.preview(invoices(*rows)).profile.date_order == "MDY"


NAMES = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(NAMES, st.integers(0, 10**9)), min_size=1, max_size=8))
def test_every_row_becomes_a_record_or_a_finding(rows: list[tuple[str, int]]) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name, _ in rows]
    file = invoices(*[f"A{i},C1,{quoted[i]},2026-01-31,,EUR,{whole}.00" for i, (_, whole) in enumerate(rows)])
    records, findings = read(file)
    lines = {body["line"] for body in kinds(records, "invoice")} | {f.line for f in findings if f.blocking}
    assert lines == set(range(2, len(rows) + 2))


@given(st.binary(max_size=600))
def test_any_bytes_end_in_records_findings_or_one_of_the_four_refusals(content: bytes) -> None:
    with contextlib.suppress(PortError):
        assert all(r.line is not None for r in registry.read(upload(HEADER.encode() + b"\n" + content)))


def test_a_profile_survives_being_stored() -> None:
    for profile in registry.profiles().values():
        assert from_plain(json.loads(msgspec.json.encode(profile))) == profile


def test_a_profile_with_a_slip_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("kind: invoic\ncolumns: {}\n")
    with pytest.raises(ValueError, match=r"mine.yaml.*kind"):
        load(path)


def test_a_changed_header_is_said_and_a_lost_column_is_asked() -> None:
    profile = registry.preview(invoices("A1,C1,B,2026-01-31,,EUR,5.00")).profile
    _, findings = read(upload(f"{HEADER},extra\nA1,C1,B,2026-01-31,,EUR,5.00,x\n"), profile=profile)
    assert [f.code for f in findings] == ["header_changed"]
    with pytest.raises(NeedsPerson, match="amount"):
        registry.read(upload("invoice_id,customer_id,currency\nA1,C1,EUR\n"), profile=profile)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("invoice_id,number,customer_id,issue_date,due_date,currency,amount,open_amount,discount_pct,po_number,recorded_at", "invoices"),
        ("payment_id,date,amount,currency,payer_name,payer_account,reference,remittance,bank_ref,recorded_at", "payments"),
        ("payment_id,document_id,amount,date,recorded_at", "allocations"),
        ("customer_id,name,aliases,country,city,currency,email,phone,parent_id,accounts,debtor_type,time_zone,language,tier", "customers"),
        ("credit_note_id,number,customer_id,date,currency,amount,open_amount,related_invoice", "credit_notes"),
        ("Date,Transaction Type,Num,Name,Memo/Description,Account,Split,Amount", "quickbooks-transaction-list"),
        ("Date,Transaction Type,Num,Name,Memo/Description,Due Date,Amount,Open Balance", "quickbooks-invoice-list"),
        ("Date,Transaction type,Num,Customer full name,Due date,Amount,Open balance", "quickbooks-ar-aging-detail"),
    ],
)
def test_a_ready_profile_knows_its_header(header: str, name: str) -> None:
    known = headers.best_ready(header.split(","), registry.profiles())
    assert known is not None
    assert known.name == name


def test_every_ready_profile_says_where_its_headers_come_from() -> None:
    for profile in registry.profiles().values():
        assert profile.source is not None
        assert profile.source.citation if profile.source.verified else profile.source.reason


def test_a_real_stripe_export_is_known(shared: Path) -> None:
    file = Upload.of_path(next((shared / "corpora" / "csv").glob("*stripe-all.csv")))
    shown = registry.preview(file)
    assert shown.profile.name == "stripe-payments"
    assert {type(r).__name__ for r in shown.records} == {"Payment"}


def test_rows_grouped_under_customers_take_the_name_from_the_heading() -> None:
    text = (
        "Date,Transaction type,Num,Due date,Amount,Open balance\n"
        "Corner Bakery,,,,,\n2026-01-05,Invoice,SI-1,2026-02-04,100.00,80.00\nTotal for Corner Bakery,,,,,80.00\n"
        "Harbour Sports,,,,,\n2026-01-06,Invoice,SI-2,2026-02-05,50.00,50.00\n2026-01-06,Invoice,SI-3,2026-02-31,50.00,50.00\n"
    )
    profile = registry.profiles()["quickbooks-ar-aging-by-customer"]
    records, findings = read(upload(text), profile=profile, answers={"currency": "USD"})
    assert [(b["number"], b["customer_id"]) for b in kinds(records, "invoice")] == [("SI-1", "Corner Bakery"), ("SI-2", "Harbour Sports")]

    refused = next(f for f in findings if f.blocking)
    stored = registry.preview(upload(text), profile=profile, answers={"currency": "USD"}).profile
    mended = list(registry.reread([(refused.line or 0, {**refused.raw, "Due date": "2026-02-28"})], profile=stored))
    assert [b["customer_id"] for b in kinds(mended, "invoice")] == ["Harbour Sports"]


def test_lines_of_one_invoice_hold_together_over_batches_and_wait_for_a_refused_line() -> None:
    header = "Invoice Number,Customer,Due Date,Currency,Total,Item Description,Line Amount"
    rows = [f"R-{i // 3},Acme,2026-02-28,EUR,30.00,item {i},{'x' if i == 6001 else '10.00'}" for i in range(9000)]
    records, findings = read(upload("\n".join([header, *rows])))
    bodies = kinds(records, "invoice")
    assert len(bodies) == 2999
    assert {len(b["lines"]) for b in bodies} == {3}
    assert [(f.code, f.line) for f in findings] == [("invoice_waits", 6002), ("bad_amount", 6003), ("invoice_waits", 6004)]


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Upload:
    book = xlsxwriter.Workbook(str(path))
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return Upload.of_path(path)


def test_a_workbook_with_rows_on_two_sheets_is_asked(tmp_path: Path) -> None:
    rows: list[list[Any]] = [HEADER.split(","), ["A1", "C1", "B", "2026-01-31", "", "EUR", 5]]
    file = workbook(tmp_path / "book.bin", {"March": rows, "April": rows})
    with pytest.raises(NeedsPerson, match="March, April") as caught:
        registry.read(file)
    assert caught.value.questions[0].code == "sheet"
    records, _ = read(file, answers={"sheet": "April"})
    assert kinds(records, "invoice")[0]["amount"] == "5.00"


def test_number_cells_are_exact_to_the_digits_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    cells = [0.1 + 0.2, 1234.5, 1e12 + 0.25, 75.255, 1.005, 3]
    rows: list[list[Any]] = [HEADER.split(","), *([f"A{i}", "C1", "B", "2026-01-31", "", "EUR", cell] for i, cell in enumerate(cells))]
    records, findings = read(workbook(tmp_path / "b.xlsx", {"S": rows}))
    assert [b["amount"] for b in kinds(records, "invoice")] == ["0.30", "1234.50", "1000000000000.25", "3.00"]
    assert [f.code for f in findings] == ["too_many_places"] * 2


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(Unsupported, match="zip archive"):
        registry.read(Upload.of_path(path))
