"""The doors to ties between records: one pair, a page of them, or many at once; and the labels there are."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.hubspot import catalogue
from tieout.rehearsal.twins.hubspot.answers import Refused, inputs, missing, sent, whole
from tieout.rehearsal.twins.hubspot.batches import BatchDoors
from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.links import Type
from tieout.rehearsal.twins.hubspot.portal import end
from tieout.rehearsal.twins.hubspot.records import Record

_PAIRS = (
    ("/<called>/<ident>/associations/<to_called>", "GET", "ties_listed"),
    ("/<called>/<ident>/associations/<to_called>/<to_ident>", "PUT", "tie_labelled"),
    ("/<called>/<ident>/associations/<to_called>/<to_ident>", "DELETE", "tie_cut"),
    ("/<called>/<ident>/associations/default/<to_called>/<to_ident>", "PUT", "tie_made"),
)
_MANY = (
    ("/<called>/<to_called>/labels", "GET", "labels_listed"),
    ("/<called>/<to_called>/batch/read", "POST", "ties_read"),
    ("/<called>/<to_called>/batch/create", "POST", "ties_labelled"),
    ("/<called>/<to_called>/batch/associate/default", "POST", "ties_made"),
    ("/<called>/<to_called>/batch/archive", "POST", "ties_cut"),
    ("/<called>/<to_called>/batch/labels/archive", "POST", "labels_cut"),
)
ROUTES = tuple(
    (family + rule, (method,), door)
    for families, rules in ((("/crm/v4/objects", "/crm/objects/2026-03"), _PAIRS), (("/crm/v4/associations", "/crm/associations/2026-03"), _MANY))
    for family in families
    for rule, method, door in rules
)
LARGEST_PAGE = 500
_MOST_READ = 1_000
_MOST_WRITTEN = 2_000

Pair = tuple[Record, Record]


class AssociationDoors(BatchDoors):
    """Who belongs to whom."""

    # One pair

    def ties_listed(self, request: Request, called: str, ident: str, to_called: str) -> Response:
        kind, to = catalogue.kind(called), catalogue.kind(to_called)
        limit = whole(request.args.get("limit"), name="limit", least=1, most=LARGEST_PAGE, default=LARGEST_PAGE)
        after = whole(request.args.get("after"), name="after", least=0, most=10**18, default=0)
        rest = [tie for tie in self.tied(self.live(kind, ident), to) if int(tie[0].id) >= after]
        body: dict[str, Any] = {"results": [_as_json(other, types, request) for other, types in rest[:limit]]}
        if len(rest) > limit:
            following = rest[limit][0].id
            body["paging"] = {"next": {"after": following, "link": f"{request.base_url}?limit={limit}&after={following}"}}
        return self.answer(body)

    def tie_made(self, request: Request, called: str, ident: str, to_called: str, to_ident: str) -> Response:
        kind, to = catalogue.kind(called), catalogue.kind(to_called)
        pair = self.live(kind, ident), self.live(to, to_ident)
        return self.batch(self._default(kind, to, pair))

    def tie_labelled(self, request: Request, called: str, ident: str, to_called: str, to_ident: str) -> Response:
        kind, to = catalogue.kind(called), catalogue.kind(to_called)
        types = self.links.asked(kind, to, sent(request))
        pair = self.live(kind, ident), self.live(to, to_ident)
        self.tie(*pair, types)
        return self.answer(_labelled(*pair, types, request), 201)

    def tie_cut(self, request: Request, called: str, ident: str, to_called: str, to_ident: str) -> Response:
        self.untie((catalogue.kind(called).name, ident), (catalogue.kind(to_called).name, to_ident))
        return self.answer(None, 204)

    # Many

    def labels_listed(self, request: Request, called: str, to_called: str) -> Response:
        types = self.links.between(catalogue.kind(called), catalogue.kind(to_called))
        return self.answer({"results": [_type_as_json(type_) for type_ in types]})

    def ties_read(self, request: Request, called: str, to_called: str) -> Response:
        kind, to = catalogue.kind(called), catalogue.kind(to_called)
        results, errors = [], []
        for one in inputs(request, _MOST_READ):
            try:
                record = self.live(kind, str(one.get("id")))
            except Refused as refusal:
                errors.append(refusal.entry())
                continue
            ties = [_as_json(other, types, request) for other, types in self.tied(record, to)]
            if ties:
                results.append({"from": {"id": record.id}, "to": ties})
        return self.batch(results, errors)

    def ties_labelled(self, request: Request, called: str, to_called: str) -> Response:
        kind, to = catalogue.kind(called), catalogue.kind(to_called)
        results, errors = [], []
        for one in inputs(request, _MOST_WRITTEN):
            types = self.links.asked(kind, to, one.get("types"))
            try:
                pair = self._pair(kind, to, one)
            except Refused as refusal:
                errors.append(refusal.entry())
                continue
            self.tie(*pair, types)
            results.append(_labelled(*pair, types, request))
        return self.batch(results, errors, 201)

    def ties_made(self, request: Request, called: str, to_called: str) -> Response:
        kind, to = catalogue.kind(called), catalogue.kind(to_called)
        pairs = [self._pair(kind, to, one) for one in inputs(request, _MOST_WRITTEN)]
        return self.batch([made for pair in pairs for made in self._default(kind, to, pair)])

    def ties_cut(self, request: Request, called: str, to_called: str) -> Response:
        kind, to = catalogue.kind(called), catalogue.kind(to_called)
        for one in inputs(request, _MOST_WRITTEN):
            others = one.get("to")
            for other in others if isinstance(others, list) else [others]:
                self.untie((kind.name, _ident(one.get("from"))), (to.name, _ident(other)))
        return self._cut(request)

    def labels_cut(self, request: Request, called: str, to_called: str) -> Response:
        kind, to = catalogue.kind(called), catalogue.kind(to_called)
        for one in inputs(request, _MOST_WRITTEN):
            types = self.links.asked(kind, to, one.get("types"))
            self.untie((kind.name, _ident(one.get("from"))), (to.name, _ident(one.get("to"))), types)
        return self._cut(request)

    def _cut(self, request: Request) -> Response:
        return self.answer(None, 204) if "/v4/" in request.path else self.batch([])

    def _pair(self, kind: Kind, to: Kind, one: dict[str, Any]) -> Pair:
        ids = _ident(one.get("from")), _ident(one.get("to"))
        pair = self.records[kind.name].get(ids[0]), self.records[to.name].get(ids[1])
        if pair[0] is None or pair[1] is None or pair[0].archived_at or pair[1].archived_at:
            raise missing("one of the records to associate does not exist", fromObjectId=[ids[0]], toObjectId=[ids[1]])
        return pair[0], pair[1]

    def _default(self, kind: Kind, to: Kind, pair: Pair) -> list[dict[str, Any]]:
        type_ = self.links.default(kind, to)
        self.tie(*pair, [type_])
        there, back = end(pair[0])[1], end(pair[1])[1]
        return [_made(there, back, type_.number), _made(back, there, type_.inverse)]


def _ident(given: Any) -> str:
    if not isinstance(given, dict) or "id" not in given:
        raise Refused("Invalid input JSON: an id is missing")
    return str(given["id"])


def _number(ident: str, request: Request) -> str | int:
    # The dated family writes these ids as text, the fourth version as numbers.
    return int(ident) if "/v4/" in request.path else ident


def _made(there: str, back: str, number: int) -> dict[str, Any]:
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}
    return {"from": {"id": there}, "to": {"id": back}, "associationSpec": spec}


def _labelled(record: Record, other: Record, types: list[Type], request: Request) -> dict[str, Any]:
    return {
        "fromObjectTypeId": record.kind.type_id,
        "fromObjectId": _number(record.id, request),
        "toObjectTypeId": other.kind.type_id,
        "toObjectId": _number(other.id, request),
        "labels": [type_.label for type_ in types if type_.label],
    }


def _type_as_json(type_: Type) -> dict[str, Any]:
    return {"category": type_.category, "typeId": type_.number, "label": type_.label}


def _as_json(other: Record, types: list[Type], request: Request) -> dict[str, Any]:
    return {"toObjectId": _number(other.id, request), "associationTypes": [_type_as_json(type_) for type_ in types]}
