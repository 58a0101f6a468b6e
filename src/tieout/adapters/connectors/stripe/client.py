"""Stripe's lists, events and objects over HTTP: thin, and every answer kept as it came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from tieout.adapters.ports.choices import Choice
from tieout.adapters.ports.connector import Account, Change, Page, Raw, Ref
from tieout.adapters.ports.errors import BadRecord, NeedsPerson, TryLater, Unsupported
from tieout.adapters.ports.http import Answer, Http, Priority

PAGE = 100
#: Events of the last seconds are looked at again: Stripe promises no order, and events of one second may appear one by one.
OVERLAP_SECONDS = 30
#: Events are kept for 30 days; a day less, because the walk itself takes time.
LOOKBACK_DAYS = 29
PATHS: Mapping[str, str] = {
    "customers": "/v1/customers", "invoices": "/v1/invoices", "payments": "/v1/payment_intents", "invoice_payments": "/v1/invoice_payments",
    "credit_notes": "/v1/credit_notes", "refunds": "/v1/refunds", "disputes": "/v1/disputes", "payouts": "/v1/payouts",
}  # fmt: skip
#: An object's own word for its kind, as events carry it, and the stream it belongs to.
OBJECTS: Mapping[str, str] = {
    "customer": "customers", "invoice": "invoices", "payment_intent": "payments", "invoice_payment": "invoice_payments",
    "credit_note": "credit_notes", "refund": "refunds", "dispute": "disputes", "payout": "payouts",
}  # fmt: skip
_EXPAND: Mapping[str, tuple[str, ...]] = {"customers": ("data.tax_ids",)}


class _Head(msgspec.Struct):
    id: str
    created: int = 0


class _List(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


class _Lines(msgspec.Struct, frozen=True):
    has_more: bool = False


class _Rate(msgspec.Struct):
    id: str
    display_name: str
    percentage: Decimal
    inclusive: bool


class _InvoiceHead(msgspec.Struct):
    id: str
    lines: _Lines = _Lines()


class _EventObject(msgspec.Struct):
    object: str
    id: str | None = None
    payment_intent: str | None = None


class _EventData(msgspec.Struct):
    object: _EventObject


class Event(msgspec.Struct):
    """An event as far as it is a hint: never its amounts."""

    id: str
    created: int
    type: str
    data: _EventData


_HEAD, _LIST = msgspec.json.Decoder(_Head), msgspec.json.Decoder(_List)
_INVOICE, _EVENTS = msgspec.json.Decoder(_InvoiceHead), msgspec.json.Decoder(list[Event])
EVENT = msgspec.json.Decoder(Event)


def account(http: Http) -> Account:
    """The account the key belongs to; a test key is said to be one by what it reads."""
    balance = _good(http.get("/v1/balance", priority="check")).json()
    answer = http.get("/v1/account", priority="check")
    # A restricted key may not be allowed to see whose it is; the account is then known by nothing but its mode.
    told: Mapping[str, Any] = {"id": ""} if answer.status == 404 else _good(answer).json()
    profile = told.get("business_profile") or {}
    name = profile.get("name") or (told.get("settings") or {}).get("dashboard", {}).get("display_name") or told["id"] or "Stripe"
    return Account(
        id=told["id"], name=name, currency=(told.get("default_currency") or "").upper(), country=told.get("country") or "",
        live=bool(balance.get("livemode", True)),
    )  # fmt: skip


def tax_rates(http: Http) -> tuple[Choice, ...]:
    """The account's tax rates, those it no longer uses among them: invoices may still name them."""
    found = [msgspec.json.decode(one, type=_Rate) for one in _walk(http, "/v1/tax_rates", {}, "check")]
    kind = {True: "in the price", False: "on top"}
    return tuple(Choice(rate.id, f"{rate.display_name} {rate.percentage.normalize():f} %", kind[rate.inclusive]) for rate in found)


def start(http: Http) -> dict[str, Any]:
    """Changes are followed from the newest event on."""
    answer = _good(http.get("/v1/events", {"limit": 1}))
    events = _EVENTS.decode(msgspec.json.encode(_LIST.decode(answer.content).data))
    looked = int(http.now().timestamp())
    if events:
        return {"created": events[0].created, "seen": [events[0].id], "looked": looked}
    return {"created": 0, "seen": [], "looked": looked}


def page(http: Http, *, stream: str, cursor: Mapping[str, Any]) -> Page:
    """One page of a list, newest first."""
    params: dict[str, Any] = {"limit": PAGE, "starting_after": cursor.get("after"), "expand[]": _EXPAND.get(stream)}
    answer = http.get(PATHS[stream], params, priority="history")
    if answer.status == 404:
        raise Unsupported(f"this account has no {PATHS[stream]}")
    listed = _listed(_good(answer))
    raws = tuple(_whole(http, stream, bytes(one), "history") for one in listed.data)
    after = raws[-1].id if raws else cursor.get("after")
    return Page(raws=raws, cursor={"after": after}, last=not listed.has_more, content=answer.content)


