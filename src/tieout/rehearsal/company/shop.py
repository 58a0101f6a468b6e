"""What the company sells on its web shop, which bills through Stripe: orders and their fates, from a seed.

As in `trade`, an order and its fate depend on the seed, the customer and its place among theirs, on nothing that comes after.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from tieout.rehearsal.company.story import day as business_day

ZONE = ZoneInfo("Europe/Berlin")
#: So many days before the first one the shop opened.
OPENED = 75
#: When the late ones ordered what they do not pay, counted from the first day: overdue by it, and known to all systems.
FORGOTTEN = -19
#: Days in which a shop's bill is to be paid.
TERMS = 14


class Buyer(msgspec.Struct, frozen=True):
    """A customer of the shop. One who is `late` owes for an order of the weeks before the visitor came, and does not stir."""

    name: str
    email: str
    city: str
    late: bool = False


BUYERS: tuple[Buyer, ...] = (
    Buyer("Atelier Sommerwind", "rechnung@atelier-sommerwind.example", "Dresden"),
    Buyer("Hofgut Klarbach GmbH", "buchhaltung@hofgut-klarbach.example", "Fulda"),
    Buyer("Studio Rotfuchs", "hallo@studio-rotfuchs.example", "Berlin", late=True),
    Buyer("Café Lindenblatt", "post@cafe-lindenblatt.example", "Weimar"),
    Buyer("Töpferei Blaugrund", "kontor@toepferei-blaugrund.example", "Meißen"),
    Buyer("Kanuverleih Spreebogen", "rechnung@kanu-spreebogen.example", "Lübben"),
    Buyer("Brettspielverlag Zwölfeck", "buchhaltung@zwoelfeck.example", "Nürnberg", late=True),
    Buyer("Imkerei Goldregen", "imkerei@goldregen.example", "Soltau"),
    Buyer("Yogahaus Morgenlicht", "kontakt@yogahaus-morgenlicht.example", "Freiburg"),
    Buyer("Tonstudio Hallraum", "rechnung@tonstudio-hallraum.example", "Halle"),
)
WARES: tuple[tuple[str, int], ...] = (
    ("Poster, A1, 50 pieces", 14_900), ("Flyers, A6, 2,500 pieces", 8_900), ("Stickers, die cut, 500 pieces", 11_900),
    ("Menu cards, laminated, 40 pieces", 19_600), ("Roll-up display", 12_900), ("Letterheads, 1,000 sheets", 9_400), ("Banner, 3 m", 17_500),
)  # fmt: skip


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happens to an order in Stripe. `minor` of a `raise` is the sum of its lines."""

    at: dt.datetime
    what: Literal["raise", "pay", "credit", "void", "refund"]
    number: str
    buyer: Buyer
    minor: int
    lines: tuple[tuple[str, int], ...] = ()


def acts(*, seed: int, first: dt.date, after: dt.datetime, until: dt.datetime) -> list[Act]:
    """What happens after a moment, up to and with another, in order. `first` is the day a visitor first saw the company."""
    found = [act for place, buyer in enumerate(BUYERS) for act in _of(seed, place, buyer, first, until.astimezone(ZONE).date())]
    return sorted((act for act in found if after < act.at <= until), key=lambda act: (act.at, act.number, act.what))


def order(chance: random.Random) -> tuple[tuple[str, int], ...]:
    """One or two wares."""
    return tuple(chance.sample(WARES, chance.choice((1, 1, 2))))


def _of(seed: int, place: int, buyer: Buyer, first: dt.date, until: dt.date) -> Iterator[Act]:
    rng = random.Random(f"{seed}:shop:{place}")
    day, nth = first - dt.timedelta(days=OPENED - rng.randrange(12)), 0
    while day <= until:
        nth += 1
        fate = random.Random(f"{seed}:shop:{place}:{nth}")
        yield from _order(fate, f"WEB-{place + 1:02d}{nth:03d}", buyer, business_day(day, 0))
        day += dt.timedelta(days=round(rng.uniform(9, 21)))
    owed = business_day(first, FORGOTTEN)
    if buyer.late and owed <= until:
        lines = (WARES[place % len(WARES)],)
        minor = sum(amount for _, amount in lines)
        moment = _at(random.Random(f"{seed}:shop:{place}:owed"), owed)
        yield Act(at=moment, what="raise", number=f"WEB-{place + 1:02d}900", buyer=buyer, minor=minor, lines=lines)


def _order(chance: random.Random, number: str, buyer: Buyer, day: dt.date) -> Iterator[Act]:
    lines = order(chance)
    minor = sum(amount for _, amount in lines)
    yield Act(at=_at(chance, day), what="raise", number=number, buyer=buyer, minor=minor, lines=lines)
    told = chance.random()
    if told < 0.04:
        yield Act(at=_at(chance, business_day(day, 1)), what="void", number=number, buyer=buyer, minor=minor)
        return
    if told < 0.12:
        credited = minor // 10 // 100 * 100
        yield Act(at=_at(chance, business_day(day, 2)), what="credit", number=number, buyer=buyer, minor=credited)
    paid = business_day(day, round(chance.triangular(3, 24, 12)))
    yield Act(at=_at(chance, paid), what="pay", number=number, buyer=buyer, minor=0)
    if told > 0.96:
        yield Act(at=_at(chance, business_day(paid, 3)), what="refund", number=number, buyer=buyer, minor=minor // 5 // 100 * 100)


def _at(chance: random.Random, day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(8 + chance.randrange(9), chance.randrange(60)), ZONE).astimezone(dt.UTC)
