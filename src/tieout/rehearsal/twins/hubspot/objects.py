"""The doors to records, in both families of paths: list, retrieve, create, change, archive, search."""

from __future__ import annotations

from itertools import islice
from typing import Any

from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.hubspot import catalogue, search
from tieout.rehearsal.twins.hubspot.access import Access
from tieout.rehearsal.twins.hubspot.answers import Refused, names, sent_object, whole
from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.portal import Tie
from tieout.rehearsal.twins.hubspot.records import Record

#: The two families: the numbered version and the dated one.
FAMILIES = ("/crm/v3/objects", "/crm/objects/2026-03")
ROUTES = tuple(
    (family + rule, (method,), door)
    for family in FAMILIES
    for rule, method, door in (
        ("/<called>", "GET", "listed"),
        ("/<called>", "POST", "created"),
        ("/<called>/<ident>", "GET", "retrieved"),
        ("/<called>/<ident>", "PATCH", "changed"),
        ("/<called>/<ident>", "DELETE", "archived"),
        ("/<called>/search", "POST", "searched"),
    )
)
_LARGEST_PAGE = 100
_LARGEST_PAGE_WITH_HISTORY = 50


class ObjectDoors(Access):
    """One record at a time, or a page of them."""

    def listed(self, request: Request, called: str) -> Response:
        kind = catalogue.kind(called)
        histories = names(request, "propertiesWithHistory")
        most = _LARGEST_PAGE_WITH_HISTORY if histories else _LARGEST_PAGE
        limit = whole(request.args.get("limit"), name="limit", least=1, most=most, default=10)
        after = whole(request.args.get("after"), name="after", least=0, most=10**18, default=0)
        archived = _wants_archived(request)
        rest = (record for record in self.records[kind.name].values() if (record.archived_at is not None) == archived and int(record.id) >= after)
        page = list(islice(rest, limit + 1))
        body: dict[str, Any] = {"results": [self._full(record, request) for record in page[:limit]]}
        if len(page) > limit:
            # The page after begins with this id, so that records coming and going shift nothing.
            following = page[limit].id
            body["paging"] = {"next": {"after": following, "link": f"{request.base_url}?limit={limit}&after={following}"}}
        return self.answer(body)

    def retrieved(self, request: Request, called: str, ident: str) -> Response:
        record = self.live(catalogue.kind(called), ident, by=request.args.get("idProperty", ""), archived=_wants_archived(request))
        return self.answer(self._full(record, request))

    def created(self, request: Request, called: str) -> Response:
        kind = self.written(catalogue.kind(called))
        body = sent_object(request)
        ready = self.judge(kind, body.get("properties"), ties=self.ties(kind, body.get("associations")))
        record = self.store(ready, self.caller(request))
        return self.answer(self.shown(record, everything=True), 201, Location=f"{request.base_url}/{record.id}")

    def changed(self, request: Request, called: str, ident: str) -> Response:
        kind = self.written(catalogue.kind(called))
        record = self.live(kind, ident, by=request.args.get("idProperty", ""))
        ready = self.judge(kind, sent_object(request).get("properties"), record)
        return self.answer(self.shown(self.store(ready, self.caller(request)), everything=True))

    def archived(self, request: Request, called: str, ident: str) -> Response:
        kind = self.written(catalogue.kind(called))
        record = self.records[kind.name].get(ident) or self.live(kind, ident)
        self.put_away(record, self.caller(request))
        return self.answer(None, 204)

    def searched(self, request: Request, called: str) -> Response:
        kind = catalogue.kind(called)
        query = search.understood(sent_object(request), self.definitions[kind.name])
        hits = search.found(query, kind, self.indexed(kind))
        page = hits[query.after : query.after + query.limit]
        results = [self.shown(record, version=version, asked=query.asked) for record, version in page]
        body: dict[str, Any] = {"total": len(hits), "results": results}
        if len(hits) > query.after + query.limit:
            body["paging"] = {"next": {"after": str(query.after + query.limit)}}
        return self.answer(body)

    # What the doors share

    def written(self, kind: Kind) -> Kind:
        """The kind, if an application may write it. Raises Refused (403)."""
        if kind.writable:
            return kind
        scope = f"crm.objects.{kind.name}.write"
        detail = {"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": [scope]}}
        raise Refused(f"This application was not granted the scope {scope}.", code=403, category="MISSING_SCOPES", errors=[detail])

    def ties(self, kind: Kind, listed: Any) -> list[Tie]:
        """The ties asked for with a new record. Raises Refused."""
        if listed is None:
            return []
        if not isinstance(listed, list):
            raise Refused("Invalid input JSON: `associations` must be a list")
        return [self._tie(kind, asked) for asked in listed]

    def _tie(self, kind: Kind, asked: Any) -> Tie:
        if not isinstance(asked, dict) or not isinstance(asked.get("to"), dict):
            raise Refused("Invalid input JSON: an association needs `to` and `types`")
        specs = asked.get("types")
        number = specs[0].get("associationTypeId") if isinstance(specs, list) and specs and isinstance(specs[0], dict) else None
        known = self.links.types.get(number) if isinstance(number, int) else None
        if known is None:
            raise Refused(f"No association type {number} exists")
        to, ident = catalogue.kind(known.to), str(asked["to"].get("id"))
        types = self.links.asked(kind, to, specs)
        other = self.records[to.name].get(ident)
        if other is None or other.archived_at is not None:
            context = {"objectType": [to.type_id], "objectId": [ident]}
            raise Refused("One or more associations are invalid", context=context, subCategory="INVALID_OBJECT_IDS")
        return (to, ident, types)

    def indexed(self, kind: Kind) -> list[search.Found]:
        """What the search index holds, which is the past where it lags."""
        if not self.index_lag_seconds:
            return [(record, record.now) for record in self.records[kind.name].values() if record.archived_at is None]
        at = self.ago(self.index_lag_seconds)
        held = ((record, record.indexed(at)) for record in self.records[kind.name].values())
        return [(record, version) for record, version in held if version is not None and not version.archived]

    def _full(self, record: Record, request: Request) -> dict[str, Any]:
        body = self.shown(record, asked=names(request, "properties"), with_history=names(request, "propertiesWithHistory"))
        ties: dict[str, Any] = {}
        for called in names(request, "associations"):
            to = catalogue.kind(called)
            spoken = [{"id": other.id, "type": type_.spoken} for other, types in self.tied(record, to) for type_ in types]
            if spoken:
                ties[to.key] = {"results": spoken}
        return body | {"associations": ties} if ties else body


def _wants_archived(request: Request) -> bool:
    return request.args.get("archived", "false").lower() == "true"
