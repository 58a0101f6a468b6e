"""The account lock: first in the order account, contact point, message, audit trail.

Everything that changes what a customer owes, or whether they may be asked, takes it; so does the claim of a message. What
commits before a claim is therefore seen by it, and what comes after it waits.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from tieout.stages.base import walls


def lock(customer_ids: Iterable[int | None]) -> None:
    """Lock these customers until the transaction ends, in the order of their ids; None (nobody knows whose) is passed over."""
    ids = sorted({i for i in customer_ids if i is not None})
    if ids:
        with connection.cursor() as cursor:
            # NO KEY UPDATE waits for every other holder of the account and lets rows that merely refer to it come in.
            cursor.execute(
                "SELECT 1 FROM ledger_customer WHERE organisation_id = %s AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                [walls.current(), ids],
            )
