"""Bad input gets a clear answer where it stands; good rows go on; nothing is lost."""

from __future__ import annotations

import gzip
import io
from typing import BinaryIO

import pytest

from tests.adapters.tables import HEADER, invoices, kinds, read, upload
from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import NeedsPerson, Unsupported
from tieout.adapters.ports.format import Upload
from tieout.adapters.ports.profile import Profile

GOOD = "A1,C1,Brightwater,2026-01-31,2026-02-28,EUR,100.00"


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        pytest.param("A2,C1,B,2026-01-31,2026-02-31,EUR,1.00", "impossible_date", "due_date", id="31 February is refused"),
        pytest.param("A2,C1,B,2026-01-31,31.02.2026,EUR,1.00", "impossible_date", "due_date", id="31 February is refused in any order"),
        pytest.param("A2,C1,B,1023-01-31,2026-02-01,EUR,1.00", "implausible_date", "issue_date", id="a year before companies is refused"),
        pytest.param("A2,C1,B,2026-01-31,soon,EUR,1.00", "bad_date", "due_date", id="a word is no date"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,1.005", "too_many_places", "amount", id="three decimals in euros are refused"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,JPY,1.50", "too_many_places", "amount", id="decimals in yen are refused"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,-5.00", "negative_invoice", "amount", id="a negative invoice is refused"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,XXQ,5.00", "currency_unknown", "currency", id="an unknown currency is refused"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,XAU,5.00", "currency_unknown", "currency", id="gold is no currency of invoices"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,,5.00", "currency_missing", "currency", id="a blank currency is refused"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,1e3", "bad_amount", "amount", id="an exponent is no amount"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,12..34", "bad_amount", "amount", id="two points are no amount"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,1_000.00", "bad_amount", "amount", id="an underscore is no group mark"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,٣٤.00", "bad_amount", "amount", id="digits of another script are not guessed"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,n/a", "bad_amount", "amount", id="n/a is no amount"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,€5 USD", "currency_differs", "amount", id="two currencies in one cell are refused"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,$5.00", "currency_differs", "amount", id="a sign against its row is refused"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,9999999999999999.00", "amount_too_large", "amount", id="a number of 16 digits is refused"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,", "missing", "amount", id="a missing amount is refused"),
        pytest.param(",C1,B,2026-01-31,2026-02-28,EUR,5.00", "missing", "invoice_id", id="a missing number is refused"),
        pytest.param("A2,,,2026-01-31,2026-02-28,EUR,5.00", "missing", "customer_id", id="a missing debtor is refused"),
        pytest.param("A2,C1,B,2026-01-31,2026-02-28,EUR,5.00,7", "ragged_row", None, id="a cell too many is refused"),
        pytest.param("A2,C1,B,2026-01-31,EUR,5.00", "ragged_row", None, id="a cell too few is refused"),
        pytest.param("A2,C1,B\0B,2026-01-31,2026-02-28,EUR,5.00", "nul_bytes", None, id="NUL bytes are refused"),
    ],
)
def test_a_bad_row_is_refused_where_it_stands_and_the_rest_goes_on(row: str, code: str, column: str | None) -> None:
    records, findings = read(invoices(GOOD, row, GOOD.replace("A1", "A3")))

    assert [body["invoice_id"] for body in kinds(records, "invoice")] == ["A1", "A3"]
    blocking = [f for f in findings if f.blocking]
    assert [(f.code, f.line, f.column) for f in blocking] == [(code, 3, column)]
    assert blocking[0].message
    assert blocking[0].raw
    assert blocking[0].source_format == "csv"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        pytest.param("A2,C9,B,2026-02-28,2026-01-31,EUR,1.00", "due_before_issue", id="due before issue is kept"),
        pytest.param("A2,C9,B,2026-01-31,9999-12-31,EUR,1.00", "no_date", id="the last day of the calendar means none"),
        pytest.param("A2,C9,B,2026-01-31,00/00/0000,EUR,1.00", "no_date", id="a date of zeros means none"),
    ],
)
def test_a_remark_does_not_cost_the_row(row: str, code: str) -> None:
    records, findings = read(invoices(row))

    assert len(kinds(records, "invoice")) == 1
    assert [(f.code, f.blocking) for f in findings] == [(code, False)]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("=cmd|' /C calc'!A0", id="a formula"),
        pytest.param("<script>alert(1)</script>", id="HTML"),
        pytest.param("{{ customer.secret }}{% raw %}", id="Liquid"),
        pytest.param("名" * 300, id="300 Japanese letters"),
        pytest.param("مؤسسة " * 50, id="300 Arabic letters"),
        pytest.param("@SUM(1+1)*cmd", id="an at-formula"),
        pytest.param("O'Brien \\ Sons", id="quote and backslash"),
    ],
)
def test_a_name_is_text_whatever_it_looks_like(name: str) -> None:
    records, findings = read(invoices(f'A2,C1,"{name}",2026-01-31,2026-02-28,EUR,1.00'))

    assert kinds(records, "invoice")[0]["customer_name"] == name.strip()
    assert kinds(records, "customer")[0]["name"] == name.strip()
    assert findings == []


