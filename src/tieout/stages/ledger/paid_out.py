"""What a gateway pays out to the bank: one row a payout, and the payments, refunds, disputes and fees that are in it.

`amount_minor` is what arrives. Gross less fee of the items is that amount, to the minor unit; where the source's own figures do not add
up, `problem` says by how much, and nothing of it is passed on.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, currency, tie, words


class Payout(OrganisationRow):
    """Money on its way from a gateway to the bank, or there, or come back. The sums are those of its items; a reversal names in
    `reverses` the payout it takes back."""

    class Status(models.TextChoices):
        PENDING = "pending", "On its way"
        PAID = "paid", "Paid out"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        REVERSED = "reversed", "Reversed"

    connection = tie("intake.Connection")
    external_id = models.CharField(max_length=300)
    status = models.CharField(max_length=12, choices=Status.choices)
    source_status = models.CharField(max_length=64, blank=True, default="")
    currency = currency()
    amount_minor = models.BigIntegerField()
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    items = models.IntegerField()
    date = models.DateField(null=True)
    reference = models.CharField(max_length=300, blank=True, default="")
    reverses = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    problem = words()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "connection", "external_id"], name="ledger_payout_once"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "-date", "-id"], name="ledger_payout_recent")]


class PayoutItem(OrganisationRow):
    """What one payment, refund, dispute or fee puts into a payout: gross with its sign, and the fee kept of it."""

    payout = tie("ledger.Payout")
    ordinal = models.IntegerField()
    what = models.CharField(max_length=8)  # payment, refund, dispute, fee, other
    external_id = models.CharField(max_length=300, blank=True, default="")
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "payout", "ordinal"], name="ledger_payoutitem_order")]
        indexes: ClassVar[list[Any]] = [models.Index(fields=["organisation_id", "what", "external_id"], name="ledger_payoutitem_of")]
