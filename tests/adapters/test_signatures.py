"""Signed deliveries of our own making open the doors, and tampered copies do not; nothing beside the project is needed for it.

Bodies, secrets and moments are made up here; the signatures were made with `openssl dgst -hmac` by the rules the vendors publish, not
with our code. The vendors' own published vectors are tried in the tests of each connector, where they are at hand.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import NotGenuine, Ref

SIGNED_AT = dt.datetime.fromtimestamp(1_780_000_000, dt.UTC)


class Vector(NamedTuple):
    """One delivery. `dated` says whether its age can be told."""

    vendor: str
    body: bytes
    secret: str
    headers: dict[str, str]
    refs: tuple[Ref, ...]
    url: str = ""
    settings: Mapping[str, str] = MappingProxyType({})
    dated: bool = False


_PAID = b'{"id":"evt_tieout_1","object":"event","created":1780000000,"type":"invoice.paid","data":{"object":{"id":"in_tieout_1","object":"invoice"}}}'
_CLOUD = (
    b'[{"specversion":"1.0","id":"tieout-1","source":"intuit.example","type":"qbo.invoice.updated.v1","time":"2026-05-28T20:26:40.123456789Z",'
    b'"intuitentityid":"1234","intuitaccountid":"310687","data":{}},{"specversion":"1.0","id":"tieout-2","source":"intuit.example",'
    b'"type":"qbo.payment.created.v1","time":"2026-05-28T20:26:41Z","intuitentityid":"77","intuitaccountid":"999","data":{}}]'
)
_OLD = (
    b'{"eventNotifications":[{"realmId":"310687","dataChangeEvent":{"entities":[{"id":"1234","operation":"Update","name":"Invoice",'
    b'"lastUpdated":"2026-05-28T20:26:40.123Z"}]}}]}'
)
_NAMED = (
    b'[{"eventId":100,"subscriptionId":1,"portalId":33,"appId":7,"occurredAt":1780000000000,"subscriptionType":"company.propertyChange",'
    b'"attemptNumber":0,"objectId":512,"propertyName":"name","propertyValue":"Alder","changeSource":"CRM_UI"}]'
)
_BY_HMAC = "929cd5f43a6df739fcf292aca10a34cfa14ee8a31dd80288c32886a0342256bd"
_BY_OLDER = "d677ccc658957e4dbaa99a66a305ed8ee52f28291018d78d4b5eaba7a843773e"
_INVOICE, _OURS = (Ref("invoices", "1234"),), {"realmId": "310687"}
_COMPANY = (Ref("customers", "512"),)

VECTORS = {
    "Stripe": Vector(
        "stripe", _PAID, "whsec_tieout_vector", {"stripe-signature": f"t=1780000000,v1={_BY_HMAC}"}, (Ref("invoices", "in_tieout_1"),), dated=True,
    ),
    "Stripe, while a secret is rotated": Vector(
        "stripe", _PAID, "whsec_tieout_vector", {"stripe-signature": f"t=1780000000,v0=abc,v1={_BY_OLDER},v1={_BY_HMAC}"},
        (Ref("invoices", "in_tieout_1"),), dated=True,
    ),
    "QuickBooks, cloud events of two companies": Vector(
        "quickbooks", _CLOUD, "tieout-verifier", {"intuit-signature": "c6K0P7mNkvT4gmQJhb3hgCzeRipVMiZqlydHQWysT54="}, _INVOICE, settings=_OURS,
    ),
    "QuickBooks, the form before": Vector(
        "quickbooks", _OLD, "tieout-verifier", {"intuit-signature": "JsPqYzSfSn+q0KATj/l4lT618hmyvPNWdvK37GRE734="}, _INVOICE, settings=_OURS,
    ),
    "HubSpot, the third version": Vector(
        "hubspot", _NAMED, "tieout-client-secret",
        {"x-hubspot-signature-v3": "zpoyDs73N8qlfUDlvo/okZXCdRKYvXrTMuvVYQCXSeg=", "x-hubspot-request-timestamp": "1780000000000"}, _COMPANY,
        url="https://ar.example.test/hooks/hubspot?tenant=a%20b:c", settings={"account": "33"}, dated=True,
    ),
    "HubSpot, the first version": Vector(
        "hubspot", _NAMED, "tieout-client-secret",
        {"x-hubspot-signature-version": "v1", "x-hubspot-signature": "dc5fe94bb6ef75a6c67b671ee7c7da1569e92d22a7455c53e1b2048150f16e1d"}, _COMPANY,
        settings={"account": "33"},
    ),
}  # fmt: skip
each = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)


def delivered(vector: Vector, *, secrets: tuple[str, ...] = (), now: dt.datetime = SIGNED_AT) -> str:
    connector = registry.connectors()[vector.vendor]
    return connector.delivery(headers=vector.headers, body=vector.body, url=vector.url, secrets=secrets or (vector.secret,), now=now)


@each
def test_what_is_signed_opens_the_door_with_the_older_or_the_newer_secret_and_says_what_to_look_at(vector: Vector) -> None:
    name = delivered(vector)
    assert name
    assert delivered(vector, secrets=("another", vector.secret)) == delivered(vector, secrets=(vector.secret, "another")) == name
    assert registry.connectors()[vector.vendor].hints(body=vector.body, settings=vector.settings) == vector.refs


def tampered(vector: Vector) -> Iterator[tuple[str, Vector]]:
    """Copies of a delivery with one thing wrong."""
    for place in range(0, len(vector.body), 7):
        yield f"byte {place}", vector._replace(body=vector.body[:place] + bytes([vector.body[place] ^ 1]) + vector.body[place + 1 :])
    yield "a byte more", vector._replace(body=vector.body + b" ")
    yield "a byte less", vector._replace(body=vector.body[:-1])
    yield "no headers", vector._replace(headers={})
    for name, value in vector.headers.items():
        yield f"without {name}", vector._replace(headers={one: other for one, other in vector.headers.items() if one != name})
        yield f"{name} empty", vector._replace(headers={**vector.headers, name: ""})
        yield f"{name} not even text", vector._replace(headers={**vector.headers, name: "é" + value[1:]})
        if "signature" in name and "version" not in name:
            for wrong in (value[:-2], value.swapcase(), value.replace(_BY_HMAC, _BY_HMAC[::-1]), base64.b64encode(b"\0" * 32).decode()):
                if wrong != value:
                    yield f"{name} {wrong[:24]}", vector._replace(headers={**vector.headers, name: wrong})
    if vector.dated:
        later = {name: value.replace("1780000000", "1780000001") for name, value in vector.headers.items()}
        yield "another time", vector._replace(headers=later)
    if vector.url:
        yield "another address", vector._replace(url=vector.url.replace("tenant", "tenants"))


@each
def test_a_tampered_copy_is_refused(vector: Vector) -> None:
    copies = list(tampered(vector))
    assert len(copies) > 20
    for what, copy in copies:
        try:
            delivered(copy)
        except NotGenuine:
            continue
        pytest.fail(f"{what} was believed")


@each
def test_another_secret_or_none_opens_nothing(vector: Vector) -> None:
    for secrets in (("another",), (vector.secret + "x", vector.secret[:-1]), (vector.secret.upper(),), ("",)):
        with pytest.raises(NotGenuine):
            delivered(vector, secrets=secrets)


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
@each
def test_what_can_be_told_to_be_old_or_of_tomorrow_is_refused(vector: Vector, seconds: int) -> None:
    moment = SIGNED_AT + dt.timedelta(seconds=seconds)
    if not vector.dated:
        # There is no time in what is signed; that it is the same delivery again is known by its name.
        assert delivered(vector, now=moment) == delivered(vector)
        return
    with pytest.raises(NotGenuine, match="more than five minutes old"):
        delivered(vector, now=moment)
    assert delivered(vector, now=SIGNED_AT + dt.timedelta(seconds=299))
