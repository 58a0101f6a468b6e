"""One click deletes it: every row of the sample company, its people, its letters. A real organisation is refused by the database."""

from __future__ import annotations

import shutil
from uuid import UUID

from django.db import connection, transaction

from tieout.flow import clock
from tieout.rehearsal import catcher
from tieout.rehearsal.demo import place
from tieout.stages.base import queries, walls
from tieout.stages.base.models import Membership, Person


def delete(organisation_id: UUID) -> None:
    """Remove the sample company whole, after any day that is being lived. Raises `django.db.Error` for an organisation that is
    none, and then nothing is gone."""
    with place.alone():
        clear(organisation_id)


def clear(organisation_id: UUID) -> None:
    """The same, for a caller that is alone already."""
    with clock.moving(organisation_id), walls.inside(organisation_id):
        people = sorted(set(Membership.objects.values_list("person_id", flat=True)))
        with connection.cursor() as sql:
            sql.execute("SELECT base_forget_demo(%s)", [organisation_id])
    for person_id in people:
        if not queries.memberships_of(person_id=person_id):
            with transaction.atomic():
                Person.objects.filter(pk=person_id).delete()
    with connection.cursor() as sql:
        # Jobs that were waiting for it; one that runs just now ends by finding nothing.
        sql.execute("DELETE FROM procrastinate_jobs WHERE args ->> 'organisation' = %s AND status = 'todo'", [str(organisation_id)])
    for letter in catcher.listed(place.letters(), organisation_id=organisation_id, limit=1_000_000):
        (place.letters() / letter.file).unlink(missing_ok=True)
    shutil.rmtree(place.mailbox(organisation_id), ignore_errors=True)
    shutil.rmtree(place.twins(organisation_id), ignore_errors=True)
