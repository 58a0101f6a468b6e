"""HubSpot's doors over HTTP: lists, searches, batches, associations. Thin; nothing here knows what a record means.

The dated family of paths is used throughout (/crm/objects/2026-03/…), which is the one HubSpot publishes descriptions of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from tieout.adapters.connectors.hubspot import shapes
from tieout.adapters.ports.connector import Account
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, TryLater
from tieout.adapters.ports.http import Answer, Http, Priority

API_VERSION = "2026-03"
#: Records of a page and of a batch. A search would give two hundred, everything else a hundred.
PAGE = 100
#: Records whose associations one request may ask for.
MOST_TIES = 1_000
OBJECTS = f"/crm/objects/{API_VERSION}"
ASSOCIATIONS = f"/crm/associations/{API_VERSION}"
#: The property that holds when a record was last modified.
MODIFIED: Mapping[str, str] = {"companies": "hs_lastmodifieddate", "contacts": "lastmodifieddate", "deals": "hs_lastmodifieddate"}
#: What is asked for of each kind. A name that an account does not have is left out of its answers, so asking costs nothing.
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "companies": ("name", "domain", "phone", "city", "country", "hs_country_code", "hs_lastmodifieddate", "tieout_customer_id", "tieout_key"),
    "contacts": (
        "email", "firstname", "lastname", "phone", "mobilephone", "city", "country", "hs_country_region_code", "hs_language",
        "associatedcompanyid", "lastmodifieddate",
    ),
    "deals": ("dealname", "amount", "deal_currency_code", "closedate", "dealstage", "pipeline", "hs_is_closed_won", "hs_lastmodifieddate"),
    "notes": ("hs_note_body", "hs_timestamp"),
    "tasks": ("hs_task_subject", "hs_task_body", "hs_task_status", "hs_timestamp"),
}  # fmt: skip
#: Accounts to try things in; HubSpot's other word is STANDARD.
_TRIAL = frozenset({"APP_DEVELOPER", "DEVELOPER_TEST", "SANDBOX"})
#: A record or an account is being worked on by HubSpot itself; a moment later it goes on.
_LATER = frozenset({423, 477})

_Shape = TypeVar("_Shape")
Filter = Mapping[str, str]


class Found(msgspec.Struct, frozen=True):
    """One record of an answer: what it says of itself, and its own bytes."""

    head: shapes.Head
    body: bytes

    @property
    def id(self) -> str:
        return self.head.id

    def modified(self, kind: str) -> int:
        """When it was last modified, in milliseconds since 1970; 0 where it does not say."""
        when = shapes.moment(self.head.properties.get(MODIFIED[kind])) or shapes.moment(self.head.updated_at)
        return shapes.millis(when) if when else 0


class Page(msgspec.Struct, frozen=True):
    """A page of records; `after` is where the next one begins, None at the end."""

    found: tuple[Found, ...]
    after: str | None
    content: bytes


def details(http: Http, *, priority: Priority = "check") -> shapes.Details:
    """The account the token belongs to."""
    return decoded(good(http.get("/account-info/v3/details", priority=priority)), shapes.Details)


def account(http: Http) -> Account:
    """The account in canonical words. HubSpot gives it no name that an application may read."""
    told = details(http)
    return Account(
        id=str(told.portal_id), name=f"HubSpot account {told.portal_id}", currency=told.company_currency.upper(),
        live=told.account_type not in _TRIAL,
    )  # fmt: skip


def listed(http: Http, kind: str, *, after: str | None, archived: bool = False, priority: Priority = "history") -> Page:
    """A page of all records of a kind, live or archived, by their ids."""
    asked = {"limit": PAGE, "after": after, "properties": ",".join(PROPERTIES[kind]), "archived": str(archived).lower()}
    return _page(good(http.get(f"{OBJECTS}/{kind}", asked, priority=priority)))


def searched(
    http: Http, kind: str, *, filters: Iterable[Filter], sort: str, falling: bool = False, limit: int = PAGE, priority: Priority = "change",
    properties: Sequence[str] = (),
) -> Page:  # fmt: skip
    """The first records that answer all `filters`, in order of one property. The index behind it is some seconds late."""
    found = [dict(one) for one in filters]
    asked = {
        "filterGroups": [{"filters": found}] if found else [],
        "sorts": [{"propertyName": sort, "direction": "DESCENDING" if falling else "ASCENDING"}],
        "properties": list(properties or (MODIFIED.get(kind, "hs_lastmodifieddate"),)),
        "limit": limit,
        "after": "0",
    }
    return _page(asking(http, f"{OBJECTS}/{kind}/search", asked, priority=priority))


def read(http: Http, kind: str, ids: Iterable[str], *, archived: bool = False, priority: Priority = "change") -> dict[str, Found]:
    """Records by their ids, as they stand now; those that are not there are left out."""
    found: dict[str, Found] = {}
    wanted = [one for one in dict.fromkeys(ids) if one.isdecimal()]
    for start in range(0, len(wanted), PAGE):
        asked = {
            "inputs": [{"id": one} for one in wanted[start : start + PAGE]], "properties": list(PROPERTIES[kind]), "propertiesWithHistory": [],
        }  # fmt: skip
        answer = asking(http, f"{OBJECTS}/{kind}/batch/read", asked, priority=priority, params={"archived": str(archived).lower()})
        found |= {one.id: one for one in _page(answer).found}
    return found


def ties(http: Http, of: str, to: str, ids: Iterable[str], *, priority: Priority = "change") -> dict[str, list[shapes.Tie]]:
    """The associations of records with those of another kind; nothing for a record that has none or is not there."""
    found: dict[str, list[shapes.Tie]] = {}
    waiting = [{"id": one} for one in dict.fromkeys(ids)]
    while waiting:
        asked, waiting = waiting[:MOST_TIES], waiting[MOST_TIES:]
        answer = asking(http, f"{ASSOCIATIONS}/{of}/{to}/batch/read", {"inputs": asked}, priority=priority)
        for one in decoded(answer, shapes.TiesRead).results:
            found.setdefault(one.from_.id, []).extend(one.to)
            if one.paging and one.paging.next:
                waiting.append({"id": one.from_.id, "after": one.paging.next.after})
    return found


def tied(http: Http, of: str, ident: str, to: str, *, priority: Priority = "write") -> Iterator[str]:
    """The ids of all records of a kind that one record is associated with. Read from the records themselves, so never late."""
    after: str | None = None
    while True:
        answer = http.get(f"{OBJECTS}/{of}/{ident}/associations/{to}", {"limit": 500, "after": after}, priority=priority)
        page = decoded(good(answer), shapes.TiesListed)
        yield from (tie.other for tie in page.results)
        if page.paging is None or page.paging.next is None:
            return
        after = page.paging.next.after


def asking(http: Http, path: str, body: Any, *, priority: Priority, params: Mapping[str, str] | None = None) -> Answer:
    """A POST that only reads, and may be sent as often as needed."""
    return good(http.send("POST", path, params=params, json=body, priority=priority, repeatable=True, reads=True))


def decoded(answer: Answer, shape: type[_Shape]) -> _Shape:
    """An answer as what it should be. Raises TryLater where it was cut short, NeedsPerson where HubSpot has changed its form."""
    try:
        return msgspec.json.decode(answer.content, type=shape)
    except msgspec.ValidationError as error:
        raise NeedsPerson(f"HubSpot's answer is not as it describes it: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TryLater(f"HubSpot's answer is not whole: {error}") from error


def loosely(body: bytes) -> dict[str, Any]:
    """A record of any form as data; empty where it is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def inside(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What stands under a name, where that is an object; else nothing."""
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def good(answer: Answer) -> Answer:
    """The answer, where HubSpot did what was asked. Raises TryLater and BadRecord."""
    if answer.status < 300:
        return answer
    if answer.status in _LATER:
        raise TryLater(f"HubSpot is working on it itself: {said(answer)}")
    raise BadRecord(f"HubSpot refuses: {said(answer)}")


def said(answer: Answer) -> str:
    """What HubSpot's refusal says, in its words."""
    return str(loosely(answer.content).get("message") or f"status {answer.status}")


def _page(answer: Answer) -> Page:
    page = decoded(answer, shapes.Listed)
    try:
        found = tuple(Found(msgspec.json.decode(one, type=shapes.Head), bytes(one)) for one in page.results)
    except msgspec.ValidationError as error:
        raise NeedsPerson(f"HubSpot's records are not as it describes them: {error}") from error
    return Page(found, page.paging.next.after if page.paging and page.paging.next else None, answer.content)
