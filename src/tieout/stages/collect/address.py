"""Which mailbox a customer is written to: the one rule that planning and drafting share.

Contacts for chasing come first, then for billing, then the others; among equals the one a person entered, then the oldest.
A mailbox that bounced is passed over. One that opted out is not: whoever asked us to stop is not gone round by writing to a
colleague, so the customer waits for a person.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.db import connection

from tieout.core.party import mailbox_key
from tieout.stages.base import walls
from tieout.stages.collect import fetch

_FIRST = ("chase", "bill")
_LAST = ("escalate", "legal")


class Reached(msgspec.Struct, frozen=True):
    """The chosen contact. `contact_point_id` is None while no point is known for the address yet."""

    contact_id: int
    name: str
    email: str
    opted_out: bool
    contact_point_id: int | None

    @property
    def usable(self) -> bool:
        return not self.opted_out


def of(*, customer_ids: Sequence[int]) -> dict[int, Reached]:
    """The mailbox of each of these customers; one with no valid address left is missing."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTACTS, [walls.current(), fetch.ids(customer_ids)])
        contacts = cursor.fetchall()
        cursor.execute(_POINTS, [walls.current(), sorted({mailbox_key(row[3]) for row in contacts})])
        points = {key: (point, opted_out, bounced) for point, key, opted_out, bounced in cursor.fetchall()}
    found: dict[int, tuple[tuple[int, int, int], Reached]] = {}
    for customer_id, contact_id, name, email, roles, rank in contacts:
        point, opted_out, bounced = points.get(mailbox_key(email), (None, False, False))
        weight = (_weight(roles), -rank, contact_id)
        if bounced or (customer_id in found and found[customer_id][0] <= weight) or (point is None and not _valid(email)):
            continue
        found[customer_id] = (weight, Reached(contact_id, name, email.strip(), opted_out, point))
    return {customer_id: reached for customer_id, (_, reached) in found.items()}


def _weight(roles: str) -> int:
    named = [i for i, role in enumerate(_FIRST) if f'"{role}"' in roles]
    if named:
        return named[0]
    return len(_FIRST) + any(f'"{role}"' in roles for role in _LAST)


def _valid(email: str) -> bool:
    """Good enough to plan with; making the contact point, and again the gate, look closer."""
    local, _, domain = email.strip().partition("@")
    return bool(local and domain) and not any(c in email.strip() for c in " ,;\t\n") and "@" not in domain


_CONTACTS = """
SELECT customer_id, id, name, email, roles::text, rank FROM ledger_contact
 WHERE organisation_id = %s AND customer_id = ANY(%s) AND retracted_at IS NULL AND btrim(email) <> ''"""

_POINTS = """
SELECT id, address, opted_out_at IS NOT NULL, bounced_at IS NOT NULL FROM dialogue_contactpoint
 WHERE organisation_id = %s AND channel = 'email' AND address = ANY(%s)"""
