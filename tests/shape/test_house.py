"""What the import linter cannot see: keys that point left, verbs in their shape, weights told but never enforced."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT, connect

SOURCE = ROOT / "src" / "tieout"
SENTENCE = ("base", "intake", "ledger", "cash", "dialogue", "behaviour", "collect", "outreach", "writeback", "health")
FILES = sorted(p for p in SOURCE.rglob("*.py") if "migrations" not in p.parts)


def test_foreign_keys_point_left() -> None:
    connect()
    from django.apps import apps

    wrong = [
        f"{model.__name__}.{field.name} → {field.related_model.__name__}"
        for config in apps.get_app_configs()
        if config.label in SENTENCE
        for model in config.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is not None
        and field.related_model._meta.app_label in SENTENCE
        and SENTENCE.index(field.related_model._meta.app_label) > SENTENCE.index(config.label)
    ]
    assert wrong == []


def test_no_global_table_refers_to_an_organisations_table() -> None:
    connect()
    from django.apps import apps

    from tieout.stages.base.rows import OrganisationRow

    wrong = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        if not issubclass(model, OrganisationRow)
        for field in model._meta.concrete_fields
        if isinstance(field.related_model, type) and issubclass(field.related_model, OrganisationRow)
    ]
    assert wrong == []


def test_no_model_has_changed_without_its_migration(database: Path) -> None:

    from django.apps import apps
    from django.db import connections
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    loader = MigrationLoader(connections["owner"])
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(graph=loader.graph)
    assert {label: [o.describe() for m in found for o in m.operations] for label, found in changes.items() if label in SENTENCE} == {}


@pytest.mark.parametrize("path", [p for p in FILES if "core" in p.parts], ids=lambda p: str(p.relative_to(SOURCE)))
def test_the_core_reads_no_clock_and_no_environment(path: Path) -> None:
    text = path.read_text()
    found = re.findall(r"\b(datetime\.now|date\.today|time\.time|os\.environ|random\.random)\b", text)
    assert found == []


def test_below_flow_nobody_asks_for_the_time() -> None:
    wrong = [
        str(p.relative_to(SOURCE))
        for p in FILES
        if "stages" in p.parts and re.search(r"\b(dt\.datetime\.now|datetime\.now|timezone\.now|date\.today)\(", p.read_text())
    ]
    assert wrong == []


def test_no_promises_left_open() -> None:
    marks = re.compile(r"\b(TODO|FIXME)\b|raise NotImplementedError")
    assert [str(p.relative_to(ROOT)) for p in FILES if marks.search(p.read_text())] == []


def test_no_floats_hold_money() -> None:
    """A name that says minor, amount or money is never annotated as a float."""
    wrong = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AnnAssign) and isinstance(node.annotation, ast.Name) and node.annotation.id == "float":
                name = getattr(node.target, "id", "")
                if re.search(r"minor|amount|money", name):
                    wrong.append(f"{path.relative_to(SOURCE)}:{node.lineno} {name}")
    assert wrong == []


def test_weights(capsys: pytest.CaptureFixture[str]) -> None:
    """Informs, never fails: which files have grown past comfort."""
    heavy = sorted(((len(p.read_text().splitlines()), str(p.relative_to(SOURCE))) for p in FILES), reverse=True)
    code = sum(n for n, _ in heavy)
    with capsys.disabled():
        print(
            f"\nweights: {len(heavy)} files, {code} lines, {sum(n for n, _ in heavy if n > 400) * 100 // code} % in files over 400 lines; heaviest:",
            ", ".join(f"{name} {n}" for n, name in heavy[:3]),
        )
