"""Connections, envelopes with their original bytes, runs over them, and rows set aside."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie, words


class Connection(OrganisationRow):
    """Where records come from: a file source with its saved profile, a mailbox, a connected system, entry by hand, or a
    system that pushes by the API.

    `cadence_hours` is how often it is expected to bring something; past that it is stale (None: no expectation). Of a system,
    `vendor` names the connector, `stage` says whether anything may be written there, and `lease` who is reading it just now:
    one reader at a time, so that an older answer never overwrites a newer one.
    """

    class Kind(models.TextChoices):
        FILE = "file", "Files"
        MAILBOX = "mailbox", "Mailbox"
        SYSTEM = "system", "Connected system"
        HAND = "hand", "Entered by hand"
        PUSH = "push", "Pushed by another system"

    class Stage(models.TextChoices):
        PILOT = "pilot", "Pilot: read, nothing written"
        LIVE = "live", "Live"

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
    vendor = models.CharField(max_length=32, blank=True, default="")
    stage = models.CharField(max_length=8, choices=Stage.choices, default=Stage.LIVE)
    account = models.JSONField(default=dict, blank=True)
    needs_person = words()
    not_before = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "name"], name="intake_connection_name")]


class SyncStream(OrganisationRow):
    """How far one stream of a system has been read: its state, where to go on, and as of when its records are fresh.

    The stream with no name is the connection's changes, over all its streams.
    """

    class State(models.TextChoices):
        NEVER = "never_synced", "Not read yet"
        BACKFILLING = "backfilling", "Reading its history"
        LIVE = "live", "Live"
        LAGGING = "lagging", "Lagging"
        LIMITED = "rate_limited", "Slowed down by the other side"
        NEEDS_RESYNC = "needs_resync", "Must be read anew"
        RESYNCING = "resyncing", "Being read anew"
        BROKEN = "auth_broken", "Access lost"
        PAUSED = "paused", "Paused"
        DISABLED = "disabled", "Not there in this account"

    connection = tie("intake.Connection")
    name = models.CharField(max_length=48, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEVER)
    cursor = models.JSONField(default=dict, blank=True)
    generation = models.IntegerField(default=1)
    begun_at = models.DateTimeField(null=True, blank=True)
    fresh_as_of = models.DateTimeField(null=True, blank=True)
    swept_at = models.DateTimeField(null=True, blank=True)
    seen = models.BigIntegerField(default=0)
    reason = words()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "connection", "name"], name="intake_stream_once")
        ]


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
    #: The bytes of a small one, gzip-compressed; larger ones lie in parts.
    body = models.BinaryField(null=True, blank=True)

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
    tombstoned = models.BigIntegerField(default=0)
    calls = models.BigIntegerField(default=0)
    mode = models.CharField(max_length=12, blank=True, default="file")
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
    #: The object of a connected system: its stream and its key there.
    stream = models.CharField(max_length=48, blank=True, default="")
    external_id = models.CharField(max_length=300, blank=True, default="")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "state", "connection"], name="intake_quarantine_open")]
