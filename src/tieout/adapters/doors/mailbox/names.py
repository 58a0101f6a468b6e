"""The name an arrived mail is kept under: the same bytes always get the same one, other bytes another."""

from __future__ import annotations

import hashlib
import re

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>\r\n]{1,150}>)", re.IGNORECASE | re.MULTILINE)


def external_id(content: bytes) -> str:
    """`<message id>#digest`. A server that renumbers its messages hands over nothing new; a second mail that borrows a
    Message-ID is not taken for the first."""
    head = content[:65536].split(b"\r\n\r\n", 1)[0].split(b"\n\n", 1)[0]
    found = _MESSAGE_ID.search(head)
    stated = found.group(1).decode("ascii", "replace") if found else "<none>"
    return f"{stated}#{hashlib.sha256(content).hexdigest()[:32]}"
