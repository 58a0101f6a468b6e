"""Read a mailbox over IMAP by UID (RFC 3501), from the cursor on, and never change it.

The cursor is UIDVALIDITY with the highest UID taken. Where the server gives another UIDVALIDITY its numbers mean nothing
any more and everything is read again; what was taken before is recognised by its name.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from tieout.adapters.doors.mailbox.names import external_id
from tieout.adapters.doors.mailbox.settings import Settings
from tieout.adapters.ports.door import Arrived
from tieout.adapters.ports.errors import NeedsPerson, TryLater

BATCH = 25
#: Larger mails are taken up to here and set aside for a person.
LARGEST = 30 * 1024 * 1024


def fetch(settings: Settings, cursor: Mapping[str, Any]) -> Iterator[Arrived]:
    """Mails after `cursor`, by rising UID. Raises TryLater and NeedsPerson."""
    with _session(settings) as client:
        try:
            state = client.select_folder(settings.folder, readonly=True)
        except IMAPClientError as error:
            raise NeedsPerson(f"the folder {settings.folder} cannot be opened: {error}") from error
        validity = int(state.get(b"UIDVALIDITY", 0))
        known = int(cursor.get("uid", 0)) if cursor.get("uid_validity") == validity else 0
        with _named():
            # "n:*" always holds the newest mail, even one below n.
            uids = sorted(uid for uid in client.search(["UID", f"{known + 1}:*"]) if uid > known)
            for start in range(0, len(uids), BATCH):
                yield from _taken(client, uids[start : start + BATCH], validity)


def _taken(client: IMAPClient, uids: list[int], validity: int) -> Iterator[Arrived]:
    sizes = client.fetch(uids, ["RFC822.SIZE"])
    for uid in uids:
        size = int(sizes.get(uid, {}).get(b"RFC822.SIZE", 0))
        whole = size <= LARGEST
        part = "BODY.PEEK[]" if whole else f"BODY.PEEK[]<0.{LARGEST}>"
        answer = client.fetch([uid], [part]).get(uid)
        if answer is None:
            continue  # deleted by somebody between the two questions
        content = next((value for key, value in answer.items() if key.startswith(b"BODY[]")), b"")
        yield Arrived(external_id=external_id(content), cursor={"uid_validity": validity, "uid": uid}, content=content, whole=whole)


@contextlib.contextmanager
def _session(settings: Settings) -> Iterator[IMAPClient]:
    where = f"{settings.host}:{settings.port}"
    with _named(where):
        context = ssl.create_default_context()
        client = IMAPClient(settings.host, settings.port, ssl=settings.security == "tls", ssl_context=context, timeout=settings.timeout)
        if settings.security == "starttls":
            client.starttls(context)
        try:
            client.login(settings.user, settings.password)
        except LoginError:
            client.shutdown()
            raise NeedsPerson(f"the mailbox at {where} did not accept the user name and password") from None
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):
            client.logout()


@contextlib.contextmanager
def _named(where: str = "the mailbox") -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise NeedsPerson(f"the certificate of {where} is not valid: {error.verify_message}") from error
    except (IMAPClientError, OSError) as error:
        raise TryLater(f"{where} cannot be read now: {error}") from error
