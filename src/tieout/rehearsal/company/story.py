"""The parts of the story that are not left to chance: bills, receipts and replies on days counted from the first day.

The sample begins on `first`; its people worked with the product for the three weeks before it. So `day(first, -30)` is a
business day about a month before a visitor first sees it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tieout.rehearsal.company.people import Client

#: Days before the first one on which the company began to use the product.
BEGAN = -21

#: (part, days to the first day on which the bill was issued, amount in minor units)
_BILLS = {
    "kept": ((-72, 318_000),),
    "broken": ((-80, 264_500), (-58, 187_200)),
    "dispute": ((-66, 648_000),),
    "lets it lie": ((-172, 412_000), (-131, 96_400), (-88, 275_900)),
    "says paid": ((-58, 142_800),),
    "dead mailbox": ((-64, 58_900),),
    "consumer": ((-52, 23_800),),
    "opts out": ((-61, 167_000),),
    "no mail": ((-63, 88_400),),
    "double": ((-54, 231_000),),
    "child": ((-44, 376_000),),
    "short": ((-55, 204_300),),
    "lookalike": ((-50, 132_500),),
    "credited": ((-58, 174_000),),
    "drags on": ((-66, 289_000), (-47, 73_500)),
    "refuses": ((-57, 126_500),),
}
#: (part, place of the bill, days to the first day on which it is paid); a bill not named here is not paid yet.
_PAID = {
    ("kept", 0): -9, ("broken", 0): 16, ("says paid", 0): 3, ("double", 0): -12, ("child", 0): -6, ("short", 0): -8, ("lookalike", 0): -5,
    ("consumer", 0): 9, ("no mail", 0): 6, ("opts out", 0): 21, ("drags on", 0): 8,
}


def day(first: dt.date, days: int) -> dt.date:
    """The business day so many days from the first one, a weekend moved to Monday."""
    found = first + dt.timedelta(days=days)
    return found + dt.timedelta(days=7 - found.weekday()) if found.weekday() >= 5 else found


def bills(client: Client, first: dt.date) -> list[tuple[dt.date, int]]:
    """Bills this customer gets because the story wants it."""
    return [(day(first, days), minor) for days, minor in _BILLS.get(client.part, ())]


#: A bill of the story is counted from here on; those before it are left to chance.
TOLD = 9000


def pays_on(client: Client, place: int, first: dt.date) -> dt.date | None:
    """When the story lets such a bill be paid; None: not in sight."""
    days = _PAID.get((client.part, place))
    return None if days is None else day(first, days)


def credited(client: Client, first: dt.date) -> tuple[dt.date, int] | None:
    """The day and amount of the credit note the story gives to such a bill; it waits to be set against it."""
    return (day(first, -9), 34_800) if client.part == "credited" else None


def pays_twice(first: dt.date, paid: dt.date) -> bool:
    """Whether a bill paid on this day was paid a second time by mistake."""
    return paid == day(first, -12)


def strangers(first: dt.date) -> list[dict[str, Any]]:
    """Money of people nobody has heard of; two equal lines of one day are two tickets sold, not one told twice."""
    fair = {"date": day(first, -11), "currency": "EUR", "minor": 8_900, "payer": "Kartenzahlung", "account": "", "text": "Messe Terminal 4 Katalog"}
    return [
        {
            "date": day(first, -7), "currency": "EUR", "minor": 41_250, "payer": "Studio Nordlicht", "account": "DE44700100009988776655",
            "text": "Auftrag Plakate Filmwoche",
        },
        {"date": day(first, -13), "currency": "GBP", "minor": 118_000, "payer": "J TREMAYNE", "account": "", "text": "REF 77120"},
        fair,
        dict(fair),
    ]
