"""The stand-in for Stripe: the API under /v1, a page to pay on for people, and doors for whoever rehearses."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection
from typing import Any, ClassVar

import msgspec
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.stripe import access, doors, expand, page, refusals, strange
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.idempotency import Answers
from tieout.rehearsal.twins.stripe.notices import Signature
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.refusals import Refused
from tieout.rehearsal.twins.stripe.rehearse import Rehearsal
from tieout.rehearsal.twins.stripe.shapes.events import Asked
from tieout.rehearsal.twins.stripe.verbs import (
    balance,
    credit,
    credit_notes,
    customers,
    disputes,
    intents,
    invoices,
    items,
    lifecycle,
    lines,
    records,
    refunds,
    tax_ids,
    tax_rates,
    telling,
)
from tieout.rehearsal.twins.twin import Answer, Delivery, Twin

OPERATIONS: tuple[Operation, ...] = (
    *customers.OPERATIONS,
    *tax_ids.OPERATIONS,
    *credit.OPERATIONS,
    *invoices.OPERATIONS,
    *lines.OPERATIONS,
    *items.OPERATIONS,
    *lifecycle.OPERATIONS,
    *records.OPERATIONS,
    *intents.OPERATIONS,
    *refunds.OPERATIONS,
    *credit_notes.OPERATIONS,
    *disputes.OPERATIONS,
    *balance.OPERATIONS,
    *tax_rates.OPERATIONS,
    *telling.OPERATIONS,
)

_BY_PATH = Map([Rule(op.rule, methods=[op.method], endpoint=at) for at, op in enumerate(OPERATIONS)], strict_slashes=False).bind("stripe")


class StripeTwin(Rehearsal, Twin):
    """One account in sandbox mode. `rate_limit` is requests per second of the twin's clock; None lets everything through."""

    name: ClassVar[str] = "stripe"
    title: ClassVar[str] = "Stripe"
    routes: ClassVar[tuple[tuple[str, tuple[str, ...], str], ...]] = (
        ("/v1/<path:rest>", ("GET", "POST", "DELETE", "PUT", "PATCH"), "answer_api"),
        ("/", ("GET",), "answer_home"),
        ("/pay/<invoice>", ("GET", "POST"), "answer_pay"),
        ("/pay/<invoice>/pdf", ("GET",), "answer_pdf"),
        *((f"/_twin/{door}", ("POST",), "answer_door") for door in doors.DOORS),
    )

    def __init__(
        self,
        *,
        clock: Callable[[], dt.datetime] | None = None,
        seed: int = 1,
        latency_seconds: float = 0.0,
        keys: Collection[str] = ("sk_test_twin", "rk_test_twin"),
        reading_keys: Collection[str] = ("rk_test_reader",),
        rate_limit: int | None = None,
        account_name: str = "Marrow Lane Studio",
        country: str = "DE",
        currency: str = "eur",
        site: str = "http://127.0.0.1",
    ) -> None:
        super().__init__(clock=clock, seed=seed, latency_seconds=latency_seconds)
        self.books = Books(
            clock=self.now,
            chance=self.chance,
            token=self.token,
            post=self.post,
            version=access.PINNED,
            name=account_name,
            country=country,
            currency=currency,
            site=site,
        )
        self._key = next(iter(keys))
        self._gate = access.Gate(keys=keys, reading=reading_keys, per_second=rate_limit, now=self.books.now)
        self._answers = Answers(self.books.now)

    def ways_in(self) -> dict[str, str]:
        return {"api_key": self._key}

    # The API

    def admit(self, request: Request) -> None:
        if request.path.startswith("/v1/"):
            try:
                self._gate.admit(request, self.books.account_id)
            except Refused as refused:
                raise Answer(self._refusal(request, refused)) from refused

    def answer_api(self, request: Request, rest: str) -> Response:
        self.books.move_to(request.host_url)
        key, request_id = access.key_of(request), self._request_id()
        try:
            kept = self._answers.earlier(request, key)
            if kept is not None:
                replayed = self._response(request, kept.body, kept.status, request_id)
                replayed.headers.update({"Idempotent-Replayed": "true", "Original-Request": kept.request})
                return replayed
            operation, path = self._operation(request)
            encoded = request.query_string if request.method in ("GET", "DELETE") else request.get_data()
            given = operation.read(encoded.decode("utf-8", "replace"))
        except Refused as refused:
            return self._refusal(request, refused, request_id)
        asks = given.pop("expand", [])
        self.books.notices.asked = Asked(id=request_id, idempotency_key=request.headers.get("Idempotency-Key"))
        try:
            answer = operation.answer(self.books, given, **path) if operation.takes else operation.answer(self.books, **path)
            body = msgspec.json.encode(expand.expanded(self.books, answer, asks) if asks else answer)
            response = self._response(request, body, 200, request_id)
        except Refused as refused:
            response = self._refusal(request, refused, request_id)
        finally:
            self.books.notices.asked = Asked()
        self._answers.keep(request, key, response, request_id)
        return response

    def _operation(self, request: Request) -> tuple[Operation, dict[str, Any]]:
        try:
            found, path = _BY_PATH.match(request.path, method=request.method)
        except HTTPException as error:
            raise refusals.unknown_path(request.method, request.path) from error
        return OPERATIONS[found], dict(path)

    def _request_id(self) -> str:
        return f"req_{self.token(14)}"

    def _response(self, request: Request, body: bytes, status: int, request_id: str | None = None) -> Response:
        headers = {"Request-Id": request_id or self._request_id(), "Stripe-Version": request.headers.get("Stripe-Version", access.PINNED)}
        if name := request.headers.get("Idempotency-Key"):
            headers["Idempotency-Key"] = name
        return Response(body, status, headers, mimetype="application/json")

    def _refusal(self, request: Request, refused: Refused, request_id: str | None = None) -> Response:
        response = self._response(request, msgspec.json.encode(refused.envelope()), refused.status, request_id)
        response.headers.update(refused.headers)
        return response

    # What goes wrong, Stripe's way

    def no_such_path(self, request: Request, status: int) -> Response:
        return self._refusal(request, refusals.unknown_path(request.method, request.path))

    def too_many(self, request: Request) -> Response:
        return self._refusal(request, refusals.too_many())

    def broken(self, request: Request) -> Response:
        return self._refusal(request, refusals.broken())

    def expired(self, request: Request) -> Response:
        try:
            key = access.key_of(request)
        except Refused as refused:
            return self._refusal(request, refused)
        return self._refusal(request, refusals.expired_key(key))

    def move_a_record(self, request: Request) -> None:
        strange.move(self.books, request.path, request.args.get("starting_after"))

    def as_other_version(self, request: Request, response: Response) -> Response:
        if response.mimetype != "application/json":
            return response
        changed = self._response(request, strange.translated(response.get_data()), response.status_code, response.headers.get("Request-Id"))
        changed.headers["Stripe-Version"] = strange.VERSION
        return changed

    # Events

    def _handed_over(self, delivery: Delivery) -> bool:
        sign = delivery.sign
        if not isinstance(sign, Signature):
            return super()._handed_over(delivery)
        with self.lock:
            door = self.books.notices.endpoints.find(sign.endpoint)
            if door is None or door.status != "enabled":
                return False
        arrived = super()._handed_over(delivery)
        if arrived:
            with self.lock:
                self.books.notices.arrived(sign.event, sign.endpoint)
        return arrived

    # People, and whoever rehearses

    def answer_home(self, request: Request) -> Response:
        self.books.move_to(request.host_url)
        return _html(page.home(self.books))

    def answer_pay(self, request: Request, invoice: str) -> Response:
        self.books.move_to(request.host_url)
        try:
            if request.method == "GET":
                return _html(page.invoice(self.books, invoice, paid=request.args.get("paid", "")))
            page.pay(self, invoice, request.form.get("amount", ""))
        except Refused as refused:
            return _html(page.refused(self.books, invoice, refused.message), refused.status)
        return redirect(f"/pay/{invoice}?paid=yes", 303)

    def answer_pdf(self, request: Request, invoice: str) -> Response:
        try:
            return Response(page.pdf(self.books, invoice), mimetype="application/pdf")
        except Refused as refused:
            return _html(page.refused(self.books, invoice, refused.message), refused.status)

    def answer_door(self, request: Request) -> Response:
        """Doors are answered outside the vendor's rules, so the state is locked here."""
        with self.lock:
            try:
                asked = json.loads(request.get_data() or b"{}")
                answer = doors.DOORS[request.path.removeprefix("/_twin/")](self, asked)
            except Refused as refused:
                return Response(msgspec.json.encode({"refused": refused.message}), 400, mimetype="application/json")
            except (KeyError, TypeError, ValueError) as error:
                return Response(msgspec.json.encode({"refused": f"not understood: {error!r}"}), 400, mimetype="application/json")
        return Response(msgspec.json.encode(answer), mimetype="application/json")


def _html(text: str, status: int = 200) -> Response:
    return Response(text, status, mimetype="text/html")
