"""Cells of the files we hand out: a spreadsheet must never take one for a formula."""

from __future__ import annotations

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\x00", "＝", "＋", "－", "＠")


def safe(value: object) -> str:
    """The value as text; what a spreadsheet could take for a formula gets a leading quote (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_STARTS) else text.replace("\x00", "")
