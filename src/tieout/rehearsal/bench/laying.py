"""Lay a book straight into the tables, for benchmarks that begin where the import has ended.

As the application and inside the walls, in a handful of statements; everything follows from the row's number. Every customer
is a business in Berlin with a mailbox of its own, released and past its first message.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from tieout.core.evidence import Actor
from tieout.rehearsal.bench import books, place
from tieout.stages.base import found, walls
from tieout.stages.base.models import Profile
from tieout.stages.intake import connect
from tieout.stages.intake.models import Connection

ACTOR = Actor("person", "bench")

_CUSTOMERS = (
    """INSERT INTO ledger_customer (organisation_id, name, folded_name, aliases, accounts, country, city, currency, debtor_type, time_zone, language,
              tax_id, phone, created_at, recorded_at)
       SELECT %(org)s, 'Customer ' || i || ' Ltd', 'customer ' || i, '[]', '[]', 'DE', 'Berlin', 'EUR', 'business', 'Europe/Berlin', 'en', '', '',
              %(long_ago)s, %(long_ago)s FROM generate_series(1, %(customers)s) i""",
    """INSERT INTO ledger_contact (organisation_id, customer_id, name, email, phone, roles, rank, recorded_at)
       SELECT organisation_id, id, '', 'ap@c' || id || '.example', '', '["bill", "chase"]', 2, %(long_ago)s
         FROM ledger_customer WHERE organisation_id = %(org)s""",
    """INSERT INTO dialogue_contactpoint (organisation_id, channel, address, first_seen_at, opted_out_how, bounced_how, soft_bounces)
       SELECT organisation_id, 'email', 'ap@c' || id || '.example', %(long_ago)s, '', '', 0 FROM ledger_customer WHERE organisation_id = %(org)s""",
    """INSERT INTO collect_release (organisation_id, customer_id, released_at, soft)
       SELECT organisation_id, id, %(long_ago)s, false FROM ledger_customer WHERE organisation_id = %(org)s""",
    """INSERT INTO behaviour_profile (organisation_id, customer_id, tier, median_days_late, share_late, paid_invoices, broken_promises, reasons,
              as_of, computed_at)
       SELECT organisation_id, id, (ARRAY['low', 'medium', 'high', 'unknown'])[1 + id %% 4], id %% 20, 0.3, 10, 0, '[]', %(today)s, %(now)s
         FROM ledger_customer WHERE organisation_id = %(org)s""",
)  # fmt: skip

#: `i` numbers the document. A closed one is reported as settled by its source, as an export of old invoices brings it.
_DOCUMENTS = """
INSERT INTO ledger_document (organisation_id, kind, number, customer_id, connection_id, external_id, customer_external_id, issue_date, due_date,
       due_date_source, currency, amount_minor, reported_open_minor, allocated_minor, written_off_minor, status, source_status, po_number,
       related_number, created_at, recorded_at)
SELECT %(org)s, 'invoice', 'INV-' || i, %(first)s + i %% %(customers)s, %(conn)s, 'i' || i, 'c' || i %% %(customers)s, due - 30, due, 'stated',
       (ARRAY['EUR', 'EUR', 'EUR', 'USD', 'GBP'])[1 + i %% 5], amount::bigint, CASE WHEN %(open)s THEN amount ELSE 0 END, 0, 0, 'open', '', '', '',
       (due - 30)::timestamp AT TIME ZONE 'UTC', %(now)s
  FROM (SELECT i, %(today)s - (%(youngest)s + (i::bigint * 7919) %% %(spread)s)::int AS due, 1000 + (i::bigint * 104729) %% 500000 AS amount
          FROM generate_series(%(from)s, %(to)s) i) rows"""


def organisation() -> UUID:
    """An organisation that may send, and its one connection, fresh."""
    org = found.organisation(
        name="Bench", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="Bench",
        sender_address="ar@bench.example", now=books.NOW,
    )  # fmt: skip
    with walls.inside(org):
        Profile.objects.update(mode="live")
        connect.file(name="Billing export", profile={}, cadence_hours=24, actor=ACTOR, now=books.NOW)
        Connection.objects.update(last_success_at=books.NOW)
    return org


def customers(org: UUID, count: int) -> None:
    """So many customers, each with contact, contact point, release and tier."""
    with walls.inside(org):
        _execute(_CUSTOMERS, org, customers=count)


def documents(org: UUID, first: int, last: int, *, open_: bool, days_late: tuple[int, int]) -> None:
    """Invoices number `first` to `last`, open or closed, due between so many days ago (negative: in the future)."""
    youngest, oldest = days_late
    with walls.inside(org):
        with connection.cursor() as cursor:
            cursor.execute("SELECT min(c.id), count(*), (SELECT min(id) FROM intake_connection) FROM ledger_customer c")
            lowest, count, conn = cursor.fetchone()
        _execute(
            (_DOCUMENTS,), org, **{"from": first, "to": last}, first=lowest, customers=count, conn=conn, open=open_, youngest=youngest,
            spread=max(1, oldest - youngest),
        )  # fmt: skip


def settle_down() -> None:
    """Count the tables and write everything out, as the database does by itself within minutes of a large import."""
    with place.owner() as owner:
        owner.autocommit = True
        owner.execute("VACUUM (ANALYZE)")
    place.checkpoint()


def server() -> int:
    """The database's process that serves this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _execute(statements: tuple[str, ...], org: UUID, **given: int | bool) -> None:
    values: dict[str, Any] = {"org": org, "now": books.NOW, "today": books.TODAY, "long_ago": books.NOW.replace(year=books.NOW.year - 3), **given}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)
