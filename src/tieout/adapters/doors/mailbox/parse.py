"""What a mail says, from its bytes: who wrote it, what it answers, what of its text is new, whether a person wrote it."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from email import message_from_bytes
from email import policy as policies
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from tieout.adapters.doors.mailbox import automatic, bounces, headers, words
from tieout.adapters.ports.door import Attached, Mail
from tieout.adapters.ports.errors import BadRecord
from tieout.core.party import tidy

_IDS = re.compile(r"<[^<>\s]{1,300}>")
#: Where servers write down whom a mail was really given to.
_GIVEN_TO = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To")
_LONGEST = 200_000


def read(content: bytes) -> Mail:
    """Raises BadRecord where the bytes hold no mail."""
    message = message_from_bytes(content, policy=policies.compat32)
    if not message.keys():
        raise BadRecord("this is not a mail: it has no headers")
    sender_name, sender = _sender(message)
    text = _text(message)
    reply = words.without_quote(text)
    subject = tidy(headers.value(message, "Subject"))[:500]
    bounce = bounces.found(message)
    return Mail(
        message_id=_first_id(headers.value(message, "Message-ID")),
        sender=sender,
        sender_name=sender_name,
        recipients=_recipients(message),
        subject=subject,
        sent_at=_moment(headers.value(message, "Date")),
        text=text,
        reply_text=reply,
        answers=_answers(message),
        automatic="a mail server's notice" if bounce else automatic.because(message, subject),
        unsubscribe=bounce is None and words.asks_to_stop(subject, reply),
        bounce=bounce,
        attachments=_attachments(message),
    )


def _sender(message: Message) -> tuple[str, str]:
    for name, address in getaddresses([headers.value(message, "From"), headers.value(message, "Return-Path")]):
        if "@" in address:
            return tidy(name)[:300], address.strip()[:320]
    return "", ""


def _recipients(message: Message) -> tuple[str, ...]:
    found = [address.strip().lower() for _, address in getaddresses(headers.values(message, *_GIVEN_TO)) if "@" in address]
    return tuple(dict.fromkeys(found))


def _answers(message: Message) -> tuple[str, ...]:
    nearest = _IDS.findall(headers.value(message, "In-Reply-To"))
    older = reversed(_IDS.findall(headers.value(message, "References")))
    return tuple(dict.fromkeys([*nearest, *older]))[:50]


def _first_id(text: str) -> str:
    found = _IDS.search(text)
    return found.group(0) if found else ""


def _moment(text: str) -> dt.datetime | None:
    with contextlib.suppress(ValueError, TypeError, IndexError):
        found = parsedate_to_datetime(text)
        return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return None


def _text(message: Message) -> str:
    plain, html = "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if part.is_multipart() or part.get_content_disposition() == "attachment" or kind not in {"text/plain", "text/html"}:
            continue
        if kind == "text/plain" and not plain:
            plain = _decoded(part)
        elif kind == "text/html" and not html:
            html = _decoded(part)
    return (plain if plain.strip() else words.of_html(html)).replace("\r\n", "\n").replace("\0", "").strip()[:_LONGEST]


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        with contextlib.suppress(LookupError, UnicodeDecodeError):
            return raw.decode(charset)
    return raw.decode("latin-1")


def _attachments(message: Message) -> tuple[Attached, ...]:
    found = []
    for part in message.walk():
        name = part.get_filename()
        if part.get_content_disposition() == "attachment" or (name and not part.is_multipart()):
            raw = part.get_payload(decode=True)
            found.append(Attached(name=tidy(str(name or "attachment"))[:200], media_type=part.get_content_type(), size=len(raw or b"")))
    return tuple(found[:50])
