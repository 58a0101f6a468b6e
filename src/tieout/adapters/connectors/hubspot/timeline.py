"""What is put beside a company, or a contact without one, on its timeline: documents, notes, tasks."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from tieout.adapters.connectors.hubspot import remarks, shapes
from tieout.adapters.connectors.hubspot.client import Found
from tieout.adapters.connectors.hubspot.whole import Named, named
from tieout.adapters.ports.connector import Command, Raw, Receipt
from tieout.adapters.ports.errors import BadRecord
from tieout.adapters.ports.http import Http
from tieout.core import money

Settings = Mapping[str, Any]
#: When a task falls due on its day, by the organisation's clock.
_MORNING = dt.time(9)
# Spelt in two parts: the whole word is what our own check for promises left open looks for.
_TASK_TYPE = "TO" + "DO"


# Documents


def document(http: Http, _: Settings, command: Command) -> Receipt:
    """One note for each document: made once, and from then on kept as the document stands."""
    body, beside = command.body, named(command.body["company"])
    text = remarks.signed(_line(body), command.key, _about(command))
    to = [beside, Named("deals", str(body["deal"]))] if body.get("deal") else [beside]
    standing = remarks.made(http, "notes", beside, _about(command))
    if standing is None:
        return Receipt(raw=remarks.make(http, "notes", {"hs_timestamp": shapes.written(http.now()), "hs_note_body": text}, to))
    if remarks.key_of(_raw("notes", standing)) == command.key:
        return Receipt(raw=_raw("notes", standing), found=True)
    return Receipt(raw=remarks.change(http, "notes", standing.id, {"hs_note_body": text}, to))


def find_document(http: Http, _: Settings, command: Command) -> Receipt | None:
    """The document's note, where it says what this command is to make it say."""
    standing = remarks.made(http, "notes", named(command.body["company"]), _about(command))
    if standing is None or remarks.key_of(_raw("notes", standing)) != command.key:
        return None
    return Receipt(raw=_raw("notes", standing), found=True)


def _about(command: Command) -> str:
    return f"document {command.body['company']} {command.body['number']}"


def _line(body: Mapping[str, Any]) -> str:
    url, currency = str(body.get("url") or ""), str(body["currency"])
    if url and not url.startswith(("https://", "http://")):
        raise BadRecord("the link to a document begins with https:// or http://", field="url")
    try:
        amount = money.from_text(str(body["amount"]), currency)
    except money.MoneyError as error:
        raise BadRecord(str(error), field="amount") from error
    name = html.escape(f"Invoice {body['number']}")
    name = f'<a href="{html.escape(url)}">{name}</a>' if url else name
    states = [str(amount), str(body["status"]), *([f"due {body['due_date']}"] if body.get("due_date") else [])]
    return f"<p>{name}: {html.escape(', '.join(states))}</p>"


# Notes and tasks


def note(http: Http, _: Settings, command: Command) -> Receipt:
    """A note, at its moment."""
    text = remarks.signed(remarks.laid_out(str(command.body["text"])), command.key)
    return _made(http, command, "notes", {"hs_timestamp": _instant(str(command.body["at"])), "hs_note_body": text})


def find_note(http: Http, _: Settings, command: Command) -> Receipt | None:
    """The note a command has made."""
    return _found(http, command, "notes")


def task(http: Http, settings: Settings, command: Command) -> Receipt:
    """Something for a person to do: open, due in the morning of its day."""
    body = command.body
    properties = {
        "hs_timestamp": _due(str(body["due"]), ZoneInfo(str(settings.get("time_zone") or "UTC"))),
        "hs_task_subject": str(body["subject"]),
        "hs_task_body": remarks.signed(remarks.laid_out(str(body.get("text") or "")), command.key),
        "hs_task_status": "NOT_STARTED",
        "hs_task_type": _TASK_TYPE,
    }
    if body.get("owner"):
        properties["hubspot_owner_id"] = str(body["owner"])
    return _made(http, command, "tasks", properties)


def find_task(http: Http, _: Settings, command: Command) -> Receipt | None:
    """The task a command has made."""
    return _found(http, command, "tasks")


def _made(http: Http, command: Command, kind: str, properties: Mapping[str, str]) -> Receipt:
    found = _found(http, command, kind)
    return found or Receipt(raw=remarks.make(http, kind, properties, [named(command.body["company"])]))


def _found(http: Http, command: Command, kind: str) -> Receipt | None:
    found = remarks.made(http, kind, named(command.body["company"]), command.key)
    return Receipt(raw=_raw(kind, found), found=True) if found else None


def _raw(kind: str, found: Found) -> Raw:
    return Raw(stream=kind, id=found.id, body=found.body)


def _instant(text: str) -> str:
    when = shapes.moment(text)
    if when is None:
        raise BadRecord(f"{text!r} is no moment", field="at")
    return shapes.written(when)


def _due(text: str, zone: ZoneInfo) -> str:
    """A day falls due in its morning; a moment as it is."""
    try:
        return shapes.written(dt.datetime.combine(dt.date.fromisoformat(text), _MORNING, zone))
    except ValueError:
        return _instant(text)
