"""A real IMAP server for tests: pymap in a process of its own, on the loopback interface, with one mailbox."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from imapclient import IMAPClient

USER, PASSWORD = "ar@marrowlane.example", "correct horse battery"


@contextlib.contextmanager
def serving() -> Iterator[dict[str, Any]]:
    """The settings of a mailbox on a fresh server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from pymap.main import main; main()", "--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict"]
    server = subprocess.Popen([*command, "--demo-user", USER, "--demo-password", PASSWORD], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield {"host": "127.0.0.1", "port": port, "security": "none", "user": USER, "password": PASSWORD}
    finally:
        server.terminate()
        server.wait(10)


def append(settings: dict[str, Any], *mails: bytes) -> None:
    """Lay mails into the mailbox, as a mail server would."""
    with logged_in(settings) as client:
        for mail in mails:
            client.append("INBOX", mail)


@contextlib.contextmanager
def logged_in(settings: dict[str, Any]) -> Iterator[IMAPClient]:
    client = IMAPClient(settings["host"], settings["port"], ssl=False)
    client.login(settings["user"], settings["password"])
    try:
        yield client
    finally:
        client.logout()


def _wait(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if time.monotonic() > until:
            raise TimeoutError("the IMAP server did not start")
        time.sleep(0.05)
