"""The account: its records, properties and ties, and what happens to them, whoever does it. The doors stand upon it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from tieout.rehearsal.twins.hubspot import born, catalogue, follows, values
from tieout.rehearsal.twins.hubspot.answering import Answering
from tieout.rehearsal.twins.hubspot.answers import Refused, instant, missing
from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.definitions import Definition, Group
from tieout.rehearsal.twins.hubspot.links import End, Links, Type
from tieout.rehearsal.twins.hubspot.records import By, Change, Record, Version, as_json

#: A tie to make with a new record: the kind and id of the other, and the types.
Tie = tuple[Kind, str, list[Type]]
#: Ids of this vendor do not fit into 32 bits.
_FIRST_ID = 31_000_000_001


class Ready(msgspec.Struct, kw_only=True):
    """A write that was judged and found well; nothing is stored yet."""

    kind: Kind
    record: Record | None
    changed: dict[str, str]
    ties: list[Tie] = []


class Portal(Answering):
    """State and acts. Acts raise Refused."""

    def __init__(
        self,
        *,
        portal_id: int = 145_000_333,
        time_zone: str = "Europe/Berlin",
        currency: str = "EUR",
        index_lag_seconds: float = 0.0,
        clock: Callable[[], dt.datetime] | None = None,
        seed: int = 1,
        latency_seconds: float = 0.0,
    ) -> None:
        super().__init__(clock=clock, seed=seed, latency_seconds=latency_seconds)
        self.portal_id = portal_id
        self.time_zone = time_zone
        self.currency = currency
        self.index_lag_seconds = index_lag_seconds
        self.records: dict[str, dict[str, Record]] = {kind.name: {} for kind in catalogue.KINDS}
        self.links = Links()
        self.definitions: dict[str, dict[str, Definition]] = {}
        self.groups: dict[str, dict[str, Group]] = {}
        self._holders: dict[tuple[str, str], dict[str, str]] = {}
        self._last_id = _FIRST_ID - 1
        for kind in catalogue.KINDS:
            self.definitions[kind.name] = {definition.name: definition for definition in born.properties(kind)}
            self.groups[kind.name] = {kind.group: Group(name=kind.group, label=f"{kind.one.replace('_', ' ').capitalize()} information", order=0)}

    def ago(self, seconds: float) -> dt.datetime:
        """So long ago, by the vendor's clock."""
        return self.now() - dt.timedelta(seconds=seconds)

    # Finding

    def live(self, kind: Kind, ident: str, *, by: str = "", archived: bool = False) -> Record:
        """A record by its id, or by another unique property. Raises Refused (404) where there is none."""
        if by and by != "hs_object_id":
            ident = self._holders.get((kind.name, self.unique(kind, by).name), {}).get(ident.lower(), "")
        elif not ident.isdecimal():
            raise missing("Object not found: ids are whole numbers", id=[ident])
        record = self.records[kind.name].get(ident)
        if record is None or (record.archived_at is not None) != archived:
            raise missing()
        return record

    def unique(self, kind: Kind, name: str) -> Definition:
        """A property whose values are unique. Raises Refused where it is not."""
        definition = self.definitions[kind.name].get(name)
        if definition is None or not definition.unique or definition.archived_at is not None:
            raise Refused(f"Property {name} is not a unique property of {kind.one}", context={"propertyName": [name]})
        return definition

    def shown(self, record: Record, **manner: Any) -> dict[str, Any]:
        """A record as an answer shows it."""
        return as_json(record, self.definitions[record.kind.name], portal=self.portal_id, **manner)

    # Writing

    def judge(
        self, kind: Kind, given: Any, record: Record | None = None, ties: Iterable[Tie] = (), taken: set[tuple[str, str]] | None = None
    ) -> Ready:
        """Is this write well? `taken` holds the unique values of the same batch. Raises Refused."""
        changed = values.checked(self.definitions[kind.name], given, portal=self.portal_id)
        if record is None:
            unset = [name for name in kind.required if not changed.get(name)]
            if unset:
                raise Refused(
                    f"Error creating {kind.one.upper()}. Some required properties were not set.",
                    context={"properties": unset},
                )
        for name, value in changed.items():
            if value and self.definitions[kind.name][name].unique:
                self._free(kind, name, value, record, taken if taken is not None else set())
        return Ready(kind=kind, record=record, changed=changed, ties=list(ties))

    def _free(self, kind: Kind, name: str, value: str, record: Record | None, taken: set[tuple[str, str]]) -> None:
        holder = self._holders.get((kind.name, name), {}).get(value.lower())
        if (name, value.lower()) in taken:
            raise Refused(f"Duplicate values found in batch input for {name}: [{value}]", context={"ids": [value]})
        taken.add((name, value.lower()))
        if holder is None or (record is not None and holder == record.id):
            return
        if name == "email" and record is None:
            raise Refused(f"Contact already exists. Existing ID: {holder}", code=409, category="CONFLICT")
        target = record.id if record else self._last_id + 1
        raise Refused(
            f"Cannot set PropertyValueCoordinates{{portalId={self.portal_id}, objectTypeId={kind.type_id}, propertyName={name}, value={value}}}"
            f" on {target}. {holder} already has that value."
        )

    def store(self, ready: Ready, by: By) -> Record:
        """Do what was judged well."""
        if ready.record is not None:
            self._set(ready.record, ready.changed, by)
            return ready.record
        self._last_id += 1
        record = self.place(ready.kind, str(self._last_id), {}, self.now())
        self._set(record, {**follows.firsts(ready.kind), **ready.changed}, by, first=True)
        for kind, other, types in ready.ties:
            self.tie(record, self.records[kind.name][other], types)
        return record

    def place(self, kind: Kind, ident: str, properties: dict[str, str], at: dt.datetime) -> Record:
        """Put a record there as if it had been there since `at`; nobody is told."""
        at = _to_milliseconds(at)
        stamps = {kind.created: instant(at), kind.modified: instant(at), "hs_object_id": ident}
        first = Version(at, at, {**properties, **stamps})
        record = Record(kind=kind, id=ident, created_at=at, versions=[first])
        self.records[kind.name][ident] = record
        for name, value in properties.items():
            self._hold(record, name, "", value)
        return record

    def next_id(self) -> str:
        """The id of the next record."""
        self._last_id += 1
        return str(self._last_id)

    def _set(self, record: Record, given: dict[str, str], by: By, *, first: bool = False) -> None:
        kind, at, before = record.kind, _to_milliseconds(self.now()), record.properties
        changed = {name: value for name, value in {**given, **follows.of(kind, before, given, at)}.items() if value != before.get(name, "")}
        after = {name: value for name, value in {**before, **changed}.items() if value}
        # Writing what is there already is no change, yet it moves the date of the last modification.
        after[kind.modified] = instant(at)
        self._version(record, Version(at, at, after))
        record.changes.extend(Change(name, value, at, by) for name, value in changed.items())
        for name, value in changed.items():
            self._hold(record, name, before.get(name, ""), value)
        if first:
            self.tell(record, "creation", by, changeFlag="CREATED")
        for name, value in changed.items():
            if not self.definitions[kind.name][name].read_only:
                self.tell(record, "propertyChange", by, propertyName=name, propertyValue=value)

    def _version(self, record: Record, version: Version) -> None:
        # Without a lag nobody ever asks for what a record said before.
        record.versions = [*record.versions, version] if self.index_lag_seconds else [version]

    def _hold(self, record: Record, name: str, before: str, value: str) -> None:
        definition = self.definitions[record.kind.name].get(name)
        if definition is None or not definition.unique:
            return
        holders = self._holders.setdefault((record.kind.name, name), {})
        if before and holders.get(before.lower()) == record.id:
            del holders[before.lower()]
        if value:
            holders[value.lower()] = record.id

    def put_away(self, record: Record, by: By) -> None:
        """Archive. A second time changes nothing."""
        if record.archived_at is not None:
            return
        at = record.archived_at = _to_milliseconds(self.now())
        self._version(record, Version(at, at, record.properties, archived=True))
        for name, value in record.properties.items():
            self._hold(record, name, value, "")
        self.tell(record, "deletion", by, changeFlag="DELETED")

    def bring_back(self, record: Record, by: By) -> None:
        """Restore an archived record."""
        record.archived_at, at = None, _to_milliseconds(self.now())
        self._version(record, Version(at, at, {**record.properties, record.kind.modified: instant(at)}))
        for name, value in record.properties.items():
            self._hold(record, name, "", value)
        self.tell(record, "restore", by, changeFlag="RESTORED")

    def touch(self, record: Record) -> None:
        """Let something unimportant change, so that only the date of its last modification tells."""
        at = _to_milliseconds(self.now())
        self._version(record, Version(at, at, {**record.properties, record.kind.modified: instant(at)}, archived=record.archived_at is not None))

    # Ties

    def tie(self, record: Record, other: Record, types: Iterable[Type]) -> None:
        """Tie two records."""
        self.links.tie(end(record), end(other), types)
        self._note_company(end(record), end(other))

    def untie(self, one: End, other: End, types: Iterable[Type] | None = None) -> None:
        """Untie two records, or take some labels away."""
        self.links.cut(one, other, types)
        self._note_company(one, other)

    def _note_company(self, *ends: End) -> None:
        for kind, ident in ends:
            contact = self.records[kind].get(ident) if kind == "contacts" else None
            if contact is not None:
                contact.now.compared.pop("associatedcompanyid", None)
                contact.properties.pop("associatedcompanyid", None)
                if company := self.links.primary_company(end(contact)):
                    contact.properties["associatedcompanyid"] = company

    def tied(self, record: Record, to: Kind) -> list[tuple[Record, list[Type]]]:
        """The live records of a kind tied to one."""
        others = ((self.records[to.name][ident], types) for ident, types in self.links.of(end(record), to))
        return [(other, types) for other, types in others if other.archived_at is None]

    # Telling

    def tell(self, record: Record, what: str, by: By, **more: str) -> None:
        """Something happened to a record; whoever subscribed will hear."""


def end(record: Record) -> End:
    """A record's place among the ties."""
    return (record.kind.name, record.id)


def _to_milliseconds(at: dt.datetime) -> dt.datetime:
    return at.astimezone(dt.UTC).replace(microsecond=at.microsecond // 1000 * 1000)
