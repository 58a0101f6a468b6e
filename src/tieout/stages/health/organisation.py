"""One organisation's condition: whether anything may leave, whether its sources speak, what waits for somebody, what cannot be opened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tieout.stages.base import queries as base
from tieout.stages.base import secret
from tieout.stages.base.models import Secret
from tieout.stages.health.finding import Finding, note, ok, wrong
from tieout.stages.intake import queries as intake
from tieout.stages.outreach.models import Message

_MODES = {
    "shadow": "release sending in Settings when everything looks right",
    "stopped": "resume sending in Settings once the reason is gone",
    "frozen": "check the books against their sources, then thaw sending in Settings",
}


def look(*, now: dt.datetime) -> Iterator[Finding]:
    """Look at the current organisation as of `now`."""
    yield from _sending()
    yield from _sources(now)
    yield from _secrets()
    yield from _waiting(now)


def _sending() -> Iterator[Finding]:
    mode, why = base.sending_mode()
    if mode == "live":
        yield ok("sending", "live: what the gate allows leaves")
    elif mode == "frozen":
        yield wrong("sending", f"frozen: {why}", _MODES[mode])
    else:
        yield note("sending", why, _MODES[mode])


def _sources(now: dt.datetime) -> Iterator[Finding]:
    known = intake.freshness(now=now)
    stale = [one for one in known if one.stale]
    mend = "bring a newer file or mend the connection; until then nobody is chased over its items"
    for one in stale:
        yield wrong("source", f"{one.name} is stale: {one.reason}", mend)
    if known and not stale:
        yield ok("sources", f"all {len(known)} fresh")


def _secrets() -> Iterator[Finding]:
    """Names only: what is opened here is thrown away at once."""
    names = list(Secret.objects.order_by("name").values_list("name", flat=True))
    for name in names:
        try:
            secret.get(name=name)
        except (secret.SecretUnreadable, OSError, ValueError) as error:
            mend = "put the key file of this installation back, or enter the value again in Settings"
            yield wrong("secret", f"{name} cannot be opened: {error}", mend)


def _waiting(now: dt.datetime) -> Iterator[Finding]:
    unfinished = intake.unfinished(before=now - dt.timedelta(hours=1))
    if unfinished:
        yield wrong("files", f"{len(unfinished)} received more than an hour ago and not taken in", "run `tieout worker`, which takes them up")
    unknown = Message.objects.filter(state=Message.State.UNKNOWN).count()
    if unknown:
        yield note("letters", f"{unknown} whose outcome nobody knows", "find out whether they arrived and say so under Outreach")
    rows = intake.waiting_rows()
    if rows:
        yield note("rows", f"{rows} set aside and waiting for somebody", "mend or dismiss them under Connections")
