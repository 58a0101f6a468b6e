"""Check on money: nothing received or announced, and not yet applied, could settle what would be demanded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from tieout.core.gate.facts import Facts, Item, Receipt
from tieout.core.gate.verdict import Check, passed, refused
from tieout.core.matching import numbers
from tieout.core.money import minor_text
from tieout.core.party import fold

#: Partial sums of the open items kept while asking whether some of them make up a receipt; beyond it, it cannot be ruled out.
MAX_SUMS = 20_000


def no_money_on_its_way(facts: Facts) -> Check:
    """No receipt of this customer, and none of an unknown payer that fits by amount, sum, text or name."""
    announced = [item for item in facts.items if item.on_the_way_minor is None or item.on_the_way_minor > 0]
    if announced:
        return refused("money", _announced(announced[0]), "the money arrives, or its announcement ends")
    if facts.receipts is None:
        return refused("money", "money not yet applied is not known", "the cash inbox is read")
    known: numbers.Known[str] = numbers.Known()
    for item in facts.items:
        known.add(item.number, item.number)
    names = [f" {name} " for name in map(_folded, facts.customer_names) if name]
    for receipt in sorted(facts.receipts, key=lambda r: r.payment_id):
        why = _could_settle(receipt, facts, known, names)
        if why:
            sum_text = f"{minor_text(receipt.minor, receipt.currency)} {receipt.currency}"
            state = receipt.state.replace("_", " ")
            return refused("money", f"receipt {receipt.payment_id} of {sum_text} ({state}) {why}", "the receipt is applied or set aside")
    return passed("money", f"none of {len(facts.receipts)} receipt(s) not yet applied could settle an item")


def _announced(item: Item) -> str:
    if item.on_the_way_minor is None:
        return f"whether money for {item.number} is on its way is not known"
    return f"{minor_text(item.on_the_way_minor, item.currency)} {item.currency} for {item.number} is on its way"


@lru_cache(maxsize=65536)
def _folded(text: str) -> str:
    # A batch of messages is asked about the same open money: each text is folded once.
    return fold(text)


def _could_settle(receipt: Receipt, facts: Facts, known: numbers.Known[str], names: Sequence[str]) -> str | None:
    if receipt.minor <= 0:
        return None
    if receipt.customer_id == facts.customer_id:
        return "is from this customer"
    if receipt.customer_id is not None:
        return None
    found = known.mentions(receipt.text)
    if found:
        return f"names {known.bearers(found[0].key)[0]}"
    if _carries_name(receipt, names):
        return "carries this customer's name"
    return _amount_fits(receipt, facts)


def _carries_name(receipt: Receipt, names: Sequence[str]) -> bool:
    said = [f" {_folded(text)} " for text in (receipt.payer_name or "", receipt.text)]
    return any(name in text for name in names for text in said)


def _amount_fits(receipt: Receipt, facts: Facts) -> str | None:
    # An item may be settled whole, or by the part demanded where the rest is disputed.
    ways = [{item.open_minor, item.demanded_minor} - {None, 0} for item in facts.items if item.currency == receipt.currency]
    if any(receipt.minor in way for way in ways):
        return "is exactly one of the items"
    sums = {0}
    for way in ways:
        sums |= {total + amount for total in sums for amount in way if amount and total + amount <= receipt.minor}
        if len(sums) > MAX_SUMS:
            return "may be some of the many items together"
    return "is exactly some of the items together" if receipt.minor in sums else None
