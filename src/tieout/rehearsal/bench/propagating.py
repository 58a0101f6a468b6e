"""`propagation`: from a change in Stripe until QuickBooks and HubSpot both show it, through `tieout web` and `tieout worker`.

Each organisation has all three connected, and a change every two seconds: an invoice raised or one paid, on one of its customers in turn. The
twins take 50 ms over each answer; the vendors' own limits are kept, and there are enough connections to stay below them.
"""

from __future__ import annotations

import contextlib
import logging
import statistics
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

from tieout.core.evidence import Actor
from tieout.flow import clock, connecting, hooked, queue, sync
from tieout.rehearsal.bench import place, serving
from tieout.rehearsal.bench.figures import Figure
from tieout.rehearsal.twins.hubspot import TWIN as HUBSPOT
from tieout.rehearsal.twins.quickbooks import TWIN as QUICKBOOKS
from tieout.rehearsal.twins.stripe import TWIN as STRIPE
from tieout.stages.base import found, walls
from tieout.stages.intake import system
from tieout.stages.intake.models import Connection
from tieout.stages.ledger import link
from tieout.stages.ledger.models import Customer, SourceRecord

_ACTOR = Actor("machine", "bench")
#: Organisations at most, each with so many changes a second, and how many customers of theirs take turns: none is met again soon.
_ORGANISATIONS, _EACH, _CUSTOMERS = 40, 0.5, 10
_LATENCY, _WORKERS, _POSTMEN = 0.05, 16, 4
_P95, _AIM = 2.0, 1.0
#: What QuickBooks lets one company be asked in a minute.
_QUICKBOOKS_A_MINUTE = 500
#: The promise is made for this many changes: five minutes of twenty a second.
_JUDGED = 6_000
#: What has not arrived so long after the last change never will.
_GIVE_UP = 90.0


class Change(msgspec.Struct):
    """A change on its way. `open_` is what both sides show of the invoice and of the customer once they know."""

    at: float
    customer: int
    number: str
    invoice: Decimal
    balance: str
    books: float = 0.0
    crm: float = 0.0


def run(size: int) -> Iterator[Figure]:
    """`size` changes."""
    organisations = max(1, min(_ORGANISATIONS, size // 10))
    with _answering(organisations) as offices, serving.web() as port:
        for office in offices:
            office.subscribe(port)
        place.checkpoint()
        with serving.worker(_WORKERS), _delivering(offices):
            _until_somebody_works()
            begun = time.monotonic()
            for number in range(size):
                office = offices[number % organisations]
                if (early := begun + number / (organisations * _EACH) - time.monotonic()) > 0:
                    time.sleep(early)
                office.change()
            took = time.monotonic() - begun
            until = time.monotonic() + _GIVE_UP
            while any(office.waiting for office in offices) and time.monotonic() < until:
                time.sleep(0.1)
    late = [change for office in offices for change in office.waiting]
    assert not late, f"{len(late)} of {size} changes were never told to all: {late[:3]}"
    done = [change for office in offices for change in office.done]
    assert len(done) == size
    yield from _told(size, done, organisations, size / took)
    asked = max(office.asked() for office in offices) * 60 / took
    name = "propagation: QuickBooks asked, a minute and company"
    yield Figure(name=name, size=size, value=asked, unit="requests", must=_QUICKBOOKS_A_MINUTE, better="less", against="its limit").judged(_JUDGED)


def _until_somebody_works() -> None:
    until = time.monotonic() + _GIVE_UP
    while not queue.state().workers:
        if time.monotonic() > until:
            raise RuntimeError("the worker did not come up")
        time.sleep(0.1)


def _told(size: int, done: list[Change], organisations: int, rate: float) -> Iterator[Figure]:
    both = [max(change.books, change.crm) - change.at for change in done]
    within = _share(both, 0.95)
    yield Figure(name="propagation: all others updated, p95", size=size, value=within, unit="s", must=_P95, aim=_AIM, better="less").judged(_JUDGED)
    yield Figure(name="propagation: all others updated, median", size=size, value=statistics.median(both), unit="s")
    yield Figure(name="propagation: QuickBooks, p95", size=size, value=_share([change.books - change.at for change in done], 0.95), unit="s")
    yield Figure(name="propagation: HubSpot, p95", size=size, value=_share([change.crm - change.at for change in done], 0.95), unit="s")
    yield Figure(name="propagation: changes a second", size=size, value=rate, unit="changes/s", against=f"{organisations} organisations")


def _share(seconds: list[float], part: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * part))]


