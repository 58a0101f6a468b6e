"""The token of a message: in its return address, where answers bring it back, and in its opt-out link.

The link carries the organisation's id before the token, so that the page knows behind which wall to look; both are 32 hex
digits, and 128 bits of the token are chance.
"""

from __future__ import annotations

import re
import secrets
from uuid import UUID

_TOKEN = re.compile(r"\+([0-9a-f]{32})@")
_LINK = re.compile(r"([0-9a-f]{32})([0-9a-f]{32})")


def new() -> str:
    """A token nobody can guess."""
    return secrets.token_hex(16)


def return_address(sender_address: str, token: str) -> str:
    """Where answers and bounces of this message go: `ar@firm.example` becomes `ar+token@firm.example`."""
    local, _, domain = sender_address.rpartition("@")
    return f"{local}+{token}@{domain}"


def in_addresses(addresses: tuple[str, ...]) -> list[str]:
    """Tokens found in addresses a mail was given to."""
    return [hit.group(1) for address in addresses if (hit := _TOKEN.search(address.lower()))]


def for_link(organisation_id: UUID, token: str) -> str:
    """The one part of the opt-out link."""
    return f"{organisation_id.hex}{token}"


def of_link(text: str) -> tuple[UUID, str] | None:
    """Organisation and token of an opt-out link; None where it is none of ours."""
    hit = _LINK.fullmatch(text.strip().lower())
    return (UUID(hit.group(1)), hit.group(2)) if hit else None


def message_id(organisation_id: UUID, token: str, sender_address: str) -> str:
    """Our own Message-ID: the same for every attempt of one message, so that a look-up finds it."""
    domain = sender_address.rpartition("@")[2]
    if not domain.isascii():
        domain = domain.encode("idna").decode("ascii")
    return f"<{token}.{organisation_id.hex}@{domain if 0 < len(domain) <= 120 else 'mail.invalid'}>"
