"""What HubSpot sends to our door: proven by its signature, read as hints and nothing more.

`X-HubSpot-Signature-v3` is base64 of an HMAC-SHA256 over method, address, body and `X-HubSpot-Request-Timestamp` (milliseconds).
Events of CRM objects may still come with the first version alone: hex of a plain SHA-256 over secret and body, with no time in it.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tieout.adapters.connectors.hubspot import shapes
from tieout.adapters.connectors.hubspot.reading import CONTACTS
from tieout.adapters.connectors.hubspot.whole import CUSTOMERS, DEALS
from tieout.adapters.ports.connector import NotGenuine, Ref
from tieout.adapters.ports.errors import BadRecord

TOLERANCE_SECONDS = 300
# Before it signs an address, HubSpot undoes these escapes in it, and no others.
_UNDONE = {f"%{ord(sign):02X}": sign for sign in ":/?@!$'()*,;"}
#: A kind of record, by its name in older events and by its number in newer ones, and where we look for it.
_STREAMS: Mapping[str, str] = {
    "company": CUSTOMERS, "0-2": CUSTOMERS, "contact": CONTACTS, "0-1": CONTACTS, "deal": DEALS, "0-3": DEALS,
}  # fmt: skip


class Event(msgspec.Struct, rename="camel"):
    """An event as far as it is a hint: never its values."""

    event_id: int | str
    subscription_type: str
    portal_id: int | None = None
    app_id: int | None = None
    object_id: int | str | None = None
    object_type_id: str = ""
    occurred_at: int | str = 0
    change_source: str = ""
    source_id: str | int | None = None
    merged_object_ids: list[int | str] = []
    primary_object_id: int | str | None = None
    new_object_id: int | str | None = None
    from_object_id: int | str | None = None
    to_object_id: int | str | None = None
    association_type: str = ""


_EVENTS = msgspec.json.Decoder(list[Event])


def delivery(*, headers: Mapping[str, str], body: bytes, url: str, secrets: tuple[str, ...], now: dt.datetime) -> str:
    """A name for the batch, the same when it is sent again, once its signature holds. Raises NotGenuine."""
    if "x-hubspot-signature-v3" in headers:
        _third(headers, body, url, secrets, now)
    elif headers.get("x-hubspot-signature-version") == "v1":
        wanted = [hashlib.sha256(secret.encode() + body).hexdigest() for secret in secrets]
        _one_of(wanted, headers.get("x-hubspot-signature", ""))
    else:
        raise NotGenuine("there is no signature of HubSpot's that could be checked")
    try:
        events = _EVENTS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotGenuine(f"signed, and no events: {error}") from error
    # HubSpot does not promise that an event's id is the only one of its kind, and counts attempts in the body.
    told = sorted(f"{one.event_id} {one.subscription_type} {one.object_id or one.from_object_id} {one.occurred_at}" for one in events)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _third(headers: Mapping[str, str], body: bytes, url: str, secrets: tuple[str, ...], now: dt.datetime) -> None:
    stamp = headers.get("x-hubspot-request-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit()):
        raise NotGenuine("the signature says no time")
    signed = f"POST{unescaped(url)}".encode() + body + stamp.encode()
    wanted = [base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode() for secret in secrets]
    _one_of(wanted, headers["x-hubspot-signature-v3"])
    if abs(shapes.millis(now) - int(stamp)) > TOLERANCE_SECONDS * 1000:
        raise NotGenuine("the signature is more than five minutes old")


def unescaped(url: str) -> str:
    """An address as HubSpot signs it."""
    return re.sub(r"%[0-9A-Fa-f]{2}", lambda escape: _UNDONE.get(escape[0].upper(), escape[0]), url)


def _one_of(wanted: list[str], given: str) -> None:
    # Every pair is compared, so that the time taken tells nothing.
    if not sum(hmac.compare_digest(one.encode(), given.encode("utf-8", "replace")) for one in wanted):
        raise NotGenuine("the signature is not made with a secret of this connection")


def hints(body: bytes, settings: Mapping[str, Any]) -> tuple[Ref, ...]:
    """What the events of our account tell us to look at, without the echo of our own writes. Raises BadRecord."""
    try:
        events = _EVENTS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"the events are not as HubSpot describes them: {error}") from error
    account = str(settings.get("account") or "")
    ours = str(settings.get("app_id") or "")
    told = (one for one in events if not (account and one.portal_id is not None and str(one.portal_id) != account) and not _echo(one, ours))
    return tuple(dict.fromkeys(ref for one in told for ref in _refs(one)))


def _echo(event: Event, ours: str) -> bool:
    """Whether we did it ourselves: an event names the application it is sent to, and the one that made the change."""
    made_by = str(event.source_id) if event.change_source == "INTEGRATION" and event.source_id is not None else ""
    return bool(made_by) and made_by in (ours, str(event.app_id))


def _refs(event: Event) -> Iterator[Ref]:
    kind, _, what = event.subscription_type.partition(".")
    stream = _STREAMS.get(event.object_type_id if kind == "object" else kind)
    if what == "associationChange":
        yield from _ends(event)
        return
    if stream is None:
        return
    about = (event.object_id, event.primary_object_id, event.new_object_id, *event.merged_object_ids)
    yield from (Ref(stream, str(one)) for one in about if one is not None)


def _ends(event: Event) -> Iterator[Ref]:
    """Both ends of a tie that was made or cut; its type reads CONTACT_TO_COMPANY."""
    one, _, other = event.association_type.lower().partition("_to_")
    for kind, ident in ((one, event.from_object_id), (other, event.to_object_id)):
        if kind in _STREAMS and ident is not None:
            yield Ref(_STREAMS[kind], str(ident))
