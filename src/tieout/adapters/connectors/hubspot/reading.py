"""Everything there is, page by page, and single records as they stand now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tieout.adapters.connectors.hubspot import client, shapes, whole
from tieout.adapters.connectors.hubspot.client import Found
from tieout.adapters.connectors.hubspot.shapes import PERSON
from tieout.adapters.connectors.hubspot.whole import CUSTOMERS, DEALS
from tieout.adapters.ports.connector import Page, Raw, Ref
from tieout.adapters.ports.errors import NotPermitted, Unsupported
from tieout.adapters.ports.http import Http

#: What a change points to where it points to a person: whoever that is a customer through is looked at.
CONTACTS = "contacts"
#: HubSpot files a new contact under a company a little after it was made; before that we may have met it as a customer of its own.
#: What is filed later than this is noticed when everything is read anew, once a week.
_YOUNG = dt.timedelta(days=7)
#: The label of a contact to whom a company's invoices go, unless the person who connects says another.
LABEL = "Billing contact"


def label(settings: Mapping[str, Any]) -> str:
    """The label of the contact who speaks for a company about money."""
    return str(settings.get("billing_label") or LABEL)


def page(http: Http, *, stream: str, cursor: Mapping[str, Any], label: str) -> Page:
    """One page of history. Customers are the companies first, and then the contacts that belong to none. Raises Unsupported, also
    where the account does not let us read this kind: the others still make sense."""
    try:
        return _page(http, stream=stream, cursor=cursor, label=label)
    except NotPermitted as without:
        raise Unsupported(closed(stream)) from without


def closed(stream: str) -> str:
    """Why a stream cannot be read, and what to do."""
    what = "deals" if stream == DEALS else "companies and contacts"
    return f"HubSpot does not let this connection read {what}: give its app the permission (scope), then have everything read anew"


def _page(http: Http, *, stream: str, cursor: Mapping[str, Any], label: str) -> Page:
    if stream == DEALS:
        listed = client.listed(http, DEALS, after=cursor.get("after"))
        raws = tuple(whole.deals(http, listed.found, priority="history"))
        return Page(raws=raws, cursor={"after": listed.after}, last=listed.after is None, content=listed.content)
    if stream != CUSTOMERS:
        raise Unsupported(f"HubSpot has no {stream!r} for us")
    if "person" in cursor:
        return _people(http, str(cursor["person"]))
    listed = client.listed(http, "companies", after=cursor.get("after"))
    raws = tuple(whole.companies(http, listed.found, label=label, priority="history"))
    return Page(raws=raws, cursor={"person": "0"} if listed.after is None else {"after": listed.after}, last=False, content=listed.content)


def _people(http: Http, after: str) -> Page:
    filters = [
        {"propertyName": "associatedcompanyid", "operator": "NOT_HAS_PROPERTY"},
        # Going on from an id and not from a place in the result: nothing shifts, and ten thousand is no end.
        {"propertyName": "hs_object_id", "operator": "GT", "value": after},
    ]
    listed = client.searched(http, CONTACTS, filters=filters, sort="hs_object_id", priority="history", properties=client.PROPERTIES[CONTACTS])
    # A company that is not the primary one is no property, but it is a company.
    filed = client.ties(http, CONTACTS, "companies", [one.id for one in listed.found], priority="history") if listed.found else {}
    raws = tuple(whole.person(one) for one in listed.found if not filed.get(one.id))
    after = listed.found[-1].id if listed.found else after
    return Page(raws=raws, cursor={"person": after}, last=len(listed.found) < client.PAGE, content=listed.content)


def again(http: Http, *, refs: Iterable[Ref], label: str) -> Iterator[Raw]:
    """Records as they stand now. A contact brings the companies it belongs to, since it may be the one who speaks for them."""
    companies: dict[str, None] = {}
    people: dict[str, bool] = {}
    deals: dict[str, None] = {}
    for ref in refs:
        if ref.stream == DEALS:
            deals[ref.id] = None
        elif ref.stream == CONTACTS or ref.id.startswith(PERSON):
            ident = ref.id.removeprefix(PERSON)
            # Asked for as a customer, it has to be one, or to be gone.
            people[ident] = people.get(ident, False) or ref.stream == CUSTOMERS
        else:
            companies[ref.id] = None
    if people:
        yield from _again_people(http, people, companies)
    found = client.read(http, "companies", companies)
    yield from _absent(http, "companies", [one for one in companies if one not in found])
    yield from whole.companies(http, list(found.values()), label=label)
    sales = client.read(http, DEALS, deals)
    yield from _absent(http, DEALS, [one for one in deals if one not in sales])
    yield from whole.deals(http, list(sales.values()))


def _again_people(http: Http, wanted: Mapping[str, bool], companies: dict[str, None]) -> Iterator[Raw]:
    """Contacts; the companies they belong to are added to `companies`."""
    found = client.read(http, CONTACTS, wanted)
    filed = client.ties(http, CONTACTS, "companies", found) if found else {}
    absent = [one for one in wanted if one not in found]
    for raw in _absent(http, CONTACTS, absent):
        yield raw
        companies |= dict.fromkeys(_company_of(raw.body))
    for ident, one in found.items():
        under = [tie.other for tie in filed.get(ident, ())]
        companies |= dict.fromkeys(under)
        if not under:
            yield whole.person(one)
        elif wanted[ident] or _young(one, http.now()):
            yield Raw(stream=CUSTOMERS, id=PERSON + ident, body=one.body, gone="merged")


def _absent(http: Http, kind: str, ids: Sequence[str]) -> Iterator[Raw]:
    """Records that are not there: in the archive, or nowhere (deleted for good, merged into another, never there)."""
    archived = client.read(http, kind, ids, archived=True) if ids else {}
    for ident in ids:
        if ident in archived:
            yield put_away(kind, archived[ident])
        else:
            yield Raw(stream=_stream(kind), id=_ident(kind, ident), body=b"{}", gone="deleted")


def put_away(kind: str, found: Found) -> Raw:
    """A record of the archive."""
    return Raw(stream=_stream(kind), id=_ident(kind, found.id), body=found.body, gone="archived", changed_at=shapes.moment(found.head.archived_at))


def _stream(kind: str) -> str:
    return DEALS if kind == DEALS else CUSTOMERS


def _ident(kind: str, ident: str) -> str:
    return PERSON + ident if kind == CONTACTS else ident


def _company_of(body: bytes) -> list[str]:
    """The company of an archived contact, whose associations cannot be read any more."""
    company = client.inside(client.loosely(body), "properties").get("associatedcompanyid")
    return [str(company)] if company else []


def _young(found: Found, now: dt.datetime) -> bool:
    born = shapes.moment(found.head.created_at)
    return born is not None and now - born < _YOUNG
