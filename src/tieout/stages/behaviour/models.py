"""How each customer pays."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie


class Profile(OrganisationRow):
    """A customer's tier with the figures and sentences it rests on, as of a day."""

    customer = tie("ledger.Customer")
    tier = models.CharField(max_length=8)
    median_days_late = models.FloatField(null=True)
    share_late = models.FloatField(null=True)
    paid_invoices = models.IntegerField(default=0)
    broken_promises = models.IntegerField(default=0)
    reasons = models.JSONField(default=list)
    as_of = models.DateField()
    computed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "customer"], name="behaviour_profile_one")]
