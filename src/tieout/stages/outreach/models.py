"""Messages, the certificates that let them leave, and the words of our letters."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie, words


class Wording(OrganisationRow):
    """One version of a template: subject and body in Liquid for a tone and language, with the facts it declares."""

    tone = models.CharField(max_length=12)
    language = models.CharField(max_length=8)
    version = models.IntegerField()
    subject = models.TextField()
    body = models.TextField()
    facts = models.JSONField(default=list)
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=300)
    active = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "tone", "language", "version"], name="outreach_wording_version")
        ]


class Message(OrganisationRow):
    """One message to one address. The natural key lets it exist once; the state says how far it has come.

    `claimed_at` without an outcome means nobody knows whether it left: `unknown`, for a person, never a blind resend.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Waiting for approval"
        PLANNED = "planned", "Ready to send"
        HELD = "held", "Held"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        BOUNCED = "bounced", "Bounced"
        REFUSED = "refused", "Refused by the server"
        UNKNOWN = "unknown", "Outcome unknown"
        CANCELLED = "cancelled", "Cancelled"

    customer = tie("ledger.Customer")
    contact_point = tie("dialogue.ContactPoint")
    decision = tie("collect.Decision", null=True)
    natural_key = models.CharField(max_length=300)
    step = models.CharField(max_length=64, blank=True, default="")
    tone = models.CharField(max_length=12, blank=True, default="")
    language = models.CharField(max_length=8, default="en")
    to_address = models.CharField(max_length=320)
    subject = words()
    body = words()
    html = words()
    edited = models.BooleanField(default=False)
    facts = models.JSONField(default=dict)  # what the text says: figures per document, as drafted
    document_ids = models.JSONField(default=list)
    attachments = models.JSONField(default=list)
    state = models.CharField(max_length=9, choices=State.choices)
    hold_reason = words()
    hold_release = words()
    not_before = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=200, blank=True, default="")  # our own Message-ID header
    token = models.CharField(max_length=64)  # thread and return address
    drafted_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=300, blank=True, default="")
    claimed_at = models.DateTimeField(null=True, blank=True)
    claims = models.IntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    outcome = words()
    bounced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "natural_key"], name="outreach_message_once"),
            models.UniqueConstraint(fields=["organisation_id", "token"], name="outreach_message_token"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "state", "not_before"], name="outreach_message_state"),
            models.Index(fields=["organisation_id", "customer", "-drafted_at"], name="outreach_message_customer"),
        ]


class Certificate(OrganisationRow):
    """The right to chase, as proven at the claim: every check with what it saw. Never changed."""

    append_only = True

    message = tie("outreach.Message")
    claim = models.IntegerField()
    allowed = models.BooleanField()
    checks = models.JSONField()
    rules_version = models.CharField(max_length=64)
    inputs_hash = models.CharField(max_length=64)
    issued_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "message", "claim"], name="outreach_certificate_claim")
        ]
