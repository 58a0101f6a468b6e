"""How figures are written: amounts with all decimals and a quiet currency, days, ages, states as dot, word and tint."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from lucide import _render_icon

from tieout.core.money import Money, MoneyError, minor_text

register = template.Library()

#: State → (word, tint). A state nobody listed is shown as it is, muted.
STATES: dict[str, tuple[str, str]] = {
    # documents
    "open": ("Open", "calm"), "unpaid": ("Open", "calm"), "due": ("Due", "good"), "overdue": ("Overdue", "bad"), "paid": ("Paid", "good"),
    "partially_paid": ("Part paid", "calm"), "overpaid": ("Overpaid", "warn"), "written_off": ("Written off", "mute"), "void": ("Void", "mute"),
    "deleted": ("Deleted", "mute"), "draft": ("Draft", "mute"), "pending_approval": ("Pending approval", "mute"), "unknown": ("Unknown", "warn"),
    "used": ("Used up", "mute"), "available": ("Available", "calm"),
    # customers and conversations
    "disputed": ("Disputed", "warn"), "dispute": ("Dispute", "warn"), "promised": ("Promised", "calm"), "promise": ("Promise", "calm"),
    "held": ("Held", "mute"), "unreleased": ("Not released", "mute"), "reply_open": ("Reply waiting", "warn"), "opt_out": ("Opted out", "bad"),
    "in_transit": ("Says they paid", "calm"), "plan": ("Payment plan", "calm"), "legal": ("Legal", "bad"), "insolvency": ("Insolvency", "bad"),
    "manual": ("Held by hand", "mute"), "stale": ("Stale", "warn"), "kept": ("Kept", "good"), "broken": ("Broken", "bad"),
    "withdrawn": ("Withdrawn", "mute"), "upheld": ("Upheld", "good"), "rejected": ("Rejected", "mute"), "closed": ("Closed", "mute"),
    "automatic": ("Automatic", "mute"), "low": ("Low risk", "good"), "medium": ("Medium risk", "warn"), "high": ("High risk", "bad"),
    "new": ("New", "calm"),
    # money
    "pending": ("Pending", "mute"), "processing": ("Processing", "mute"), "succeeded": ("Received", "good"), "settled": ("Settled", "good"),
    "failed": ("Failed", "bad"), "cancelled": ("Cancelled", "mute"), "reversed": ("Reversed", "bad"), "unmatched": ("Unmatched", "warn"),
    "applied": ("Applied", "good"),
    # streams of connected systems
    "never_synced": ("Not read yet", "mute"), "backfilling": ("Reading its history", "calm"), "lagging": ("Lagging", "warn"),
    "rate_limited": ("Slowed down", "warn"), "needs_resync": ("To be read anew", "warn"), "resyncing": ("Being read anew", "calm"),
    "auth_broken": ("Access lost", "bad"), "disabled": ("Not there", "mute"), "pilot": ("Pilot", "calm"),
    # effects on connected systems
    "waiting": ("Waiting", "mute"), "claimed": ("Sending", "calm"), "person": ("Waits for a person", "warn"),
    # messages, tasks, sources
    "planned": ("Ready", "calm"), "sending": ("Being sent", "calm"), "sent": ("Sent", "good"), "bounced": ("Bounced", "bad"),
    "refused": ("Refused", "bad"), "send": ("Send", "good"), "task": ("Task", "calm"), "hold": ("Hold", "mute"), "none": ("Nothing to do", "mute"),
    "done": ("Done", "good"), "dropped": ("Dropped", "mute"), "running": ("Running", "calm"), "received": ("Received", "calm"),
    "ignored": ("Ignored", "mute"), "quarantined": ("Set aside", "warn"), "mended": ("Mended", "good"), "dismissed": ("Dismissed", "mute"),
    "superseded": ("Superseded", "mute"), "fresh": ("Fresh", "good"), "paused": ("Paused", "mute"), "live": ("Live", "good"),
    "shadow": ("Shadow", "calm"), "stopped": ("Stopped", "bad"), "frozen": ("Frozen", "warn"),
}

AGE_CLASS = {"current": "a0", "1-30": "a1", "31-60": "a2", "60+": "a3", "61-90": "a3", "90+": "a4", "no_due_date": "an"}


@register.filter
def amount(minor: int | None, currency: str) -> str:
    """`123450|amount:"EUR"` → `1,234.50`; an unknown currency shows its minor units and says so."""
    if minor is None:
        return "–"
    try:
        text = minor_text(int(minor), currency)
    except MoneyError:
        return f"{int(minor):,} minor units"
    whole, _, part = text.lstrip("-").partition(".")
    sign = "−" if text.startswith("-") else ""
    return f"{sign}{int(whole):,}" + (f".{part}" if part else "")


@register.filter
def money(value: Any, currency: str = "") -> SafeString:
    """An amount with its quiet currency code, from `Money` or from minor units with the code as argument."""
    if value is None:
        return format_html('<span class="faint">–</span>')
    if isinstance(value, Money):
        value, currency = value.minor, value.currency
    return format_html('<span class="amount">{}<span class="cur">{}</span></span>', amount(value, currency), currency)


@register.filter
def count(value: int | None) -> str:
    """A whole number with thousands marks."""
    return "–" if value is None else f"{value:,}"


@register.filter
def day(value: dt.date | None) -> str:
    """`12 Jun 2026`; a missing date is said to be missing."""
    return "no date" if value is None else f"{value.day} {value:%b %Y}"


@register.filter
def moment(value: dt.datetime | None) -> str:
    """`12 Jun 2026, 09:14` in the organisation's zone."""
    if value is None:
        return "never"
    local = timezone.localtime(value)
    return f"{local.day} {local:%b %Y, %H:%M}"


