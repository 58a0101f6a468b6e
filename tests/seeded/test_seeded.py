"""Each seeded bug is caught by the test that is named for it (`make seeded`); the list itself is kept true by the quick tests here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.seeded.bugs import BUGS, Bug, page

SOURCE = ROOT / "src"
each_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.where}: {bug.name}")


@each_bug
def test_a_bug_has_its_place_in_the_source_and_its_test_is_there(bug: Bug) -> None:
    assert (SOURCE / "tieout" / bug.place).read_text("utf-8").count(bug.right) == 1
    file, _, name = bug.test.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)


def test_there_are_bugs_of_every_connector_and_of_the_engine() -> None:
    assert len(BUGS) >= 10
    assert {bug.where for bug in BUGS} == {"Stripe", "QuickBooks", "HubSpot", "the engine"}


def test_the_published_list_is_made_from_the_bugs() -> None:
    assert (ROOT / "docs" / "adding" / "seeded-bugs.md").read_text("utf-8") == page()


def outcome(source: Path, test: str) -> str:
    """What pytest says of a test with this source before ours: its last lines."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TIEOUT_", "DATABASE_", "DJANGO_", "PYTEST_"))}
    program = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist", test]
    done = subprocess.run(
        program, cwd=ROOT, env={**environment, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False
    )
    return done.stdout


def results(told: str, test: str) -> set[str]:
    return {line.split()[0] for line in told.splitlines() if re.match(rf"(PASSED|FAILED|ERROR|SKIPPED) {re.escape(test)}(\[| |$)", line)}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source in which one file at a time is changed."""
    copy = tmp_path_factory.mktemp("seeded") / "src"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return copy


@pytest.mark.slow
@pytest.mark.timeout(600)
@each_bug
def test_the_named_test_fails_with_the_bug_and_passes_without(bug: Bug, sources: Path) -> None:
    file = sources / "tieout" / bug.place
    right = file.read_text("utf-8")
    without = outcome(sources, bug.test)
    assert results(without, bug.test) == {"PASSED"}, without[-3000:]
    file.write_text(right.replace(bug.right, bug.wrong), "utf-8")
    try:
        # What cannot even be compiled would be caught by anything.
        compile(file.read_text("utf-8"), str(file), "exec")
        told = outcome(sources, bug.test)
    finally:
        file.write_text(right, "utf-8")
    assert "FAILED" in results(told, bug.test), told[-3000:]
