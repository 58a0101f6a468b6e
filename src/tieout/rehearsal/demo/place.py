"""Where a sample company keeps what is not in the ledger: how far its days were lived, its caught letters, its mailbox.

How far it is stands on its order book's connection, so that a backup carries it along.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import msgspec
from django.conf import settings

from tieout.stages.intake.models import Connection

ORDERS, WORKBOOK, FAIR = "Order book", "Maine office", "Trade fair list"
EURO, STERLING, DOLLAR = "Euro account", "Sterling account", "Dollar account"
_FIELD = "rehearsal"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """`first` is the day a visitor first saw it; everything up to `until` has been lived. `opened`: its history is all there.
    `answered`: up to which caught letter its debtors have read. `shopped`: up to when its web shop was lived."""

    seed: int
    first: dt.date
    until: dt.datetime
    opened: bool = False
    answered: str = ""
    shopped: dt.datetime | None = None


def kept() -> Kept | None:
    """How far the current organisation is; None where it is no sample."""
    row = Connection.objects.filter(name=ORDERS).first()
    found = row.settings.get(_FIELD) if row is not None else None
    return msgspec.convert(found, Kept) if found else None


def keep(state: Kept) -> None:
    """Note how far it is, in the running transaction."""
    row = Connection.objects.select_for_update().get(name=ORDERS)
    row.settings = {**row.settings, _FIELD: msgspec.to_builtins(state)}
    row.save(update_fields=["settings"])


def letters() -> Path:
    """Where the catcher lays the letters."""
    return _own("letters")


def mailbox(organisation_id: UUID) -> Path:
    """Where answers are laid for the organisation."""
    return _own(f"mailbox-{organisation_id}")


def twins(organisation_id: UUID) -> Path:
    """Where the organisation's twins lie while nobody runs them."""
    return _own(f"twins-{organisation_id}")


@contextlib.contextmanager
def alone(*, wait: bool = True) -> Iterator[bool]:
    """Whether the days may be lived here now: two hands must not move one clock. Without `wait`, False where somebody else does."""
    with open(_own(".") / "lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _own(name: str) -> Path:
    path = Path(settings.DATA) / "demo" / name
    path.mkdir(parents=True, exist_ok=True)
    return path
