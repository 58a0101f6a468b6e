"""A letter as the bytes that go over the line (RFC 5322, MIME), with every header that lets it be answered or ended."""

from __future__ import annotations

import base64
import quopri
import re
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import lru_cache

from tieout.adapters.ports.channel import Attachment, Letter
from tieout.adapters.ports.errors import BadRecord, NeedsPerson

_CRLF = "\r\n"
_NOT_ONE = re.compile(r"[\s,;<>\x00-\x1f\x7f]")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]")


def as_bytes(letter: Letter) -> bytes:
    """The whole message. Raises BadRecord where a value could not stand in a header, NeedsPerson where it is our own."""
    # Written by hand: the parts are few and fixed, and the library's generator takes ten times as long per letter.
    body = _alternative(letter)
    if letter.attachments:
        body = _multipart("mixed", [body, *(_attached(one) for one in letter.attachments)], letter.message_id)
    head = _CRLF.join(f"{name}: {value}" for name, value in _headers(letter))
    # Beyond ASCII only in an address that the server has said it takes (SMTPUTF8); everything else is encoded words.
    return head.encode("utf-8") + b"\r\n" + body


def _headers(letter: Letter) -> list[tuple[str, str]]:
    found = [
        ("Message-ID", letter.message_id),
        ("Date", format_datetime(letter.date)),
        ("From", _mailbox(letter.sender_name, letter.sender_address)),
        ("To", ascii_address(letter.to_address)),
        ("Reply-To", _mailbox(letter.sender_name, letter.return_address)),
        ("Subject", _unstructured(letter.subject)),
        ("MIME-Version", "1.0"),
    ]
    if letter.references:
        found += [("In-Reply-To", letter.references[-1]), ("References", f"{_CRLF} ".join(letter.references))]
    ways = [f"<{letter.unsubscribe_url}>"] if letter.unsubscribe_url else []
    ways += [f"<mailto:{letter.unsubscribe_address}?subject=unsubscribe>"] if letter.unsubscribe_address else []
    if ways:
        found.append(("List-Unsubscribe", f",{_CRLF} ".join(ways)))
    if letter.unsubscribe_url:
        found.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    for name, value in found:
        bare = value.replace(f"{_CRLF} ", "")
        if "\r" in bare or "\n" in bare or "\0" in bare:
            raise BadRecord(f"a line break stands in the header {name}", field=name.lower())
    return found


def _unstructured(text: str) -> str:
    if len(text) < 900 and text.isascii():
        return text
    return Header(text, "utf-8", maxlinelen=75).encode(linesep=_CRLF)


@lru_cache(maxsize=256)
def _mailbox(name: str, address: str) -> str:
    # Ours, so nothing is wrong with the letter or its recipient: somebody mends the settings.
    if "\r" in name or "\n" in name:
        raise NeedsPerson("a line break stands in the sender's name")
    try:
        wire = ascii_address(address)
    except BadRecord:
        raise NeedsPerson(f"{address!r} cannot be a sender's address; give one in Settings") from None
    return formataddr((name[:120], wire), "utf-8").replace("\n", _CRLF)


@lru_cache(maxsize=1024)
def ascii_address(address: str) -> str:
    """The address with its domain as it goes over the wire; a local part beyond ASCII stays and needs SMTPUTF8."""
    local, _, domain = address.rpartition("@")
    try:
        wire = domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    except UnicodeError:
        raise BadRecord(f"the domain of {address} cannot be written for mail servers", field="to") from None
    if _NOT_ONE.search(local) or _NOT_ONE.search(wire) or not local or not wire:
        raise BadRecord("the address is not one plain address", field="to")
    return f"{local}@{wire}"


def _alternative(letter: Letter) -> bytes:
    plain = _text("plain", letter.text)
    if not letter.html:
        return plain
    return _multipart("alternative", [plain, _text("html", letter.html)], letter.message_id)


def _text(kind: str, text: str) -> bytes:
    encoded = quopri.encodestring(text.replace("\r\n", "\n").encode()).replace(b"\n", b"\r\n")
    return f"Content-Type: text/{kind}; charset=utf-8{_CRLF}Content-Transfer-Encoding: quoted-printable{_CRLF}{_CRLF}".encode() + encoded


def _attached(one: Attachment) -> bytes:
    name = "".join(c for c in one.name if c.isascii() and (c.isalnum() or c in "-_. ")) or "attachment"
    head = (
        f'Content-Type: {one.media_type}; name="{name}"{_CRLF}Content-Transfer-Encoding: base64{_CRLF}'
        f'Content-Disposition: attachment; filename="{name}"{_CRLF}{_CRLF}'
    )
    return head.encode("ascii") + base64.encodebytes(one.content).replace(b"\n", b"\r\n")


def _multipart(kind: str, parts: list[bytes], message_id: str) -> bytes:
    # The boundary comes from the Message-ID: the same letter is the same bytes, and no text can hold it by accident.
    boundary = f"=_{kind}_{_NOT_PLAIN.sub('', message_id)[:40]}"
    opened = f'Content-Type: multipart/{kind}; boundary="{boundary}"{_CRLF}{_CRLF}'.encode("ascii")
    mark = f"--{boundary}".encode("ascii")
    return opened + b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
