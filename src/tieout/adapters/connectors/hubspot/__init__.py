"""HubSpot: companies and their people in, deals in; figures, notes and tasks out, in properties of our own.

Changes are followed by a search on when a record was last modified, deletions by its archive; webhooks say what to look at sooner.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tieout.adapters.connectors.hubspot import changes, client, company, door, fields, reading, remarks, translate, write
from tieout.adapters.ports.connector import (
    Abilities,
    Account,
    Change,
    Command,
    Connector,
    Manifest,
    OAuth,
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

ADDRESS = "https://api.hubapi.com"
#: What an app of the user's own is let into: what is read, and what figures, notes and tasks are written to (the README says why).
SCOPES = (
    "oauth", "crm.objects.companies.read", "crm.objects.companies.write", "crm.schemas.companies.read", "crm.schemas.companies.write",
    "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read", "crm.schemas.contacts.write",
    "crm.objects.deals.read",
)  # fmt: skip


class _HubSpot:
    folder = Path(__file__).parent
    manifest = Manifest(
        name="hubspot",
        title="HubSpot",
        about="Companies, contacts and deals of a HubSpot account; balances, documents, notes and tasks go back to its companies.",
        role="crm",
        auth="api_key",
        api_version=client.API_VERSION,
        fields=(
            SettingField(name="access_token", label="Access token of a private app (pat-…)", secret=True),
            SettingField(name="client_id", label="Or: client ID of an app of yours", secret=True),
            SettingField(name="client_secret", label="Client secret of that app", secret=True),
            SettingField(name="webhook_secret", label="Client secret of the app, which signs its webhooks, if there are any", secret=True),
            SettingField(name="app_id", label="Number of the app, by which our own changes are known"),
            SettingField(name="billing_label", label="Label of a company's contact who is written to about invoices", default=reading.LABEL),
            SettingField(name="base_url", label="Address of the API", default=ADDRESS),
            SettingField(name="oauth_url", label="Address of consent and tokens, where it is not HubSpot's own"),
        ),
        streams=(
            # One stream, though HubSpot has two lists: whoever owes is one kind of record here, and is missed in one reading.
            Stream(name="customers", title="Companies, and contacts without one", kinds=("customer",)),
            Stream(name="deals", title="Deals", kinds=("deal",)),
        ),
        abilities=Abilities(
            incremental="updated_since", lookback_days=None, deletes="archived_list", max_page=client.PAGE, idempotency="natural",
            optimistic_lock=False, webhook="signed_request", money="decimal_string", time="utc", partial_payments=False, credit_links=False,
            writes=write.ACTS, changes=company.CHANGES, rate=Rate(per_second=9, concurrent=4),
        ),
        # The token endpoint reads the app's id and secret from the form only, and knows no PKCE.
        oauth=OAuth(
            base="oauth_url", authorize="https://app.hubspot.com/oauth/authorize",
            token=f"{ADDRESS}/oauth/{client.API_VERSION}/token", revoke=f"{ADDRESS}/oauth/{client.API_VERSION}/token/revoke",
            scopes=SCOPES, pkce=False, secret_in="body",  # noqa: S106 - where it goes
        ),
        tested=(
            Tried(what="reading and writing", against="twin"),
            Tried(what="our requests and the twin's answers", against="description"),
            Tried(what="the twin", against="sdk"),
            Tried(what="signatures of webhooks", against="vectors"),
        ),
    )  # fmt: skip

    def authorise(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secrets.get('access_token', '')}"}

    def base_url(self, settings: Mapping[str, Any]) -> str:
        return str(settings.get("base_url") or ADDRESS)

    def account(self, http: Http, settings: Mapping[str, Any]) -> Account:
        return client.account(http)

    def start(self, http: Http, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        return changes.start(http)

    def page(self, http: Http, settings: Mapping[str, Any], *, stream: str, cursor: Mapping[str, Any]) -> Page:
        return reading.page(http, stream=stream, cursor=cursor, label=reading.label(settings))

    def changes(self, http: Http, settings: Mapping[str, Any], *, cursor: Mapping[str, Any]) -> Change:
        return changes.changes(http, cursor=cursor, now=http.now())

    def reread(self, http: Http, settings: Mapping[str, Any], *, refs: Iterable[Ref]) -> tuple[Raw, ...]:
        return tuple(reading.again(http, refs=refs, label=reading.label(settings)))

    def delivery(self, *, headers: Mapping[str, str], body: bytes, url: str, secrets: tuple[str, ...], now: dt.datetime) -> str:
        return door.delivery(headers=headers, body=body, url=url, secrets=secrets, now=now)

    def hints(self, *, body: bytes, settings: Mapping[str, Any]) -> tuple[Ref, ...]:
        return door.hints(body, settings)

    def translate(self, raw: Raw, settings: Mapping[str, Any]) -> tuple[Record, ...]:
        return translate.records(raw, settings)

    def write(self, http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
        return write.run(http, settings, command)

    def find(self, http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
        return write.find(http, settings, command)

    def owner(self, raw: Raw) -> str:
        if raw.stream in remarks.TEXT:
            return remarks.key_of(raw)
        company = client.inside(client.loosely(raw.body), "company")
        return str(client.inside(company, "properties").get(fields.KEY) or "")


CONNECTOR: Connector = _HubSpot()
