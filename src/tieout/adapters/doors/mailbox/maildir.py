"""Read a Maildir on this machine: the demo's mailbox, where answers are laid without a mail server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tieout.adapters.doors.mailbox.names import external_id
from tieout.adapters.doors.mailbox.settings import Settings
from tieout.adapters.ports.door import Arrived
from tieout.adapters.ports.errors import NeedsPerson


def fetch(settings: Settings, cursor: Mapping[str, Any]) -> Iterator[Arrived]:
    """Mails whose unique name sorts after the cursor's. Names begin with the moment of delivery, so they rise."""
    root = Path(settings.path)
    if not root.is_dir():
        raise NeedsPerson(f"the directory of the mailbox {root.name} is not there")
    last = str(cursor.get("name", ""))
    found = [path for part in ("new", "cur") if (root / part).is_dir() for path in (root / part).iterdir() if path.is_file()]
    for path in sorted(found, key=lambda p: _unique(p)):
        if _unique(path) > last:
            content = path.read_bytes()
            yield Arrived(external_id=external_id(content), cursor={"name": _unique(path)}, content=content)


def _unique(path: Path) -> str:
    return path.name.split(":", 1)[0]
