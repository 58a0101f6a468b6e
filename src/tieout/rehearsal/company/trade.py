"""What the company bills and what it is paid, day by day, from a seed.

A bill and its fate depend on the seed, the customer and the bill's place among theirs, on nothing that comes after: the world up
to a day is the beginning of the world up to a later one.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import defaultdict
from collections.abc import Iterator

import msgspec

from tieout.rehearsal.company import story
from tieout.rehearsal.company.people import Client, clients
from tieout.rehearsal.company.words import WORK, remittance

#: Days of history before the first day, and the days of it whose money is seen as bank lines rather than as paid dates.
HISTORY, BANKED = 730, 90


class Credit(msgspec.Struct, frozen=True):
    """A credit note to a bill."""

    number: str
    issued: dt.date
    minor: int


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice. `due` None where no terms are agreed."""

    number: str
    client: Client
    issued: dt.date
    due: dt.date | None
    minor: int
    order: str
    what: str
    cancelled: bool = False
    credit: Credit | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Money on one of the accounts. `pays` are the numbers it is for, whatever its text says."""

    date: dt.date
    currency: str
    minor: int
    payer: str
    account: str
    text: str
    pays: tuple[str, ...] = ()


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Everything up to a day. `noted` are receipts the billing tools know of (the older ones), `banked` those on the accounts."""

    first: dt.date
    until: dt.date
    clients: tuple[Client, ...]
    bills: tuple[Bill, ...]
    noted: tuple[Receipt, ...]
    banked: tuple[Receipt, ...]


class _Draft(msgspec.Struct):
    client: Client
    place: int
    issued: dt.date
    due: dt.date | None
    minor: int
    number: str = ""


def world(*, seed: int, first: dt.date, until: dt.date) -> World:
    """The company up to `until`, whose sample began on `first` with its history behind it."""
    people = clients(seed)
    begins = first - dt.timedelta(days=HISTORY)
    drafts = [d for client in people for d in _drafts(seed, client, begins, first, until)]
    drafts.sort(key=lambda d: (d.issued, d.client.key, d.place))
    _number(drafts, begins)
    bills = [_bill(seed, d, first) for d in drafts]
    receipts = _receipts(seed, drafts, bills, first)
    receipts += [Receipt(**given) for given in story.strangers(first)]
    receipts.sort(key=lambda r: (r.date, r.payer, r.minor, r.text))
    since = first - dt.timedelta(days=BANKED)
    whole = World(
        first=first, until=until, clients=people, bills=tuple(bills), noted=tuple(r for r in receipts if r.date < since),
        banked=tuple(r for r in receipts if r.date >= since),
    )
    return upto(whole, until)


def upto(found: World, day: dt.date) -> World:
    """The same world as it was on an earlier day."""
    bills = tuple(
        msgspec.structs.replace(b, credit=None) if b.credit and b.credit.issued > day else b for b in found.bills if b.issued <= day
    )
    return msgspec.structs.replace(
        found, until=day, bills=bills, noted=tuple(r for r in found.noted if r.date <= day), banked=tuple(r for r in found.banked if r.date <= day)
    )


def _drafts(seed: int, client: Client, begins: dt.date, first: dt.date, until: dt.date) -> Iterator[_Draft]:
    rng = random.Random(f"{seed}:{client.key}:bills")
    day = begins + dt.timedelta(days=rng.randrange(round(client.every) + 1))
    for place in itertools.count():
        day = _business(day)
        # A year's rhythm: more before the trade fairs of autumn.
        minor = max(4_900, _tens(rng.lognormvariate(0, 0.6) * client.median_minor * (1.2 if day.month in (9, 10, 11) else 1)))
        gap = max(4.0, rng.gammavariate(4, client.every / 4))
        if day > until:
            break
        due = None if client.terms is None else day + dt.timedelta(days=client.terms)
        yield _Draft(client, place, day, due, minor)
        day += dt.timedelta(days=round(gap))
    for place, (issued, minor) in enumerate(story.bills(client, first), story.TOLD):
        if issued <= until:
            yield _Draft(client, place, issued, issued + dt.timedelta(days=client.terms or 30), minor)


def _number(drafts: list[_Draft], begins: dt.date) -> None:
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for d in drafts:
        key = (d.client.office, d.issued.year)
        if key not in counts and d.issued.year == begins.year:
            counts[key] = begins.timetuple().tm_yday * 3  # the year had begun before our history does
        counts[key] += 1
        d.number = f"{'US' if key[0] == 'us' else 'AP'}-{d.issued:%y}-{counts[key]:04d}"


