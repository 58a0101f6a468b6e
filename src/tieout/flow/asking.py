"""A question put to a person at the other side, and kept until they come back: encrypted, once, and not for ever.

What was typed into the form holds secrets, so nothing of it travels through the browser: the state is all it carries.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from tieout.stages.base import secret

#: Logging in, a second factor, choosing a company: longer than this nobody takes who has not gone away.
MINUTES = 30
_NAME = "consent:"


class NoAnswer(Exception):
    """What came back is no answer to a question of ours; the message says why, and what to do."""


def put(*, state: str, kept: Mapping[str, Any], now: dt.datetime) -> None:
    """Keep what the answer to this state will need; what nobody came back for is forgotten on the way."""
    for old in secret.kept():
        if old.name.startswith(_NAME) and old.set_at < now - dt.timedelta(minutes=MINUTES):
            secret.forget(name=old.name)
    secret.put(name=_name(state), value=json.dumps(dict(kept)), now=now)


def take(*, state: str, expected: str, now: dt.datetime) -> dict[str, Any]:
    """What was kept for a state, which is then used up. `expected` is the state this browser was sent away with. Raises NoAnswer."""
    if not state or state != expected:
        raise NoAnswer("This is not the answer to a question asked from this browser. Nothing was connected; begin again.")
    row = next((one for one in secret.kept() if one.name == _name(state)), None)
    found = secret.get(name=_name(state))
    if row is None or found is None:
        raise NoAnswer("This answer was used before, or belongs to another organisation. Nothing was connected; begin again.")
    secret.forget(name=_name(state))
    if row.set_at < now - dt.timedelta(minutes=MINUTES):
        raise NoAnswer(f"That took longer than {MINUTES} minutes, so it does not count any more. Nothing was connected; begin again.")
    kept: dict[str, Any] = json.loads(found)
    return kept


def _name(state: str) -> str:
    return f"{_NAME}{state}"[:200]
