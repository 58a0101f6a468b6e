"""The whole stand-in: all doors together, the account's own details, and how this vendor fails."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.hubspot import access, associations, batches, catalogue, oauth, objects, page, properties, search
from tieout.rehearsal.twins.hubspot.answers import Refused, missing, sent_object
from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.events import Events
from tieout.rehearsal.twins.hubspot.oauth import OAuthDoors
from tieout.rehearsal.twins.hubspot.people import People
from tieout.rehearsal.twins.hubspot.properties import PropertyDoors

_OWN = (
    ("/account-info/v3/details", ("GET",), "details"),
    ("/account-info/2026-03/details", ("GET",), "details"),
    ("/crm/v3/pipelines/<called>", ("GET",), "pipelines"),
    ("/crm/pipelines/2026-03/<called>", ("GET",), "pipelines"),
)
#: Enumerations an answer of another version would show a new value of.
_ENUMERATIONS = frozenset({"dealstage", "lifecyclestage", "type", "hs_invoice_status", "hs_task_status", "fieldType"})


class HubSpot(People, PropertyDoors, OAuthDoors, Events):
    """A stand-in for the CRM: companies, contacts, deals and what hangs on them, with search, webhooks and OAuth."""

    name = "hubspot"
    title = "HubSpot CRM"
    routes = (*_OWN, *objects.ROUTES, *batches.ROUTES, *properties.ROUTES, *associations.ROUTES, *oauth.ROUTES, *page.ROUTES)

    def __init__(
        self,
        *,
        clock: Callable[[], dt.datetime] | None = None,
        seed: int = 1,
        latency_seconds: float = 0.0,
        portal_id: int = 145_000_333,
        time_zone: str = "Europe/Berlin",
        currency: str = "EUR",
        index_lag_seconds: float = 0.0,
        per_ten_seconds: int | None = None,
        searches_per_second: int | None = None,
        **application: Any,
    ) -> None:
        """`application`: client_id, client_secret, app_id, redirect_uris, private_token, private_app_id."""
        super().__init__(
            clock=clock,
            seed=seed,
            latency_seconds=latency_seconds,
            portal_id=portal_id,
            time_zone=time_zone,
            currency=currency,
            index_lag_seconds=index_lag_seconds,
            per_ten_seconds=per_ten_seconds,
            searches_per_second=searches_per_second,
            **application,
        )

    def ways_in(self) -> dict[str, str]:
        return {"access_token": self.private_token}

    # The account

    def details(self, request: Request) -> Response:
        offset = self.now().astimezone(ZoneInfo(self.time_zone)).utcoffset() or dt.timedelta(0)
        minutes = int(offset.total_seconds()) // 60
        return self.answer(
            {
                "portalId": self.portal_id,
                "accountType": "STANDARD",
                "timeZone": self.time_zone,
                "companyCurrency": self.currency,
                "additionalCurrencies": [],
                "utcOffset": f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}",
                "utcOffsetMilliseconds": minutes * 60_000,
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "eu1",
            }
        )

    def pipelines(self, request: Request, called: str) -> Response:
        if catalogue.kind(called).name != "deals":
            return self.answer({"results": []})
        born = "2020-01-01T00:00:00Z"
        stages = [
            {
                "id": stage,
                "label": label,
                "displayOrder": order,
                "metadata": {"isClosed": str(stage in catalogue.CLOSED).lower(), "probability": chance},
                "createdAt": born,
                "updatedAt": born,
                "archived": False,
            }
            for order, (stage, (label, chance)) in enumerate(catalogue.STAGES.items())
        ]
        line = {"id": "default", "label": "Sales pipeline", "displayOrder": 0, "stages": stages}
        return self.answer({"results": [{**line, "createdAt": born, "updatedAt": born, "archived": False}]})

    # How it fails

    def no_such_path(self, request: Request, status: int) -> Response:
        if status == 405:
            return self.refuse(Refused("Method not allowed", code=405))
        return self.refuse(missing())

    def too_many(self, request: Request) -> Response:
        return self.refuse(access.too_fast("SECONDLY" if request.path.endswith("/search") else "TEN_SECONDLY_ROLLING"))

    def broken(self, request: Request) -> Response:
        return self.refuse(Refused("internal error", code=500, category="INTERNAL_ERROR"))

    def expired(self, request: Request) -> Response:
        return self.refuse(self.run_out(self.ago(60)))

    def move_a_record(self, request: Request) -> None:
        """Touch the first record of what is being read: in a search that is sorted by the last modification it moves to the end,
        and every later one moves up. Whoever pages on by `after` loses the one at the border; who asks from the last date on does not."""
        kind = self._read(request)
        if kind is None:
            return
        if request.path.endswith("/search"):
            try:
                hits = search.found(search.understood(sent_object(request), self.definitions[kind.name]), kind, self.indexed(kind))
            except Refused:
                return
            first = hits[0][0] if hits else None
        else:
            first = next((record for record in self.records[kind.name].values() if record.archived_at is None), None)
        if first is not None:
            self.touch(first)

    def _read(self, request: Request) -> Kind | None:
        for family in objects.FAMILIES:
            if request.path.startswith(f"{family}/"):
                try:
                    return catalogue.kind(request.path.removeprefix(f"{family}/").split("/")[0])
                except Refused:
                    return None
        return None

    def as_other_version(self, request: Request, response: Response) -> Response:
        if response.mimetype != "application/json":
            return response
        return self.answer(_of_tomorrow(json.loads(response.get_data())), response.status_code)


def _of_tomorrow(told: Any) -> Any:
    if isinstance(told, list):
        return [_of_tomorrow(one) for one in told]
    if not isinstance(told, dict):
        return told
    body = {name: "OF_TOMORROW" if name in _ENUMERATIONS and isinstance(one, str) else _of_tomorrow(one) for name, one in told.items()}
    if "properties" in body or "results" in body:
        body["fieldOfTomorrow"] = {"since": "2031-09"}
    if body.get("status") == "COMPLETE":
        body["status"] = "COMPLETE_OF_TOMORROW"
    return body