@register.filter
def clock(value: dt.datetime | None) -> str:
    """`09:14:05` in the organisation's zone, for what happened a moment ago."""
    return f"{timezone.localtime(value):%H:%M:%S}" if value is not None else ""


@register.filter
def isodate(value: dt.date | None) -> str:
    """For date fields of forms."""
    return value.isoformat() if value else ""


@register.filter
def late(due: dt.date | None, today: dt.date) -> str:
    """`41 d` past due, `in 5 d` before it, `today`."""
    if due is None:
        return "–"
    past = (today - due).days
    return f"{past} d" if past > 0 else "today" if past == 0 else f"in {-past} d"


@register.filter
def age_class(bucket: str) -> str:
    """The colour of an aging bucket on the ramp from calm to hot."""
    return AGE_CLASS.get(bucket, "an")


@register.filter
def title_of(word: str) -> str:
    """`credit_note` → `Credit note`."""
    words = str(word).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


@register.simple_tag
def state(name: str, word: str = "") -> SafeString:
    """A state as dot, word and tint; `word` replaces the usual one."""
    known, tint = STATES.get(str(name), (title_of(str(name)), "mute"))
    return format_html('<span class="tag {}">{}</span>', tint, word or known)


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """A line icon that carries no meaning of its own: hidden from screen readers."""
    return _drawn(name, size)


@lru_cache(maxsize=512)
def _drawn(name: str, size: int) -> SafeString:
    # Kept, since a list draws the same few on every row, and drawing one reads XML.
    return mark_safe(_render_icon(name, size, aria_hidden="true", focusable="false"))  # noqa: S308 - drawn by us from a fixed set


@register.simple_tag
def drawing(svg: str) -> SafeString:
    """A chart drawn on the server; its texts were escaped when it was drawn."""
    return mark_safe(svg)  # noqa: S308


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping|get:key`; None where it is missing."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.simple_tag(takes_context=True)
def address(context: dict[str, Any], **changes: Any) -> str:
    """The page's own address with some of its filters changed; None takes one away. Paging starts over."""
    query = context["request"].GET.copy()
    for gone in ("after", "before"):
        query.pop(gone, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    text = query.urlencode()
    return "?" + text


@register.filter
def add_text(prefix: str, value: Any) -> str:
    """`"contact-"|add_text:7` → `contact-7`: ids of parts that repeat."""
    return f"{prefix}{value}"


@register.filter
def tenths(value: int | None) -> str:
    """Days kept in tenths: `412|tenths` → `41.2`; a missing figure stays missing."""
    return "–" if value is None else f"{value / 10:.1f}"
