"""What the built-in catcher keeps on disk: one file per delivery, named so that a Message-ID finds it."""

from __future__ import annotations

import hashlib
from pathlib import Path


def caught(place: str, message_id: str) -> bool:
    """Whether the catcher of directory `place` has taken a message with this Message-ID."""
    key = hashlib.sha256(message_id.strip().encode()).hexdigest()[:40]
    return any(Path(place).glob(f"{key}.*.eml"))
