"""The product's own processes for a benchmark that goes through them: web server, worker, a twin; ended with the block."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tieout.rehearsal.free_port import free_port

_GIVE_UP = 60.0
_TIEOUT = (sys.executable, "-m", "tieout.faces.cli")


#: How `tieout web` runs its server; a peer's application is run alike.
_GRANIAN = (
    "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--workers", "1", "--blocking-threads", "4", "--log-level", "warning", "--no-ws",
)  # fmt: skip


@contextmanager
def web() -> Iterator[int]:
    """`tieout web` on a free port; yields it."""
    port = free_port()
    with _running([*_TIEOUT, "web", "--port", str(port)]) as process:
        _until_it_listens(process, port)
        yield port


@contextmanager
def peer(application: str) -> Iterator[int]:
    """Another application in a server of the same kind with the same settings; yields its port."""
    port = free_port()
    with _running([sys.executable, *_GRANIAN, "--port", str(port), application]) as process:
        _until_it_listens(process, port)
        yield port


@contextmanager
def worker(concurrency: int = 4) -> Iterator[None]:
    """`tieout worker`."""
    with _running([*_TIEOUT, "worker", "--concurrency", str(concurrency)]):
        yield


@contextmanager
def twin(name: str, *options: str) -> Iterator[str]:
    """`tieout twin NAME`; yields its address."""
    with _running([*_TIEOUT, "twin", name, *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().partition(" answers at ")[2].split()[0]


@contextmanager
def _running(command: list[str], **options: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=os.environ.copy(), start_new_session=True, **options)  # type: ignore[call-overload]
    try:
        yield process
        if process.poll() is not None:
            raise RuntimeError(f"{command[2:5]} ended before the benchmark did (exit {process.returncode})")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _GIVE_UP
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not come up")
