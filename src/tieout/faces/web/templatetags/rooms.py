"""Figures that only some rooms write."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.filter
def tenths(value: int | None) -> str:
    """Tenths of a day as days: 423 → `42.3 d`; a figure that cannot be told is said to be missing."""
    return "–" if value is None else f"{value // 10}.{value % 10} d"


@register.filter
def pairs(mapping: dict[str, Any]) -> list[tuple[str, Any]]:
    """The entries of a mapping. Not `mapping.items`, which in a template means the entry called items where there is one."""
    return list(mapping.items())
