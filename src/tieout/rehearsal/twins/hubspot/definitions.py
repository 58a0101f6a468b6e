"""Definitions of properties and their groups: what they hold, what a well-made one looks like, and how answers show them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from tieout.rehearsal.twins.hubspot.answers import Refused, instant, whole


class Option(msgspec.Struct, kw_only=True):
    """One value of an enumeration."""

    value: str
    label: str
    order: int = 0
    hidden: bool = False
    description: str = ""


class Definition(msgspec.Struct, kw_only=True):
    """One property of a kind."""

    name: str
    label: str
    type: str
    field_type: str
    group: str
    description: str = ""
    options: list[Option] = []
    order: int = -1
    unique: bool = False
    read_only: bool = False
    hidden: bool = False
    form_field: bool = False
    #: The values come from elsewhere (the stages of a pipeline), so that the definition lists none.
    external: bool = False
    born: bool = False
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    archived_at: dt.datetime | None = None


class Group(msgspec.Struct, kw_only=True):
    """A group of properties on the vendor's pages."""

    name: str
    label: str
    order: int = -1
    archived: bool = False


_FIELDS: dict[str, frozenset[str]] = {
    "string": frozenset({"text", "textarea", "html", "phonenumber", "file"}),
    "phone_number": frozenset({"phonenumber"}),
    "number": frozenset({"number"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"date"}),
    "bool": frozenset({"booleancheckbox"}),
    "enumeration": frozenset({"select", "radio", "checkbox", "booleancheckbox"}),
}


def order_of(given: dict[str, Any], default: int = -1) -> int:
    """The place among others that a request asks for."""
    return whole(given.get("displayOrder"), name="displayOrder", least=-1, most=2**31 - 1, default=default)


def well_typed(type_: str, field_type: str) -> None:
    if field_type not in _FIELDS.get(type_, frozenset()):
        raise Refused(f"a property of type {type_!r} cannot have the field type {field_type!r}", subCategory="PROPERTY_INVALID")


def options_of(listed: Any) -> list[Option]:
    if not isinstance(listed, list) or not all(isinstance(one, dict) and one.get("value") not in (None, "") and one.get("label") for one in listed):
        raise Refused("every option needs a value and a label", subCategory="PROPERTY_INVALID")
    options = [
        Option(
            value=str(one["value"]),
            label=str(one["label"]),
            order=order_of(one, order),
            hidden=bool(one.get("hidden")),
            description=str(one.get("description") or ""),
        )
        for order, one in enumerate(listed)
    ]
    if len({option.value for option in options}) < len(options):
        raise Refused("two options have the same value", subCategory="PROPERTY_INVALID")
    return options


def group_as_json(group: Group) -> dict[str, Any]:
    return {"name": group.name, "label": group.label, "displayOrder": group.order, "archived": group.archived}


def as_json(one: Definition) -> dict[str, Any]:
    options = [
        {"value": option.value, "label": option.label, "displayOrder": option.order, "hidden": option.hidden, "description": option.description}
        for option in one.options
    ]
    body: dict[str, Any] = {
        "name": one.name,
        "label": one.label,
        "type": one.type,
        "fieldType": one.field_type,
        "description": one.description,
        "groupName": one.group,
        "options": options,
        "displayOrder": one.order,
        "calculated": False,
        "externalOptions": one.external,
        "hasUniqueValue": one.unique,
        "hidden": one.hidden,
        "formField": one.form_field,
        "dataSensitivity": "non_sensitive",
        "archived": one.archived_at is not None,
        "modificationMetadata": {
            "archivable": not one.born,
            "readOnlyDefinition": one.born,
            "readOnlyOptions": one.born,
            "readOnlyValue": one.read_only,
        },
    }
    if one.born:
        body["hubspotDefined"] = True
    for key, at in (("createdAt", one.created_at), ("updatedAt", one.updated_at), ("archivedAt", one.archived_at)):
        if at is not None:
            body[key] = instant(at)
    return body
