"""Several operations in one request, each answered for itself: one refused does not stop the others."""

from __future__ import annotations

from tieout.rehearsal.twins.quickbooks import refusals, verbs
from tieout.rehearsal.twins.quickbooks.books import Company
from tieout.rehearsal.twins.quickbooks.finding import Finder
from tieout.rehearsal.twins.quickbooks.refusals import Json, Refused
from tieout.rehearsal.twins.quickbooks.shapes import SHAPES

MOST = 30


def run(company: Company, finder: Finder, given: Json) -> Json:
    """The answers to all operations, in their order. Raises Refused where the batch itself cannot be read."""
    items = given.get("BatchItemRequest")
    if not isinstance(items, list) or not items:
        raise refusals.missing("BatchItemRequest")
    if len(items) > MOST:
        raise refusals.business(f"a batch holds at most {MOST} operations, this one has {len(items)}")
    if not all(isinstance(item, dict) for item in items):
        raise refusals.unknown_property("an operation of a batch is an object")
    return {"BatchItemResponse": [_answered(company, finder, item) for item in items]}


def _answered(company: Company, finder: Finder, item: Json) -> Json:
    try:
        answer = _done(company, finder, item)
    except Refused as refused:
        answer = refused.fault()
    return {**answer, "bId": str(item.get("bId", ""))}


def _done(company: Company, finder: Finder, item: Json) -> Json:
    if "Query" in item:
        return finder.answer(company, str(item["Query"]))
    entity = next((name for name in item if name in SHAPES), None)
    if entity is None:
        raise refusals.unsupported("of a batch item without an entity or a query")
    operation = str(item.get("operation", "")).lower()
    if operation == "create":
        return {entity: company.shown(verbs.create(company, entity, item[entity]))}
    if operation == "delete":
        return {entity: verbs.delete(company, entity, item[entity])}
    if operation == "update" and str(item.get("optionsData", "")).lower() == "void":
        return {entity: company.shown(verbs.void(company, entity, item[entity]))}
    if operation == "update":
        return {entity: company.shown(verbs.update(company, entity, item[entity]))}
    raise refusals.unsupported(f"{operation or 'without a name'} in a batch")
