"""What sources say: their records and the links to ours, what they say is applied or given back, what each last said of a field, and
how our balances compared with theirs. Kept as said, beside what we make of it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tieout.stages.base.rows import OrganisationRow, currency, tie, words


class AllocationKind(models.TextChoices):
    """What settles a part of an invoice."""

    CASH = "cash", "Cash"
    CREDIT = "credit", "Credit note"
    WRITE_OFF = "write_off", "Write-off"


class SourceRecord(OrganisationRow):
    """A record of a source and, at the same time, its link to our row: scored, with its evidence, and reversible.

    The link in force is the one with no `retracted_at`; linking elsewhere retracts it and adds another.
    `kind` is customer, invoice, credit_note, payment, payout, refund, dispute or application; `target_id` is our row of that kind (0 for an
    application, whose rows are `Stated`), `home_id` the one it came from where links in force move it. `reported_*` is what a source says
    of a document that was born in another one.
    """

    checks_organisation = False
    guarded_ties = ("connection",)

    connection = tie("intake.Connection")
    kind = models.CharField(max_length=12)
    external_id = models.CharField(max_length=300)
    target_id = models.BigIntegerField()
    home_id = models.BigIntegerField(null=True)  # our row it founded, where a link has it stand for another
    content_hash = models.BinaryField()
    envelope_id = models.BigIntegerField(null=True)
    line = models.BigIntegerField(null=True)
    score = models.SmallIntegerField(default=100)  # percent
    evidence = models.CharField(max_length=300, default="the source's own key")
    linked_by = models.CharField(max_length=300, default="machine")
    rank = models.SmallIntegerField(default=1)
    recorded_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True)
    reported_minor = models.BigIntegerField(null=True)
    reported_open_minor = models.BigIntegerField(null=True)
    reported_status = models.CharField(max_length=16, blank=True, db_default="")
    gone_at = models.DateTimeField(null=True)
    gone_as = models.CharField(max_length=16, blank=True, db_default="")
    #: What the answer we hold says of its own age: an older one never replaces it (`core.order`).
    version = models.CharField(max_length=64, blank=True, db_default="")
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organisation_id", "connection", "kind", "external_id"],
                condition=models.Q(retracted_at__isnull=True),
                name="ledger_source_current",
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "kind", "target_id"], name="ledger_source_target"),
            models.Index(fields=["organisation_id", "kind", "home_id"], condition=Q(home_id__isnull=False), name="ledger_source_home"),
            models.Index(
                fields=["organisation_id", "target_id"], condition=Q(reported_minor__isnull=False), name="ledger_source_reported"
            ),
        ]


class Stated(OrganisationRow):
    """What a source says is applied, in its own keys: a part of a payment or credit note on a document. It becomes an
    allocation as soon as both are known and it fits; until then `problem` says what is in the way."""

    connection = tie("intake.Connection")
    application_external_id = models.CharField(max_length=300)
    kind = models.CharField(max_length=9, choices=AllocationKind.choices)
    source_external_id = models.CharField(max_length=300)
    document_external_id = models.CharField(max_length=300)
    currency = currency()
    amount_minor = models.BigIntegerField()
    date = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True)
    allocation = tie("ledger.Allocation", null=True)
    problem = words()

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "connection", "application_external_id"], name="ledger_stated_application"),
            models.Index(
                fields=["organisation_id"], condition=Q(retracted_at__isnull=True, allocation__isnull=True), name="ledger_stated_waiting"
            ),
            models.Index(fields=["organisation_id", "allocation"], condition=Q(allocation__isnull=False), name="ledger_stated_allocation"),
        ]


class StatedRefund(OrganisationRow):
    """What a source says was given back, in its own keys. Money that went back becomes a `Refund` of its payment."""

    connection = tie("intake.Connection")
    external_id = models.CharField(max_length=300)
    payment_external_id = models.CharField(max_length=300, blank=True, default="")
    credit_external_id = models.CharField(max_length=300, blank=True, default="")
    status = models.CharField(max_length=12)
    currency = currency()
    amount_minor = models.BigIntegerField()
    date = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    problem = words()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "connection", "external_id"], name="ledger_statedrefund_once")
        ]


class StatedDispute(OrganisationRow):
    """What a source says of a payment that its payer's bank asks about or takes back, in its own keys. Lost, it becomes a `Refund` of
    its payment; `followed` is the status that has been acted upon."""

    connection = tie("intake.Connection")
    external_id = models.CharField(max_length=300)
    payment_external_id = models.CharField(max_length=300)
    status = models.CharField(max_length=16)
    said = models.CharField(max_length=64, blank=True, default="")
    currency = currency()
    amount_minor = models.BigIntegerField()
    fee_currency = models.CharField(max_length=3, blank=True, default="")
    fee_minor = models.BigIntegerField(null=True)
    date = models.DateField(null=True)
    respond_by = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    followed = models.CharField(max_length=16, blank=True, default="")
    problem = words()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "connection", "external_id"], name="ledger_stateddispute_once")
        ]


class Deal(OrganisationRow):
    """A sale as a CRM tells it, in its own keys. `won_at` is when we first heard that it is won: the map may ask for a draft of it."""

    connection = tie("intake.Connection")
    external_id = models.CharField(max_length=300)
    name = models.CharField(max_length=300, blank=True, default="")
    stage = models.CharField(max_length=64, blank=True, default="")
    won = models.BooleanField(default=False)
    won_at = models.DateTimeField(null=True)
    customer_external_id = models.CharField(max_length=300, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")
    amount_minor = models.BigIntegerField(null=True)
    close_date = models.DateField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "connection", "external_id"], name="ledger_deal_once")
        ]


class Seen(OrganisationRow):
    """That a full reading of a stream has met some records: what it has not met is asked for by name before it counts as gone. A row a
    checkpoint, not a row a record; gone when the reading is over."""

    checks_organisation = False

    connection = tie("intake.Connection")
    stream = models.CharField(max_length=48)
    generation = models.IntegerField()
    external_ids = ArrayField(models.TextField())

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "connection", "stream", "generation"], name="ledger_seen_reading")
        ]


class FieldWord(OrganisationRow):
    """What one record of a source last said about a field of ours: of a customer, whose fields come from several records, and of a
    document that was born elsewhere. `form` is the value without what is form only; `target_id` the row its record is linked to.
    """

    kind = models.CharField(max_length=12)
    target_id = models.BigIntegerField()
    field = models.CharField(max_length=32)
    connection = tie("intake.Connection")
    external_id = models.CharField(max_length=300, db_default="")
    value = models.JSONField(null=True)
    form = models.CharField(max_length=300, db_default="")
    envelope_id = models.BigIntegerField(null=True)
    line = models.BigIntegerField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "connection", "kind", "external_id", "field"], name="ledger_fieldword_once")
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "kind", "target_id"], name="ledger_fieldword_target")]


class FieldRule(OrganisationRow):
    """A person's change to the table of whose word counts (`core.truth`): whom to ask first for a group of fields, and why. The rule
    in force is the one with no `retracted_at`; without one the default holds."""

    key = models.CharField(max_length=48)  # entity.group
    places = models.JSONField(default=list)
    reason = words()
    by = models.CharField(max_length=300)
    by_id = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "key"], condition=Q(retracted_at__isnull=True), name="ledger_fieldrule_current")
        ]


class TieOutRun(OrganisationRow):
    """One comparison of our balances with a source's: how many documents, what differed by currency and cause, what stayed open."""

    connection = tie("intake.Connection")
    at = models.DateTimeField()
    documents = models.IntegerField()
    differing = models.IntegerField()
    causes = models.JSONField(default=dict)  # currency -> cause -> minor units
    unexplained = models.JSONField(default=dict)  # currency -> minor units, summed without sign

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "connection", "-at"], name="ledger_tieoutrun_recent")]
