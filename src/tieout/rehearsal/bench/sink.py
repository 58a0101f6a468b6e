"""A mail server on a free port that takes every letter and counts it: `python -m tieout.rehearsal.bench.sink`.

Prints its port; when its standard input ends it prints how many letters it took and how many of them were different.
"""

from __future__ import annotations

import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tieout.rehearsal.free_port import free_port


class _Count:
    def __init__(self) -> None:
        self.letters = 0
        self.different: set[bytes] = set()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002 - the library's signature
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        self.letters += 1
        self.different.update(line for line in content.split(b"\r\n\r\n", 1)[0].split(b"\r\n") if line.lower().startswith(b"message-id:"))
        return "250 taken"


def main() -> None:
    """Serve until nobody is interested any more."""
    count = _Count()
    server = Controller(count, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=True)
    server.start()
    print(server.port, flush=True)
    sys.stdin.read()
    server.stop()
    print(count.letters, len(count.different), flush=True)


if __name__ == "__main__":
    main()
