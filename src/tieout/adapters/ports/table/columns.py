"""Completing a profile from the columns themselves: date order, decimal mark, currency, identifiers, rounding.

Each is settled only where the whole column leaves one possibility; else the question shows a cell of the file and what
each answer would make of it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tieout.adapters.ports.format import Option, Question
from tieout.adapters.ports.profile import Profile
from tieout.adapters.ports.table import dates, headers, words
from tieout.adapters.ports.table.amounts import Marks, split_cell
from tieout.adapters.ports.table.currencies import SHARED, SIGNS, sign_means
from tieout.core.money import is_currency

_FLOAT_ID = re.compile(r"\d+\.0+\Z")
_ORDER_TITLES = {"DMY": "day, month, year", "MDY": "month, day, year", "YMD": "year, month, day"}


class Looked:
    """The rows looked at, column by column."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[int]) -> None:
        self.header = header
        self.numeric = numeric
        self._columns: list[tuple[str, ...]] = list(zip(*rows, strict=True)) if rows else [()] * len(header)

    def cells(self, at: int) -> tuple[str, ...]:
        """The distinct cells of a column that hold something."""
        return tuple(c for c in dict.fromkeys(self._columns[at]) if c.strip())

    def of(self, profile: Profile, field: str) -> tuple[str, ...]:
        """The distinct cells of a field, empty where it has no single column."""
        column = profile.columns.get(field)
        found = headers.positions(self.header, column) if column else []
        return self.cells(found[0]) if len(found) == 1 else ()

    def could_be(self, field: str, at: int) -> bool:
        """Whether the cells can be what a header word promises: `Paid` may be an amount, a date or yes and no."""
        cells = self.cells(at)[:200]
        if not cells:
            return True
        if field in words.MONEY_FIELDS:
            fits = sum(1 for c in cells if split_cell(c.strip()) and not _is_date(c.strip()))
        elif field in words.DATE_FIELDS:
            fits = sum(1 for c in cells if _is_date(c.strip()) or dates.is_serial(c.strip()) or dates.is_no_date(c.strip()))
        elif field == "customer_email":
            fits = sum(1 for c in cells if "@" in c)
        else:
            return True
        return fits * 2 >= len(cells)


def _is_date(text: str) -> bool:
    return any(dates.is_plausible(parts) for parts in dates.readings(text).values())


Completed = tuple[Profile, tuple[Question, ...]]


def complete(profile: Profile, looked: Looked, answers: Mapping[str, str]) -> Completed:
    """The profile with what the columns settle, and the questions they leave."""
    asked: list[Question] = []
    for step in (_dates, _marks, _currency, _rounding):
        profile, questions = step(profile, looked, answers)
        asked.extend(questions)
    return _identifiers(profile, looked), tuple(asked)


def is_order(text: str) -> bool:
    """Whether the text is an order of dates that can be read by: DMY, MDY, YMD, excel, or a format with percent signs."""
    return text in (*dates.ORDERS, "excel") or "%" in text


def _dates(profile: Profile, looked: Looked, answers: Mapping[str, str]) -> Completed:
    """One order per file where the columns agree; a column that settles itself differently keeps its own."""
    order = answers.get("date_order", "") if is_order(answers.get("date_order", "")) else profile.date_order
    if order:
        return msgspec.structs.replace(profile, date_order=order), ()
    weighed = {f: dates.Orders(looked.of(profile, f)) for f in sorted(words.DATE_FIELDS & profile.columns.keys()) if f not in profile.date_orders}
    verdicts = {field: seen.verdict for field, seen in weighed.items() if seen.dates or seen.serials}
    certain = {v for f, v in verdicts.items() if v and weighed[f].is_proof}
    unsettled = [f for f, verdict in verdicts.items() if verdict is None]
    if unsettled and (len(certain) != 1 or any(weighed[f].contradicts or not certain <= weighed[f].possible for f in unsettled)):
        return profile, (_date_question(weighed, unsettled),)
    main = next(iter(certain)) if len(certain) == 1 else "YMD"
    own = {f: v for f, v in verdicts.items() if v and v != main and (v == "excel" or main not in weighed[f].possible)}
    return msgspec.structs.replace(profile, date_order=main, date_orders={**profile.date_orders, **own}), ()


