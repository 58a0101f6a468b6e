"""Answers a question from the books: which records match, in which order, and which page of them.

Where nothing is said about order, lists come by name and transactions by their last change, the latest first.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import operator
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from tieout.rehearsal.twins.quickbooks import query, reading, refusals
from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.query import Condition, Question
from tieout.rehearsal.twins.quickbooks.refusals import Json, Refused
from tieout.rehearsal.twins.quickbooks.shapes import NESTED, SHAPES

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
#: How many answers are kept, so that the pages of one reading cost one sorting.
_KEPT = 6

Value = Callable[[Record], Any]
Test = Callable[[Record], bool]


class Finder:
    """Answers questions; an answer is kept until the company's books change."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], list[Record]] = OrderedDict()

    def answer(self, company: Company, statement: str) -> Json:
        """The QueryResponse for a statement. Raises Refused."""
        question = query.read(statement)
        found = self._found(company, question)
        if question.counting:
            return {"QueryResponse": {"totalCount": len(found)}}
        page = found[question.start - 1 : question.start - 1 + question.size]
        if not page:
            return {"QueryResponse": {}}
        shown = [_picked(company.shown(record), question) for record in page]
        return {"QueryResponse": {question.entity: shown, "startPosition": question.start, "maxResults": len(page)}}

    def _found(self, company: Company, question: Question) -> list[Record]:
        key = (company.realm, company.version, question.entity, question.where, question.order)
        if key not in self._kept:
            self._kept[key] = _sorted(company, question)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def _sorted(company: Company, question: Question) -> list[Record]:
    for name in question.fields:
        _kind(question.entity, name)
    tests = [_test(company, question.entity, condition) for condition in question.where]
    if "Active" in SHAPES[question.entity].properties and not any(condition.field == "Active" for condition in question.where):
        tests.append(lambda record: record.body.get("Active") is not False)
    found = [record for record in company.records[question.entity].values() if all(test(record) for test in tests)]
    found.sort(key=lambda record: (record.number, record.body["Id"]))
    if not question.order:
        if SHAPES[question.entity].is_transaction:
            return sorted(found, key=lambda record: (record.updated, record.number), reverse=True)
        return sorted(found, key=lambda record: str(record.body.get("FullyQualifiedName") or record.body.get("Name") or "").lower())
    for field, falling in reversed(question.order):
        kind, value = _value(company, question.entity, field)
        present = [record for record in found if value(record) is not None]
        absent = [record for record in found if value(record) is None]
        lower = kind == "text" and field != "Id"
        present.sort(key=lambda record, value=value, lower=lower: value(record).lower() if lower else value(record), reverse=falling)  # type: ignore[misc]
        found = [*present, *absent] if falling else [*absent, *present]
    return found


def _kind(entity: str, path: str) -> str:
    """The kind of a property, through the dots of its path. Raises Refused where it is not there or cannot be asked for."""
    properties = SHAPES[entity].properties
    kind = ""
    for name in path.split("."):
        kind = properties.get(name, "")
        if not kind:
            raise refusals.invalid_query(f"Property {path} not found for Entity {entity}")
        properties = NESTED.get(kind, {})
    return kind


def _value(company: Company, entity: str, path: str) -> tuple[str, Value]:
    kind = _kind(entity, path)
    if path in ("MetaData.LastUpdatedTime", "MetaData.CreateTime"):
        return kind, operator.attrgetter("updated" if path.endswith("LastUpdatedTime") else "created")
    if kind in ("ref", "memo"):
        path, kind = f"{path}.value", "text"
    if kind.endswith("_list") or kind == "any" or kind in NESTED:
        raise refusals.invalid_query(f"Property {path} of {entity} is not queryable")
    if path == "Id":
        return kind, lambda record: record.number if record.body["Id"].isdigit() else -1
    if entity == "Customer" and path in ("Balance", "BalanceWithJobs"):
        return kind, lambda record: company.shown(record)[path]
    names = path.split(".")
    if len(names) == 1:
        return kind, lambda record: record.body.get(path)
    return kind, lambda record: _deep(record.body, names)


def _deep(body: Any, names: list[str]) -> Any:
    for name in names:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _test(company: Company, entity: str, condition: Condition) -> Test:
    if condition.field == "Id" and condition.operator in ("=", "in"):
        wanted = frozenset(condition.values)
        return lambda record: record.body["Id"] in wanted
    kind, value = _value(company, entity, condition.field)
    if condition.operator == "like":
        pattern = re.compile(fnmatch.translate("*".join(_literally(part) for part in condition.values[0].split("%"))), re.IGNORECASE)
        return lambda record: pattern.match(str(value(record) or "")) is not None
    values = [_typed(company, condition.field, kind, text) for text in condition.values]
    if condition.operator == "in":
        return lambda record: value(record) in values
    compare, bound = _COMPARE[condition.operator], values[0]

    def passes(record: Record) -> bool:
        found = value(record)
        return found is not None and compare(found, bound)

    return passes


def _literally(part: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", part)


def _typed(company: Company, field: str, kind: str, text: str) -> Any:
    try:
        if field == "Id":
            return int(text)
        if kind == "moment":
            return reading.moment(text, company.zone)
        if kind == "number":
            return reading.number(field, text)
        if kind == "whole":
            return int(text)
        if kind == "date":
            return dt.date.fromisoformat(text[:10]).isoformat()
    except (ValueError, Refused):
        raise refusals.invalid_query(f"Invalid value '{text}' for property {field}") from None
    return text.lower() == "true" if kind == "yes" else text


def _picked(body: Json, question: Question) -> Json:
    if not question.fields:
        return body
    picked: Json = {"domain": "QBO", "sparse": True}
    for path in question.fields:
        first, *inner = path.split(".")
        if first not in body:
            continue
        value = _deep(body, path.split("."))
        picked[first] = {**picked.get(first, {}), inner[0]: value} if inner else value
    return picked
