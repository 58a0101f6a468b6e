"""The outbox: what the other side is to hear, written in the transaction that caused it; and the map that says what belongs where."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie, words
from tieout.stages.writeback.disagreeing import Conflict

__all__ = ["Conflict", "Outgoing", "Route"]


class Outgoing(OrganisationRow):
    """One effect on the outside, once: waiting, claimed, settled or `unknown` for a person.

    Of a connected system: `kind` is the act, `subject_*` our row it is about, `external_id` what it became there.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CLAIMED = "claimed", "Under way"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Outcome unknown"

    kind = models.CharField(max_length=32)
    natural_key = models.CharField(max_length=200)
    connection = tie("intake.Connection", null=True)
    subject_kind = models.CharField(max_length=12, blank=True, default="")
    subject_id = models.BigIntegerField(null=True, blank=True)
    external_id = models.CharField(max_length=300, blank=True, default="")
    reason = words()
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
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "state", "not_before"], name="writeback_outgoing_state"),
            models.Index(fields=["organisation_id", "connection", "subject_kind", "subject_id"], name="writeback_outgoing_subject"),
        ]


class Route(OrganisationRow):
    """A line of the map: what is born in one system and belongs in another as well, from a day on. History is never poured over."""

    class What(models.TextChoices):
        CUSTOMER = "customer", "Customers"
        INVOICE = "invoice", "Invoices"
        CREDIT_NOTE = "credit_note", "Credit notes"
        PAYMENT = "payment", "Payments"
        VOID = "void", "Voids"
        STATUS = "status", "Receivables of each customer"

    origin = tie("intake.Connection", null=True)
    target = tie("intake.Connection")
    what = models.CharField(max_length=16, choices=What.choices)
    enabled = models.BooleanField(default=True)
    since = models.DateField()
    settings = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "origin", "target", "what"], name="writeback_route_once", nulls_distinct=False)
        ]
