"""`tieout plan` and `tieout policy` on files: the contract of DESIGN, section 7."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tieout.faces.cli import main

INVOICES = """\
invoice_id,number,customer_id,issue_date,due_date,currency,amount,open_amount
1,INV-001,Brightwater,2026-10-01,2026-11-10,EUR,1000.00,400.00
2,INV-002,Cobalt,2026-09-01,2026-10-20,USD,500.00,500.00
3,INV-003,Dune,2026-10-01,2026-11-05,EUR,700.00,
4,INV-004,Ember,2026-10-01,2026-11-05,JPY,70000,
"""
CUSTOMERS = """\
customer_id,name,email,debtor_type,tier,country,time_zone
Brightwater,Brightwater Ltd,ap@brightwater.example,business,low,GB,Europe/London
Cobalt,Cobalt Inc,ap@cobalt.example,business,high,US,America/New_York
Dune,Dune Jones,dune@home.example,consumer,low,DE,
Ember,Ember KK,ar@ember.example,business,low,JP,
Fern,Fern,,,,,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "invoices.csv").write_text(INVOICES)
    (tmp_path / "customers.csv").write_text(CUSTOMERS)
    return tmp_path


def plan(folder: Path, *more: str, customers: bool = True, **files: str) -> Result:
    known = ["--customers", str(folder / "customers.csv")] if customers else []
    for option, text in files.items():
        (folder / f"{option}.csv").write_text(text)
        known += [f"--{option}", str(folder / f"{option}.csv")]
    return CliRunner().invoke(main, ["plan", "--as-of", "2026-11-20", "--invoices", str(folder / "invoices.csv"), *known, *more])


def rows(result: Result) -> dict[str, dict[str, str]]:
    return {row["customer_id"]: row for row in csv.DictReader(io.StringIO(result.stdout))}


def test_each_customer_has_a_row_with_the_columns_of_the_contract(folder: Path) -> None:
    result = plan(folder)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "customer_id,invoice_ids,step,channel,decision,reason,not_before",
        "Brightwater,1,friendly,email,send,due,2026-11-20T09:00:00Z",
        "Cobalt,2,call,call,task,call_step,2026-11-20T14:00:00Z",
        "Dune,3,friendly,email,task,not_business,2026-11-20T08:00:00Z",
        "Ember,4,friendly,email,send,due,2026-11-20T00:00:00Z",
        "Fern,,,,none,nothing_open,",
    ]


def test_without_customers_nobody_is_known_to_be_a_business(folder: Path) -> None:
    assert {row["decision"] for row in rows(plan(folder, customers=False)).values()} == {"task"}


@pytest.mark.parametrize(
    ("holds", "decision", "reason"),
    [
        pytest.param("Brightwater,1,dispute,150.00,,", "send", "due", id="a part in dispute leaves the rest"),
        pytest.param("Brightwater,1,dispute,,,", "hold", "dispute", id="the whole in dispute waits"),
        pytest.param("Brightwater,INV-001,legal,,,", "hold", "legal", id="an invoice may be named by its number"),
        pytest.param(",1,legal,,,", "hold", "legal", id="the invoice tells the customer"),
        pytest.param("Brightwater,,promise,,2026-11-12,2026-11-18", "hold", "promise", id="the grace of a promise"),
        pytest.param("Brightwater,,promise,,2026-11-12,2026-11-17", "send", "due", id="a broken promise"),
        pytest.param("Brightwater,,manual,,2026-11-21,", "send", "due", id="a hold of tomorrow"),
    ],
)
def test_holds(folder: Path, holds: str, decision: str, reason: str) -> None:
    result = plan(folder, holds=f"customer_id,invoice_id,reason,amount,from,until\n{holds}\n")
    assert result.exit_code == 0, result.output
    assert (rows(result)["Brightwater"]["decision"], rows(result)["Brightwater"]["reason"]) == (decision, reason)


@pytest.mark.parametrize(
    ("holds", "finding"),
    [
        pytest.param("Brightwater,,disptue,,,", "line 2, column reason: 'disptue' is not known and holds as manual", id="a reason misspelt holds"),
        pytest.param("Brightwater,,manual,,,31/12", "line 2, column until: '31/12' is not a date", id="an end nobody can read holds"),
        pytest.param(
            "Brightwater,1,dispute,some,,", "line 2, column amount: 'some' is not a plain decimal number", id="an amount nobody can read holds all"
        ),
    ],
)
def test_what_cannot_be_read_of_a_hold_still_holds(folder: Path, holds: str, finding: str) -> None:
    result = plan(folder, holds=f"customer_id,invoice_id,reason,amount,from,until\n{holds}\n")
    assert (result.exit_code, rows(result)["Brightwater"]["decision"]) == (1, "hold")
    assert finding in result.stderr


