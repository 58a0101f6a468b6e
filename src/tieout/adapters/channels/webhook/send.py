"""A letter as JSON, signed: `Tieout-Signature: t=<seconds>,v1=<hex of HMAC-SHA256 over "<seconds>.<body>">`."""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from tieout.adapters.ports.channel import Letter
from tieout.adapters.ports.posting import Line


class Post:
    """An open line."""

    def __init__(self, line: Line, secret: str) -> None:
        self._line, self._secret = line, secret

    def send(self, letter: Letter) -> str:
        body = msgspec.json.encode({"id": letter.message_id, **letter.facts})
        at = self._line.now_seconds()
        headers = {"Content-Type": "application/json", "Idempotency-Key": letter.message_id, "Tieout-Signature": signature(body, self._secret, at)}
        return self._line.post(body, headers)


def signature(body: bytes, secret: str, at: int) -> str:
    """What goes into the header. The moment is signed as well, so that an old message cannot be played again later."""
    digest = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
