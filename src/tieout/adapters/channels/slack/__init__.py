"""Slack, by the address of an incoming webhook. What is written there cannot be told apart from before, so nothing is repeated.

Cost: none of ours. Limits: one message a second for an address. Consent: whoever made the webhook chose its channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from tieout.adapters.channels.slack.send import Talk
from tieout.adapters.ports import posting
from tieout.adapters.ports.channel import Channel, Session, SettingField


class _Slack:
    name = "slack"
    title = "Slack"
    batch = 20
    repeatable = False
    fields: tuple[SettingField, ...] = (SettingField(name="address", label="Address of the incoming webhook", secret=True),)

    def check(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        address = posting.checked(str(settings.get("address", "")))
        return {"address": address, "shown": posting.shown(address)}

    def open(self, settings: Mapping[str, Any]) -> AbstractContextManager[Session]:
        return _line(str(settings["address"]))

    def look_up(self, settings: Mapping[str, Any], message_id: str) -> bool | None:  # noqa: ARG002 - the port's signature
        return None


@contextmanager
def _line(address: str) -> Iterator[Session]:
    line = posting.Line(address, repeatable=False)
    try:
        yield Talk(line)
    finally:
        line.close()


CHANNEL: Channel = _Slack()

__all__ = ["CHANNEL"]
