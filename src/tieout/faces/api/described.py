"""The parts of the OpenAPI description that our own answers need: shapes, parameters, answers, problems."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from tieout.faces.api.batch import MOST_ITEMS
from tieout.faces.api.problems import MEDIA_TYPE
from tieout.faces.api.shapes import ASKED, SHAPES

_REF = "#/components/schemas/"
_TEXT, _WHOLE, _MAYBE = {"type": "string"}, {"type": "integer"}, {"type": ["string", "null"]}
_LOC = {"type": "array", "items": {"type": ["string", "integer"]}}
_ERRORS = {"type": "array", "items": {"type": "object", "required": ["loc", "message"], "properties": {"loc": _LOC, "message": _TEXT}}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


_TAKEN = _object(index=_WHOLE, external_id=_TEXT, id=_WHOLE)
_REFUSED = _object(index=_WHOLE, external_id=_TEXT, errors=_ERRORS)
_DOCUMENT = _object(
    id=_WHOLE, external_id=_TEXT, number=_TEXT, customer_id=_WHOLE, customer_external_id=_TEXT, currency=_TEXT, amount=_TEXT, open_amount=_TEXT,
    status=_TEXT, settlement=_TEXT, date=_MAYBE, due_date=_MAYBE, recorded_at=_TEXT,
)  # fmt: skip
_ANSWERS = {
    "Answer": _object(taken=_list(_TAKEN), refused=_list(_REFUSED)),
    "Problem": {
        "type": "object", "required": ["type", "title", "status", "detail", "errors"],
        "properties": {"type": _TEXT, "title": _TEXT, "status": _WHOLE, "detail": _TEXT, "errors": _ERRORS, "refused": _list(_REFUSED)},
    },
    "CustomerShown": _object(
        id=_WHOLE, external_id=_TEXT, name=_TEXT, email=_MAYBE, country=_MAYBE, currency=_MAYBE, tax_id=_MAYBE, recorded_at=_TEXT
    ),
    "InvoiceShown": _DOCUMENT,
    "CreditNoteShown": _DOCUMENT,
    "PaymentShown": _object(
        id=_WHOLE, external_id=_TEXT, customer_id={"type": ["integer", "null"]}, currency=_TEXT, amount=_TEXT, unapplied_amount=_TEXT,
        status=_TEXT, date=_MAYBE, recorded_at=_TEXT,
    ),
}  # fmt: skip
_PROBLEMS = {
    400: "The request cannot be read", 401: "No valid key", 403: "The key's connection takes nothing", 404: "There is no such object",
    413: "More than 5 MB", 415: "Not JSON", 422: "The fields are wrong, or the Idempotency-Key was used for another request",
    503: "Busy: send the same again",
}  # fmt: skip


def components() -> dict[str, Any]:
    """Every shape the description refers to."""
    _, made = models_json_schema([(shape, "validation") for shape in SHAPES.values()], ref_template=_REF + "{model}")
    return {**made["$defs"], **_ANSWERS}


def posting(what: str) -> dict[str, Any]:
    """POST of one kind of object."""
    ref = {"$ref": _REF + SHAPES[what].__name__}
    body = {"oneOf": [ref, {"type": "array", "minItems": 1, "maxItems": MOST_ITEMS, "items": ref}]}
    replayed = {"Idempotent-Replayed": {"description": "Set where this is the first answer again", "schema": {"type": "string", "enum": ["true"]}}}
    return {
        "parameters": [{
            "in": "header", "name": "Idempotency-Key", "required": False,
            "schema": {"type": "string", "pattern": "^[!-~]{1,150}$"},
            "description": "Any text of your own for this request; sent again with the same body, it gives the first answer again",
        }],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            200: {"description": "Everything is in the ledger", "content": _json("Answer"), "headers": replayed},
            207: {"description": "Some are in the ledger, the refused ones are not", "content": _json("Answer"), "headers": replayed},
            **_refusals(400, 401, 403, 413, 415, 422, 503),
        },
    }  # fmt: skip


def listing(what: str) -> dict[str, Any]:
    """GET of a page of one kind."""
    schema = ASKED[what].model_json_schema()["properties"]
    page = _object(items=_list({"$ref": _REF + SHAPES[what].__name__ + "Shown"}), next={"type": ["integer", "null"]})
    return {
        "parameters": [
            {"in": "query", "name": name, "required": False, "schema": _plain(one)} for name, one in schema.items()
        ],
        "responses": {200: {"description": "A page, newest first", "content": {"application/json": {"schema": page}}}, **_refusals(401, 403, 422)},
    }  # fmt: skip


def one(what: str) -> dict[str, Any]:
    """GET of one object by our id."""
    return {
        "responses": {200: {"description": "The object", "content": _json(SHAPES[what].__name__ + "Shown")}, **_refusals(401, 403, 404, 422)}
    }


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    # A parameter is left out, never null.
    choices = schema.get("anyOf", [schema])
    return {key: value for key, value in choices[0].items() if key != "title"}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF + name}}}


def _refusals(*statuses: int) -> dict[int, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF + "Problem"}}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}
