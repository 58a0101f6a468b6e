"""What QuickBooks sends to our door: proven by its signature, read as hints and nothing more.

`intuit-signature` is base64 of an HMAC-SHA256 over the raw body with the app's verifier token; there is no time in it. One delivery may
hold events of several companies. The body is a list of CloudEvents; the form before that (`eventNotifications`, ended by Intuit in
2026) is still read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tieout.adapters.connectors.quickbooks import client, reading
from tieout.adapters.ports.connector import NotGenuine, Ref
from tieout.adapters.ports.errors import BadRecord

HEADER = "intuit-signature"
Ident = str | int


class _Particulars(msgspec.Struct):
    deletedid: Ident | None = None


class CloudEvent(msgspec.Struct):
    """An event as far as it is a hint. Its time, which has nanoseconds, is nothing we go by."""

    id: Ident
    type: str
    intuitentityid: Ident
    intuitaccountid: Ident
    data: _Particulars | None = None


class _Entity(msgspec.Struct, rename="camel"):
    id: Ident
    name: str
    operation: str = ""
    deleted_id: Ident | None = None


class _Changed(msgspec.Struct, frozen=True):
    entities: tuple[_Entity, ...] = ()


class _Notification(msgspec.Struct, rename="camel"):
    realm_id: Ident
    data_change_event: _Changed = _Changed()


class _Notifications(msgspec.Struct, rename="camel"):
    event_notifications: list[_Notification]


class Told(msgspec.Struct, frozen=True):
    """One event, whatever form it came in; `loser` is what was merged away."""

    company: str
    entity: str
    ident: str
    loser: str = ""


_EVENTS, _OLD = msgspec.json.Decoder(list[CloudEvent]), msgspec.json.Decoder(_Notifications)


def delivery(*, headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...]) -> str:
    """A name for the delivery, the same when it is sent again, once its signature holds. Raises NotGenuine."""
    given = headers.get(HEADER, "").strip().encode("utf-8", "replace")
    wanted = [base64.b64encode(hmac.digest(secret.encode(), body, "sha256")) for secret in secrets if secret]
    # Every secret is tried, so that the time taken tells nothing.
    if not given or not sum(hmac.compare_digest(one, given) for one in wanted):
        raise NotGenuine("the signature is not made with a verifier token of this connection")
    try:
        return hashlib.sha256(_name(body)).hexdigest()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotGenuine(f"signed, and no events: {error}") from error


def _name(body: bytes) -> bytes:
    """What a delivery is known by: it has no name of its own, its events have; in the old form they have none either."""
    if _is_list(body):
        return "\n".join(sorted(str(one.id) for one in _EVENTS.decode(body))).encode()
    _OLD.decode(body)
    return body


def _is_list(body: bytes) -> bool:
    return body.lstrip()[:1] == b"["


def hints(body: bytes, settings: Mapping[str, Any]) -> tuple[Ref, ...]:
    """What the events of our company tell us to look at; nothing for kinds we do not follow. Raises BadRecord."""
    company = str(settings.get("realmId") or settings.get("account") or "")
    try:
        told = list(_told(body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"the events are not as QuickBooks describes them: {error}") from error
    return tuple(dict.fromkeys(ref for one in told if company and one.company == company for ref in _refs(one)))


def _told(body: bytes) -> Iterator[Told]:
    if _is_list(body):
        for event in _EVENTS.decode(body):
            _, entity, *_ = (*event.type.split("."), "")
            loser = event.data.deletedid if event.data else None
            yield Told(str(event.intuitaccountid), entity.lower(), str(event.intuitentityid), str(loser or ""))
        return
    for notification in _OLD.decode(body).event_notifications:
        for one in notification.data_change_event.entities:
            yield Told(str(notification.realm_id), one.name.lower(), str(one.id), str(one.deleted_id or ""))


def _refs(told: Told) -> Iterator[Ref]:
    stream = client.STREAMS.get(told.entity)
    if stream is None or not told.ident.isalnum():
        return
    if stream == client.CUSTOMERS and told.loser.isalnum():
        # What was the merged one's is the other's now, and nothing else says so.
        yield from (Ref(reading.MERGED, told.ident), Ref(stream, told.loser))
        return
    yield Ref(stream, told.ident)
