"""Cash application: which documents a payment is for (promise P7).

Applied by machine only when the payment names its documents, the amounts agree and no other reading exists; everything
else is proposed to a person, with its reason and its rival. Not knowing is an answer.

`solve(book, payments)` is pure and deterministic; the answer for a payment does not depend on the order of anything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tieout.core.matching.book import Application, Book, Decision, Document, OpenPayment, Part, Party, Policy, Reading, WriteOff
from tieout.core.matching.index import Index
from tieout.core.matching.named import Naming, naming, other_reading
from tieout.core.matching.propose import proposals
from tieout.core.matching.tolerance import closing

__all__ = [
    "Application",
    "Book",
    "Decision",
    "Document",
    "OpenPayment",
    "Part",
    "Party",
    "Policy",
    "Reading",
    "WriteOff",
    "solve",
]


def solve(book: Book, payments: Sequence[OpenPayment]) -> list[Application]:
    """One answer per payment, in the order given.

    All open payments of the accounts concerned belong in one call: two that name the same document are rivals. Raises
    ValueError where a payment or document id is given twice, because each would hide the other.
    """
    _refuse_twice("payment", [payment.payment_id for payment in payments])
    _refuse_twice("document", [document.document_id for document in book.documents])
    index = Index(book)
    found = [naming(payment, index) for payment in payments]
    named_by: dict[str, set[str]] = defaultdict(set)
    for payment, names in zip(payments, found, strict=True):
        for document in names.all:
            named_by[document.document_id].add(payment.payment_id)
    return [_answer(payment, names, index, named_by) for payment, names in zip(payments, found, strict=True)]


def _answer(payment: OpenPayment, found: Naming, index: Index, named_by: dict[str, set[str]]) -> Application:
    if payment.minor <= 0:
        return Application(payment.payment_id, "none", (), "no money is left to apply")
    objection = other_reading(payment, found, index, named_by)
    closed = closing(found.open, payment, index.policy) if found.open else None
    if closed and objection is None:
        parts, how = closed
        reason = f"names {', '.join(document.number for document in found.open)}; {how}; no other reading"
        return Application(payment.payment_id, "apply", (Reading(parts, 99, reason),), reason)
    offered = proposals(payment, found, index, objection or "the amounts do not agree")
    if offered:
        return Application(payment.payment_id, "propose", offered, offered[0].reason)
    return Application(payment.payment_id, "none", (), objection or _nothing(found))


def _nothing(found: Naming) -> str:
    if found.closed:
        return f"names {found.closed[0].number}, which is already paid, and nothing else fits"
    return "names no document, and no open document fits by payer or amount"


def _refuse_twice(what: str, ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        twice = min(name for name, count in Counter(ids).items() if count > 1)
        raise ValueError(f"{what} {twice} is given twice")
