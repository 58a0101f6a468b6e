"""What every row of an organisation has in common.

In the database its key is (organisation_id, id) and every reference is the pair, so that no row can point into
another organisation (`raise_walls` builds that after each migration). Django sees `id` as the key: its joins and
lookups stay ordinary, and the wall's filter adds the organisation to each.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models

from tieout.stages.base import walls


class OrganisationRows(models.Manager[Any]):
    """Rows of the running transaction's organisation only. Raises `walls.NoOrganisation` outside one."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(organisation_id=walls.current())


class OrganisationRow(models.Model):
    """A row that belongs to one organisation. `append_only` rows cannot be changed or deleted in the database either."""

    append_only: ClassVar[bool] = False
    #: Bulk rows that reach the organisation through another reference spare the second look-up per row.
    checks_organisation: ClassVar[bool] = True
    #: References of bulk rows that the stage's guards.sql checks set-wise instead of by a foreign key, row by row.
    guarded_ties: ClassVar[tuple[str, ...]] = ()

    id = models.BigAutoField(primary_key=True)
    organisation_id = models.UUIDField(default=walls.current, editable=False)

    objects: ClassVar[OrganisationRows] = OrganisationRows()

    class Meta:
        abstract = True

    def lock(self) -> Self:
        """The same row, read again and locked until the transaction ends."""
        found: Self = type(self).objects.select_for_update().get(pk=self.pk)
        return found


def tie(to: str, *, null: bool = False, related_name: str = "+", **options: Any) -> Any:
    """A reference to another row of the same organisation; the composite foreign key is made by `raise_walls`."""
    return models.ForeignKey(
        to, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=null, blank=null, related_name=related_name, **options
    )


def currency(**options: Any) -> Any:
    """An ISO 4217 code beside its minor units."""
    return models.CharField(max_length=3, **options)


def words(**options: Any) -> Any:
    """Text of any length, empty rather than missing."""
    return models.TextField(default="", blank=True, **options)
