"""How each customer pays."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from tieout.stages.base.rows import OrganisationRow, tie


class BookShares(OrganisationRow):
    """How the whole book pays: the shares of its invoices paid late, and more than 30 days late. A customer with few invoices
    leans on them; kept, so that judging one customer does not read the history of all."""

    late = models.FloatField()
    over_30 = models.FloatField()
    invoices = models.IntegerField()
    as_of = models.DateField()
    computed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id"], name="behaviour_shares_one")]


class Profile(OrganisationRow):
    """A customer's tier with the figures and sentences it rests on, as of the day they were last found different."""

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
