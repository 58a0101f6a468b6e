"""The port of every way to reach a person: one finished letter goes in, the other side's word comes out.

What may go wrong is named by what happens next (`ports.errors`), with one addition that matters more than the rest:
`OutcomeUnknown`, after which nobody may send again by machine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

import msgspec

from tieout.adapters.ports.errors import NeedsPerson

__all__ = ["Attachment", "Channel", "Letter", "OutcomeUnknown", "Session", "SettingField"]


class OutcomeUnknown(NeedsPerson):
    """The letter was handed over and no answer came: it may have arrived. A person looks; it is never sent again blindly."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a letter."""

    name: str
    media_type: str
    content: bytes


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one address, finished: every word is final and every address is one address.

    `message_id` is our own, with its angle brackets; `return_address` takes bounces and answers; `references` are earlier
    messages of the same thread, oldest first; `unsubscribe_url` and `unsubscribe_address` end the mail for good. `facts` say the
    same for programs, where a channel hands letters to some.
    """

    message_id: str
    date: dt.datetime
    to_address: str
    sender_name: str
    sender_address: str
    return_address: str
    subject: str
    text: str
    html: str = ""
    references: tuple[str, ...] = ()
    unsubscribe_url: str = ""
    unsubscribe_address: str = ""
    attachments: tuple[Attachment, ...] = ()
    facts: Mapping[str, Any] = {}


class SettingField(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a person must say to switch the channel or door on. `secret` values are written and never shown again."""

    name: str
    label: str
    default: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()


class Session(Protocol):
    """An open line for one batch."""

    def send(self, letter: Letter) -> str:
        """Hand one letter over; returns the other side's receipt.

        Raises BadRecord (this letter will never be taken), TryLater (it was not taken, try again), NeedsPerson (nothing of
        ours is taken until somebody mends the settings) and OutcomeUnknown.
        """
        ...


@runtime_checkable
class Channel(Protocol):
    """A folder under `channels/` exports one as `CHANNEL`. `batch` is how many letters one session takes at most; `repeatable` says
    that the other side knows a letter again by its `message_id`, so that handing it over twice does what doing it once does."""

    name: str
    title: str
    batch: int
    repeatable: bool
    fields: tuple[SettingField, ...]

    def check(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings as they will be used. Raises NeedsPerson with what is wrong."""
        ...

    def open(self, settings: Mapping[str, Any]) -> AbstractContextManager[Session]:
        """Open a line. Raises TryLater where the other side is away, NeedsPerson where it does not let us in."""
        ...

    def look_up(self, settings: Mapping[str, Any], message_id: str) -> bool | None:
        """Whether the other side has taken this message; None where it cannot be asked."""
        ...
