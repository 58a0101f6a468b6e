"""The mailbox: read by UID from a real IMAP server and never changed, and what each kind of mail says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import imap
from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, TryLater

BOX = registry.doors()["mailbox"]


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    with imap.serving() as settings:
        yield settings


def mail(text: str = "We pay on Friday.", **headers: str) -> bytes:
    message = EmailMessage()
    given = {"From": "Jane <ap@brightwater.example>", "To": "ar@marrowlane.example", "Subject": "Re: Invoice 7", "Message-ID": "<r1@b.example>"}
    for name, value in {**given, **headers}.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message.as_bytes()


def test_mails_come_by_rising_uid_from_the_cursor_on_and_stay_unread(server: dict[str, Any]) -> None:
    start = [one.cursor for one in BOX.fetch(server, {})]
    cursor = start[-1] if start else {}
    first, second = mail("one", **{"Message-ID": "<1@b>"}), mail("two", **{"Message-ID": "<2@b>"})
    imap.append(server, first, second)
    got = list(BOX.fetch(server, cursor))
    assert [BOX.read(one.content).text for one in got] == ["one", "two"]
    assert [one.external_id.split("#")[0] for one in got] == ["<1@b>", "<2@b>"]
    assert list(BOX.fetch(server, got[-1].cursor)) == []
    again = list(BOX.fetch(server, got[0].cursor))
    assert [one.external_id for one in again] == [got[1].external_id]
    with imap.logged_in(server) as client:
        client.select_folder("INBOX", readonly=True)
        flags = client.get_flags(client.search())
        assert all(b"\\Seen" not in f for f in flags.values())


def test_another_uidvalidity_means_everything_again_under_the_same_names(server: dict[str, Any]) -> None:
    imap.append(server, mail("kept"))
    names = [one.external_id for one in BOX.fetch(server, {})]
    assert [one.external_id for one in BOX.fetch(server, {"uid_validity": 1, "uid": 10_000})] == names


def test_another_mail_under_a_borrowed_message_id_has_another_name() -> None:
    from tieout.adapters.doors.mailbox.names import external_id

    assert external_id(mail("one")) != external_id(mail("two"))
    assert external_id(mail("one")) == external_id(mail("one"))


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        pytest.param({"password": "wrong-password"}, NeedsPerson, "user name and password", id="a wrong password"),
        pytest.param({"folder": "Nowhere"}, NeedsPerson, "Nowhere", id="a folder that is not there"),
        pytest.param({"port": 9}, TryLater, "cannot be read now", id="nobody listening"),
        pytest.param({"security": "none", "host": "mail.example"}, NeedsPerson, "open line", id="a password in the open"),
        pytest.param({"host": ""}, NeedsPerson, "IMAP server is missing", id="no server"),
    ],
)
def test_what_keeps_a_mailbox_from_being_read_is_said(server: dict[str, Any], change: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as raised:
        list(BOX.fetch({**server, **change}, {}))
    assert "wrong-password" not in str(raised.value)


def test_a_directory_of_this_machine_is_read_the_same_way(tmp_path: Path) -> None:
    from tieout.rehearsal import catcher

    settings = catcher.mailbox(tmp_path)
    now = dt.datetime(2026, 6, 10, 9, tzinfo=dt.UTC)
    for n in range(3):
        catcher.deliver(tmp_path, mail(f"mail {n}", **{"Message-ID": f"<{n}@b>"}), now=now)
    got = list(BOX.fetch(settings, {}))
    assert [BOX.read(one.content).text for one in got] == ["mail 0", "mail 1", "mail 2"]
    assert len(list(BOX.fetch(settings, got[0].cursor))) == 2
    with pytest.raises(NeedsPerson, match="not there"):
        list(BOX.fetch({"scheme": "maildir", "path": str(tmp_path / "none")}, {}))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("We pay Friday.\n\nOn Wed, 10 Jun 2026 at 09:30, Marrow <a@b.example> wrote:\n> Hello\n", "We pay Friday.", id="English reply"),
        pytest.param("Danke!\n\nAm 10.06.2026 um 09:30 schrieb Marrow <a@b.example>:\n> Hallo\n", "Danke!", id="German reply"),
        pytest.param("> is this right?\nNo, we got only half.\n", "No, we got only half.", id="answers between the lines"),
        pytest.param("Yes.\n-- \nJane Doe\nAccounts\n", "Yes.", id="a signature"),
        pytest.param("> everything\n> is quoted\n", "> everything\n> is quoted", id="nothing new: all of it counts"),
        pytest.param("Paid on 1 June.", "Paid on 1 June.", id="no quote at all"),
    ],
)
def test_only_what_was_written_now_is_kept(text: str, kept: str) -> None:
    assert BOX.read(mail(text)).reply_text == kept


@pytest.mark.parametrize(
    ("headers", "automatic"),
    [
        pytest.param({"Auto-Submitted": "auto-replied"}, True, id="marked by the standard"),
        pytest.param({"Auto-Submitted": "no"}, False, id="marked as a person's"),
        pytest.param({"X-Autoreply": "yes"}, True, id="marked the old way"),
        pytest.param({"Precedence": "auto_reply"}, True, id="marked by precedence"),
        pytest.param({"Subject": "Automatic reply: Invoice 7"}, True, id="English absence notice"),
        pytest.param({"Subject": "Out of office: back on Monday"}, True, id="out of office"),
        pytest.param({"Subject": "Abwesenheitsnotiz: Rechnung 7"}, True, id="German absence notice"),
        pytest.param({"Subject": "Re: Out of stock items"}, False, id="a person writing of stock"),
        pytest.param({"Subject": "Automatic door invoice"}, False, id="a person writing of doors"),
    ],
)
def test_a_machines_answer_is_told_from_a_persons(headers: dict[str, str], automatic: bool) -> None:
    assert bool(BOX.read(mail("I am away.", **headers)).automatic) is automatic


@pytest.mark.parametrize(
    ("subject", "text", "stops"),
    [
        pytest.param("Re: Invoice 7", "Unsubscribe", True, id="one word"),
        pytest.param("Re: Invoice 7", "Please unsubscribe me.", True, id="politely"),
        pytest.param("Re: Rechnung 7", "Bitte abmelden!", True, id="in German"),
        pytest.param("Re: Invoice 7", "STOP\n\nOn Wed, 10 Jun 2026 at 09:30, Marrow <a@b.example> wrote:\n> Hello\n", True, id="above a quote"),
        pytest.param("unsubscribe", "", True, id="the mail a mail program writes"),
        pytest.param("Re: Invoice 7", "Please stop the delivery of the chairs, we pay the rest.", False, id="about a delivery"),
        pytest.param("unsubscribe", "Why do you ask? We have paid.", False, id="a question under that subject"),
        pytest.param("Re: Invoice 7", "We want to unsubscribe from the service but will pay invoice 7", False, id="about the contract"),
    ],
)
def test_only_the_plain_wish_ends_the_mails(subject: str, text: str, stops: bool) -> None:
    assert BOX.read(mail(text, Subject=subject)).unsubscribe is stops


def report(*, action: str = "failed", status: str = "5.1.1", kind: str = "message/delivery-status") -> bytes:
    return (
        "From: Mail Delivery System <mailer-daemon@mx.example>\r\nTo: ar+0123456789abcdef0123456789abcdef@marrowlane.example\r\nReturn-Path: <>\r\n"
        "Subject: Undelivered Mail\r\nMessage-ID: <d@mx.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\r\n'
        f"--b\r\nContent-Type: {kind}\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ap@brightwater.example\r\n"
        f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 {status} no such user\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <ours@marrowlane.example>\r\nSubject: x\r\n\r\nHello\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("content", "hard"),
    [
        pytest.param(report(), True, id="no such user"),
        pytest.param(report(status="4.2.2"), False, id="mailbox full, given up: the address may be good"),
        pytest.param(report(action="delayed", status="4.4.1"), False, id="delayed"),
        pytest.param(report(action="delivered", status="2.0.0"), None, id="a receipt is no bounce"),
    ],
)
def test_a_delivery_report_says_whether_the_address_is_dead(content: bytes, hard: bool | None) -> None:
    bounce = BOX.read(content).bounce
    if hard is None:
        assert bounce is None
        return
    assert bounce is not None
    assert (bounce.hard, bounce.addresses, bounce.message_id) == (hard, ("ap@brightwater.example",), "<ours@marrowlane.example>")


def test_a_bounce_older_than_the_standard_is_read_too() -> None:
    qmail = (
        b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: ar@marrowlane.example\r\nSubject: failure notice\r\nMessage-ID: <q@mx>\r\n\r\n"
        b"Hi. This is the qmail-send program at mx.example.\r\nI'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
        b"This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
        b"<ap@brightwater.example>:\r\nno mailbox here by that name.\r\n\r\n"
        b"--- Below this line is a copy of the message.\r\n\r\nMessage-ID: <ours@marrowlane.example>\r\n"
    )
    bounce = BOX.read(qmail).bounce
    assert bounce is not None
    assert (bounce.hard, bounce.addresses, bounce.message_id) == (True, ("ap@brightwater.example",), "<ours@marrowlane.example>")


def test_a_person_who_quotes_a_bounce_is_still_a_person() -> None:
    said = BOX.read(mail("We got this back:\n\nThis is a permanent error; I've given up.\n<ap@brightwater.example>:\nno mailbox here by that name."))
    assert said.bounce is None
    assert said.automatic == ""


def test_what_a_mail_answers_and_whom_it_was_given_to() -> None:
    to = {"To": "Marrow <AR+0a@Marrowlane.example>", "Delivered-To": "box@marrowlane.example"}
    got = BOX.read(mail(**{"In-Reply-To": "<b@m>", "References": "<a@m> <b@m>", **to}))
    assert got.answers == ("<b@m>", "<a@m>")
    assert got.recipients == ("ar+0a@marrowlane.example", "box@marrowlane.example")
    assert (got.sender, got.sender_name) == ("ap@brightwater.example", "Jane")


def test_a_mail_of_html_alone_is_read_as_text() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "ap@brightwater.example", "Re"
    html = "<html><head><style>p{}</style></head><body><p>We pay <b>Friday</b>.</p><blockquote>Hello</blockquote></body></html>"
    message.set_content(html, subtype="html")
    got = BOX.read(message.as_bytes())
    assert got.reply_text == "We pay Friday."


@pytest.mark.parametrize("content", [pytest.param(b"", id="nothing"), pytest.param(b"\x00\xff\xfe", id="no mail at all")])
def test_what_is_no_mail_is_refused(content: bytes) -> None:
    with pytest.raises(BadRecord):
        BOX.read(content)


@given(st.binary(max_size=2000))
def test_no_bytes_make_the_reader_fall_over(body: bytes) -> None:
    got = BOX.read(b"From: a@b.example\r\nSubject: x\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n" + body)
    assert got.sender == "a@b.example"
    assert "\0" not in got.text


@given(st.text(max_size=400))
def test_nothing_a_header_holds_makes_the_reader_fall_over(value: str) -> None:
    raw = value.encode("utf-8", "surrogatepass").replace(b"\n", b" ").replace(b"\r", b" ")
    names = ("From", "To", "Subject", "Date", "In-Reply-To", "References", "Message-ID", "Auto-Submitted", "Content-Disposition")
    content = b"".join(name.encode() + b": " + raw + b"\r\n" for name in names) + b"\r\nHi\r\n"
    assert BOX.read(content).text in ("Hi", "")  # a disposition that says attachment makes it one