def test_a_payment_not_yet_applied_holds_what_it_could_settle(folder: Path) -> None:
    paid = "payment_id,date,amount,currency,payer_name,remittance\nP1,2026-11-19,400.00,EUR,BRIGHTWATER LIMITED,thank you\n"
    found = rows(plan(folder, payments=paid))
    assert (found["Brightwater"]["decision"], found["Brightwater"]["reason"], found["Brightwater"]["not_before"]) == ("hold", "in_transit", "")
    assert found["Ember"]["decision"] == "send"


def test_a_payment_whose_amount_cannot_be_read_holds_all_of_its_payer(folder: Path) -> None:
    result = plan(folder, payments="payment_id,amount,currency,payer_name\nP1,4OO.00,EUR,Brightwater Ltd\n")
    assert (result.exit_code, rows(result)["Brightwater"]["reason"]) == (1, "in_transit")


@pytest.mark.parametrize(
    ("touch", "decision", "not_before"),
    [
        pytest.param("Brightwater,ap@brightwater.example,email,2026-11-18T10:00:00Z,friendly,", "none", "", id="a step is done once"),
        pytest.param(
            "Brightwater,ap@brightwater.example,email,2026-11-18T10:00:00Z,friendly,bounced",
            "send",
            "2026-11-25T09:00:00Z",
            id="a bounced one again, a week later",
        ),
        pytest.param(
            "Brightwater,ap@brightwater.example,email,2026-11-09,friendly,",
            "send",
            "2026-11-20T09:00:00Z",
            id="one of before the due date does not count",
        ),
        pytest.param("Cobalt,ap@brightwater.example,email,2026-11-18,friendly,", "send", "2026-11-20T09:00:00Z", id="another customer's contact"),
    ],
)
def test_touches(folder: Path, touch: str, decision: str, not_before: str) -> None:
    found = rows(plan(folder, touches=f"customer_id,address,channel,at,step,outcome\n{touch}\n"))["Brightwater"]
    assert (found["decision"], found["not_before"]) == (decision, not_before)


def test_a_contact_on_a_day_nobody_can_read_holds(folder: Path) -> None:
    result = plan(folder, touches="customer_id,at,step\nBrightwater,yesterday,friendly\n")
    assert (result.exit_code, rows(result)["Brightwater"]["decision"]) == (1, "hold")


def test_json_lines_by_ending_and_by_option(folder: Path) -> None:
    assert plan(folder, "--out", str(folder / "plan.jsonl")).exit_code == 0
    written = [json.loads(line) for line in (folder / "plan.jsonl").read_text().splitlines()]
    assert written == [json.loads(line) for line in plan(folder, "--json").stdout.splitlines()]
    assert written[0]["invoice_ids"] == ["1"]
    assert list(written[0]) == ["customer_id", "invoice_ids", "step", "channel", "decision", "reason", "not_before"]


def test_explain_shows_the_sentences(folder: Path) -> None:
    (first, *_) = [json.loads(line) for line in plan(folder, "--json", "--explain").stdout.splitlines()]
    assert first["trace"][0] == "INV-001 is 10 days past due: step friendly (day 7) of segment low risk"
    assert first["amounts"] == ["400.00 EUR"]


