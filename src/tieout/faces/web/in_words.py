"""The body of a command as a person reads it: a line for each thing it says, amounts as amounts, lists as one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tieout.core.money import MoneyError, minor_text

#: An amount is a number of exactly these digits in what is sent.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
#: What keys of another system are called, by the name under which they stand.
Names = Mapping[str, Mapping[str, str]]


def lines(body: Mapping[str, Any], names: Names | None = None) -> list[tuple[str, str]]:
    """(name, value) of everything a body says that is not empty, in its order."""
    return list(_Reader(str(body.get("currency") or ""), names or {}).lines(body))


def as_json(body: Mapping[str, Any]) -> str:
    """The body as JSON, laid out."""
    return msgspec.json.format(_ENCODER.encode(body), indent=2).decode() if body else ""


def beside(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> list[tuple[str, str, str, bool]]:
    """(name, before, after, whether they differ) of two bodies."""
    was, is_now = dict(before), dict(after)
    names = dict.fromkeys([*was, *is_now])
    return [(name, was.get(name, ""), is_now.get(name, ""), was.get(name) != is_now.get(name)) for name in names]


class _Reader:
    def __init__(self, currency: str, names: Names) -> None:
        self._currency, self._names = currency, names

    def lines(self, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in body.items():
            if value in (None, "", [], {}):
                continue
            if isinstance(value, list | tuple):
                yield from ((f"{_name(name)} {number}", self._part(part)) for number, part in enumerate(value, 1))
            else:
                yield _name(name), self._said(name, value)

    def _part(self, part: Any) -> str:
        if not isinstance(part, Mapping):
            return str(part)
        return ", ".join(f"{_name(name).lower()} {self._said(name, value)}" for name, value in part.items() if value not in (None, "", [], {}))

    def _said(self, name: str, value: Any) -> str:
        if name.endswith("_minor") and isinstance(value, int):
            try:
                return f"{minor_text(value, self._currency)} {self._currency}"
            except MoneyError:
                return f"{value} minor units"
        if isinstance(value, list | tuple):
            return "; ".join(self._part(part) for part in value)
        if isinstance(value, Mapping):
            # A reference of another system: its key says it all, and its name says it better.
            key = str(value.get("value", ""))
            return self._names.get(name, {}).get(key, key) if key and set(value) <= {"value", "name"} else self._part(value)
        return str(value)


def _name(name: str) -> str:
    """`amount_minor` → `Amount`, `TxnTaxDetail` → `Txn tax detail`."""
    plain = name.removesuffix("_minor").removesuffix("Ref")
    apart = "".join(f" {sign.lower()}" if sign.isupper() and at and not plain[at - 1].isupper() else sign for at, sign in enumerate(plain))
    words = apart.replace("_", " ").strip()
    return words[:1].upper() + words[1:]

