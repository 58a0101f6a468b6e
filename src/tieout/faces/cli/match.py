"""`tieout match`: which documents each payment is for, on files (DESIGN, section 7)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click
import yaml

from tieout.core import matching
from tieout.core.documents import CreditNote, Customer, Invoice, Payment
from tieout.core.matching import Application, Book, Document, OpenPayment, Party, Policy
from tieout.core.money import minor_text
from tieout.faces.cli import _books, _tables
from tieout.faces.cli._tables import UnreadableInput

T = TypeVar("T")

COLUMNS = ("payment_id", "decision", "document_id", "amount", "write_off", "write_off_reason", "confidence", "reason", "rival")
_TOLERANCES = ("fee_tolerance_abs", "fee_tolerance_pct", "rounding_abs", "fx_tolerance_pct")


@click.command()
@click.option("--invoices", required=True, help="CSV of invoices; what is open of each is `open_amount`, else its amount")
@click.option("--payments", required=True, help="CSV of payments not yet applied")
@click.option("--customers", help="CSV of customers: names, aliases and accounts tell who paid")
@click.option("--credit-notes", help="CSV of credit notes")
@click.option("--policy", "policy_path", help="tolerances, JSON or YAML; without it amounts must agree exactly")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of CSV")
@click.option("--out", default="-", help="where to write; a `.jsonl` ending gives JSON lines")
def command(invoices: str, payments: str, customers: str | None, credit_notes: str | None, policy_path: str | None, as_json: bool, out: str) -> None:
    """Match payments to invoices: one row per payment and document, with the decision, its reason and its rival.

    A payment is applied only when it names its invoices, the amounts agree and nothing else fits. Anything else is proposed
    for a person, or left alone.
    """
    findings = _books.Findings()
    policy = read_policy(policy_path) if policy_path else Policy()
    documents = _once("invoice", map(_invoice, _books.invoices(invoices, findings)), _document_id, findings)
    if credit_notes:
        notes = _once("credit note", map(_credit_note, _books.credit_notes(credit_notes, findings)), _document_id, findings)
        documents = _once("document", [*documents, *notes], _document_id, findings)
    parties = _once("customer", map(_party, _books.customers(customers, findings) if customers else ()), lambda p: p.customer_id, findings)
    waiting = _once("payment", map(_payment, _books.payments(payments, findings)), lambda p: p.payment_id, findings)
    answers = matching.solve(Book(documents=tuple(documents), parties=tuple(parties), policy=policy), waiting)
    _tables.write(_rows(answers, {p.payment_id: p.currency for p in waiting}), columns=COLUMNS, out=out, as_json=as_json)
    findings.finish()


def _document_id(document: Document) -> str:
    return document.document_id


def _invoice(record: Invoice) -> Document:
    left = record.amount if record.open_amount is None else record.open_amount
    return Document(
        document_id=record.invoice_id,
        kind="invoice",
        number=record.number,
        customer_id=record.customer_id,
        currency=record.currency,
        amount_minor=record.amount.minor,
        open_minor=left.minor,
        due_date=record.due_date,
        discount_pct=Decimal(record.discount_pct) if record.discount_pct else None,
        discount_until=record.discount_until,
    )


def _credit_note(record: CreditNote) -> Document:
    left = record.amount if record.open_amount is None else record.open_amount
    return Document(
        document_id=record.credit_note_id,
        kind="credit_note",
        number=record.number,
        customer_id=record.customer_id,
        currency=record.currency,
        amount_minor=record.amount.minor,
        open_minor=left.minor,
    )


def _party(record: Customer) -> Party:
    return Party(customer_id=record.customer_id, name=record.name, aliases=record.aliases, accounts=record.accounts, parent_id=record.parent_id)


def _payment(record: Payment) -> OpenPayment:
    return OpenPayment(
        payment_id=record.payment_id,
        currency=record.currency,
        minor=record.amount.minor,
        date=record.date,
        customer_id=record.customer_id,
        payer_name=record.payer_name,
        payer_account=record.payer_account,
        texts=tuple(text for text in (record.reference, record.remittance) if text),
        stated_number=record.invoice_number,
    )


def _once(kind: str, rows: Iterable[T], key: Callable[[T], str], findings: _books.Findings) -> list[T]:
    """Each id once, the first row of it; a later one is told and left out, because each would hide the other."""
    kept: dict[str, T] = {}
    for row in rows:
        if kept.setdefault(key(row), row) is not row:
            findings.tell(f"{kind} {key(row)} stands twice; the first row was taken, give the other an id of its own")
    return list(kept.values())


def _rows(answers: Iterable[Application], currencies: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for found in answers:
        currency = currencies[found.payment_id]
        best = found.best
        told: dict[str, Any] = {"payment_id": found.payment_id, "decision": found.decision, "reason": found.reason}
        if best is None:
            yield {**told, "amount": minor_text(0, currency), "write_off": minor_text(0, currency)}
            continue
        for part in best.parts:
            yield {
                **told,
                "document_id": part.document_id,
                "amount": minor_text(part.minor, currency),
                "write_off": minor_text(part.write_off_minor, currency),
                "write_off_reason": part.write_off_reason,
                "confidence": f"{Decimal(best.confidence).scaleb(-2)}",
                "rival": best.rival or None,
            }


def read_policy(path: str) -> Policy:
    """The tolerances in a JSON or YAML file. A given file lets the invoices' own discount terms be taken, unless it says
    `discount: false`. Raises UnreadableInput (exit 2) naming the key."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
        # BaseLoader leaves numbers as the text they were written in: no float ever stands between the file and a Decimal.
        told = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (it builds text, lists and mappings only)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnreadableInput(f"{path}: {error}") from None
    if not isinstance(told, dict):
        raise UnreadableInput(f"{path}: needs keys out of {', '.join((*_TOLERANCES, 'discount'))}")
    for key in told:
        if key not in (*_TOLERANCES, "discount"):
            raise UnreadableInput(f"{path}: {key!r} is no tolerance; the keys are {', '.join((*_TOLERANCES, 'discount'))}")
    if str(told.get("discount", "true")).lower() not in ("true", "false"):
        raise UnreadableInput(f"{path}: discount is {told['discount']!r}; write true or false")
    limits = {key: _limit(path, key, str(told[key])) for key in _TOLERANCES if key in told}
    return Policy(**limits, discount=str(told.get("discount", "true")).lower() == "true")


def _limit(path: str, key: str, text: str) -> Decimal:
    try:
        limit = Decimal(text)
    except InvalidOperation:
        limit = Decimal("NaN")
    if not limit.is_finite() or limit < 0:
        raise UnreadableInput(f"{path}: {key} is {text!r}; write a number of 0 or more, such as 25.00")
    return limit
