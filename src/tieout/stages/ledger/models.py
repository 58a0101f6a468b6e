"""Customers, documents, payments and allocations, with source records (identity links), versions and corrections.

Two clocks: business dates are facts of a row; `recorded_at` (and `superseded_at`, `retracted_at`) say when we learnt
it. Nothing is overwritten without its version, nothing is deleted: undo, unlink and correction are new dated facts.
Amounts are minor units of the row's currency.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Case, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Coalesce, Greatest, Least

from tieout.stages.base.rows import OrganisationRow, currency, tie, words
from tieout.stages.ledger.linked import KeyRule, LinkProposal, Moved
from tieout.stages.ledger.paid_out import Payout, PayoutItem
from tieout.stages.ledger.said import AllocationKind, Deal, FieldRule, FieldWord, Seen, SourceRecord, Stated, StatedDispute, StatedRefund, TieOutRun

__all__ = [
    "Allocation", "Contact", "Correction", "Customer", "Deal", "Document", "DocumentLine", "DocumentVersion", "DueDate", "FieldRule",
    "FieldWord", "KeyRule", "LinkProposal", "Moved", "Payment", "PaymentVersion", "Payout", "PayoutItem", "Refund", "Seen", "SourceRecord",
    "Stated", "StatedDispute", "StatedRefund", "TieOutRun",
]  # fmt: skip

_BIG = models.BigIntegerField()
_NOTHING = Value(0, _BIG)
_SETTLED = ExpressionWrapper(F("allocated_minor") + F("written_off_minor"), _BIG)
_USED = ExpressionWrapper(F("allocated_minor") + F("refunded_minor"), _BIG)
_DERIVED = ExpressionWrapper(F("amount_minor") - _SETTLED, _BIG)
_LEAST = Least(_DERIVED, Coalesce(F("reported_open_minor"), _DERIVED, output_field=_BIG), output_field=_BIG)

#: What is open of a document: `core.position` states the same rule; `health.verify` compares the two.
OPEN = Case(
    When(Q(status__in=["open", "unknown"]), then=Greatest(_NOTHING, _LEAST, output_field=_BIG)),
    default=_NOTHING,
    output_field=_BIG,
)

#: What of a payment is not yet applied or given back; money that has not arrived, or came back, is none.
UNAPPLIED = Case(
    When(
        Q(status__in=["succeeded", "settled"]),
        then=ExpressionWrapper(F("amount_minor") - _USED, _BIG),
    ),
    default=_NOTHING,
    output_field=_BIG,
)


class Customer(OrganisationRow):
    """A debtor. `debtor_type` empty means unknown and counts as consumer wherever contact is decided."""

    name = models.CharField(max_length=300)
    folded_name = models.CharField(max_length=300)
    aliases = models.JSONField(default=list, blank=True)
    accounts = models.JSONField(default=list, blank=True)
    country = models.CharField(max_length=2, blank=True, default="")
    city = models.CharField(max_length=200, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")
    debtor_type = models.CharField(max_length=8, blank=True, default="")
    time_zone = models.CharField(max_length=64, blank=True, default="")
    language = models.CharField(max_length=8, blank=True, default="")
    tax_id = models.CharField(max_length=64, blank=True, default="")
    phone = models.CharField(max_length=64, blank=True, default="")
    parent = tie("ledger.Customer", null=True)
    lead = tie("ledger.Customer", null=True)  # by links in force this is one customer with that one, where everything of theirs stands
    compared_at = models.DateTimeField(null=True, blank=True)  # the `recorded_at` it was last compared with others at
    owner = models.BigIntegerField(null=True, blank=True)  # person who looks after the account
    created_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "folded_name"], name="ledger_customer_folded"),
            models.Index(fields=["organisation_id", "name"], name="ledger_customer_name"),
            models.Index(fields=["organisation_id", "lead"], condition=Q(lead__isnull=False), name="ledger_customer_lead"),
        ]


class Contact(OrganisationRow):
    """A person or mailbox of a customer, with the roles it plays: bill, chase, escalate, legal."""

    customer = tie("ledger.Customer")
    name = models.CharField(max_length=300, blank=True, default="")
    email = models.CharField(max_length=320, blank=True, default="")
    phone = models.CharField(max_length=64, blank=True, default="")
    roles = models.JSONField(default=list)
    rank = models.SmallIntegerField(default=2)  # of the actor who set it (evidence.RANK)
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "customer"], name="ledger_contact_customer")]


class Document(OrganisationRow):
    """An invoice or a credit note as it stands now. `amount_minor` is positive; the kind carries the sign.

    `allocated_minor` and `written_off_minor` are kept by the database from live allocations (guards.sql), which also
    refuses to go past the amount. `open_minor` follows from them and from what the source reports:
    void and deleted are 0; else amount - allocated - written off, and never more than the source says is open.
    `taken_back_minor` is what lost disputes have taken of money on it: a source that goes on calling it paid is not believed for that
    much, which is in `reported_open_minor` already.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", "Invoice"
        CREDIT_NOTE = "credit_note", "Credit note"

    checks_organisation = False

    kind = models.CharField(max_length=12, choices=Kind.choices)
    number = models.CharField(max_length=200)
    customer = tie("ledger.Customer")
    connection = tie("intake.Connection")
    external_id = models.CharField(max_length=300)
    customer_external_id = models.CharField(max_length=300)
    issue_date = models.DateField(null=True, blank=True)
    due_date = models.DateField(null=True, blank=True)
    due_date_source = models.CharField(max_length=12, default="stated")
    currency = currency()
    amount_minor = models.BigIntegerField()
    reported_open_minor = models.BigIntegerField(null=True, blank=True)
    taken_back_minor = models.BigIntegerField(default=0, db_default=0)
    allocated_minor = models.BigIntegerField(default=0)
    written_off_minor = models.BigIntegerField(default=0)
    status = models.CharField(max_length=16, default="open")
    open_minor = models.GeneratedField(expression=OPEN, output_field=models.BigIntegerField(), db_persist=True)
    source_status = models.CharField(max_length=64, blank=True, default="")
    po_number = models.CharField(max_length=200, blank=True, default="")
    discount_pct = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)
    discount_until = models.DateField(null=True, blank=True)
    related_number = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="ledger_document_positive"),
            models.CheckConstraint(
                condition=Q(allocated_minor__gte=0, written_off_minor__gte=0, amount_minor__gte=_SETTLED),
                name="ledger_document_not_over_allocated",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "customer", "due_date"], name="ledger_document_customer"),
            models.Index(fields=["organisation_id", "number"], name="ledger_document_number"),
            models.Index(
                fields=["organisation_id", "due_date", "id"],
                include=["customer", "currency", "open_minor", "kind"],
                condition=models.Q(open_minor__gt=0),
                name="ledger_document_open",
            ),
        ]


