"""QuickBooks Online's endpoints over the books: consent and tokens, records, queries, changes, batches, webhooks, and a page
to watch it all."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.quickbooks import batch, changes, pages, reading, refusals, verbs
from tieout.rehearsal.twins.quickbooks.bookkeeping import Bookkeeper
from tieout.rehearsal.twins.quickbooks.books import Company
from tieout.rehearsal.twins.quickbooks.events import Outbox
from tieout.rehearsal.twins.quickbooks.finding import Finder
from tieout.rehearsal.twins.quickbooks.limits import Limits, Meter
from tieout.rehearsal.twins.quickbooks.oauth import Permissions
from tieout.rehearsal.twins.quickbooks.refusals import Json, Refused
from tieout.rehearsal.twins.quickbooks.shapes import BY_SPELLING
from tieout.rehearsal.twins.quickbooks.signing_in import SigningIn
from tieout.rehearsal.twins.twin import Answer, Twin, answer_json

_COMPANY = "/v3/company/<realm>"
_REALM = re.compile(r"/v3/company/([^/]+)")


class QuickBooks(Bookkeeper, SigningIn, Twin):
    """A stand-in for QuickBooks Online, with one company to begin with."""

    name: ClassVar[str] = "quickbooks"
    title: ClassVar[str] = "QuickBooks Online"
    routes: ClassVar[tuple[tuple[str, tuple[str, ...], str], ...]] = (
        ("/", ("GET",), "page"),
        *SigningIn.doors_of_consent,
        (f"{_COMPANY}/query", ("GET", "POST"), "asked"),
        (f"{_COMPANY}/cdc", ("GET",), "changed"),
        (f"{_COMPANY}/batch", ("POST",), "batched"),
        (f"{_COMPANY}/preferences", ("GET",), "preferences"),
        (f"{_COMPANY}/companyinfo/<record_id>", ("GET",), "particulars"),
        (f"{_COMPANY}/<spelling>", ("POST",), "written"),
        (f"{_COMPANY}/<spelling>/<record_id>", ("GET",), "shown"),
        (f"{_COMPANY}/<spelling>/<record_id>/send", ("POST",), "sent"),
        ("/_twin/connect", ("POST",), "own_connect"),
        ("/_twin/subscribe", ("POST",), "own_subscribe"),
        ("/_twin/merge", ("POST",), "own_merge"),
        ("/_twin/fill", ("POST",), "own_fill"),
    )

    def __init__(
        self,
        *,
        clock: Callable[[], dt.datetime] | None = None,
        seed: int = 1,
        latency_seconds: float = 0.0,
        company_name: str = "Larkspur Landscaping",
        client_id: str = "tieout-client",
        client_secret: str = "tieout-secret",  # noqa: S107 - a rehearsal's secret is written on its door
        rotate_always: bool = False,
        grace_seconds: float = 60.0,
        limits: Limits | None = None,
        **terms: Any,
    ) -> None:
        super().__init__(clock=clock, seed=seed, latency_seconds=latency_seconds)
        self.companies: dict[str, Company] = {}
        self.finder = Finder()
        self.meter = Meter(limits)
        self.outbox = Outbox(self.chance)
        self.permissions = Permissions(
            client_id,
            client_secret,
            clock=self.now,
            new_token=self.token,
            rotate_always=rotate_always,
            grace=dt.timedelta(seconds=grace_seconds),
        )
        self._replays: dict[tuple[str, str], bytes] = {}
        self.open_company(company_name, **terms)

    # For whoever rehearses

    def approve(self, params: dict[str, str], *, realm: str = "") -> str:
        """Approve an authorisation request as a person would; returns where the browser goes next."""
        with self.lock:
            return self.permissions.approve(params, self.company(realm).realm)

    def connect(self, *, realm: str = "") -> Json:
        """Tokens for a company, without the dance: access_token and refresh_token."""
        with self.lock:
            return self.permissions.tokens(self.permissions.grant(self.company(realm).realm))

    def ways_in(self) -> dict[str, str]:
        tokens = self.connect()
        return {
            "client_id": self.permissions.client_id,
            "client_secret": self.permissions.client_secret,
            "access_token": tokens["access_token"],
            "refresh_token": tokens["refresh_token"],
            "realmId": self.company().realm,
            "item": "1",
            "tax_code": "TAX",
            "oauth_url": "%HERE%",
        }

    def subscribe(self, url: str, verifier: str) -> None:
        """Send the events of all companies to this address, signed with this verifier token."""
        self.outbox.subscribers[url] = verifier

    def flush(self) -> int:
        """Gather waiting events, of whatever company, into deliveries; returns how many deliveries there are."""
        with self.lock:
            deliveries = self.outbox.gathered()
        for delivery in deliveries:
            self.post(delivery)
        return len(deliveries)

    def deliver(self, *, everything: bool = True) -> int:
        self.flush()
        return super().deliver(everything=everything)

    def _news(self, company: Company, entity: str, happened: str, record_id: str, particulars: Json) -> None:
        self.outbox.note(company.realm, entity, happened, record_id, particulars, self.now())

    # Answers

    def _tid(self) -> dict[str, str]:
        return {"intuit_tid": f"1-{int(self.now().timestamp()):08x}-{self.chance.randbytes(12).hex()}"}

    def _answer(self, body: Json, status: int = 200, company: Company | None = None) -> Response:
        moment = (company or self.company()).stamp(self.now(), "milliseconds")
        return answer_json({**body, "time": moment}, status, self._tid())

    def _refusal(self, refused: Refused, company: Company | None = None) -> Response:
        return self._answer(refused.fault(), refused.status, company)

    def _gateway(self, detail: str) -> Response:
        response = answer_json(refusals.expired_token(detail, int(self.now().timestamp() * 1000)), 401, self._tid())
        response.headers["WWW-Authenticate"] = 'Bearer realm="Intuit", error="invalid_token"'
        return response

    def _answered(self, realm: str, work: Callable[[Company], Json]) -> Response:
        company = self.companies[realm]
        try:
            return self._answer(work(company), company=company)
        except Refused as refused:
            return self._refusal(refused, company)

    # What every twin does in its own way

    def admit(self, request: Request) -> None:
        asked = _REALM.match(request.path)
        if asked is None:
            return
        authorization = request.headers.get("Authorization", "")
        realm = self.permissions.realm_of(authorization)
        if realm is None:
            raise Answer(self._gateway("Token expired, revoked or never given" if authorization else "No token was shown"))
        if realm != asked[1]:
            raise Answer(self._refusal(refusals.wrong_company(asked[1])))
        if not self.meter.admits(realm, batch=request.path.endswith("/batch"), now=self.now()):
            raise Answer(self._refusal(refusals.throttled()))

    def no_such_path(self, request: Request, status: int) -> Response:
        return self._refusal(refusals.unsupported(f"{request.method} of {request.path}"))

    def too_many(self, request: Request) -> Response:
        return self._refusal(refusals.throttled())

    def broken(self, request: Request) -> Response:
        return self._refusal(refusals.system_failure())

    def expired(self, request: Request) -> Response:
        if _REALM.match(request.path):
            return self._gateway("Token expired")
        return answer_json({"error": "invalid_grant", "error_description": "Token expired"}, 400, self._tid())

    def move_a_record(self, request: Request) -> None:
        """Touch the record that has gone unchanged the longest: read in order of last change, it wanders from the first page to
        the last and every record between moves up by one."""
        asked = _REALM.match(request.path)
        company = self.companies.get(asked[1]) if asked else None
        if company is None:
            return
        statement = request.args.get("query") or request.get_data(as_text=True)
        named = re.search(r"\bfrom\s+(\w+)", statement, re.IGNORECASE)
        entity = BY_SPELLING.get(named[1].lower() if named else "", "Invoice")
        records = company.records[entity].values()
        if records:
            oldest = min(records, key=lambda record: (record.updated, record.number))
            company.put(entity, oldest.body, oldest)

    def as_other_version(self, request: Request, response: Response) -> Response:
        try:
            body = json.loads(response.get_data(), parse_float=Decimal)
        except ValueError:
            return response
        _modernise(body)
        response.set_data(answer_json(body).get_data())
        return response

    # The accounting API, and the page to watch it

    def page(self, request: Request) -> Response:
        company = self.companies.get(request.args.get("realm", "")) or self.company()
        return Response(pages.books(company, self.companies.values()), mimetype="text/html")

    def asked(self, request: Request, realm: str) -> Response:
        statement = request.args.get("query") or request.get_data(as_text=True)
        return self._answered(realm, lambda company: self.finder.answer(company, statement))

    def changed(self, request: Request, realm: str) -> Response:
        given = request.args
        return self._answered(realm, lambda company: changes.since(company, given.get("entities", ""), given.get("changedSince", "")))

    def batched(self, request: Request, realm: str) -> Response:
        return self._once(request, realm, lambda company: batch.run(company, self.finder, reading.parsed(request.get_data())))

    def preferences(self, request: Request, realm: str) -> Response:
        return self._answered(realm, lambda company: {"Preferences": company.find("Preferences", "1").body})

    def particulars(self, request: Request, realm: str, record_id: str) -> Response:
        return self._answered(realm, lambda company: {"CompanyInfo": company.find("CompanyInfo", "1" if record_id == realm else record_id).body})

    def shown(self, request: Request, realm: str, spelling: str, record_id: str) -> Response:
        def work(company: Company) -> Json:
            entity = _entity(spelling, "read")
            return {entity: company.shown(company.find(entity, record_id))}

        return self._answered(realm, work)

    def written(self, request: Request, realm: str, spelling: str) -> Response:
        """Create, update, void and delete all come in by one door; the operation and an id tell them apart."""

        def work(company: Company) -> Json:
            operation, include = request.args.get("operation", "").lower(), request.args.get("include", "").lower()
            entity = _entity(spelling, operation or "create")
            given = reading.parsed(request.get_data())
            if operation == "delete":
                return {entity: verbs.delete(company, entity, given)}
            if operation == "void" or include == "void":
                return {entity: company.shown(verbs.void(company, entity, given))}
            if operation not in ("", "create", "update"):
                raise refusals.unsupported(f"{operation} of {entity}")
            verb = verbs.update if given.get("Id") else verbs.create
            return {entity: company.shown(verb(company, entity, given))}

        return self._once(request, realm, work)

    def sent(self, request: Request, realm: str, spelling: str, record_id: str) -> Response:
        def work(company: Company) -> Json:
            entity = _entity(spelling, "send")
            return {entity: verbs.send(company, entity, record_id, request.args.get("sendTo", "")).body}

        return self._once(request, realm, work)

    def _once(self, request: Request, realm: str, work: Callable[[Company], Json]) -> Response:
        """A write with a `requestid` is done once; shown again, the id gets the old answer, whatever has happened since."""
        key = (realm, request.args.get("requestid", ""))
        if key in self._replays:
            return Response(self._replays[key], 200, self._tid(), mimetype="application/json")
        response = self._answered(realm, work)
        if key[1] and response.status_code == 200:
            self._replays[key] = response.get_data()
        return response

    # Our own doors

    def own_connect(self, request: Request) -> Response:
        return answer_json(self.connect(**_given(request)))

    def own_subscribe(self, request: Request) -> Response:
        self.subscribe(**_given(request))
        return answer_json({"subscribers": sorted(self.outbox.subscribers)})

    def own_merge(self, request: Request) -> Response:
        try:
            return answer_json(self.merge(**_given(request)))
        except Refused as refused:
            return self._refusal(refused)

    def own_fill(self, request: Request) -> Response:
        return answer_json(self.fill(**_given(request)))


def _given(request: Request) -> Json:
    found: Json = request.get_json(silent=True) or {}
    return found


def _entity(spelling: str, operation: str) -> str:
    entity = BY_SPELLING.get(spelling.lower())
    if entity is None:
        raise refusals.unsupported(f"{operation} of {spelling}")
    return entity


def _modernise(part: Any) -> None:
    """Add what nobody knows yet to every record of an answer: a property, and a value on each closed list."""
    if isinstance(part, list):
        for each in part:
            _modernise(each)
    elif isinstance(part, dict):
        for value in part.values():
            _modernise(value)
        if "SyncToken" in part:
            part["SettlementOutlook"] = {"Grade": "B", "Since": "2031-01-01"}
            for name in ("EmailStatus", "PrintStatus", "PreferredDeliveryMethod"):
                if name in part:
                    part[name] = "Teleported"
