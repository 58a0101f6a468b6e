"""Do something apart from the transaction one is in: what it commits stays, whatever becomes of the page that asked for it.

A call to another system may renew its tokens, and the old ones are worth nothing from then on; they must not be rolled back with a
page that failed after the call.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

_Result = TypeVar("_Result")


def run(act: Callable[[], _Result]) -> _Result:
    """The result of `act`, done on a database connection of its own. What the caller has not committed is not seen by it."""

    def alone() -> _Result:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(contextvars.Context().run, alone).result()
