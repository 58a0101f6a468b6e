"""What can go wrong on the way to a vendor, as a script: which request, after how many, how often, and what happens then.

A script is a list in YAML or JSON:

    - fault: too_many        # 429; with `retry_after` seconds in the header, without it where none is given
      path: /v1/invoices     # a regular expression, searched in the path; every path where left out
      method: GET            # every method where left out
      after: 3               # let this many matching requests through first (0)
      times: 2               # then this often (1); 0 for always
      retry_after: 2

The faults are listed in `KINDS`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import yaml

#: Every fault there is, with what the caller sees.
KINDS: dict[str, str] = {
    "too_many": "429, with a Retry-After header where `retry_after` is given",
    "error_before": "500 and nothing was done",
    "error_after": "500 although it was done",
    "silent_after": "it was done, and no answer comes: the connection hangs for `seconds` and is cut",
    "cut": "the connection is cut before anything is done",
    "truncated": "the answer stops half-way",
    "expired": "401 as for an expired token, whatever the token",
    "moving": "a record moves from one page to another between two pages: one is doubled, none is lost to a careful reader",
    "clock": "the vendor's clock is `seconds` ahead of ours (negative: behind)",
    "version": "the answer comes as another API version, with an enum value and a field nobody knows",
    "silence": "events are not delivered at all",
    "doubled": "each event is delivered twice",
    "shuffled": "events are delivered in another order, the newest first",
    "late": "events are delivered `seconds` late",
}
#: Faults of deliveries, not of requests.
OF_EVENTS = frozenset({"silence", "doubled", "shuffled", "late"})


class ScriptRefused(Exception):
    """The fault script cannot be read; the message says which entry and why."""


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One line of a script. `seen` and `struck` count matching requests and how often it has struck."""

    fault: str
    path: str = ""
    method: str = ""
    after: int = 0
    times: int = 1
    retry_after: int | None = None
    seconds: float = 0
    seen: int = 0
    struck: int = 0

    def matches(self, method: str, path: str) -> bool:
        return (not self.method or self.method.upper() == method) and re.search(self.path, path) is not None


class Faults:
    """A script in force. Threads may ask it at once; each strike is handed out once."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._guard = threading.Lock()
        self._faults = list(faults)

    def put(self, *faults: Fault) -> None:
        """Replace the script."""
        with self._guard:
            self._faults = list(faults)

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, if any; the first of the script that is due wins."""
        with self._guard:
            struck = None
            for fault in self._faults:
                if fault.fault in OF_EVENTS or not fault.matches(method, path):
                    continue
                fault.seen += 1
                due = fault.seen > fault.after and (not fault.times or fault.struck < fault.times)
                if due and struck is None:
                    fault.struck += 1
                    struck = fault
            return struck

    def of_delivery(self, topic: str) -> list[Fault]:
        """The faults that strike the delivery of an event of this topic."""
        with self._guard:
            due = []
            for fault in self._faults:
                if fault.fault not in OF_EVENTS or re.search(fault.path, topic) is None:
                    continue
                fault.seen += 1
                if fault.seen > fault.after and (not fault.times or fault.struck < fault.times):
                    fault.struck += 1
                    due.append(fault)
            return due


def parse(listed: Any) -> list[Fault]:
    """The faults of a script as plain data. Raises ScriptRefused."""
    if not isinstance(listed, list):
        raise ScriptRefused("a fault script is a list of entries, each with `fault:`")
    faults = []
    for number, entry in enumerate(listed, 1):
        try:
            fault = msgspec.convert(entry, Fault)
            re.compile(fault.path)
        except (msgspec.ValidationError, re.error) as error:
            raise ScriptRefused(f"entry {number}: {error}") from error
        if fault.fault not in KINDS:
            raise ScriptRefused(f"entry {number}: there is no fault {fault.fault!r}; there are: {', '.join(KINDS)}")
        faults.append(fault)
    return faults


def read(path: Path) -> list[Fault]:
    """The script in a file, YAML or JSON. Raises ScriptRefused."""
    try:
        return parse(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScriptRefused(f"{path}: {error}") from error
