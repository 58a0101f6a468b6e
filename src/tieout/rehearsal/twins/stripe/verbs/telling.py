"""The account itself, its events, and the doors its events go to."""

from __future__ import annotations

from typing import Any

import msgspec

from tieout.rehearsal.twins.stripe import access, forms, lists, notices, refusals
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.forms import Given
from tieout.rehearsal.twins.stripe.operations import Operation
from tieout.rehearsal.twins.stripe.shapes.balance import Endpoint
from tieout.rehearsal.twins.stripe.shapes.common import Listing, Tombstone
from tieout.rehearsal.twins.stripe.shapes.events import Event

_MOST_ENDPOINTS = 16
#: The events a door can ask for; Stripe has more.
TOPICS = (
    "charge.dispute.closed charge.dispute.created charge.dispute.funds_reinstated charge.dispute.funds_withdrawn charge.dispute.updated "
    "charge.failed charge.refunded charge.succeeded charge.updated credit_note.created credit_note.updated credit_note.voided "
    "customer.created customer.deleted customer.tax_id.created customer.tax_id.deleted customer.updated invoice.created invoice.deleted "
    "invoice.finalized invoice.marked_uncollectible invoice.overdue invoice.overpaid invoice.paid invoice.payment_failed "
    "invoice.payment_succeeded invoice.sent invoice.updated invoice.voided invoice_payment.paid invoiceitem.created invoiceitem.deleted "
    "payment_intent.canceled payment_intent.created payment_intent.payment_failed payment_intent.succeeded payout.created payout.failed "
    "payout.paid payout.reconciliation_completed payout.updated refund.created refund.failed refund.updated tax_rate.created tax_rate.updated"
).split()


def account(books: Books) -> dict[str, Any]:
    return {
        "id": books.account_id,
        "object": "account",
        "business_profile": {"mcc": None, "name": books.name, "support_email": None, "support_phone": None, "support_url": None, "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": books.country,
        "created": books.opened_at,
        "default_currency": books.currency,
        "details_submitted": True,
        "email": "accounts@twin.example",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_payments": dict.fromkeys(f"statement_descriptor_prefix{script}" for script in ("", "_kana", "_kanji")),
            "dashboard": {"display_name": books.name, "timezone": "Europe/Berlin"},
            "payments": dict.fromkeys(f"statement_descriptor{script}" for script in ("", "_kana", "_kanji")),
        },
        "type": "standard",
    }


def events(books: Books, given: Given) -> Listing:
    """Those of the last thirty days."""
    if given.get("type") and given.get("types"):
        raise refusals.exclusive("type", "types")
    wanted = [given["type"]] if given.get("type") else given.get("types") or []
    if len(wanted) > 20:
        raise refusals.invalid("types", "types names up to 20 kinds of event")
    delivered = given.get("delivery_success")

    def where(event: Event) -> bool:
        return (not wanted or notices.matches(event.type, wanted)) and (delivered is None or (event.pending_webhooks == 0) == delivered)

    horizon = books.notices.horizon()
    bounds = given.get("created") or {}
    kept = {**given, "created": {**bounds, "gte": max(bounds.get("gte", horizon), horizon)}}
    return lists.page(books.notices.events, kept, "/v1/events", where=where if wanted or delivered is not None else None)


def event(books: Books, *, event: str) -> Event:
    found = books.notices.events.get(event)
    if found.created < books.notices.horizon():
        raise refusals.no_such("event", event, param="id")
    return found


def open_endpoint(books: Books, given: Given) -> Endpoint:
    """A new door; the answer is the only one that tells its secret."""
    _check(given)
    if len(books.notices.endpoints) >= _MOST_ENDPOINTS:
        raise refusals.wrong_state(f"An account has up to {_MOST_ENDPOINTS} webhook endpoints")
    made, secret = books.notices.open(
        given["url"],
        given["enabled_events"],
        description=given.get("description"),
        metadata=forms.merged(None, given.get("metadata")),
        api_version=given.get("api_version"),
    )
    return msgspec.structs.replace(made, secret=secret)


def _check(given: Given) -> None:
    url = given.get("url")
    if url is not None and not url.startswith(("http://", "https://")):
        raise refusals.invalid("url", "Invalid URL: An explicit scheme (such as https) must be provided.", "url_invalid")
    for at, topic in enumerate(given.get("enabled_events") or []):
        if topic != "*" and topic not in TOPICS:
            raise refusals.invalid(f"enabled_events[{at}]", f"Invalid enabled_events[{at}]: {topic} is no event the stand-in sends")
    version = given.get("api_version")
    if version is not None and version not in access.VERSIONS:
        raise refusals.invalid("api_version", f"Invalid Stripe API version: {version}")


def endpoint(books: Books, *, endpoint: str) -> Endpoint:
    return books.notices.endpoints.get(endpoint, param="webhook_endpoint")


def update_endpoint(books: Books, given: Given, *, endpoint: str) -> Endpoint:
    found = books.notices.endpoints.get(endpoint, param="webhook_endpoint")
    _check(given)
    found.url = given.get("url") or found.url
    found.enabled_events = given.get("enabled_events") or found.enabled_events
    found.description = given.get("description", found.description)
    if "disabled" in given:
        found.status = "disabled" if given["disabled"] else "enabled"
    found.metadata = forms.merged(found.metadata, given.get("metadata", {}))
    return found


def close_endpoint(books: Books, *, endpoint: str) -> Tombstone:
    books.notices.endpoints.get(endpoint, param="webhook_endpoint")
    books.notices.endpoints.remove(endpoint)
    return Tombstone(id=endpoint, object="webhook_endpoint")


def endpoints(books: Books, given: Given) -> Listing:
    return lists.page(books.notices.endpoints, given, "/v1/webhook_endpoints")


_CHANGES: forms.Takes = {
    "description": forms.text,
    "enabled_events": forms.list_of(forms.text),
    "metadata": forms.metadata,
    "url": forms.text,
}
_FILTERS: forms.Takes = {**lists.DATED, "type": forms.text, "types": forms.list_of(forms.text), "delivery_success": forms.boolean}
_NEW: forms.Takes = {**_CHANGES, "api_version": forms.text, "connect": forms.boolean}
OPERATIONS = (
    Operation("GET", "/v1/account", account),
    Operation("GET", "/v1/events", events, _FILTERS),
    Operation("GET", "/v1/events/<event>", event),
    Operation("POST", "/v1/webhook_endpoints", open_endpoint, _NEW, ("enabled_events", "url")),
    Operation("GET", "/v1/webhook_endpoints", endpoints, lists.PAGING),
    Operation("GET", "/v1/webhook_endpoints/<endpoint>", endpoint),
    Operation("POST", "/v1/webhook_endpoints/<endpoint>", update_endpoint, {**_CHANGES, "disabled": forms.boolean}),
    Operation("DELETE", "/v1/webhook_endpoints/<endpoint>", close_endpoint),
)
