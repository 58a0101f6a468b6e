"""The database as the product finds it: its version, its clock, and what the role that connects may do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import connection

from tieout.stages.health.finding import Finding, ok, wrong
from tieout.stages.health.promises.walls_stand import ROLE, STAGING

#: Oldest PostgreSQL that knows roles which are stepped into without being inherited.
OLDEST = 16
#: Two clocks further apart than this spoil what rests on seconds: a certificate lives for five.
APART = dt.timedelta(seconds=5)


def look(*, now: dt.datetime) -> Iterator[Finding]:
    """Look at the connected database; `now` is this machine's moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_version'), clock_timestamp(), current_user")
        number, version, its_now, role = cursor.fetchone()
        cursor.execute(ROLE, {"tables": [], "staging": list(STAGING)})
        rights = cursor.fetchall()
    if number // 10_000 < OLDEST:
        yield wrong("database", f"PostgreSQL {version}", f"use PostgreSQL {OLDEST} or later, or the embedded one (without DATABASE_URL)")
    else:
        yield ok("database", f"PostgreSQL {version} answers")
    mend = "connect as the role `tieout migrate` makes: DATABASE_URL is an administrator's address once, or that of tieout_app"
    for row, says in rights:
        yield wrong("role", f"{row} {says}", mend)
    if not rights:
        yield ok("role", f"{role} can bypass no wall")
    apart = abs(its_now - now)
    if apart > APART:
        seconds = f"{apart.total_seconds():.0f} seconds"
        yield wrong("clock", f"the database's clock and this machine's are {seconds} apart", "set both by the network (NTP)")
    else:
        yield ok("clock", "agrees with the database's")

