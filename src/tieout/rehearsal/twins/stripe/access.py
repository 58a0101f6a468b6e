"""Who may come in: keys, the API version asked for, and how many requests a second are let through."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection

from werkzeug.wrappers import Request

from tieout.rehearsal.twins.stripe import refusals

#: The version of the account, and of its events.
PINNED = "2026-08-26.dahlia"
#: Versions whose receivables look alike: from the one that gave invoices several payments. Older ones would need other shapes.
VERSIONS = frozenset(
    {
        *(f"2025-{day}.basil" for day in ("03-31", "04-30", "05-28", "06-30", "07-30", "08-27")),
        *(f"2025-{day}.clover" for day in ("09-30", "10-29", "11-17", "12-15")),
        *(f"2026-{day}.clover" for day in ("01-28", "02-25")),
        *(f"2026-{day}.dahlia" for day in ("03-25", "04-22", "05-27", "06-24", "07-29", "08-26")),
        *(f"2026-{day}.endive" for day in ("09-30", "10-28")),
    }
)


def key_of(request: Request) -> str:
    """The key a request carries. Raises Refused where it carries none."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if scheme.lower() == "basic":
        try:
            user = base64.b64decode(value, validate=True).decode("utf-8").partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            user = ""
        if user:
            return user
    raise refusals.no_key()


def version_of(request: Request) -> str:
    """The version asked for, or the account's. Raises Refused for one nobody knows."""
    version = request.headers.get("Stripe-Version", PINNED)
    if version not in VERSIONS:
        raise refusals.unknown_version(version)
    return version


class Gate:
    """Keys that may do everything, keys that may only read, and a limit of requests in any second of the twin's clock."""

    def __init__(self, *, keys: Collection[str], reading: Collection[str], per_second: int | None, now: Callable[[], int]) -> None:
        self._keys, self._reading, self._limit, self._now = frozenset(keys), frozenset(reading), per_second, now
        self._second, self._count = 0, 0

    def admit(self, request: Request, account: str) -> None:
        """Raises Refused."""
        key = key_of(request)
        if key not in self._keys | self._reading:
            raise refusals.wrong_key(key)
        version_of(request)
        self._counted()
        if key in self._reading and request.method != "GET":
            raise refusals.not_permitted(key, account)

    def _counted(self) -> None:
        if self._limit is None:
            return
        now = self._now()
        if now != self._second:
            self._second, self._count = now, 0
        self._count += 1
        if self._count > self._limit:
            raise refusals.too_many()
