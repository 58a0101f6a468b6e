"""`tieout aging` on files: buckets, two clocks, and what it says about rows it cannot take."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tieout.faces.cli._books import Findings
from tieout.faces.cli.aging import aged, command, read_book

INVOICES = "invoice_id,number,customer_id,issue_date,due_date,currency,amount,open_amount,recorded_at\n"


class Desk:
    """A folder of contract files, and the command run over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(command, list(arguments))

    def rows(self, *arguments: str, code: int = 0) -> list[dict[str, str]]:
        result = self.run(*arguments)
        assert result.exit_code == code, result.output
        return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def filled(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value not in ("0.00", "0", "")}


def test_open_amount_wins_and_each_age_has_its_bucket(desk: Desk) -> None:
    path = desk.file(
        "i.csv",
        INVOICES
        + "1,R1,brightwater,2026-01-01,2026-06-30,EUR,100.00,100.00,\n"
        + "2,R2,brightwater,2026-01-01,2026-06-29,EUR,100.00,40.00,\n"
        + "3,R3,brightwater,2026-01-01,2026-04-30,EUR,70.50,,\n"
        + "4,R4,brightwater,2026-01-01,2026-03-31,EUR,9.00,9.00,\n"
        + "5,R5,brightwater,2026-01-01,,EUR,1.00,1.00,\n"
        + "6,R6,oakham,2026-01-01,2026-06-29,JPY,500,500,\n",
    )
    first, second = desk.rows("--invoices", path, "--as-of", "2026-06-30")
    assert filled(first) == {
        "customer_id": "brightwater",
        "currency": "EUR",
        "current": "100.00",
        "1-30": "40.00",
        "61-90": "70.50",
        "90+": "9.00",
        "60+": "79.50",
        "no_due_date": "1.00",
        "total": "220.50",
        "net": "220.50",
    }
    assert filled(second) == {"customer_id": "oakham", "currency": "JPY", "1-30": "500", "total": "500", "net": "500"}


def test_credit_notes_and_payments_not_applied_stand_apart(desk: Desk) -> None:
    invoices = desk.file("i.csv", INVOICES + "1,R1,brightwater,2026-01-01,2026-06-01,EUR,100.00,100.00,\n")
    notes = desk.file("c.csv", "credit_note_id,number,customer_id,date,currency,amount,open_amount\n1,C1,brightwater,2026-05-01,EUR,30.00,10.00\n")
    payments = desk.file(
        "p.csv", "payment_id,date,amount,currency,customer_id\n1,2026-06-05,25.00,EUR,brightwater\n2,2026-07-05,99.00,EUR,brightwater\n"
    )
    [row] = desk.rows("--invoices", invoices, "--credit-notes", notes, "--payments", payments, "--as-of", "2026-06-30")
    assert filled(row) == {
        "customer_id": "brightwater",
        "currency": "EUR",
        "1-30": "100.00",
        "total": "100.00",
        "credit": "10.00",
        "unapplied": "25.00",
        "net": "65.00",
    }


def test_money_of_an_unknown_payer_has_a_row_of_its_own(desk: Desk) -> None:
    invoices = desk.file("i.csv", INVOICES)
    payments = desk.file("p.csv", "payment_id,date,amount,currency\n1,2026-06-05,25.00,EUR\n")
    [row] = desk.rows("--invoices", invoices, "--payments", payments, "--as-of", "2026-06-30")
    assert filled(row) == {"currency": "EUR", "unapplied": "25.00", "net": "-25.00"}


@pytest.mark.parametrize(
    ("known_as_of", "total", "unapplied"),
    [
        pytest.param("2026-05-19", "100.00", "0.00", id="as known then: the payment was not entered yet"),
        pytest.param("2026-05-20", "60.00", "10.00", id="as known on the day it was entered"),
        pytest.param(None, "60.00", "10.00", id="as known now"),
    ],
)
def test_a_back_dated_payment_changes_last_month_as_known_now_only(desk: Desk, known_as_of: str | None, total: str, unapplied: str) -> None:
    invoices = desk.file("i.csv", INVOICES + "1,R1,brightwater,2026-03-01,2026-03-31,EUR,100.00,0.00,2026-03-02\n")
    payments = desk.file(
        "p.csv", "payment_id,date,amount,currency,customer_id,recorded_at\n1,2026-04-10,50.00,EUR,brightwater,2026-05-20T09:00:00Z\n"
    )
    allocations = desk.file("a.csv", "payment_id,document_id,amount,date,recorded_at\n1,1,40.00,2026-04-10,2026-05-20T09:00:00Z\n")
    told = ["--known-as-of", known_as_of] if known_as_of else []
    [row] = desk.rows("--invoices", invoices, "--payments", payments, "--allocations", allocations, "--as-of", "2026-04-30", *told)
    assert (row["total"], row["unapplied"]) == (total, unapplied)


@pytest.mark.parametrize(("known_as_of", "total"), [("2026-05-19", "100.00"), ("2026-05-20", "80.00")])
def test_several_rows_of_one_invoice_are_its_versions(desk: Desk, known_as_of: str, total: str) -> None:
    path = desk.file(
        "i.csv",
        INVOICES + "1,R1,brightwater,2026-03-01,2026-03-31,EUR,80.00,,2026-05-20\n1,R1,brightwater,2026-03-01,2026-03-31,EUR,100.00,,2026-03-02\n",
    )
    [row] = desk.rows("--invoices", path, "--as-of", "2026-04-30", "--known-as-of", known_as_of)
    assert row["total"] == total


