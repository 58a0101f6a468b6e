"""The search: what a request may ask, and which records answer it. Pure; it knows nothing of the portal."""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from tieout.rehearsal.twins.hubspot import values
from tieout.rehearsal.twins.hubspot.answers import Refused, listed, millis, texts, whole
from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.definitions import Definition
from tieout.rehearsal.twins.hubspot.records import Record, Version

MOST_GROUPS = 5
MOST_IN_GROUP = 10
MOST_FILTERS = 25
LARGEST_PAGE = 200
#: Results end here, however many there are.
LAST = 10_000
LONGEST_TEXT = 3_000

Found = tuple[Record, Version]
_Test = Callable[[Version], bool]
_PLAIN: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": operator.eq,
    "GT": operator.gt,
    "GTE": operator.ge,
    "LT": operator.lt,
    "LTE": operator.le,
    "NEQ": operator.ne,
}


class Query(msgspec.Struct, kw_only=True):
    """A search understood: any of `groups`, each all of its tests."""

    groups: list[list[_Test]]
    sort: Definition | None
    falling: bool
    text: str
    limit: int
    after: int
    asked: list[str]


def understood(body: dict[str, Any], definitions: Mapping[str, Definition]) -> Query:
    """The search a request asks for. Raises Refused."""
    groups = [_filters(group) for group in listed(body, "filterGroups")]
    if loose := listed(body, "filters"):
        groups.append(loose)
    if len(groups) > MOST_GROUPS:
        raise Refused(f"too many filterGroups (count: {len(groups)}, max allowed: {MOST_GROUPS})")
    if any(len(group) > MOST_IN_GROUP for group in groups):
        raise Refused(f"too many filters in one group (max allowed: {MOST_IN_GROUP})")
    if sum(map(len, groups)) > MOST_FILTERS:
        raise Refused(f"too many filters (count: {sum(map(len, groups))}, max allowed: {MOST_FILTERS})")
    limit = whole(body.get("limit"), name="limit", least=1, most=LARGEST_PAGE, default=10)
    after = whole(body.get("after"), name="after", least=0, most=10**9, default=0)
    if after + limit > LAST:
        raise Refused(f"a search ends at {LAST} results; after={after} with limit={limit} goes past them")
    sort, falling = _sort(listed(body, "sorts"), definitions)
    text = str(body.get("query") or "")
    if len(text) > LONGEST_TEXT:
        raise Refused(f"query is longer than {LONGEST_TEXT} characters")
    tests = [[_test(filter_, definitions) for filter_ in group] for group in groups]
    asked = texts(body, "properties")
    return Query(groups=tests, sort=sort, falling=falling, text=text.lower(), limit=limit, after=after, asked=asked)


def found(query: Query, kind: Kind, candidates: Iterable[Found]) -> list[Found]:
    """Everything that answers, in the order asked for; the oldest record first where none is."""
    hits = [(record, version) for record, version in candidates if _answers(query, kind, version)]
    if query.sort is not None:
        definition = query.sort
        unset = [hit for hit in hits if _compared(definition, hit[1]) is None]
        hits = [hit for hit in hits if _compared(definition, hit[1]) is not None]
        # One rule sorts, and ties keep the order of ids, so that a page can be told from the next.
        hits.sort(key=lambda hit: _compared(definition, hit[1]), reverse=query.falling)
        hits += unset
    return hits


def _answers(query: Query, kind: Kind, version: Version) -> bool:
    if query.groups and not any(all(test(version) for test in group) for group in query.groups):
        return False
    return not query.text or any(query.text in version.properties.get(name, "").lower() for name in kind.searched)


def _filters(group: Any) -> list[Any]:
    if not isinstance(group, dict) or not isinstance(group.get("filters"), list):
        raise Refused("Invalid input JSON: a filter group must have a list of filters")
    return list(group["filters"])


