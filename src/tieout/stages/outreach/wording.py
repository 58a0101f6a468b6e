"""Wordings: the texts of our letters by tone and language, as shipped or as the organisation has saved them.

A wording is a subject and a body in Liquid. Before one is saved it is rendered with the worst customers there are.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path

import msgspec
from django.db.models import Max

from tieout.core.evidence import Actor, Refused
from tieout.stages.base import audit
from tieout.stages.outreach import liquid, places, render, words
from tieout.stages.outreach.models import Wording
from tieout.stages.outreach.nasty import NASTY

TONES = ("friendly", "neutral", "firm", "formal")
_SHIPPED = Path(__file__).parent / "wordings"
_LONGEST = 20_000


class Words(msgspec.Struct, frozen=True):
    """The text in force for a tone and language. `version` 0 is the one we ship."""

    tone: str
    language: str
    version: int
    subject: str
    body: str


@lru_cache(maxsize=32)
def shipped(tone: str, language: str) -> Words:
    """The text we ship."""
    subject, _, body = (_SHIPPED / f"{tone}.{language}.txt").read_text(encoding="utf-8").partition("\n---\n")
    return Words(tone, language, 0, subject, body)


def in_force() -> dict[tuple[str, str], Words]:
    """Every wording of the organisation, by tone and language: its own newest active version, else the shipped one."""
    found = {(tone, language): shipped(tone, language) for tone in TONES for language in places.LANGUAGES}
    for row in Wording.objects.filter(active=True).order_by("version"):
        if (row.tone, row.language) in found:
            found[row.tone, row.language] = Words(row.tone, row.language, row.version, row.subject, row.body)
    return found


def check(*, subject: str, body: str) -> Refused | None:
    """Whether a wording may be saved, or why not, in words with the line."""
    if len(body) > _LONGEST or len(subject) > 500:
        return Refused(f"a body has at most {_LONGEST} characters and a subject 500")
    asked: set[str] = set()
    for place, source in (("subject", subject), ("body", body)):
        try:
            asked |= liquid.names(liquid.template(source))
        except liquid.LiquidError as error:
            return Refused(f"the {place} cannot be read: {_said(error)}")
    unknown = sorted(asked - set(words.FACTS))
    if unknown:
        return Refused(f"there is no fact called {', '.join(unknown)}; there are: {', '.join(words.FACTS)}")
    body_asks = liquid.names(liquid.template(body))
    missing = [name for name in words.REQUIRED if name not in body_asks]
    if missing:
        return Refused(f"the body lacks {', '.join(missing)}: {', '.join(words.FACTS[name] for name in missing)}")
    return _rendered(subject, body)


def _rendered(subject: str, body: str) -> Refused | None:
    for facts in NASTY:
        try:
            text = render.letter(subject=subject, body=body, words=facts)
        except liquid.LiquidError as error:
            return Refused(f"with {facts['customer_name'][:40]!r} as the customer it cannot be rendered: {_said(error)}")
        lost = [name for name in ("opt_out_url", "sender_name") if facts[name] not in text.body]
        if lost:
            return Refused(f"the rendered letter does not show {', '.join(lost)}; is it inside a condition?")
        if any(item["number"] not in text.body or item["demanded"] not in text.body for item in facts["items"]):
            return Refused("the rendered letter does not show every invoice with its number and the amount asked for (item.number, item.demanded)")
        if not text.subject:
            return Refused("the subject would be empty")
    return None


def save(*, tone: str, language: str, subject: str, body: str, actor: Actor, now: dt.datetime) -> Wording | Refused:
    """Save a new version and put it in force; earlier versions stay."""
    if tone not in TONES or language not in places.LANGUAGES:
        return Refused(f"tones are {', '.join(TONES)} and languages {', '.join(places.LANGUAGES)}")
    refused = check(subject=subject, body=body)
    if refused:
        return refused
    asked = liquid.names(liquid.template(subject)) | liquid.names(liquid.template(body))
    mine = Wording.objects.filter(tone=tone, language=language)
    version = (mine.aggregate(last=Max("version"))["last"] or 0) + 1
    row: Wording = Wording.objects.create(
        tone=tone, language=language, version=version, subject=subject, body=body, facts=sorted(asked), saved_at=now, saved_by=actor.name
    )
    audit.write(
        actor=actor,
        action="wording.save",
        object_kind="wording",
        object_id=row.pk,
        now=now,
        detail={"tone": tone, "language": language, "version": version},
    )
    return row


def withdraw(*, wording: Wording, actor: Actor, now: dt.datetime) -> Wording:
    """Take one version out of force: the one before it, or the shipped text, counts again."""
    row: Wording = wording.lock()
    if row.active:
        row.active = False
        row.save(update_fields=["active"])
        audit.write(actor=actor, action="wording.withdraw", object_kind="wording", object_id=row.pk, now=now)
    return row


def preview(*, subject: str, body: str, index: int = 0) -> render.Text | Refused:
    """The letter a wording makes for a sample customer, for the editor."""
    refused = check(subject=subject, body=body)
    return refused or render.letter(subject=subject, body=body, words=NASTY[index])


def _said(error: liquid.LiquidError) -> str:
    return " ".join(str(error).split())[:300]
