"""Write a letter's text from its facts, in the wording in force: used when drafting and again when figures have changed."""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.conf import settings

from tieout.stages.base import walls
from tieout.stages.outreach import render, statement, tokens, wording, words
from tieout.stages.outreach.said import Said


class Desk:
    """What is the same for every letter of a batch: the wordings and the sender, read once."""

    def __init__(self, *, sender: words.Sender) -> None:
        self.sender = sender
        self.wordings = wording.in_force()
        self.organisation_id = walls.current()

    def chosen(self, tone: str, language: str) -> wording.Words:
        """The wording in force; an unknown tone is written neutrally."""
        return self.wordings.get((tone, language)) or self.wordings["neutral", language]

    def signed(self, said: Said, *, tone: str) -> Said:
        """The facts with the wording and the sender they will be written in."""
        return msgspec.structs.replace(said, wording=self.chosen(tone, said.language).version, sender=f"{self.sender.name} <{self.sender.address}>")

    def write(self, said: Said, *, tone: str, token: str, attach: bool) -> render.Text:
        """The letter. Raises LiquidError where a saved wording cannot take these facts."""
        chosen = self.chosen(tone, said.language)
        facts = words.of(said, sender=self.sender, opt_out_url=self.opt_out_url(token), statement=statement.name(said) if attach else "")
        return render.letter(subject=chosen.subject, body=chosen.body, words=facts)

    def opt_out_url(self, token: str) -> str:
        return opt_out_url(self.organisation_id, token)


def opt_out_url(organisation_id: UUID, token: str) -> str:
    """The address of the page that ends these mails."""
    return f"{settings.TIEOUT_URL.rstrip('/')}/o/{tokens.for_link(organisation_id, token)}/"
