"""The built-in catcher: a real SMTP server on this machine whose letters go no further, and a mailbox to answer them from.

In a demo every letter lands here. A message is one file, written whole or not at all, and named so that its Message-ID finds
it; two deliveries of one message are two files, so a mistake would show. Answers are laid into a Maildir that the demo's
mailbox connection reads through the ordinary door.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import secrets
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tieout.rehearsal.free_port import free_port

LARGEST = 30 * 1024 * 1024


class Caught(msgspec.Struct, frozen=True, kw_only=True):
    """One caught letter as a page shows it. `file` names it among the others."""

    file: str
    message_id: str
    sender: str
    to_address: str
    reply_to: str
    subject: str
    sent_at: dt.datetime | None
    text: str
    html: str
    opt_out_url: str
    attachments: tuple[str, ...]


class _Keep:
    def __init__(self, place: Path) -> None:
        self.place = place

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002 - the library's signature
        content = envelope.content
        keep(self.place, content if isinstance(content, bytes) else str(content).encode())
        return "250 caught"


def keep(place: Path, content: bytes) -> Path:
    """Write one letter down, durably, before the server says it has it."""
    head = message_from_bytes(content, policy=policy.default)
    key = hashlib.sha256(str(head.get("Message-ID", "")).strip().encode()).hexdigest()[:40]
    place.mkdir(parents=True, exist_ok=True)
    name = place / f"{key}.{dt.datetime.now(dt.UTC):%Y%m%d%H%M%S%f}-{secrets.token_hex(4)}.eml"
    _write(name, content)
    return name


def start(place: Path, *, host: str = "127.0.0.1", port: int = 0) -> Controller:
    """Catch letters into `place` from a thread of its own; `port` 0 takes a free one (`.port` says which). Call `.stop()` to end."""
    place.mkdir(parents=True, exist_ok=True)
    chosen = port or free_port(host)
    controller = Controller(_Keep(place), hostname=host, port=chosen, data_size_limit=LARGEST, enable_SMTPUTF8=True)
    controller.start()
    return controller


@contextlib.contextmanager
def running(place: Path) -> Iterator[Controller]:
    """The same for the length of a block."""
    controller = start(place)
    try:
        yield controller
    finally:
        controller.stop()


def settings(place: Path, port: int) -> dict[str, Any]:
    """What `outreach.sending.configure` is told so that letters land here and can be looked up."""
    return {"host": "127.0.0.1", "port": port, "security": "none", "caught": str(place)}


def mailbox(place: Path) -> dict[str, Any]:
    """What `outreach.mailbox.configure` is told so that answers laid into `place` are read."""
    for part in ("new", "cur", "tmp"):
        (place / part).mkdir(parents=True, exist_ok=True)
    return {"scheme": "maildir", "path": str(place)}


def listed(place: Path, *, organisation_id: UUID, limit: int = 200) -> list[Caught]:
    """The letters of one organisation, the newest first. Its id stands in every Message-ID of ours."""
    files = sorted(place.glob("*.eml"), key=lambda path: path.name.split(".")[1], reverse=True)
    found: list[Caught] = []
    for path in files:
        caught = _read(path)
        if f".{organisation_id.hex}@" in caught.message_id:
            found.append(caught)
            if len(found) == limit:
                break
    return found


def one(place: Path, *, organisation_id: UUID, file: str) -> Caught | None:
    """One letter by its file's name; None where there is none of this organisation."""
    path = place / Path(file).name
    caught = _read(path) if path.suffix == ".eml" and path.is_file() else None
    return caught if caught and f".{organisation_id.hex}@" in caught.message_id else None


def deliveries(place: Path, message_id: str) -> int:
    """How often a message was delivered."""
    key = hashlib.sha256(message_id.strip().encode()).hexdigest()[:40]
    return sum(1 for _ in place.glob(f"{key}.*.eml"))


def answer(*, caught: Caught, mailbox_place: Path, text: str, now: dt.datetime, subject: str = "") -> Path:
    """The debtor answers: a mail into the mailbox, as their program would write it, with our text quoted below."""
    reply = EmailMessage(policy=policy.SMTP)
    reply["From"], reply["To"] = caught.to_address, caught.reply_to
    reply["Subject"] = subject or f"Re: {caught.subject}"
    reply["Date"], reply["Message-ID"] = format_datetime(now), f"<{secrets.token_hex(12)}@debtor.invalid>"
    reply["In-Reply-To"] = reply["References"] = caught.message_id
    quoted = "\n".join(f"> {line}" for line in caught.text.splitlines())
    when = f"{caught.sent_at:%a, %d %b %Y at %H:%M}" if caught.sent_at else "an earlier day"
    reply.set_content(f"{text.strip()}\n\nOn {when} {caught.sender} wrote:\n\n{quoted}\n")
    return deliver(mailbox_place, reply.as_bytes(), now=now)


def bounce(*, caught: Caught, mailbox_place: Path, now: dt.datetime, status: str = "5.1.1", said: str = "no such mailbox") -> Path:
    """The recipient's server sends the letter back (RFC 3464)."""
    report = (
        f"From: Mail Delivery System <mailer-daemon@{caught.to_address.rpartition('@')[2]}>\r\nTo: {caught.reply_to}\r\nReturn-Path: <>\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nDate: {format_datetime(now)}\r\nMessage-ID: <{secrets.token_hex(12)}@mta.invalid>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered: {said}\r\n\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mta.invalid\r\n\r\n"
        f"Final-Recipient: rfc822; {caught.to_address}\r\nAction: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 {status} {said}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {caught.message_id}\r\nTo: {caught.to_address}\r\n\r\n--b--\r\n"
    )
    return deliver(mailbox_place, report.encode(), now=now)


def deliver(mailbox_place: Path, content: bytes, *, now: dt.datetime) -> Path:
    """Lay one mail into the mailbox, as a mail server would. Names rise with the moment of delivery."""
    mailbox(mailbox_place)
    last = max((path.name for part in ("new", "cur") for path in (mailbox_place / part).iterdir()), default="")
    name = f"{int(now.timestamp() * 1_000_000):020d}.{secrets.token_hex(4)}.catcher"
    if name <= last:
        name = f"{last.split(':')[0]}.{secrets.token_hex(2)}"
    path = mailbox_place / "new" / name
    _write(path, content)
    return path


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    with open(temporary, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.rename(path)


def _read(path: Path) -> Caught:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    unsubscribe = str(message.get("List-Unsubscribe", ""))
    return Caught(
        file=path.name,
        message_id=str(message.get("Message-ID", "")).strip(),
        sender=str(message.get("From", "")),
        to_address=next((address for _, address in getaddresses([str(message.get("To", ""))])), ""),
        reply_to=next((address for _, address in getaddresses([str(message.get("Reply-To", ""))])), ""),
        subject=str(message.get("Subject", "")),
        sent_at=parsedate_to_datetime(str(message["Date"])) if message["Date"] else None,
        text=str(plain.get_content()) if plain is not None else "",
        html=str(html.get_content()) if html is not None else "",
        opt_out_url=unsubscribe.split(">")[0].lstrip("<") if unsubscribe.startswith("<http") else "",
        attachments=tuple(str(part.get_filename() or "attachment") for part in message.iter_attachments()),
    )
