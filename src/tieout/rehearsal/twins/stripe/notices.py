"""Events and the doors that want them: told when something changes, signed when delivered, kept for thirty days."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from tieout.rehearsal.twins.stripe.shapes.balance import Endpoint
from tieout.rehearsal.twins.stripe.shapes.common import ABSENT, Shape, plain
from tieout.rehearsal.twins.stripe.shapes.events import Asked, Event, EventData
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice
from tieout.rehearsal.twins.stripe.shelf import Shelf
from tieout.rehearsal.twins.twin import Delivery

KEPT_DAYS = 30
_DAY = 86_400


class Signature:
    """Signs one delivery with the secrets its door has at that moment."""

    def __init__(self, notices: Notices, endpoint: str, event: str) -> None:
        self._notices, self.endpoint, self.event = notices, endpoint, event

    def __call__(self, body: bytes, now: dt.datetime) -> dict[str, str]:
        at = int(now.timestamp())
        signed = [_mac(secret, at, body) for secret in self._notices.secrets(self.endpoint, at)]
        # v0 is what Stripe adds outside live mode; nobody should look at it.
        parts = [f"t={at}", *(f"v1={mac}" for mac in signed), f"v0={_mac('v0', at, body)}"]
        return {"Stripe-Signature": ",".join(parts), "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)"}


def _mac(secret: str, at: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()


class Notices:
    """`asked` is the request being answered, named in the events it causes.

    While `quiet`, events are kept but sent to nobody; while `silent`, there are none.
    """

    def __init__(
        self, *, now: Callable[[], int], new_id: Callable[[str], str], token: Callable[[int], str], post: Callable[[Delivery], None], version: str
    ) -> None:
        self._now, self._new_id, self._token, self._post, self._version = now, new_id, token, post, version
        self.events: Shelf[Event] = Shelf("event")
        self.endpoints: Shelf[Endpoint] = Shelf("webhook_endpoint")
        self.asked = Asked()
        self.quiet = self.silent = False
        self._secrets: dict[str, list[tuple[str, int | None]]] = {}
        self._awaited: dict[str, set[str]] = {}

    # Doors

    def open(self, url: str, wanted: list[str], **more: Any) -> tuple[Endpoint, str]:
        """A new door and its secret."""
        endpoint = Endpoint(id=self._new_id("we_1"), created=self._now(), url=url, enabled_events=wanted, **more)
        secret = f"whsec_{self._token(32)}"
        self._secrets[endpoint.id] = [(secret, None)]
        return self.endpoints.add(endpoint), secret

    def rotate(self, endpoint: str, *, seconds: int) -> str:
        """A new secret; the old one keeps signing for so long."""
        self.endpoints.get(endpoint, param="endpoint")
        secret = f"whsec_{self._token(32)}"
        until = self._now() + seconds
        self._secrets[endpoint] = [(secret, None), *((old, until if end is None else end) for old, end in self._secrets[endpoint])]
        return secret

    def secrets(self, endpoint: str, at: int) -> list[str]:
        return [secret for secret, until in self._secrets.get(endpoint, []) if until is None or until > at]

    def wants(self, endpoint: Endpoint, topic: str) -> bool:
        return endpoint.status == "enabled" and ("*" in endpoint.enabled_events or topic in endpoint.enabled_events)

    # Events

    def tell(self, topic: str, shape: Shape, previous: dict[str, Any] | None = None) -> None:
        """Keep an event and send it to each door that wants it."""
        if self.silent:
            return
        doors = [] if self.quiet else [door for door in self.endpoints.newest_first() if self.wants(door, topic)]
        event = Event(
            id=self._new_id("evt_1"),
            api_version=self._version,
            created=self._now(),
            data=EventData(object=msgspec.Raw(_as_told(shape)), previous_attributes=ABSENT if previous is None else previous),
            pending_webhooks=len(doors),
            request=self.asked,
            type=topic,
        )
        self.events.add(event)
        if doors:
            self._awaited[event.id] = {door.id for door in doors}
        for door in doors:
            self._send(event, door)

    def _send(self, event: Event, door: Endpoint) -> None:
        told = event if door.api_version in (None, self._version) else msgspec.structs.replace(event, api_version=door.api_version)
        body = msgspec.json.format(msgspec.json.encode(told), indent=2)
        self._post(Delivery(url=door.url, topic=event.type, body=body, sign=Signature(self, door.id, event.id)))

    def arrived(self, event: str, endpoint: str) -> None:
        """One door has taken it."""
        waiting = self._awaited.get(event)
        found = self.events.find(event)
        if waiting and found is not None and endpoint in waiting:
            waiting.discard(endpoint)
            found.pending_webhooks = len(waiting)

    def send_again(self) -> int:
        """Send every event once more that some door has not taken; returns how many were sent."""
        again = [(event, door) for event, doors in self._awaited.items() for door in sorted(doors)]
        sent = 0
        for event_id, door_id in again:
            event, door = self.events.find(event_id), self.endpoints.find(door_id)
            if event is not None and door is not None and door.status == "enabled":
                self._send(event, door)
                sent += 1
        return sent

    def horizon(self) -> int:
        """Before this moment events are forgotten."""
        return self._now() - KEPT_DAYS * _DAY


def matches(topic: str, patterns: Iterable[str]) -> bool:
    """Whether an event's type is among those asked for; `invoice.*` asks for all of a kind."""
    return any(fnmatchcase(topic, pattern) for pattern in patterns)


def _as_told(shape: Shape) -> bytes:
    if isinstance(shape, Invoice):
        # Computed when an invoice is read, so it is in no event (since 2026-05-27).
        told = plain(shape)
        del told["amount_paid_off_stripe"]
        return msgspec.json.encode(told)
    return msgspec.json.encode(shape)
