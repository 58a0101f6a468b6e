"""What is told about changes: one event per change, with the object as it was at that moment."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType


class EventData(Struct, kw_only=True, gc=False):
    """The object is kept as encoded at the moment: what happened later must not show in it."""

    object: msgspec.Raw
    previous_attributes: dict[str, Any] | UnsetType = UNSET


class Asked(Struct, kw_only=True, gc=False):
    """The request that caused an event; nothing where none did."""

    id: str | None = None
    idempotency_key: str | None = None


class Event(Struct, kw_only=True, gc=False):
    id: str
    object: str = "event"
    api_version: str | None
    created: int
    data: EventData
    livemode: bool = False
    pending_webhooks: int = 0
    request: Asked | None
    type: str
