"""One polite HTTP client for all connectors: a deadline over everything, a budget per connection with priorities, Retry-After
obeyed, the raw answer kept, secrets never in an error or a log.

What goes wrong is one of the four errors of `ports.errors`; a write that may have happened is OutcomeUnknown.
"""

from __future__ import annotations

import datetime as dt
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Literal
from urllib.parse import urlencode

import httpx2
import msgspec
import stamina

from tieout.adapters.ports.channel import OutcomeUnknown
from tieout.adapters.ports.errors import NeedsPerson, NotPermitted, TryLater

#: What asks first when the budget is short. A check before a send outranks a write, a change, and history comes last.
Priority = Literal["check", "write", "change", "history"]
#: The share of a connection's rate that each priority may use up, so that a long history never keeps a check waiting.
_SHARE: Mapping[str, float] = {"check": 1.0, "write": 0.9, "change": 0.8, "history": 0.6}
#: An answer larger than this is refused: no page of a system we know comes near.
MOST_BYTES = 64 * 1024 * 1024
#: Decimals are read as Decimal: money never passes through a float.
_DECODE = msgspec.json.Decoder(float_hook=Decimal)


class Budget:
    """Requests of one connection in this process: a bucket that fills at the vendor's rate, and a cap on how many run at once."""

    def __init__(self, *, per_second: float | None, concurrent: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = per_second, clock
        self._level, self._at = per_second or 0.0, clock()
        self._guard = threading.Lock()
        self._running = threading.BoundedSemaphore(concurrent) if concurrent else None
        self._blocked_until = 0.0

    def wait_for(self, priority: Priority) -> float:
        """Seconds until a request of this priority may go; 0 takes its place in the budget."""
        now = self._clock()
        with self._guard:
            if now < self._blocked_until:
                return self._blocked_until - now
            if self._rate is None:
                return 0.0
            self._level = min(self._rate, self._level + (now - self._at) * self._rate)
            self._at = now
            # What is kept back for those who outrank this priority.
            floor = self._rate * (1 - _SHARE[priority])
            if self._level - 1 >= min(floor, self._rate - 1):
                self._level -= 1
                return 0.0
            return float((min(floor, self._rate - 1) + 1 - self._level) / self._rate)

    def block(self, seconds: float) -> None:
        """Nothing goes for so long: the other side has said so."""
        with self._guard:
            self._blocked_until = max(self._blocked_until, self._clock() + seconds)

    def __enter__(self) -> Budget:
        if self._running:
            self._running.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        if self._running:
            self._running.release()


class WouldSend(Exception):
    """On a line that only rehearses, a request that writes: kept from the other side, and shown instead."""

    def __init__(self, method: str, path: str, body: Any) -> None:
        super().__init__(f"{method} {path}")
        self.method, self.path, self.body = method, path, body


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once: reading them takes a fifth of a second, and a line is opened for every webhook."""
    return httpx2.create_ssl_context(trust_env=False)


class Answer(msgspec.Struct, frozen=True):
    """What came back: `content` is kept exactly as it was."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The body as data. Raises TryLater where it is not whole JSON (an answer cut short, a page of a proxy)."""
        try:
            return _DECODE.decode(self.content)
        except msgspec.DecodeError as error:
            raise TryLater(f"the answer is not whole JSON: {error}") from error


class _Again(Exception):
    """Not answered as hoped; may be asked again after `seconds` (None: the usual back-off)."""

    def __init__(self, why: str, seconds: float | None = None, *, done: bool | None = False) -> None:
        super().__init__(why)
        self.seconds, self.done = seconds, done


class Http:
    """A line to one system for one connection. `authorise` gives the headers that let us in; `renew` is asked once after a 401."""

    def __init__(
        self,
        *,
        base_url: str,
        authorise: Callable[[], Mapping[str, str]],
        renew: Callable[[], bool] | None = None,
        budget: Budget | None = None,
        deadline_seconds: float = 30.0,
        attempts: int = 5,
        pause_seconds: float | None = None,
        rehearsing: bool = False,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        client: httpx2.Client | None = None,
    ) -> None:
        self._base, self._authorise, self._renew = base_url.rstrip("/"), authorise, renew
        self._budget = budget or Budget(per_second=None)
        self._deadline, self._attempts, self._now = deadline_seconds, attempts, now
        self._pause, self._rehearsing = pause_seconds, rehearsing
        self._client = client or httpx2.Client(
            timeout=httpx2.Timeout(10.0, connect=5.0), follow_redirects=False, trust_env=False, verify=_trusted()
        )
        self.calls = 0

    def now(self) -> dt.datetime:
        """The moment, by the clock that was handed in."""
        return self._now()

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, *, priority: Priority = "change", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Read. Asked again as often as the deadline allows; 404, 400, 409 and 410 come back to be understood by the connector."""
        return self.send("GET", path, params=params, priority=priority, headers=headers, repeatable=True)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: list[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        priority: Priority = "write",
        repeatable: bool = False,
        reads: bool = False,
    ) -> Answer:
        """Send one request. `repeatable` says that sending it twice does what sending it once does (a read, a key of idempotency),
        `reads` that it changes nothing although it is no GET.

        Raises TryLater, NeedsPerson, and OutcomeUnknown where it is not repeatable and may have been done; WouldSend on a line that
        rehearses, for whatever is not known to change nothing.
        """
        if self._rehearsing and method != "GET" and not reads:
            raise WouldSend(method, path, json if json is not None else dict(form or ()))
        body, kind = _body(json, form)
        headers = {**(headers or {}), **kind}
        request = self._client.build_request(method, self._base + path, params=tuple(_plain(params)), content=body, headers=headers)
        until = time.monotonic() + self._deadline
        renewed = False
        try:
            attempts = self._attempts if repeatable else 1
            for attempt in stamina.retry_context(on=_wait_until(until), attempts=attempts, timeout=self._deadline, wait_max=8.0):
                with attempt:
                    answer = self._once(request, until, priority)
                    if answer.status == 401 and self._renew is not None and not renewed:
                        renewed = True
                        if self._renew():
                            answer = self._once(request, until, priority)
                    return _let_in(answer, method, path)
        except _Again as gave_up:
            if gave_up.done is None and not repeatable:
                raise OutcomeUnknown(f"{method} {path}: {gave_up}; it may have been done") from gave_up
            at = self._now() + dt.timedelta(seconds=gave_up.seconds) if gave_up.seconds is not None else None
            raise TryLater(f"{method} {path}: {gave_up}", at=at) from gave_up
        raise AssertionError("unreachable")

    def _once(self, request: httpx2.Request, until: float, priority: Priority) -> Answer:
        self._queue(until, priority)
        request.headers.update(self._authorise())
        self.calls += 1
        began = time.monotonic()
        try:
            with self._budget:
                request.extensions["timeout"] = httpx2.Timeout(max(0.1, min(10.0, until - began)), connect=5.0).as_dict()
                response = self._client.send(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise _Again(f"cannot be reached ({type(error).__name__})", done=False) from error
        except httpx2.HTTPError as error:
            raise _Again(f"no whole answer ({type(error).__name__})", done=None) from error
        if len(response.content) > MOST_BYTES:
            raise NeedsPerson(f"{request.url.path} answered {len(response.content)} bytes; that is no answer we know")
        if response.status_code == 429:
            seconds = _retry_after(response.headers.get("retry-after"), self._now())
            # Some vendors' limits last longer than any back-off would wait, and they do not say how long.
            seconds = self._pause if seconds is None else seconds
            self._budget.block(seconds if seconds is not None else 1.0)
            raise _Again("the other side asks us to slow down", seconds, done=False)
        if response.status_code >= 500:
            seconds = _retry_after(response.headers.get("retry-after"), self._now())
            raise _Again(f"the other side answers {response.status_code}", seconds, done=None)
        return Answer(response.status_code, response.headers, response.content)

    def _queue(self, until: float, priority: Priority) -> None:
        while (seconds := self._budget.wait_for(priority)) > 0:
            if time.monotonic() + seconds > until:
                raise _Again("the connection's budget of requests is used up for now", seconds, done=False)
            time.sleep(seconds)


def _wait_until(until: float) -> Callable[[Exception], bool | float]:
    def wait(error: Exception) -> bool | float:
        if not isinstance(error, _Again):
            return False
        if error.seconds is None:
            return True
        # Waiting past the deadline would hold up the caller for nothing; it is told until when.
        return error.seconds if time.monotonic() + error.seconds < until else False

    return wait


def _let_in(answer: Answer, method: str, path: str) -> Answer:
    if answer.status == 401:
        raise NeedsPerson("the other side does not let us in any more; connect again")
    if answer.status == 403:
        raise NotPermitted(f"{method} {path} is not permitted to this connection; connect again with the permission for it")
    return answer


def _retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        try:
            return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
        except (ValueError, TypeError):
            return None


def _plain(params: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    for key, value in (params or {}).items():
        yield from ((key, str(one)) for one in (value if isinstance(value, list | tuple) else [value]) if one is not None)


def _body(json: Any, form: list[tuple[str, str]] | None) -> tuple[bytes | None, dict[str, str]]:
    if form is not None:
        return urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if json is not None:
        return msgspec.json.Encoder(decimal_format="number").encode(json), {"Content-Type": "application/json"}
    return None, {}
