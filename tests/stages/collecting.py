"""What the tests of planning share: a released customer, a day planned, and the acting people."""

from __future__ import annotations

import datetime as dt

from tests.conftest import NOW
from tests.stages import builders
from tieout.core.evidence import Actor
from tieout.stages.behaviour.models import Profile
from tieout.stages.collect import plan, release
from tieout.stages.collect.models import Decision, Wave
from tieout.stages.ledger.models import Customer

ADA = Actor("person", "Ada", 1)
MACHINE = Actor("machine", "tieout")
TODAY = dt.date(2026, 6, 10)


def due(days_late: int, today: dt.date = TODAY) -> str:
    """The due date of something so many days late on `today`."""
    return (today - dt.timedelta(days=days_late)).isoformat()


def known_before(days_late: int) -> dt.datetime:
    """A moment at which an invoice that late was still news: it is no history of a source connected later."""
    return NOW - dt.timedelta(days=days_late + 30)


def late(owner: Customer, days_late: int, amount: str = "100.00", **fields: object):  # type: ignore[no-untyped-def]
    """An invoice of the owner, so many days late, that we knew of before it was due."""
    return builders.invoice(owner, amount, due(days_late), **{"created_at": known_before(days_late), **fields})


def graded(owner: Customer, tier: str) -> Customer:
    Profile.objects.create(customer=owner, tier=tier, as_of=TODAY, computed_at=NOW)
    return owner


def released(*owners: Customer, soft: bool = False, at: dt.datetime = NOW - dt.timedelta(days=365)) -> Wave:
    """Release the owners; unless `soft`, their first message is behind them."""
    wave = release.wave(customer_ids=[o.pk for o in owners], name="First wave", actor=ADA, now=at)
    assert isinstance(wave, Wave), wave
    if not soft:
        release.harden(customer_ids=[o.pk for o in owners], now=NOW)
    return wave


def planned(today: dt.date = TODAY, **scope: object) -> plan.PlanResult:
    return plan.day(today=today, now=NOW + (today - TODAY), **scope)  # type: ignore[arg-type]


def decision_of(owner: Customer, day: dt.date = TODAY) -> Decision | None:
    return Decision.objects.filter(customer=owner, day=day).first()
