"""Gather what cash application is asked: the open book, the money not yet applied, and what people decided about both.

Ids given to `core.matching` carry the word a person knows beside our key (`INV-7 #12`), since reasons quote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import connection

from tieout.core import matching
from tieout.stages.base import walls

#: Runs of a text that may be a document's number, as it is written; up to three words together.
_WORD = re.compile(r"[^\s,;()\[\]\"']+")
_RUN = 3


class Gathered(msgspec.Struct, frozen=True):
    """A snapshot to judge. `undone` are pairs (payment, document) a person took apart; `by_hand` payments a person applied a part of.

    `reported` are documents their source reports as settled while no money we know of settled them: minor units unexplained.
    """

    book: matching.Book
    payments: tuple[matching.OpenPayment, ...]
    undone: frozenset[tuple[int, int]]
    by_hand: frozenset[int]
    reported: dict[int, int]


def key(word: str, row_id: int) -> str:
    """An id for the matching that a reader of its reasons understands."""
    return f"{word[:60]} #{row_id}"


def row_id(key: str) -> int:
    """Our key again."""
    return int(key.rsplit("#", 1)[1])


def everything() -> Gathered | None:
    """The organisation's whole open book against all its unapplied money; None where no money waits.

    Whole, since a number, an amount or a payer may fit anybody's document: only then is unique unique.
    """
    payments = _payments()
    if not payments:
        return None
    texts = [text for p in payments for text in (*p.texts, p.stated_number or "")]
    documents = _rows(_OPEN)
    known = {d[0] for d in documents}
    documents += [d for d in _rows(_NAMED, names=sorted(_candidates(texts))) if d[0] not in known]
    ids = [row_id(p.payment_id) for p in payments]
    book = matching.Book(documents=tuple(map(_document, documents)), parties=_parties())
    undone = _rows(_UNDONE, ids=ids)
    return Gathered(
        book=book, payments=tuple(payments), undone=frozenset((p, d) for p, d in undone), by_hand=frozenset(p for (p,) in _rows(_BY_HAND, ids=ids)),
        reported={d[0]: d[11] for d in documents if d[7] == 0 and d[11] > 0 and d[1] == "invoice"},
    )


_COLUMNS = """d.id, d.kind, d.number, d.customer_id, u.name, d.currency, d.amount_minor, d.open_minor, d.due_date, d.discount_pct, d.discount_until,
       CASE WHEN d.status IN ('open', 'unknown') THEN d.amount_minor - d.allocated_minor - d.written_off_minor ELSE 0 END"""
_FROM = "FROM ledger_document d JOIN ledger_customer u ON (u.organisation_id, u.id) = (d.organisation_id, d.customer_id)"
_OPEN = f"SELECT {_COLUMNS} {_FROM} WHERE d.organisation_id = %(org)s AND d.open_minor > 0 ORDER BY d.id"
#: Closed documents whose number stands in a payment's text: they tell a second payment from a first one.
_NAMED = f"SELECT {_COLUMNS} {_FROM} WHERE d.organisation_id = %(org)s AND d.number = ANY(%(names)s) AND d.open_minor = 0 ORDER BY d.id"
_PAYMENTS = """
SELECT p.id, p.currency, p.unapplied_minor, p.date, p.customer_id, u.name, p.payer_name, p.payer_account, p.reference, p.remittance, p.stated_document
  FROM ledger_payment p LEFT JOIN ledger_customer u ON (u.organisation_id, u.id) = (p.organisation_id, p.customer_id)
 WHERE p.organisation_id = %(org)s AND p.unapplied_minor > 0 ORDER BY p.id"""
_UNDONE = """
SELECT DISTINCT payment_id, document_id FROM ledger_allocation
 WHERE organisation_id = %(org)s AND payment_id = ANY(%(ids)s) AND retracted_at IS NOT NULL AND (evidence -> 'undone' ->> 'rank')::int >= 3"""
_BY_HAND = """
SELECT DISTINCT payment_id FROM ledger_allocation
 WHERE organisation_id = %(org)s AND payment_id = ANY(%(ids)s) AND retracted_at IS NULL AND rank >= 3"""
_PARTIES = """
SELECT c.id, c.name, c.aliases, c.accounts, c.parent_id, p.name
  FROM ledger_customer c LEFT JOIN ledger_customer p ON (p.organisation_id, p.id) = (c.organisation_id, c.parent_id)
 WHERE c.organisation_id = %(org)s ORDER BY c.id"""


def _rows(query: str, **values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"org": walls.current(), **values})
        return cursor.fetchall()


def _payments() -> list[matching.OpenPayment]:
    return [
        matching.OpenPayment(
            payment_id=key("payment", i), currency=currency, minor=minor, date=date,
            customer_id=None if customer is None else key(name, customer), payer_name=payer or None, payer_account=account or None,
            texts=tuple(t for t in (reference, remittance) if t), stated_number=stated or None,
        )
        for i, currency, minor, date, customer, name, payer, account, reference, remittance, stated in _rows(_PAYMENTS)
    ]


def _document(row: tuple[Any, ...]) -> matching.Document:
    i, kind, number, customer, name, currency, amount, open_minor, due, pct, until, _ = row
    return matching.Document(
        document_id=key(number, i), kind=kind, number=number, customer_id=key(name, customer), currency=currency, amount_minor=amount,
        open_minor=open_minor, due_date=due, discount_pct=pct, discount_until=until,
    )


def _parties() -> tuple[matching.Party, ...]:
    return tuple(
        matching.Party(
            customer_id=key(name, i), name=name, aliases=tuple(_list(aliases)), accounts=tuple(_list(accounts)),
            parent_id=None if parent is None else key(parent_name, parent),
        )
        for i, name, aliases, accounts, parent, parent_name in _rows(_PARTIES)
    )


def _list(value: Any) -> list[str]:
    return msgspec.json.decode(value) if isinstance(value, str) else list(value or ())


def _candidates(texts: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for text in texts:
        words = [w.strip(".:") for w in _WORD.findall(text)]
        for start in range(len(words)):
            for end in range(start + 1, min(start + _RUN, len(words)) + 1):
                run = " ".join(words[start:end])
                if any(c.isdigit() for c in run) and len(run) <= 200:
                    found |= {run, run.upper()}
    return found
