"""Many finalised invoices at once, for measuring readers: the same shapes as one by one, without their events and items."""

from __future__ import annotations

from tieout.rehearsal.twins.stripe.books import Books
from tieout.rehearsal.twins.stripe.shapes.common import Address
from tieout.rehearsal.twins.stripe.shapes.invoices import Invoice, PaidWith
from tieout.rehearsal.twins.stripe.shapes.lines import ItemOf, Line, LineParent, Period, PriceOf, Pricing
from tieout.rehearsal.twins.stripe.shapes.money import PaymentIntent
from tieout.rehearsal.twins.stripe.shapes.parties import Customer
from tieout.rehearsal.twins.stripe.verbs import customers as parties
from tieout.rehearsal.twins.stripe.verbs import invoices, receive, reckon, records

_DAY = 86_400
_NAMES = ("Aldergate", "Brightwater", "Copperfield", "Dunmore", "Eastlake", "Fairholm", "Greywell", "Hollin", "Ivybridge", "Juniper")
_TRADES = ("Bakery", "Joinery", "Logistics", "Optics", "Printing", "Roofing", "Textiles", "Tools", "Vineyards", "Watches")
_TOWNS = (("Berlin", "10115"), ("Hamburg", "20095"), ("Leipzig", "04109"), ("Köln", "50667"), ("München", "80331"))


def fill(books: Books, n: int, *, lines: int, customers: int, days: int, paid_every: int) -> None:
    """`n` invoices of `lines` lines each over `customers` new customers, oldest first."""
    now = books.now()
    begin = now - days * _DAY
    pricing = Pricing(price_details=PriceOf(price=books.new_id("price_1"), product=books.new_id("prod_")), unit_amount_decimal=None)
    with books.unheard():
        with books.at(begin):
            owing = [_customer(books, number) for number in range(customers)]
        for number in range(n):
            created = begin + (now - begin) * number // n
            with books.at(created):
                made = _invoice(books, owing[number * 7 % customers], lines, pricing)
            if paid_every and number % paid_every == 0:
                with books.at(min(created + 12 * _DAY, now)):
                    records.settle(books, made, made.amount_remaining)


def _customer(books: Books, number: int) -> Customer:
    name = f"{_NAMES[number % 10]} {_TRADES[number // 10 % 10]}{f' {number // 100 + 1}' if number >= 100 else ''}"
    town, code = _TOWNS[number % len(_TOWNS)]
    made = parties.create(books, {"name": name, "email": f"accounts{number}@customer.example", "preferred_locales": ["de"]})
    made.currency = books.currency
    made.address = Address(city=town, country="DE", line1=f"Hauptstraße {number % 90 + 1}", postal_code=code)
    return made


def _invoice(books: Books, customer: Customer, lines: int, pricing: Pricing) -> Invoice:
    made = invoices.blank(books, customer, books.currency, "send_invoice")
    created = made.created
    made.customer_address, made.customer_email, made.customer_name = customer.address, customer.email, customer.name
    made.due_date = created + 30 * _DAY
    period = Period(start=created, end=created)
    held = [_line(books, made, at, period, pricing) for at in range(lines)]
    books.lines[made.id] = held
    made.lines.data, made.lines.has_more = held[: reckon.SHOWN], lines > reckon.SHOWN
    total = sum(line.amount for line in held)
    made.subtotal = made.subtotal_excluding_tax = made.total = made.total_excluding_tax = made.amount_due = made.amount_remaining = total
    made.number = f"{customer.invoice_prefix}-{customer.next_invoice_sequence:04d}"
    customer.next_invoice_sequence += 1
    books.numbers.add(made.number)
    made.status, made.effective_at, made.status_transitions.finalized_at = "open", created, created
    made.ending_balance, made.webhooks_delivered_at = 0, created
    made.hosted_invoice_url, made.invoice_pdf = books.link(made.id), f"{books.link(made.id)}/pdf"
    books.invoices.add(made)
    intent = PaymentIntent(
        id=books.new_id("pi_3"),
        amount=total,
        client_secret="",
        created=created,
        currency=made.currency,
        customer=customer.id,
        payment_method_types=["card"],
    )
    books.payment_intents.add(intent)
    receive.expect(books, made, PaidWith(type="payment_intent", payment_intent=intent.id), total, default=True)
    return made


def _line(books: Books, invoice: Invoice, at: int, period: Period, pricing: Pricing) -> Line:
    amount = books.chance.randrange(1_000, 250_000)
    return Line(
        id=books.new_id("il_1"),
        amount=amount,
        subtotal=amount,
        currency=invoice.currency,
        description=f"Services, part {at + 1}",
        invoice=invoice.id,
        parent=LineParent(invoice_item_details=ItemOf(invoice_item=books.new_id("ii_1"))),
        period=period,
        pricing=pricing,
    )
