"""Money moves along allowed paths only: every pair of statuses is in a table here, and nothing is left to chance."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.conftest import ROOT
from tieout.core import moves
from tieout.core.documents import DocumentStatus, PaymentStatus

#: From, then the statuses it may become, written out beside the rule.
DOCUMENTS = {
    "draft": "draft pending_approval open void deleted unknown",
    "pending_approval": "draft pending_approval open void deleted unknown",
    "open": "open void deleted unknown",
    "void": "void deleted",
    "deleted": "draft pending_approval open void deleted unknown",
    "unknown": "draft pending_approval open void deleted unknown",
}
PAYMENTS = {
    "pending": "pending processing succeeded settled failed cancelled",
    "processing": "pending processing succeeded settled failed cancelled",
    "succeeded": "succeeded settled failed cancelled reversed",
    "settled": "settled failed cancelled reversed",
    "failed": "pending processing succeeded settled failed cancelled",
    "cancelled": "cancelled",
    "reversed": "reversed",
}
PAIRS = [
    (what, before, after, after in said[before].split())
    for what, said, statuses in (("document", DOCUMENTS, get_args(DocumentStatus)), ("payment", PAYMENTS, get_args(PaymentStatus)))
    for before in statuses for after in statuses
]


IDS = [f"{what} {before} to {after}: {'taken' if may else 'refused'}" for what, before, after, may in PAIRS]


@pytest.mark.parametrize(("what", "before", "after", "may"), PAIRS, ids=IDS)
def test_a_move_is_taken_or_refused(what: moves.What, before: str, after: str, may: bool) -> None:
    assert moves.allowed(what, before, after) is may
    assert ((before, after) in moves.refused(what)) is not may


def test_a_status_nobody_knows_moves_nowhere() -> None:
    assert not moves.allowed("document", "paid", "open")


@pytest.mark.parametrize(("what", "before", "after"), [(what, *pair) for what in moves.TABLES for pair in moves.refused(what)])
def test_a_refusal_says_both_sides_and_what_to_do(what: moves.What, before: str, after: str) -> None:
    said = moves.sentence(what, "INV-7", before, after)
    assert said.startswith(f"INV-7 is {before.replace('_', ' ')} here and its system now says {after.replace('_', ' ')}")
    assert said.count(".") >= 2


def test_the_documents_show_the_same_table() -> None:
    """docs/formulas/truth.md is read by people; it says what the table says."""
    text = (ROOT / "docs" / "formulas" / "truth.md").read_text()
    for what, table in moves.TABLES.items():
        for before, after in table.items():
            row = ", ".join(f"`{one}`" for one in table if one in after and one != before) or "nothing"
            assert f"| {what} | `{before}` | {row} |" in text
