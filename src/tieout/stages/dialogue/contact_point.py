"""Contact points: one mailbox or number of the outside world, whoever uses it.

Opt-out, bounces and the contact budget hang here. A file imported again, a merged or corrected customer, a contact removed
and entered anew: none of them touches these rows, so what a person asked for stays asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import msgspec
import phonenumbers
from django.db import connection

from tieout.core import party
from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, feed, walls
from tieout.stages.dialogue.models import ContactPoint

#: Temporary failures after which a mailbox counts as dead: a full or absent one recovers between two reminders, rarely over three.
SOFT_BOUNCES = 3

_MAILBOX = Actor("machine", "mailbox")


class Synced(msgspec.Struct, frozen=True):
    """What `sync` found: points new to us, and contacts whose address cannot be used, with the reason."""

    new: int
    unusable: tuple[tuple[int, str], ...]


def normalise(*, channel: str, address: str, country: str = "") -> str | Refused:
    """The address as points are known by: a case-folded mail address, a number in E.164 (a national one needs its country)."""
    if channel == "email":
        found = party.mail_address(address)
        return Refused(found.reason) if isinstance(found, party.AddressRefused) else party.mailbox_key(found)
    if channel != "phone":
        return Refused(f"{channel!r} is no channel we know; it is email or phone")
    try:
        number = phonenumbers.parse(address, country or None)
    except phonenumbers.NumberParseException:
        return Refused(f"{address!r} is not a telephone number that can be dialled; give it with its country code, as in +49 30 1234567")
    if not phonenumbers.is_possible_number(number):
        return Refused(f"{address!r} has too few or too many digits for a telephone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def of(*, channel: str, address: str, now: dt.datetime, country: str = "") -> ContactPoint | Refused:
    """The point of this address, made where it is new. Refused: an address that cannot be one."""
    key = normalise(channel=channel, address=address, country=country)
    if isinstance(key, Refused):
        return key
    ContactPoint.objects.bulk_create(
        [ContactPoint(organisation_id=walls.current(), channel=channel, address=key, first_seen_at=now)], ignore_conflicts=True
    )
    row: ContactPoint = ContactPoint.objects.get(channel=channel, address=key)
    return row


def sync(*, customer_ids: Iterable[int] | None, now: dt.datetime) -> Synced:
    """Make the points that contacts of these customers (None: of all) use and that are not known yet. Changes no known point."""
    ids = None if customer_ids is None else sorted(set(customer_ids))
    unusable: list[tuple[int, str]] = []
    keys: set[tuple[str, str]] = set()
    for contact_id, channel, address, country in _unknown(ids):
        key = normalise(channel=channel, address=address, country=country)
        if isinstance(key, Refused):
            unusable.append((contact_id, key.reason))
        else:
            keys.add((channel, key))
    return Synced(_insert(sorted(keys), now), tuple(unusable))


def opt_out(*, point: ContactPoint, how: str, actor: Actor, now: dt.datetime) -> ContactPoint:
    """Nobody is to write to this point again. Twice changes nothing; the first time and way stand."""
    row: ContactPoint = point.lock()
    if row.opted_out_at is None:
        row.opted_out_at, row.opted_out_how = now, how
        row.save(update_fields=["opted_out_at", "opted_out_how"])
        _tell("contact_point.opt_out", row, actor=actor, now=now, reason=how)
    return row


def bounce(*, point: ContactPoint, how: str, hard: bool, now: dt.datetime, actor: Actor = _MAILBOX) -> ContactPoint:
    """A message came back. A hard bounce, or the third temporary one, marks the point as dead until somebody restores it."""
    row: ContactPoint = point.lock()
    if row.bounced_at is not None:
        return row
    if not hard:
        row.soft_bounces += 1
    if hard or row.soft_bounces >= SOFT_BOUNCES:
        row.bounced_at, row.bounced_how = now, how
    row.save(update_fields=["soft_bounces", "bounced_at", "bounced_how"])
    _tell("contact_point.bounce", row, actor=actor, now=now, reason=how)
    return row


def restore(
    *, point: ContactPoint, reason: str, actor: Actor, now: dt.datetime, what: Literal["bounce", "opt_out"] = "bounce"
) -> ContactPoint | Refused:
    """Write to this point again: after a repaired mailbox (`bounce`), or because its owner asked for it (`opt_out`).

    Only a person may, and says why; what it was before stays in the audit trail.
    """
    if actor.kind != "person":
        return Refused("only a person restores an address")
    if not reason.strip():
        return Refused("say why the address may be written to again")
    row: ContactPoint = point.lock()
    before = {"opted_out_at": row.opted_out_at, "opted_out_how": row.opted_out_how, "bounced_at": row.bounced_at, "bounced_how": row.bounced_how}
    if what == "opt_out":
        row.opted_out_at, row.opted_out_how = None, ""
    else:
        row.bounced_at, row.bounced_how, row.soft_bounces = None, "", 0
    row.save(update_fields=["opted_out_at", "opted_out_how", "bounced_at", "bounced_how", "soft_bounces"])
    _tell(f"contact_point.restore_{what}", row, actor=actor, now=now, reason=reason, detail=before)
    return row


def _unknown(ids: list[int] | None) -> list[tuple[int, str, str, str]]:
    """Contacts with an address no point is known by: (contact, channel, address, country).

    Telephone numbers come as people write them, so only those already in E.164 can be told apart here.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id, a.channel, a.address, u.country
              FROM ledger_contact c
              JOIN ledger_customer u ON (u.organisation_id, u.id) = (c.organisation_id, c.customer_id)
             CROSS JOIN LATERAL (VALUES ('email', btrim(c.email)), ('phone', btrim(c.phone))) a (channel, address)
              LEFT JOIN dialogue_contactpoint p ON p.organisation_id = c.organisation_id AND p.channel = a.channel AND p.address = lower(a.address)
             WHERE c.organisation_id = %s AND c.retracted_at IS NULL AND a.address <> '' AND p.id IS NULL
               AND (%s::bigint[] IS NULL OR c.customer_id = ANY(%s))
             ORDER BY c.id""",
            [walls.current(), ids, ids],
        )
        return cursor.fetchall()


def _insert(keys: list[tuple[str, str]], now: dt.datetime) -> int:
    if not keys:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO dialogue_contactpoint (organisation_id, channel, address, first_seen_at, opted_out_how, bounced_how, soft_bounces)
            SELECT %s, channel, address, %s, '', '', 0 FROM unnest(%s::text[], %s::text[]) new (channel, address)
            ON CONFLICT (organisation_id, channel, address) DO NOTHING""",
            [walls.current(), now, [channel for channel, _ in keys], [address for _, address in keys]],
        )
        return int(cursor.rowcount)


def users(points: Iterable[ContactPoint]) -> list[int]:
    """Customers with a contact at one of these points."""
    by_channel: dict[str, list[str]] = {}
    for point in points:
        by_channel.setdefault(point.channel, []).append(point.address)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT customer_id FROM ledger_contact
                WHERE organisation_id = %s AND retracted_at IS NULL
                  AND (lower(btrim(email)) = ANY(%s) OR regexp_replace(phone, '[^0-9+]', '', 'g') = ANY(%s)) ORDER BY 1""",
            [walls.current(), by_channel.get("email", []), by_channel.get("phone", [])],
        )
        return [row[0] for row in cursor.fetchall()]


def _tell(
    action: str, row: ContactPoint, *, actor: Actor, now: dt.datetime, reason: str, detail: dict[str, object] | None = None
) -> None:
    feed.publish(kind="contact_point", ids=[row.pk], customer_ids=users([row]), cause=action, now=now)
    told = {"channel": row.channel, "address": row.address, **({"before": detail} if detail else {})}
    audit.write(actor=actor, action=action, object_kind="contact_point", object_id=row.pk, now=now, reason=reason, detail=told)
