"""Found the sample company and let it live the three weeks before its first day, so that a visitor finds it at work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import msgspec

from tieout.core.evidence import Actor
from tieout.flow import clock
from tieout.rehearsal import catcher
from tieout.rehearsal.company import story, trade
from tieout.rehearsal.demo import calendar, connected, desk, files, forget, living, place, selling
from tieout.rehearsal.free_port import free_port
from tieout.stages.base import found, queries, switch, walls
from tieout.stages.base.models import Organisation
from tieout.stages.outreach import mailbox, sending

NAME, SENDER = "Aldermere Print & Design", "receivables@aldermere.example"
#: Who signs in to look around. The password is no secret: it opens a sample on the visitor's own machine.
LOGIN, PASSWORD = "demo@aldermere.example", "aldermere-demo"
COLLEAGUE = "nora.feld@aldermere.example"
SEED = 7


def known() -> UUID | None:
    """The sample company of this database, if there is one that was opened whole."""
    return next((organisation for organisation, opened in _samples() if opened), None)


def there() -> UUID | None:
    """The same, under `place.alone()`; one that was not opened whole, because somebody stopped it half-way, is cleared away."""
    for organisation, opened in _samples():
        if not opened:
            forget.clear(organisation)
    return known()


def _samples() -> list[tuple[UUID, bool]]:
    found = []
    for organisation in Organisation.objects.filter(is_demo=True).order_by("created_at").values_list("id", flat=True):
        with walls.inside(organisation):
            kept = place.kept()
        found.append((organisation, kept is not None and kept.opened))
    return found


def company(*, now: dt.datetime, seed: int = SEED, say: Callable[[str], None] = lambda _: None) -> UUID:
    """Found it, bring its history in and live up to `now`, under `place.alone()`. `say` is told what is being done."""
    first = now.astimezone(calendar.ZONE).date()
    began = calendar.at(story.day(first, story.BEGAN), 12)
    say("two years of history")
    with clock.standing_at(began):
        organisation_id = _found(began)
        with walls.inside(organisation_id):
            owner = _people(began)
            files.connections(actor=owner, now=began)
            place.keep(place.Kept(seed=seed, first=first, until=began))
            switch.go_live(actor=owner, now=began)
        post(organisation_id, now=began)
        files.history(organisation_id, trade.world(seed=seed, first=first, until=began.astimezone(calendar.ZONE).date()))
    with connected.running(organisation_id) as twins:
        say("its Stripe, QuickBooks and HubSpot")
        with clock.standing_at(began):
            selling.history(twins, seed=seed, first=first, until=began)
            connected.connect(organisation_id, twins, actor=owner)
        with walls.inside(organisation_id):
            kept = place.kept()
            assert kept is not None
            place.keep(msgspec.structs.replace(kept, shopped=began))
        say("the last three weeks, day by day")
        living.live(organisation_id, until=now)
    with walls.inside(organisation_id):
        kept = place.kept()
        assert kept is not None
        place.keep(msgspec.structs.replace(kept, opened=True))
    return organisation_id


def post(organisation_id: UUID, *, now: dt.datetime, port: int = 0) -> int:
    """Letters go to the catcher on `port` (0: where they went before, else a free one), answers come from the company's own mailbox."""
    actor = Actor("machine", "tieout demo")
    with walls.inside(organisation_id):
        stored = sending.stored() or {}
        chosen = port or int(stored.get("port", 0)) or free_port()
        wanted = catcher.settings(place.letters(), chosen)
        if any(stored.get(name) != value for name, value in wanted.items()):
            sending.configure(settings=wanted, actor=actor, now=now)
        box = catcher.mailbox(place.mailbox(organisation_id))
        if (mailbox.shown() or {}).get("path") != box["path"]:
            mailbox.configure(settings=box, actor=actor, now=now)
    return chosen


def _found(now: dt.datetime) -> UUID:
    return found.organisation(
        name=NAME, country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name=NAME, sender_address=SENDER, now=now,
        is_demo=True,
    )  # fmt: skip


def _people(now: dt.datetime) -> Actor:
    machine = Actor("machine", "tieout demo")
    owner = found.person(email=LOGIN, name=desk.OWNER, password=PASSWORD)
    found.member(person=owner, role="owner", actor=machine, now=now)
    found.member(person=found.person(email=COLLEAGUE, name=desk.COLLECTOR, password=None), role="collector", actor=machine, now=now)
    return Actor("person", desk.OWNER, owner.pk)


def is_sample(organisation_id: UUID) -> bool:
    """Whether this organisation is a sample company."""
    with walls.inside(organisation_id):
        return queries.is_demo()
