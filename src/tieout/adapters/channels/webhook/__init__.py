"""Any address that takes JSON: signed, and with a key by which what comes twice is known again.

Cost: none of ours. Limits: those of the other side. Consent: the address is the organisation's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from tieout.adapters.channels.webhook.send import Post
from tieout.adapters.ports import posting
from tieout.adapters.ports.channel import Channel, Session, SettingField
from tieout.adapters.ports.errors import NeedsPerson

#: A secret shorter than this could be guessed from what was signed with it.
_LEAST = 16


class _Webhook:
    name = "webhook"
    title = "Webhook (JSON)"
    batch = 50
    repeatable = True
    fields: tuple[SettingField, ...] = (
        SettingField(name="address", label="Address", secret=True),
        SettingField(name="secret", label="Secret that signs (at least 16 characters)", secret=True),
    )

    def check(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        address, secret = posting.checked(str(settings.get("address", ""))), str(settings.get("secret", "")).strip()
        if len(secret) < _LEAST:
            raise NeedsPerson(f"the secret that signs must have at least {_LEAST} characters: with it the other side knows that it is us")
        return {"address": address, "secret": secret, "shown": posting.shown(address)}

    def open(self, settings: Mapping[str, Any]) -> AbstractContextManager[Session]:
        return _line(str(settings["address"]), str(settings["secret"]))

    def look_up(self, settings: Mapping[str, Any], message_id: str) -> bool | None:  # noqa: ARG002 - the port's signature
        return None


@contextmanager
def _line(address: str, secret: str) -> Iterator[Session]:
    line = posting.Line(address, repeatable=True)
    try:
        yield Post(line, secret)
    finally:
        line.close()


CHANNEL: Channel = _Webhook()

__all__ = ["CHANNEL"]
