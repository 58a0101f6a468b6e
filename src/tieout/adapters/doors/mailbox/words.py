"""The words of a mail: text out of HTML, the new part without what it quotes, and the plain wish to get no more."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import quotequail

_BREAKS = {"br", "p", "div", "tr", "li", "h1", "h2", "h3", "table", "blockquote"}
_HIDDEN = {"style", "script", "head", "title"}
_SIGNATURE = re.compile(r"\n-- ?\n.*\Z", re.DOTALL)
_ATTRIBUTION = re.compile(r"\n[^\n]{0,200}\b(wrote|schrieb|écrit|escribió|ha scritto)\b[^\n]{0,120}:\s*\Z", re.IGNORECASE)

#: A whole message that says no more than this is a wish to get no more mail, in the languages our letters go out in.
_STOP = re.compile(
    r"(please\s+)?(unsubscribe(\s+me)?|opt[\s-]?out|stop(\s+(e-?mail(ing|s)?|sending|writing)(\s+(me|us))?)?|remove\s+(me|us)(\s+from\s+(your|this|the)\s+list)?)(\s+please)?"
    r"|(bitte\s+)?(abmelden|abbestellen|austragen|keine\s+(weiteren\s+)?(e-?mails|mails|nachrichten)(\s+mehr)?(\s+senden)?)(\s+bitte)?",
    re.IGNORECASE,
)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's signature
        if tag in _HIDDEN:
            self.hidden += 1
        elif tag in _BREAKS:
            self.parts.append("\n")
        if tag == "blockquote":
            self.parts.append("> ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self.hidden = max(0, self.hidden - 1)
        elif tag in _BREAKS - {"br"}:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def of_html(html: str) -> str:
    """The readable text of an HTML mail; what it quotes is marked as in plain mail."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = [line.strip() for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def without_quote(text: str) -> str:
    """The part a person wrote now. Where everything looks quoted, everything counts: nothing said is lost."""
    try:
        kept = "\n".join(part for expanded, part in quotequail.quote(text, limit=4000) if expanded)
    except (ValueError, IndexError):
        kept = text
    kept = "\n".join(line for line in kept.split("\n") if not line.startswith(">"))
    kept = _SIGNATURE.sub("", _ATTRIBUTION.sub("", "\n" + kept.rstrip()))
    return kept.strip() or text.strip()


def asks_to_stop(subject: str, reply: str) -> bool:
    """Whether the whole new text, or the subject of an empty mail, is that wish and nothing else."""
    said = re.sub(r"[.!,\s]+", " ", reply).strip()
    if said:
        return len(said) < 80 and _STOP.fullmatch(said) is not None
    return _STOP.fullmatch(re.sub(r"[.!,\s]+", " ", subject).strip()) is not None
