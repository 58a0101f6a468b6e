"""The port of every way things come in by themselves: what arrived, exactly as it was, and what a mail says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from tieout.adapters.ports.channel import SettingField

__all__ = ["Arrived", "Attached", "Bounce", "Door", "Mail"]


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that came in. `cursor` is where to go on after it; `whole` is False where it was too large to take whole."""

    external_id: str
    cursor: Mapping[str, Any]
    content: bytes
    whole: bool = True


class Bounce(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server's word that a message did not arrive. `hard` means it never will; `message_id` is the message's own."""

    hard: bool
    addresses: tuple[str, ...]
    said: str
    message_id: str = ""


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came with a mail."""

    name: str
    media_type: str
    size: int


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail says. `text` is all of it, `reply_text` without what it quotes; `recipients` are all addresses it was
    given to, and `answers` the Message-IDs it refers to, the nearest first.

    `automatic` says why no person wrote it, empty where one did; `unsubscribe` is a plain wish to get no more mail.
    """

    message_id: str
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    subject: str
    sent_at: dt.datetime | None
    text: str
    reply_text: str
    answers: tuple[str, ...] = ()
    automatic: str = ""
    unsubscribe: bool = False
    bounce: Bounce | None = None
    attachments: tuple[Attached, ...] = ()


@runtime_checkable
class Door(Protocol):
    """A folder under `doors/` exports one as `DOOR`."""

    name: str
    title: str
    fields: tuple[SettingField, ...]

    def check(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings as they will be used. Raises NeedsPerson with what is wrong."""
        ...

    def fetch(self, settings: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Arrived]:
        """What came in since `cursor` (empty: from the beginning), oldest first. Raises TryLater and NeedsPerson."""
        ...

    def read(self, content: bytes) -> Mail:
        """What one arrived thing says. Raises BadRecord where it is no mail."""
        ...
