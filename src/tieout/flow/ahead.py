"""Fetch while what came before is being taken in: one page after another in a thread of its own, a bounded stretch ahead.

A vendor's answer is waited for, and the database is waited for; doing both at once is most of what a long history costs less. The
pages come out in their order, and an error comes out where its page would have.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import connections

from tieout.adapters.ports.connector import Page

#: Pages waiting at most, so that memory stays flat however slow the other end is.
AHEAD = 24


def pages(fetch: Callable[[Mapping[str, Any]], Page], cursor: Mapping[str, Any]) -> Iterator[Page]:
    """The pages from `cursor` on, to the last. Whoever stops early leaves the fetcher to end with the page it is at."""
    waiting: queue.Queue[Page | BaseException] = queue.Queue(AHEAD)
    enough = threading.Event()

    def offer(one: Page | BaseException) -> None:
        while not enough.is_set():
            try:
                waiting.put(one, timeout=0.2)
                return
            except queue.Full:
                continue

    def run() -> None:
        place, last = cursor, False
        try:
            while not last and not enough.is_set():
                page = fetch(place)
                place, last = page.cursor, page.last
                offer(page)
        except BaseException as error:
            offer(error)
        finally:
            # Renewing a token takes a connection of this thread's own.
            connections.close_all()

    fetcher = threading.Thread(target=run, name="fetch ahead", daemon=True)
    fetcher.start()
    try:
        last = False
        while not last:
            one = waiting.get()
            if isinstance(one, BaseException):
                raise one
            last = one.last
            yield one
    finally:
        enough.set()
        fetcher.join()
