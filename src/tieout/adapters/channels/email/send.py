"""Hand letters to a mail server over one connection, and say exactly how far each came (RFC 5321).

Up to the end of the text the server has taken nothing, so a failure there is "not sent". From the first byte of the text
until its answer nobody can tell: that, and only that, is `OutcomeUnknown`.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
import time
from collections.abc import Iterator

from tieout.adapters.channels.email.compose import as_bytes, ascii_address
from tieout.adapters.channels.email.settings import Settings
from tieout.adapters.ports.channel import Letter, OutcomeUnknown
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, TryLater

_GONE = (smtplib.SMTPServerDisconnected, OSError)


class Line:
    """An open connection. After an answer it cannot recover from it is closed, and the next letter opens it again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._smtp: smtplib.SMTP | None = None

    def send(self, letter: Letter) -> str:
        content = as_bytes(letter)
        until = time.monotonic() + self.settings.timeout
        smtp = self._ready(until)
        try:
            self._offer(smtp, letter, until)
        except _GONE as error:
            self.close()
            raise TryLater(f"the mail server went away before it took the text: {error}") from error
        return self._hand_over(smtp, content, until)

    def _ready(self, until: float) -> smtplib.SMTP:
        if self._smtp is None:
            self._smtp = _connect(self.settings, until)
        return self._smtp

    def _offer(self, smtp: smtplib.SMTP, letter: Letter, until: float) -> None:
        sender, recipient = ascii_address(letter.return_address), ascii_address(letter.to_address)
        options = ""
        if not (sender + recipient).isascii():
            if not smtp.has_extn("smtputf8"):
                raise BadRecord(f"the mail server cannot write to {recipient}: it takes no letters beyond ASCII in addresses", field="to")
            options = " SMTPUTF8 BODY=8BITMIME"
            smtp.command_encoding = "utf-8"
        _allow(smtp, until)
        # Written out: the library parses both addresses again for each letter, which took a fifth of the time of a letter.
        self._taken(smtp.docmd("MAIL", f"FROM:<{sender}>{options}"), NeedsPerson, f"the mail server does not take mail from {sender}")
        _allow(smtp, until)
        self._taken(smtp.docmd("RCPT", f"TO:<{recipient}>"), BadRecord, f"the mail server refused {recipient}", field="to")
        _allow(smtp, until)
        smtp.putcmd("data")
        code, said = smtp.getreply()
        if code != 354:
            self._taken((code, said), BadRecord, "the mail server refused the message")

    def _hand_over(self, smtp: smtplib.SMTP, content: bytes, until: float) -> str:
        try:
            _allow(smtp, until)
            smtp.send(_dotted(content))
            code, said = smtp.getreply()
        except _GONE as error:
            self.close()
            raise OutcomeUnknown(f"the text was handed over and no answer came: {error}") from error
        if code == -1:
            self.close()
            raise OutcomeUnknown(f"the text was handed over and the answer makes no sense: {_words(said)}")
        self._taken((code, said), BadRecord, "the mail server refused the message after reading it")
        return f"{code} {_words(said)}"

    def _taken(self, answer: tuple[int, bytes], refused: type[BadRecord | NeedsPerson], sentence: str, *, field: str | None = None) -> None:
        code, said = answer
        if 200 <= code < 300:
            return
        self._begin_again()
        if code == -1:
            raise smtplib.SMTPServerDisconnected("no answer")
        if 400 <= code < 500:
            raise TryLater(f"{sentence}, for now: {code} {_words(said)}")
        words = f"{sentence}: {code} {_words(said)}"
        if refused is NeedsPerson:
            raise NeedsPerson(words)
        # 5.7.x is the server's policy about us (RFC 3463): it says nothing against the address.
        raise BadRecord(words, field=None if b"5.7." in said else field)

    def _begin_again(self) -> None:
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except (smtplib.SMTPException, OSError):
                self.close()

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def part(self) -> None:
        """Say good-bye where that is still possible."""
        if self._smtp is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                _allow(self._smtp, time.monotonic() + 1)
                self._smtp.quit()
        self.close()


@contextlib.contextmanager
def line(settings: Settings) -> Iterator[Line]:
    """A line for one batch. Raises TryLater where the server is away, NeedsPerson where it does not let us in."""
    open_line = Line(settings)
    open_line._ready(time.monotonic() + settings.timeout)
    try:
        yield open_line
    finally:
        open_line.part()


def _connect(settings: Settings, until: float) -> smtplib.SMTP:
    wait = max(0.1, until - time.monotonic())
    where = f"{settings.host}:{settings.port}"
    try:
        if settings.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=wait, context=ssl.create_default_context())
        else:
            smtp = smtplib.SMTP(settings.host, settings.port, timeout=wait)
        smtp.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        if settings.user:
            smtp.login(settings.user, settings.password)
    except ssl.SSLCertVerificationError as error:
        raise NeedsPerson(f"the certificate of {where} is not valid: {error.verify_message}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise NeedsPerson(f"{where} does not offer what the settings ask for: {error}") from error
    except smtplib.SMTPAuthenticationError as error:
        if 400 <= error.smtp_code < 500:
            raise TryLater(f"{where} did not let us in, for now: {error.smtp_code}") from error
        raise NeedsPerson(f"{where} did not accept the user name and password ({error.smtp_code})") from None
    except (smtplib.SMTPException, OSError) as error:
        raise TryLater(f"the mail server {where} cannot be reached: {error}") from error
    return smtp


def _allow(smtp: smtplib.SMTP, until: float) -> None:
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("the connection is closed")
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for this letter ran out")
    smtp.sock.settimeout(left)


def _dotted(content: bytes) -> bytes:
    # Lines that begin with a dot get a second one (RFC 5321, 4.5.2).
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n")


def _words(said: bytes) -> str:
    return said.decode("utf-8", "replace").replace("\n", " ")[:300]
