"""What a person says once of a system: which of its accounts, items and tax codes ours go to. Optional: a connector whose writing
needs nothing said has none of it.

A setting that is a list of pairs is kept as the text `theirs = ours; …`, so that it can be read and typed anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from tieout.adapters.ports.connector import Command
from tieout.adapters.ports.errors import BadRecord
from tieout.adapters.ports.http import Http


class Unmapped(BadRecord):
    """Nobody has said yet what something is in the system written to. `field` is the setting, `key` what it does not list."""

    def __init__(self, message: str, *, field: str, key: str = "") -> None:
        super().__init__(message, field=field)
        self.key = key


class Choice(msgspec.Struct, frozen=True):
    """One thing a system has to choose from; `note` tells it from its namesakes."""

    id: str
    name: str
    note: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be said: a setting, what may be chosen (`of`, one of the kinds of `choices`), and, where it is a list of pairs,
    what it is asked for (`per`: each `item` or each `tax_code` of a document's lines). `stands_as` is the name under which what was
    chosen stands in a request."""

    setting: str
    title: str
    about: str
    of: str
    per: Literal["", "item", "tax_code"] = ""
    stands_as: str = ""


@runtime_checkable
class Chooses(Protocol):
    """A system with lists to choose from, or whose own keys have names worth reading."""

    def choices(self, http: Http, settings: Mapping[str, Any], what: str) -> tuple[Choice, ...]:
        """What there is of a kind (`items`, `tax_codes`, `accounts`); () for a kind it does not have. Raises the four errors."""
        ...


@runtime_checkable
class Asks(Chooses, Protocol):
    """A system that must be told what goes where before anything can be written to it."""

    questions: tuple[Question, ...]

    def request(self, settings: Mapping[str, Any], command: Command) -> Mapping[str, Any]:
        """The body a command would be written with. Raises Unmapped and BadRecord. Pure: nobody is called."""
        ...


def pairs(told: object) -> dict[str, str]:
    """A setting of the form `theirs = ours; …`, or pairs already."""
    listed = told.items() if isinstance(told, Mapping) else (part.partition("=")[::2] for part in str(told or "").replace("\n", ";").split(";"))
    return {str(key).strip(): str(value).strip() for key, value in listed if str(key).strip()}


def text(told: Mapping[str, str]) -> str:
    """Pairs as a setting. Raises ValueError for what could not be read again."""
    for part in (*told, *told.values()):
        if any(sign in part for sign in "=;\n"):
            raise ValueError(f"{part!r} holds one of the signs = and ; which part the list")
    return "; ".join(f"{key} = {value}" for key, value in sorted(told.items()) if value)
