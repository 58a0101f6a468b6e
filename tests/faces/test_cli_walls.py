"""Commands that work for one organisation, given another's names and ids: nothing of the other's is shown or touched (promise P8)."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.conftest import NOW
from tests.faces.rows import digest, everything
from tieout.faces.cli import main
from tieout.stages.base import found, walls
from tieout.stages.intake.models import Connection
from tieout.stages.ledger.models import Customer, Document

pytestmark = pytest.mark.usefixtures("database")

THEIRS = "Zanzibar"
#: What each command that takes `--org` is told besides it: everything of theirs that it can be given.
TOLD = {
    "aging": ["--as-of", "2026-06-30"],
    "connect": ["stripe", "--set", "api_key=sk", "--set", "base_url=http://127.0.0.1:9"],
    "health": [],
    "identity": [],
    "import": ["{connection}", "{file}", "--answer", "date_order=DMY"],
    "outbox": ["{connection}", "--dry-run"],
    "sync": ["{connection}"],
    "tie-out": ["{connection}"],
    "verify": [],
}
#: Of these, what names something of theirs, or reaches nobody, is refused.
REFUSED = frozenset({"connect", "outbox", "sync", "tie-out"})
#: A file of ours that names their customer's and their invoices' ids and numbers.
FILE = (
    "Invoice ID,Invoice number,Customer ID,Issue date,Due date,Amount,Currency\n"
    "{invoice_id},{number},{customer_id},2026-05-13,2026-06-13,55.00,EUR\n"
)


def scoped() -> list[str]:
    """Every command with `--org`, as the program itself lists them."""
    context = main.make_context("tieout", ["verify"], resilient_parsing=True)
    names = main.list_commands(context)
    return [name for name in names if any("--org" in option.opts for option in main.get_command(context, name).params)]


def test_every_command_for_one_organisation_is_tried() -> None:
    assert scoped() == sorted(TOLD)


@pytest.fixture(scope="module")
def other(database: object) -> tuple[uuid.UUID, dict[str, Any]]:
    organisation = found.organisation(
        name=f"{THEIRS} Holding", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name=THEIRS,
        sender_address="ar@zanzibar.example", now=NOW)
    with walls.inside(organisation):
        return organisation, everything(THEIRS)


@pytest.fixture
def told(other: Any, organisation: uuid.UUID, tmp_path: Path, standing_clock: Any) -> dict[str, str]:
    """Their ids and names, and a file of ours that speaks of them; our organisation has rows of everything."""
    with walls.inside(organisation):
        everything("Ours")
    them, rows = other
    with walls.inside(them):
        invoice = Document.objects.get(pk=rows["invoice_id"])
        connection = Connection.objects.get(pk=rows["connection_id"]).name
    file = tmp_path / "ours.csv"
    file.write_text(FILE.format(**rows, number=invoice.number))
    return {"connection": connection, "file": str(file), "number": invoice.number}


def run(name: str, told: dict[str, str], organisation: object) -> Result:
    return CliRunner().invoke(main, [name, *(word.format(**told) for word in TOLD[name]), "--org", str(organisation)])


@pytest.mark.parametrize("name", sorted(TOLD))
def test_ours_is_answered_without_a_trace_of_theirs(name: str, told: dict[str, str], other: Any, organisation: uuid.UUID) -> None:
    before = digest(other[0])
    result = run(name, told, organisation)
    # A connection of theirs is not there, and a system that nobody answers for is not connected: both are refused as wrong usage.
    assert result.exit_code in ((2,) if name in REFUSED else (0, 1)), result.output
    # What was typed is said back; nothing else of theirs is.
    assert f"{THEIRS} " not in result.output.replace(told["connection"], "")
    assert str(other[0]) not in result.output
    assert digest(other[0]) == before


@pytest.mark.parametrize("name", sorted(TOLD))
@pytest.mark.parametrize("key", ["connection_id", "customer_id", "invoice_id", "organisation"])
def test_an_id_of_theirs_names_no_organisation(name: str, key: str, told: dict[str, str], other: Any, organisation: uuid.UUID) -> None:
    them, rows = other
    before = digest(them), digest(organisation)
    result = run(name, told, {"organisation": str(them)[:-1] + "g"}.get(key, rows.get(key)))
    assert result.exit_code == 2
    assert "say which organisation" in result.output
    assert (digest(them), digest(organisation)) == before


def test_their_ids_in_a_file_become_records_of_ours(told: dict[str, str], other: Any, organisation: uuid.UUID) -> None:
    them, rows = other
    before = digest(them)
    result = run("import", told, organisation)
    assert result.exit_code == 0, result.output
    with walls.inside(organisation):
        ours = Document.objects.get(number=told["number"])
        assert ours.pk != rows["invoice_id"]
        assert ours.amount_minor == 5500
        assert not Customer.objects.filter(pk=rows["customer_id"]).exists()
        assert Connection.objects.get(name=told["connection"]).pk != rows["connection_id"]
    assert digest(them) == before
