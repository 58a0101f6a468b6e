"""The walls between organisations, on the live catalogue and with rows."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("database")


def tables_of_organisations() -> list[str]:
    from django.apps import apps

    from tieout.stages.base.raise_walls import organisation_models

    return sorted(m._meta.db_table for config in apps.get_app_configs() for m in organisation_models(config))


def rows(query: str, *params: object) -> list[tuple[object, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def test_the_suite_runs_as_a_role_that_cannot_bypass_the_walls() -> None:
    role = rows("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")[0]
    assert role == ("tieout_app", False, False)
    owned = rows("SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = current_user AND c.relkind = 'r'")
    assert owned[0][0] == 0


@pytest.mark.parametrize("what", ["relrowsecurity", "relforcerowsecurity"])
def test_every_organisation_table_has_forced_row_security(what: str) -> None:
    lacking = rows(
        f"SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organisation_id'"
        f" WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT c.{what} AND c.relname NOT LIKE 'ledger_staged_%%'"
    )
    assert lacking == []
    assert len(tables_of_organisations()) > 30


def test_every_organisation_table_leads_its_key_with_the_organisation() -> None:
    for table in tables_of_organisations():
        columns = rows(
            "SELECT a.attname FROM pg_index i JOIN unnest(i.indkey) WITH ORDINALITY k(n, o) ON true"
            " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n"
            " WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY k.o",
            table,
        )
        assert [c[0] for c in columns] == ["organisation_id", "id"], table


def test_every_reference_between_organisation_tables_is_composite() -> None:
    single = rows(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid"
        " WHERE contype = 'f' AND t.relname = ANY(%s) AND array_length(conkey, 1) < 2",
        tables_of_organisations(),
    )
    assert single == []
    tied = rows("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conname LIKE '%%_tie'")
    assert tied[0][0] > 40


def test_no_rows_without_an_organisation(organisation: uuid.UUID) -> None:
    assert rows("SELECT count(*) FROM base_profile")[0][0] == 0


def test_asking_for_rows_outside_the_walls_is_an_error(organisation: uuid.UUID) -> None:
    from tieout.stages.base import walls
    from tieout.stages.base.models import Profile

    with pytest.raises(walls.NoOrganisation):
        Profile.objects.count()


def test_another_organisations_rows_are_neither_seen_nor_written(organisation: uuid.UUID) -> None:
    from django.db import ProgrammingError

    from tieout.stages.base import found, walls
    from tieout.stages.base.models import Profile

    other = found.organisation(
        name="Other", country="GB", time_zone="Europe/London", base_currency="GBP", language="en", sender_name="", sender_address="", now=NOW
    )
    with walls.inside(organisation):
        assert rows("SELECT count(*) FROM base_profile")[0][0] == 1
        with pytest.raises(ProgrammingError, match="row-level security"), walls.inside(organisation):
            Profile.objects.create(organisation_id=other, name="planted", country="GB")


def test_the_setting_is_gone_after_the_transaction(organisation: uuid.UUID) -> None:
    from tieout.stages.base import walls

    with walls.inside(organisation):
        assert rows("SELECT current_setting('app.org', true)")[0][0] == str(organisation)
    assert rows("SELECT current_setting('app.org', true)")[0][0] in ("", None)


def test_a_statement_in_one_journey_is_inside_the_walls_and_committed_before_the_next_is_asked(organisation: uuid.UUID) -> None:
    from tieout.stages.base import walls

    rename = "UPDATE base_profile SET sender_name = %s"
    asked = "SELECT current_setting('app.org', true), %s::int"
    written, found = walls.at_once(organisation, rename, ["Ada"], after=asked, asked=[7])
    assert (written, found[0] or "", found[1]) == (1, "", 7)
    with walls.inside(organisation):
        assert rows("SELECT sender_name FROM base_profile") == [("Ada",)]
        with pytest.raises(walls.OtherOrganisation):
            walls.at_once(organisation, rename, ["Bob"], after="SELECT 1")


def test_a_journey_that_fails_leaves_nothing_and_the_next_one_goes(organisation: uuid.UUID) -> None:
    from django.db import DatabaseError, connection

    from tieout.stages.base import walls

    with pytest.raises(DatabaseError):
        walls.at_once(organisation, "UPDATE base_profile SET sender_name = %s, country = NULL", ["Eve"], after="SELECT 1")
    with walls.inside(organisation):
        assert rows("SELECT sender_name FROM base_profile") == [("Marrow Lane Studio",)]
    assert walls.at_once(organisation, "UPDATE base_profile SET sender_name = %s", ["Ada"], after="SELECT 2") == (1, (2,))
    # A line that has died meanwhile is noticed by the statement itself, which goes once more over a new one.
    ended = connection.connection
    ended.close()
    assert walls.at_once(organisation, "UPDATE base_profile SET sender_name = %s", ["Ben"], after="SELECT 3") == (1, (3,))
    assert connection.connection is not ended


def test_the_application_cannot_reach_staging_or_change_the_audit_trail(inside: uuid.UUID) -> None:
    from django.db import DatabaseError, transaction

    for statement in ("SELECT * FROM ledger_staged_document", "UPDATE base_auditentry SET reason = 'x'", "DELETE FROM base_auditentry"):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows(statement)


def test_the_owner_too_sees_nothing_without_an_organisation(organisation: uuid.UUID) -> None:
    import os

    with psycopg.connect(os.environ["TIEOUT_OWNER_DSN"]) as owner:
        assert owner.execute("SELECT count(*) FROM base_profile").fetchone() == (0,)
