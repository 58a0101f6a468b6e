"""Whether anything may leave: shadow or live, stop and resume, and the frozen state of a restored system."""

from __future__ import annotations

import datetime as dt

from tieout.core.evidence import Actor
from tieout.stages.base import audit, queries
from tieout.stages.base.models import Profile


class NotReady(Exception):
    """Sending cannot be opened yet; the message says what is missing."""


def go_live(*, actor: Actor, now: dt.datetime) -> None:
    """Leave shadow mode: from now on what the gate allows is sent. Raises NotReady."""
    ours = queries.profile().lock()
    if not ours.sender_address or not ours.sender_name:
        raise NotReady("letters need a sender: fill in its name and address first")
    if ours.mode != Profile.Mode.LIVE:
        _turn(ours, actor, now, "sending.live", mode=Profile.Mode.LIVE)


def go_dark(*, actor: Actor, now: dt.datetime, reason: str = "") -> None:
    """Return to shadow mode: everything is shown, nothing is sent."""
    ours = queries.profile().lock()
    if ours.mode != Profile.Mode.SHADOW:
        _turn(ours, actor, now, "sending.shadow", reason, mode=Profile.Mode.SHADOW)


def stop(*, actor: Actor, now: dt.datetime, reason: str) -> None:
    """The stop switch of this organisation: nothing leaves until `resume`, whatever was approved."""
    ours = queries.profile().lock()
    if ours.stopped_at is None:
        _turn(ours, actor, now, "sending.stop", reason, stopped_at=now, stopped_reason=reason or f"stopped by {actor.name}")


def resume(*, actor: Actor, now: dt.datetime, reason: str = "") -> None:
    """Release the stop switch; each waiting message is judged again before it leaves."""
    ours = queries.profile().lock()
    if ours.stopped_at is not None:
        _turn(ours, actor, now, "sending.resume", reason, stopped_at=None, stopped_reason="")


def thaw(*, actor: Actor, now: dt.datetime, reason: str) -> None:
    """A person has checked a restored system against its sources: sending may go on."""
    ours = queries.profile().lock()
    if ours.frozen_at is not None:
        _turn(ours, actor, now, "sending.thaw", reason, frozen_at=None, frozen_reason="")


def _turn(ours: Profile, actor: Actor, now: dt.datetime, action: str, reason: str = "", **fields: object) -> None:
    for name, value in fields.items():
        setattr(ours, name, value)
    ours.save(update_fields=list(fields))
    audit.write(actor=actor, action=action, object_kind="organisation", object_id=ours.organisation_id, now=now, reason=reason)
