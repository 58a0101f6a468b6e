"""What may stand in a property. Every value is text in the end; here it is judged, and written the vendor's one way."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tieout.rehearsal.twins.hubspot import catalogue
from tieout.rehearsal.twins.hubspot.answers import Refused, instant
from tieout.rehearsal.twins.hubspot.definitions import Definition

LONGEST = 65_536
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_STAGES = {"dealstage": tuple(catalogue.STAGES), "pipeline": ("default",)}


class _Bad(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def checked(definitions: Mapping[str, Definition], given: Any, *, portal: int) -> dict[str, str]:
    """The values to store; an empty one clears. Raises Refused, which names every property that is not well."""
    if not isinstance(given, dict):
        raise Refused("Invalid input JSON: `properties` must be an object")
    good: dict[str, str] = {}
    bad: list[tuple[str, str, _Bad]] = []
    for name, raw in given.items():
        text = _text(raw)
        try:
            good[name] = _value(definitions.get(name), name, text)
        except _Bad as fault:
            bad.append((name, text, fault))
    if bad:
        raise _refusal(bad, portal)
    return good


def moment(text: str) -> dt.datetime | None:
    """The instant a text means: milliseconds since 1970, or ISO 8601; None where it means none."""
    try:
        if re.fullmatch(r"-?\d+", text):
            return _EPOCH + dt.timedelta(milliseconds=int(text))
        at = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)


def _text(raw: Any) -> str:
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, str | int | float):
        return str(raw)
    raise Refused("Invalid input JSON: a property value must be a text, a number or a boolean")


def _value(definition: Definition | None, name: str, text: str) -> str:
    if definition is None or definition.archived_at is not None:
        raise _Bad("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if definition.read_only:
        raise _Bad("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set')
    if not text:
        return ""
    if definition.type == "string":
        return _string(definition, text)
    if text != text.strip():
        raise _Bad("INVALID_WHITESPACE", f"{text!r} must not begin or end with white space")
    return _TYPES[definition.type](definition, text)


def _string(definition: Definition, text: str) -> str:
    if len(text) > LONGEST:
        raise _Bad("STRING_TOO_LONG", f"{definition.name} is longer than {LONGEST} characters")
    if definition.name == "email" and not _EMAIL.fullmatch(text):
        raise _Bad("INVALID_EMAIL", f"Email address {text} is invalid")
    return text.lower() if definition.name == "email" else text


def _number(_: Definition, text: str) -> str:
    try:
        if Decimal(text).is_finite():
            return text
    except InvalidOperation:
        pass
    raise _Bad("INVALID_NUMBER", f"{text} was not a valid number")


def _datetime(_: Definition, text: str) -> str:
    at = moment(text)
    if at is None:
        raise _Bad("INVALID_DATE", f"{text} was not a valid instant")
    return instant(at)


def _date(_: Definition, text: str) -> str:
    at = moment(text)
    # The vendor takes a day as its midnight in UTC, and refuses every other hour of it.
    if at is None or at.time() != dt.time(0):
        raise _Bad("INVALID_DATE", f"{text} is not at midnight")
    return at.date().isoformat()


def _choice(definition: Definition, text: str) -> str:
    several = text.strip(";").split(";") if definition.field_type == "checkbox" else [text]
    if definition.external:
        allowed: tuple[str, ...] = _STAGES.get(definition.name, tuple(several))
    else:
        allowed = tuple(option.value for option in definition.options)
    strange = next((value for value in several if value not in allowed), None)
    if strange is not None:
        raise _Bad("INVALID_OPTION", f"{strange} was not one of the allowed options: [{', '.join(allowed)}]")
    return text


_TYPES = {"number": _number, "datetime": _datetime, "date": _date, "enumeration": _choice, "bool": _choice, "phone_number": _string}


def _refusal(bad: list[tuple[str, str, _Bad]], portal: int) -> Refused:
    told = [
        {
            "isValid": False,
            "message": str(fault),
            "error": fault.code,
            "name": name,
            "localizedErrorMessage": str(fault),
            "propertyValue": text,
            "portalId": portal,
        }
        for name, text, fault in bad
    ]
    return Refused(
        f"Property values were not valid: {json.dumps(told, separators=(',', ':'))}",
        errors=[{"message": str(fault), "code": fault.code, "context": {"propertyName": [name]}} for name, _, fault in bad],
    )
