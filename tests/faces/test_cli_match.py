"""`tieout match` on files: one row per payment and document, with reason and rival."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tieout.faces.cli.match import COLUMNS, command

INVOICES = """invoice_id,number,customer_id,issue_date,due_date,currency,amount,open_amount,discount_pct,discount_until
1,INV-0001,C1,2026-05-01,2026-05-31,EUR,100.00,100.00,2,2026-06-10
2,INV-0002,C1,2026-05-01,2026-05-31,EUR,60.00,60.00,,
3,INV-0003,C2,2026-05-01,2026-05-31,EUR,40.00,40.00,,
4,INV-0004,C2,2026-05-01,2026-05-31,JPY,5000,,,
"""
CUSTOMERS = "customer_id,name,aliases,accounts,parent_id\nC1,Brightwater Ltd,BW Trading|Brightwater Pumps,DE1111;DE2222,\nC2,Oakham GmbH,,,\n"
PAYMENTS = "payment_id,date,amount,currency,payer_name,payer_account,reference,remittance\n"
NOTES = "credit_note_id,number,customer_id,date,currency,amount,open_amount\nK1,CN-77,C1,2026-05-20,EUR,10.00,10.00\n"


class Desk:
    """A folder of contract files, and the command run over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.invoices = self.file("i.csv", INVOICES)
        self.customers = self.file("c.csv", CUSTOMERS)
        self.notes = self.file("n.csv", NOTES)

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run(self, payments: str, *more: str) -> Result:
        files = ("--invoices", self.invoices, "--customers", self.customers, "--credit-notes", self.notes)
        return CliRunner().invoke(command, [*files, "--payments", self.file("p.csv", PAYMENTS + payments), *more])

    def rows(self, payments: str, *more: str) -> list[dict[str, str]]:
        result = self.run(payments, *more)
        assert result.exit_code == 0, result.output
        found = list(csv.DictReader(io.StringIO(result.stdout)))
        assert all(tuple(row) == COLUMNS for row in found)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def seen(rows: list[dict[str, str]]) -> list[tuple[str, str, str, str]]:
    return [(row["payment_id"], row["decision"], row["document_id"], row["amount"]) for row in rows]


def test_each_payment_has_its_rows(desk: Desk) -> None:
    rows = desk.rows(
        "P1,2026-06-01,160.00,EUR,BW Trading,,INV-0001,and inv 2\n"
        "P2,2026-06-01,30.00,EUR,Oakham,,,INV-0003\n"
        "P3,2026-06-01,5000,JPY,,,INV 4,\n"
        "P4,2026-06-01,7.77,EUR,Nobody,,,thanks\n"
    )
    assert seen(rows) == [
        ("P1", "apply", "1", "100.00"),
        ("P1", "apply", "2", "60.00"),
        ("P2", "propose", "3", "30.00"),
        ("P3", "apply", "4", "5000"),
        ("P4", "none", "", "0.00"),
    ]
    assert all(row["reason"] for row in rows)


def test_a_credit_note_used_is_a_row_with_a_negative_amount(desk: Desk) -> None:
    rows = desk.rows("P1,2026-06-01,90.00,EUR,,,INV-0001 CN-77,\n")
    assert seen(rows) == [("P1", "apply", "1", "100.00"), ("P1", "apply", "K1", "-10.00")]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("90.00")


def test_the_rival_stands_in_its_column(desk: Desk) -> None:
    [row] = desk.rows("P1,2026-06-01,100.00,EUR,Oakham GmbH,,INV-0001,\n")
    assert row["decision"] == "propose"
    assert "INV-0001 is of C1" in row["rival"]


POLICY = "fee_tolerance_abs: 25.00\nfee_tolerance_pct: 10\nrounding_abs: 0.05\nfx_tolerance_pct: 0.5\n"


