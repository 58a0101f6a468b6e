"""What QuickBooks says where it refuses, and what happens next: always one of the four errors, in its own words.

A fault may come in JSON with a capital letter, in JSON of the gateway with a small one, or as XML; all three are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tieout.adapters.ports.errors import BadRecord, NeedsPerson, PortError, TryLater, Unsupported
from tieout.adapters.ports.http import Answer

#: A fault of an unknown property lists all known ones; as much of it as a person reads.
_LONGEST = 300


class NotThere(BadRecord):
    """The object is not there: deleted, merged into another, or never was (610)."""


class NameTaken(BadRecord):
    """The name or number belongs to something else (6240, 6140)."""


class Stale(TryLater):
    """Somebody saved the object since we read it; nothing was changed (5010)."""


class Fault(msgspec.Struct, frozen=True):
    """The first error of a fault: QuickBooks' code, its words, and the kind of fault."""

    code: str = ""
    text: str = ""
    kind: str = ""


#: 500 is what an address or an operation is answered with that QuickBooks does not have.
_ERRORS: Mapping[str, type[PortError]] = {
    "610": NotThere, "6240": NameTaken, "6140": NameTaken, "5010": Stale, "3001": TryLater, "003001": TryLater, "10000": TryLater,
    "500": Unsupported, "3100": NeedsPerson, "003100": NeedsPerson, "3200": NeedsPerson, "003200": NeedsPerson, "5020": NeedsPerson,
    "6190": NeedsPerson,
}  # fmt: skip
_KINDS: Mapping[str, type[PortError]] = {
    "authenticationfault": NeedsPerson, "authentication": NeedsPerson, "authorizationfault": NeedsPerson, "authorization": NeedsPerson,
    "systemfault": TryLater, "throttleexceeded": TryLater,
}  # fmt: skip


def good(answer: Answer) -> Answer:
    """The answer, where it is no refusal. Raises one of the four errors."""
    if answer.status < 300 and not answer.content.lstrip()[:10].lower().startswith(b'{"fault"'):
        return answer
    raise error(read(answer.content), answer.status)


def error(fault: Fault, status: int = 400) -> PortError:
    """The error that a fault stands for."""
    kind = _ERRORS.get(fault.code) or _KINDS.get(fault.kind.lower()) or BadRecord
    said = f"{fault.text or f'status {status}'}{f' ({fault.code})' if fault.code else ''}"
    return kind(f"QuickBooks refuses: {said}")


def read(content: bytes) -> Fault:
    """What a refusal says; nothing where it says nothing we know how to read."""
    try:
        told = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _of_xml(content.decode("utf-8", "replace"))
    return inside(told) or Fault()


def inside(told: Any) -> Fault | None:
    """The fault in decoded JSON, where there is one."""
    fault = next((part for name, part in told.items() if name.lower() == "fault"), None) if isinstance(told, dict) else None
    if not isinstance(fault, dict):
        return None
    listed = fault.get("Error") or fault.get("error")
    first = listed[0] if isinstance(listed, list) and listed else {}
    words = {name.lower(): str(value) for name, value in first.items() if value is not None} if isinstance(first, dict) else {}
    return Fault(words.get("code", ""), _text(words.get("message", ""), words.get("detail", "")), str(fault.get("type") or ""))


def _of_xml(text: str) -> Fault:
    code, kind = re.search(r'<Error\b[^>]*\bcode="([^"]*)"', text), re.search(r'<Fault\b[^>]*\btype="([^"]*)"', text)
    message, detail = re.search(r"<Message>([^<]*)<", text), re.search(r"<Detail>([^<]*)<", text)
    return Fault(code[1] if code else "", _text(message[1] if message else "", detail[1] if detail else ""), kind[1] if kind else "")


def _text(message: str, detail: str) -> str:
    return ": ".join(part for part in (message.strip(), detail.strip()) if part)[:_LONGEST]