def test_two_addresses_in_the_mail_field_leave_it_empty_and_keep_the_row() -> None:
    file = invoices("A1,C1,ap@a.example; boss@a.example,2026-01-31,EUR,1.00", header="invoice_id,customer_id,email,due_date,currency,amount")
    records, findings = read(file)

    assert "customer_email" not in kinds(records, "invoice")[0]
    assert [(f.code, f.blocking, f.column) for f in findings] == [("email_left_out", False, "email")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"%PDF-1.7\n1 0 obj\n", "a PDF document", id="a PDF"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(200), "a PNG image", id="a picture"),
        pytest.param(b"<?xml version='1.0'?><Invoice/>", "an XML document", id="an XML invoice"),
        pytest.param(b'{"object": "list"}', "a JSON document", id="JSON"),
        pytest.param(bytes(range(256)) * 40, "no kind that is known", id="random bytes"),
        pytest.param(b"", "is empty", id="nothing"),
    ],
)
def test_a_file_is_judged_by_its_content_and_not_by_its_name(content: bytes, says: str) -> None:
    with pytest.raises(Unsupported, match=says):
        registry.read(upload(content, name="invoices.csv"))


def test_a_header_without_rows_is_no_error() -> None:
    records, findings = read(upload(HEADER + "\n"))

    assert records == []
    assert [(f.code, f.blocking) for f in findings] == [("no_rows", False)]


def test_blank_lines_only_are_refused() -> None:
    with pytest.raises(Unsupported, match="empty"):
        registry.read(upload("\n \n\n"))


def test_a_header_that_stands_twice_is_asked_with_both_places() -> None:
    file = invoices("A1,C1,2026-01-31,EUR,1.00,2.00", header="invoice_id,customer_id,due_date,currency,amount,amount")
    with pytest.raises(NeedsPerson, match="columns 5 and 6") as caught:
        registry.read(file)
    assert [o.value for o in caught.value.questions[0].options] == ["#5", "#6"]

    records, _ = read(file, answers={"column:amount": "#6"})
    assert kinds(records, "invoice")[0]["amount"] == "2.00"


def test_a_missing_column_is_asked_with_the_list_of_what_is_there() -> None:
    with pytest.raises(NeedsPerson, match="Found: invoice_id, due_date, currency, amount") as caught:
        registry.read(invoices("A1,2026-01-31,EUR,1", header="invoice_id,due_date,currency,amount"), answers={"kind": "invoice"})
    assert [q.code for q in caught.value.questions] == ["column:customer_id"]


