"""What a page says, read as a person would: the answer to the last act, and the text without its tags."""

from __future__ import annotations

import html
import re
from typing import Any


def words(page: Any) -> str:
    """The text of a page, its tags taken away and its spaces drawn together."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page.content.decode(), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def told(page: Any) -> str:
    """What the page answers to the last act; empty where it answers nothing."""
    found = re.search(r'<ul class="told".*?</ul>', page.content.decode(), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[0])).split()) if found else ""


def values(page: Any, name: str) -> list[str]:
    """The values of the fields called `name`, in order."""
    tags = re.findall(r"<(?:input|button)\b[^>]*>", page.content.decode())
    found = (re.search(r'\bvalue="([^"]*)"', tag) for tag in tags if f'name="{name}"' in tag)
    return [html.unescape(one[1]) for one in found if one]
