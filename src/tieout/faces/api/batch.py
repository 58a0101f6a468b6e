"""A posted body into items: strict JSON, one object or a list of them, each judged by its shape."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from tieout.faces.api.problems import Problem
from tieout.faces.api.shapes import SHAPES, Refused, wrongs
from tieout.flow.pushed import Item, Unreadable, Wrong

MOST_ITEMS = 1000
_LONGEST_NUMBER = 40
#: A line of an invoice in a list lies four deep.
_DEEPEST = 16


def parsed(body: bytes) -> Any:
    """The body as JSON. Raises Problem: doubled names, NaN and what is no UTF-8 are refused, for two readers read them in two ways."""
    try:
        given = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_int=_whole, parse_constant=_no_number, object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise _unreadable("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except (ValueError, ArithmeticError) as error:
        raise _unreadable(f"The body is not JSON that can be taken: {error}.") from None
    except RecursionError:
        raise _too_deep() from None
    level = [given]
    for _ in range(_DEEPEST):
        level = [inner for one in level if isinstance(one, (dict, list)) for inner in (one.values() if isinstance(one, dict) else one)]
    if level:
        raise _too_deep()
    return given


def items(what: str, given: Any) -> tuple[list[Item], bool]:
    """The objects of a body, and whether it was a single one. Raises Problem."""
    if isinstance(given, dict):
        return [_item(what, given, {})], True
    if not isinstance(given, list) or not given:
        raise _shape("Send one object in braces, or a list of one or more of them.")
    if len(given) > MOST_ITEMS:
        raise _shape(f"The list has {len(given)} objects: send at most {MOST_ITEMS} at once.")
    known: dict[str, int] = {}
    return [_item(what, one, known, index) for index, one in enumerate(given)], False


def _item(what: str, given: Any, known: dict[str, int], index: int = 0) -> Item:
    if not isinstance(given, dict):
        return Item(external_id="", wrong=(Wrong((), "must be an object in braces"),), raw=given)
    external_id = given.get("id")
    if not isinstance(external_id, str) or not 0 < len(external_id) <= 300 or not external_id.isprintable() or not external_id.strip():
        external_id = ""
    shape = SHAPES[what]
    try:
        pushed = shape.model_validate(given)
        first = known.setdefault(pushed.id, index)
        if first != index:
            message = f"the same id as item {first} of this list: send each object once"
            return Item(external_id=pushed.id, wrong=(Wrong(("id",), message),), raw=given, repeated=True)
        return Item(external_id=pushed.id, record=pushed.record(), raw=given)
    except ValidationError as error:
        return Item(external_id=external_id, wrong=wrongs(error, shape), raw=given)
    except Refused as refusal:
        return Item(external_id=external_id, wrong=refusal.wrong, raw=given)


def typed(what: str, text: str) -> Item:
    """One object as a person typed it. Raises Unreadable."""
    try:
        given = parsed(text.encode("utf-8", "surrogatepass"))
        if not isinstance(given, dict):
            raise Unreadable("the record must be one object in braces")
        return items(what, given)[0][0]
    except Problem as problem:
        raise Unreadable(problem.detail.removesuffix(" Nothing was taken.")) from None


def located(wrong: Iterable[Wrong], index: int | None) -> Sequence[Wrong]:
    """Where in the whole body something is wrong."""
    return [Wrong((*(() if index is None else (index,)), *one.loc), one.message) for one in wrong]


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a number has more digits than any here")
    return int(text)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice!r} stands twice in one object")
    return found


def _unreadable(detail: str) -> Problem:
    return Problem("unreadable", 400, "Unreadable", detail + " Nothing was taken.")


def _too_deep() -> Problem:
    return _unreadable("The body is nested deeper than any object here.")


def _shape(detail: str) -> Problem:
    return Problem("wrong-shape", 422, "Not a batch", detail, errors=[Wrong((), detail)])
