"""Somebody who takes webhooks: keeps what came, checks who signed it, knows again what came before, and misbehaves as told."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

SECRET = "the secret both sides know"


class Receiver:
    """`bodies` is all that arrived, `known` what is left once what came twice is dropped by its id; `answers` are given in turn, then 200."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.known: dict[str, dict[str, Any]] = {}
        self.answers: list[int] = []
        self.slow = 0.0
        self._server = make_server("127.0.0.1", 0, self._application, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/in"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _application(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        raw = request.get_data()
        if request.path == "/slack":
            self.bodies.append(json.loads(raw))
            return Response("ok", 200)(environ, start)
        assert genuine(raw, request.headers["Tieout-Signature"], SECRET)
        body = json.loads(raw)
        assert body["id"] == request.headers["Idempotency-Key"]
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.known.setdefault(body["id"], body)
        time.sleep(self.slow)
        status = self.answers.pop(0) if self.answers else 200
        return Response("", status)(environ, start)

    @property
    def types(self) -> list[str]:
        """What it was told, each once."""
        return [body["type"] for body in self.known.values()]


def genuine(body: bytes, header: str, secret: str) -> bool:
    """Whether the signature is ours, as a receiver would check it by the README."""
    parts = dict(one.split("=", 1) for one in header.split(","))
    wanted = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts["v1"]) and abs(time.time() - int(parts["t"])) < 300


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.stop()
