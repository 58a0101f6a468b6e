"""Proposals for money that no machine may apply alone."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie, words


class Proposal(OrganisationRow):
    """One way to apply a payment, waiting for a person: documents with amounts, the reason in words, and its rival."""

    class State(models.TextChoices):
        OPEN = "open", "Waiting"
        TAKEN = "taken", "Applied"
        DISMISSED = "dismissed", "Dismissed"
        OUTDATED = "outdated", "Outdated"

    payment = tie("ledger.Payment")
    place = models.SmallIntegerField()
    lines = models.JSONField(default=list)  # [{"document_id": 1, "amount_minor": 100}]
    confidence = models.CharField(max_length=8)
    reason = words()
    rival = words()
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    proposed_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "state", "payment"], name="cash_proposal_open")]