def changes(http: Http, *, cursor: Mapping[str, Any], now: dt.datetime) -> Change:
    """One page of events since the cursor, newest first; the cursor moves on when the walk has come to its end."""
    since, looked = int(cursor["created"]), int(cursor["looked"])
    # What counts is when we last looked, by our clock: a quiet account's newest event may be years old.
    if looked < (now - dt.timedelta(days=LOOKBACK_DAYS)).timestamp():
        return Change(cursor=cursor, last=True, resync=f"events since {dt.datetime.fromtimestamp(looked, dt.UTC):%Y-%m-%d} are no longer all kept")
    began = cursor.get("began") or int(now.timestamp())
    params = {"limit": PAGE, "created[gte]": max(0, since - OVERLAP_SECONDS), "starting_after": cursor.get("page")}
    answer = _good(http.get("/v1/events", params))
    listed = _listed(answer)
    events = _EVENTS.decode(msgspec.json.encode(listed.data))
    seen, walked = set(cursor.get("seen", ())), list(cursor.get("walked", ()))
    walked += [[event.id, event.created] for event in events]
    refs = dict.fromkeys(ref for event in reversed(events) if event.id not in seen for ref in refs_of(event))
    if listed.has_more:
        place = {**cursor, "page": events[-1].id, "walked": walked, "began": began}
        return Change(refs=tuple(refs), cursor=place, last=False, content=answer.content)
    newest = max([created for _, created in walked], default=since)
    recent = [event_id for event_id, created in walked if created >= newest - OVERLAP_SECONDS]
    return Change(refs=tuple(refs), cursor={"created": newest, "seen": recent, "looked": began}, last=True, content=answer.content)


def refs_of(event: Event) -> Iterator[Ref]:
    """What an event tells us to look at."""
    about = event.data.object
    if about.object in OBJECTS and about.id:
        yield Ref(OBJECTS[about.object], about.id)
    elif about.object == "charge" and about.payment_intent:
        yield Ref("payments", about.payment_intent)


def reread(http: Http, *, refs: Iterable[Ref]) -> Iterator[Raw]:
    """Objects as they are now, each once; an invoice brings the payments made on it along."""
    wanted, done = list(dict.fromkeys(refs)), set()
    while wanted:
        ref = wanted.pop(0)
        if ref in done:
            continue
        done.add(ref)
        answer = http.get(f"{PATHS[ref.stream]}/{ref.id}", {"expand[]": ["tax_ids"] if ref.stream == "customers" else None})
        if answer.status == 404:
            yield Raw(stream=ref.stream, id=ref.id, body=answer.content, gone="deleted")
            continue
        _good(answer)
        raw = _whole(http, ref.stream, answer.content, "change")
        if ref.stream == "customers" and b'"deleted"' in raw.body and answer.json().get("deleted"):
            raw = msgspec.structs.replace(raw, gone="deleted")
        yield raw
        if ref.stream == "invoices":
            yield from _payments_of(http, raw.id, wanted)
        elif ref.stream in ("refunds", "disputes"):
            told = answer.json()
            if told.get("payment_intent"):
                wanted.append(Ref("payments", told["payment_intent"]))


def _payments_of(http: Http, invoice: str, wanted: list[Ref]) -> Iterator[Raw]:
    for one in _walk(http, PATHS["invoice_payments"], {"invoice": invoice}, "change"):
        paid = msgspec.json.decode(one)
        yield Raw(stream="invoice_payments", id=paid["id"], body=one)
        intent = (paid.get("payment") or {}).get("payment_intent")
        if intent:
            wanted.append(Ref("payments", intent))


def _whole(http: Http, stream: str, body: bytes, priority: Priority) -> Raw:
    """An object with what Stripe pages separately: the lines of an invoice past the tenth, the movements behind a payout."""
    if stream == "invoices":
        head = _INVOICE.decode(body)
        if head.lines.has_more:
            told = msgspec.json.decode(body)
            told["lines"]["data"] = [msgspec.Raw(one) for one in _walk(http, f"{PATHS[stream]}/{head.id}/lines", {}, priority)]
            told["lines"]["has_more"] = False
            body = msgspec.json.encode(told)
        return Raw(stream=stream, id=head.id, body=body)
    head_id = _HEAD.decode(body).id
    if stream == "payouts":
        moved = list(_walk(http, "/v1/balance_transactions", {"payout": head_id, "expand[]": ["data.source"]}, priority))
        body = msgspec.json.encode({"payout": msgspec.Raw(body), "transactions": [msgspec.Raw(one) for one in moved]})
    return Raw(stream=stream, id=head_id, body=body)


def _walk(http: Http, path: str, params: Mapping[str, Any], priority: Priority) -> Iterator[bytes]:
    after = None
    while True:
        answer = http.get(path, {"limit": PAGE, "starting_after": after, **params}, priority=priority)
        if answer.status == 404:
            return  # The object is gone by now, or the account has no such list; either way nothing hangs on it.
        listed = _listed(_good(answer))
        yield from (bytes(one) for one in listed.data)
        if not listed.has_more or not listed.data:
            return
        after = _HEAD.decode(listed.data[-1]).id


def _listed(answer: Answer) -> _List:
    try:
        return _LIST.decode(answer.content)
    except msgspec.ValidationError as error:
        raise NeedsPerson(f"Stripe's list is not as it describes it: {error}") from error
    except msgspec.DecodeError as error:
        raise TryLater(f"Stripe's answer is not whole: {error}") from error


def _good(answer: Answer) -> Answer:
    if answer.status < 300:
        return answer
    if answer.status == 409:
        raise TryLater(f"Stripe is still working on it: {said(answer)}")
    raise BadRecord(f"Stripe refuses: {said(answer)}")


def said(answer: Answer) -> str:
    """What Stripe's error says, in its words."""
    try:
        error = msgspec.json.decode(answer.content)["error"]
        return f"{error.get('message') or error.get('code') or error['type']}"
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"status {answer.status}"
