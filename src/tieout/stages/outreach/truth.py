"""Whether a text says what the ledger says: each figure it must show is there, and each amount a person typed is a true one."""

from __future__ import annotations

import re

from tieout.core.gate import Statement
from tieout.core.money import exponent
from tieout.stages.outreach import figures
from tieout.stages.outreach.said import Said

_NUMBER = re.compile(
    r"(?<![\w.,])(?<!\d[-/:])(\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+(?:[.,]\d{1,3})?|\d+(?:[.,]\d{1,3})?)(?![\d%])(?![.,:/-]\d)(?!\s?%)"
)
_CURRENCY = re.compile(r"(?:[€$£¥]|\b(?:[A-Z]{3}|euros?|dollars?|pounds?)\b)", re.IGNORECASE)


def statements(said: Said, *, body: str, edited: bool) -> tuple[Statement, ...]:
    """What the text states against what the ledger has, for the gate; `said` are the ledger's facts now."""
    found = [Statement(name=f"number of {one.number}", stated=one.number if one.number in body else None, ledger=one.number) for one in said.items]
    if edited:
        return (*found, *(_typed(amount, said) for amount in amounts(body, without=[one.number for one in said.items])))
    for one in said.items:
        shown = figures.money(one.demanded_minor, one.currency, said.language)
        found.append(Statement(name=f"amount of {one.number}", stated=shown if shown in body else None, ledger=shown))
    for code, minor in said.totals.items():
        shown = figures.money(minor, code, said.language)
        found.append(Statement(name=f"total in {code}", stated=shown if shown in body else None, ledger=shown))
    return tuple(found)


def amounts(body: str, *, without: list[str]) -> list[str]:
    """Numbers of a text that are amounts: with a currency beside them, or with two decimals. Days and percentages are none."""
    for number in sorted(without, key=len, reverse=True):
        body = body.replace(number, " ")
    found = []
    for hit in _NUMBER.finditer(body):
        near = body[max(0, hit.start() - 5) : hit.start()] + "|" + body[hit.end() : hit.end() + 8]
        if re.search(r"[.,]\d\d$", hit.group(1)) or _beside(near):
            found.append(hit.group(1).strip())
    return list(dict.fromkeys(found))


def _beside(near: str) -> bool:
    before, _, after = near.partition("|")
    last = re.search(r"(\S+)\s?$", before)
    first = re.match(r"\s?(\S+)", after)
    return any(hit is not None and _is_currency(hit.group(1)) for hit in (last, first))


def _is_currency(word: str) -> bool:
    bare = word.strip(".,;:()")
    if _CURRENCY.fullmatch(bare) is None:
        return False
    if len(bare) == 3 and bare.isalpha():
        return bare.isupper()
    return True


def _typed(amount: str, said: Said) -> Statement:
    return Statement(name=f"the amount {amount} in the text", stated=amount, ledger=amount if _is_true(amount, said) else None)


def _is_true(amount: str, said: Said) -> bool:
    digits = re.sub(r"\D", "", amount)
    tail = re.search(r"[.,](\d{1,3})$", amount)
    for code, true in _true(said).items():
        places = exponent(code)
        read = {int(digits) * 10**places} if tail is None or len(tail.group(1)) == 3 else set()
        if tail is not None and len(tail.group(1)) == places:
            read.add(int(digits))
        if read & true:
            return True
    return False


def _true(said: Said) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {code: {minor} for code, minor in said.totals.items()}
    for one in said.items:
        found[one.currency] |= {one.amount_minor, one.open_minor, one.demanded_minor, one.paid_minor, one.disputed_minor}
    for row in said.statement:
        found.setdefault(row.currency, set()).update({abs(row.open_minor), abs(row.amount_minor)})
    return found
