"""Work with transactions of its own, started from a page: in a thread with its own connection, outside the request's walls.

The request's transaction stays open and holds no row while it waits, so the two cannot stand in each other's way.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

from django.db import connections


def outside(work: Callable[[], Any]) -> Any:
    """Do `work` and return its result; what it raises is raised here."""
    found: dict[str, Any] = {}

    def run() -> None:
        try:
            found["result"] = work()
        except BaseException as error:
            found["error"] = error
        finally:
            connections.close_all()

    # A new thread begins with an empty context: no organisation, no transaction.
    thread = Thread(target=run, name="tieout-aside")
    thread.start()
    thread.join()
    if "error" in found:
        raise found["error"]
    return found["result"]
