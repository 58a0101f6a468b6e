"""A mailbox that answers come to: over IMAP, or a Maildir on this machine (the demo's).

The mailbox is only read: nothing is marked, moved or deleted, so that people may go on using it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tieout.adapters.doors.mailbox import imap, maildir, parse
from tieout.adapters.doors.mailbox.settings import checked
from tieout.adapters.ports.channel import SettingField
from tieout.adapters.ports.door import Arrived, Door, Mail


class _Mailbox:
    name = "mailbox"
    title = "Mailbox"
    fields: tuple[SettingField, ...] = (
        SettingField(name="host", label="IMAP server"),
        SettingField(name="port", label="Port", default="993"),
        SettingField(name="security", label="Encryption", default="tls", choices=("tls", "starttls", "none")),
        SettingField(name="user", label="User name"),
        SettingField(name="password", label="Password", secret=True),
        SettingField(name="folder", label="Folder", default="INBOX"),
    )

    def check(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return checked(settings).plain()

    def fetch(self, settings: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Arrived]:
        ours = checked(settings)
        return maildir.fetch(ours, cursor) if ours.scheme == "maildir" else imap.fetch(ours, cursor)

    def read(self, content: bytes) -> Mail:
        return parse.read(content)


DOOR: Door = _Mailbox()
