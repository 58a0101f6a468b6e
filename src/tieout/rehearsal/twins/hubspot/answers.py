"""How this vendor writes instants and refuses: one envelope for every error, and the same as an entry of a batch."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Request


class Refused(Exception):
    """The vendor says no. `more` are fields of the envelope that only some refusals carry."""

    def __init__(
        self,
        message: str,
        *,
        code: int = 400,
        category: str = "VALIDATION_ERROR",
        errors: Iterable[dict[str, Any]] = (),
        context: dict[str, list[str]] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.category = category
        self.errors = list(errors)
        self.context = context or {}
        self.more = more

    def envelope(self, correlation: str) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = {"status": "error", "message": self.message, "correlationId": correlation, **self.more}
        if self.errors:
            body["errors"] = self.errors
        if self.context:
            body["context"] = self.context
        body["category"] = self.category
        return body

    def entry(self) -> dict[str, Any]:
        """The same among the errors of a batch of which the rest was done."""
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": self.context,
            "errors": self.errors,
            "links": {},
        }


def missing(what: str = "resource not found", **context: list[str]) -> Refused:
    """404."""
    return Refused(what, code=404, category="OBJECT_NOT_FOUND", context=context)


def instant(at: dt.datetime) -> str:
    """An instant as the vendor writes it: three digits of a second, and none where they would be zeros."""
    text = at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.replace(".000Z", "Z")


def millis(at: dt.datetime) -> int:
    """Milliseconds since 1970."""
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


def sent(request: Request) -> Any:
    """The JSON of a request. Numbers with a fraction stay as they were written, since a property value is text."""
    try:
        return json.loads(request.get_data() or b"{}", parse_float=str)
    except ValueError as error:
        raise Refused(f"Invalid input JSON: {error}") from error


def sent_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request."""
    body = sent(request)
    if not isinstance(body, dict):
        raise Refused("Invalid input JSON: an object is expected")
    return body


def listed(body: dict[str, Any], name: str) -> list[Any]:
    """A list of a body; empty where it is left out."""
    found = body.get(name)
    if found is not None and not isinstance(found, list):
        raise Refused(f"Invalid input JSON: `{name}` must be a list")
    return found or []


def texts(body: dict[str, Any], name: str) -> list[str]:
    """A list of names of a body."""
    return [str(one) for one in listed(body, name)]


def inputs(request: Request, most: int) -> list[dict[str, Any]]:
    """The inputs of a batch."""
    found = listed(sent_object(request), "inputs")
    if not all(isinstance(one, dict) for one in found):
        raise Refused("Invalid input JSON: `inputs` must be a list of objects")
    if len(found) > most:
        raise Refused(f"a batch holds at most {most} inputs, and this one has {len(found)}")
    return found


def whole(text: Any, *, name: str, least: int, most: int, default: int) -> int:
    """A whole number of a query or body, within its bounds."""
    if text is None or text == "":
        return default
    try:
        number = int(str(text))
    except ValueError:
        raise Refused(f"Invalid integer {text!r} for {name}") from None
    if not least <= number <= most:
        raise Refused(f"{name} must be between {least} and {most}, and was {number}")
    return number


def names(request: Request, parameter: str) -> list[str]:
    """The names of a list parameter, repeated or separated by commas."""
    return [name for part in request.args.getlist(parameter) for name in part.split(",") if name]
