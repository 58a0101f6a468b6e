"""QuickBooks' doors over HTTP: one object, a question, and what we reach. Thin; every answer is kept as it came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from tieout.adapters.connectors.quickbooks import faults, shapes
from tieout.adapters.ports.connector import Account, Raw
from tieout.adapters.ports.errors import NeedsPerson, TryLater, Unsupported
from tieout.adapters.ports.http import Answer, Http, Priority

#: The version of every answer. It is named in each request, for it moves on by itself otherwise.
MINOR_VERSION = "75"
#: The most objects one question is answered with.
PAGE = 1_000
#: How many objects are asked for by their ids at once, so that the address stays short.
TOGETHER = 100
CUSTOMERS, INVOICES, CREDIT_MEMOS, PAYMENTS, REFUNDS, DEPOSITS = "customers", "invoices", "credit_memos", "payments", "refund_receipts", "deposits"
#: Our streams and what QuickBooks calls their objects.
ENTITIES: Mapping[str, str] = {
    CUSTOMERS: "Customer", INVOICES: "Invoice", CREDIT_MEMOS: "CreditMemo", PAYMENTS: "Payment", REFUNDS: "RefundReceipt", DEPOSITS: "Deposit",
}  # fmt: skip
#: By what QuickBooks calls an object, in small letters.
STREAMS: Mapping[str, str] = {entity.lower(): stream for stream, entity in ENTITIES.items()}

_Shape = TypeVar("_Shape")


class _Listed(msgspec.Struct):
    response: dict[str, msgspec.Raw] = msgspec.field(name="QueryResponse")
    time: str = ""


class _Stamped(msgspec.Struct):
    time: str = ""


class _Named(shapes.Shape):
    id: str


_LISTED, _OBJECTS = msgspec.json.Decoder(_Listed), msgspec.json.Decoder(list[msgspec.Raw])
_HEAD, _NAMED = msgspec.json.Decoder(shapes.Head, float_hook=Decimal), msgspec.json.Decoder(_Named)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a question was answered with: objects, the server's time, the bytes."""

    raws: tuple[Raw, ...]
    time: str
    content: bytes


def realm(settings: Mapping[str, Any]) -> str:
    """The company we speak to. Raises NeedsPerson where the consent has not said it."""
    found = str(settings.get("realmId") or settings.get("account") or "")
    if not (found.isascii() and found.isalnum()):
        raise NeedsPerson("QuickBooks has not said which company this is (realmId); connect it again")
    return found


def path(settings: Mapping[str, Any], *parts: str) -> str:
    """An address of the company."""
    return "/".join(("/v3/company", realm(settings), *(quote(part, safe="") for part in parts)))


def get(http: Http, settings: Mapping[str, Any], *parts: str, priority: Priority, **params: Any) -> Answer:
    """Read something of the company. Raises the four errors."""
    return faults.good(http.get(path(settings, *parts), {**params, "minorversion": MINOR_VERSION}, priority=priority))


def account(http: Http, settings: Mapping[str, Any]) -> Account:
    """The company, as it calls itself, with its home currency."""
    number = realm(settings)
    told = inside(get(http, settings, "companyinfo", number, priority="check"), "CompanyInfo", shapes.Company)
    wishes = inside(get(http, settings, "preferences", priority="check"), "Preferences", shapes.Preferences)
    home = wishes.currency_prefs.home_currency if wishes.currency_prefs else None
    return Account(
        id=number, name=told.company_name or told.legal_name or f"QuickBooks company {number}", currency=home.value if home else "",
        country=told.country or "", live="sandbox" not in str(settings.get("base_url") or ""),
    )  # fmt: skip


def server_time(http: Http, settings: Mapping[str, Any]) -> str:
    """What time it is by QuickBooks' clock, with the company's offset."""
    answer = get(http, settings, "companyinfo", realm(settings), priority="change")
    return stamp(decoded(answer, _Stamped).time) or http.now().isoformat(timespec="seconds")


def ask(http: Http, settings: Mapping[str, Any], stream: str, *where: str, start: int = 1, priority: Priority) -> Found:
    """Objects that fit all of `where`, in the order of their ids, from the `start`-th on. Inactive customers are among them."""
    if stream not in ENTITIES:
        raise Unsupported(f"QuickBooks has no {stream}")
    entity = ENTITIES[stream]
    conditions = (*(("Active in (true,false)",) if stream == CUSTOMERS else ()), *where)
    which = f" where {' and '.join(conditions)}" if conditions else ""
    # The order is said always: without it QuickBooks gives the latest changed first, and a page moves while it is read.
    statement = f"select * from {entity}{which} orderby Id startposition {start} maxresults {PAGE}"
    answer = get(http, settings, "query", priority=priority, query=statement)
    listed = decoded(answer, _Listed, _LISTED)
    return Found(raws=tuple(raws_in(listed.response, entity)), time=stamp(listed.time), content=answer.content)


