"""What a look at the installation brings up: fine, worth knowing, or wrong with what mends it."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`what` was looked at, `says` how it is in words; `mend` what to do about it where it is `wrong`."""

    mark: Literal["ok", "note", "wrong"]
    what: str
    says: str
    mend: str = ""


def ok(what: str, says: str) -> Finding:
    """As it should be."""
    return Finding(mark="ok", what=what, says=says)


def note(what: str, says: str, mend: str = "") -> Finding:
    """Worth knowing, and nothing broken."""
    return Finding(mark="note", what=what, says=says, mend=mend)


def wrong(what: str, says: str, mend: str) -> Finding:
    """Broken, with what mends it."""
    return Finding(mark="wrong", what=what, says=says, mend=mend)
