"""Connections, envelopes with their original bytes, runs over them, and rows set aside."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie, words


class Connection(OrganisationRow):
    """Where records come from: a file source with its saved profile, a mailbox, or entry by hand.

    `cadence_hours` is how often it is expected to bring something; past that it is stale (None: no expectation).
    """

    class Kind(models.TextChoices):
        FILE = "file", "Files"
        MAILBOX = "mailbox", "Mailbox"
        HAND = "hand", "Entered by hand"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=200)
    profile = models.JSONField(default=dict, blank=True)
    cadence_hours = models.IntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = words()
    paused_at = models.DateTimeField(null=True, blank=True)
    settings = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "name"], name="intake_connection_name")]


class Envelope(OrganisationRow):
    """What a source sent, exactly as received: the durable inbox. It reaches one end: applied, ignored or quarantined."""

    class State(models.TextChoices):
        RECEIVED = "received", "Received"
        APPLIED = "applied", "Applied"
        IGNORED = "ignored", "Ignored"
        QUARANTINED = "quarantined", "Set aside"

    connection = tie("intake.Connection")
    external_id = models.CharField(max_length=200)
    name = models.CharField(max_length=300)
    media_type = models.CharField(max_length=100, default="application/octet-stream")
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.RECEIVED)
    reason = words()
    settled_at = models.DateTimeField(null=True, blank=True)
    answers = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "connection", "external_id"], name="intake_envelope_once")
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "connection", "-received_at"], name="intake_envelope_recent"),
            models.Index(fields=["organisation_id", "state"], name="intake_envelope_state"),
        ]


class EnvelopePart(OrganisationRow):
    """A stretch of an envelope's original bytes, gzip-compressed."""

    checks_organisation = False

    envelope = tie("intake.Envelope")
    ordinal = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "envelope", "ordinal"], name="intake_part_order")]


class Run(OrganisationRow):
    """One pass over an envelope, with its counts: read = created + updated + unchanged + set aside + skipped."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    connection = tie("intake.Connection")
    envelope = tie("intake.Envelope", null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    read = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    notices = models.JSONField(default=list, blank=True)
    error = words()

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "connection", "-started_at"], name="intake_run_recent")]


class QuarantinedRow(OrganisationRow):
    """A row that could not be taken without guessing: kept whole, with the reason, until mended or dismissed."""

    class State(models.TextChoices):
        OPEN = "open", "Waiting"
        MENDED = "mended", "Mended"
        DISMISSED = "dismissed", "Dismissed"
        SUPERSEDED = "superseded", "Superseded by a newer file"

    connection = tie("intake.Connection")
    envelope = tie("intake.Envelope", null=True)
    run = tie("intake.Run")
    line = models.BigIntegerField(null=True)
    column = models.CharField(max_length=300, blank=True, default="")
    field = models.CharField(max_length=64, blank=True, default="")
    code = models.CharField(max_length=64)
    message = words()
    raw = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "state", "connection"], name="intake_quarantine_open")]
