"""A twin's state laid down in a file and taken up again, so that a rehearsal that was stopped goes on where it was."""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

from tieout.rehearsal.twins.twin import Twin

#: How often what changed is laid down, in seconds: so much of a rehearsal is lost when its machine stops dead.
_BEAT = 2.0


class CannotTakeUp(Exception):
    """The file does not hold a twin this version could go on with."""


def lay_down(twin: Twin, path: Path) -> None:
    """Keep the state; whoever reads meanwhile finds the whole one before."""
    with twin.lock:
        content = pickle.dumps(twin)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    os.replace(fresh, path)


def take_up(path: Path) -> Twin:
    """The twin as it was laid down. Raises CannotTakeUp, FileNotFoundError."""
    content = path.read_bytes()
    try:
        found = pickle.loads(content)  # noqa: S301 - our own file, in the rehearsal's own folder
    except Exception as error:
        # Whatever an older version's state does to this one's classes.
        raise CannotTakeUp(f"{path} cannot be gone on with: {type(error).__name__}: {error}") from error
    if not isinstance(found, Twin):
        raise CannotTakeUp(f"{path} holds no twin")
    return found


@contextlib.contextmanager
def kept(twin: Twin, path: Path) -> Iterator[None]:
    """What changes is laid down as it happens, and once more at the end."""
    ended = threading.Event()

    def keep() -> None:
        seen = -1
        while not ended.wait(_BEAT):
            if twin.changes != seen:
                seen = twin.changes
                lay_down(twin, path)

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)
        if path.parent.is_dir():  # else its company was deleted meanwhile
            lay_down(twin, path)
