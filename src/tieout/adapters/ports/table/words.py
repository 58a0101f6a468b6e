"""The words that files use for our fields: header synonyms per kind of record, status words, words of totals rows.

Headers are compared folded (`headers.fold`). English first; German, French, Dutch and Spanish as far as exports showed
them. A header that could mean two things is left out: it is asked instead.
"""

from __future__ import annotations

from tieout.adapters.ports.profile import Kind

_PARTY = {
    "customer_id": "customer id|customer number|customer no|customer code|client id|client number|account number|account no|debtor id|debtor no|"
    "cust id|cust number|cust no|kundennummer|kunden nr|kundennr|debitor|debitorennummer|debitor nr|klantnummer|numero client|code client|contact id",
    "customer_name": "customer|customer name|client|client name|contact name|contact|debtor|debtor name|bill to|billed to|company|company name|"
    "account name|name|name customer|customer full name|kunde|kundenname|klant|klantnaam|nom client|cliente|nombre cliente",
    "customer_email": "email|e mail|email address|customer email|client email|billing email|contact email|mail",
}
_COMMON = {
    "currency": "currency|currency code|curr|ccy|invoice currency|waehrung|wahrung|devise|valuta|moneda|amount currency code",
    "recorded_at": "recorded at",
}
INVOICE = {
    **_PARTY,
    **_COMMON,
    "invoice_id": "invoice id|doc id|document id|row id|id",
    "number": "number|invoice number|invoice no|invoice num|invoice|num|no|document number|document no|doc no|doc number|reference number|"
    "rechnungsnummer|rechnungsnr|rechnung nr|rechnungs nr|belegnummer|belegfeld 1|n facture|no facture|numero facture|numero de facture|"
    "factuurnummer|factuurnr|numero factura|numero de factura",
    "issue_date": "issue date|invoice date|date|date issued|issued|issued date|document date|posting date|bill date|created|"
    "transaction date|txn date|"
    "rechnungsdatum|belegdatum|date facture|date de facture|factuurdatum|fecha|fecha factura|date utc",
    "due_date": "due date|due|net due date|payment due date|due in date|due date utc|duedate|faelligkeit|falligkeit|faelligkeitsdatum|"
    "falligkeitsdatum|faellig am|"
    "fallig am|date d echeance|date echeance|echeance|vervaldatum|vervaldag|vencimiento|fecha vencimiento|fecha de vencimiento",
    "amount": "amount|total|invoice amount|invoice total|total amount|gross amount|gross|gross total|amount total|grand total|total open amount|"
    "betrag|rechnungsbetrag|bruttobetrag|brutto|gesamtbetrag|montant|montant ttc|total ttc|bedrag|totaal|factuurbedrag|importe|importe total",
    "open_amount": "open amount|balance|open balance|amount due|balance due|outstanding|outstanding amount|amount outstanding|amount open|remaining|"
    "amount remaining|invoice amount due|unpaid amount|offen|offener betrag|offener posten|restbetrag|solde|reste a payer|openstaand|"
    "saldo|saldo pendiente",
    "paid_amount": "amount paid|paid amount|invoice amount paid|paid|bezahlt|gezahlt|montant paye|betaald",
    "paid_date": "paid date|date paid|payment date|settled date|settlement date|clear date|clearing date|paid at|paid on|paid at utc|zahlungsdatum|"
    "bezahlt am|date de paiement|betaaldatum",
    "po_number": "po number|po no|po|purchase order|purchase order number|purchaseorder|bestellnummer|order number",
    "status": "status|invoice status|state",
    "discount_pct": "discount pct|cash discount pct|skonto|skonto prozent",
    "discount_until": "discount until|discount date|cash discount date|skontodatum|skonto bis",
    "line_description": "description|item description|item desc|line description|item name",
    "line_amount": "line amount|line total|item amount|item total",
    "line_quantity": "quantity|item quantity|qty",
    "country": "country|country code|billing country|land",
    "phone": "phone|telephone|telefon",
}
CREDIT_NOTE = {
    **_PARTY,
    **_COMMON,
    "credit_note_id": "credit note id|credit memo id|id",
    "number": "number|credit note number|credit note no|credit memo no|credit memo number|gutschriftsnummer|gutschrift nr|numero avoir",
    "date": "date|issue date|credit note date|credit memo date|gutschriftsdatum|date avoir",
    "amount": INVOICE["amount"] + "|credit amount",
    "open_amount": "open amount|remaining|remaining credit|balance|unapplied amount",
    "related_invoice": "related invoice|original invoice|applies to|invoice number|invoice no|invoice",
    "status": INVOICE["status"],
}
PAYMENT = {
    **_COMMON,
    "payment_id": "payment id|transaction id|txn id|receipt number|receipt no|receipt id|id",
    "date": "date|payment date|transaction date|booking date|posting date|posted date|value date|received|received date|receipt date|"
    "created|created utc|"
    "buchungstag|buchungsdatum|buchung|valuta|valutadatum|wertstellung|date operation|date de l operation|date valeur|boekdatum|datum|"
    "fecha|fecha operacion",
    "amount": "amount|payment amount|amount received|received amount|transaction amount|paid amount|betrag|umsatz|montant|bedrag|importe",
    "credit": "credit|credit amount|money in|paid in|deposit|deposits|inflow|haben|gutschrift|entree|bij|abono",
    "debit": "debit|debit amount|money out|paid out|withdrawal|withdrawals|outflow|soll|lastschrift|sortie|af|cargo",
    "payer_name": "payer name|payer|name|counterparty|counterparty name|customer name|customer|client|partner name|sender|from|received from|"
    "auftraggeber|auftraggeber empfaenger|auftraggeber empfanger|beguenstigter zahlungspflichtiger|zahlungspflichtiger|name zahlungsbeteiligter|"
    "tiers|donneur d ordre|naam|naam tegenpartij|tegenpartij|ordenante",
    "payer_account": "payer account|counterparty account|counterparty iban|iban|iban zahlungsbeteiligter|account number|kontonummer iban|kontonummer|"
    "tegenrekening|compte",
    "reference": "reference|end to end reference|end to end id|creditor reference|payment reference|sepa reference|kundenreferenz|ref",
    "remittance": "remittance|remittance information|description|details|memo|narrative|text|particulars|transaction description|label|"
    "verwendungszweck|buchungstext verwendungszweck|libelle|communication|omschrijving|mededelingen|concepto",
    "bank_ref": "bank ref|bank reference|transaction reference|bankreferenz",
    "invoice_number": "invoice number|invoice no|invoice",
    "customer_id": "customer id|client id|customer number",
    "status": "status|payment status",
    "open_amount": "unapplied amount|unapplied|amount unapplied",
    "refunded_amount": "amount refunded|refunded amount",
}
CUSTOMER = {
    "customer_id": _PARTY["customer_id"] + "|id|code",
    "name": "name|customer name|customer|client|client name|company|company name|display name|kunde|kundenname|firma|nom|naam|nombre",
    "aliases": "aliases|alias|also known as|trading names",
    "country": "country|country code|billing country|land|pays|pais",
    "city": "city|town|billing city|ort|stadt|ville|plaats|ciudad",
    "currency": _COMMON["currency"],
    "email": _PARTY["customer_email"],
    "phone": "phone|phone number|telephone|tel|mobile|telefon|telefoon|telefono",
    "parent_id": "parent id|parent|parent customer",
    "accounts": "accounts|iban|bank account|bank accounts",
    "debtor_type": "debtor type|customer type",
    "time_zone": "time zone|timezone",
    "language": "language|locale|sprache|langue",
    "tier": "tier",
    "tax_id": "tax id|vat number|vat no|vat id|ust idnr|tax number|vat",
}
ALLOCATION = {
    "payment_id": "payment id",
    "document_id": "document id|invoice id",
    "amount": "amount|allocated amount|applied amount",
    "date": "date|allocation date",
    "currency": _COMMON["currency"],
    "recorded_at": "recorded at",
}

