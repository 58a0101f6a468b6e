"""What a payment names, and whether that is the only way to read it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import msgspec

from tieout.core.matching.book import Document, OpenPayment
from tieout.core.matching.index import Index

#: Named documents beyond which other combinations of them are not counted any more, where credit notes make some possible.
COUNTED_ITEMS = 12


class Naming(msgspec.Struct, frozen=True, gc=False):
    """The documents a payment names. `open` in its own currency, `closed` ones, `foreign` ones in another currency;
    `unclear` holds, for each number that several documents bear, those documents; `weak` what a bare short number may mean."""

    open: tuple[Document, ...] = ()
    closed: tuple[Document, ...] = ()
    foreign: tuple[Document, ...] = ()
    unclear: tuple[tuple[Document, ...], ...] = ()
    weak: tuple[Document, ...] = ()

    @property
    def all(self) -> tuple[Document, ...]:
        """Every document named for sure or perhaps, `weak` ones aside."""
        return (*self.open, *self.closed, *self.foreign, *(d for group in self.unclear for d in group))


def naming(payment: OpenPayment, index: Index) -> Naming:
    """What the payment's texts and its source name, each document once."""
    groups: dict[tuple[str, ...], list[Document]] = {}
    weak: dict[str, Document] = {}
    if payment.stated_number:
        _gather(groups, index.numbers.whole(payment.stated_number))
    for text in payment.texts:
        whole = index.numbers.whole(text)
        _gather(groups, whole)
        if not whole:
            _gather_places(groups, weak, text, index)
    if not groups and not weak:
        return _NOTHING
    single = {group[0].document_id: group[0] for group in groups.values() if len(group) == 1}.values()
    return Naming(
        open=tuple([d for d in single if d.open_minor > 0 and d.currency == payment.currency]),
        closed=tuple([d for d in single if d.open_minor <= 0]),
        foreign=tuple([d for d in single if d.open_minor > 0 and d.currency != payment.currency]),
        unclear=tuple([tuple(group) for group in groups.values() if len(group) > 1]),
        weak=tuple([weak[key] for key in sorted(weak)]),
    )


_NOTHING = Naming()


def _gather_places(groups: dict[tuple[str, ...], list[Document]], weak: dict[str, Document], text: str, index: Index) -> None:
    """Add what each place in a text names; a place two keys fit counts once, with the bearers of both."""
    places: dict[int, list[Document]] = {}
    for mention in index.numbers.mentions(text):
        bearers = index.numbers.bearers(mention.key)
        if mention.weak:
            weak.update((d.document_id, d) for d in bearers)
        else:
            places[mention.start] = [*places.get(mention.start, ()), *bearers]
    for bearers in places.values():
        _gather(groups, bearers)


def _gather(groups: dict[tuple[str, ...], list[Document]], bearers: Sequence[Document]) -> None:
    """Add the bearers of one number. Several of them, closed ones included, stay together: which is meant is not known."""
    if len(bearers) == 1:
        groups.setdefault((bearers[0].document_id,), list(bearers))
    elif bearers:
        distinct = {d.document_id: d for d in bearers}
        ids = tuple(sorted(distinct))
        groups.setdefault(ids, [distinct[i] for i in ids])


def other_reading(payment: OpenPayment, found: Naming, index: Index, named_by: Mapping[str, set[str]]) -> str | None:
    """Why the named documents are not the only reading of this payment, in a sentence; None where they are."""
    if found.unclear:
        numbers = " and ".join(sorted({d.document_id for d in found.unclear[0]}))
        return f"number {found.unclear[0][0].number} is borne by {numbers}"
    if found.foreign:
        return f"{found.foreign[0].number} is in {found.foreign[0].currency}, the payment in {payment.currency}"
    paid_twice = next((d for d in found.closed if d.amount_minor == payment.minor and d.currency == payment.currency), None)
    if paid_twice:
        return f"{paid_twice.number} is already paid and had the same amount"
    for document in found.open:
        others = sorted(named_by.get(document.document_id, set()) - {payment.payment_id})
        if others:
            return f"payment {others[0]} names {document.number} as well"
    return _contradiction(payment, found.open, index) or _other_combination(payment.minor, found.open)


def _contradiction(payment: OpenPayment, documents: Sequence[Document], index: Index) -> str | None:
    if not index.one_family(d.customer_id for d in documents):
        return f"the documents named are of unrelated customers ({', '.join(sorted({d.customer_id for d in documents}))})"
    for evidence, customers in index.payers(payment):
        stranger = next((d for d in documents if not index.related(d.customer_id, customers)), None)
        if stranger:
            return f"{evidence}, which is {', '.join(sorted(customers))}, but {stranger.number} is of {stranger.customer_id}"
    return None


def _other_combination(minor: int, documents: Sequence[Document]) -> str | None:
    """Another selection of the named documents with the same sum; only credit notes make one possible."""
    if len(documents) < 2 or all(d.kind == "invoice" for d in documents):
        return None
    if len(documents) > COUNTED_ITEMS:
        return "too many documents are named beside credit notes to rule out another combination"
    for size in range(1, len(documents)):
        for some in itertools.combinations(documents, size):
            if sum(d.signed for d in some) == minor:
                return f"{' and '.join(d.number for d in some)} alone make up the same amount"
    return None
