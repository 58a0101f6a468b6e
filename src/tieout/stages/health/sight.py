"""What a looker sees: something that needs somebody, with what to do about it and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Literal, Protocol

import msgspec

Severity = Literal["note", "soon", "urgent"]
#: From calm to hot.
ORDER: Mapping[str, int] = {"note": 0, "soon": 1, "urgent": 2}


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller knows and a room below the clock does not: the organisation's moment and day, and the machine's own moment."""

    now: dt.datetime
    real_now: dt.datetime
    today: dt.date


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One cause that needs somebody. `key` is the same at every look while the cause lasts; `count` is how many things it stands for.

    `what` is the word `tieout doctor` puts before it; `page`, `page_key` and `page_query` say where to go.
    """

    kind: str
    key: str
    severity: Severity
    what: str
    subject: str
    says: str
    mend: str
    page: str
    page_key: int | None = None
    page_query: str = ""
    connection_id: int | None = None
    count: int = 1


class Looker(Protocol):
    """A file under `lookers/`: the kinds it may see, with their titles, and `look`."""

    KINDS: Mapping[str, str]

    def look(self, *, given: Given) -> Iterator[Sight]: ...