def test_a_credit_note_can_be_what_was_allocated(desk: Desk) -> None:
    invoices = desk.file("i.csv", INVOICES + "1,R1,brightwater,2026-03-01,2026-03-31,EUR,100.00,,\n")
    notes = desk.file("c.csv", "credit_note_id,number,customer_id,date,currency,amount\nC1,C1,brightwater,2026-03-01,EUR,30.00\n")
    allocations = desk.file("a.csv", "payment_id,document_id,amount,date\nC1,1,30.00,2026-04-10\n")
    [row] = desk.rows("--invoices", invoices, "--credit-notes", notes, "--allocations", allocations, "--as-of", "2026-04-30")
    assert (row["total"], row["credit"]) == ("70.00", "0.00")


def test_an_invoice_issued_later_is_not_there_yet(desk: Desk) -> None:
    path = desk.file("i.csv", INVOICES + "1,R1,brightwater,2026-07-01,2026-07-31,EUR,100.00,100.00,\n")
    assert desk.rows("--invoices", path, "--as-of", "2026-06-30") == []


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        pytest.param("9,R9,b,2026-01-01,2026-02-31,EUR,1.00,,", "line 3, column due_date: '2026-02-31' is not a date", id="31 February"),
        pytest.param("9,R9,b,2026-01-01,2026-02-01,JPY,1.50,,", "column amount: 1.50 has more decimal places than JPY", id="decimals in yen"),
        pytest.param("9,R9,b,2026-01-01,2026-02-01,EUR,-1.00,,", "is below zero; an invoice below zero is a credit note", id="a negative invoice"),
        pytest.param("9,R9,b,2026-01-01,2026-02-01,XYZ,1.00,,", "column currency: 'XYZ' is not an ISO 4217 currency", id="an unknown currency"),
        pytest.param("9,R9,,2026-01-01,2026-02-01,EUR,1.00,,", "column customer_id: is empty", id="no customer"),
        pytest.param("1,R1,b,2026-01-01,2026-02-01,EUR,7.00,,", "invoice 1 stands twice", id="the same invoice twice"),
    ],
)
def test_a_bad_row_is_told_and_the_good_ones_go_on(desk: Desk, bad: str, says: str) -> None:
    path = desk.file("i.csv", INVOICES + "1,R1,b,2026-01-01,2026-06-29,EUR,5.00,5.00,\n" + bad + "\n")
    result = desk.run("--invoices", path, "--as-of", "2026-06-30")
    assert result.exit_code == 1
    assert says in result.stderr
    [row] = csv.DictReader(io.StringIO(result.stdout))
    assert row["total"] == "5.00"


def test_an_allocation_of_a_document_nobody_knows_is_told(desk: Desk) -> None:
    invoices = desk.file("i.csv", INVOICES + "1,R1,b,2026-01-01,2026-06-29,EUR,5.00,,\n")
    allocations = desk.file("a.csv", "payment_id,document_id,amount,date\nP,77,1.00,2026-02-01\n")
    result = desk.run("--invoices", invoices, "--allocations", allocations, "--as-of", "2026-06-30")
    assert result.exit_code == 1
    assert "document 77 is in none of the other files" in result.stderr


def test_more_applied_than_received_is_told(desk: Desk) -> None:
    invoices = desk.file("i.csv", INVOICES + "1,R1,b,2026-01-01,2026-06-29,EUR,5.00,,\n")
    payments = desk.file("p.csv", "payment_id,date,amount,currency\nP,2026-02-01,3.00,EUR\n")
    allocations = desk.file("a.csv", "payment_id,document_id,amount,date\nP,1,4.00,2026-02-01\n")
    result = desk.run("--invoices", invoices, "--payments", payments, "--allocations", allocations, "--as-of", "2026-06-30")
    assert result.exit_code == 1
    assert "payment P: 1.00 EUR more was applied than it holds" in result.stderr


def test_a_missing_column_is_wrong_usage_and_names_what_was_found(desk: Desk) -> None:
    result = desk.run("--invoices", desk.file("i.csv", "invoice_id,customer_id,amount\n"), "--as-of", "2026-06-30")
    assert result.exit_code == 2
    assert "missing column currency; found: invoice_id, customer_id, amount" in result.stderr


def test_a_book_judged_in_shares_ages_the_same(desk: Desk) -> None:
    lines = "".join(f"{n},R{n},c{n % 3},2026-01-01,2026-0{n % 6 + 1}-15,EUR,{n}.00,,2026-01-0{n % 9 + 1}\n" for n in range(1, 40))
    path = desk.file("i.csv", INVOICES + lines + "7,R7,c0,2026-01-01,2026-02-15,EUR,3.00,,2026-03-01\n")
    book = read_book(path, None, None, None, Findings())
    day, known = dt.date(2026, 6, 30), dt.datetime(2026, 6, 30, tzinfo=dt.UTC)
    whole, _ = aged(book, as_of=day, known_at=known)
    shares, _ = aged(book, as_of=day, known_at=known, at_once=4)
    assert whole.equals(shares)
    assert whole["total"].sum() == (sum(range(1, 40)) - 7 + 3) * 100


def test_totals_and_json_lines(desk: Desk) -> None:
    path = desk.file("i.csv", INVOICES + "1,R1,b,2026-01-01,2026-06-29,EUR,5.00,,\n2,R2,c,2026-01-01,2026-06-29,EUR,6.00,,\n")
    result = desk.run("--invoices", path, "--as-of", "2026-06-30", "--totals", "--json")
    [row] = [json.loads(line) for line in result.stdout.splitlines()]
    assert (row["currency"], row["customers"], row["total"]) == ("EUR", 2, "11.00")
