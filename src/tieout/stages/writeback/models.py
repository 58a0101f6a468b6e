"""The outbox: what the other side is to hear, written in the transaction that caused it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, words


class Outgoing(OrganisationRow):
    """One effect on the outside, once: waiting, claimed, settled or `unknown` for a person."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CLAIMED = "claimed", "Under way"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Outcome unknown"

    kind = models.CharField(max_length=32)
    natural_key = models.CharField(max_length=200)
    body = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    written_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.IntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    receipt = words()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "natural_key"], name="writeback_outgoing_once")]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "state", "not_before"], name="writeback_outgoing_state")]
