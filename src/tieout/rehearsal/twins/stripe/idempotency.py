"""The same key twice is the same request once: the first answer is kept for a day and given again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.stripe import refusals

_KEPT_SECONDS = 86_400
_LONGEST = 255


class Kept(msgspec.Struct, frozen=True):
    """One answer, and the request it was given to."""

    endpoint: str
    parameters: str
    status: int
    body: bytes
    request: str
    until: int


class Answers:
    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._kept: dict[tuple[str, str], Kept] = {}

    def earlier(self, request: Request, key: str) -> Kept | None:
        """The answer this request was given before, if any. Raises Refused where the key was used for another request."""
        name = request.headers.get("Idempotency-Key")
        if name is None or request.method != "POST":
            return None
        if not 0 < len(name) <= _LONGEST:
            raise refusals.invalid("Idempotency-Key", f"An idempotency key has 1 to {_LONGEST} characters")
        kept = self._kept.get((key, name))
        if kept is None or kept.until <= self._now():
            return None
        if kept.endpoint != request.path:
            raise refusals.other_endpoint(name, kept.endpoint, request.path)
        if kept.parameters != _fingerprint(request):
            raise refusals.other_parameters(name)
        return kept

    def keep(self, request: Request, key: str, response: Response, request_id: str) -> None:
        """Remember an answer, whatever it was; what never began (wrong parameters, too many requests) is not remembered."""
        name = request.headers.get("Idempotency-Key")
        if name is None or request.method != "POST":
            return
        self._kept[key, name] = Kept(
            request.path, _fingerprint(request), response.status_code, response.get_data(), request_id, self._now() + _KEPT_SECONDS
        )


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(request.query_string + b"\n" + request.get_data()).hexdigest()
