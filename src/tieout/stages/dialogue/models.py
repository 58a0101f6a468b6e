"""Contact points, holds, promises, disputes, notes, touches and replies."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, currency, tie, words


class ContactPoint(OrganisationRow):
    """One mailbox or number of the outside world, whoever uses it. Opt-out, bounce, consent and the contact budget
    hang here and so outlive merges, re-imports and corrections of customers."""

    channel = models.CharField(max_length=8)  # email, phone
    address = models.CharField(max_length=320)  # normalised: party.mailbox_key for e-mail, E.164 for phone
    first_seen_at = models.DateTimeField()
    opted_out_at = models.DateTimeField(null=True, blank=True)
    opted_out_how = words()
    bounced_at = models.DateTimeField(null=True, blank=True)
    bounced_how = words()
    soft_bounces = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "channel", "address"], name="dialogue_contactpoint_one")
        ]


class Hold(OrganisationRow):
    """Why somebody or something is not to be chased: one kind for all reasons, with scope, owner and end."""

    class Reason(models.TextChoices):
        DISPUTE = "dispute", "Dispute"
        PROMISE = "promise", "Promise to pay"
        REPLY_OPEN = "reply_open", "Reply waiting for an answer"
        OPT_OUT = "opt_out", "Opted out"
        IN_TRANSIT = "in_transit", "Says they paid"
        PLAN = "plan", "Payment plan"
        LEGAL = "legal", "Legal"
        INSOLVENCY = "insolvency", "Insolvency"
        MANUAL = "manual", "Held by hand"
        STALE = "stale", "Source is stale"

    customer = tie("ledger.Customer")
    document = tie("ledger.Document", null=True)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    amount_minor = models.BigIntegerField(null=True, blank=True)  # only this part of the document is held
    currency = models.CharField(max_length=3, blank=True, default="")
    from_date = models.DateField()
    until_date = models.DateField(null=True, blank=True)
    note = words()
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=300)
    placed_by_id = models.BigIntegerField(null=True)
    rank = models.SmallIntegerField()
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=300, blank=True, default="")
    released_reason = words()

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "customer"], condition=models.Q(released_at__isnull=True), name="dialogue_hold_live")
        ]


class Promise(OrganisationRow):
    """A promise to pay: how much, by when, on which documents; kept, broken or withdrawn."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        KEPT = "kept", "Kept"
        BROKEN = "broken", "Broken"
        WITHDRAWN = "withdrawn", "Withdrawn"

    customer = tie("ledger.Customer")
    document = tie("ledger.Document", null=True)
    currency = currency()
    amount_minor = models.BigIntegerField()
    promised_date = models.DateField()
    made_at = models.DateTimeField()
    made_how = words()
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    settled_at = models.DateTimeField(null=True, blank=True)
    hold = tie("dialogue.Hold", null=True)

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "customer", "state"], name="dialogue_promise_customer")]


class Dispute(OrganisationRow):
    """An objection to a document or to an amount of it; the rest is still owed. `stated` where a payer's bank makes it, by a gateway's word."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        UPHELD = "upheld", "Upheld"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    customer = tie("ledger.Customer")
    document = tie("ledger.Document")
    currency = currency()
    amount_minor = models.BigIntegerField()
    category = models.CharField(max_length=32, default="other")
    said = words()
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=300)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=300, blank=True, default="")
    answer = words()
    hold = tie("dialogue.Hold", null=True)
    stated = tie("ledger.StatedDispute", null=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "stated", "document"], name="dialogue_dispute_stated_once")
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "customer", "state"], name="dialogue_dispute_customer")]


class Note(OrganisationRow):
    """What a colleague wants remembered about a customer or a document."""

    customer = tie("ledger.Customer")
    document = tie("ledger.Document", null=True)
    text = words()
    written_at = models.DateTimeField()
    written_by = models.CharField(max_length=300)
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "customer"], name="dialogue_note_customer")]


class Touch(OrganisationRow):
    """One contact, outward or inward: the log that budgets are counted from."""

    customer = tie("ledger.Customer")
    contact_point = tie("dialogue.ContactPoint", null=True)
    channel = models.CharField(max_length=8)
    direction = models.CharField(max_length=3)  # out, in
    at = models.DateTimeField()
    local_date = models.DateField()  # in the recipient's zone: budgets count local days
    step = models.CharField(max_length=64, blank=True, default="")
    outcome = models.CharField(max_length=32, blank=True, default="")
    summary = words()
    document_ids = models.JSONField(default=list)
    message_id = models.BigIntegerField(null=True)

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "customer", "-at"], name="dialogue_touch_customer"),
            models.Index(fields=["organisation_id", "contact_point", "-local_date"], name="dialogue_touch_point"),
        ]


class Reply(OrganisationRow):
    """A message from a debtor. A human one holds the customer until somebody closes it."""

    class State(models.TextChoices):
        OPEN = "open", "Waiting for an answer"
        CLOSED = "closed", "Closed"
        AUTOMATIC = "automatic", "Automatic answer"

    customer = tie("ledger.Customer", null=True)
    contact_point = tie("dialogue.ContactPoint", null=True)
    envelope = tie("intake.Envelope", null=True)
    message_id = models.BigIntegerField(null=True)  # the message it answers
    received_at = models.DateTimeField()
    sender = models.CharField(max_length=320)
    subject = words()
    text = words()
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=300, blank=True, default="")
    hold = tie("dialogue.Hold", null=True)

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "state", "-received_at"], name="dialogue_reply_open")]
