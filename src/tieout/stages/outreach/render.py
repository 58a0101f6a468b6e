"""Words into a letter: subject, text, and the same text as simple HTML in which nothing a customer is called can act."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

import msgspec
import nh3
from liquid import BoundTemplate

from tieout.core.party import tidy
from tieout.stages.outreach import liquid

_URL = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)]")
_CONTROL, _TRAILING, _MANY_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]"), re.compile(r"[^\S\n]+\n"), re.compile(r"\n{3,}")
_TAGS = {"p", "ul", "li", "br", "a"}
LONGEST_SUBJECT = 200


class Text(msgspec.Struct, frozen=True):
    """A finished letter."""

    subject: str
    body: str
    html: str


@lru_cache(maxsize=256)
def parsed(source: str) -> BoundTemplate:
    """A template, parsed once."""
    return liquid.template(source)


def letter(*, subject: str, body: str, words: dict[str, Any]) -> Text:
    """Render a wording. Raises LiquidError where a fact is missing or a limit is passed."""
    text = tidied(parsed(body).render(**words))
    html = as_html(text, inert=(words["customer_name"], words["recipient_name"]))
    return Text(one_line(parsed(subject).render(**words)), text, html)


def one_line(subject: str) -> str:
    """A subject: one line of bearable length."""
    return tidy(subject)[:LONGEST_SUBJECT]


def tidied(text: str) -> str:
    """Line ends of one kind, no trailing spaces, no more than one empty line, no control characters."""
    kept = _CONTROL.sub("", text.replace("\r\n", "\n"))
    return _MANY_LINES.sub("\n\n", _TRAILING.sub("\n", kept)).strip() + "\n"


def as_html(text: str, *, inert: Iterable[str] = ()) -> str:
    """The text as HTML: paragraphs, lists where lines begin with a dash, links for web addresses; all else is escaped.

    An address that stands in one of the `inert` values (names that came from outside) stays plain words.
    """
    foreign = [hit.group() for name in inert for hit in _URL.finditer(name)]
    blocks = [_block(part, foreign) for part in re.split(r"\n{2,}", text.strip()) if part.strip()]
    # Everything is escaped already; the cleaner is the second lock on the same door.
    return nh3.clean("\n".join(blocks), tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https"}, link_rel="noopener")


def _block(part: str, foreign: list[str]) -> str:
    lines = part.split("\n")
    if all(line.startswith("- ") for line in lines):
        return f"<ul>{''.join(f'<li>{_line(line[2:], foreign)}</li>' for line in lines)}</ul>"
    return f"<p>{'<br>'.join(_line(line, foreign) for line in lines)}</p>"


def _line(line: str, foreign: list[str]) -> str:
    if "http" not in line:
        return escape(line)
    parts, at = [], 0
    for hit in _URL.finditer(line):
        shown = escape(hit.group())
        linked = shown if any(url in hit.group() or hit.group() in url for url in foreign) else f'<a href="{shown}">{shown}</a>'
        parts += [escape(line[at : hit.start()]), linked]
        at = hit.end()
    return "".join([*parts, escape(line[at:])])