@pytest.mark.parametrize(
    ("policy", "amount", "expected"),
    [
        pytest.param(None, "95.00", ("propose", "0.00", ""), id="without a policy five short is for a person"),
        pytest.param(POLICY, "95.00", ("apply", "5.00", "fee"), id="within both limits it is a fee"),
        pytest.param(POLICY, "98.00", ("apply", "2.00", "discount"), id="the discount of its terms"),
        pytest.param(POLICY + "discount: false\n", "98.00", ("apply", "2.00", "fee"), id="no discount where the policy says so"),
        pytest.param(POLICY, "99.97", ("apply", "0.03", "rounding"), id="three cents of rounding"),
        pytest.param('{"rounding_abs": "0.05"}', "99.97", ("apply", "0.03", "rounding"), id="JSON with numbers as text"),
        pytest.param('{"rounding_abs": 0.05}', "99.95", ("apply", "0.05", "rounding"), id="JSON numbers are read exactly"),
    ],
)
def test_the_policy_decides_what_closes(desk: Desk, policy: str | None, amount: str, expected: tuple[str, str, str]) -> None:
    more = ["--policy", desk.file("t.yaml", policy)] if policy else []
    [row] = desk.rows(f"P1,2026-06-01,{amount},EUR,,,INV-0001,\n", *more)
    assert (row["decision"], row["write_off"], row["write_off_reason"]) == expected
    assert row["amount"] == amount


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        pytest.param("fee_tolerance: 3\n", "'fee_tolerance' is no tolerance", id="an unknown key"),
        pytest.param("rounding_abs: -1\n", "rounding_abs is '-1'", id="a negative tolerance"),
        pytest.param("rounding_abs: lots\n", "rounding_abs is 'lots'", id="no number"),
        pytest.param("- 1\n", "needs keys", id="a list"),
        pytest.param("a: [", "t.yaml", id="broken YAML"),
        pytest.param("discount: perhaps\n", "write true or false", id="neither true nor false"),
    ],
)
def test_a_policy_that_cannot_be_read_is_wrong_usage(desk: Desk, policy: str, says: str) -> None:
    result = desk.run("", "--policy", desk.file("t.yaml", policy))
    assert result.exit_code == 2
    assert says in result.stderr


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        pytest.param("P1,2026-06-31,1.00,EUR,,,,\n", "line 3, column date", id="31 June"),
        pytest.param("P1,2026-06-01,1.005,EUR,,,,\n", "more decimal places", id="three decimals in euro"),
        pytest.param(",2026-06-01,1.00,EUR,,,,\n", "column payment_id: is empty", id="no id"),
        pytest.param("P0,2026-06-01,1.00,EUR,,,,\n", "payment P0 stands twice", id="the same payment twice"),
    ],
)
def test_a_bad_payment_is_told_and_the_others_are_matched(desk: Desk, bad: str, says: str) -> None:
    result = desk.run("P0,2026-06-01,60.00,EUR,,,INV-0002,\n" + bad)
    assert result.exit_code == 1
    assert says in result.stderr
    assert seen(list(csv.DictReader(io.StringIO(result.stdout)))) == [("P0", "apply", "2", "60.00")]


def test_money_going_back_is_left_alone(desk: Desk) -> None:
    [row] = desk.rows("P1,2026-06-01,-100.00,EUR,,,INV-0001,\n")
    assert (row["decision"], row["document_id"], row["reason"]) == ("none", "", "no money is left to apply")


def test_json_lines(desk: Desk) -> None:
    result = desk.run("P1,2026-06-01,100.00,EUR,,,INV-0001,\n", "--json")
    [row] = [json.loads(line) for line in result.stdout.splitlines()]
    assert (row["decision"], row["amount"], row["confidence"], row["rival"]) == ("apply", "100.00", "0.99", None)


def test_the_order_of_the_files_does_not_change_a_byte(desk: Desk) -> None:
    payments = ["P1,2026-06-01,100.00,EUR,Brightwater,,,\n", "P2,2026-06-01,60.00,EUR,,,INV-0002,\n"]
    first = desk.run("".join(payments)).stdout.splitlines()
    head, *lines = INVOICES.splitlines(keepends=True)
    desk.invoices = desk.file("i.csv", head + "".join(reversed(lines)))
    assert desk.run("".join(payments)).stdout.splitlines() == first