class DocumentVersion(OrganisationRow):
    """A document as it was known from `recorded_at` until `superseded_at` (null: still)."""

    checks_organisation = False
    guarded_ties = ("customer",)

    document = tie("ledger.Document")
    customer = tie("ledger.Customer")
    number = models.CharField(max_length=200)
    issue_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    currency = currency()
    amount_minor = models.BigIntegerField()
    reported_open_minor = models.BigIntegerField(null=True)
    status = models.CharField(max_length=16)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=64, default="import")

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "document", "recorded_at"], name="ledger_version_document")]


class DocumentLine(OrganisationRow):
    """A line of a document as the source gave it; `item` and `tax_code` are its source's own names for what was sold and its tax."""

    checks_organisation = False

    document = tie("ledger.Document")
    ordinal = models.IntegerField()
    description = words()
    quantity = models.CharField(max_length=40, blank=True, default="")
    amount_minor = models.BigIntegerField()
    item = models.CharField(max_length=200, blank=True, default="", db_default="")
    tax_code = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "document", "ordinal"], name="ledger_line_order")]


class DueDate(OrganisationRow):
    """An instalment of a document that is due in more than one part; a single due date stands on the document."""

    checks_organisation = False

    document = tie("ledger.Document")
    ordinal = models.IntegerField()
    due_date = models.DateField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "document", "ordinal"], name="ledger_duedate_order")]


