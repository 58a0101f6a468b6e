"""What is held of pairs: which customers and documents of several sources are one, which are not, and which wait for a person; the rules
by which keys are translated; and what moved along with a link, so that it finds home.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from tieout.stages.base.rows import OrganisationRow, tie, words


class LinkProposal(OrganisationRow):
    """Two of our rows of one kind (customer, invoice, credit note), and what is held of them: a link in force, a proposal that waits, or a
    person's word that they are two.

    What one customer is, is worked out from the links in force and nothing else (`regroup`): taking one back is working it out again.
    `into` is the one a person meant the other to belong to. A person's word (rank 3) is never overruled by the machine.
    """

    class State(models.TextChoices):
        OPEN = "open", "Waiting for a person"
        LINKED = "linked", "Linked"
        REFUSED = "refused", "Not the same"
        LAPSED = "lapsed", "No longer likely"

    checks_organisation = False

    kind = models.CharField(max_length=12)
    first_id = models.BigIntegerField()
    second_id = models.BigIntegerField()
    into_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    related = models.BooleanField(default=False)  # much in common and yet two: companies of one house
    score = models.SmallIntegerField(default=0)
    reasons = models.JSONField(default=list)
    against = models.JSONField(default=list)
    rule = tie("ledger.KeyRule", null=True)
    rank = models.SmallIntegerField(default=1)
    decided_by = models.CharField(max_length=300, default="machine")
    found_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organisation_id", "kind", "first_id", "second_id"], name="ledger_proposal_one"),
            models.CheckConstraint(condition=Q(first_id__lt=F("second_id")), name="ledger_proposal_ordered"),
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["organisation_id", "kind", "related", "-score", "id"], condition=Q(state="open"), name="ledger_proposal_queue"),
            models.Index(fields=["organisation_id", "kind", "second_id"], name="ledger_proposal_second"),
        ]


class KeyRule(OrganisationRow):
    """A translation of keys that people read and edit: what one system keeps in a field is what another keeps in a field of its own."""

    class Field(models.TextChoices):
        KEY = "key", "its own key"
        EMAIL = "email", "e-mail address"
        NAME = "name", "name"
        ALIAS = "alias", "other name"
        TAX_ID = "tax_id", "tax number"
        PHONE = "phone", "telephone"
        ACCOUNT = "account", "account number"

    connection = tie("intake.Connection")
    field = models.CharField(max_length=8, choices=Field.choices)
    other_connection = tie("intake.Connection")
    other_field = models.CharField(max_length=8, choices=Field.choices)
    note = words()
    written_by = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()
    retracted_at = models.DateTimeField(null=True)
    retracted_by = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organisation_id", "connection", "field", "other_connection", "other_field"], condition=Q(retracted_at__isnull=True),
                name="ledger_keyrule_once",
            )
        ]  # fmt: skip


class Moved(OrganisationRow):
    """A row without a source's key that came along with a linked customer: whose it is when the link is taken back."""

    checks_organisation = False

    table_name = models.CharField(max_length=48)
    row_id = models.BigIntegerField()
    home_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["organisation_id", "table_name", "row_id"], name="ledger_moved_one")]
