"""`tieout read`: canonical JSON lines, quiet in a pipe, exit codes a pipeline can trust."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tieout.faces.cli import main

HEADER = "invoice_id,customer_id,due_date,currency,amount"
GOOD = f"{HEADER}\nA1,C1,2026-02-28,EUR,100.00\n"


def tieout(*arguments: str, given: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["read", *arguments], input=given)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(GOOD)
    return path


def test_a_clean_file_gives_records_and_exit_0(file: Path) -> None:
    result = tieout(str(file))
    assert result.exit_code == 0
    assert result.stderr == ""
    assert lines(result) == [
        {
            "kind": "invoice", "source_format": "csv", "line": 2, "invoice_id": "A1", "number": "A1", "customer_id": "C1",
            "amount": "100.00", "due_date": "2026-02-28", "currency": "EUR",
        }
    ]  # fmt: skip


def test_a_bad_row_is_a_finding_with_line_column_and_field_and_exit_1(file: Path) -> None:
    file.write_text(GOOD + "A2,C1,2026-02-31,EUR,5.00\n")
    result = tieout(str(file))
    assert result.exit_code == 1
    assert "1 row could not be taken" in result.stderr
    finding = lines(result)[-1]
    assert (finding["kind"], finding["code"], finding["line"], finding["column"], finding["field"]) == (
        "finding", "impossible_date", 3, "due_date", "due_date",
    )  # fmt: skip


def test_a_remark_alone_is_no_bad_row(file: Path) -> None:
    file.write_text(f"{HEADER},colour\nA1,C1,2026-02-28,EUR,100.00,red\n")
    assert tieout(str(file)).exit_code == 0


def test_an_open_question_is_exit_2_and_says_how_to_answer(file: Path) -> None:
    file.write_text(GOOD.replace("2026-02-28", "03/04/2026"))
    result = tieout(str(file))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "--answer date_order=" in result.stderr
    assert "03/04/2026 is 3 April 2026" in result.stderr

    answered = tieout(str(file), "--answer", "date_order=DMY")
    assert lines(answered)[0]["due_date"] == "2026-04-03"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["nowhere.csv"], "nowhere.csv: No such file", id="no such file"),
        pytest.param(["{file}", "--profile", "nowhere.yaml"], "ready profiles are", id="no such profile"),
        pytest.param(["{file}", "--answer", "date_order"], "CODE=VALUE", id="an answer without a value"),
        pytest.param(["{file}", "--format", "cuneiform"], "there is no format 'cuneiform'", id="no such format"),
        pytest.param(["{file}", "--out", "/nowhere/at/all"], "/nowhere/at/all: No such file", id="no such place for the output"),
    ],
)
def test_wrong_usage_is_exit_2(file: Path, arguments: list[str], says: str) -> None:
    result = tieout(*[a.replace("{file}", str(file)) for a in arguments])
    assert result.exit_code == 2
    assert says in result.stderr


def test_an_unreadable_file_is_exit_2(file: Path) -> None:
    file.write_bytes(b"%PDF-1.7 ...")
    result = tieout(str(file))
    assert result.exit_code == 2
    assert "export.csv is a PDF document" in result.stderr


def test_standard_input_and_gzip() -> None:
    assert lines(tieout("-", given=GOOD.encode()))[0]["invoice_id"] == "A1"
    assert lines(tieout("-", given=gzip.compress(GOOD.encode())))[0]["invoice_id"] == "A1"


def test_several_files_into_one_output(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(GOOD.replace("A1", "B1"))
    out = tmp_path / "records.jsonl"
    assert tieout(str(file), str(other), "--out", str(out)).exit_code == 0
    assert [json.loads(line)["invoice_id"] for line in out.read_text().splitlines()] == ["A1", "B1"]


def test_a_profile_by_file_and_by_name(file: Path, tmp_path: Path) -> None:
    file.write_text("no,who,sum\n1,K,5.00\n")
    profile = tmp_path / "mine.yaml"
    profile.write_text("kind: invoice\ncolumns: {invoice_id: no, customer_id: who, amount: sum}\ncurrency: EUR\n")
    assert lines(tieout(str(file), "--profile", str(profile)))[0]["currency"] == "EUR"
    file.write_text(GOOD)
    assert tieout(str(file), "--profile", "invoices").exit_code == 0


def test_reading_needs_no_framework_and_no_database(file: Path) -> None:
    code = (
        "import sys\nfrom tieout.faces.cli import main\n"
        f"main(['read', {str(file)!r}], standalone_mode=False)\n"
        "sys.exit(','.join(m for m in ('django', 'psycopg', 'procrastinate') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
