"""Figures that only some rooms write."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def tenths(value: int | None) -> str:
    """Tenths of a day as days: 423 → `42.3 d`; a figure that cannot be told is said to be missing."""
    return "–" if value is None else f"{value // 10}.{value % 10} d"


@register.filter
def pairs(mapping: dict[str, Any]) -> list[tuple[str, Any]]:
    """The entries of a mapping. Not `mapping.items`, which in a template means the entry called items where there is one."""
    return list(mapping.items())


@register.filter
def evidence(confidence: str) -> SafeString:
    """A class of evidence as dot, word and tint. A word and not a number, which would be taken for a probability."""
    word, tint = {"high": ("Strong", "good"), "medium": ("Fair", "calm")}.get(confidence, ("Weak", "mute"))
    return format_html('<span class="tag {}">{}</span>', tint, word)


@register.filter
def step(name: str) -> str:
    """A step as people say it: `by hand:2026-06-10` is done by hand."""
    return name.partition(":")[0] or "none"


@register.filter
def doors(sentence: str) -> SafeString:
    """A sentence of the gate in which each receipt it speaks of is a door to that payment."""
    def door(hit: re.Match[str]) -> str:
        return f'<a class="link" href="{reverse("cash_payment", args=[int(hit[2])])}">{hit[1]} {hit[2]}</a>'

    return mark_safe(re.sub(r"\b(receipt) (\d{1,18})\b", door, str(conditional_escape(sentence)), flags=re.I))  # noqa: S308 - escaped above
