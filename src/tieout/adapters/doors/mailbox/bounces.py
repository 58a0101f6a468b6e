"""Mail servers' notices that a message did not arrive: RFC 3464 reports, and the many forms older than it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.message import Message

import flufl.bounce

from tieout.adapters.doors.mailbox import headers
from tieout.adapters.ports.door import Bounce

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_ID = re.compile(r"^message-id:\s*(<[^<>\s]{1,300}>)", re.IGNORECASE | re.MULTILINE)


def found(message: Message) -> Bounce | None:
    """The notice this mail is, or None. A delay is a soft one; success reports are none."""
    reports = [part for part in message.walk() if part.get_content_type() == "message/delivery-status"]
    if reports:
        return _reported(message, reports)
    if not _from_a_server(message):
        return None
    temporary, permanent = flufl.bounce.all_failures(message)
    if not temporary and not permanent:
        return None
    addresses = sorted(address.decode("utf-8", "replace") for address in (permanent or temporary))
    said = headers.value(message, "Subject")[:300]
    return Bounce(hard=bool(permanent), addresses=tuple(addresses), said=said, message_id=_original(message))


def _from_a_server(message: Message) -> bool:
    sender = headers.value(message, "From").lower()
    empty = headers.value(message, "Return-Path").strip() == "<>"
    return empty or "mailer-daemon" in sender or "postmaster" in sender or "mail delivery" in sender


def _reported(message: Message, reports: Sequence[Message]) -> Bounce | None:
    addresses, said, hard, failed = [], "", False, False
    for report in reports:
        groups = report.get_payload()
        for group in groups if isinstance(groups, list) else []:
            if not isinstance(group, Message):
                continue
            action = headers.value(group, "Action").strip().lower()
            if action not in {"failed", "delayed"}:
                continue
            failed = True
            status = _STATUS.search(headers.value(group, "Status"))
            # "failed" with a status of 4 is a server that gave up on a temporary fault; the address may be good.
            hard = hard or (action == "failed" and (status is None or status.group(1) == "5"))
            recipient = (headers.value(group, "Original-Recipient") or headers.value(group, "Final-Recipient")).split(";")[-1].strip()
            if recipient:
                addresses.append(recipient)
            said = said or " ".join((headers.value(group, "Diagnostic-Code") or headers.value(group, "Status") or action).split())[:300]
    if not failed:
        return None
    return Bounce(hard=hard, addresses=tuple(dict.fromkeys(addresses)), said=said, message_id=_original(message))


def _original(message: Message) -> str:
    """The Message-ID of the message that did not arrive, from the copy or the headers the notice carries."""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                return headers.value(inner[0], "Message-ID").strip()
        if kind == "text/rfc822-headers":
            raw = part.get_payload(decode=True)
            hit = _ID.search(raw.decode("latin-1") if isinstance(raw, bytes) else str(part.get_payload()))
            if hit:
                return hit.group(1)
    plain = next((part for part in message.walk() if part.get_content_type() == "text/plain"), None)
    raw = plain.get_payload(decode=True) if plain is not None else None
    hit = _ID.search(raw.decode("latin-1")) if isinstance(raw, bytes) else None
    return hit.group(1) if hit else ""
