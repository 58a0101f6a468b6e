"""Errors of the push API as problem details (RFC 9457): what is wrong, with which field, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from tieout.flow.pushed import Wrong

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:tieout:problem:"


class Problem(Exception):
    """A request that is answered with a problem: its kind (the last part of `type`), status, a title and what to do."""

    def __init__(
        self, kind: str, status: int, title: str, detail: str, *, errors: Sequence[Wrong] = (), headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.kind, self.status, self.title, self.detail = kind, status, title, detail
        self.errors, self.headers, self.members = tuple(errors), dict(headers or {}), dict(members or {})

    def answer(self) -> HttpResponse:
        """The problem as it goes out."""
        body = {"type": _TYPE + self.kind, "title": self.title, "status": self.status, "detail": self.detail, "errors": plain(self.errors)}
        return said(body | self.members, self.status, media_type=MEDIA_TYPE, headers=self.headers)


def plain(errors: Iterable[Wrong]) -> list[dict[str, Any]]:
    """Errors as they stand in an answer."""
    return [{"loc": list(one.loc), "message": one.message} for one in errors]


def said(body: Any, status: int = 200, *, media_type: str = "application/json", headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An answer in JSON."""
    return HttpResponse(json.dumps(body), status=status, content_type=media_type, headers={"Cache-Control": "no-store", **(headers or {})})


def not_let_in() -> Problem:
    """Without a key, with an unknown or a revoked one: which of them it is, is not told."""
    return Problem(
        "not-let-in", 401, "No valid key", "Send a key of this organisation as `Authorization: Bearer tk_…`; the one sent, if any, is unknown "
        "or revoked.", headers={"WWW-Authenticate": 'Bearer realm="tieout"'},
    )  # fmt: skip


def closed(why: Exception) -> Problem:
    """The key is good and opens nothing."""
    return Problem("closed", 403, "This connection takes nothing", f"{str(why)[:1].upper()}{str(why)[1:]}.")


def other_organisation() -> Problem:
    """Somebody's browser sent its cookies along."""
    return Problem(
        "cookies-sent", 400, "Sent with somebody's cookies", "The request carries cookies of a person signed in to another organisation than "
        "the key is of. Send the key without cookies.",
    )  # fmt: skip


def busy() -> Problem:
    """Somebody else changed the same rows at the same moment; nothing of the request was taken."""
    return Problem(
        "busy", 503, "Busy", "Nothing was taken, because the same rows were being changed. Send the same request again, with the same "
        "Idempotency-Key.", headers={"Retry-After": "1"},
    )  # fmt: skip


def failed() -> Problem:
    """A fault of ours."""
    return Problem("failed", 500, "Our fault", "Nothing was taken. Send the same request again; if it fails again, tell whoever runs this.")


def too_large(most: int) -> Problem:
    """More bytes than are taken at once."""
    return Problem("too-large", 413, "Too large", f"At most {most // 1024 // 1024} MB at once: send the objects in several requests.")


def not_allowed(method: str, allowed: str) -> Problem:
    """Not a method of this address."""
    detail = f"{method} is nothing that can be done here; what can: {allowed}."
    return Problem("method", 405, HTTPStatus(405).phrase, detail, headers={"Allow": allowed})


def no_such_address(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the signature is the framework's
    """Any address below /api/v1/ that there is not."""
    return Problem("not-found", 404, "Not found", "There is no such address; /api/v1/openapi.json lists those there are.").answer()