def _bill(seed: int, d: _Draft, first: dt.date) -> Bill:
    rng = random.Random(f"{seed}:{d.client.key}:{d.place}:bill")
    order = f"PO {rng.randrange(10_000, 99_999)}" if rng.random() < 0.3 else ""
    what = rng.choice(WORK[d.client.language])
    told = d.place >= story.TOLD
    cancelled = rng.random() < 0.006 and not told
    credit = None
    if rng.random() < 0.016 and not cancelled and not told:
        issued = _business(d.issued + dt.timedelta(days=rng.randrange(6, 16)))
        credit = Credit(f"CN{d.number[2:]}", issued, _tens(d.minor * rng.choice((0.1, 0.15, 0.2, 0.25))))
    if told and (given := story.credited(d.client, first)):
        credit = Credit(f"CN{d.number[2:]}", *given)
    return Bill(
        number=d.number, client=d.client, issued=d.issued, due=d.due, minor=d.minor, order=order, what=what, cancelled=cancelled, credit=credit
    )


def _receipts(seed: int, drafts: list[_Draft], bills: list[Bill], first: dt.date) -> list[Receipt]:
    """What they pay: each bill by itself, or all that fall into one payment run together."""
    runs: dict[tuple[str, dt.date], list[tuple[Bill, int]]] = defaultdict(list)
    found: list[Receipt] = []
    by_key = {bill.client.key: bill.client for bill in bills}
    for d, bill in zip(drafts, bills, strict=True):
        if bill.cancelled:
            continue
        rng = random.Random(f"{seed}:{d.client.key}:{d.place}:fate")
        owed = bill.minor - (bill.credit.minor if bill.credit else 0)
        pays_on = _pays_on(rng, bill, d.place, first)
        if pays_on is None:
            continue
        if d.client.style == "runs" and d.place < story.TOLD:
            runs[d.client.key, _run_day(pays_on)].append((bill, owed))
            continue
        found += _single(rng, bill, owed, pays_on, by_key, first, told=d.place >= story.TOLD)
    for (key, day), group in runs.items():
        client = by_key[key]
        numbers = tuple(bill.number for bill, _ in group)
        found.append(_receipt(client, day, sum(owed for _, owed in group), remittance(client, numbers, group[0][0].issued, seed), numbers, by_key))
    return found


def _pays_on(rng: random.Random, bill: Bill, place: int, first: dt.date) -> dt.date | None:
    if place >= story.TOLD:
        return story.pays_on(bill.client, place - story.TOLD, first)
    habit = bill.client.habit
    late = rng.gauss(habit.late, habit.spread)
    if rng.random() * 100 < habit.forgets:
        late += rng.uniform(35, 110)
    due = bill.due or bill.issued + dt.timedelta(days=30)
    return _business(max(bill.issued + dt.timedelta(days=2), due + dt.timedelta(days=round(late))))


def _single(
    rng: random.Random, bill: Bill, owed: int, day: dt.date, by_key: dict[str, Client], first: dt.date, *, told: bool
) -> list[Receipt]:
    client, numbers = bill.client, (bill.number,)
    text = remittance(client, numbers, bill.issued, rng.randrange(10**6))
    chance, fee = rng.random(), rng.choice((1_500, 2_500))
    banked = day >= first - dt.timedelta(days=BANKED)
    if chance < 0.02 and not told:
        half = _tens(owed * rng.choice((0.4, 0.5, 0.6)))
        later = _business(day + dt.timedelta(days=rng.randrange(14, 32)))
        return [
            _receipt(client, day, half, f"{text} {'Teilzahlung' if client.language == 'de' else 'part payment'}", numbers, by_key),
            _receipt(client, later, owed - half, text, numbers, by_key),
        ]
    if chance > 0.86 and client.country == "US" and banked and not told:
        owed -= fee  # a bank on the way keeps its charge
    made = [_receipt(client, day, owed, text, numbers, by_key)]
    if client.part == "double" and story.pays_twice(first, day):
        made.append(_receipt(client, _business(day + dt.timedelta(days=3)), owed, text, numbers, by_key))
    return made


def _receipt(client: Client, day: dt.date, minor: int, text: str, numbers: tuple[str, ...], by_key: dict[str, Client]) -> Receipt:
    payer = by_key.get(client.parent, client) if client.parent else client
    name = {"lookalike": "BRIGHTWELL INTERIOR"}.get(client.part, payer.name)
    return Receipt(date=day, currency=client.currency, minor=minor, payer=name, account=payer.account, text=text, pays=numbers)


def _run_day(day: dt.date) -> dt.date:
    """The next payment run: the 10th and the 25th of each month."""
    if day.day <= 10:
        return _business(day.replace(day=10))
    if day.day <= 25:
        return _business(day.replace(day=25))
    return _business((day.replace(day=1) + dt.timedelta(days=32)).replace(day=10))


def _business(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


def _tens(minor: float) -> int:
    return round(minor / 10) * 10
