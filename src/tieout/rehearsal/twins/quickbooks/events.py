"""Webhooks: what happened becomes CloudEvents, gathered over all companies and signed with the verifier token.

A body names the record and says nothing of its content; whoever gets one reads the record anew.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import random
import uuid
from collections.abc import Callable

import msgspec

from tieout.rehearsal.twins.quickbooks.refusals import Json
from tieout.rehearsal.twins.twin import Delivery

HEADER = "intuit-signature"
#: The most events one delivery holds.
_MOST = 500


def signature(body: bytes, verifier: str) -> str:
    """The value of the signature header for a raw body."""
    return base64.b64encode(hmac.new(verifier.encode(), body, hashlib.sha256).digest()).decode()


class Outbox:
    """Events that wait to be gathered into deliveries, and who gets them."""

    def __init__(self, chance: random.Random) -> None:
        self.waiting: list[Json] = []
        self.subscribers: dict[str, str] = {}
        self._chance = chance
        self._source = "intuit." + base64.b64encode(chance.randbytes(32)).decode()

    def note(self, realm: str, entity: str, happened: str, record_id: str, particulars: Json, now: dt.datetime) -> None:
        """Something happened to a record."""
        if not self.subscribers:
            return
        moment = now.astimezone(dt.UTC)
        self.waiting.append(
            {
                "specversion": "1.0",
                "id": str(uuid.UUID(bytes=self._chance.randbytes(16), version=4)),
                "source": self._source,
                "type": f"qbo.{entity.lower()}.{happened}.v1",
                "datacontenttype": "application/json",
                "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}{self._chance.randrange(1000):03d}Z",
                "intuitentityid": record_id,
                "intuitaccountid": realm,
                "data": particulars,
            }
        )

    def gathered(self) -> list[Delivery]:
        """Deliveries of everything that waits, one or more for each subscriber; afterwards nothing waits."""
        waiting, self.waiting = self.waiting, []
        deliveries = []
        for start in range(0, len(waiting), _MOST):
            part = waiting[start : start + _MOST]
            body = msgspec.json.encode(part)
            topic = " ".join(dict.fromkeys(event["type"] for event in part))
            deliveries += [Delivery(url=url, topic=topic, body=body, sign=_signer(verifier), due=0.0) for url, verifier in self.subscribers.items()]
        return deliveries


def _signer(verifier: str) -> Callable[[bytes, dt.datetime], dict[str, str]]:
    return lambda body, _now: {HEADER: signature(body, verifier)}
