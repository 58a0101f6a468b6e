"""A disagreement between what stands here and what another system says: one row for each field and record, opened, settled, reopened."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie, words


class Conflict(OrganisationRow):
    """What stands here (`ours`, from whom, since when) and what a record of another system says (`theirs`) of one field.

    `made` holds what a person's answer made (a correction, a contact, an effect in the outbox), by which it is taken back.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SETTLED = "settled", "Settled by a person"
        IGNORED = "ignored", "Ignored until it changes"
        AGREED = "agreed", "The sources agree again"

    kind = models.CharField(max_length=12)  # customer, contact, invoice, credit_note, payment
    target_id = models.BigIntegerField()
    customer = tie("ledger.Customer", null=True)
    field = models.CharField(max_length=32)
    connection = tie("intake.Connection")
    external_id = models.CharField(max_length=300)
    ours = models.JSONField(null=True)
    ours_from = models.CharField(max_length=300, blank=True, default="")
    ours_at = models.DateTimeField(null=True)
    theirs = models.JSONField(null=True)
    theirs_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    proposal = models.CharField(max_length=8, default="keep")
    because = words()
    digest = models.CharField(max_length=32)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=300, blank=True, default="")
    answer = models.CharField(max_length=8, blank=True, default="")
    note = words()
    made = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organisation_id", "kind", "target_id", "field", "connection", "external_id"], name="writeback_conflict_once"
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "-opened_at"], condition=models.Q(state="open"), name="writeback_conflict_open"),
            models.Index(fields=["organisation_id", "customer"], name="writeback_conflict_customer"),
        ]