class Payment(OrganisationRow):
    """Money received. `customer` is who it counts for, null while nobody knows; `allocated_minor` and
    `refunded_minor` are kept by the database; the rest of a live payment is unapplied cash (`unapplied_minor`)."""

    checks_organisation = False

    customer = tie("ledger.Customer", null=True)
    connection = tie("intake.Connection")
    external_id = models.CharField(max_length=300)
    customer_external_id = models.CharField(max_length=300, blank=True, default="")
    date = models.DateField(null=True, blank=True)
    currency = currency()
    amount_minor = models.BigIntegerField()
    allocated_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    unapplied_minor = models.GeneratedField(expression=UNAPPLIED, output_field=models.BigIntegerField(), db_persist=True)
    payer_name = models.CharField(max_length=300, blank=True, default="")
    payer_account = models.CharField(max_length=64, blank=True, default="")
    reference = models.CharField(max_length=300, blank=True, default="")
    remittance = words()
    bank_ref = models.CharField(max_length=200, blank=True, default="")
    stated_document = models.CharField(max_length=300, blank=True, default="")
    status = models.CharField(max_length=12, default="succeeded")
    source_status = models.CharField(max_length=64, blank=True, default="")
    method = models.CharField(max_length=32, blank=True, default="")
    created_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    customer_rank = models.SmallIntegerField(default=1)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="ledger_payment_positive"),
            models.CheckConstraint(
                condition=Q(allocated_minor__gte=0, refunded_minor__gte=0, amount_minor__gte=_USED),
                name="ledger_payment_not_over_allocated",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "customer", "date"], name="ledger_payment_customer"),
            models.Index(fields=["organisation_id", "date", "id"], condition=models.Q(unapplied_minor__gt=0), name="ledger_payment_unapplied"),
            models.Index(
                fields=["organisation_id", "customer"], condition=models.Q(status__in=["pending", "processing"]), name="ledger_payment_under_way"
            ),
        ]


class PaymentVersion(OrganisationRow):
    """A payment as it was known from `recorded_at` until `superseded_at` (null: still)."""

    checks_organisation = False

    payment = tie("ledger.Payment")
    customer_id = models.BigIntegerField(null=True)
    date = models.DateField(null=True)
    currency = currency()
    amount_minor = models.BigIntegerField()
    status = models.CharField(max_length=12)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=64, default="import")

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "payment", "recorded_at"], name="ledger_pversion_payment")]


class Allocation(OrganisationRow):
    """Part of a payment or of a credit note applied to an invoice, or a write-off of it. Undone by `retracted_at`.

    The database keeps the sums and refuses to allocate past the payment, the credit or the invoice, whoever asks
    and however many at once (guards.sql).
    """

    Kind = AllocationKind

    kind = models.CharField(max_length=9, choices=Kind.choices)
    payment = tie("ledger.Payment", null=True)
    credit_note = tie("ledger.Document", null=True)
    document = tie("ledger.Document")
    currency = currency()
    amount_minor = models.BigIntegerField()
    date = models.DateField()
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True, blank=True)
    retracted_reason = words()
    rank = models.SmallIntegerField()
    actor_kind = models.CharField(max_length=8)
    actor_name = models.CharField(max_length=300)
    actor_id = models.BigIntegerField(null=True)
    rule = models.CharField(max_length=64)
    reason = words()
    evidence = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="ledger_allocation_positive"),
            models.CheckConstraint(
                condition=models.Q(kind="cash", payment__isnull=False, credit_note__isnull=True)
                | models.Q(kind="credit", payment__isnull=True, credit_note__isnull=False)
                | models.Q(kind="write_off", payment__isnull=True, credit_note__isnull=True),
                name="ledger_allocation_one_source",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "document"], name="ledger_allocation_document"),
            models.Index(fields=["organisation_id", "payment"], name="ledger_allocation_payment"),
            models.Index(fields=["organisation_id", "credit_note"], name="ledger_allocation_credit"),
        ]


class Refund(OrganisationRow):
    """Money given back for a payment, or taken back by the payer's bank (`disputed`)."""

    payment = tie("ledger.Payment")
    currency = currency()
    amount_minor = models.BigIntegerField()
    date = models.DateField()
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True, blank=True)
    reason = words()
    stated = tie("ledger.StatedRefund", null=True)
    disputed = tie("ledger.StatedDispute", null=True)

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "payment"], name="ledger_refund_payment")]


class Correction(OrganisationRow):
    """A person's word on one field: it outranks every source until it is retracted, and the sources' words stay."""

    kind = models.CharField(max_length=12)  # customer, invoice, credit_note, payment
    target_id = models.BigIntegerField()
    field = models.CharField(max_length=32)
    value = models.JSONField(null=True)
    before = models.JSONField(null=True)
    reason = words()
    by = models.CharField(max_length=300)
    by_id = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "kind", "target_id"], name="ledger_correction_target")]
