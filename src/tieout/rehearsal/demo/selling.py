"""What happens in the web shop's Stripe, told to its twin as its dashboard and its payers would, and then read like any other."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx2
import msgspec
import structlog

from tieout.flow import clock, sync, write
from tieout.rehearsal.company import shop
from tieout.rehearsal.demo import connected, place
from tieout.rehearsal.twins.server import Serving
from tieout.rehearsal.twins.stripe import doors
from tieout.stages.base import walls
from tieout.stages.ledger.models import Document, SourceRecord

log = structlog.get_logger()
#: An act of so short a time ago happens now: whoever watches sees it travel.
_NOW = dt.timedelta(minutes=3)


class Unreachable(Exception):
    """The shop's Stripe does not answer; start the demo again, or its twin."""


def history(served: Mapping[str, Serving], *, seed: int, first: dt.date, until: dt.datetime) -> None:
    """What the shop saw before anybody connected it: in Stripe, and nowhere else."""
    twin: Any = served[connected.STRIPE].twin
    numbers: dict[str, str] = {}
    for act in shop.acts(seed=seed, first=first, after=dt.datetime.min.replace(tzinfo=dt.UTC), until=until):
        asked: dict[str, Any] = {"at": act.at.isoformat()}
        if act.what == "raise":
            made = doors.raised(twin, {**asked, **_invoice(act.buyer, act.lines), "number": act.number})
            numbers[act.number] = made.id
            continue
        asked |= {"invoice": numbers[act.number], **_amount(act)}
        doors.DOORS[act.what](twin, asked)


def lived(organisation_id: UUID, *, seed: int, first: dt.date, after: dt.datetime, until: dt.datetime) -> int:
    """Everything the shop saw after a moment, up to and with another; returns how much that was. Told again it changes nothing."""
    done = 0
    with walls.inside(organisation_id):
        ours = clock.real_now() + connected.ahead(organisation_id)
    for act in shop.acts(seed=seed, first=first, after=after, until=until):
        quietly = {"at": act.at.isoformat()} if act.at < ours - _NOW else {}
        done += _do(organisation_id, act, quietly)
    return done


def just_now(organisation_id: UUID, *, kept: place.Kept, now: dt.datetime) -> place.Kept:
    """What happens in the shop while somebody watches: it travels by webhook, and nobody here reads it."""
    if kept.shopped is None:
        return kept
    after, kept = kept.shopped, msgspec.structs.replace(kept, shopped=now)
    if shop.acts(seed=kept.seed, first=kept.first, after=after, until=now):
        lived(organisation_id, seed=kept.seed, first=kept.first, after=after, until=now)
        with walls.inside(organisation_id):
            place.keep(kept)
    return kept


def follow(organisation_id: UUID, *, whole: bool = True) -> None:
    """Read the shop's Stripe (and the others, if `whole`), and tell each what it has yet to hear."""
    with walls.inside(organisation_id):
        rows = {vendor: row.pk for vendor, row in connected.connections().items()}
    for vendor in connected.NAMES if whole else (connected.STRIPE,):
        if vendor in rows:
            sync.once(organisation_id, rows[vendor])
    if rows:
        write.follow(organisation_id)


def stand_ahead(organisation_id: UUID) -> None:
    """The company's days were moved: its Stripe stands as far ahead of the calendar as they do."""
    ahead = connected.ahead(organisation_id)
    with walls.inside(organisation_id):
        url = connected.url(connected.STRIPE)
    if not url:
        return
    try:
        _ask(url, "ahead", {"seconds": ahead.total_seconds()})
    except httpx2.HTTPError as error:
        log.warning("the shop's Stripe does not answer", act="ahead", because=str(error))


def raise_one(organisation_id: UUID) -> str:
    """Somebody orders something just now; returns the invoice's number. Raises Unreachable."""
    with walls.inside(organisation_id):
        url = connected.url(connected.STRIPE)
    chance = random.SystemRandom()
    buyer, lines = chance.choice(shop.BUYERS), shop.order(random.Random(chance.random()))
    try:
        made = _ask(url, "invoice", _invoice(buyer, lines))
    except httpx2.HTTPError as error:
        raise Unreachable(f"the web shop's Stripe does not answer at {url or 'any address'}") from error
    return str(made.get("number", ""))


def _do(organisation_id: UUID, act: shop.Act, quietly: dict[str, str]) -> int:
    with walls.inside(organisation_id):
        url = connected.url(connected.STRIPE)
        invoice = _known(act.number)
    if not url:
        return 0
    if act.what == "raise":
        asked = {**_invoice(act.buyer, act.lines), "number": act.number}
    else:
        # Where it was raised a moment ago it is not read yet.
        invoice = invoice or _read_first(organisation_id, act.number)
        if invoice is None:
            return 0
        asked = {"invoice": invoice}
    asked |= _amount(act)
    door = "invoice" if act.what == "raise" else act.what
    try:
        _ask(url, door, {**asked, **quietly})
    except httpx2.HTTPStatusError as refused:
        # Lived a second time, or a visitor was quicker: it is paid, credited or void already.
        log.info("the shop's act was refused", act=act.what, number=act.number, because=refused.response.text[:200])
        return 0
    except httpx2.HTTPError as error:
        log.warning("the shop's Stripe does not answer", act=act.what, number=act.number, because=str(error))
        return 0
    return 1


def _read_first(organisation_id: UUID, number: str) -> str | None:
    with walls.inside(organisation_id):
        row = connected.connections()[connected.STRIPE]
    sync.once(organisation_id, row.pk)
    with walls.inside(organisation_id):
        return _known(number)


def _known(number: str) -> str | None:
    """What Stripe calls the invoice of this number, by our ledger."""
    row = connected.connections().get(connected.STRIPE)
    if row is None:
        return None
    document = Document.objects.filter(connection_id=row.pk, kind="invoice", number=number).first()
    record = document and SourceRecord.objects.filter(connection_id=row.pk, kind="invoice", target_id=document.pk, retracted_at__isnull=True).first()
    return record.external_id if record else None


def _amount(act: shop.Act) -> dict[str, Any]:
    return {"amount": act.minor, "memo": f"{act.number}: one piece was damaged"} if act.what in ("credit", "refund") else {}


def _invoice(buyer: shop.Buyer, lines: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    return {"name": buyer.name, "email": buyer.email, "lines": lines, "days": shop.TERMS, "address": {"country": "DE", "city": buyer.city}}


def _ask(url: str, door: str, asked: dict[str, Any]) -> dict[str, Any]:
    answer = httpx2.post(f"{url}/_twin/{door}", json=asked, timeout=10, trust_env=False)
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told
