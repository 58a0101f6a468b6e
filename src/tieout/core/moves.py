"""Along which paths money may move: from which status of a document or a payment to which others, in one table.

A source that says otherwise is not followed: what it says is set aside with a sentence, and the ledger stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from tieout.core.documents import DocumentStatus, PaymentStatus

What = Literal["document", "payment"]

_ANY_DOCUMENT: frozenset[str] = frozenset(get_args(DocumentStatus))
_ANY_PAYMENT: frozenset[str] = frozenset(get_args(PaymentStatus))

#: From → to. What stays as it is always may; `deleted` is what a source no longer shows, and may come back as anything.
DOCUMENT: Mapping[str, frozenset[str]] = {
    "draft": _ANY_DOCUMENT,
    "pending_approval": _ANY_DOCUMENT,
    "open": frozenset({"open", "void", "deleted", "unknown"}),
    "void": frozenset({"void", "deleted"}),
    "deleted": _ANY_DOCUMENT,
    "unknown": _ANY_DOCUMENT,
}
#: Money that is there can be settled, fail late, be called off or come back; what came back does not arrive a second time.
PAYMENT: Mapping[str, frozenset[str]] = {
    "pending": _ANY_PAYMENT - {"reversed"},
    "processing": _ANY_PAYMENT - {"reversed"},
    "succeeded": frozenset({"succeeded", "settled", "failed", "cancelled", "reversed"}),
    "settled": frozenset({"settled", "failed", "cancelled", "reversed"}),
    "failed": _ANY_PAYMENT - {"reversed"},
    "cancelled": frozenset({"cancelled"}),
    "reversed": frozenset({"reversed"}),
}
TABLES: Mapping[What, Mapping[str, frozenset[str]]] = {"document": DOCUMENT, "payment": PAYMENT}

_WHY: Mapping[tuple[str, str], str] = {
    ("void", "open"): "What was voided is never owed again: the other system should raise a new document. Is it owed after all, enter it anew.",
    ("open", "draft"): "What was claimed does not become a draft again. Is it not owed, void it.",
}
_WHY_ELSE: Mapping[What, str] = {
    "document": "A claim does not go back to where it was. Look at it in the other system; is that right there, correct the status here by hand.",
    "payment": "Money does not go back to where it was. Look at it in the other system; did it arrive again, it is a payment of its own.",
}


def allowed(what: What, before: str, after: str) -> bool:
    """Whether a document or payment may move from one status to another. A status nobody knows moves nowhere."""
    return after in TABLES[what].get(before, frozenset())


def refused(what: What) -> list[tuple[str, str]]:
    """Every move that is not taken, for the merge to ask of all its rows at once."""
    return [(before, after) for before in TABLES[what] for after in TABLES[what] if not allowed(what, before, after)]


def sentence(what: What, name: str, before: str, after: str) -> str:
    """What a person reads beside a record that was set aside for its move."""
    why = _WHY.get((before, after), _WHY_ELSE[what])
    return f"{name} is {_word(before)} here and its system now says {_word(after)}; that move is not taken. {why}"


def _word(status: str) -> str:
    return status.replace("_", " ")
