"""Which of two answers about one record is the later: the higher version of the vendor's, else the later time, else nobody can say.

A version compares as a number where both are digits; other versions (a hash, a tag) say only whether they are the same. A system may
change what follows of a record (the balance of an invoice) without a new version: between equal versions the time tells.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

Judgement = Literal["newer", "same", "older", "unknown"]


class Stamp(msgspec.Struct, frozen=True):
    """What an answer says of its own age; empty where it says nothing."""

    version: str = ""
    changed_at: dt.datetime | None = None


def judge(held: Stamp, given: Stamp) -> Judgement:
    """What the answer at hand is, beside the one held. `unknown` where neither version nor time tells: it is read again."""
    if _number(held.version) and _number(given.version) and int(held.version) != int(given.version):
        return "newer" if int(given.version) > int(held.version) else "older"
    if held.changed_at is not None and given.changed_at is not None and held.changed_at != given.changed_at:
        return "newer" if given.changed_at > held.changed_at else "older"
    # Within one tick of a clock something may have changed twice; a version of its own says that it did not.
    return "same" if held.version and held.version == given.version else "unknown"


def _number(version: str) -> bool:
    return version.isascii() and version.isdigit()
