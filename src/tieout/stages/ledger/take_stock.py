"""Let the planner know the sizes after a bulk change; in a transaction of its own, since its locks last to the end."""

from __future__ import annotations

from django.db import connection


def run() -> None:
    """Refresh the statistics of the ledger's tables."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_take_stock()")
