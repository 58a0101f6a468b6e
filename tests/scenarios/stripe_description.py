"""Stripe's own description of its answers, as a judge: any body is checked by method, path and status, field for field.

The description is data beside the project (../shared); where it is not, whatever asks for it is skipped.
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import ROOT

_FILE = ROOT.parent / "shared" / "vendor-specs" / "stripe" / "openapi-ar-subset-with-examples.json"


@functools.cache
def _description() -> dict[str, Any]:
    if not _FILE.is_file():
        pytest.skip(f"Stripe's description is not beside the project ({_FILE.name} in ../shared/vendor-specs/stripe)")
    read: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return read


def _judged(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI 3.0 schema as JSON Schema: null where nullable, objects closed, and an id that may be expanded to an object."""
    if "$ref" in schema:
        made: dict[str, Any] = {"$ref": f"#/$defs/{schema['$ref'].rsplit('/', 1)[1]}"}
    else:
        made = {key: schema[key] for key in ("type", "enum", "required", "maxLength") if key in schema}
        if "items" in schema:
            made["items"] = _judged(schema["items"])
        if "anyOf" in schema:
            made["anyOf"] = [_judged(each) for each in schema["anyOf"]]
        if "properties" in schema:
            expandable = schema.get("x-expandableFields", [])
            made["properties"] = {name: _property(each, name in expandable) for name, each in schema["properties"].items()}
            if "additionalProperties" not in schema:
                made["additionalProperties"] = False
        if isinstance(schema.get("additionalProperties"), dict):
            made["additionalProperties"] = _judged(schema["additionalProperties"])
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") else made


def _property(schema: dict[str, Any], expandable: bool) -> dict[str, Any]:
    made = _judged(schema)
    if not expandable or schema.get("type") != "string":
        return made
    # The description was cut to ids where Stripe allows the object itself; which object it is, `object` tells.
    return {"anyOf": [made, {"type": "object", "required": ["id", "object"]}]}


@functools.cache
def _definitions() -> dict[str, Any]:
    return {name: _judged(schema) for name, schema in _description()["components"]["schemas"].items()}


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": _definitions()})


@functools.cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    known = sorted(_description()["paths"], key=lambda path: (path.count("{"), -len(path)))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"), path) for path in known]


@functools.cache
def _answer(method: str, template: str, status: str) -> Draft202012Validator:
    responses = _description()["paths"][template][method.lower()]["responses"]
    schema = (responses.get(status) or responses["default"])["content"]["application/json"]["schema"]
    return Draft202012Validator({**_judged(schema), "$defs": _definitions()})


def template(path: str) -> str:
    """The described path that a request's path is one of."""
    found = next((known for pattern, known in _paths() if pattern.match(path)), None)
    assert found is not None, f"Stripe describes no {path}"
    return found


def faults(method: str, path: str, status: int, body: Any) -> list[str]:
    """What Stripe's description finds wrong with an answer; nothing where it is as described."""
    judge = _answer(method, template(path), str(status))
    return [_told(error) for error in judge.iter_errors(body)] + _inner(body)


def object_faults(body: dict[str, Any]) -> list[str]:
    """The same for an object on its own, by what it says it is."""
    return [_told(error) for error in _validator(_name(body)).iter_errors(body)]


def _inner(body: Any) -> list[str]:
    """Objects that the description leaves open are judged by what they say they are: expanded ones, and those in events."""
    found: list[str] = []
    if isinstance(body, list):
        return [fault for each in body for fault in _inner(each)]
    if not isinstance(body, dict):
        return []
    if body.get("object") == "event":
        told = dict(body["data"]["object"])
        if told["object"] == "invoice":
            assert "amount_paid_off_stripe" not in told  # computed when read, so in no event
            told["amount_paid_off_stripe"] = 0
        return object_faults(told)
    for name, each in body.items():
        if isinstance(each, dict) and "id" in each and "object" in each:
            found += [f"{name}: {fault}" for fault in object_faults(each)]
        found += _inner(each)
    return found


def _name(body: dict[str, Any]) -> str:
    return f"deleted_{body['object']}" if body.get("deleted") else str(body["object"])


def _told(error: Any) -> str:
    deepest = error
    while deepest.context:
        deepest = min(deepest.context, key=lambda each: (len(each.context or ()), -len(each.absolute_path)))
    return f"{'.'.join(map(str, deepest.absolute_path)) or '(whole)'}: {deepest.message[:200]}"
