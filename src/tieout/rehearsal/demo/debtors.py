"""The other side: some recipients answer a letter, one mailbox is dead. The same letter gets the same answer, seed by seed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from uuid import UUID

from tieout.rehearsal import catcher
from tieout.rehearsal.company.people import Client
from tieout.rehearsal.demo import place

#: How many letters in a hundred are answered.
ANSWERED = 30
_WORDS = {
    "promise": {
        "de": "Danke für die Erinnerung. Wir überweisen den Betrag bis {day:%d.%m.%Y}.",
        "en": "Thanks for the reminder. We will transfer the amount by {day:%-d %B %Y}.",
    },
    "copy": {
        "de": "Uns liegt die Rechnung nicht vor. Können Sie sie bitte noch einmal schicken?",
        "en": "We cannot find this invoice. Could you send us a copy, please?",
    },
    "order number": {
        "de": "Auf der Rechnung fehlt unsere Bestellnummer, deshalb hängt sie in der Freigabe.",
        "en": "The invoice lacks our purchase order number, so it is stuck in approval.",
    },
    "paid": {
        "de": "Das haben wir vorgestern bezahlt. Bitte prüfen Sie Ihr Konto.",
        "en": "We paid this two days ago. Please check your account.",
    },
}
_OPTS_OUT = "Please remove us from your list."


def answer(organisation_id: UUID, people: Iterable[Client], *, seed: int, after: str, now: dt.datetime) -> tuple[int, str]:
    """Answer what was caught since `after`; returns how many mails that made, and where to go on next time."""
    by_address = {client.email: client for client in people if client.email}
    box = place.mailbox(organisation_id)
    made = 0
    for stamp, file in _caught(after):
        after = stamp
        letter = catcher.one(place.letters(), organisation_id=organisation_id, file=file)
        client = by_address.get(letter.to_address) if letter is not None else None
        if letter is None or client is None:
            continue
        if client.part == "dead mailbox":
            catcher.bounce(caught=letter, mailbox_place=box, now=now)
            made += 1
            continue
        text = _OPTS_OUT if client.part == "opts out" else _text(client, letter, seed)
        if text:
            catcher.answer(caught=letter, mailbox_place=box, text=text, now=now)
            made += 1
    return made, after


def _caught(after: str) -> list[tuple[str, str]]:
    """The letters caught since, oldest first, each with the moment it was caught, which stands in its file's name."""
    found = [(path.name.split(".")[1], path.name) for path in place.letters().glob("*.eml")]
    return sorted(pair for pair in found if pair[0] > after)


def _text(client: Client, letter: catcher.Caught, seed: int) -> str:
    if letter.sent_at is None:
        return ""
    rng = random.Random(f"{seed}:{client.key}:{letter.sent_at.date()}:answer")
    if rng.random() * 100 >= ANSWERED:
        return ""
    kind = rng.choices(tuple(_WORDS), (4, 2, 2, 2))[0]
    return _WORDS[kind][client.language].format(day=promised(letter.sent_at.date()))


def promised(written: dt.date) -> dt.date:
    """The day named by whoever promises: the Friday of the week after."""
    return written + dt.timedelta(days=11 - written.weekday())


def meant(text: str) -> str:
    """Which of these answers a text is; '' where it is another."""
    return next((kind for kind, words in _WORDS.items() for said in words.values() if text.strip().startswith(said.split("{")[0].strip())), "")
