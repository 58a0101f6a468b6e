"""Money seen but not applied: which open documents it could settle, so that nobody is chased for what has been paid.

Deliberately generous: a wrong guess here costs a day's delay, a missed one a demand for paid money. Deciding what a payment
*is* belongs to cash application; this only says what must wait until that has been decided.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from tieout.core.party import fold
from tieout.core.policy.situation import Item

_WORD = re.compile(r"[^\W_]+", re.UNICODE)


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """A payment not yet applied: positive minor units, what is known of its payer, and the texts that came with it."""

    minor: int
    currency: str
    customer_id: str | None = None
    payer_name: str | None = None
    payer_account: str | None = None
    texts: tuple[str, ...] = ()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One customer with its open documents and everything a payer may be recognised by."""

    customer_id: str
    items: Sequence[Item]
    names: Sequence[str] = ()
    bank_accounts: Sequence[str] = ()
    parent_id: str | None = None


def on_the_way(moneys: Iterable[Money], accounts: Sequence[Account]) -> dict[str, int]:
    """Minor units that may be on their way to each document, by invoice id; documents that nothing could settle are absent.

    A payment that names documents waits on those, and on the rest of its payer's in the same currency if it is larger; one of a
    known payer (or its parent) on everything open in its currency; one of an unknown payer on documents, and on customers'
    sums, of exactly its amount.
    """
    book = _Book(accounts)
    found: dict[str, int] = defaultdict(int)
    for money in moneys:
        if money.minor <= 0:
            continue
        for item in book.could_settle(money):
            found[item.invoice_id] += min(money.minor, item.open_minor)
    return dict(found)


def _bare(text: str) -> str:
    return "".join(_WORD.findall(text)).casefold()


def _spellings(number: str) -> set[str]:
    """The spellings under which a document number may be named: whole, and without leading zeros in its last digits."""
    whole = _bare(number)
    digits = re.search(r"\d+$", whole)
    if digits is None:
        return {whole}
    bare = digits.group().lstrip("0")
    prefix = whole[: digits.start()]
    return {whole, prefix + bare} | ({bare} if len(bare) >= 3 else set())


class _Book:
    def __init__(self, accounts: Sequence[Account]) -> None:
        self.items: dict[str, list[Item]] = {}
        self.by_number: dict[str, list[Item]] = defaultdict(list)
        self.by_amount: dict[tuple[int, str], list[Item]] = defaultdict(list)
        self.by_payer: dict[str, set[str]] = defaultdict(set)
        children: dict[str, set[str]] = defaultdict(set)
        for account in accounts:
            self.items[account.customer_id] = list(account.items)
            for key in (*(f"n:{fold(n)}" for n in account.names if n), *(f"a:{_bare(a)}" for a in account.bank_accounts if a)):
                self.by_payer[key].add(account.customer_id)
            if account.parent_id:
                children[account.parent_id].add(account.customer_id)
            self._index(account.items)
        self.children = children

    def _index(self, items: Sequence[Item]) -> None:
        sums: dict[str, int] = defaultdict(int)
        for item in items:
            sums[item.currency] += item.open_minor
            for spelling in _spellings(item.number or item.invoice_id) | {_bare(item.invoice_id)}:
                self.by_number[spelling].append(item)
            self.by_amount[item.open_minor, item.currency].append(item)
        for currency, minor in sums.items():
            self.by_amount[minor, currency].extend(i for i in items if i.currency == currency and i.open_minor != minor)

    def could_settle(self, money: Money) -> list[Item]:
        named = self._named(money)
        payers = self._payers(money)
        rest = money.minor - sum(i.open_minor for i in named)
        if named and rest <= 0:
            return named
        if payers:
            theirs = [i for p in sorted(payers) for i in self.items.get(p, ()) if i.currency == money.currency]
            return [*named, *(i for i in theirs if i not in named)]
        return named or self.by_amount.get((money.minor, money.currency), [])

    def _named(self, money: Money) -> list[Item]:
        found: dict[str, Item] = {}
        for text in money.texts:
            words = _WORD.findall(text.casefold())
            for size in (1, 2, 3):
                for i in range(len(words) - size + 1):
                    joined = "".join(words[i : i + size])
                    for item in self.by_number.get(joined, ()) or self.by_number.get(joined.lstrip("0"), ()):
                        found[item.invoice_id] = item
        return list(found.values())

    def _payers(self, money: Money) -> set[str]:
        if money.customer_id in self.items:
            payers = {str(money.customer_id)}
        else:
            by_account = self.by_payer.get(f"a:{_bare(money.payer_account or '')}", set()) if money.payer_account else set()
            payers = by_account or (self.by_payer.get(f"n:{fold(money.payer_name)}", set()) if money.payer_name else set())
        return payers | {child for payer in payers for child in self.children.get(payer, ())}
