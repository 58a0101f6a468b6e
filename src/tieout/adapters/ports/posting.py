"""Post something to an address a person has given: over an encrypted line or to this machine, once, with the answer understood."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from tieout.adapters.ports.errors import BadRecord, NeedsPerson, TryLater
from tieout.adapters.ports.http import Http

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class Line:
    """An open line to one address."""

    def __init__(self, address: str, *, repeatable: bool, deadline_seconds: float = 10.0) -> None:
        parts = urlsplit(address)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._repeatable = repeatable
        self._http = Http(
            base_url=f"{parts.scheme}://{parts.netloc}", authorise=dict, deadline_seconds=deadline_seconds, attempts=2 if repeatable else 1
        )

    def now_seconds(self) -> int:
        """The moment of the line's clock, for what is signed with it."""
        return int(self._http.now().timestamp())

    def post(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Hand it over; returns what the other side answered. Raises the errors of a `Session`."""
        answer = self._http.send("POST", self._path, json=msgspec.Raw(body), headers=headers, repeatable=self._repeatable)
        said = answer.content[:200].decode("utf-8", "replace").strip()
        if 200 <= answer.status < 300:
            return f"{answer.status} {said}".strip()
        words = f"the address answers {answer.status}{f' ({said})' if said else ''}"
        if answer.status in (408, 425):
            raise TryLater(words)
        if answer.status in (400, 413, 422):
            raise BadRecord(f"{words}: it does not take this")
        raise NeedsPerson(f"{words}; look whether it is still the right one")

    def close(self) -> None:
        """Hang up."""
        self._http.close()


def checked(address: str) -> str:
    """The address as it will be used. Raises NeedsPerson with what is wrong."""
    given = address.strip()
    if not given:
        raise NeedsPerson("an address is needed, beginning with https://")
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise NeedsPerson("this is no address: write it as https://example.com/hook") from None
    if any(c.isspace() or not c.isprintable() for c in given) or not host:
        raise NeedsPerson("this is no address: write it as https://example.com/hook")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _HERE):
        raise NeedsPerson("an address begins with https://, or with http:// for this very machine")
    if parts.username or parts.password:
        raise NeedsPerson("an address holds no user name or password: they would be seen by whoever stands in between")
    return given


def stays_here(address: str) -> bool:
    """Whether an address leads to this very machine."""
    return urlsplit(address).hostname in _HERE


def shown(address: str) -> str:
    """What of an address a page may show: where it leads, never the part that opens it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/…"