def _sort(sorts: list[Any], definitions: Mapping[str, Definition]) -> tuple[Definition | None, bool]:
    if not sorts:
        return None, False
    if len(sorts) > 1:
        raise Refused("only one sort is allowed")
    rule = sorts[0]
    if isinstance(rule, dict):
        name, falling = str(rule.get("propertyName")), rule.get("direction", "ASCENDING") == "DESCENDING"
    else:
        name, falling = str(rule).removeprefix("-"), str(rule).startswith("-")
    return _defined(name, definitions), falling


def _defined(name: str, definitions: Mapping[str, Definition]) -> Definition:
    definition = definitions.get(name)
    if definition is None or definition.archived_at is not None:
        raise Refused(f"Property '{name}' does not exist", context={"propertyName": [name]})
    return definition


def _test(filter_: Any, definitions: Mapping[str, Definition]) -> _Test:
    if not isinstance(filter_, dict) or not isinstance(filter_.get("propertyName"), str):
        raise Refused("Invalid input JSON: a filter must name its property")
    definition, how = _defined(filter_["propertyName"], definitions), filter_.get("operator")
    name = definition.name
    if how == "HAS_PROPERTY":
        return lambda version: name in version.properties
    if how == "NOT_HAS_PROPERTY":
        return lambda version: name not in version.properties
    if how in ("IN", "NOT_IN"):
        return _among(definition, _listed(filter_), wanted=how == "IN")
    if how in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        pattern, wanted = str(_given(filter_, "value")).lower(), how == "CONTAINS_TOKEN"
        return lambda version: _has_token(version.properties.get(name, ""), pattern) == wanted
    if how == "BETWEEN":
        low, high = _comparable(definition, _given(filter_, "value")), _comparable(definition, _given(filter_, "highValue"))
        return lambda version: (value := _compared(definition, version)) is not None and low <= value <= high
    if not isinstance(how, str) or how not in _PLAIN:
        raise Refused(f"Invalid operator {how!r}")
    compare, bound = _PLAIN[how], _comparable(definition, _given(filter_, "value"))
    # A record without the property answers no comparison, not even NEQ.
    return lambda version: (value := _compared(definition, version)) is not None and bool(compare(value, bound))


def _given(filter_: dict[str, Any], name: str) -> str:
    value = filter_.get(name)
    if value is None or isinstance(value, list | dict):
        raise Refused(f"operator {filter_.get('operator')} requires a {name}", context={"propertyName": [filter_["propertyName"]]})
    return str(value)


def _listed(filter_: dict[str, Any]) -> list[str]:
    given = texts(filter_, "values")
    if not given:
        raise Refused(f"operator {filter_['operator']} requires values", context={"propertyName": [filter_["propertyName"]]})
    return given


def _among(definition: Definition, among_these: list[str], *, wanted: bool) -> _Test:
    if definition.type == "string":
        # Stored text is lowered and the asked values are not: "Acme" among the values finds nothing.
        among: set[Any] = set(among_these)
    else:
        among = {_comparable(definition, value) for value in among_these}
    return lambda version: (value := _compared(definition, version)) is not None and (value in among) == wanted


def _compared(definition: Definition, version: Version) -> Any:
    name = definition.name
    if name not in version.compared:
        text = version.properties.get(name)
        version.compared[name] = None if text is None else _comparable(definition, text)
    return version.compared[name]


def _comparable(definition: Definition, text: str) -> Any:
    if definition.type == "number":
        try:
            return Decimal(text)
        except InvalidOperation:
            raise Refused(f"{text} was not a valid number", context={"propertyName": [definition.name]}) from None
    if definition.type in ("date", "datetime"):
        at = values.moment(text)
        if at is None:
            raise Refused(f"{text} was not a valid date", context={"propertyName": [definition.name]})
        return millis(at)
    return text.lower() if definition.type == "string" else text


def _has_token(text: str, pattern: str) -> bool:
    lowered = text.lower()
    tokens = [lowered, *re.findall(r"\w+", lowered), *lowered.split()]
    return any(fnmatch.fnmatchcase(token, pattern) for token in tokens)
