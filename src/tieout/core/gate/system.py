"""Checks on ourselves: may we send at all, and have the sources spoken recently enough."""

from __future__ import annotations

import datetime as dt

from tieout.core.gate.facts import Facts, Source
from tieout.core.gate.verdict import Check, passed, refused

#: A source that answered "later than now" by more than this means a clock is wrong (fault F15 of the reliability note).
CLOCK_SLACK = dt.timedelta(minutes=2)

_MODES = {
    "shadow": ("messages are shown and not sent (shadow mode)", "an owner releases sending"),
    "stopped": ("sending is stopped for the whole organisation", "an owner lifts the stop"),
    "frozen": ("sending is frozen after a restore", "the books are checked against their sources and sending is released"),
}


def sending_is_live(facts: Facts) -> Check:
    """The organisation's own switch."""
    if facts.sending is None:
        return refused("sending", "it is not known whether sending is released", "the sending mode is read")
    if facts.sending == "live":
        return passed("sending", "sending is released")
    return refused("sending", *_MODES[facts.sending])


def sources_are_fresh(facts: Facts) -> Check:
    """Every connection that feeds the items or their money has succeeded within its cadence."""
    if not facts.sources:
        return refused("sources", "no source of these items is known", "the items are linked to the source they come from")
    stale = [sentence for source in facts.sources if (sentence := _stale(source, facts.asked_at))]
    if stale:
        return refused("sources", "; ".join(stale), "the source is read again")
    return passed("sources", f"fresh: {', '.join(source.name for source in facts.sources)}")


def _stale(source: Source, now: dt.datetime) -> str | None:
    if source.kind == "person":
        return None
    if source.last_success_at is None:
        return f"{source.name} has never been read"
    if source.cadence is None:
        return f"{source.name} has no cadence, so its age cannot be judged"
    if source.last_success_at > now + CLOCK_SLACK:
        return f"{source.name} was read in the future ({source.last_success_at:%Y-%m-%d %H:%M}): a clock is wrong"
    if now - source.last_success_at > source.cadence:
        return f"{source.name} was last read {source.last_success_at:%Y-%m-%d %H:%M}, longer ago than its cadence of {source.cadence}"
    return None
