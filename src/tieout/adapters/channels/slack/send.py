"""A letter in Slack's words: a line for notifications, and blocks for the channel."""

from __future__ import annotations

from typing import Any

import msgspec

from tieout.adapters.ports.channel import Letter
from tieout.adapters.ports.errors import NeedsPerson
from tieout.adapters.ports.posting import Line

#: Slack cuts the text of a section at 3,000 characters and of a header at 150.
_SECTION, _HEADER = 2_900, 150


class Talk:
    """An open line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def send(self, letter: Letter) -> str:
        said = self._line.post(msgspec.json.encode(body(letter)), {"Content-Type": "application/json; charset=utf-8"})
        # An address of Slack answers "ok"; another page that answers 200 to anything would swallow every alert.
        if not said.endswith("ok"):
            raise NeedsPerson(f"the address does not answer as Slack does ({said}); look whether it is the incoming webhook's")
        return said


def body(letter: Letter) -> dict[str, Any]:
    """The message; `facts` bring what is to be done and where."""
    facts = letter.facts
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": letter.subject[:_HEADER]}}]
    words = [escaped(str(facts[name])) for name in ("says", "what_to_do") if facts.get(name)] or [escaped(letter.text)]
    if facts.get("what_to_do"):
        words[-1] = f"*What to do:* {words[-1]}"
    blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(words)[:_SECTION]}})
    if facts.get("link"):
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{facts['link']}|Open it in tieout>"}})
    return {"text": escaped(letter.subject), "blocks": blocks}


def escaped(text: str) -> str:
    """Slack reads three characters as its own (docs.slack.dev, formatting message text, 2025-11)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
