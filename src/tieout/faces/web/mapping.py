"""How a file is read, as a person sees and changes it: what was recognised in words, and which column fills which field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from django.http import QueryDict

from tieout.adapters.ports.format import Preview
from tieout.adapters.ports.profile import Condition, Profile, Skip
from tieout.adapters.ports.table.words import NEEDED, VOCABULARY
from tieout.core import money
from tieout.core.documents import Customer, Record
from tieout.core.money import Money
from tieout.faces.web import asked

KINDS: tuple[tuple[str, str], ...] = (
    ("invoice", "Invoices"), ("credit_note", "Credit notes"), ("payment", "Payments received"), ("customer", "Customers"),
    ("allocation", "Allocations"),
)
DATE_ORDERS = {"DMY": "day, month, year", "MDY": "month, day, year", "YMD": "year, month, day", "excel": "spreadsheet dates"}
MARKS = {".": "point (1234.50)", ",": "comma (1234,50)"}
#: How often something is expected, in hours.
CADENCES: tuple[tuple[str, str], ...] = (
    ("", "no expectation"), ("1", "every hour"), ("24", "every day"), ("96", "every working day (within 4 days)"), ("168", "every week"),
    ("744", "every month"),
)
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

#: Fields of a record that a preview shows, in the order a bookkeeper reads them.
_SHOWN = (
    "number", "name", "customer_name", "payer_name", "issue_date", "date", "due_date", "amount", "open_amount", "status", "invoice_number",
    "reference", "remittance", "email", "customer_email", "country", "document_id", "invoice_id", "credit_note_id", "payment_id", "customer_id",
)


class Field(msgspec.Struct, frozen=True):
    """One field of the canonical record: the column that fills it, or the constant, and whether it may not be missing."""

    name: str
    label: str
    column: str
    constant: str
    needed: bool


def recognised(seen: Preview) -> list[tuple[str, str]]:
    """What was found out about the file: (what, in words)."""
    p = seen.profile
    facts = [("Read as", p.title or p.name or seen.format), ("Format", seen.format.upper()), ("Rows", f"about {seen.row_estimate:,}")]
    facts += manner(p)
    if p.source:
        word = "verified" if p.source.verified else "not verified against a real export"
        facts.append(("Source of the profile", ": ".join(x for x in (word, p.source.citation or p.source.reason) if x)))
    return facts


def manner(p: Profile) -> list[tuple[str, str]]:
    """How cells are read, in words: encoding, parting, dates, marks, currency."""
    facts: list[tuple[str, str]] = []
    if p.encoding:
        facts.append(("Text encoding", p.encoding))
    if p.delimiter:
        facts.append(("Columns parted by", DELIMITERS.get(p.delimiter, p.delimiter)))
    if p.sheet:
        facts.append(("Sheet", p.sheet))
    facts.append(("Header", "none: columns by place" if p.header_row == 0 else f"line {p.header_row}" if p.header_row else "found by its words"))
    if p.date_order:
        others = ", ".join(f"{label(f)}: {DATE_ORDERS.get(o, o)}" for f, o in p.date_orders.items())
        facts.append(("Dates", DATE_ORDERS.get(p.date_order, p.date_order) + (f" ({others})" if others else "")))
    if p.decimal_mark:
        facts.append(("Decimal mark", MARKS.get(p.decimal_mark, p.decimal_mark)))
    facts.append(("Negative amounts", "minus sign or brackets" if p.negative == "minus" else f"marked {p.negative}"))
    facts.append(("Currency", _currency(p)))
    return facts


def fields(seen: Preview) -> list[Field]:
    """Every field of the kinds this file gives; those that are filled or needed first."""
    p = seen.profile
    kinds = tuple(k for k in NEEDED if k in set(p.kinds.values())) if p.kind_column else (p.kind,)
    filled = {*p.columns, *p.constants, *(c.field for c in p.conditions), p.heading_field}
    # One field of a choice will do: an invoice's number or its id.
    needed = {name for kind in kinds for choice in NEEDED[kind] if not filled & set(choice) or len(choice) == 1 for name in choice}
    names = dict.fromkeys(name for kind in kinds for name in VOCABULARY[kind])
    constants = {**p.constants, **({"currency": p.currency} if p.currency else {})}
    found = [Field(n, label(n), _key(seen.headers, p.columns.get(n, "")), constants.get(n, ""), n in needed) for n in names]
    return sorted(found, key=lambda f: (not (f.column or f.constant), not f.needed))


def form(seen: Preview) -> dict[str, Any]:
    """What the form that changes the reading is filled with; the last condition and the last row to leave out are empty."""
    p = seen.profile
    conditions = [msgspec.structs.replace(c, column=_key(seen.headers, c.column)) for c in p.conditions]
    skips = [msgspec.structs.replace(s, column=_key(seen.headers, s.column)) for s in p.skip]
    return {
        "fields": fields(seen), "kinds": KINDS, "date_orders": DATE_ORDERS, "marks": MARKS,
        "conditions": [*conditions, Condition(column="", equals=(), field="", value="")], "skips": [*skips, Skip(column="", equals=(), reason="")],
    }


def changed(seen: Preview, post: QueryDict) -> Profile:
    """The profile as the form says. Raises Unreadable for a constant that is no currency."""
    p = seen.profile
    columns = {n: post[f"column:{n}"] for n in _fields_in(post, "column:") if post[f"column:{n}"] in seen.headers}
    constants = {n: v for n in _fields_in(post, "constant:") if (v := asked.text(post, f"constant:{n}", longest=200)) and n not in columns}
    currency = constants.pop("currency", "").upper() or None
    if currency and not money.is_currency(currency):
        raise asked.Unreadable(f"{currency} is not an ISO 4217 currency: use a code such as EUR")
    kind = post.get("kind", "")
    values: dict[str, Any] = {
        "name": "proposed", "title": p.title if p.title.endswith("(changed)") else f"{p.title} (changed)", "aliases": {}, "requires": (),
        "source": None,
        "columns": {n: _place(seen.headers, c) for n, c in columns.items()}, "constants": constants, "currency": currency,
        "kind": kind if kind in NEEDED and not p.kind_column else p.kind, "date_order": _one(post, "date_order", DATE_ORDERS) or p.date_order,
        "decimal_mark": _one(post, "decimal_mark", MARKS) or p.decimal_mark, "conditions": _conditions(seen, post), "skip": _skips(seen, post),
        "credit_notes": _one(post, "credit_notes", {"positive": "", "negative": ""}) or p.credit_notes,
        "negative_invoices": _one(post, "negative_invoices", {"refuse": "", "credit_note": ""}) or p.negative_invoices,
        "outgoing": _one(post, "outgoing", {"refuse": "", "skip": ""}) or p.outgoing,
    }
    if values["kind"] != p.kind:
        values |= {"columns": {}, "constants": {}, "one_per": "row"}  # other records have other fields: proposed anew
    return msgspec.structs.replace(p, **values)


def shown(records: Iterable[Record]) -> tuple[list[str], list[list[Any]]]:
    """Records as a table: the fields that any of them has, and their values in words."""
    every = list(records)
    # Whom an invoice names becomes a customer too; among invoices that is not worth a line of its own.
    rows = [r for r in every if not isinstance(r, Customer)] or every
    names = [n for n in _SHOWN if any(getattr(r, n, None) not in (None, "", ()) for r in rows)]
    for copy, of in (("invoice_id", "number"), ("credit_note_id", "number"), ("customer_id", "customer_name"), ("customer_id", "name")):
        if copy in names and all(getattr(r, copy, None) == getattr(r, of, None) for r in rows):
            names.remove(copy)
    kinds = {type(r).__name__ for r in rows}
    head = (["kind"] if len(kinds) > 1 else []) + names
    body = [[_kind(r) if n == "kind" else _value(getattr(r, n, None)) for n in head] for r in rows]
    return [label(n) for n in head], body


def _conditions(seen: Preview, post: QueryDict) -> tuple[Condition, ...]:
    rows = zip(*(post.getlist(f"condition:{part}") for part in ("column", "equals", "field", "value", "otherwise")), strict=False)
    return tuple(
        Condition(column=_place(seen.headers, column), equals=_words(equals), field=field, value=value.strip(), otherwise=otherwise.strip())
        for column, equals, field, value, otherwise in rows
        if column in seen.headers and _words(equals) and field and value.strip()
    )


def _skips(seen: Preview, post: QueryDict) -> tuple[Skip, ...]:
    rows = zip(*(post.getlist(f"skip:{part}") for part in ("column", "equals", "reason")), strict=False)
    return tuple(
        Skip(column=_place(seen.headers, column), equals=_words(equals), reason=reason.strip() or "left out by the profile")
        for column, equals, reason in rows
        if column in seen.headers and _words(equals)
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(w for w in (part.strip() for part in text.replace("\x00", "").split("|")) if w)


def _fields_in(post: QueryDict, prefix: str) -> list[str]:
    known = {name for table in VOCABULARY.values() for name in table}
    return [n for n in (k.removeprefix(prefix) for k in post if k.startswith(prefix)) if n in known]


def _one(post: QueryDict, name: str, known: Mapping[str, str]) -> str:
    value = post.get(name, "")
    return value if value in known else ""


def _place(headers: tuple[str, ...], key: str) -> str:
    # A key such as `Amount #4` is bound by its place: the header repeats.
    at = headers.index(key)
    return f"#{at + 1}" if key.endswith(f"#{at + 1}") else key


def _key(headers: tuple[str, ...], column: str) -> str:
    if column.startswith("#") and column[1:].isdecimal() and 0 < int(column[1:]) <= len(headers):
        return headers[int(column[1:]) - 1]
    return column


def _currency(p: Profile) -> str:
    if "currency" in p.columns:
        return f"column {p.columns['currency']}"
    chosen = [c for c in p.conditions if c.field == "currency"]
    if chosen:
        return "; ".join(f"{c.value} where {c.column} is {' or '.join(c.equals)}" + (f", else {c.otherwise}" if c.otherwise else "") for c in chosen)
    return p.constants.get("currency") or p.currency or ("as the sign in each amount says" if p.kind != "customer" else "not in this file")


def label(name: str) -> str:
    words = name.replace("_", " ")
    return (words[:1].upper() + words[1:]).replace(" id", " ID").replace("Po ", "PO ").replace("pct", "%")


def _kind(record: Record) -> str:
    return {"CreditNote": "Credit note"}.get(type(record).__name__, type(record).__name__)


def _value(value: Any) -> Any:
    if isinstance(value, Money) or value is None:
        return value
    return value if isinstance(value, str) else str(value)