def _date_question(weighed: Mapping[str, dates.Orders], unsettled: Sequence[str]) -> Question:
    field = unsettled[0]
    seen = weighed[field]
    cell = seen.open[0] if seen.open else ""
    orders = [o for o in ("DMY", "MDY", "YMD") if o in seen.possible] or ["DMY", "MDY"]
    given = dates.readings(cell) if cell else {}
    options = tuple(
        Option(value=o, label=_ORDER_TITLES[o], example=f"{cell} is {dt.date(*given[o]):%-d %B %Y}" if o in given else "") for o in orders
    )
    if seen.contradicts:
        message = f"The dates of {field.replace('_', ' ')} contradict each other: no single order of day and month fits them all. Which one holds?"
    else:
        message = f"In which order do the dates of {field.replace('_', ' ')} stand? {cell} fits more than one."
    return Question(code="date_order", message=message, field=field, options=options)


def _money_fields(profile: Profile, looked: Looked) -> list[str]:
    """Fields with text amounts; number cells of a spreadsheet have no marks to settle."""
    found = []
    for field in sorted(words.MONEY_FIELDS & profile.columns.keys()):
        places = headers.positions(looked.header, profile.columns[field])
        if len(places) == 1 and places[0] not in looked.numeric:
            found.append(field)
    return found


def _marks(profile: Profile, looked: Looked, answers: Mapping[str, str]) -> Completed:
    mark = answers.get("decimal_mark") or profile.decimal_mark
    if mark in (".", ","):
        return msgspec.structs.replace(profile, decimal_mark=mark), ()
    seen = Marks(cell for field in _money_fields(profile, looked) for cell in looked.of(profile, field))
    if len(seen.decimals) == 1:
        return msgspec.structs.replace(profile, decimal_mark=next(iter(seen.decimals))), ()
    if not seen.decimals and not seen.open:
        return msgspec.structs.replace(profile, decimal_mark="."), ()
    if seen.decimals:
        shown = " and ".join(repr(cell) for cell in seen.decimals.values())
        message = f"The amounts contradict each other about the decimal mark ({shown}). Which one holds?"
        cell = next(iter(seen.decimals.values()))
    else:
        cell = seen.open[0]
        message = f"Is the mark in {cell} a decimal mark or does it divide thousands? No amount of the file settles it."
    return profile, (Question(code="decimal_mark", message=message, field="amount", options=_mark_options(cell)),)


def _mark_options(cell: str) -> tuple[Option, ...]:
    number = (split_cell(cell) or ("", cell, ""))[1]

    def example(decimal: str) -> str:
        return f"{number} is {''.join('.' if c == decimal else c for c in number if c.isdigit() or c == decimal)}"

    return (Option(".", "the point is the decimal mark", example(".")), Option(",", "the comma is the decimal mark", example(",")))


def _currency(profile: Profile, looked: Looked, answers: Mapping[str, str]) -> Completed:
    """From a column, a condition, a constant, or the signs in the amount cells; shared signs and silence are asked."""
    if profile.kind == "customer" and not profile.kind_column:
        return profile, ()
    answer = answers.get("currency", "").upper()
    stated = "currency" in profile.columns or "currency" in profile.constants or any(c.field == "currency" for c in profile.conditions)
    if stated:
        return _shared_signs(profile, _words_of(looked.of(profile, "currency")), answer)
    if profile.currency:
        return profile, ()
    named = {headers.currency_named(profile.columns[f])[1] for f in words.MONEY_FIELDS & profile.columns.keys()}
    if len(named) == 1 and (code := named.pop()):
        return msgspec.structs.replace(profile, currency=code), ()
    signs = [_signs(cell) for field in _money_fields(profile, looked) for cell in looked.of(profile, field)]
    found = {sign for beside in signs for sign in beside}
    if found and all(signs):
        return _shared_signs(profile, found, answer)
    if answer and is_currency(answer):
        return msgspec.structs.replace(profile, currency=answer, symbols={**profile.symbols, **dict.fromkeys(_shared(found), answer)}), ()
    if not any(looked.of(profile, field) for field in words.MONEY_FIELDS & profile.columns.keys()):
        return profile, ()
    message = "In which currency are the amounts? " + ("Some cells carry no currency." if found else "No column and no cell says it.")
    return profile, (Question(code="currency", message=message, field="currency", options=_currency_options(_meanings(found))),)


