"""Notes and tasks as HubSpot keeps them. It knows no key for them, so each carries ours as a line of its text, and is looked for by
it before it is made."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping, Sequence

from tieout.adapters.connectors.hubspot import client, shapes
from tieout.adapters.connectors.hubspot.client import Found
from tieout.adapters.connectors.hubspot.whole import Named
from tieout.adapters.ports.connector import Raw
from tieout.adapters.ports.http import Http

#: Where the text of each kind stands.
TEXT: Mapping[str, str] = {"notes": "hs_note_body", "tasks": "hs_task_body"}
#: HubSpot's numbers of the plain associations from a note or a task.
_TO: Mapping[tuple[str, str], int] = {
    ("notes", "companies"): 190, ("notes", "contacts"): 202, ("notes", "deals"): 214,
    ("tasks", "companies"): 192, ("tasks", "contacts"): 204,
}  # fmt: skip
#: What the index does not know yet is among the newest beside a company.
_NEWEST = 100
_LINE = re.compile(r"Tieout: (?P<key>[^<]+?) (?P<mark>tieout[0-9a-f]{20})\b")


def mark(key: str) -> str:
    """A key as one word, which every index takes for one whatever stands in the key."""
    return f"tieout{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def signed(body: str, key: str, *further: str) -> str:
    """Text in HTML with the line by which it is found again. `further` are keys of what it is about, which outlive this one."""
    return f"{body}<p>Tieout: {html.escape(key)} {' '.join(mark(one) for one in (key, *further))}</p>"


def laid_out(text: str) -> str:
    """Plain text as HTML, with its paragraphs and lines."""
    return "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>" for part in re.split(r"\n\s*\n", text.strip()) if part)


def key_of(raw: Raw) -> str:
    """The key in a note or task of ours; empty where it is not ours."""
    properties = client.inside(client.loosely(raw.body), "properties")
    for found in _LINE.finditer(str(properties.get(TEXT[raw.stream]) or "")):
        key = html.unescape(found["key"])
        if mark(key) == found["mark"]:
            return key
    return ""


def made(http: Http, kind: str, where: Named, key: str) -> Found | None:
    """The note or task that carries a key: by the search, and where its index is late, among the newest beside the record.

    Raises BadRecord where that record is not there.
    """
    wanted = mark(key)
    filters = [{"propertyName": TEXT[kind], "operator": "CONTAINS_TOKEN", "value": wanted}]
    hits = client.searched(http, kind, filters=filters, sort="hs_object_id", priority="write").found
    # The index may still show what was deleted: only what is there counts.
    found = _carrying(http, kind, [one.id for one in hits], wanted)
    if found is None:
        newest = sorted(client.tied(http, where.kind, where.id, kind), key=int)[-_NEWEST:]
        found = _carrying(http, kind, newest, wanted)
    return found


def _carrying(http: Http, kind: str, ids: Sequence[str], wanted: str) -> Found | None:
    there = client.read(http, kind, ids, priority="write")
    return next((one for one in there.values() if wanted in str(one.head.properties.get(TEXT[kind]) or "")), None)


def make(http: Http, kind: str, properties: Mapping[str, str], to: Sequence[Named]) -> Raw:
    """A new note or task beside these records. Raises OutcomeUnknown: it cannot be asked for twice."""
    ties = [{"to": {"id": one.id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": _TO[kind, one.kind]}]} for one in to]
    answer = client.good(http.send("POST", f"{client.OBJECTS}/{kind}", json={"properties": properties, "associations": ties}))
    return Raw(stream=kind, id=client.decoded(answer, shapes.Head).id, body=answer.content)


def change(http: Http, kind: str, ident: str, properties: Mapping[str, str], to: Sequence[Named]) -> Raw:
    """Other words on a note or task, and its place beside these records where it had none. Twice is once."""
    answer = client.good(http.send("PATCH", f"{client.OBJECTS}/{kind}/{ident}", json={"properties": properties}, repeatable=True))
    for one in to:
        client.good(http.send("PUT", f"{client.OBJECTS}/{kind}/{ident}/associations/default/{one.kind}/{one.id}", repeatable=True))
    return Raw(stream=kind, id=ident, body=answer.content)
