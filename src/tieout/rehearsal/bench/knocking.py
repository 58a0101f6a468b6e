"""Somebody who knocks at a door over HTTP: as fast as it answers, or so often a second whatever it does.

Plain sockets that are kept open, and requests made up beforehand, so that the knocking costs the machine as little as it can.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence

import msgspec

#: How many lines are open at once: a vendor delivers side by side.
LINES = 8


class Knocks(msgspec.Struct, frozen=True):
    """How it went: seconds of each answer from the moment it was due, and of the whole. Anything but 200 ended it with an error."""

    seconds: float
    answers: list[float]

    def share(self, part: float) -> float:
        """The time within which this part of the answers came."""
        ordered = sorted(self.answers)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def request(port: int, path: str, body: bytes, **headers: str) -> bytes:
    """A POST as it goes over the line."""
    lines = [f"POST {path} HTTP/1.1", f"Host: localhost:{port}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def knock(
    port: int, requests: Sequence[bytes], *, per_second: float | None = None, lines: int = LINES, until: Callable[[], bool] = lambda: False
) -> Knocks:
    """Send them all, side by side; at a fixed rate where `per_second` is given, and then no more once `until` says so."""
    guard, turn = threading.Lock(), iter(enumerate(requests))
    answers: list[float] = []
    wrong: list[str] = []
    begun = time.perf_counter()

    def work() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not wrong:
                with guard:
                    number, wanted = next(turn, (0, b""))
                if not wanted or (per_second is not None and until()):
                    return
                due = begun + number / per_second if per_second is not None else time.perf_counter()
                if (early := due - time.perf_counter()) > 0:
                    time.sleep(early)
                line.sendall(wanted)
                head = _answered(line)
                # From when it was due, not from when a line was free for it: a door that stands still is seen.
                answers.append(time.perf_counter() - due)
                if not head.startswith(b"HTTP/1.1 200"):
                    wrong.append(head.decode("latin-1"))

    threads = [threading.Thread(target=work) for _ in range(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(f"the door answered {wrong[0][:500]}")
    return Knocks(time.perf_counter() - begun, answers)


def _answered(line: socket.socket) -> bytes:
    """The head of an answer, once its body has come too."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(line)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next((int(one.split(b":")[1]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += _more(line)
    return head


def _more(line: socket.socket) -> bytes:
    got = line.recv(65536)
    if not got:
        raise RuntimeError("the door closed the line")
    return got
