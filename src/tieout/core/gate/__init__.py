"""The right to chase (promises P1 and P9): no demand leaves unless every check passes on facts read in the claim.

`ask(facts, rules)` is pure; it is asked once when planning and once more inside the send transaction, and the second
answer binds. What is not known counts against sending.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

import msgspec

from tieout.core.gate.cash import no_money_on_its_way
from tieout.core.gate.claims import balance_is_open, nothing_contested, text_is_true
from tieout.core.gate.dialogue import no_hold, no_open_promise, no_open_reply
from tieout.core.gate.facts import Address, Credit, Facts, Hold, Item, Promise, Receipt, Reply, SendingMode, Source, Statement, Touch
from tieout.core.gate.recipient import address_is_good, debtor_is_business, hours_are_open, next_open_everywhere, within_budget
from tieout.core.gate.system import sending_is_live, sources_are_fresh
from tieout.core.gate.verdict import CERTIFICATE_SECONDS, Check, Rules, Verdict

__all__ = [
    "CERTIFICATE_SECONDS",
    "OF_THE_BOOKS",
    "OF_THE_RULES",
    "Address",
    "Check",
    "Credit",
    "Facts",
    "Hold",
    "Item",
    "Promise",
    "Receipt",
    "Reply",
    "Rules",
    "SendingMode",
    "Source",
    "Statement",
    "Touch",
    "Verdict",
    "ask",
    "fingerprint",
]

#: Questions to our own books, in the order a person would ask them.
OF_THE_BOOKS: tuple[Callable[[Facts], Check], ...] = (
    sending_is_live,
    sources_are_fresh,
    balance_is_open,
    nothing_contested,
    no_money_on_its_way,
    no_open_reply,
    no_hold,
    address_is_good,
    text_is_true,
)
#: Questions to the contact rules in force.
OF_THE_RULES: tuple[Callable[[Facts, Rules], Check], ...] = (
    no_open_promise,
    debtor_is_business,
    hours_are_open,
    within_budget,
)


def ask(facts: Facts, rules: Rules) -> Verdict:
    """Judge one message. A Verdict with `allowed` is the certificate to store beside it."""
    # All are asked each time, so that a held message shows every reason at once.
    checks = (*(check(facts) for check in OF_THE_BOOKS), *(check(facts, rules) for check in OF_THE_RULES))
    allowed = all(check.passed for check in checks)
    return Verdict(
        allowed=allowed,
        checks=checks,
        rules_version=f"{rules.version} of {rules.as_of.isoformat()}",
        inputs_hash=fingerprint(facts),
        asked_at=facts.asked_at,
        expires_at=facts.asked_at + dt.timedelta(seconds=CERTIFICATE_SECONDS) if allowed else None,
        next_allowed_at=None if allowed else _released_by_time(facts, rules, checks),
    )


def fingerprint(facts: Facts) -> str:
    """SHA-256 of the facts as canonical JSON: the same facts give the same certificate, however often asked."""
    return hashlib.sha256(msgspec.json.encode(facts, order="deterministic")).hexdigest()


def _released_by_time(facts: Facts, rules: Rules, checks: tuple[Check, ...]) -> dt.datetime | None:
    waits = [check.until for check in checks if not check.passed]
    known = [moment for moment in waits if moment is not None]
    if not known or len(known) < len(waits):
        return None
    return next_open_everywhere(max(known), facts, rules)