_TABLES: dict[Kind, dict[str, str]] = {
    "invoice": INVOICE,
    "credit_note": CREDIT_NOTE,
    "payment": PAYMENT,
    "customer": CUSTOMER,
    "allocation": ALLOCATION,
}
VOCABULARY: dict[Kind, dict[str, tuple[str, ...]]] = {
    kind: {field: tuple(words.split("|")) for field, words in table.items()} for kind, table in _TABLES.items()
}

#: Every folded header we know, to find the header row by.
KNOWN: frozenset[str] = frozenset(word for table in VOCABULARY.values() for words in table.values() for word in words)

#: Fields that tell one kind from the others, where a header row could be read as several.
TELLING: dict[Kind, frozenset[str]] = {
    "invoice": frozenset({"due_date", "invoice_id", "open_amount", "po_number", "discount_pct", "line_amount"}),
    "credit_note": frozenset({"credit_note_id", "related_invoice"}),
    "payment": frozenset({"payment_id", "credit", "debit", "payer_name", "payer_account", "remittance", "bank_ref", "refunded_amount"}),
    "customer": frozenset({"aliases", "phone", "city", "parent_id", "debtor_type", "tax_id", "time_zone", "language"}),
    "allocation": frozenset({"document_id"}),
}

#: What a kind cannot do without: each entry is a choice of fields.
NEEDED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "invoice": (("invoice_id", "number"), ("customer_id", "customer_name"), ("amount", "line_amount")),
    "credit_note": (("credit_note_id", "number"), ("customer_id", "customer_name"), ("amount",)),
    "payment": (("amount", "credit", "debit"), ("date", "payment_id")),
    "customer": (("customer_id", "name"),),
    "allocation": (("payment_id",), ("document_id",), ("amount",)),
}

