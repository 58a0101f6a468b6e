"""One record with its past: what it says now, what the search index still says, and who changed what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec

from tieout.rehearsal.twins.hubspot.answers import instant
from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.definitions import Definition


class By(msgspec.Struct, frozen=True):
    """Who changes something: a person on the vendor's pages, or an application by its id."""

    source: str
    id: str


#: Whoever rehearses, clicking on the vendor's pages.
PERSON = By("CRM_UI", "userId:7700001")


class Change(msgspec.Struct, frozen=True):
    """One property set to one value."""

    name: str
    value: str
    at: dt.datetime
    by: By


class Version(msgspec.Struct, eq=False):
    """What a record said from one moment on. `compared` keeps values made comparable by the search."""

    at: dt.datetime
    updated_at: dt.datetime
    properties: dict[str, str]
    archived: bool = False
    compared: dict[str, Any] = {}


class Record(msgspec.Struct, eq=False, kw_only=True):
    """A company, a contact, a deal: `properties` holds what is set, as text."""

    kind: Kind
    id: str
    created_at: dt.datetime
    versions: list[Version]
    archived_at: dt.datetime | None = None
    changes: list[Change] = []

    @property
    def now(self) -> Version:
        """What it says now."""
        return self.versions[-1]

    @property
    def properties(self) -> dict[str, str]:
        return self.now.properties

    def indexed(self, at: dt.datetime) -> Version | None:
        """What the search index says of it at a moment, which may be behind; None before it is there at all."""
        for number in range(len(self.versions) - 1, -1, -1):
            if self.versions[number].at <= at:
                del self.versions[:number]
                return self.versions[0]
        return None

    def history(self, name: str) -> list[dict[str, Any]]:
        """The values of one property, newest first."""
        return [
            {"value": change.value, "timestamp": instant(change.at), "sourceType": change.by.source, "sourceId": change.by.id}
            for change in reversed(self.changes)
            if change.name == name
        ]


def as_json(
    record: Record,
    definitions: dict[str, Definition],
    *,
    portal: int,
    asked: Iterable[str] = (),
    version: Version | None = None,
    with_history: Iterable[str] = (),
    everything: bool = False,
) -> dict[str, Any]:
    """A record as the vendor shows it. Asked properties that are not set are null; asked ones nobody knows are left out."""
    version = version or record.now
    known = {name for name, definition in definitions.items() if definition.archived_at is None}
    if everything:
        wanted = known & version.properties.keys()
    else:
        wanted = known & {*asked, *with_history}
        wanted |= set(record.kind.stamps) if wanted else set(record.kind.shown)
    body: dict[str, Any] = {
        "id": record.id,
        "properties": {name: version.properties.get(name) for name in sorted(wanted)},
        "createdAt": instant(record.created_at),
        "updatedAt": instant(version.updated_at),
        "archived": version.archived,
        "url": f"https://app.hubspot.com/contacts/{portal}/record/{record.kind.type_id}/{record.id}",
    }
    kept = [name for name in with_history if name in known]
    if kept:
        body["propertiesWithHistory"] = {name: record.history(name) for name in kept}
    if version.archived and record.archived_at is not None:
        body["archivedAt"] = instant(record.archived_at)
    return body
