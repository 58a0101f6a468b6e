"""Headers of mails as they really come: broken, undeclared, endless. Reading one never fails.

The library's newer header classes raise on some of them (an address that ends in `@`, seen 2026-11), so the older message
class is used, and encoded words are decoded here.
"""

from __future__ import annotations

from email.header import Header, decode_header, make_header
from email.message import Message

LONGEST = 20_000


def value(message: Message, name: str) -> str:
    """The first header of that name as text, '' where there is none."""
    return _text(message.get(name))


def values(message: Message, *names: str) -> list[str]:
    """Every header of these names."""
    return [_text(found) for name in names for found in message.get_all(name, [])]


def _text(found: object) -> str:
    if found is None:
        return ""
    if isinstance(found, Header):
        # Bytes beyond ASCII that declare nothing: mostly UTF-8 by now.
        raw = str(found).encode("utf-8", "surrogateescape") if not str(found).isascii() else str(found).encode()
        return raw.decode("utf-8", "replace")[:LONGEST]
    text = str(found)[:LONGEST]
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError, UnicodeError, AssertionError):
        return text