DATE_FIELDS = frozenset({"issue_date", "due_date", "date", "paid_date", "discount_until"})
MONEY_FIELDS = frozenset({"amount", "open_amount", "paid_amount", "line_amount", "credit", "debit", "refunded_amount"})
ID_FIELDS = frozenset("invoice_id credit_note_id payment_id customer_id number document_id related_invoice invoice_number parent_id".split())

DOCUMENT_STATUS = {
    word: status
    for status, words in {
        "draft": "draft|entwurf|brouillon|concept",
        "pending_approval": "pending approval|awaiting approval|submitted|pending",
        "open": "open|sent|unpaid|paid|partial|partially paid|partly paid|overdue|awaiting payment|authorised|approved|viewed|due|closed|settled|"
        "uncollectible|past due|offen|bezahlt|partially_paid|in_payment|posted|not due|deposited",
        "void": "void|voided|cancelled|canceled|storniert|annule",
        "deleted": "deleted|geloescht",
    }.items()
    for word in words.split("|")
}
PAYMENT_STATUS = {
    word: status
    for status, words in {
        "pending": "pending|authorized|uncaptured|requires capture",
        "processing": "processing|in progress|in transit",
        "succeeded": "succeeded|paid|completed|complete|captured|received|refunded|partially refunded|partial refund|success|booked|"
        "posted|closed|deposited",
        "settled": "settled|cleared|reconciled|paid out",
        "failed": "failed|declined|blocked|denied|returned",
        "cancelled": "cancelled|canceled|expired|void|voided",
        "reversed": "reversed|charged back|chargeback|disputed lost",
    }.items()
    for word in words.split("|")
}

#: First words of rows that sum up the rows above them.
TOTALS = (
    "total", "totals", "grand total", "subtotal", "sub total", "sum", "summe", "gesamt", "gesamtsumme", "zwischensumme", "total general", "totaal",
    "closing balance", "opening balance", "endsaldo", "anfangssaldo",
)  # fmt: skip
