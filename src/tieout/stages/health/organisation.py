"""One organisation's condition: whether anything may leave, whether its sources speak, and all that needs somebody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tieout.stages.base import queries as base
from tieout.stages.health import lookers
from tieout.stages.health.finding import Finding, note, ok, wrong
from tieout.stages.health.sight import Given
from tieout.stages.intake import queries as intake

_MODES = {
    "shadow": "release sending in Settings when everything looks right",
    "stopped": "resume sending in Settings once the reason is gone",
    "frozen": "check the books against their sources, then thaw sending in Settings",
}


def look(*, now: dt.datetime, real_now: dt.datetime | None = None) -> Iterator[Finding]:
    """Look at the current organisation as of `now`; what is urgent is wrong, the rest worth knowing."""
    yield from _sending()
    given = Given(now=now, real_now=real_now or now, today=base.today_of(base.profile(), now))
    for looker in lookers.known().values():
        for seen in looker.look(given=given):
            yield (wrong if seen.severity == "urgent" else note)(seen.what, seen.says, seen.mend)
    known = intake.freshness(now=now)
    if known and not any(one.stale for one in known):
        yield ok("sources", f"all {len(known)} fresh")


def _sending() -> Iterator[Finding]:
    mode, why = base.sending_mode()
    if mode == "live":
        yield ok("sending", "live: what the gate allows leaves")
    elif mode == "frozen":
        yield wrong("sending", f"frozen: {why}", _MODES[mode])
    else:
        yield note("sending", why, _MODES[mode])
