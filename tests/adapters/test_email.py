"""Letters over a real SMTP server: what they carry, and how far each came when the server misbehaves."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from hypothesis import given
from hypothesis import strategies as st

from tieout.adapters.ports import registry
from tieout.adapters.ports.channel import Attachment, Letter, OutcomeUnknown
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, TryLater

EMAIL = registry.channels()["email"]


def letter(**fields: Any) -> Letter:
    """A plain letter to Brightwater; `fields` change it."""
    return Letter(**{
        "message_id": "<abc.def@marrowlane.example>", "date": dt.datetime(2026, 6, 10, 9, 30, tzinfo=dt.UTC), "to_address": "ap@brightwater.example",
        "sender_name": "Marrow Lane Studio", "sender_address": "ar@marrowlane.example", "return_address": "ar+0a@marrowlane.example",
        "subject": "Invoice 7", "text": "Hello\n", **fields})  # fmt: skip


class Desk:
    """An SMTP server that answers as it is told, and keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.answers: dict[str, str] = {}

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 ok")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        answer = self.answers.get(address, self.answers.get("RCPT", "250 ok"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.get("DATA", "250 taken")
        if answer.startswith("250"):
            self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return answer


@contextlib.contextmanager
def serving(desk: Desk, **options: Any) -> Iterator[dict[str, Any]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(desk, hostname="127.0.0.1", port=port, **options)
    server.start()
    try:
        yield {"host": "127.0.0.1", "port": port, "security": "none"}
    finally:
        server.stop()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def server(desk: Desk) -> Iterator[dict[str, Any]]:
    with serving(desk) as settings:
        yield settings


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_letter_arrives_with_everything_that_lets_it_be_answered_or_ended(desk: Desk, server: dict[str, Any]) -> None:
    sent = letter(
        subject="Überfällig: 3 Rechnungen", text="Grüße\n.\n.punkt\n" + "x" * 3000, html="<p>Grüße</p>",
        references=("<1@m.example>", "<2@m.example>"),
        unsubscribe_url="https://m.example/o/00/", unsubscribe_address="ar+0a@marrowlane.example", sender_name="Märrow, Lane",
        attachments=(Attachment(name="statement.pdf", media_type="application/pdf", content=bytes(range(256)) * 40),),
    )  # fmt: skip
    with EMAIL.open(server) as line:
        assert line.send(sent).startswith("250")
    (mail_from, recipients, content) = desk.taken[0]
    assert (mail_from, recipients) == ("ar+0a@marrowlane.example", ["ap@brightwater.example"])
    got = read(content)
    assert got["Subject"] == sent.subject
    assert got["Message-ID"] == sent.message_id
    assert got["In-Reply-To"] == "<2@m.example>"
    assert got["References"] == "<1@m.example> <2@m.example>"
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert got["List-Unsubscribe"] == "<https://m.example/o/00/>, <mailto:ar+0a@marrowlane.example?subject=unsubscribe>"
    assert got["From"].addresses[0].display_name == "Märrow, Lane"
    assert got["Reply-To"].addresses[0].addr_spec == "ar+0a@marrowlane.example"
    plain, html = got.get_body(("plain",)), got.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n").rstrip() == sent.text.rstrip()
    assert html.get_content().strip() == "<p>Grüße</p>"
    assert [part.get_content() for part in got.iter_attachments()] == [sent.attachments[0].content]


def test_one_line_carries_a_batch_and_a_refusal_spoils_nothing(desk: Desk, server: dict[str, Any]) -> None:
    desk.answers["gone@brightwater.example"] = "550 5.1.1 no such user"
    with EMAIL.open(server) as line:
        line.send(letter())
        with pytest.raises(BadRecord) as refused:
            line.send(letter(to_address="gone@brightwater.example"))
        line.send(letter(message_id="<second@m.example>"))
    assert refused.value.field == "to" or "gone@brightwater.example" in str(refused.value)
    assert len(desk.taken) == 2


@pytest.mark.parametrize(
    ("step", "answer", "error"),
    [
        pytest.param("MAIL", "550 5.7.1 not your domain", NeedsPerson, id="our own sender is not allowed: a person mends the settings"),
        pytest.param("MAIL", "451 4.3.0 busy", TryLater, id="busy at the beginning: later"),
        pytest.param("RCPT", "550 5.1.1 no such user", BadRecord, id="the recipient does not exist: never"),
        pytest.param("RCPT", "450 4.2.1 greylisted", TryLater, id="greylisted: later"),
        pytest.param("DATA", "554 5.7.1 spam", BadRecord, id="refused after reading: never"),
        pytest.param("DATA", "452 4.3.1 disk full", TryLater, id="not taken after reading: later"),
    ],
)
def test_the_servers_word_decides_what_happens_next(desk: Desk, server: dict[str, Any], step: str, answer: str, error: type[Exception]) -> None:
    desk.answers[step] = answer
    with EMAIL.open(server) as line, pytest.raises(error) as raised:
        line.send(letter())
    assert not isinstance(raised.value, OutcomeUnknown)
    assert answer[:3] in str(raised.value)


def test_only_a_refused_recipient_speaks_of_the_address(desk: Desk, server: dict[str, Any]) -> None:
    for step, answer, field in (("RCPT", "550 5.1.1 no", "to"), ("RCPT", "550 5.7.1 you are blocked", None), ("DATA", "550 no", None)):
        desk.answers = {step: answer}
        with EMAIL.open(server) as line, pytest.raises(BadRecord) as refused:
            line.send(letter())
        assert refused.value.field == field


def _scripted(script: list[tuple[bytes, bytes | None]]) -> tuple[int, Callable[[], None]]:
    """A server that says its lines and then hangs up where the script says None."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as stream:
                    connection.settimeout(10)
                    connection.sendall(b"220 ready\r\n")
                    _play(connection, stream, script)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1], listener.close


def _play(connection: socket.socket, stream: Any, script: list[tuple[bytes, bytes | None]]) -> None:
    for expected, answer in script:
        while True:
            line = stream.readline()
            if not line or line.upper().startswith(expected) or (expected == b"." and line == b".\r\n"):
                break
        if answer is None or not line:
            return
        connection.sendall(answer)
    stream.readline()


_POLITE: list[tuple[bytes, bytes | None]] = [(b"EHLO", b"250 ok\r\n"), (b"MAIL", b"250 ok\r\n"), (b"RCPT", b"250 ok\r\n")]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param([*_POLITE[:2], (b"RCPT", None)], TryLater, id="gone before the text: not sent, later"),
        pytest.param([*_POLITE, (b"DATA", None)], TryLater, id="gone instead of asking for the text: not sent, later"),
        pytest.param([*_POLITE, (b"DATA", b"354 go\r\n"), (b".", None)], OutcomeUnknown, id="gone after the text: nobody knows"),
        pytest.param([*_POLITE, (b"DATA", b"354 go\r\n"), (b".", b"what?\r\n")], OutcomeUnknown, id="an answer without sense: nobody knows"),
        pytest.param([*_POLITE, (b"DATA", b"354 go\r\n"), (b".", b"250 taken\r\n")], None, id="taken"),
    ],
)
def test_where_the_line_breaks_decides_what_is_known(script: list[tuple[bytes, bytes | None]], error: type[Exception] | None) -> None:
    port, close = _scripted(script)
    try:
        with EMAIL.open({"host": "127.0.0.1", "port": port, "security": "none", "timeout": 3}) as line:
            if error is None:
                assert line.send(letter()) == "250 taken"
            else:
                with pytest.raises(error):
                    line.send(letter())
    finally:
        close()


def test_a_server_that_never_answers_is_given_up_in_time() -> None:
    port, close = _scripted([*_POLITE, (b"DATA", b"354 go\r\n"), (b".", b""), (b"NEVER", None)])
    try:
        begun = dt.datetime.now(dt.UTC)
        with EMAIL.open({"host": "127.0.0.1", "port": port, "security": "none", "timeout": 1}) as line, pytest.raises(OutcomeUnknown):
            line.send(letter())
        assert dt.datetime.now(dt.UTC) - begun < dt.timedelta(seconds=4)
    finally:
        close()


def test_nobody_listening_is_for_later() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(TryLater, match="cannot be reached"), EMAIL.open({"host": "127.0.0.1", "port": port, "security": "none"}):
        pass


def test_a_server_without_encryption_is_refused_where_it_is_asked_for(server: dict[str, Any]) -> None:
    with pytest.raises(NeedsPerson, match="does not offer"), EMAIL.open({**server, "security": "starttls"}):
        pass


def test_a_wrong_password_is_for_a_person_and_never_shown(desk: Desk) -> None:
    with serving(desk, auth_require_tls=False, auth_callback=lambda *_: False) as settings, pytest.raises(NeedsPerson) as refused, EMAIL.open(
        {**settings, "user": "ar", "password": "hunter2-secret"}
    ):
        pass
    assert "user name and password" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"port": 25}, "host", id="no server"),
        pytest.param({"host": "m.example", "port": 99999}, "port 99999", id="a port that does not exist"),
        pytest.param({"host": "m.example", "security": "rot13"}, "rot13", id="an unknown encryption"),
        pytest.param({"host": "m.example", "security": "none", "user": "a", "password": "b"}, "open line", id="a password in the open"),
        pytest.param({"host": "m.example", "timeout": 30}, "under ten seconds", id="more time than the send gate allows"),
    ],
)
def test_settings_are_refused_early_and_in_words(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(NeedsPerson, match=said):
        EMAIL.check(settings)


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        pytest.param({"to_address": "a@x.example, evil@z.example"}, BadRecord, "one plain address", id="two addresses in one"),
        pytest.param({"to_address": "a@x.example\r\nBcc: evil@z.example"}, BadRecord, "one plain address", id="a header in the address"),
        pytest.param({"sender_name": "Marrow\r\nBcc: evil@z.example"}, NeedsPerson, "line break", id="a header in the sender's name"),
        pytest.param({"return_address": "+0a@", "sender_address": ""}, NeedsPerson, "give one in Settings", id="no address of our own"),
        pytest.param({"message_id": "<a@b>\r\nX: y"}, BadRecord, "line break", id="a header in the message id"),
    ],
)
def test_nothing_can_add_a_header_or_a_recipient(
    desk: Desk, server: dict[str, Any], fields: dict[str, Any], error: type[Exception], said: str
) -> None:
    with EMAIL.open(server) as line, pytest.raises(error, match=said):
        line.send(letter(**fields))
    assert desk.taken == []


def test_a_domain_beyond_ascii_goes_over_the_wire_as_idna(desk: Desk, server: dict[str, Any]) -> None:
    with EMAIL.open(server) as line:
        line.send(letter(to_address="ap@müller.example"))
    assert desk.taken[0][1] == ["ap@xn--mller-kva.example"]


def test_a_local_part_beyond_ascii_needs_a_server_that_takes_it(desk: Desk, server: dict[str, Any]) -> None:
    jurgen = letter(to_address="jürgen@brightwater.example")
    with EMAIL.open(server) as line:
        line.send(jurgen)
    assert desk.taken[0][1] == ["jürgen@brightwater.example"]
    with serving(desk, enable_SMTPUTF8=False) as old, EMAIL.open(old) as line, pytest.raises(BadRecord, match="beyond ASCII"):
        line.send(jurgen)


@given(
    st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=300),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\0")),
)
def test_every_text_and_subject_survives_the_wire(subject: str, text: str) -> None:
    from tieout.adapters.channels.email.compose import as_bytes

    got = read(as_bytes(letter(subject=subject, text=text)))
    body = got.get_body(("plain",))
    assert body is not None
    raw = body.get_payload(decode=True)
    assert isinstance(raw, bytes)
    assert raw.decode().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
    if subject.isascii():
        assert str(got["Subject"]).split() == subject.split()
