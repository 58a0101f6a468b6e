"""Every connector sits the same exam, and the published table says what their manifests say."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tieout.adapters.ports import connector_exam, matrix, registry


@pytest.mark.parametrize("name", registry.connectors())
def test_a_connector_passes_the_exam(name: str) -> None:
    assert list(connector_exam.complaints(registry.connectors()[name])) == []


def test_the_published_table_is_made_from_the_manifests() -> None:
    assert (ROOT / "docs" / "connectors.md").read_text("utf-8") == matrix.page(), "python -m tieout.adapters.ports.matrix > docs/connectors.md"
