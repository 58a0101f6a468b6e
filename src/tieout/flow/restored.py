"""A restored system knows less than the world does: freeze sending everywhere, and say so in each audit trail."""

from __future__ import annotations

from tieout.core.evidence import Actor
from tieout.flow import clock
from tieout.stages.base import audit, queries, walls


def freeze(*, reason: str) -> int:
    """Freeze every organisation until a person thaws it; returns how many."""
    organisations = queries.organisations()
    for organisation in organisations:
        with walls.inside(organisation):
            ours = queries.profile().lock()
            now = clock.real_now()
            ours.frozen_at, ours.frozen_reason = now, reason
            ours.save(update_fields=["frozen_at", "frozen_reason"])
            audit.write(
                actor=Actor("machine", "tieout"), action="restore", object_kind="organisation", object_id=organisation, now=now, reason=reason
            )
    return len(organisations)
