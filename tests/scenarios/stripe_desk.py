"""A desk in front of the Stripe stand-in: a clock one can set, requests as curl sends them, the official client, a door for events."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request, Response

from tests.scenarios import stripe_description
from tieout.rehearsal.twins.server import serving
from tieout.rehearsal.twins.stripe import StripeTwin

START = dt.datetime(2026, 6, 10, 9, 30, tzinfo=dt.UTC)
KEY = "sk_test_twin"


class Watched(StripeTwin):
    """The twin, with every answer of its API kept to be judged."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"clock": lambda: START, **more})
        self.answered: list[tuple[str, str, int, Any]] = []

    def answer_api(self, request: Request, rest: str) -> Response:
        response = super().answer_api(request, rest)
        self.answered.append((request.method, request.path, response.status_code, json.loads(response.get_data())))
        return response

    def judged(self) -> int:
        """Hold every answer so far against Stripe's description; returns how many there were."""
        for method, path, status, body in self.answered:
            found = stripe_description.faults(method, path, status, body)
            assert found == [], f"{method} {path} {status}: {found}"
        return len(self.answered)


class Desk:
    """Requests straight into the twin, without a network, encoded by hand."""

    def __init__(self, twin: StripeTwin | None = None) -> None:
        self.twin = twin or Watched()
        self._client = Client(self.twin)

    def ask(self, method: str, path: str, encoded: str = "", *, key: str = KEY, **headers: str) -> TestResponse:
        """`encoded` is the query of a GET and the body of a POST; headers with underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Authorization", f"Bearer {key}")
        if method in ("GET", "DELETE"):
            return self._client.open(path, method=method, query_string=encoded, headers=named)
        return self._client.open(path, method=method, data=encoded, headers=named, content_type="application/x-www-form-urlencoded")

    def get(self, path: str, encoded: str = "", **headers: str) -> Any:
        return _good(self.ask("GET", path, encoded, **headers))

    def post(self, path: str, encoded: str = "", **headers: str) -> Any:
        return _good(self.ask("POST", path, encoded, **headers))

    def delete(self, path: str) -> Any:
        return _good(self.ask("DELETE", path))

    def refused(self, method: str, path: str, encoded: str = "", **headers: str) -> dict[str, Any]:
        """The error of a request that must be refused, with its status."""
        response = self.ask(method, path, encoded, **headers)
        assert response.status_code >= 400, response.get_data(as_text=True)
        return {**json.loads(response.get_data())["error"], "status": response.status_code}

    def page(self, path: str) -> str:
        return self._client.get(path).get_data(as_text=True)

    def form(self, path: str, **fields: str) -> TestResponse:
        return self._client.post(path, data=fields)

    def door(self, name: str, **asked: Any) -> Any:
        """One of the doors for whoever rehearses; they take no key."""
        return _good(self._client.post(f"/_twin/{name}", json=asked))

    def door_refused(self, name: str, **asked: Any) -> str:
        response = self._client.post(f"/_twin/{name}", json=asked)
        assert response.status_code == 400
        return str(json.loads(response.get_data())["refused"])


def _good(response: TestResponse) -> Any:
    assert response.status_code == 200, response.get_data(as_text=True)
    return json.loads(response.get_data())


@contextlib.contextmanager
def official(twin: StripeTwin) -> Iterator[stripe.StripeClient]:
    """Stripe's own client, over HTTP, with its retries off so that each fault is seen."""
    with serving(twin, deliver=False) as running:
        yield stripe.StripeClient(KEY, base_addresses={"api": running.url}, max_network_retries=0)


class Received:
    """What came to the door: body and signature, in order. `answers` is the status it gives."""

    def __init__(self) -> None:
        self.came: list[tuple[bytes, str]] = []
        self.answers = 200
        self.url = ""

    def topics(self) -> list[str]:
        return [json.loads(body)["type"] for body, _ in self.came]


@contextlib.contextmanager
def receiver() -> Iterator[Received]:
    """A small HTTP server on this machine that takes events."""
    received = Received()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.came.append((body, self.headers["Stripe-Signature"]))
            self.send_response(received.answers)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    received.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
