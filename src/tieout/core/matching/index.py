"""The book, looked up: by number, by who pays, by amount. Built once per book, so that a payment costs a few look-ups."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tieout.core.matching.book import Book, Document, OpenPayment
from tieout.core.matching.numbers import Known
from tieout.core.party import fold

#: Items of one account searched for sums, oldest first. Among more of them sums meet by accident.
SUM_ITEMS = 12


class Index:
    """Look-ups over a frozen book; every list is in one order (due date, number, id), whatever order the book came in."""

    def __init__(self, book: Book) -> None:
        self.policy = book.policy
        self.documents = sorted(book.documents, key=lambda d: (d.due_date or dt.date.max, d.number, d.document_id))
        self.numbers: Known[Document] = Known()
        self._of_customer: dict[tuple[str, str], list[Document]] = defaultdict(list)
        self._by_amount: dict[tuple[str, int], list[Document]] = defaultdict(list)
        for document in self.documents:
            self.numbers.add(document.number, document)
            if document.open_minor > 0:
                self._of_customer[document.customer_id, document.currency].append(document)
                if document.kind == "invoice":
                    self._by_amount[document.currency, document.open_minor].append(document)
        self._names: dict[str, set[str]] = defaultdict(set)
        self._accounts: dict[str, set[str]] = defaultdict(set)
        self._roots: dict[str, str] = {}
        self._family: dict[str, list[str]] = defaultdict(list)
        self._know_parties(book)

    def _know_parties(self, book: Book) -> None:
        parents = {party.customer_id: party.parent_id for party in book.parties}
        for party in sorted(book.parties, key=lambda p: p.customer_id):
            for name in (party.name, *party.aliases):
                if fold(name):
                    self._names[fold(name)].add(party.customer_id)
            for account in party.accounts:
                self._accounts[account_key(account)].add(party.customer_id)
            root = _root(party.customer_id, parents)
            self._roots[party.customer_id] = root
            self._family[root].append(party.customer_id)

    def payers(self, payment: OpenPayment) -> list[tuple[str, set[str]]]:
        """What is known of who paid: (evidence in words, the customers it fits), one for each kind of evidence that fits any."""
        found: list[tuple[str, set[str]]] = []
        if payment.customer_id:
            found.append((f"the source books it to customer {payment.customer_id}", {payment.customer_id}))
        if payment.payer_account and (owners := self._accounts.get(account_key(payment.payer_account))):
            found.append(("the payer's account is known", owners))
        if payment.payer_name and (named := self._names.get(fold(payment.payer_name))):
            found.append((f"the payer's name is {payment.payer_name}", named))
        return found

    def related(self, one: str, others: Iterable[str]) -> bool:
        """Whether a customer is one of the others, or of one family with one of them (a parent pays for its child)."""
        root = self._roots.get(one, one)
        return any(root == self._roots.get(other, other) for other in others)

    def one_family(self, customers: Iterable[str]) -> bool:
        """Whether all customers belong to one family."""
        return len({self._roots.get(customer, customer) for customer in customers}) <= 1

    def open_of(self, customers: Iterable[str], currency: str) -> list[Document]:
        """Open documents of these customers and their families in one currency."""
        roots = sorted({self._roots.get(customer, customer) for customer in customers})
        members = [member for root in roots for member in self._family.get(root, [root])]
        found = [document for member in members for document in self._of_customer.get((member, currency), ())]
        return found if len(members) < 2 else sorted(found, key=lambda d: (d.due_date or dt.date.max, d.number, d.document_id))

    def of_amount(self, currency: str, minor: int) -> list[Document]:
        """Open invoices of exactly this amount, in the whole book."""
        return self._by_amount.get((currency, minor), [])


def sums(items: Sequence[Document], minor: int) -> list[tuple[Document, ...]]:
    """Up to two ways in which two or three of the first `SUM_ITEMS` documents make up an amount; pairs before threes."""
    items = items[:SUM_ITEMS]
    amounts = [document.signed for document in items]
    places: dict[int, list[int]] = defaultdict(list)
    for at, amount in enumerate(amounts):
        places[amount].append(at)
    ways: list[tuple[Document, ...]] = []
    for i, first in enumerate(amounts):
        ways += [(items[i], items[j]) for j in places.get(minor - first, ()) if j > i]
    for i, first in enumerate(amounts):
        for j in range(i + 1, len(amounts)):
            third = places.get(minor - first - amounts[j])
            if third:
                ways += [(items[i], items[j], items[k]) for k in third if k > j]
    return ways[:2]


def account_key(account: str) -> str:
    """An account for comparison: letters and digits only."""
    return "".join(c for c in account.upper() if c.isalnum())


def _root(customer: str, parents: dict[str, str | None]) -> str:
    """The head of the family; a ring of parents (a slip in a source) ends at its smallest member."""
    seen = [customer]
    while (parent := parents.get(seen[-1])) and parent in parents:
        if parent in seen:
            return min(seen[seen.index(parent) :])
        seen.append(parent)
    return seen[-1]
