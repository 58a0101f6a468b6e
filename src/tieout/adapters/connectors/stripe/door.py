"""What Stripe sends to our door: proven by its signature, read as a hint and nothing more.

`Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over `<t>.<body>`; while a secret is rotated there are several.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from tieout.adapters.connectors.stripe import client
from tieout.adapters.ports.connector import NotGenuine, Ref
from tieout.adapters.ports.errors import BadRecord

TOLERANCE_SECONDS = 300


class _Event(msgspec.Struct):
    id: str


def delivery(*, headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...], now: dt.datetime) -> str:
    """The event's id, once the signature holds. Raises NotGenuine."""
    parts = [part.split("=", 1) for part in headers.get("stripe-signature", "").split(",") if "=" in part]
    stamp = next((value for key, value in parts if key.strip() == "t"), "")
    given = [value.strip() for key, value in parts if key.strip() == "v1"]
    if not stamp.isdigit() or not given:
        raise NotGenuine("there is no Stripe-Signature that could be checked")
    wanted = [hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest() for secret in secrets]
    # Every pair is compared, so that the time taken tells nothing.
    matching = sum(hmac.compare_digest(one.encode(), other.encode("utf-8", "replace")) for one in wanted for other in given)
    if not matching:
        raise NotGenuine("the signature is not made with a secret of this connection")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise NotGenuine("the signature is more than five minutes old")
    try:
        return msgspec.json.decode(body, type=_Event).id
    except msgspec.DecodeError as error:
        raise NotGenuine(f"signed, and no event: {error}") from error


def hints(body: bytes) -> tuple[Ref, ...]:
    """What the event tells us to look at; nothing for a kind we do not follow. Raises BadRecord."""
    try:
        return tuple(client.refs_of(client.EVENT.decode(body)))
    except msgspec.DecodeError as error:
        raise BadRecord(f"the event is not as Stripe describes it: {error}") from error
