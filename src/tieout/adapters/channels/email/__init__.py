"""E-mail over SMTP, one connection for a batch.

Cost: none of ours. Limits: 50 letters a session. Consent: the recipient may opt out with one click (RFC 8058) or one word.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from tieout.adapters.channels.email import send
from tieout.adapters.channels.email.caught import caught
from tieout.adapters.channels.email.settings import Settings, checked
from tieout.adapters.ports.channel import Channel, Session, SettingField


class _Email:
    name = "email"
    title = "E-mail"
    batch = 50
    repeatable = False
    fields: tuple[SettingField, ...] = (
        SettingField(name="host", label="Mail server"),
        SettingField(name="port", label="Port", default="587"),
        SettingField(name="security", label="Encryption", default="starttls", choices=("starttls", "tls", "none")),
        SettingField(name="user", label="User name"),
        SettingField(name="password", label="Password", secret=True),
        SettingField(name="plus_addressing", label="Answers may come to name+token@domain", default="yes", choices=("yes", "no")),
    )

    def check(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return checked(settings).plain()

    def open(self, settings: Mapping[str, Any]) -> AbstractContextManager[Session]:
        return send.line(checked(settings))

    def look_up(self, settings: Mapping[str, Any], message_id: str) -> bool | None:
        # SMTP itself cannot be asked what it has taken; the built-in catcher can.
        place = checked(settings).caught
        return caught(place, message_id) if place else None


CHANNEL: Channel = _Email()

__all__ = ["CHANNEL", "Settings"]
