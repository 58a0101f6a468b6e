"""`match`: payments against an open book in core, beside a matcher of a number pattern and an equal amount.

Six kinds of payment in turn: one invoice named; three named and paid together; named and paid in part; nothing named and an
amount that one open invoice has; an invoice named whose amount disagrees; a stranger. The peer knows the first kind only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tieout.core import matching
from tieout.core.matching import Book, Document, OpenPayment, Party
from tieout.rehearsal.bench import books
from tieout.rehearsal.bench.figures import Figure, rate, timed

#: Open invoices per payment: most of a book is not being paid today.
_PER_PAYMENT = 3
#: Invoices of a customer; those that one payment names stand side by side in one account.
_PER_CUSTOMER = 24
_NUMBER = re.compile(r"INV-\d{7}")


def run(size: int) -> Iterator[Figure]:
    """`size` payments at once."""
    book, payments = _book(size), _payments(size)
    with timed() as ours:
        answers = matching.solve(book, payments)
    with timed() as bare:
        found = _by_pattern(book, payments)
    kinds = Counter((place % 6, answer.decision) for place, answer in enumerate(answers))
    assert kinds[0, "apply"] == (size + 5) // 6, kinds
    assert kinds[4, "apply"] == kinds[5, "apply"] == 0, kinds
    applied = sum(answer.decision == "apply" for answer in answers)
    yield rate("match: payments judged", size, ours.seconds, "payments")
    goal, share = size / ours.seconds / 10_000, bare.seconds / ours.seconds
    yield Figure(name="match: of 10,000 payments a second", size=size, value=goal, unit="x", against="the design's goal for one process")
    yield Figure(name="match: of a number-and-amount matcher", size=size, value=share, unit="x", against="one pattern, equal amount")
    yield Figure(name="match: applied by machine", size=size, value=100 * applied / size, unit="%")
    yield Figure(name="match: applied by the number-and-amount matcher", size=size, value=100 * found / size, unit="%")


def _book(size: int) -> Book:
    count = size * _PER_PAYMENT
    documents = tuple(
        Document(
            document_id=f"D{i}", kind="invoice", number=f"INV-{i:07d}", customer_id=f"C{i // _PER_CUSTOMER}", currency="EUR", amount_minor=_amount(i),
            open_minor=_amount(i), due_date=books.TODAY,
        )
        for i in range(count)
    )  # fmt: skip
    return Book(documents=documents, parties=tuple(Party(customer_id=f"C{i}", name=books.name(i)) for i in range(count // _PER_CUSTOMER + 1)))


def _amount(invoice: int) -> int:
    # Amounts rise, so that each is had by one invoice only and is no sum of two small ones by chance.
    return 100_000 + invoice * 7


def _payments(size: int) -> list[OpenPayment]:
    return [_payment(i) for i in range(size)]


def _payment(place: int) -> OpenPayment:
    first = place * _PER_PAYMENT
    number, payer = f"INV-{first:07d}", books.name(first // _PER_CUSTOMER)
    minor, text, payer = [
        (_amount(first), f"invoice {number}", payer),
        (sum(_amount(first + n) for n in range(3)), f"{number} INV-{first + 1:07d} / INV-{first + 2:07d}", payer),
        (_amount(first) // 2, f"part payment {number}", payer),
        (_amount(first), "thank you", payer),
        (_amount(first) - 1_234, f"Rg. {number}", payer),
        (55_501, "donation", "Somebody Else"),
    ][place % 6]
    return OpenPayment(payment_id=f"P{place}", currency="EUR", minor=minor, date=books.TODAY, payer_name=payer, texts=(text,))


def _by_pattern(book: Book, payments: list[OpenPayment]) -> int:
    open_ = {document.number: document.open_minor for document in book.documents}
    return sum(any(open_.get(number) == payment.minor for text in payment.texts for number in _NUMBER.findall(text)) for payment in payments)
