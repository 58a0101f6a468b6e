"""Stripe: customers, invoices with lines, payments, credit notes, refunds, disputes and payouts, in both directions.

Stripe knows no "changed since": history is read list by list, and from then on its events say what to look at again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tieout.adapters.connectors.stripe import client, door, translate, write
from tieout.adapters.ports.choices import Choice
from tieout.adapters.ports.connector import (
    Abilities,
    Account,
    Change,
    Command,
    Connector,
    Manifest,
    Page,
    Rate,
    Raw,
    Receipt,
    Ref,
    SettingField,
    Stream,
    Tried,
)
from tieout.adapters.ports.http import Http
from tieout.core.documents import Record

API_VERSION = "2026-08-26.dahlia"


class _Stripe:
    folder = Path(__file__).parent
    manifest = Manifest(
        name="stripe",
        title="Stripe",
        about="Invoices and payments of a Stripe account, with credit notes, refunds, disputes and payouts.",
        role="gateway",
        auth="api_key",
        api_version=API_VERSION,
        fields=(
            SettingField(name="api_key", label="Secret or restricted key (sk_… or rk_…)", secret=True),
            SettingField(name="webhook_secret", label="Signing secret of the webhook (whsec_…), if there is one", secret=True),
            SettingField(name="base_url", label="Address of the API", default="https://api.stripe.com"),
        ),
        streams=(
            Stream(name="customers", title="Customers", kinds=("customer",)),
            Stream(name="invoices", title="Invoices", kinds=("invoice",)),
            Stream(name="credit_notes", title="Credit notes", kinds=("credit_note", "application")),
            Stream(name="payments", title="Payments", kinds=("payment",)),
            Stream(name="invoice_payments", title="What payments paid", kinds=("application",)),
            Stream(name="refunds", title="Refunds", kinds=("refund",)),
            Stream(name="disputes", title="Disputes", kinds=("dispute",)),
            Stream(name="payouts", title="Payouts", kinds=("payout",)),
        ),
        abilities=Abilities(
            incremental="events", lookback_days=30, deletes="events", max_page=client.PAGE, idempotency="header", optimistic_lock=False,
            webhook="signed_body", money="minor", time="utc", partial_payments=True, credit_links=True, writes=write.ACTS,
            changes=write.CHANGES,
            rate=Rate(per_second=25, concurrent=8),
        ),
        tested=(
            Tried(what="reading and writing", against="twin"),
            Tried(what="the twin's answers", against="description"),
            Tried(what="the twin", against="sdk"),
            Tried(what="reading", against="fake"),
            Tried(what="signatures of webhooks", against="vectors"),
        ),
    )  # fmt: skip

    def authorise(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secrets['api_key']}", "Stripe-Version": API_VERSION}

    def base_url(self, settings: Mapping[str, Any]) -> str:
        return str(settings.get("base_url") or "https://api.stripe.com")

    def account(self, http: Http, settings: Mapping[str, Any]) -> Account:
        return client.account(http)

    def start(self, http: Http, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        return client.start(http)

    def page(self, http: Http, settings: Mapping[str, Any], *, stream: str, cursor: Mapping[str, Any]) -> Page:
        return client.page(http, stream=stream, cursor=cursor)

    def changes(self, http: Http, settings: Mapping[str, Any], *, cursor: Mapping[str, Any]) -> Change:
        return client.changes(http, cursor=cursor, now=http.now())

    def reread(self, http: Http, settings: Mapping[str, Any], *, refs: Iterable[Ref]) -> tuple[Raw, ...]:
        return tuple(client.reread(http, refs=refs))

    def delivery(self, *, headers: Mapping[str, str], body: bytes, url: str, secrets: tuple[str, ...], now: dt.datetime) -> str:
        return door.delivery(headers=headers, body=body, secrets=secrets, now=now)

    def hints(self, *, body: bytes, settings: Mapping[str, Any]) -> tuple[Ref, ...]:
        return door.hints(body)

    def translate(self, raw: Raw, settings: Mapping[str, Any]) -> tuple[Record, ...]:
        return translate.records(raw, settings)

    def write(self, http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
        return write.run(http, command)

    def find(self, http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
        # Asking again with the same key answers with what was done the first time.
        return write.run(http, command)

    def owner(self, raw: Raw) -> str:
        metadata = msgspec.json.decode(raw.body, type=dict[str, Any]).get("metadata") or {}
        return str(metadata.get(write.KEY, ""))

    def choices(self, http: Http, settings: Mapping[str, Any], what: str) -> tuple[Choice, ...]:
        return client.tax_rates(http) if what == "tax_codes" else ()


CONNECTOR: Connector = _Stripe()
