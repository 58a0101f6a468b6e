"""What a request asks for, read once and safely: whatever was typed, no page breaks over it."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from uuid import UUID

from django.http import HttpRequest, QueryDict

from tieout.core import money
from tieout.stages.base.models import Profile
from tieout.stages.base.queries import Member

_LONGEST = 20_000


class Request(HttpRequest):
    """A request of somebody signed in, as the middleware hands it to a view; named here for the reader and the type checker."""

    membership: Member
    organisation_id: UUID
    profile: Profile
    now: dt.datetime
    today: dt.date


class Unreadable(ValueError):
    """Something typed cannot be read; the message says what and how to write it."""


def text(values: QueryDict, name: str, *, longest: int = _LONGEST) -> str:
    """What was typed, without surrounding space and without NUL, which the database does not take."""
    return values.get(name, "").replace("\x00", "").strip()[:longest]


def number(values: QueryDict, name: str) -> int | None:
    """A key of one of our rows, None where nothing usable was given."""
    given = values.get(name, "")
    # 18 digits: what a bigint surely holds.
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None


def numbers(values: QueryDict, name: str) -> list[int]:
    """Every key given under one name, in order, each once."""
    found = (int(v) for v in values.getlist(name) if v.isascii() and v.isdecimal() and len(v) < 19)
    return list(dict.fromkeys(found))


def day(values: QueryDict, name: str) -> dt.date | None:
    """A day as the browser's date field sends it. Raises Unreadable for anything else but nothing."""
    given = text(values, name, longest=20)
    if not given:
        return None
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        raise Unreadable(f"{given} is not a day: write it as 2026-06-30") from None


#: Digits in threes parted by one kind of mark, with or without decimals after another; or plain digits with or without decimals.
_GROUPED = re.compile(r"(\d{1,3}(?:([.,])\d{3})(?:\2\d{3})*)(?:(?!\2)[.,](\d+))?", re.ASCII)
_PLAIN = re.compile(r"(\d+)(?:[.,](\d+))?", re.ASCII)


def minor(typed: str, currency: str) -> int:
    """An amount as a person types it (`1,234.50`, `1.234,50`, `1234.5`, `1 234,50`) in minor units. Raises Unreadable.

    A single mark followed by three digits could mean thousands or decimals; it is refused, never guessed.
    """
    given = re.sub(r"[\s\u00a0\u202f']", "", typed)
    plain, grouped = _PLAIN.fullmatch(given), _GROUPED.fullmatch(given)
    try:
        if plain and grouped and money.exponent(currency) != 3:
            raise Unreadable(f"{typed} could mean two amounts: write it without thousands marks, as 1234.50")
        if plain:
            whole, part = plain.groups()
        elif grouped:
            whole, part = re.sub(r"[.,]", "", grouped[1]), grouped[3]
        else:
            raise Unreadable(f"{typed.strip() or 'nothing'} is not an amount: write it as 1234.50")
        return money.from_decimal(Decimal(f"{whole}.{part or 0}"), currency).minor
    except money.MoneyError as error:
        raise Unreadable(f"{typed} is not an amount in {currency}: {error}") from None


def page_key(request: Request, name: str = "after") -> int:
    """Where a list goes on; 0 is its beginning."""
    return number(request.GET, name) or 0
