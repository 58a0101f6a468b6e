"""The installation as its operator knows it: found, stop, start again, back up, restore, any server by DATABASE_URL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import psycopg
import pytest

from tests.conftest import ROOT

HEAD = "invoice_id,number,customer_id,customer_name,issue_date,due_date,currency,amount\n"
FILE = HEAD + "1,INV-1,C1,Brightwater,2026-05-01,2026-05-31,EUR,100.00\n"
CLEAN = {
    k: v for k, v in os.environ.items() if not k.startswith("TIEOUT_") and k not in ("DATABASE_URL", "DATABASE_OWNER_URL", "DJANGO_SETTINGS_MODULE")
}


def tieout(data: Path, *arguments: str, code: int = 0, **env: str) -> str:
    """Run the command in a process of its own with its own data directory; returns what it said."""
    ran = subprocess.run(
        [sys.executable, "-m", "tieout.faces.cli", *arguments],
        env={**CLEAN, "TIEOUT_DATA": str(data), **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == code, f"{arguments}: exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout + ran.stderr


def found(data: Path, **env: str) -> None:
    tieout(
        data,
        "init",
        "--name",
        "Marrow Lane",
        "--country",
        "DE",
        "--time-zone",
        "Europe/Berlin",
        "--currency",
        "EUR",
        "--owner",
        "ada@marrow.example",
        "--password",
        "a long enough one",
        "--sender-address",
        "ar@marrow.example",
        **env,
    )


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("installation")
    for parent in (path, *path.parents):  # the server runs under a login of its own when the suite runs as root
        if parent == Path("/tmp") or len(parent.parts) < 3:
            break
        parent.chmod(0o755)
    return path


def test_a_second_start_finds_everything_and_a_restored_system_is_frozen(place: Path) -> None:
    home, elsewhere, file, backup = place / "home", place / "elsewhere", place / "invoices.csv", place / "all.backup"
    file.write_text(FILE)
    found(home)
    first = json.loads(tieout(home, "import", "Billing", str(file), "--json"))
    again = json.loads(tieout(home, "import", "Billing", str(file), "--json"))
    assert (first["created"], again["state"]) == (2, "ignored")
    before = tieout(home, "aging", "--org", "-", "--as-of", "2026-06-10", "--totals")
    assert "100.00" in before

    tieout(home, "backup", str(backup))
    assert backup.stat().st_mode & 0o077 == 0
    tieout(elsewhere, "restore", str(backup))
    assert tieout(elsewhere, "aging", "--org", "-", "--as-of", "2026-06-10", "--totals") == before
    assert "sending: frozen" in tieout(elsewhere, "health")
    assert "holds a database already" in tieout(elsewhere, "restore", str(backup), code=2)


def test_what_is_no_backup_is_refused_and_leaves_nothing(place: Path) -> None:
    other = place / "other.tar"
    with tarfile.open(other, "w") as tar:
        tar.add(ROOT / "LICENSE", "LICENSE")
    assert "not a backup of Tieout" in tieout(place / "data", "restore", str(other), code=2)
    assert not (place / "data" / "postgres").exists()


def test_any_server_by_database_url_with_our_own_roles(place: Path) -> None:
    """A second embedded cluster plays the server; its superuser makes the roles once, the product runs without it."""
    from tieout.settings import embedded

    server = embedded.start(place / "server")
    try:
        found(place / "data", DATABASE_URL=server)
        (place / "i.csv").write_text(FILE)
        taken = json.loads(tieout(place / "data", "import", "Billing", str(place / "i.csv"), "--json", DATABASE_URL=server))
        assert taken["created"] == 2
        assert not (place / "data" / "postgres").exists()
        with psycopg.connect(server, dbname="tieout") as admin:
            roles = dict(admin.execute("SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname LIKE 'tieout%%'").fetchall())
        assert roles == {"tieout_owner": False, "tieout_app": False, "tieout_intake": False}
        assert "server of its own" in tieout(place / "data", "backup", str(place / "b"), code=2, DATABASE_URL=server)
    finally:
        embedded.stop(place / "server")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--currency", "EURO"], "not an ISO 4217 code", id="an unknown currency"),
        pytest.param(["--time-zone", "Mars/Base"], "not a time zone", id="an unknown zone"),
        pytest.param(["--owner", "ada"], "owner", id="no address"),
    ],
)
def test_init_refuses_in_words(place: Path, arguments: list[str], says: str) -> None:
    given = {
        "--name": "X",
        "--country": "DE",
        "--time-zone": "Europe/Berlin",
        "--currency": "EUR",
        "--owner": "a@b.example",
        "--sender-address": "a@b.example",
        **dict(zip(arguments[::2], arguments[1::2], strict=True)),
    }
    assert says in tieout(place, "init", *[part for pair in given.items() for part in pair], code=2)


def test_an_unreachable_server_is_told_without_a_stack_trace(place: Path) -> None:
    said = tieout(place, "health", code=2, DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert "Traceback" not in said
    assert "tieout:" in said
