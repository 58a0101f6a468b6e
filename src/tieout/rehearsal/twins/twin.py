"""What every twin has: a state behind one lock, a clock, a fault script, a log of requests, events to deliver, and its own
doors under `/_twin/` for whoever rehearses (never part of the vendor's API).

A twin subclasses `Twin`, lists its routes, and raises `Answer` to answer early.
"""

from __future__ import annotations

import datetime as dt
import heapq
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

import httpx2
import msgspec
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins import faults as faulty
from tieout.rehearsal.twins.faults import Fault, Faults


class Answer(Exception):
    """Answer with this response and nothing else."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Logged(msgspec.Struct, frozen=True):
    """One request that came in and how it was answered; 0 where no answer was given."""

    method: str
    path: str
    query: str
    status: int
    fault: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way to somebody's door. `sign` makes its headers at the moment it is delivered."""

    url: str
    topic: str
    body: bytes
    sign: Callable[[bytes, dt.datetime], dict[str, str]]
    due: float = 0.0


class Twin:
    """A stand-in for one vendor. Subclasses set `name`, `title`, `routes` (rule, methods, name of the method that answers)."""

    name: ClassVar[str]
    title: ClassVar[str]
    routes: ClassVar[tuple[tuple[str, tuple[str, ...], str], ...]]

    def __init__(self, *, clock: Callable[[], dt.datetime] | None = None, seed: int = 1, latency_seconds: float = 0.0) -> None:
        self.lock = threading.RLock()
        self.faults = Faults()
        self.log: list[Logged] = []
        #: Counts what may have changed something.
        self.changes = 0
        self.chance = random.Random(seed)
        self.latency_seconds = latency_seconds
        self.undelivered: list[tuple[Delivery, str]] = []
        self._clock = clock or _real
        self._ahead = dt.timedelta(0)
        #: Deliveries carry the vendor's own time; where a demo lives ahead of the calendar they carry the real one, as doors expect.
        self.real_postmarks = False
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._sequence = 0
        self._postman = _postman()

    # Kept and taken up again

    def __getstate__(self) -> dict[str, Any]:
        """The state without what belongs to this process. Deliveries on their way are not kept: whoever waits for them polls as well."""
        return {name: value for name, value in self.__dict__.items() if name not in _OF_THE_PROCESS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock, self.faults, self.log, self.undelivered, self._waiting = threading.RLock(), Faults(), [], [], []
        self._clock, self._postman = _real, _postman()

    # Time, chance, names

    def now(self) -> dt.datetime:
        """The vendor's clock: ours, moved by `/_twin/clock` or a clock fault."""
        return self._clock() + self._ahead

    def move_clock(self, seconds: float) -> None:
        """Let the vendor's time pass."""
        self._ahead += dt.timedelta(seconds=seconds)

    def stand_ahead(self, ahead: dt.timedelta) -> None:
        """Be so far ahead of the real time, from now on."""
        self._ahead = ahead

    def token(self, length: int = 14) -> str:
        """A new identifier of letters and digits, the same in every run of one seed."""
        return "".join(self.chance.choices("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", k=length))

    def ways_in(self) -> dict[str, str]:
        """What lets a program in, by the names of the fields it is asked for; `%HERE%` stands for the twin's own address."""
        return {}

    # Requests

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        self.changes += request.method != "GET"
        if request.path.startswith("/_twin/"):
            return self._routed(request)(environ, start_response)
        if self.latency_seconds:
            time.sleep(self.latency_seconds)
        fault = self.faults.strike(request.method, request.path)
        kind = fault.fault if fault else ""
        response = self._struck(request, fault) if fault else self._safely(request)
        self.log.append(Logged(request.method, request.path, request.query_string.decode(), response.status_code if response else 0, kind))
        if response is None or kind == "truncated":
            return _cut(environ, start_response, response, fault)
        return response(environ, start_response)

    def _struck(self, request: Request, fault: Fault) -> Response | None:
        kind = fault.fault
        if kind == "too_many":
            response = self.too_many(request)
            if fault.retry_after is not None:
                response.headers["Retry-After"] = str(fault.retry_after)
            return response
        if kind == "error_before":
            return self.broken(request)
        if kind == "expired":
            return self.expired(request)
        if kind == "cut":
            return None
        if kind == "clock":
            self._ahead = dt.timedelta(seconds=fault.seconds)
        if kind == "moving":
            with self.lock:
                self.move_a_record(request)
        response = self._safely(request)
        if kind == "error_after":
            return self.broken(request)
        if kind == "silent_after":
            return None
        if kind == "version":
            return self.as_other_version(request, response)
        return response

    def _safely(self, request: Request) -> Response:
        with self.lock:
            try:
                return self._routed(request)
            except Answer as early:
                return early.response

    def _routed(self, request: Request) -> Response:
        try:
            endpoint, given = _map_of(type(self)).bind_to_environ(request.environ).match()
        except HTTPException as error:
            return self.no_such_path(request, error.code or 404)
        if not request.path.startswith("/_twin/"):
            self.admit(request)
        answer: Response = getattr(self, endpoint)(request, **given)
        return answer

    # What a vendor does its own way

    def admit(self, request: Request) -> None:
        """Let the caller in, or raise Answer: the token, the limits, the version header."""

    def no_such_path(self, request: Request, status: int) -> Response:
        """The vendor's answer for a path or method it does not know."""
        return answer_json({"error": "not found"}, status)

    def too_many(self, request: Request) -> Response:
        """The vendor's 429."""
        return answer_json({"error": "too many requests"}, 429)

    def broken(self, request: Request) -> Response:
        """The vendor's 500."""
        return answer_json({"error": "internal error"}, 500)

    def expired(self, request: Request) -> Response:
        """The vendor's 401 for a token that has run out."""
        return answer_json({"error": "token expired"}, 401)

    def move_a_record(self, request: Request) -> None:
        """Touch or add a record such that pages shift under a reader (called before the struck page is answered)."""

    def as_other_version(self, request: Request, response: Response) -> Response:
        """The answer as an API version nobody has seen would give it: an unknown field, and an unknown value of an enum."""
        return response

    # Events

    def post(self, delivery: Delivery) -> None:
        """Put an event on its way; `deliver` (or the server's thread) takes it to its door."""
        for fault in self.faults.of_delivery(delivery.topic):
            if fault.fault == "silence":
                return
            if fault.fault == "doubled":
                self._put(delivery)
            if fault.fault == "late":
                delivery = msgspec.structs.replace(delivery, due=time.monotonic() + fault.seconds)
            if fault.fault == "shuffled":
                # Held back a little, so that later ones overtake it.
                delivery = msgspec.structs.replace(delivery, due=time.monotonic() + self.chance.random() / 2)
        self._put(delivery)

    def _put(self, delivery: Delivery) -> None:
        with self.lock:
            self._sequence += 1
            heapq.heappush(self._waiting, (delivery.due, self._sequence, delivery))

    def deliver(self, *, everything: bool = True) -> int:
        """Take waiting events to their doors and return how many arrived; with `everything`, those held back as well."""
        arrived = 0
        while True:
            with self.lock:
                if not self._waiting or (not everything and self._waiting[0][0] > time.monotonic()):
                    return arrived
                delivery = heapq.heappop(self._waiting)[2]
            arrived += self._handed_over(delivery)

    def _handed_over(self, delivery: Delivery) -> bool:
        headers = {"Content-Type": "application/json", **delivery.sign(delivery.body, self._clock() if self.real_postmarks else self.now())}
        try:
            self._postman.post(delivery.url, content=delivery.body, headers=headers).raise_for_status()
        except httpx2.HTTPError as error:
            self.undelivered.append((delivery, str(error)))
            return False
        return True

    # Our own doors

    def own_log(self, request: Request) -> Response:
        return answer_json([msgspec.to_builtins(line) for line in self.log])

    def own_faults(self, request: Request) -> Response:
        try:
            self.faults.put(*faulty.parse(json.loads(request.get_data() or b"[]")))
        except (ValueError, faulty.ScriptRefused) as error:
            return answer_json({"refused": str(error)}, 400)
        return answer_json({"faults": "in force"})

    def own_clock(self, request: Request) -> Response:
        self.move_clock(float(request.get_json()["seconds"]))
        return answer_json({"now": self.now().isoformat()})

    def own_ahead(self, request: Request) -> Response:
        self.stand_ahead(dt.timedelta(seconds=float(request.get_json()["seconds"])))
        return answer_json({"now": self.now().isoformat()})

    def own_deliver(self, request: Request) -> Response:
        return answer_json({"delivered": self.deliver()})


#: What a twin has of the process it runs in, and no other can take up.
_OF_THE_PROCESS = frozenset({"lock", "faults", "log", "undelivered", "_waiting", "_clock", "_postman"})


def _real() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _postman() -> httpx2.Client:
    # Doors of a rehearsal are on this machine: no certificates are looked for, which would cost each twin a fifth of a second.
    return httpx2.Client(timeout=10, trust_env=False, verify=False)


def answer_json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; decimals are written as JSON numbers with all their digits."""
    return Response(msgspec.json.Encoder(decimal_format="number").encode(body), status, dict(headers or {}), mimetype="application/json")


@lru_cache(maxsize=32)
def _map_of(twin: type[Twin]) -> Map:
    """The routes of a twin, compiled once for all of its kind."""
    own = [
        Rule("/_twin/log", methods=["GET"], endpoint="own_log"),
        Rule("/_twin/faults", methods=["PUT"], endpoint="own_faults"),
        Rule("/_twin/clock", methods=["POST"], endpoint="own_clock"),
        Rule("/_twin/ahead", methods=["POST"], endpoint="own_ahead"),
        Rule("/_twin/deliver", methods=["POST"], endpoint="own_deliver"),
    ]
    return Map([*own, *(Rule(rule, methods=list(methods), endpoint=name) for rule, methods, name in twin.routes)], strict_slashes=False)


def _cut(environ: dict[str, Any], start_response: Any, response: Response | None, fault: Fault | None) -> Any:
    if response is not None:
        body = response.get_data()
        response.headers["Content-Length"] = str(len(body))
        response.headers["Connection"] = "close"
        write = start_response(response.status, list(response.headers))
        write(body[: len(body) // 2])
    elif fault is not None and fault.seconds:
        time.sleep(fault.seconds)
    line = environ.get("werkzeug.socket")
    if isinstance(line, socket.socket):
        line.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("cut by the fault script")
