"""The doors for up to a hundred records at once: all of them or none, unless every input carries a trace of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from tieout.rehearsal.twins.hubspot import catalogue
from tieout.rehearsal.twins.hubspot.answers import Refused, instant, sent_object, texts
from tieout.rehearsal.twins.hubspot.answers import inputs as inputs_of
from tieout.rehearsal.twins.hubspot.catalogue import Kind
from tieout.rehearsal.twins.hubspot.objects import FAMILIES, ObjectDoors
from tieout.rehearsal.twins.hubspot.portal import Ready
from tieout.rehearsal.twins.hubspot.records import Record

ROUTES = tuple(
    (f"{family}/<called>/batch/{act}", ("POST",), f"batch_{act}") for family in FAMILIES for act in ("read", "create", "update", "upsert", "archive")
)
LARGEST = 100

Taken = set[tuple[str, str]]


class BatchDoors(ObjectDoors):
    """Many records at a time."""

    def batch_read(self, request: Request, called: str) -> Response:
        kind, body = catalogue.kind(called), sent_object(request)
        inputs = inputs_of(request, LARGEST)
        archived, by = request.args.get("archived", "false").lower() == "true", str(body.get("idProperty") or "")
        asked, histories = texts(body, "properties"), texts(body, "propertiesWithHistory")
        records, absent = self._sought(kind, [_id(one) for one in inputs], by, archived=archived)
        results = [self.shown(record, asked=asked, with_history=histories) for record in records]
        return self.batch(results, [_absent(kind, absent)] if absent else [])

    def batch_create(self, request: Request, called: str) -> Response:
        kind = self.written(catalogue.kind(called))

        def judge(one: dict[str, Any], taken: Taken) -> Ready:
            return self.judge(kind, one.get("properties"), ties=self.ties(kind, one.get("associations")), taken=taken)

        stored, errors = self._written(request, inputs_of(request, LARGEST), judge)
        return self.batch([self.shown(record, everything=True) for _, record in stored], errors, 201)

    def batch_update(self, request: Request, called: str) -> Response:
        kind = self.written(catalogue.kind(called))
        inputs = inputs_of(request, LARGEST)
        ids, by = [_id(one) for one in inputs], _same_property(inputs)
        _unlike(ids)
        _, absent = self._sought(kind, ids, by)

        def judge(one: dict[str, Any], taken: Taken) -> Ready:
            return self.judge(kind, one.get("properties"), self.live(kind, _id(one), by=by), taken=taken)

        there = [one for one in inputs if _id(one) not in absent]
        stored, errors = self._written(request, there, judge)
        return self.batch([self.shown(record, everything=True) for _, record in stored], [*([_absent(kind, absent)] if absent else []), *errors])

    def batch_upsert(self, request: Request, called: str) -> Response:
        kind = self.written(catalogue.kind(called))
        inputs = inputs_of(request, LARGEST)
        ids, by = [_id(one) for one in inputs], _same_property(inputs)
        _unlike(ids)
        if by and by != "hs_object_id":
            self.unique(kind, by)

        def judge(one: dict[str, Any], taken: Taken) -> Ready:
            given = one.get("properties")
            if not by or by == "hs_object_id":
                return self.judge(kind, given, self.live(kind, _id(one)), taken=taken)
            known, _ = self._sought(kind, [_id(one)], by)
            if not known and isinstance(given, dict):
                given = {by: _id(one), **given}
            return self.judge(kind, given, known[0] if known else None, taken=taken)

        stored, errors = self._written(request, inputs, judge)
        return self.batch([{**self.shown(record, everything=True), "new": ready.record is None} for ready, record in stored], errors)

    def batch_archive(self, request: Request, called: str) -> Response:
        kind = self.written(catalogue.kind(called))
        known, _ = self._sought(kind, [_id(one) for one in inputs_of(request, LARGEST)], "")
        for record in known:
            self.put_away(record, self.caller(request))
        return self.answer(None, 204)

    # What the batches share

    def batch(self, results: list[Any], errors: list[dict[str, Any]] | None = None, status: int = 200) -> Response:
        """The answer to a batch; 207 where some of it was not done."""
        at = instant(self.now())
        body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
        if errors:
            return self.answer({**body, "numErrors": len(errors), "errors": errors}, 207)
        return self.answer(body, status)

    def _sought(self, kind: Kind, ids: Iterable[str], by: str, *, archived: bool = False) -> tuple[list[Record], list[str]]:
        if by and by != "hs_object_id":
            self.unique(kind, by)
        known, absent = [], []
        for ident in ids:
            try:
                known.append(self.live(kind, ident, by=by, archived=archived))
            except Refused:
                absent.append(ident)
        return known, absent

    def _written(
        self, request: Request, inputs: list[dict[str, Any]], judge: Callable[[dict[str, Any], Taken], Ready]
    ) -> tuple[list[tuple[Ready, Record]], list[dict[str, Any]]]:
        traced = bool(inputs) and all(one.get("objectWriteTraceId") for one in inputs)
        ready, errors = [], []
        taken: Taken = set()
        for one in inputs:
            try:
                ready.append(judge(one, taken))
            except Refused as refusal:
                if not traced:
                    raise
                entry = refusal.entry()
                errors.append({**entry, "context": {**entry["context"], "objectWriteTraceId": [str(one["objectWriteTraceId"])]}})
        by = self.caller(request)
        return [(one, self.store(one, by)) for one in ready], errors


def _id(one: dict[str, Any]) -> str:
    ident = one.get("id")
    if not isinstance(ident, str | int) or ident == "":
        raise Refused("Invalid input JSON: an input needs its id")
    return str(ident)


def _same_property(inputs: list[dict[str, Any]]) -> str:
    used = {str(one.get("idProperty") or "") for one in inputs}
    if len(used) > 1:
        raise Refused(f"all inputs of a batch must use the same idProperty, and these use {len(used)}")
    return used.pop() if used else ""


def _unlike(ids: list[str]) -> None:
    twice = sorted({ident for ident in ids if ids.count(ident) > 1})
    if twice:
        raise Refused(f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique", context={"ids": twice})


def _absent(kind: Kind, ids: list[str]) -> dict[str, Any]:
    message = f"Could not get some {kind.one.upper()} objects, they may be deleted or not exist."
    return Refused(message, category="OBJECT_NOT_FOUND", context={"ids": ids}).entry()
