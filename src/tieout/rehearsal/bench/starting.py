"""`start`: from `tieout demo` in an empty data directory to a page that answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tieout.rehearsal.bench.figures import Figure, timed
from tieout.rehearsal.free_port import free_port

_GIVE_UP = 300


def run(size: int) -> Iterator[Figure]:
    """Once; the size says nothing here."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as data, tempfile.TemporaryFile() as said:
        Path(data).chmod(0o755)  # the server may run as a user of its own
        program = [sys.executable, "-m", "tieout.faces.cli", "demo", "--port", str(port)]
        environment = {**os.environ, "TIEOUT_DATA": data}
        with timed() as watch:
            # A group of its own, so that everything it started ends with it.
            demo = subprocess.Popen(program, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                answered = answers(demo, port)
            finally:
                took = time.perf_counter()
                end(demo)
        ended = time.perf_counter() - took
        if not answered:
            said.seek(0)
            raise RuntimeError(f"the demo did not answer: {said.read().decode(errors='replace')[-2000:]}")
    yield Figure(name="start: demo to a page that answers", size=size, value=watch.seconds - ended, unit="s", must=60, better="less")


def answers(demo: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + _GIVE_UP
    while time.monotonic() < until and demo.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
                return bool(page.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def end(demo: subprocess.Popen[bytes]) -> None:
    if demo.poll() is None:
        os.killpg(demo.pid, signal.SIGTERM)
        try:
            demo.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(demo.pid, signal.SIGKILL)
            demo.wait()
