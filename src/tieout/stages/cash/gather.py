"""Gather what cash application is asked: the open book, the money not yet applied, and what people decided about both.

Ids given to `core.matching` carry the word a person knows beside our key, since reasons quote them; `words` takes the key out again.
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


#: Parts a word from our key in the ids handed to the matching; no source writes this character.
_MARK = "\N{INVISIBLE SEPARATOR}"
_KEY = re.compile(f"{_MARK}\\d+")


def key(word: str, row_id: int) -> str:
    """An id for the matching that a reader of its reasons understands."""
    return f"{word[:60]}{_MARK}{row_id}"


def words(sentence: str) -> str:
    """A sentence of the matching without our keys: a clerk knows numbers and names, not rows."""
    return _KEY.sub("", sentence)


def row_id(key: str) -> int:
    """Our key again."""
    return int(key.rsplit(_MARK, 1)[1])


def everything() -> Gathered | None:
    """The organisation's whole open book against all its unapplied money; None where no money waits.

    Whole, since a number, an amount or a payer may fit anybody's document: only then is unique unique.
    """
    if not waits():
        return None
    parties, names = _parties()
    payments = _payments(names)
    texts = [text for p in payments for text in (*p.texts, p.stated_number or "")]
    rows = _rows(_OPEN)
    known = {row[0] for row in rows}
    rows += [row for row in _rows(_NAMED, names=sorted(_candidates(texts))) if row[0] not in known]
    ids = [row_id(p.payment_id) for p in payments]
    return Gathered(
        book=matching.Book(documents=tuple(_document(row, names) for row in rows), parties=parties),
        payments=tuple(payments),
        undone=frozenset((payment, document) for payment, document in _rows(_UNDONE, ids=ids)),
        by_hand=frozenset(payment for (payment,) in _rows(_BY_HAND, ids=ids)),
        reported={row[0]: row[10] for row in rows if row[6] == 0 and row[10] > 0 and row[1] == "invoice"},
    )


def waits() -> bool:
    """Whether any money waits to be applied."""
    return bool(_rows("SELECT EXISTS (SELECT 1 FROM ledger_payment WHERE organisation_id = %(org)s AND unapplied_minor > 0)")[0][0])


def more_open_than(count: int) -> bool:
    """Whether the open book holds more documents than this."""
    query = "SELECT count(*) FROM (SELECT 1 FROM ledger_document WHERE organisation_id = %(org)s AND open_minor > 0 LIMIT %(most)s) d"
    return bool(_rows(query, most=count + 1)[0][0] > count)


# One table at a time, put together here: names are wanted for every row anyway, and no plan can go wrong.
_COLUMNS = """id, kind, number, customer_id, currency, amount_minor, open_minor, due_date, discount_pct, discount_until,
       CASE WHEN status IN ('open', 'unknown') THEN amount_minor - allocated_minor - written_off_minor ELSE 0 END"""
_OPEN = f"SELECT {_COLUMNS} FROM ledger_document WHERE organisation_id = %(org)s AND open_minor > 0 ORDER BY id"
#: Closed documents whose number stands in a payment's text: they tell a second payment from a first one.
_NAMED = f"SELECT {_COLUMNS} FROM ledger_document WHERE organisation_id = %(org)s AND number = ANY(%(names)s) AND open_minor = 0"
_PAYMENTS = """
SELECT id, currency, unapplied_minor, date, customer_id, payer_name, payer_account, reference, remittance, stated_document
  FROM ledger_payment WHERE organisation_id = %(org)s AND unapplied_minor > 0 ORDER BY id"""
_UNDONE = """
SELECT DISTINCT payment_id, document_id FROM ledger_allocation
 WHERE organisation_id = %(org)s AND payment_id = ANY(%(ids)s) AND retracted_at IS NOT NULL AND (evidence -> 'undone' ->> 'rank')::int >= 3"""
_BY_HAND = """
SELECT DISTINCT payment_id FROM ledger_allocation
 WHERE organisation_id = %(org)s AND payment_id = ANY(%(ids)s) AND retracted_at IS NULL AND rank >= 3"""
_PARTIES = "SELECT id, name, aliases, accounts, parent_id FROM ledger_customer WHERE organisation_id = %(org)s ORDER BY id"


def _rows(query: str, **values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"org": walls.current(), **values})
        return cursor.fetchall()


def _payments(names: dict[int, str]) -> list[matching.OpenPayment]:
    return [
        matching.OpenPayment(
            payment_id=key("payment", i), currency=currency, minor=minor, date=date, customer_id=None if customer is None else names[customer],
            payer_name=payer or None, payer_account=account or None, texts=tuple(t for t in (reference, remittance) if t),
            stated_number=stated or None,
        )
        for i, currency, minor, date, customer, payer, account, reference, remittance, stated in _rows(_PAYMENTS)
    ]


def _document(row: tuple[Any, ...], names: dict[int, str]) -> matching.Document:
    i, kind, number, customer, currency, amount, open_minor, due, pct, until, _ = row
    return matching.Document(
        document_id=key(number, i), kind=kind, number=number, customer_id=names[customer], currency=currency, amount_minor=amount,
        open_minor=open_minor, due_date=due, discount_pct=pct, discount_until=until,
    )


def _parties() -> tuple[tuple[matching.Party, ...], dict[int, str]]:
    """Every customer as payments may show it, and the ids by our keys."""
    rows = _rows(_PARTIES)
    names = {row[0]: key(row[1], row[0]) for row in rows}
    return tuple(
        matching.Party(
            customer_id=names[i], name=name, aliases=tuple(_list(aliases)), accounts=tuple(_list(accounts)),
            parent_id=None if parent is None else names[parent],
        )
        for i, name, aliases, accounts, parent in rows
    ), names


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