def _signs(cell: str) -> tuple[str, ...]:
    """The currency signs and codes beside the number of a cell."""
    parts = split_cell(cell.strip())
    if not parts:
        return ()
    bare = [p.strip(" ()+-\u00a0\u202f\u2212\u2013") for p in (parts[0], parts[2])]
    return tuple(word for word in bare if word and (word.upper() in SIGNS or sign_means(word, {})))


def _words_of(cells: Iterable[str]) -> set[str]:
    return {c.strip() for c in cells}


def _shared(found: Iterable[str]) -> list[str]:
    return sorted({s.upper().rstrip(".") for s in found if len(SHARED.get(s.upper().rstrip("."), ())) > 1})


def _meanings(found: Iterable[str]) -> list[str]:
    return sorted({code for sign in found for code in sign_means(sign, {})})


def _shared_signs(profile: Profile, found: Iterable[str], answer: str) -> Completed:
    open_signs = [s for s in _shared(found) if s not in profile.symbols]
    if not open_signs:
        return profile, ()
    if answer and is_currency(answer):
        return msgspec.structs.replace(profile, symbols={**profile.symbols, **dict.fromkeys(open_signs, answer)}), ()
    signs = " and ".join(open_signs)
    message = f"Which currency does {signs} stand for in this file? Several countries use it."
    return profile, (Question(code="currency", message=message, field="currency", options=_currency_options(_meanings(open_signs))),)


def _currency_options(codes: Sequence[str]) -> tuple[Option, ...]:
    usual = ["USD", "EUR", "GBP", "CAD", "AUD", "CHF", "JPY"]
    first = [c for c in usual if c in codes] + [c for c in codes if c not in usual]
    return tuple(Option(value=c, label=c) for c in (first or usual))


def _rounding(profile: Profile, looked: Looked, answers: Mapping[str, str]) -> Completed:
    """Amounts that a program computed in floating point (2309.7899999999995) need a named rounding; three places do not."""
    named = answers.get("rounding") or profile.rounding
    if named in ("half_up", "half_even"):
        return msgspec.structs.replace(profile, rounding=named), ()
    mark = profile.decimal_mark or "."
    noisy = [c for f in _money_fields(profile, looked) for c in looked.of(profile, f) if len(c.rpartition(mark)[2]) >= 9 and mark in c]
    if not noisy:
        return profile, ()
    message = f"Some amounts have more places than money has, such as {noisy[0]}. May they be rounded to the currency's places?"
    options = (
        Option("half_even", "round to the nearest, a half to the even neighbour", noisy[0]),
        Option("half_up", "round to the nearest, a half away from zero", noisy[0]),
        Option("refuse", "refuse such rows", noisy[0]),
    )
    if named == "refuse":
        return profile, ()
    return profile, (Question(code="rounding", message=message, field="amount", options=options),)


def _identifiers(profile: Profile, looked: Looked) -> Profile:
    """Identifiers that all end in `.0` were numbers in somebody's spreadsheet."""
    for field in words.ID_FIELDS & profile.columns.keys():
        cells = looked.of(profile, field)
        if cells and all(_FLOAT_ID.match(c.strip()) for c in cells):
            return msgspec.structs.replace(profile, whole_ids=True)
    return profile
