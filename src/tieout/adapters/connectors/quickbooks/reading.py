"""History by pages, and single objects read again.

A page is asked for in the order of ids, which never change, and begins a little before where the last one ended: what has been
deleted meanwhile moves all others up, and is noticed by what no longer stands where it stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from tieout.adapters.connectors.quickbooks import client
from tieout.adapters.ports.connector import Page, Raw, Ref
from tieout.adapters.ports.http import Http, Priority

#: How many objects of the last page are asked for once more with the next.
OVERLAP = 5
#: Not a stream: a customer others were merged into, with everything that is now its own.
MERGED = "merged_into"
#: What belongs to a customer, and moves with a merge without a word of it.
OF_CUSTOMERS = (client.INVOICES, client.CREDIT_MEMOS, client.PAYMENTS, client.REFUNDS)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a walk: its new objects, where to go on, whether anything follows."""

    raws: tuple[Raw, ...]
    place: Mapping[str, Any]
    last: bool
    content: bytes


def page(http: Http, settings: Mapping[str, Any], *, stream: str, cursor: Mapping[str, Any]) -> Page:
    """One page of history, in the order of ids."""
    found = step(http, settings, stream, cursor, priority="history")
    return Page(raws=found.raws, cursor=found.place, last=found.last, content=found.content)


def step(http: Http, settings: Mapping[str, Any], stream: str, place: Mapping[str, Any], *where: str, priority: Priority) -> Step:
    """The next page of a walk through all objects that fit `where`; an empty place begins."""
    tail = tuple(place.get("tail", ()))
    begin = max(1, int(place.get("at", 1)) - len(tail))
    found = client.ask(http, settings, stream, *where, start=begin, priority=priority)
    ids = [raw.id for raw in found.raws]
    known = max((ids.index(one) for one in tail if one in ids), default=-1)
    if begin > 1 and known < 0:
        # All we ended with is gone, and others have moved up to where we have been: some way back, until something is known.
        return Step(raws=(), place={"at": max(1, begin - client.PAGE // 2), "tail": tail}, last=False, content=b"")
    return Step(
        raws=found.raws[known + 1 :], place={"at": begin + len(ids), "tail": ids[-OVERLAP:]}, last=len(ids) < client.PAGE, content=found.content
    )


def again(http: Http, settings: Mapping[str, Any], *, refs: Iterable[Ref]) -> Iterator[Raw]:
    """Objects as they stand now, each once. A payment brings what it pays along, and an invoice or credit memo what pays it; a
    customer others were merged into brings all that is its own."""
    met: set[tuple[str, str]] = set()
    for raw in _asked_for(http, settings, refs):
        if (raw.stream, raw.id) not in met:
            met.add((raw.stream, raw.id))
            yield raw


def _asked_for(http: Http, settings: Mapping[str, Any], refs: Iterable[Ref]) -> Iterator[Raw]:
    wanted: dict[str, dict[str, None]] = {}
    kin: dict[str, dict[str, None]] = {}
    for ref in refs:
        wanted.setdefault(client.CUSTOMERS if ref.stream == MERGED else ref.stream, {})[ref.id] = None
        if ref.stream == MERGED:
            yield from _belongings(http, settings, ref.id)
    for stream in (one for one in client.ENTITIES if one in wanted):
        for raw in _now(http, settings, stream, list(wanted[stream])):
            yield raw
            for name, ident in _kin(raw):
                if ident not in wanted.get(name, {}):
                    kin.setdefault(name, {})[ident] = None
    for stream, ids in kin.items():
        yield from client.by_ids(http, settings, stream, ids, priority="change")


def _now(http: Http, settings: Mapping[str, Any], stream: str, ids: list[str]) -> Iterator[Raw]:
    """Several are asked for together; what is not among the answers is asked for by itself, for only that says that it is gone."""
    met = set()
    for raw in client.by_ids(http, settings, stream, ids, priority="change") if len(ids) > 1 else ():
        met.add(raw.id)
        yield raw
    yield from (client.one(http, settings, stream, ident) for ident in ids if ident not in met)


def _belongings(http: Http, settings: Mapping[str, Any], customer: str) -> Iterator[Raw]:
    for stream in OF_CUSTOMERS:
        place: Mapping[str, Any] = {}
        last = False
        while not last:
            found = step(http, settings, stream, place, belonging_to(customer), priority="change")
            yield from found.raws
            place, last = found.place, found.last


def belonging_to(customer: str) -> str:
    """The condition that something is this customer's."""
    return f"CustomerRef = {client.text(customer)}"


class _Tied(msgspec.Struct, rename="pascal"):
    linked_txn: Any = None
    line: Any = None


_TIED = msgspec.json.Decoder(_Tied)


def _kin(raw: Raw) -> Iterator[tuple[str, str]]:
    """(stream, id) of what an object pays or is paid by."""
    if raw.gone or raw.stream not in (client.INVOICES, client.CREDIT_MEMOS, client.PAYMENTS):
        return
    try:
        told = _TIED.decode(raw.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # What is wrong with it is said where it is understood.
    lines = [line.get("LinkedTxn") for line in told.line if isinstance(line, dict)] if isinstance(told.line, list) else []
    kinds = ("Invoice", "CreditMemo") if raw.stream == client.PAYMENTS else ("Payment",)
    for link in (one for some in (told.linked_txn, *lines) if isinstance(some, list) for one in some if isinstance(one, dict)):
        if link.get("TxnType") in kinds and link.get("TxnId"):
            yield client.STREAMS[str(link["TxnType"]).lower()], str(link["TxnId"])