def test_gzip_standard_input_and_aliases(folder: Path) -> None:
    table = "Invoice,Customer,Due,Currency,Balance,Surprise\n1,Brightwater,2026-11-10,EUR,400.00,x\n"
    (folder / "i.csv.gz").write_bytes(gzip.compress(table.encode()))
    arguments = ["plan", "--as-of", "2026-11-20", "--customers", str(folder / "customers.csv"), "--invoices"]
    zipped = CliRunner().invoke(main, [*arguments, str(folder / "i.csv.gz")])
    piped = CliRunner().invoke(main, [*arguments, "-"], input=table)
    assert zipped.exit_code == piped.exit_code == 0, zipped.output
    assert zipped.stdout == piped.stdout
    assert rows(zipped)["Brightwater"]["decision"] == "send"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param("id,who,due_date\n", "missing column invoice_id, customer_id, currency; found: id, who, due_date", id="missing columns"),
        pytest.param("", "the file is empty", id="an empty file"),
        pytest.param("invoice_id,invoice_id,customer_id,due_date,currency\n", "column invoice_id appears twice", id="a column twice"),
    ],
)
def test_what_is_no_table_of_invoices_is_refused(folder: Path, table: str, message: str) -> None:
    (folder / "invoices.csv").write_text(table)
    result = plan(folder)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_pdf_or_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "invoices.csv").write_bytes(b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n")
    assert plan(folder).exit_code == 2
    (folder / "invoices.csv").unlink()
    result = plan(folder)
    assert result.exit_code == 2
    assert "No such file" in result.stderr


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        pytest.param("9,N9,Brightwater,,2026-13-10,EUR,5,", "line 6, column due_date: '2026-13-10' is not a date", id="a month thirteen"),
        pytest.param(
            "9,N9,Brightwater,,2026-11-10,EUR,5.001,", "line 6, column amount: 5.001 has more decimal places than EUR has (2)", id="a third decimal"
        ),
        pytest.param(
            "9,N9,Brightwater,,2026-11-10,EUX,5,", "line 6, column amount: 'EUX' is not an ISO 4217 currency code", id="an unknown currency"
        ),
        pytest.param(
            "9,N9,Brightwater,,2026-11-10,EUR,-5,", "line 6, column amount: is negative; give a credit as a credit note", id="a negative invoice"
        ),
        pytest.param(
            "1,N9,Brightwater,,2026-11-10,EUR,5,", "line 6, column invoice_id: 1 stands twice; the first row was taken", id="an invoice twice"
        ),
        pytest.param(
            "9,N9,Brightwater,,2026-11-10,EUR,1,5,6,7", "line 6, column invoice_id: the row has 2 cells more than the header", id="a ragged row"
        ),
        pytest.param("9,N9,Brightwater,,2026-11-10,EUR,,", "line 6, column open_amount: is empty and so is amount", id="no amount"),
    ],
)
def test_a_bad_row_is_told_and_the_others_go_on(folder: Path, row: str, finding: str) -> None:
    (folder / "invoices.csv").write_text(INVOICES + row + "\n")
    result = plan(folder)
    assert result.exit_code == 1
    assert finding in result.stderr
    assert rows(result)["Brightwater"]["invoice_ids"] == "1"
    assert len(rows(result)) == 5


def test_bad_facts_of_a_customer_count_against_contact(folder: Path) -> None:
    (folder / "customers.csv").write_text("customer_id,email,debtor_type,tier,time_zone\nBrightwater,a@x.example b@x.example,firm,lowish,Mars/Base\n")
    result = plan(folder)
    assert result.exit_code == 1
    assert (rows(result)["Brightwater"]["decision"], rows(result)["Brightwater"]["reason"]) == ("task", "not_business")
    assert len(result.stderr.splitlines()) == 4


def test_what_was_not_known_on_the_day_is_left_out(folder: Path) -> None:
    (folder / "invoices.csv").write_text(
        "invoice_id,customer_id,due_date,currency,amount,recorded_at\n1,Brightwater,2026-11-10,EUR,400.00,2026-11-21T08:00:00Z\n"
    )
    assert rows(plan(folder))["Brightwater"]["reason"] == "nothing_open"


def test_a_policy_of_ones_own(folder: Path) -> None:
    (folder / "policy.yaml").write_text("version: 1\nname: Calls\nsegments:\n- {name: all, steps: [{step: ring, days: 1, channel: call}]}\n")
    assert {r["step"] for r in rows(plan(folder, "--policy", str(folder / "policy.yaml"))).values()} == {"ring", ""}
    (folder / "policy.yaml").write_text("version: 1\nname: Calls\nsegmnts: []\n")
    result = plan(folder, "--policy", str(folder / "policy.yaml"))
    assert result.exit_code == 2
    assert "policy.yaml, line 3, column 1, top level: unknown key segmnts; did you mean segments?" in result.stderr


def test_policy_check_and_test(folder: Path) -> None:
    good = folder / "policy.yaml"
    good.write_text("version: 1\nname: Calls\nsegments:\n- {name: all, steps: [{step: ring, days: 1, channel: call}]}\n")
    checked = CliRunner().invoke(main, ["policy", "check", str(good)])
    assert (checked.exit_code, checked.output) == (0, "Calls: valid, 1 segments, 1 steps, 0 cases\n")
    assert CliRunner().invoke(main, ["policy", "test", str(good)]).exit_code == 1
    good.write_text(good.read_text() + "cases:\n- {case: mails, given: {items: [{days_late: 2, amount: 9}]}, expect: {channel: email}}\n")
    failed = CliRunner().invoke(main, ["policy", "test", str(good)])
    assert failed.exit_code == 1
    assert "FAILED  mails\n        line 6: channel is call, expected email" in failed.output
    good.write_text(good.read_text().replace("channel: email", "channel: call"))
    assert CliRunner().invoke(main, ["policy", "test", str(good)]).exit_code == 0
    assert CliRunner().invoke(main, ["policy", "test"]).exit_code == 0
    bad = CliRunner().invoke(main, ["policy", "check", "-"], input="version: 1")
    assert bad.exit_code == 2
    assert "missing key name" in bad.output
