"""Change data capture: everything that changed since a moment, deletions included, at most 1000 objects over all entities.

There is no next page: an answer with 1000 objects may lack others.
"""

from __future__ import annotations

import datetime as dt

from tieout.rehearsal.twins.quickbooks import reading, refusals
from tieout.rehearsal.twins.quickbooks.books import Company, Record
from tieout.rehearsal.twins.quickbooks.refusals import Json
from tieout.rehearsal.twins.quickbooks.shapes import BY_SPELLING, UNFOLLOWED

MOST = 1000
LOOK_BACK = dt.timedelta(days=30)


def since(company: Company, entities: str, changed_since: str) -> Json:
    """The CDCResponse for entities separated by commas. Raises Refused."""
    if not entities:
        raise refusals.missing("entities")
    if not changed_since:
        raise refusals.missing("changedSince")
    try:
        moment = reading.moment(changed_since, company.zone)
    except ValueError:
        raise refusals.unsupported(f"cdc with changedSince {changed_since!r}, which is no date and time,") from None
    if moment < company.moment() - LOOK_BACK:
        raise refusals.unsupported(f"cdc with changedSince date {changed_since}, which is older than {LOOK_BACK.days} days,")
    room = MOST
    answers = []
    for spelling in entities.split(","):
        entity = BY_SPELLING.get(spelling.strip().lower())
        if entity is None or entity in UNFOLLOWED:
            raise refusals.unsupported(f"cdc of entity {spelling.strip()}")
        found = _changed(company, entity, moment)[:room]
        room -= len(found)
        shown = [_shown(company, record) for record in found]
        answers.append({entity: shown, "startPosition": 1, "maxResults": len(shown), "totalCount": len(shown)} if shown else {})
    return {"CDCResponse": [{"QueryResponse": answers}]}


def _changed(company: Company, entity: str, moment: dt.datetime) -> list[Record]:
    both = (*company.records[entity].values(), *company.gone[entity].values())
    return sorted((record for record in both if record.updated >= moment), key=lambda record: record.number)


def _shown(company: Company, record: Record) -> Json:
    if record.id in company.records[record.entity]:
        return company.shown(record)
    last = {"LastUpdatedTime": company.stamp(record.updated)}
    return {"domain": "QBO", "status": "Deleted", "Id": record.id, "MetaData": last}
