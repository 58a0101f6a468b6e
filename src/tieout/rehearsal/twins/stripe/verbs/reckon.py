"""The sums of an invoice: tax of its lines, totals, and what is due. Nothing here tells anybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from tieout.rehearsal.twins.stripe import money
from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice
from tieout.rehearsal.twins.stripe.shapes.lines import Line, RateOf, Tax, TaxRate

#: How many lines an invoice shows; the others are paged at its own address.
SHOWN = 10


def tax_of(amount: int, rates: Sequence[TaxRate]) -> list[Tax]:
    """The tax of one amount by each rate, rounded half up per line; an inclusive tax is taken out of the amount."""
    inclusive = sum((Decimal(str(rate.percentage)) for rate in rates if rate.inclusive), Decimal(0))
    net = amount if not inclusive else money.half_up(Decimal(amount) * 100 / (100 + inclusive))
    return [
        Tax(
            amount=money.half_up(Decimal(amount) * share / (100 + inclusive) if rate.inclusive else Decimal(net) * share / 100),
            tax_behavior="inclusive" if rate.inclusive else "exclusive",
            tax_rate_details=RateOf(tax_rate=rate.id),
            taxability_reason="standard_rated" if share else "zero_rated",
            taxable_amount=net,
        )
        for rate in rates
        for share in (Decimal(str(rate.percentage)),)
    ]


def summed(taxes: Iterable[Tax]) -> list[Tax]:
    """Taxes of several lines, one per rate."""
    by_rate: dict[str, Tax] = {}
    for tax in taxes:
        rate = tax.tax_rate_details.tax_rate
        held = by_rate.get(rate)
        if held is None:
            by_rate[rate] = Tax(
                amount=tax.amount,
                tax_behavior=tax.tax_behavior,
                tax_rate_details=tax.tax_rate_details,
                taxability_reason=tax.taxability_reason,
                taxable_amount=tax.taxable_amount,
            )
        else:
            held.amount += tax.amount
            held.taxable_amount = (held.taxable_amount or 0) + (tax.taxable_amount or 0)
    return list(by_rate.values())


def total(books: Books, invoice: Invoice) -> None:
    """Sum a draft up from its lines, and show what would be due."""
    lines = books.lines[invoice.id]
    for line in lines:
        line.taxes = tax_of(line.amount, rates_of(books, invoice, line))
    invoice.lines.data = lines[:SHOWN]
    invoice.lines.has_more = len(lines) > SHOWN
    invoice.total_taxes = summed(tax for line in lines for tax in line.taxes)
    inclusive = sum(tax.amount for tax in invoice.total_taxes if tax.tax_behavior == "inclusive")
    exclusive = sum(tax.amount for tax in invoice.total_taxes if tax.tax_behavior == "exclusive")
    invoice.subtotal = sum(line.amount for line in lines)
    invoice.subtotal_excluding_tax = invoice.subtotal - inclusive
    invoice.total = invoice.subtotal + exclusive
    invoice.total_excluding_tax = invoice.subtotal - inclusive
    invoice.starting_balance = opening(books, invoice)
    invoice.amount_due = invoice.amount_remaining = max(invoice.total + invoice.starting_balance, 0)


def rates_of(books: Books, invoice: Invoice, line: Line) -> Sequence[TaxRate]:
    """A line's own rates, or the invoice's."""
    item = books.items.find(line.parent.invoice_item_details.invoice_item)
    return (item.tax_rates if item is not None else None) or invoice.default_tax_rates


def opening(books: Books, invoice: Invoice) -> int:
    """The customer's balance, where it is in the invoice's currency."""
    customer = books.customers.find(invoice.customer)
    return customer.balance if customer is not None and customer.currency in (None, invoice.currency) else 0


def due(invoice: Invoice) -> None:
    """What is due on a finalised invoice, and what is left of it: a credit note before payment lowers both."""
    used = (invoice.ending_balance or 0) - invoice.starting_balance
    invoice.amount_due = invoice.total - used - invoice.pre_payment_credit_notes_amount
    invoice.amount_remaining = invoice.amount_due - invoice.amount_paid
