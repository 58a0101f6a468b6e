"""The three systems of the sample company, as twins on this machine: its web shop's Stripe, its books in QuickBooks, its HubSpot.

They answer on the ports their connections name and lie in the sample's folder when nobody runs them, so that a demo that was stopped
goes on where it was.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.urls import reverse

from tieout.core.evidence import Actor
from tieout.flow import clock, connecting, hooked, sync
from tieout.rehearsal.company import shop
from tieout.rehearsal.demo import place
from tieout.rehearsal.twins import found, keep
from tieout.rehearsal.twins.server import Serving
from tieout.rehearsal.twins.twin import Twin
from tieout.stages.base import queries, walls
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import link
from tieout.stages.ledger.models import Customer, SourceRecord

STRIPE, QUICKBOOKS, HUBSPOT = "stripe", "quickbooks", "hubspot"
NAMES: Mapping[str, str] = {STRIPE: "Web shop (Stripe)", QUICKBOOKS: "Books (QuickBooks)", HUBSPOT: "Sales (HubSpot)"}
_COMPANY = "Aldermere Print & Design"
_OPTIONS: Mapping[str, dict[str, Any]] = {
    STRIPE: {"account_name": f"{_COMPANY}, web shop"},
    QUICKBOOKS: {"company_name": _COMPANY, "currency": "EUR", "zone": "Europe/Berlin"},
    HUBSPOT: {},
}
#: What our doors know the twins by; a rehearsal's secrets open nothing.
_SECRETS: Mapping[str, str] = {QUICKBOOKS: "verifier-of-a-rehearsal", HUBSPOT: "twin-secret"}
_CADENCE_HOURS = 24 * 8
_NOWHERE = "http://127.0.0.1:9/"


class Gone(Exception):
    """A twin could not be taken up as it was left; the message says which."""


def connections() -> dict[str, Connection]:
    """The sample's connections to its twins, by vendor, in the current organisation."""
    rows = Connection.objects.filter(kind="system", name__in=NAMES.values(), paused_at__isnull=True)
    return {row.vendor: row for row in rows if NAMES.get(row.vendor) == row.name}


def url(vendor: str) -> str:
    """Where the twin of a vendor answers, by its connection in the current organisation; '' where there is none."""
    row = connections().get(vendor)
    return str(row.settings.get("base_url", "")).rstrip("/") if row else ""


def ahead(organisation_id: UUID) -> dt.timedelta:
    """How far the company's days are ahead of the calendar: where its Stripe stands as well, whose bills carry its dates."""
    with walls.inside(organisation_id):
        return dt.timedelta(days=queries.profile().clock_offset_days)


@contextlib.contextmanager
def running(organisation_id: UUID, *, door: str = "") -> Iterator[dict[str, Serving]]:
    """The twins answer until the block ends, and tell `door` (the product's own address) what happens, where there is one.

    Those of a connected company answer where its connections say; where a port is taken by now, the connection follows.
    """
    with walls.inside(organisation_id):
        wanted = {vendor: _port(row) for vendor, row in connections().items()}
    with contextlib.ExitStack() as stack:
        served: dict[str, Serving] = {}
        for vendor in NAMES:
            file = place.twins(organisation_id) / f"{vendor}.state"
            twin = _taken_up(vendor, file)
            served[vendor] = _served(twin, wanted.get(vendor, 0), deliver=bool(door))
            stack.callback(served[vendor].stop)
            stack.enter_context(keep.kept(twin, file))
        served[STRIPE].twin.stand_ahead(ahead(organisation_id))
        _settle(organisation_id, served, door)
        yield served


@contextlib.contextmanager
def there(organisation_id: UUID) -> Iterator[None]:
    """The twins that are running, or else for the length of the block; nothing for a company that is not connected."""
    with walls.inside(organisation_id):
        ports = [_port(row) for row in connections().values()]
    if not ports or any(_listens(port) for port in ports):
        yield
        return
    with running(organisation_id):
        yield


