"""Several processes as one: start them, and end all when one ends or somebody asks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import FrameType


def run_together(commands: dict[str, list[str]]) -> int:
    """Run commands beside each other until one ends or a signal arrives; then end the others. Returns the exit code."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    children = {name: subprocess.Popen(command, env=os.environ.copy(), start_new_session=True) for name, command in commands.items()}
    code = 0
    while not stopping:
        ended = [name for name, child in children.items() if child.poll() is not None]
        if ended:
            code = children[ended[0]].returncode or 1
            print(f"tieout: {ended[0]} ended unexpectedly (exit {code})", file=sys.stderr)
            break
        time.sleep(0.2)
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + 20
    for child in children.values():
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return code


def web(port: int, host: str = "127.0.0.1", workers: int = 1) -> list[str]:
    """The command of the web server."""
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        host,
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--blocking-threads",
        "4",
        "--log-level",
        "warning",
        "--no-ws",
        "tieout.faces.web.wsgi:application",
    ]


def worker() -> list[str]:
    """The command of the job worker."""
    return [sys.executable, "-m", "tieout.faces.cli", "worker"]
