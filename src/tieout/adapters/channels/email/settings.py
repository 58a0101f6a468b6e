"""How we reach the mail server; refused early, in words, where it cannot work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tieout.adapters.ports.errors import NeedsPerson


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`timeout` is the total for one letter in seconds, under ten by the send gate's rule. `caught` is the directory of the
    built-in catcher, in a demo only."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    plus_addressing: bool = True
    timeout: float = 9.0
    caught: str = ""

    def plain(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def __repr__(self) -> str:
        return f"Settings({self.host}:{self.port}, {self.security})"  # never the password


def checked(settings: Mapping[str, Any]) -> Settings:
    """The settings, read from a form or from storage. Raises NeedsPerson naming the field."""
    given = {key: value for key, value in settings.items() if value not in ("", None)}
    answer = given.get("plus_addressing")
    if isinstance(answer, str):
        given["plus_addressing"] = answer.strip().lower() in {"yes", "true", "1", "on"}
    try:
        found = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise NeedsPerson(f"the mail server's settings cannot be used: {error}") from None
    if not 0 < found.port < 65536:
        raise NeedsPerson(f"port {found.port} does not exist; mail servers mostly listen on 587 or 465")
    if not 0 < found.timeout < 10:
        raise NeedsPerson("the time for one letter must be under ten seconds")
    if found.user and found.security == "none" and found.host not in {"localhost", "127.0.0.1", "::1"}:
        raise NeedsPerson("a password is never sent over an open line: choose starttls or tls")
    return found
