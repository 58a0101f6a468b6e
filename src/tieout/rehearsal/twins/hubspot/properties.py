"""The doors to the definitions of properties and to their groups."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.hubspot import catalogue, definitions
from tieout.rehearsal.twins.hubspot.answers import Refused, inputs, missing, sent_object
from tieout.rehearsal.twins.hubspot.batches import BatchDoors
from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.definitions import Definition, Group

ROUTES = tuple(
    (family + rule, (method,), door)
    for family in ("/crm/v3/properties", "/crm/properties/2026-03")
    for rule, method, door in (
        ("/<called>", "GET", "properties_listed"),
        ("/<called>", "POST", "property_created"),
        ("/<called>/batch/read", "POST", "properties_read"),
        ("/<called>/batch/create", "POST", "properties_created"),
        ("/<called>/batch/archive", "POST", "properties_archived"),
        ("/<called>/groups", "GET", "groups_listed"),
        ("/<called>/groups", "POST", "group_created"),
        ("/<called>/groups/<name>", "GET", "group_read"),
        ("/<called>/groups/<name>", "PATCH", "group_changed"),
        ("/<called>/groups/<name>", "DELETE", "group_archived"),
        ("/<called>/<name>", "GET", "property_read"),
        ("/<called>/<name>", "PATCH", "property_changed"),
        ("/<called>/<name>", "DELETE", "property_archived"),
    )
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_UNIQUE = frozenset({"string", "number"})
_MOST_UNIQUE = 10
_LARGEST = 100


class PropertyDoors(BatchDoors):
    """What an account can say about its records."""

    # Properties

    def properties_listed(self, request: Request, called: str) -> Response:
        archived = request.args.get("archived", "false").lower() == "true"
        defined = self.definitions[catalogue.kind(called).name].values()
        return self.answer({"results": [definitions.as_json(one) for one in defined if (one.archived_at is not None) == archived]})

    def property_created(self, request: Request, called: str) -> Response:
        return self.answer(definitions.as_json(self._define(catalogue.kind(called), sent_object(request))), 201)

    def property_read(self, request: Request, called: str, name: str) -> Response:
        archived = request.args.get("archived", "false").lower() == "true"
        return self.answer(definitions.as_json(self._defined(catalogue.kind(called), name, archived=archived)))

    def property_changed(self, request: Request, called: str, name: str) -> Response:
        kind, given = catalogue.kind(called), sent_object(request)
        definition = self._defined(kind, name)
        if definition.read_only:
            raise Refused(f"Property {name} is read only", subCategory="PROPERTY_INVALID")
        type_, field_type = str(given.get("type", definition.type)), str(given.get("fieldType", definition.field_type))
        definitions.well_typed(type_, field_type)
        options = definitions.options_of(given["options"]) if "options" in given else definition.options
        group = self._group(kind, str(given.get("groupName", definition.group))).name
        definition.type, definition.field_type, definition.options, definition.group = type_, field_type, options, group
        definition.label = str(given.get("label", definition.label))
        definition.description = str(given.get("description", definition.description))
        definition.hidden = bool(given.get("hidden", definition.hidden))
        definition.order = definitions.order_of(given, definition.order)
        definition.updated_at = self.now()
        return self.answer(definitions.as_json(definition))

    def property_archived(self, request: Request, called: str, name: str) -> Response:
        self._put_away(self._defined(catalogue.kind(called), name))
        return self.answer(None, 204)

    def properties_read(self, request: Request, called: str) -> Response:
        defined = self.definitions[catalogue.kind(called).name]
        wanted = [str(one.get("name")) for one in inputs(request, _LARGEST)]
        there = [name for name in wanted if name in defined and defined[name].archived_at is None]
        errors = [_no_property(name).entry() for name in wanted if name not in there]
        return self.batch([definitions.as_json(defined[name]) for name in there], errors)

    def properties_created(self, request: Request, called: str) -> Response:
        kind, results, errors = catalogue.kind(called), [], []
        for one in inputs(request, _LARGEST):
            try:
                results.append(definitions.as_json(self._define(kind, one)))
            except Refused as refusal:
                errors.append(refusal.entry())
        return self.batch(results, errors, 201)

    def properties_archived(self, request: Request, called: str) -> Response:
        defined = self.definitions[catalogue.kind(called).name]
        for one in inputs(request, _LARGEST):
            definition = defined.get(str(one.get("name")))
            if definition is not None and definition.archived_at is None:
                self._put_away(definition)
        return self.answer(None, 204)

    def _define(self, kind: Kind, given: dict[str, Any]) -> Definition:
        name, label, type_, field_type = (str(given.get(field) or "") for field in ("name", "label", "type", "fieldType"))
        if not _NAME.fullmatch(name):
            raise Refused(f"{name!r} is no name for a property: a small letter, then letters, digits and underscores", subCategory="PROPERTY_INVALID")
        if not label:
            raise Refused("a property needs a label", subCategory="PROPERTY_INVALID")
        definitions.well_typed(type_, field_type)
        defined = self.definitions[kind.name]
        if name in defined and defined[name].archived_at is None:
            message = f'A property named "{name}" already exists.'
            raise Refused(message, code=409, category="OBJECT_ALREADY_EXISTS", subCategory="Properties.PROPERTY_EXISTS")
        unique = bool(given.get("hasUniqueValue"))
        if unique and (type_ not in _UNIQUE or sum(one.unique and not one.born for one in defined.values()) >= _MOST_UNIQUE):
            raise Refused(f"{name} cannot have unique values", subCategory="PROPERTY_INVALID")
        options = definitions.options_of(given.get("options") or [])
        if type_ == "enumeration" and not options and not given.get("externalOptions"):
            raise Refused("an enumeration needs options", subCategory="PROPERTY_INVALID")
        definition = Definition(
            name=name,
            label=label,
            type=type_,
            field_type=field_type,
            group=self._group(kind, str(given.get("groupName") or "")).name,
            description=str(given.get("description") or ""),
            options=options,
            order=definitions.order_of(given),
            unique=unique,
            hidden=bool(given.get("hidden")),
            form_field=bool(given.get("formField")),
            external=bool(given.get("externalOptions")),
            created_at=self.now(),
            updated_at=self.now(),
        )
        defined[name] = definition
        return definition

    def _defined(self, kind: Kind, name: str, *, archived: bool = False) -> Definition:
        definition = self.definitions[kind.name].get(name)
        if definition is None or (definition.archived_at is not None) != archived:
            raise _no_property(name)
        return definition

    def _put_away(self, definition: Definition) -> None:
        if definition.born:
            raise Refused(f"Property {definition.name} came with the account and cannot be archived", subCategory="PROPERTY_INVALID")
        definition.archived_at = self.now()

    # Groups

    def groups_listed(self, request: Request, called: str) -> Response:
        groups = self.groups[catalogue.kind(called).name].values()
        return self.answer({"results": [definitions.group_as_json(group) for group in groups if not group.archived]})

    def group_created(self, request: Request, called: str) -> Response:
        groups, given = self.groups[catalogue.kind(called).name], sent_object(request)
        name, label = str(given.get("name") or ""), str(given.get("label") or "")
        if not _NAME.fullmatch(name) or not label:
            raise Refused("a group needs a name and a label")
        if name in groups and not groups[name].archived:
            message = f'A property group named "{name}" already exists.'
            raise Refused(message, code=409, category="OBJECT_ALREADY_EXISTS", subCategory="Properties.GROUP_EXISTS")
        groups[name] = Group(name=name, label=label, order=definitions.order_of(given))
        return self.answer(definitions.group_as_json(groups[name]), 201)

    def group_read(self, request: Request, called: str, name: str) -> Response:
        return self.answer(definitions.group_as_json(self._known_group(catalogue.kind(called), name)))

    def group_changed(self, request: Request, called: str, name: str) -> Response:
        group, given = self._known_group(catalogue.kind(called), name), sent_object(request)
        group.label = str(given.get("label", group.label))
        group.order = definitions.order_of(given, group.order)
        return self.answer(definitions.group_as_json(group))

    def group_archived(self, request: Request, called: str, name: str) -> Response:
        kind = catalogue.kind(called)
        group = self._known_group(kind, name)
        if any(one.group == name and one.archived_at is None for one in self.definitions[kind.name].values()):
            raise Refused(f"The group {name} still has properties")
        group.archived = True
        return self.answer(None, 204)

    def _known_group(self, kind: Kind, name: str) -> Group:
        group = self.groups[kind.name].get(name)
        if group is None or group.archived:
            raise missing(f"The property group {name} does not exist")
        return group

    def _group(self, kind: Kind, name: str) -> Group:
        group = self.groups[kind.name].get(name)
        if group is None or group.archived:
            raise Refused(f"The property group {name!r} does not exist", subCategory="PROPERTY_INVALID")
        return group


def _no_property(name: str) -> Refused:
    return Refused(f"The property {name} does not exist.", code=404, category="OBJECT_NOT_FOUND", subCategory="Properties.PROPERTY_NOT_FOUND")
