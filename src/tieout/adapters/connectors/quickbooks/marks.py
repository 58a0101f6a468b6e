"""Our key in what we write: a mark in the note that only the books' own people see, by which our own echo is known.

QuickBooks cannot be asked for a note, so what is looked for is found by a number or a day first, and then known by its mark.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from tieout.adapters.connectors.quickbooks import client
from tieout.adapters.ports.connector import Raw
from tieout.adapters.ports.errors import NeedsPerson

#: The longest `requestid` that QuickBooks takes.
LONGEST = 50
#: As much of a memo as leaves room for the mark; a note holds 4000 characters.
LONGEST_MEMO = 3_500
_MARK = re.compile(r"\s*\[tieout:([^\[\]]+)\]")
_PLAIN = re.compile(r"[A-Za-z0-9:._-]+")


def mark(key: str, memo: str = "") -> str:
    """A note with the key of the command that wrote it."""
    return f"{memo[:LONGEST_MEMO].strip()} [tieout:{_told(key)}]".strip()


def key_of(raw: Raw) -> str:
    """The key an object carries; empty where a person made it, or took the mark out of the note."""
    try:
        head = client.head_of(raw.body)
    except (NeedsPerson, msgspec.DecodeError):
        return ""
    found = _MARK.search(str((head.notes if raw.stream == client.CUSTOMERS else head.private_note) or ""))
    return found[1] if found else ""


def without(note: str | None) -> str:
    """A note without the mark."""
    return _MARK.sub("", note or "").strip()


def is_of(raw: Raw, key: str) -> bool:
    """Whether this command wrote an object."""
    return key_of(raw) == _told(key)


def kept(note: str | None) -> str:
    """The mark in a note, as it stands there; empty where there is none."""
    found = _MARK.search(note or "")
    return found[0].strip() if found else ""


def request_id(key: str, *more: str) -> str:
    """The name under which QuickBooks does a request once: the key itself where it is short and plain, else a digest of it."""
    whole = ":".join((key, *more))
    return whole if len(whole) <= LONGEST and _PLAIN.fullmatch(whole) else f"tieout-{hashlib.sha256(whole.encode()).hexdigest()[:43]}"


def _told(key: str) -> str:
    # A key with brackets could not be told from the mark around it.
    return re.sub(r"[\[\]\s]", "_", key)
