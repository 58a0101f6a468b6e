"""How we reach the mailbox; refused early, in words, where it cannot work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tieout.adapters.ports.errors import NeedsPerson


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`scheme` maildir reads the directory `path` instead of a server."""

    scheme: Literal["imap", "maildir"] = "imap"
    host: str = ""
    port: int = 993
    security: Literal["tls", "starttls", "none"] = "tls"
    user: str = ""
    password: str = ""
    folder: str = "INBOX"
    path: str = ""
    timeout: float = 30.0

    def plain(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def __repr__(self) -> str:
        return f"Settings({self.scheme}, {self.host or self.path})"  # never the password


def checked(settings: Mapping[str, Any]) -> Settings:
    """The settings, read from a form or from storage. Raises NeedsPerson naming the field."""
    try:
        found = msgspec.convert({k: v for k, v in settings.items() if v not in ("", None)}, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise NeedsPerson(f"the mailbox's settings cannot be used: {error}") from None
    if found.scheme == "maildir" and not found.path:
        raise NeedsPerson("a mailbox on this machine needs its directory (path)")
    if found.scheme == "imap" and not found.host:
        raise NeedsPerson("the IMAP server is missing (host)")
    if found.scheme == "imap" and found.security == "none" and found.host not in {"localhost", "127.0.0.1", "::1"}:
        raise NeedsPerson("a password is never sent over an open line: choose tls or starttls")
    return found