def by_ids(http: Http, settings: Mapping[str, Any], stream: str, ids: Iterable[str], *, priority: Priority) -> Iterator[Raw]:
    """Those of the objects that are there, a hundred with one question."""
    wanted = list(ids)
    for begin in range(0, len(wanted), TOGETHER):
        some = ",".join(text(one) for one in wanted[begin : begin + TOGETHER])
        yield from ask(http, settings, stream, f"Id in ({some})", priority=priority).raws


def one(http: Http, settings: Mapping[str, Any], stream: str, ident: str, *, priority: Priority = "change") -> Raw:
    """One object as it stands now; gone where it is not there."""
    try:
        answer = get(http, settings, ENTITIES[stream].lower(), ident, priority=priority)
    except faults.NotThere as error:
        # Customers are never deleted, only made inactive: one that is not there was merged into another.
        gone = msgspec.json.encode({"Id": ident, "status": "Deleted", "said": str(error)})
        return Raw(stream=stream, id=ident, body=gone, gone="merged" if stream == CUSTOMERS else "deleted")
    return shown(answer, stream)


def shown(answer: Answer, stream: str) -> Raw:
    """The object in an answer that shows one."""
    entity = ENTITIES[stream]
    told = decoded(answer, dict[str, msgspec.Raw])
    if entity not in told:
        raise NeedsPerson(f"QuickBooks' answer shows no {entity}")
    return raw_of(stream, bytes(told[entity]))


def raws_in(response: Mapping[str, msgspec.Raw], entity: str) -> Iterator[Raw]:
    """The objects of one kind in a response; it leaves the kind out where there are none."""
    if entity not in response:
        return
    try:
        yield from (raw_of(STREAMS[entity.lower()], bytes(one)) for one in _OBJECTS.decode(bytes(response[entity])))
    except msgspec.ValidationError as error:
        raise NeedsPerson(f"QuickBooks' list of {entity} is not as it describes it: {error}") from error


def raw_of(stream: str, body: bytes) -> Raw:
    """An object with its version and time. A payment that was voided is gone: QuickBooks keeps its shell, without the amount."""
    head = head_of(body)
    gone = str(head.status).lower() == "deleted"
    if gone and stream == CUSTOMERS:
        return Raw(stream=stream, id=head.id, body=body, changed_at=moment(changed(head)), gone="merged")
    if gone or (stream == PAYMENTS and emptied(head)):
        return Raw(stream=stream, id=head.id, body=body, version=head.sync_token or "", changed_at=moment(changed(head)), gone="deleted")
    return Raw(stream=stream, id=head.id, body=body, version=head.sync_token or "", changed_at=moment(changed(head)))


def head_of(body: bytes) -> shapes.Head:
    """As much of an object as is needed to go on from it; of one that has drifted its id, so that it is set aside by itself. Raises
    NeedsPerson where it has not even that."""
    try:
        return _HEAD.decode(body)
    except (msgspec.ValidationError, UnicodeDecodeError):
        pass
    try:
        return shapes.Head(id=_NAMED.decode(body).id)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise NeedsPerson(f"an object of QuickBooks is not as it describes it: {error}") from error


def emptied(head: shapes.Head) -> bool:
    """Whether a payment holds nothing and pays nothing any more. One of 0 that links a credit with an invoice has lines."""
    return head.total_amt == 0 and (is_void(head.private_note) or not head.line)


def is_void(note: object) -> bool:
    """Whether a note says that its transaction was voided; QuickBooks has no other word for it."""
    return str(note or "").lstrip().lower().startswith("voided")


def changed(head: shapes.Head) -> str:
    """When an object was last changed, as QuickBooks writes it."""
    return head.meta_data.last_updated_time if head.meta_data else ""


def moment(written: str) -> dt.datetime | None:
    """An instant as QuickBooks writes it, offset and all; None where it is none."""
    try:
        found = dt.datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def stamp(written: str) -> str:
    """An instant in whole seconds with the offset it came with; empty where it is none."""
    found = moment(written)
    return found.isoformat(timespec="seconds") if found else ""


def text(value: str) -> str:
    """A value as the query language quotes it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def inside(answer: Answer, name: str, shape: type[_Shape]) -> _Shape:
    """What an answer holds under a name."""
    told = decoded(answer, dict[str, msgspec.Raw])
    try:
        return msgspec.json.decode(bytes(told.get(name, b"{}")), type=shape)
    except msgspec.ValidationError as error:
        raise NeedsPerson(f"{name} of QuickBooks is not as it describes it: {error}") from error


def decoded(answer: Answer, shape: type[_Shape], decoder: msgspec.json.Decoder[_Shape] | None = None) -> _Shape:
    """An answer in the shape it should have. Raises NeedsPerson where it has another, TryLater where it is not whole."""
    try:
        return (decoder or msgspec.json.Decoder(shape)).decode(answer.content)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise NeedsPerson(f"QuickBooks' answer is not as it describes it: {error}") from error
    except msgspec.DecodeError as error:
        raise TryLater(f"QuickBooks' answer is not whole: {error}") from error
