"""Stripe's form encoding with brackets, read into nested values and checked against what an operation takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from tieout.rehearsal.twins.stripe import money, refusals

Read = Callable[[Any, str], Any]
Given = dict[str, Any]
Takes = Mapping[str, Read]

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_DEEPEST = 8


def tree(encoded: str) -> dict[str, Any]:
    """`a[b][0]=x` as {"a": {"b": {"0": "x"}}}; lists stay maps by position until it is known that a list is meant. Raises Refused."""
    root: dict[str, Any] = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        found = _KEY.match(key)
        steps = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])] if found else []
        if not steps or len(steps) > _DEEPEST:
            raise refusals.unknown_parameters([key])
        node = root
        for here, following in zip(steps, [*steps[1:], None], strict=True):
            name = here or _position(node, following)
            if following is None:
                node[name] = value
                break
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise refusals.invalid(steps[0], f"{steps[0]} is sent both as a value and as a hash")
    return root


def _position(node: dict[str, Any], following: str | None) -> str:
    """Where `[]` stands for: a new element, or the last one while that lacks the field that follows."""
    last = node.get(str(len(node) - 1))
    return str(len(node) - 1) if following and isinstance(last, dict) and following not in last else str(len(node))


def read(takes: Takes, raw: Mapping[str, Any], *, required: Collection[str] = (), under: str = "") -> Given:
    """The values an operation takes, as their types. Raises Refused for what is unknown, missing or not of its type."""

    def full(name: str) -> str:
        return f"{under}[{name}]" if under else name

    unknown = [full(name) for name in raw if name not in takes]
    if unknown:
        raise refusals.unknown_parameters(unknown)
    for name in required:
        if raw.get(name, "") == "":
            raise refusals.missing_parameter(full(name))
    return {name: takes[name](value, full(name)) for name, value in raw.items()}


# What a parameter may be. An empty value unsets what can be unset, and comes as None.


def text(raw: Any, name: str) -> str | None:
    if not isinstance(raw, str):
        raise refusals.invalid(name, f"Invalid string: {name} is a hash or a list")
    if len(raw) > 5000:
        raise refusals.invalid(name, f"{name} is longer than 5000 characters")
    return raw or None


def integer(raw: Any, name: str) -> int:
    if raw == "":
        raise refusals.empty_parameter(name)
    if not isinstance(raw, str) or not re.fullmatch(r"[+-]?[0-9]{1,18}", raw):
        raise refusals.invalid_integer(name, str(raw))
    return int(raw)


def at_least(least: int, most: int = 999_999_999_999) -> Read:
    def bounded(raw: Any, name: str) -> int:
        value = integer(raw, name)
        if value < least:
            raise refusals.out_of_range(name, value, least=least)
        if value > most:
            raise refusals.out_of_range(name, value, most=most)
        return value

    return bounded


def boolean(raw: Any, name: str) -> bool:
    if raw not in ("true", "false", "1", "0"):
        raise refusals.invalid(name, f"Invalid boolean: {raw}")
    return bool(raw in ("true", "1"))


def decimal(raw: Any, name: str) -> Decimal:
    try:
        value = Decimal(raw)
    except (InvalidOperation, TypeError, ValueError):
        value = Decimal("NaN")
    if not value.is_finite():
        raise refusals.invalid(name, f"Invalid decimal: {raw}")
    return value


def currency(raw: Any, name: str) -> str:
    code = str(raw).lower()
    if code not in money.CURRENCIES:
        raise refusals.invalid(name, f"Invalid currency: {code} is not a currency this account can use")
    return code


def email(raw: Any, name: str) -> str | None:
    value = text(raw, name)
    if value is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise refusals.invalid(name, f"Invalid email address: {value}", "email_invalid")
    return value


def one_of(*values: str) -> Read:
    def chosen(raw: Any, name: str) -> str:
        if raw not in values:
            raise refusals.invalid(name, f"Invalid {name}: must be one of {', '.join(values)}")
        return str(raw)

    return chosen


def hash_of(takes: Takes, *required: str) -> Read:
    def nested(raw: Any, name: str) -> Given | None:
        if raw == "":
            return None
        if not isinstance(raw, dict):
            raise refusals.invalid(name, f"Invalid object: {name} is a hash of {', '.join(takes)}")
        return read(takes, raw, required=required, under=name)

    return nested


def list_of(each: Read) -> Read:
    def listed(raw: Any, name: str) -> list[Any]:
        if raw == "":
            return []
        if not isinstance(raw, dict) or not all(position.isdecimal() for position in raw):
            raise refusals.invalid(name, f"Invalid array: {name} is a list")
        values = [each(raw[position], f"{name}[{position}]") for position in sorted(raw, key=int)]
        if None in values:
            raise refusals.empty_parameter(f"{name}[{values.index(None)}]")
        return values

    return listed


def metadata(raw: Any, name: str) -> dict[str, str] | None:
    """Keys to set; an empty value takes its key away, and an empty hash all of them."""
    if raw == "":
        return None
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise refusals.invalid(name, f"Invalid object: {name} is a hash of texts")
    if len(raw) > 50 or any(len(key) > 40 or len(value) > 500 for key, value in raw.items()):
        raise refusals.invalid(name, "metadata holds up to 50 keys of 40 characters, with values of up to 500")
    return dict(raw)


def merged(held: Mapping[str, str] | None, given: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata after an update."""
    if given is None:
        return {}
    return {key: value for key, value in {**(held or {}), **given}.items() if value}


def moments(raw: Any, name: str) -> Given:
    """A moment, or bounds: gt, gte, lt, lte."""
    if isinstance(raw, dict):
        return read(dict.fromkeys(("gt", "gte", "lt", "lte"), integer), raw, under=name)
    return {"gte": integer(raw, name), "lte": integer(raw, name)}


ADDRESS = hash_of(dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), text))
SHIPPING = hash_of({"address": ADDRESS, "name": text, "phone": text}, "address", "name")
