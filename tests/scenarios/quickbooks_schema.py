"""The vendor's own XML schema as a judge of JSON answers: an answer is written as XML in the order of the schema, then validated."""

from __future__ import annotations

import functools
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
import yaml

from tests.conftest import ROOT

VENDOR = ROOT.parent / "shared" / "vendor-specs" / "quickbooks"
_SPACE = "{http://schema.intuit.com/finance/v3}"
Json = dict[str, Any]


def _there(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"the vendor's files are not here: {path.relative_to(ROOT.parent)}")
    return path


@functools.cache
def _schema(path: Path) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(path))


def schema() -> xmlschema.XMLSchema:
    """Intuit's schema, read once a session; skips the test where it is absent."""
    return _schema(_there(VENDOR / "xsd" / "IntuitRestServiceDef.xsd"))


def recorded(name: str) -> list[tuple[Json, Json]]:
    """The exchanges of a recording: request (method, uri, body) and answer."""
    exchanges = yaml.safe_load(_there(VENDOR / "recorded-json" / f"{name}.yml").read_text("utf-8"))["http_interactions"]
    return [
        (
            {"method": each["request"]["method"], "uri": each["request"]["uri"], "body": each["request"]["body"]["string"]},
            json.loads(each["response"]["body"]["string"], parse_float=Decimal),
        )
        for each in exchanges
    ]


def recorded_xml(name: str) -> ElementTree.Element:
    return ElementTree.parse(_there(VENDOR / "recorded-xml" / f"{name}.xml")).getroot()


def judge(answer: Json) -> None:
    """Fail where the schema does not know a name in this answer, or does not allow a value."""
    found = schema()
    element = ElementTree.Element(f"{_SPACE}IntuitResponse")
    _write(element, found.types["IntuitResponse"], answer, "IntuitResponse")
    found.validate(element)


def from_gateway(answer: Json) -> Json:
    """The gateway's lower-case answer under the names of the schema, empty parts left out."""
    fault = answer["fault"]
    errors = [{"Message": error["message"], "Detail": error["detail"], "code": error["code"]} for error in fault["error"]]
    return {"Fault": {"Error": errors, "type": fault["type"]}}


@functools.cache
def _names(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The elements a type may hold, in order; an abstract one stands for all that may take its place."""
    names: list[tuple[str, Any]] = []
    for element in kind.content.iter_elements():
        if element.name is None or element.type is None:
            continue
        if element.local_name == "IntuitObject":
            names += sorted((each.local_name, each.type) for each in schema().maps.substitution_groups[element.name])
        else:
            names.append((element.local_name, element.type))
    return tuple(dict(names).items())


def _write(element: ElementTree.Element, kind: Any, value: Any, where: str) -> None:
    if not isinstance(value, dict):
        element.text = _plain(value)
    elif kind.is_simple() or kind.has_simple_content():
        element.text = _plain(value["value"])
        _attributes(element, kind, {name: inner for name, inner in value.items() if name != "value"}, where)
    elif kind.local_name == "IntuitAnyType":
        for each in value["any"]:
            child = ElementTree.SubElement(element, each["name"])
            _write(child, schema().types[each["name"].removeprefix(_SPACE)], each["value"], where)
    else:
        names = dict(_names(kind))
        _attributes(element, kind, {name: inner for name, inner in value.items() if name not in names}, where)
        for name, inner_kind in names.items():
            if name in value:
                inner = value[name]
                for each in inner if isinstance(inner, list) else [inner]:
                    _write(ElementTree.SubElement(element, f"{_SPACE}{name}"), inner_kind, each, f"{where}/{name}")


def _attributes(element: ElementTree.Element, kind: Any, values: Json, where: str) -> None:
    for name, value in values.items():
        assert name in kind.attributes, f"the schema knows no {name} in {where}"
        element.set(name, _plain(value))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
