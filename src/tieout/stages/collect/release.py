"""Release customers for chasing: a person does, in waves; history starts softly; new business follows by itself.

Nothing is planned for a customer nobody has released. Where things stood at the first release is frozen (`baseline`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit, feed, walls
from tieout.stages.base import queries as base
from tieout.stages.cash import account
from tieout.stages.collect import baseline
from tieout.stages.collect.models import Baseline, Release, Wave
from tieout.stages.ledger.models import Document

_MACHINE = Actor("machine", "tieout")


def wave(*, customer_ids: Iterable[int], name: str, actor: Actor, now: dt.datetime) -> Wave | Refused:
    """Release these customers together. Those released already are left as they are.

    Refused: a machine asks; nobody is named; all of them are released already.
    """
    if actor.kind != "person":
        return Refused("only a person releases customers in waves")
    ids = sorted(set(customer_ids))
    account.lock(ids)
    fresh = _unreleased(ids)
    if not fresh:
        return Refused("all of these customers are released already" if ids else "choose at least one customer")
    baseline.freeze(today=base.today_of(base.profile(), now), now=now)
    items = Document.objects.filter(customer_id__in=fresh, kind="invoice", open_minor__gt=0).count()
    row: Wave = Wave.objects.create(
        name=name.strip()[:200] or f"Wave of {now:%Y-%m-%d}", released_at=now, released_by=actor.name[:300], customers=len(fresh), open_items=items
    )
    _put(fresh, now, wave_id=row.pk, soft=True)
    _tell("release.wave", row, fresh, actor=actor, now=now, reason=row.name)
    return row


def undo(*, wave: Wave, reason: str, actor: Actor, now: dt.datetime) -> Wave | Refused:
    """Withdraw a wave: its customers are no longer planned for until a person releases them again. What was sent stays sent."""
    if actor.kind != "person":
        return Refused("only a person withdraws a wave")
    row: Wave = wave.lock()
    if row.undone_at is not None:
        return Refused("this wave was withdrawn already")
    ids = sorted(Release.objects.filter(wave=row, withdrawn_at__isnull=True).values_list("customer_id", flat=True))
    account.lock(ids)
    Release.objects.filter(wave=row, withdrawn_at__isnull=True).update(withdrawn_at=now)
    row.undone_at = now
    row.save(update_fields=["undone_at"])
    _tell("release.undo", row, ids, actor=actor, now=now, reason=reason)
    return row


def harden(*, customer_ids: Iterable[int], now: dt.datetime) -> int:
    """A message has gone out to these customers: their first one is behind them. Returns for how many it was the first."""
    return int(Release.objects.filter(customer_id__in=set(customer_ids), soft=True, released_at__lte=now).update(soft=False))


def auto(*, now: dt.datetime) -> list[int]:
    """Release customers who are new business: every open invoice was issued after the baseline and after its source was
    connected, so that none is connected history.

    Before the first wave nobody is, and whom a person withdrew stays so. Returns their ids.
    """
    frozen: Baseline | None = Baseline.objects.first()
    if frozen is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_NEW_BUSINESS, {"org": walls.current(), "since": frozen.as_of})
        ids = [row[0] for row in cursor.fetchall()]
    if ids:
        _put(ids, now, wave_id=None, soft=False)
        feed.publish(kind="release", ids=ids, customer_ids=ids, cause="release.auto", now=now)
        detail = {"customers": len(ids), "customer_ids": ids[:1000]}
        why = f"every open invoice was issued after {frozen.as_of}, none came as history of a new source"
        audit.write(actor=_MACHINE, action="release.auto", object_kind="release", object_id=now.date(), now=now, reason=why, detail=detail)
    return ids


def _unreleased(ids: list[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.id FROM ledger_customer c
                WHERE c.organisation_id = %(org)s AND c.id = ANY(%(ids)s)
                  AND NOT EXISTS (SELECT 1 FROM collect_release r
                                   WHERE r.organisation_id = c.organisation_id AND r.customer_id = c.id AND r.withdrawn_at IS NULL)
                ORDER BY c.id""",
            {"org": walls.current(), "ids": ids},
        )
        return [row[0] for row in cursor.fetchall()]


def _put(ids: list[int], now: dt.datetime, *, wave_id: int | None, soft: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO collect_release AS kept (organisation_id, customer_id, wave_id, released_at, soft)
               SELECT %(org)s, unnest(%(ids)s::bigint[]), %(wave)s, %(now)s, %(soft)s
               ON CONFLICT (organisation_id, customer_id) DO UPDATE
                  SET wave_id = excluded.wave_id, released_at = excluded.released_at, soft = excluded.soft, withdrawn_at = NULL
                WHERE kept.withdrawn_at IS NOT NULL""",
            {"org": walls.current(), "ids": ids, "wave": wave_id, "now": now, "soft": soft},
        )


def _tell(action: str, row: Wave, ids: list[int], *, actor: Actor, now: dt.datetime, reason: str) -> None:
    feed.publish(kind="release", ids=ids, customer_ids=ids, cause=action, now=now)
    detail = {"name": row.name, "customers": len(ids), "open_items": row.open_items, "customer_ids": ids[:1000]}
    audit.write(actor=actor, action=action, object_kind="wave", object_id=row.pk, now=now, reason=reason, detail=detail)


_NEW_BUSINESS = """
SELECT d.customer_id FROM ledger_document d
  JOIN intake_connection c ON c.organisation_id = d.organisation_id AND c.id = d.connection_id
  LEFT JOIN collect_release r ON r.organisation_id = d.organisation_id AND r.customer_id = d.customer_id
 WHERE d.organisation_id = %(org)s AND d.kind = 'invoice' AND d.open_minor > 0 AND r.id IS NULL
 GROUP BY d.customer_id
HAVING bool_and(coalesce(d.issue_date > %(since)s AND d.issue_date >= (c.created_at AT TIME ZONE 'UTC')::date, false))
 ORDER BY d.customer_id"""
