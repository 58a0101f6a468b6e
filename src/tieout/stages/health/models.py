"""Alerts, whom they are told and how often; the health reports that were made."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie, words


class Alert(OrganisationRow):
    """Something that needs somebody, from when it was first seen until its cause has ended: one row for one cause.

    `key` names the cause, so that looking again finds the same alert. `count` is how many things it stands for. `page`, `page_key` and
    `page_query` are where to go. A person may acknowledge it (no more reminders) or put it off until a moment; only the end of the
    cause closes it.
    """

    class Severity(models.TextChoices):
        NOTE = "note", "Worth a look"
        SOON = "soon", "Soon"
        URGENT = "urgent", "Urgent"

    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=32)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    subject = models.CharField(max_length=300)
    says = words()
    mend = words()
    page = models.CharField(max_length=48)
    page_key = models.BigIntegerField(null=True, blank=True)
    page_query = models.CharField(max_length=200, blank=True, default="")
    connection = tie("intake.Connection", null=True)
    count = models.BigIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    #: When it last became more urgent than it was; told once more.
    worse_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=300, blank=True, default="")
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "key"], condition=models.Q(closed_at__isnull=True), name="health_alert_open_once")
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "-closed_at"], name="health_alert_closed")]


class AlertChannel(OrganisationRow):
    """Where alerts are told besides the pages: a person's own mailbox, or an address that other programs listen at.

    `vendor` names the channel (email, slack, webhook). `without` are the kinds it does not want, so that a new kind is told. The
    address and the secret of a webhook are kept encrypted; `shown` is what of the address a page may show.
    """

    vendor = models.CharField(max_length=32)
    name = models.CharField(max_length=200)
    shown = models.CharField(max_length=300, blank=True, default="")
    person = models.ForeignKey("base.Person", on_delete=models.DO_NOTHING, null=True, blank=True, related_name="+")
    without = models.JSONField(default=list, blank=True)
    since_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    last_told_at = models.DateTimeField(null=True, blank=True)
    last_error = words()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organisation_id", "person"], condition=models.Q(removed_at__isnull=True, person__isnull=False), name="health_channel_person"
            ),
            models.UniqueConstraint(
                fields=["organisation_id", "name"], condition=models.Q(removed_at__isnull=True, person__isnull=True), name="health_channel_name"
            ),
        ]


class HealthReport(OrganisationRow):
    """How the connected systems agreed over a period: the figures as they were when it was made. Page and PDF are drawn from them."""

    from_date = models.DateField()
    to_date = models.DateField()
    monthly = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=300)
    facts = models.JSONField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "from_date"], condition=models.Q(monthly=True), name="health_report_month_once")
        ]


class Notice(OrganisationRow):
    """One telling: of one alert (or report), by one channel, on one occasion; there is never a second row for the same three.

    `uuid` goes with it as the key by which the other side knows it again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CLAIMED = "claimed", "Under way"
        DONE = "done", "Told"
        MOOT = "moot", "Over before it was told"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Outcome unknown"

    alert = tie("health.Alert", null=True)
    report = tie("health.HealthReport", null=True)
    channel = tie("health.AlertChannel")
    occasion = models.CharField(max_length=40)
    uuid = models.UUIDField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    planned_at = models.DateTimeField()
    not_before = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.IntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True)
    said = words()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organisation_id", "alert", "report", "channel", "occasion"], name="health_notice_once", nulls_distinct=False
            )
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "state", "not_before"], name="health_notice_due")]