def test_two_equal_bank_lines_stay_two_and_keep_their_ids() -> None:
    lines = "Date,Description,Amount,Currency,Balance\n" + "2026-01-15,Cash deposit,20.00,EUR,1\n" * 2
    first, _ = read(upload(lines))
    again, _ = read(upload(lines))

    ids = [body["payment_id"] for body in kinds(first, "payment")]
    assert len(set(ids)) == 2
    assert first == again


class Endless(io.RawIOBase):
    """A header, one good row, then a line of `length` bytes, then another good row; never all in memory."""

    def __init__(self, length: int) -> None:
        super().__init__()
        start = f"{HEADER}\n{GOOD}\n".encode()
        self._parts = [start, length, f"\n{GOOD.replace('A1', 'A2')}\n".encode()]
        self._length = len(start) + length + len(self._parts[2])
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0 if whence == 0 else self._length if whence == 2 else self._at)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        assert 0 <= size <= 1 << 24, "nobody may ask for a gigabyte at once"
        out, place = b"", 0
        for part in self._parts:
            length = part if isinstance(part, int) else len(part)
            if place <= self._at < place + length and len(out) < size:
                here = self._at - place
                take = min(size - len(out), length - here)
                out += b"x" * take if isinstance(part, int) else part[here : here + take]
                self._at += take
            place += length
        return out


def test_a_line_that_does_not_end_is_stepped_over_in_bounded_memory() -> None:
    length = 1 << 28  # a gigabyte behaves the same and takes four times as long

    def opened() -> BinaryIO:
        return Endless(length)  # type: ignore[return-value]

    records, findings = read(Upload(name="huge.csv", size=length, open=opened))

    assert [body["invoice_id"] for body in kinds(records, "invoice")] == ["A1", "A2"]
    assert [(f.code, f.line) for f in findings] == [("line_too_long", 3)]


def test_a_stray_quotation_mark_costs_its_own_line_only() -> None:
    rows = [f"A{i},C1,Name {i},2026-01-31,2026-02-28,EUR,1.00" for i in range(1, 10)]
    rows[3] = 'A4,C1,"Name 4,2026-01-31,2026-02-28,EUR,1.00'
    records, findings = read(invoices(*rows))

    assert [body["invoice_id"] for body in kinds(records, "invoice")] == ["A1", "A2", "A3", "A5", "A6", "A7", "A8", "A9"]
    assert [(f.code, f.line) for f in findings] == [("stray_quote", 5)]
    assert "Name 4" in str(findings[0].raw)


def test_a_gzip_bomb_is_refused() -> None:
    bomb = gzip.compress((HEADER + "\n").encode() + b"x" * (80 << 20), compresslevel=1)
    with pytest.raises(Unsupported, match="refused"):
        list(registry.read(upload(bomb)))


def test_a_broken_gzip_is_refused() -> None:
    with pytest.raises(Unsupported, match="gzip"):
        list(registry.read(upload(gzip.compress(f"{HEADER}\n{GOOD}\n".encode() * 500)[:-20])))


def test_a_negative_invoice_becomes_a_credit_note_where_the_profile_says_so() -> None:
    columns = {name: name for name in HEADER.split(",")}
    profile = Profile(columns=columns, negative_invoices="credit_note", date_order="YMD")
    records, findings = read(invoices("A2,C1,B,2026-01-31,,EUR,-5.00"), profile=profile)

    assert kinds(records, "credit_note")[0]["amount"] == "5.00"
    assert findings == []


def test_a_mended_row_is_read_again_by_the_same_profile() -> None:
    shown = registry.preview(invoices(GOOD, "A2,C1,B,2026-01-31,2026-02-31,EUR,1.00"))
    refused = next(f for f in shown.findings if f.blocking)
    mended = {**refused.raw, "due_date": "2026-02-27"}

    records = list(registry.reread([(refused.line or 0, mended)], profile=shown.profile))

    assert [(r.invoice_id, r.line, str(r.due_date)) for r in records if r.__class__.__name__ == "Invoice"] == [("A2", 3, "2026-02-27")]
