"""Asks the HubSpot stand-in and holds every answer against the vendor's own description, where that lies beside the project."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from werkzeug.test import Client

from tests.conftest import NOW, ROOT
from tieout.rehearsal.twins.hubspot import HubSpot

FOLDER = ROOT.parent / "shared" / "vendor-specs" / "hubspot"
# Paths the vendor serves without describing them in these files.
UNDESCRIBED = re.compile(r"^/(oauth/v1/(access|refresh)-tokens/|oauth/authorize|account-info/|crm/(v3/)?pipelines/|crm/.*/labels$|deals/|$)")
# What the vendor sends besides what it describes: words of old, and of the standard.
_BESIDE = {"Error": ("status", "error", "error_description", "errorType", "policyName")}


class Operation(msgspec.Struct, frozen=True):
    """One method of one path of one description."""

    document: str
    template: str
    method: str


class Book:
    """The vendor's description: every operation, and whether an answer is one it may give."""

    def __init__(self, folder: Path) -> None:
        self.documents = {path.name: _relaxed(json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json"))}
        self.operations = {
            Operation(name, template, method.upper()): described
            for name, document in self.documents.items()
            for template, methods in document["paths"].items()
            for method, described in methods.items()
        }
        self.seen: set[tuple[Operation, str]] = set()
        self._validators: dict[tuple[str, int], jsonschema.Draft202012Validator] = {}

    def check(self, method: str, path: str, status: int, body: Any) -> None:
        """Fail where the description knows no such answer."""
        found = self._operations(method, path)
        assert found, f"the description knows no {method} {path}"
        for operation in found:
            responses = self.operations[operation]["responses"]
            said = responses.get(str(status)) or (responses["default"] if status >= 400 else None)
            if said is None and status == 204 and ("200" not in responses or "/v4/" in path):
                # A door described by its refusals only; or one that answers nothing in the version before the described one.
                said = {}
            assert said is not None, f"{method} {operation.template} is not described to answer {status}, only {', '.join(responses)}"
            self.seen.add((operation, str(status) if status < 400 else "default"))
            self._validate(operation.document, said, body)

    def _validate(self, name: str, said: dict[str, Any], body: Any) -> None:
        document = self.documents[name]
        if "$ref" in said:
            said = document["components"]["responses"][said["$ref"].rsplit("/", 1)[1]]
        described = [medium["schema"] for medium in said.get("content", {}).values() if "schema" in medium]
        if not described:
            assert body is None, f"a body where none is described: {body}"
            return
        key = (name, id(described[0]))
        if key not in self._validators:
            schema = {**described[0], "components": document["components"]}
            self._validators[key] = jsonschema.Draft202012Validator(schema, format_checker=_FORMATS)
        self._validators[key].validate(body)

    def _operations(self, method: str, path: str) -> list[Operation]:
        """The operations that serve a path, those with the most of it written out."""
        best: dict[str, list[Operation]] = {}
        for operation in self.operations:
            if operation.method == method and _pattern(operation.template).fullmatch(_dated(path)) is not None:
                best.setdefault(re.sub(r"\{.*?\}", "{}", operation.template), []).append(operation)
        return max(best.items(), key=lambda entry: len(entry[0].replace("{}", "")))[1] if best else []


class Asker:
    """An application that calls the stand-in. Without the description beside the project, answers are only returned."""

    def __init__(self, twin: HubSpot, *, token: str = "pat-twin") -> None:
        self.twin = twin
        self.token = token
        self.client = Client(twin)
        self.book = book()
        self.headers: dict[str, str] = {}

    def __call__(self, method: str, path: str, body: Any = None, *, status: int = 200, form: dict[str, str] | None = None) -> Any:
        """The body of the answer, which must have this status."""
        given: dict[str, Any] = {"json": body} if body is not None else {"data": form} if form is not None else {}
        response = self.client.open(path, method=method, headers={"Authorization": f"Bearer {self.token}"}, **given)
        answered = response.get_json() if response.mimetype == "application/json" else response.get_data(as_text=True) or None
        assert response.status_code == status, answered
        self.headers = dict(response.headers)
        plain = path.partition("?")[0]
        if self.book is not None and not UNDESCRIBED.search(plain):
            self.book.check(method, plain, status, _ids_as_text(answered) if "/v4/" in plain else answered)
        return answered


@cache
def book() -> Book | None:
    """The description, if it is there."""
    return Book(FOLDER) if FOLDER.is_dir() else None


def described() -> Book:
    """The description; the test is skipped without it."""
    found = book()
    if found is None:
        pytest.skip("the vendor's descriptions (../shared/vendor-specs/hubspot) are not beside the project")
    return found


def stand_in(**given: Any) -> HubSpot:
    """A stand-in whose clock stands still until it is moved."""
    return HubSpot(**{"clock": lambda: NOW, **given})


def _relaxed(node: Any, name: str = "") -> Any:
    """A schema as the vendor means it: unset property values and the label of a default association are null, and
    fields it does not name are mistakes of ours."""
    if isinstance(node, list):
        return [_relaxed(one) for one in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _relaxed(one, key) for key, one in node.items()}
    if schema.get("type") == "object" and schema.get("properties") and "additionalProperties" not in schema:
        schema["additionalProperties"] = False
        for extra in _BESIDE.get(name, ()):
            schema["properties"].setdefault(extra, {"type": "string"})
    if name == "additionalProperties" and schema.get("type") == "string":
        schema["type"] = ["string", "null"]
    if schema.get("nullable") or (name == "label" and schema.get("type") == "string" and "association" in str(schema.get("description"))):
        schema["type"] = [schema["type"], "null"]
    return schema


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{.*?\}", "[^/]+", template))


def _dated(path: str) -> str:
    """The path of the description at hand: versions not described beside the dated one have its shapes."""
    if re.match(r"/crm/v3/objects/(companies|contacts)(/|$)", path):
        return path
    path = re.sub(r"^/crm/(v3|v4)/objects/", "/crm/objects/2026-03/", path)
    path = re.sub(r"^/crm/v3/properties/", "/crm/properties/2026-03/", path)
    path = re.sub(r"^/crm/v4/associations/", "/crm/associations/2026-03/", path)
    path = re.sub(r"^/crm/objects/2026-03/deals(/|$)", r"/crm/objects/2026-03/0-3\1", path)
    return re.sub(r"^/oauth/v[13]/token", "/oauth/2026-03/token", path)


def _ids_as_text(told: Any) -> Any:
    """The fourth version writes the ids of both ends as numbers, the described one as text."""
    if isinstance(told, list):
        return [_ids_as_text(one) for one in told]
    if not isinstance(told, dict):
        return told
    return {name: str(one) if name in ("toObjectId", "fromObjectId") and isinstance(one, int) else _ids_as_text(one) for name, one in told.items()}


_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or dt.datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("int32")
def _is_short(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


@_FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value