def connect(organisation_id: UUID, served: Mapping[str, Serving], *, actor: Actor) -> None:
    """Connect them, read what they have, know the same customers again, and let the map go live."""
    stripe, quickbooks, hubspot = (served[vendor].twin for vendor in (STRIPE, QUICKBOOKS, HUBSPOT))
    companies = {buyer.name: hubspot.company(buyer.name, domain=buyer.email.split("@")[1], city=buyer.city) for buyer in shop.BUYERS}  # type: ignore[attr-defined]
    tokens = quickbooks.connect()  # type: ignore[attr-defined]
    given: dict[str, dict[str, str]] = {
        STRIPE: {"api_key": "sk_test_twin", "webhook_secret": stripe.endpoint(_NOWHERE).secret},  # type: ignore[attr-defined]
        QUICKBOOKS: {
            "client_id": quickbooks.permissions.client_id, "client_secret": quickbooks.permissions.client_secret,  # type: ignore[attr-defined]
            "access_token": tokens["access_token"], "refresh_token": tokens["refresh_token"], "webhook_secret": _SECRETS[QUICKBOOKS],
            "realmId": quickbooks.company().realm, "oauth_url": served[QUICKBOOKS].url, "item": "1", "tax_code": "TAX",  # type: ignore[attr-defined]
        },
        HUBSPOT: {
            "access_token": hubspot.private_token, "webhook_secret": _SECRETS[HUBSPOT], "app_id": str(hubspot.private_app_id),  # type: ignore[attr-defined]
        },
    }  # fmt: skip
    made = {}
    for vendor, fields in given.items():
        stage = "live" if vendor == STRIPE else "pilot"
        made[vendor], _ = connecting.open(
            organisation_id, vendor=vendor, name=NAMES[vendor], given={**fields, "base_url": served[vendor].url}, stage=stage, actor=actor
        )
        with walls.inside(organisation_id):
            # While the demo runs they are read every minute; while its weeks are lived in seconds, once a working day.
            Connection.objects.filter(pk=made[vendor]).update(cadence_hours=_CADENCE_HOURS)
        sync.once(organisation_id, made[vendor])
    with walls.inside(organisation_id):
        _known_again(made[HUBSPOT], {name: company.id for name, company in companies.items()}, actor)
        for row in connections().values():
            hooked.token_of(row)
    for vendor in (QUICKBOOKS, HUBSPOT):
        connecting.go_live(organisation_id, made[vendor], actor=actor)


def _known_again(connection_id: int, companies: Mapping[str, str], actor: Actor) -> None:
    """The shop's customers are companies of the CRM: somebody said so, record by record."""
    for name, external_id in companies.items():
        theirs = SourceRecord.objects.filter(connection_id=connection_id, kind="customer", external_id=external_id, retracted_at__isnull=True)
        record = theirs.first()
        ours = Customer.objects.filter(name=name).order_by("id").first()
        if record is not None and ours is not None and record.target_id != ours.pk:
            link.link(record=record, customer=ours, evidence="the same name and mail domain", actor=actor, now=clock.now())


def _taken_up(vendor: str, file: Path) -> Twin:
    if not file.exists():
        twin: Twin = found.twins()[vendor](**_OPTIONS[vendor])
        # The company's days run ahead of the calendar, and what is signed is still believed for five minutes only.
        twin.real_postmarks = True
        return twin
    try:
        return keep.take_up(file)
    except keep.CannotTakeUp as error:
        raise Gone(f"{error}; delete the sample company (`Demo`, `Take it away`) and start again") from error


def _served(twin: Twin, port: int, *, deliver: bool) -> Serving:
    try:
        return Serving(twin, port=port, deliver=deliver)
    except (OSError, SystemExit):
        return Serving(twin, deliver=deliver)


def _settle(organisation_id: UUID, served: Mapping[str, Serving], door: str) -> None:
    """Connections know where the twins are, and the twins where the doors of the connections are."""
    with walls.inside(organisation_id):
        for vendor, row in connections().items():
            addresses = {name: served[vendor].url for name in ("base_url", "oauth_url") if name in row.settings}
            if any(row.settings[name] != value for name, value in addresses.items()):
                row.settings = {**row.settings, **addresses}
                row.save(update_fields=["settings"])
            if door:
                address = door.rstrip("/") + reverse("hook", args=[organisation_id, row.pk, hooked.token_of(row)])
                _POINTED[vendor](served[vendor].twin, address)


def _point_stripe(twin: Any, address: str) -> None:
    for endpoint in twin.books.notices.endpoints.newest_first():
        endpoint.url = address


def _point_quickbooks(twin: Any, address: str) -> None:
    twin.outbox.subscribers.clear()
    twin.subscribe(address, _SECRETS[QUICKBOOKS])


def _point_hubspot(twin: Any, address: str) -> None:
    twin.subscribers.clear()
    twin.subscribe(address, _SECRETS[HUBSPOT], twin.private_app_id)


_POINTED = {STRIPE: _point_stripe, QUICKBOOKS: _point_quickbooks, HUBSPOT: _point_hubspot}


def _port(row: Connection) -> int:
    return urlsplit(str(row.settings.get("base_url", ""))).port or 0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
