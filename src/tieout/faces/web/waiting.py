"""Files that somebody is looking at before they are imported: on disk beside the data, for an hour, for one organisation
and one session, gone once imported or dropped. Nothing of them is in the ledger or the database yet.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from tieout.adapters.ports.upload import Upload

SECONDS = 3600
MOST_BYTES = 4 << 30


class TooLarge(ValueError):
    """The file is larger than what is taken through a page; the command `tieout import` takes it."""


class Waiting(msgspec.Struct, frozen=True):
    """A file under inspection: its folder, the name it came with, and what was decided about it so far."""

    folder: Path
    token: str
    name: str
    size: int
    choices: dict[str, Any]

    def upload(self) -> Upload:
        """The file for a reader, under the name it came with."""
        found = Upload.of_path(self.folder / "content")
        found.name = self.name
        return found

    def decide(self, **choices: Any) -> Waiting:
        """Keep what was decided, for the next look."""
        decided = {**self.choices, **choices}
        (self.folder / "choices.json").write_text(json.dumps({"name": self.name, "choices": decided}))
        return Waiting(self.folder, self.token, self.name, self.size, decided)

    def drop(self) -> None:
        """Forget the file."""
        shutil.rmtree(self.folder, ignore_errors=True)


def keep(file: UploadedFile, *, organisation_id: UUID, session: str, choices: dict[str, Any]) -> Waiting:
    """Put an uploaded file aside. Raises TooLarge. Sweeps what was forgotten by others."""
    _sweep()
    size = int(file.size or 0)
    if size > MOST_BYTES:
        raise TooLarge(f"{file.name} has {size >> 20} MiB: import files above {MOST_BYTES >> 30} GiB with the command `tieout import`")
    token = secrets.token_urlsafe(18)
    folder = _room(organisation_id) / _ticket(token, session)
    folder.mkdir(parents=True, mode=0o700)
    with (folder / "content").open("wb") as target:
        for chunk in file.chunks():
            target.write(chunk)
    name = re.sub(r"[\x00-\x1f/\\]", "_", file.name or "file")[:200]
    return Waiting(folder, token, name, size, {}).decide(**choices)


def find(token: str, *, organisation_id: UUID, session: str) -> Waiting | None:
    """The file of this session, None where it is gone, somebody else's, or never was."""
    if not re.fullmatch(r"[\w-]{10,60}", token):
        return None
    folder = _room(organisation_id) / _ticket(token, session)
    try:
        kept = json.loads((folder / "choices.json").read_text())
        size = (folder / "content").stat().st_size
    except (OSError, ValueError):
        return None
    return Waiting(folder, token, str(kept["name"]), size, kept["choices"])


def _room(organisation_id: UUID) -> Path:
    return Path(settings.DATA) / "waiting" / str(organisation_id)


def _ticket(token: str, session: str) -> str:
    # The folder's name needs both halves, so that an address copied from somebody's history opens nothing.
    return hashlib.sha256(f"{token}|{session}".encode()).hexdigest()


def _sweep() -> None:
    limit = time.time() - SECONDS
    for folder in (Path(settings.DATA) / "waiting").glob("*/*"):
        try:
            if folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
