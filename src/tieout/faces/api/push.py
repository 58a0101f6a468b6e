"""The push API: any system posts its customers, invoices, credit notes and payments as JSON, and reads back what became of them.

Good items of a list are taken, bad ones are told one by one; an item is in or out, never half. Every error is a problem detail.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Path
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer
from pydantic import ValidationError as Invalid

from tieout.faces.api import batch, described, problems, shown
from tieout.faces.api.problems import Problem
from tieout.faces.api.shapes import ASKED, SHAPES, wrongs
from tieout.flow import pushed
from tieout.flow.pushed import Wrong
from tieout.stages.base import walls

ROOT = "/api/v1/"
MOST_BYTES = 5 * 1024 * 1024
_KEY = re.compile(r"[!-~]{1,150}")
_log = logging.getLogger(__name__)

Ident = Annotated[int, Path(ge=1, lt=2**63)]


class ApiKey(HttpBearer):
    """A key of an organisation, for one of its connections: `Authorization: Bearer tk_…`."""

    def authenticate(self, request: HttpRequest, token: str) -> pushed.Door | None:  # noqa: ARG002 - the signature is the framework's
        return pushed.whose(token)


class _Described(NinjaAPI):
    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> Any:
        schema = super().get_openapi_schema(path_prefix=path_prefix or ROOT, path_params=path_params)
        schema["components"]["schemas"].update(described.components())
        return schema


# No page of documentation: it would fetch its script from elsewhere.
api = _Described(
    title="Tieout push API", version="1", docs_url=None, openapi_url="/openapi.json", auth=ApiKey(), urls_namespace="push",
    description=(__doc__ or "").strip(),
)  # fmt: skip


def _add(what: str) -> None:
    name = SHAPES[what].__name__
    title = what.replace("-", " ")

    def post(request: HttpRequest) -> HttpResponse:
        return _taken(request, what)

    def many(request: HttpRequest) -> HttpResponse:
        return problems.said(shown.page(_door(request), what, _asked(request, what)))

    def one(request: HttpRequest, ident: Ident) -> HttpResponse:
        found = shown.one(_door(request), what, ident)
        if found is None:
            raise Problem("not-found", 404, "Not found", f"This connection has pushed no {name} of the id {ident}.")
        return problems.said(found)

    tags = [title]
    api.post(f"/{what}", operation_id=f"post{name}", summary=f"Post {title}", tags=tags, openapi_extra=described.posting(what))(post)
    api.get(f"/{what}", operation_id=f"list{name}", summary=f"List {title}", tags=tags, openapi_extra=described.listing(what))(many)
    api.get(f"/{what}/{{ident}}", operation_id=f"get{name}", summary=f"One of the {title}", tags=tags, openapi_extra=described.one(what))(one)


def _door(request: Any) -> pushed.Door:
    door: pushed.Door = request.auth
    return door


def _asked(request: HttpRequest, what: str) -> Any:
    twice = [name for name, values in request.GET.lists() if len(values) > 1]
    try:
        if twice:
            raise _fields([Wrong(("query", twice[0]), "is asked twice: ask it once")])
        return ASKED[what].model_validate(request.GET.dict())
    except Invalid as error:
        raise _fields([Wrong(("query", *one.loc), one.message) for one in wrongs(error, ASKED[what])]) from None


def _taken(request: HttpRequest, what: str) -> HttpResponse:
    if request.content_type != "application/json":
        raise Problem("not-json", 415, "Not JSON", "Send JSON in UTF-8 with the header `Content-Type: application/json`.")
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise _fields([Wrong(("header", "Idempotency-Key"), "must be 1 to 150 visible ASCII characters, without spaces")])
    body = request.body
    items, single = batch.items(what, batch.parsed(body))
    outcome = pushed.take(door=_door(request), what=what, body=body, items=items, key=key)
    answer = _answer(outcome, single=single)
    if outcome.replayed:
        answer["Idempotent-Replayed"] = "true"
    return answer


def _answer(outcome: pushed.Outcome, *, single: bool) -> HttpResponse:
    refused = [
        {"index": one.index, "external_id": one.external_id, "errors": problems.plain(batch.located(one.wrong, None if single else one.index))}
        for one in outcome.refused
    ]
    if outcome.refused and not outcome.taken:
        wrong = [found for one in outcome.refused for found in batch.located(one.wrong, None if single else one.index)]
        return Problem(
            "refused", 422, "Refused", "Nothing was taken. Mend what `errors` names and send it again, with a new Idempotency-Key.",
            errors=wrong, members={"refused": refused},
        ).answer()  # fmt: skip
    taken = [{"index": one.index, "external_id": one.external_id, "id": one.id} for one in outcome.taken]
    return problems.said({"taken": taken, "refused": refused}, 207 if refused else 200)


def _fields(errors: list[Wrong]) -> Problem:
    return Problem("fields", 422, "Wrong fields", "The request has fields that cannot be understood; `errors` names them.", errors=errors)


@api.exception_handler(Problem)
def _problem(_: HttpRequest, error: Problem) -> HttpResponse:
    return error.answer()


@api.exception_handler(AuthenticationError)
def _not_let_in(*_: Any) -> HttpResponse:
    return problems.not_let_in().answer()


@api.exception_handler(ValidationError)
def _invalid(_: HttpRequest, error: ValidationError) -> HttpResponse:
    return _fields([Wrong(tuple(one["loc"]), str(one["msg"])) for one in error.errors]).answer()


@api.exception_handler(Exception)
def _raised(request: HttpRequest, error: Exception) -> HttpResponse:
    match error:
        case pushed.Closed():
            return problems.closed(error).answer()
        case pushed.KeyUsed():
            detail = f"{str(error)[:1].upper()}{str(error)[1:]}. Nothing was taken: send the new request with a key of its own."
            return Problem("key-used", 422, "Idempotency-Key used before", detail).answer()
        case walls.OtherOrganisation():
            return problems.other_organisation().answer()
        case RequestDataTooBig():
            return problems.too_large(MOST_BYTES).answer()
        case OperationalError():
            _log.warning("push refused for now", exc_info=error)
            return problems.busy().answer()
    _log.error("push failed: %s %s", request.method, request.path, exc_info=error)
    return problems.failed().answer()


def _guarded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view behind our own size limit, with its refusals in our form; who may is the key's to say."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        length = request.headers.get("content-length") or "0"
        if not length.isdigit() or int(length) > MOST_BYTES:
            return problems.too_large(MOST_BYTES).answer()
        answer = view(request, *args, **kwargs)
        if answer.status_code == 405:
            return problems.not_allowed(str(request.method), answer.headers.get("Allow", "")).answer()
        return answer

    guarded.act, guarded.post_act = "public", "public"  # type: ignore[attr-defined]
    return guarded


for _what in SHAPES:
    _add(_what)
pushed.judged_by(batch.typed)


def urls() -> list[URLPattern]:
    """The addresses below /api/v1/; whatever else is asked there is not found, as a problem."""
    found = [
        URLPattern(one.pattern, _guarded(one.callback), one.default_args, one.name)
        for one in api.urls[0] if isinstance(one, URLPattern) and one.name != "api-root"
    ]  # fmt: skip
    return [*found, re_path(r"", _guarded(problems.no_such_address))]


urlpatterns = [path(ROOT.lstrip("/"), (urls(), "push", "push"))]
