"""QuickBooks Online: customers, invoices, credit memos, payments and what they pay, refunds and deposits, in both directions.

History is read in the order of ids; from then on change data capture says what changed and what was deleted, and webhooks say sooner.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tieout.adapters.connectors.quickbooks import changes, choosing, client, debtors, door, marks, reading, translate, write
from tieout.adapters.ports.choices import Choice
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

ADDRESS = "https://quickbooks.api.intuit.com"


class _QuickBooks:
    folder = Path(__file__).parent
    questions = choosing.QUESTIONS
    manifest = Manifest(
        name="quickbooks",
        title="QuickBooks Online",
        about="Invoices, credit memos, payments and deposits of a company in QuickBooks Online.",
        role="accounting",
        auth="oauth2",
        api_version=f"3, minor version {client.MINOR_VERSION}",
        fields=(
            # Renewing a token needs the id as much as the secret, and reads both from where secrets are kept.
            SettingField(name="client_id", label="Client ID of the app", secret=True),
            SettingField(name="client_secret", label="Client secret of the app", secret=True),
            SettingField(name="webhook_secret", label="Verifier token of the app's webhooks, if there are any", secret=True),
            SettingField(name="base_url", label="Address of the API", default=ADDRESS),
            SettingField(name="oauth_url", label="Address of consent and tokens, where it is not Intuit's own"),
            SettingField(name="currency", label="Home currency, for amounts that name none (ISO code)"),
            SettingField(name="item", label="Id of the item that lines go to which are not listed under others"),
            SettingField(name="items", label="Ids of other items (our name = their id; …)"),
            SettingField(name="tax_code", label="Tax code of lines that are taxed (TAX in the US)"),
            SettingField(name="tax_codes", label="Other tax codes (our name = their code; …)"),
            SettingField(name="tax_rate_code", label="Tax code of the whole document, where there is one (US)"),
            SettingField(name="no_tax_code", label="Tax code of lines that are not taxed (NON in the US)", default="NON"),
            SettingField(name="deposit_account", label="Id of the account payments go to, if not to undeposited funds"),
            SettingField(name="bank_account", label="Id of the bank account of payouts and refunds"),
            SettingField(name="refund_account", label="Id of the account for refunds a gateway withholds (Undeposited Funds)"),
            SettingField(name="adjustment_account", label="Id of the account for disputes and other adjustments in payouts"),
            SettingField(name="fee_account", label="Id of the account for the fees of payouts"),
        ),
        streams=(
            Stream(name=client.CUSTOMERS, title="Customers", kinds=("customer",)),
            Stream(name=client.INVOICES, title="Invoices", kinds=("invoice",)),
            Stream(name=client.CREDIT_MEMOS, title="Credit memos", kinds=("credit_note",)),
            Stream(name=client.PAYMENTS, title="Payments and what they pay", kinds=("payment", "application")),
            Stream(name=client.REFUNDS, title="Refund receipts", kinds=("refund",)),
            Stream(name=client.DEPOSITS, title="Deposits", kinds=("payout",)),
        ),
        abilities=Abilities(
            incremental="cdc", lookback_days=30, deletes="cdc", max_page=client.PAGE, idempotency="query", optimistic_lock=True,
            webhook="signed_body", money="decimal_number", time="offset", partial_payments=True, credit_links=True, writes=write.ACTS,
            changes=tuple(debtors.CHANGES),
            rate=Rate(per_second=8, per_minute=500, concurrent=5, pause_seconds=60),
        ),
        # Three hosts for one thing: the paths are whole addresses, and `oauth_url` puts a stand-in before all of them.
        oauth=OAuth(
            base="oauth_url", authorize="https://appcenter.intuit.com/connect/oauth2",
            token="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",  # noqa: S106 - an address
            revoke="https://developer.api.intuit.com/v2/oauth2/tokens/revoke", scopes=("com.intuit.quickbooks.accounting",), returned=("realmId",),
        ),
        tested=(
            Tried(what="reading and writing", against="twin"),
            Tried(what="what we write and the twin's answers", against="description"),
            Tried(what="the twin", against="sdk"),
            Tried(what="signatures of webhooks", against="vectors"),
        ),
    )  # fmt: skip

    def authorise(self, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secrets.get('access_token', '')}", "Accept": "application/json"}

    def base_url(self, settings: Mapping[str, Any]) -> str:
        return str(settings.get("base_url") or ADDRESS)

    def account(self, http: Http, settings: Mapping[str, Any]) -> Account:
        return client.account(http, settings)

    def start(self, http: Http, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        return changes.start(http, settings)

    def page(self, http: Http, settings: Mapping[str, Any], *, stream: str, cursor: Mapping[str, Any]) -> Page:
        return reading.page(http, settings, stream=stream, cursor=cursor)

    def changes(self, http: Http, settings: Mapping[str, Any], *, cursor: Mapping[str, Any]) -> Change:
        return changes.changes(http, settings, cursor=cursor)

    def reread(self, http: Http, settings: Mapping[str, Any], *, refs: Iterable[Ref]) -> tuple[Raw, ...]:
        return tuple(reading.again(http, settings, refs=refs))

    def delivery(self, *, headers: Mapping[str, str], body: bytes, url: str, secrets: tuple[str, ...], now: dt.datetime) -> str:
        return door.delivery(headers=headers, body=body, secrets=secrets)

    def hints(self, *, body: bytes, settings: Mapping[str, Any]) -> tuple[Ref, ...]:
        return door.hints(body, settings)

    def translate(self, raw: Raw, settings: Mapping[str, Any]) -> tuple[Record, ...]:
        return translate.records(raw, settings)

    def write(self, http: Http, settings: Mapping[str, Any], command: Command) -> Receipt:
        return write.run(http, settings, command)

    def find(self, http: Http, settings: Mapping[str, Any], command: Command) -> Receipt | None:
        return write.find(http, settings, command)

    def owner(self, raw: Raw) -> str:
        return marks.key_of(raw)

    def choices(self, http: Http, settings: Mapping[str, Any], what: str) -> tuple[Choice, ...]:
        return choosing.choices(http, settings, what)

    def request(self, settings: Mapping[str, Any], command: Command) -> Mapping[str, Any]:
        return choosing.request(settings, command)


CONNECTOR: Connector = _QuickBooks()
