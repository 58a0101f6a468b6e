"""Checks on the claim itself: every item still open for what the text says, nothing contested demanded, no untrue word."""

from __future__ import annotations

from tieout.core.gate.facts import Facts, Item
from tieout.core.gate.verdict import Check, passed, refused
from tieout.core.money import minor_text


def balance_is_open(facts: Facts) -> Check:
    """Every item is open on the latest facts, the text states exactly what is open, and credits do not outweigh the demand."""
    if not facts.items:
        return refused("balance", "the message names no open item", "the message is drafted again")
    wrong = [sentence for item in facts.items if (sentence := _not_open(item))]
    if wrong:
        return refused("balance", "; ".join(wrong), "the message is drafted again from the latest balance")
    if facts.credits is None:
        return refused("balance", "the customer's credits are not known", "credits are read")
    covered = _outweighed(facts)
    if covered:
        return refused("balance", covered, "the credit is applied, or the demand is drafted again")
    return passed("balance", f"{len(facts.items)} item(s) open for exactly what the text states")


def _not_open(item: Item) -> str | None:
    if item.status != "open":
        return f"{item.number} is {item.status.replace('_', ' ')}, not open"
    if item.open_minor is None or item.stated_open_minor is None:
        return f"what is open on {item.number} is not known"
    if item.open_minor <= 0:
        return f"{item.number} is no longer open"
    if item.open_minor != item.stated_open_minor:
        now, stated = minor_text(item.open_minor, item.currency), minor_text(item.stated_open_minor, item.currency)
        return f"{item.number} has {now} {item.currency} open, the text says {stated}"
    return None


def _outweighed(facts: Facts) -> str | None:
    demanded: dict[str, int] = {}
    for item in facts.items:
        demanded[item.currency] = demanded.get(item.currency, 0) + (item.demanded_minor or 0)
    credits: dict[str, int] = {}
    for credit in facts.credits or ():
        # A negative credit would be a debt under another name; it never makes room for a demand.
        credits[credit.currency] = credits.get(credit.currency, 0) + max(credit.minor, 0)
    for currency, minor in sorted(demanded.items()):
        if credits.get(currency, 0) >= minor:
            return f"credits of {minor_text(credits.get(currency, 0), currency)} {currency} cover the {minor_text(minor, currency)} demanded"
    return None


def nothing_contested(facts: Facts) -> Check:
    """The part demanded leaves the disputed part out; the rest of a disputed item may be demanded."""
    wrong = [sentence for item in facts.items if (sentence := _contested(item))]
    if wrong:
        return refused("dispute", "; ".join(wrong), "the dispute is closed, or only the undisputed part is demanded")
    return passed("dispute", "nothing demanded is disputed")


def _contested(item: Item) -> str | None:
    if item.contested_minor is None:
        return f"whether {item.number} is disputed is not known"
    if item.demanded_minor is None:
        return f"how much of {item.number} is demanded is not known"
    if item.demanded_minor <= 0:
        return f"nothing of {item.number} is demanded"
    free = (item.open_minor or 0) - max(item.contested_minor, 0)
    if item.demanded_minor > free:
        demanded = minor_text(item.demanded_minor, item.currency)
        if item.contested_minor <= 0:
            return f"{demanded} {item.currency} is demanded of {item.number}, more than is open"
        return f"{demanded} {item.currency} is demanded of {item.number}, of which only {minor_text(max(free, 0), item.currency)} is undisputed"
    return None


def text_is_true(facts: Facts) -> Check:
    """Every fact the text declares is present and equals the ledger's."""
    if not facts.statements:
        return refused("text", "no fact of the text was compared with the ledger", "the message is drafted again with declared facts")
    wrong = []
    for statement in facts.statements:
        if statement.stated is None or statement.ledger is None:
            wrong.append(f"{statement.name} is missing")
        elif statement.stated != statement.ledger:
            wrong.append(f"{statement.name} reads {statement.stated!r}, the ledger has {statement.ledger!r}")
    if wrong:
        return refused("text", "; ".join(wrong), "the message is drafted again")
    return passed("text", f"{len(facts.statements)} facts equal the ledger's")
