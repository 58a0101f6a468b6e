"""Webhooks: what happened, in batches of a hundred at most, signed the vendor's ways, and told again where nobody was home."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from tieout.rehearsal.twins.hubspot.answers import millis
from tieout.rehearsal.twins.hubspot.catalogue import KINDS
from tieout.rehearsal.twins.hubspot.portal import Portal
from tieout.rehearsal.twins.hubspot.records import By, Record
from tieout.rehearsal.twins.twin import Delivery

LARGEST_BATCH = 100
#: The vendor gives up after this many attempts.
ATTEMPTS = 10
#: What a subscription hears of where it does not choose.
TYPES: tuple[str, ...] = tuple(f"{kind.one}.{what}" for kind in KINDS if kind.told for what in ("creation", "propertyChange", "deletion", "restore"))
# The escapes the vendor undoes in an address before it signs it.
_UNESCAPED = {f"%{ord(sign):02X}": sign for sign in ":/?@!$'()*,;"}


class Subscriber(msgspec.Struct, eq=False, kw_only=True):
    """Somebody's door, and what he wants to hear."""

    url: str
    secret: str
    app_id: int
    types: frozenset[str]
    properties: frozenset[str] | None
    signatures: tuple[str, ...]
    numbers: dict[tuple[str, str], int] = {}

    def hears(self, type_: str, name: str) -> bool:
        return type_ in self.types and (not name or self.properties is None or name in self.properties)


def signature_v3(secret: str, method: str, uri: str, body: bytes, timestamp: int) -> str:
    """The signature of today: HMAC over method, address, body and time."""
    return base64.b64encode(hmac.digest(secret.encode(), f"{method}{_unescaped(uri)}".encode() + body + str(timestamp).encode(), "sha256")).decode()


def signature_v1(secret: str, body: bytes) -> str:
    """The signature of old: a plain hash over secret and body, with no time in it."""
    return hashlib.sha256(secret.encode() + body).hexdigest()


def _unescaped(uri: str) -> str:
    return re.sub(r"%[0-9A-Fa-f]{2}", lambda escape: _UNESCAPED.get(escape[0].upper(), escape[0]), uri)


class Events(Portal):
    """Tells those who subscribed. Events wait until they are delivered, and then leave in batches of one type."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.subscribers: list[Subscriber] = []
        self._untold: list[tuple[Subscriber, dict[str, Any]]] = []

    def subscribe(
        self,
        url: str,
        secret: str,
        app_id: int,
        *,
        types: Iterable[str] = TYPES,
        properties: Iterable[str] | None = None,
        signatures: Iterable[str] = ("v3",),
    ) -> Subscriber:
        """Send what happens to `url`. `signatures` may be v3, v1 or both; without `properties`, changes of all are told."""
        subscriber = Subscriber(
            url=url,
            secret=secret,
            app_id=app_id,
            types=frozenset(types),
            properties=None if properties is None else frozenset(properties),
            signatures=tuple(signatures),
        )
        with self.lock:
            self.subscribers.append(subscriber)
        return subscriber

    def tell(self, record: Record, what: str, by: By, **more: str) -> None:
        type_, name = f"{record.kind.one}.{what}", more.get("propertyName", "")
        for subscriber in self.subscribers:
            if record.kind.told and subscriber.hears(type_, name):
                event = {
                    "eventId": self.chance.randrange(10**9, 2**32),
                    "subscriptionId": subscriber.numbers.setdefault((type_, name), self._subscription()),
                    "portalId": self.portal_id,
                    "appId": subscriber.app_id,
                    "occurredAt": millis(self.now()),
                    "subscriptionType": type_,
                    "attemptNumber": 0,
                    "objectId": int(record.id),
                    **more,
                    "changeSource": by.source,
                    "sourceId": by.id,
                }
                self._untold.append((subscriber, event))

    def _subscription(self) -> int:
        return 3_300_001 + sum(len(subscriber.numbers) for subscriber in self.subscribers)

    def deliver(self, *, everything: bool = True) -> int:
        with self.lock:
            self._gather()
        return super().deliver(everything=everything)

    def _gather(self) -> None:
        batches: dict[tuple[int, str], tuple[Subscriber, list[dict[str, Any]]]] = {}
        for subscriber, event in self._untold:
            batches.setdefault((id(subscriber), event["subscriptionType"]), (subscriber, []))[1].append(event)
        self._untold.clear()
        for (_, type_), (subscriber, events) in batches.items():
            for start in range(0, len(events), LARGEST_BATCH):
                self._send(subscriber, type_, events[start : start + LARGEST_BATCH])

    def _send(self, subscriber: Subscriber, topic: str, events: list[dict[str, Any]]) -> None:
        def sign(body: bytes, now: dt.datetime) -> dict[str, str]:
            return _headers(subscriber, body, now)

        self.post(Delivery(url=subscriber.url, topic=topic, body=json.dumps(events, separators=(",", ":")).encode(), sign=sign))

    def retry(self) -> int:
        """Send again what found no open door, one attempt later, under the same event ids; returns how many batches."""
        with self.lock:
            missed, self.undelivered = self.undelivered, []
        again = 0
        for delivery, _ in missed:
            events = [{**event, "attemptNumber": event["attemptNumber"] + 1} for event in json.loads(delivery.body)]
            if events[0]["attemptNumber"] <= ATTEMPTS:
                self.post(msgspec.structs.replace(delivery, body=json.dumps(events, separators=(",", ":")).encode(), due=0.0))
                again += 1
        return again


def _headers(subscriber: Subscriber, body: bytes, now: dt.datetime) -> dict[str, str]:
    headers = {}
    if "v3" in subscriber.signatures:
        timestamp = millis(now)
        headers["X-HubSpot-Request-Timestamp"] = str(timestamp)
        headers["X-HubSpot-Signature-v3"] = signature_v3(subscriber.secret, "POST", subscriber.url, body, timestamp)
    if "v1" in subscriber.signatures:
        headers["X-HubSpot-Signature"] = signature_v1(subscriber.secret, body)
        headers["X-HubSpot-Signature-Version"] = "v1"
    return headers
