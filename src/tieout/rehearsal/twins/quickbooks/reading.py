"""Turns what a caller sent into clean values, or refuses it: no unknown property, no wrong type, no value off a closed list.

An empty text or null stays as it is: whether that means "nothing said" or "take it away" depends on the kind of update.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal, InvalidOperation
from typing import Any

from tieout.rehearsal.twins.quickbooks import refusals
from tieout.rehearsal.twins.quickbooks.refusals import Json
from tieout.rehearsal.twins.quickbooks.shapes import ENUMS, LONGEST, NESTED, Shape

_CENT = Decimal("0.01")


def parsed(raw: bytes) -> Json:
    """The object in a request body, its numbers exact. Raises Refused."""
    try:
        found = json.loads(raw or b"{}", parse_float=Decimal)
    except (ValueError, UnicodeDecodeError) as error:
        raise refusals.unknown_property(f"the body is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise refusals.unknown_property("the body is not an object")
    return found


def clean(shape: Shape, given: Json) -> Json:
    """The properties of one entity as given, checked and typed. Raises Refused."""
    return _object(shape.name, shape.properties, given)


def _object(where: str, properties: dict[str, str], given: Any) -> Json:
    if not isinstance(given, dict):
        raise refusals.unknown_property(f"{where} is not an object")
    cleaned: Json = {}
    for name, value in given.items():
        kind = properties.get(name)
        if kind is None:
            known = ", ".join(f'"{known}"' for known in properties)
            raise refusals.unknown_property(f'Unrecognized field "{name}" (class {where}, {len(properties)} known properties: {known})')
        if kind != "any":
            cleaned[name] = None if value is None else _value(name, kind, value)
    return cleaned


def _value(name: str, kind: str, value: Any) -> Any:
    if kind.endswith("_list"):
        listed = value if isinstance(value, list) else [value]
        return [_value(name, kind.removesuffix("_list"), each) for each in listed]
    if kind in NESTED:
        cleaned = _object(name, NESTED[kind], value)
        return None if kind == "ref" and not cleaned.get("value") else cleaned
    if value == "":
        return ""
    if isinstance(value, dict | list):
        raise refusals.unknown_property(f"{name} is a plain value, not a structure")
    return _PLAIN[kind](name, value)


def _text(name: str, value: Any) -> str:
    text = str(value)
    if text not in ENUMS.get(name, (text,)):
        raise refusals.unknown_property(f"{name} from String value '{text}': not one of {', '.join(ENUMS[name])}")
    if len(text) > LONGEST.get(name, len(text)):
        raise refusals.too_long(name, LONGEST[name])
    return text


def number(name: str, value: Any) -> Decimal:
    """A number given as one or as text. Raises Refused."""
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        found = Decimal(str(value))
        if not found.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise refusals.unknown_property(f"{name} from String value '{value}': not a number") from None
    return found


def _whole(name: str, value: Any) -> int:
    found = number(name, value)
    if found != int(found):
        raise refusals.unknown_property(f"{name} from String value '{value}': not a whole number")
    return int(found)


def _yes(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise refusals.unknown_property(f"{name} from String value '{value}': neither true nor false")


def _date(name: str, value: Any) -> str:
    # A date may arrive with a time or an offset behind it; QuickBooks looks at the day alone.
    try:
        return dt.date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise refusals.unknown_property(f"{name} from String value '{value}': not a date") from None


_PLAIN = {"text": _text, "number": number, "whole": _whole, "yes": _yes, "date": _date, "moment": _text}


def moment(text: str, zone: dt.tzinfo) -> dt.datetime:
    """An instant as text; a date alone is its midnight, and without an offset it is the company's time. Raises ValueError."""
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def money(amount: Decimal) -> Decimal:
    """An amount as QuickBooks writes it: two decimals, and a bare 0 for nothing."""
    rounded = amount.quantize(_CENT, rounding="ROUND_HALF_UP")
    return rounded if rounded else Decimal(0)


def bare(figure: Decimal) -> Decimal:
    """A quantity or a price without zeros behind its last decimal."""
    short = figure.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
