"""The outbox: what the other side is to hear, written in the transaction that caused it; and the map that says what belongs where."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie, words
from tieout.stages.writeback.disagreeing import Conflict

__all__ = ["Conflict", "Outgoing", "Route"]


class Outgoing(OrganisationRow):
    """One effect on the outside, once: waiting, claimed, settled, `unknown`, or for a `person` to say first what goes where.

    Of a connected system: `kind` is the act, `subject_*` our row it is about, `external_id` what it became there, `lacks` the
    setting nobody has filled in yet, `body["sent"]` what was told.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CLAIMED = "claimed", "Under way"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Outcome unknown"
        PERSON = "person", "Waits for a person"

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
    lacks = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "natural_key"], name="writeback_outgoing_once")]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "state", "not_before"], name="writeback_outgoing_state"),
            models.Index(fields=["organisation_id", "connection", "subject_kind", "subject_id"], name="writeback_outgoing_subject"),
        ]


class PilotRun(OrganisationRow):
    """Chosen invoices that travelled end to end as a rehearsal: what was met at each hop, what would have been written, what differs.

    `results` holds an entry an invoice, as `flow.pilot` describes it; `differing` counts what nothing explains, `refused` what a system
    would not take (an item or a tax that no setting maps). Whoever has looked at it says so: `confirmed_by`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for a worker"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    connection = tie("intake.Connection")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=300)
    chosen = models.JSONField(default=list)  # our keys of the invoices
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    finished_at = models.DateTimeField(null=True, blank=True)
    results = models.JSONField(default=list)
    differing = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    error = words()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "connection", "-asked_at"], name="writeback_pilotrun_recent")]


class Route(OrganisationRow):
    """A line of the map: what is born in one system and belongs in another as well, from a day on. History is never poured over."""

    class What(models.TextChoices):
        CUSTOMER = "customer", "Customers"
        INVOICE = "invoice", "Invoices"
        CREDIT_NOTE = "credit_note", "Credit notes"
        PAYMENT = "payment", "Payments"
        VOID = "void", "Voids"
        REFUND = "refund", "Refunds"
        PAYOUT = "payout", "Payouts, as deposits"
        DRAFT = "draft", "Deals won, as draft invoices"
        STATUS = "status", "Receivables of each customer"
        DOCUMENT = "document", "Invoices, beside their customer"
        TASK = "task", "Tasks of collectors"

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


class Download(OrganisationRow):
    """One outbox file of a file connection, kept as it was handed out: what changed after `since` and up to `until`."""

    connection = tie("intake.Connection")
    ordinal = models.IntegerField()
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=300)
    lines = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "connection", "ordinal"], name="writeback_download_once")
        ]