class _Office:
    """One organisation, its three systems, and what is on its way between them."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.stripe, self.quickbooks, self.hubspot = STRIPE(), QUICKBOOKS(currency="EUR"), HUBSPOT()
        self.waiting: list[Change] = []
        self.done: list[Change] = []
        self._guard = threading.Lock()
        self._turn = 0
        self._unpaid: dict[int, Any] = {}
        self._calls = 0

    def mounted(self) -> dict[str, Any]:
        """The twins, each below a path of its own; what is written to two of them is looked at as soon as it stands."""
        return {f"/s{self.number}": self.stripe, f"/q{self.number}": self._heard(self.quickbooks), f"/h{self.number}": self._heard(self.hubspot)}

    def _heard(self, twin: Any) -> Any:
        def answer(environ: dict[str, Any], start_response: Any) -> Any:
            told = list(twin(environ, start_response))
            if environ["REQUEST_METHOD"] != "GET":
                self.look()
            return told

        return answer

    def open(self, url: str) -> None:
        """Connect the three, with customers that all of them know."""
        self.organisation: UUID = found.organisation(
            name=f"Bench {self.number}", country="DE", time_zone="Europe/Berlin", base_currency="EUR", language="en", sender_name="",
            sender_address="", now=clock.real_now(),
        )  # fmt: skip
        names = [f"Customer {self.number}-{one} GmbH" for one in range(_CUSTOMERS)]
        self.customers = [self.stripe.customer(name, email=f"ap@c{self.number}-{one}.example") for one, name in enumerate(names)]
        self.companies = [self.hubspot.company(name) for name in names]
        tokens = self.quickbooks.connect()
        self.gateway = self._connected("stripe", "live", api_key="sk_test_twin", base_url=f"{url}/s{self.number}")
        books = self._connected(
            "quickbooks", "pilot", client_id=self.quickbooks.permissions.client_id, client_secret=self.quickbooks.permissions.client_secret,
            access_token=tokens["access_token"], refresh_token=tokens["refresh_token"], realmId=self.quickbooks.company().realm,
            base_url=f"{url}/q{self.number}", oauth_url=f"{url}/q{self.number}", item="1", tax_code="TAX",
        )  # fmt: skip
        crm = self._connected("hubspot", "pilot", access_token="pat-twin", base_url=f"{url}/h{self.number}")  # noqa: S106 - the twin's
        for connection in (self.gateway, books, crm):
            told = sync.once(self.organisation, connection)
            assert told.stopped == "", told
        with walls.inside(self.organisation):
            for customer, company in zip(self.customers, self.companies, strict=True):
                ours = SourceRecord.objects.get(connection_id=self.gateway, kind="customer", external_id=customer.id).target_id
                record = SourceRecord.objects.get(connection_id=crm, kind="customer", external_id=company.id, retracted_at__isnull=True)
                if record.target_id != ours:
                    link.link(record=record, customer=Customer.objects.get(pk=ours), evidence="the benchmark", actor=_ACTOR, now=clock.now())
        for connection in (books, crm):
            connecting.go_live(self.organisation, connection, actor=_ACTOR)
        # Nothing of the beginning is left to be told at the doors.
        self.stripe._waiting.clear()

    def _connected(self, vendor: str, stage: str, **given: str) -> int:
        return connecting.open(self.organisation, vendor=vendor, name=vendor, given=given, stage=stage, actor=_ACTOR)[0]

    def subscribe(self, port: int) -> None:
        """Have Stripe tell our door what happens."""
        with walls.inside(self.organisation):
            row = Connection.objects.get(pk=self.gateway)
            token = hooked.token_of(row)
            endpoint = self.stripe.endpoint(f"http://127.0.0.1:{port}/hooks/{self.organisation}/{self.gateway}/{token}/")
            system.replace_secrets(
                connection=row, secrets={hooked.SECRET: endpoint.secret}, account=row.account, actor=_ACTOR, now=clock.now()
            )
        hooked.forget()
        for twin in (self.stripe, self.quickbooks, self.hubspot):
            twin.latency_seconds = _LATENCY
        self._calls = len(self.quickbooks.log)

    def asked(self) -> int:
        """How often QuickBooks was asked since the subscription."""
        return len(self.quickbooks.log) - self._calls

    def change(self) -> None:
        """The next customer's turn: an invoice is raised, or the one raised before is paid."""
        one = self._turn % _CUSTOMERS
        self._turn += 1
        customer = self.customers[one]
        with self.stripe.lock:
            unpaid = self._unpaid.pop(one, None)
            if unpaid is None:
                invoice = self._unpaid[one] = self.stripe.invoice(customer, 12_000)
                told = Change(time.monotonic(), one, invoice.number, Decimal(120), "120.00")
            else:
                self.stripe.pay(unpaid)
                told = Change(time.monotonic(), one, unpaid.number, Decimal(0), "0.00")
            with self._guard:
                self.waiting.append(told)

    def look(self) -> None:
        """Note what has arrived."""
        now = time.monotonic()
        with self._guard:
            if not self.waiting:
                return
            with self.quickbooks.lock:
                balances = {one.body.get("DocNumber"): one.body["Balance"] for one in self.quickbooks.company().records["Invoice"].values()}
            first: set[int] = set()
            for change in self.waiting:
                if change.customer in first:
                    continue  # What comes after is not looked for before what was before it.
                first.add(change.customer)
                if not change.books and balances.get(change.number) == change.invoice:
                    change.books = now
                if not change.crm and self.companies[change.customer].properties.get("tieout_balance") == change.balance:
                    change.crm = now
            self.done += [change for change in self.waiting if change.books and change.crm]
            self.waiting = [change for change in self.waiting if not (change.books and change.crm)]


@contextlib.contextmanager
def _answering(organisations: int) -> Iterator[list[_Office]]:
    """The offices, their twins all behind one port of this process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    offices = [_Office(number) for number in range(organisations)]
    mounts = {path: twin for office in offices for path, twin in office.mounted().items()}
    server = make_server("127.0.0.1", 0, DispatcherMiddleware(NotFound(), mounts), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        for office in offices:
            office.open(f"http://127.0.0.1:{server.server_port}")
        yield offices
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def _delivering(offices: list[_Office]) -> Iterator[None]:
    """Stripe's events go to the door as they come, from several hands."""
    ended = threading.Event()

    def deliver(some: list[_Office]) -> None:
        while not ended.is_set():
            for office in some:
                office.stripe.deliver(everything=False)
            time.sleep(0.01)

    threads = [threading.Thread(target=deliver, args=(offices[one::_POSTMEN],)) for one in range(_POSTMEN)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
