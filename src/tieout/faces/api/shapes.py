"""What may be pushed: the fields of each kind of object, what each may hold, and the canonical record made of it.

Nothing is guessed and nothing overlooked: unknown fields are refused, amounts are texts, days are ISO days.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, ClassVar, Literal

from django.core.exceptions import ValidationError as NotAnAddress
from django.core.validators import validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from tieout.core import days, documents
from tieout.core.documents import Record
from tieout.core.money import Money, MoneyError, from_text, is_currency
from tieout.flow.pushed import Wrong

_AMOUNT = r"-?[0-9]{1,12}(\.[0-9]{1,4})?"
_DAY = r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_SURROGATE = re.compile("[\ud800-\udfff]")


def text(value: Any) -> Any:
    """A text that can be kept: no NUL, no half of a pair of surrogates."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("holds a NUL byte, which no text has: remove it")
        if _SURROGATE.search(value):
            raise ValueError("holds half of a character (a lone surrogate): send whole UTF-8 text")
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty: give it, or leave the field out")
    return value


def _amount(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, (list, dict)):
        raise ValueError('must be an amount as text, such as "12.30"')
    if not isinstance(value, str):
        raise ValueError(f'is the number {str(value)[:40]}: send amounts as text, such as "12.30", because numbers of JSON lose cents on their way')
    if not re.fullmatch(_AMOUNT, value, re.ASCII):
        raise ValueError('is no plain decimal: digits (at most 12), a point, decimals, such as "1234.50"; no spaces, thousands marks or symbols')
    return value


def _day(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(_DAY, value, re.ASCII):
        raise ValueError('must be a day as text, year first, such as "2026-06-10" (between 1900 and 2199)')
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value} is a day that no calendar has") from None


def _currency(value: str) -> str:
    if not is_currency(value):
        raise ValueError(f"{value!r} is no ISO 4217 currency: send its three capital letters, such as EUR")
    return value


def _email(value: str) -> str:
    try:
        validate_email(value)
    except NotAnAddress:
        raise ValueError("is no e-mail address") from None
    return value


def _zone(value: str) -> str:
    try:
        days.zone(value)
    except ValueError:
        raise ValueError(f"{value!r} is no time zone of the IANA database: send one such as Europe/Berlin") from None
    return value


Text = Annotated[str, Field(max_length=2000), BeforeValidator(text)]
Short = Annotated[str, Field(max_length=200), BeforeValidator(text)]
Code = Annotated[str, Field(max_length=64), BeforeValidator(text)]
Key = Annotated[str, Field(min_length=1, max_length=300), BeforeValidator(text), AfterValidator(_not_blank)]
Name = Annotated[str, Field(min_length=1, max_length=300), BeforeValidator(text), AfterValidator(_not_blank)]
Number = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(text), AfterValidator(_not_blank)]
Email = Annotated[str, Field(max_length=320, json_schema_extra={"format": "email"}), BeforeValidator(text), AfterValidator(_email)]
Currency = Annotated[
    str, BeforeValidator(text), AfterValidator(_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code"}),
]  # fmt: skip
Amount = Annotated[
    str, BeforeValidator(_amount),
    WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT}$", "description": "Decimal text in the object's currency, never a number"}),
]  # fmt: skip
Day = Annotated[dt.date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{_DAY}$"})]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$", max_length=8)]
Percent = Annotated[str, Field(pattern=r"^[0-9]{1,2}(\.[0-9]{1,4})?$")]
Zone = Annotated[str, Field(max_length=64), BeforeValidator(text), AfterValidator(_zone)]


class Refused(Exception):
    """The fields are each well-formed, but together they say what cannot be."""

    def __init__(self, *wrong: Wrong) -> None:
        super().__init__("; ".join(one.message for one in wrong))
        self.wrong = wrong


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Line(_Shape):
    """One line of a document; what lowers the sum has a negative amount."""

    description: Text
    amount: Amount
    quantity: Annotated[str, Field(max_length=40), BeforeValidator(text)] | None = None


class Instalment(_Shape):
    """One part of an invoice that is due in several."""

    due_date: Day
    amount: Amount


class Pushed(_Shape):
    """What every object has: the caller's own key of it. The same key again is the same object."""

    id: Key

    def record(self) -> Record:
        """The canonical record. Raises Refused."""
        raise TypeError("a kind of object says how it becomes a record")


class Customer(Pushed):
    """A customer."""

    name: Name
    aliases: Annotated[list[Name], Field(max_length=50)] = []
    accounts: Annotated[list[Code], Field(max_length=50)] = []
    country: Country | None = None
    city: Short | None = None
    currency: Currency | None = None
    email: Email | None = None
    phone: Code | None = None
    parent_id: Key | None = None
    debtor_type: Literal["business", "consumer"] | None = None
    time_zone: Zone | None = None
    language: Language | None = None
    tax_id: Code | None = None

    def record(self) -> Record:
        given = self.model_dump(exclude={"id", "aliases", "accounts"})
        return documents.Customer(
            source_format="push", customer_id=self.id, aliases=tuple(self.aliases), accounts=tuple(self.accounts), **given
        )  # fmt: skip


class Invoice(Pushed):
    """An invoice, whole: what is left out is not said. `customer_id` is the caller's key of the customer."""

    number: Number
    amount: Amount
    currency: Currency
    customer_id: Key | None = None
    customer_name: Name | None = None
    customer_email: Email | None = None
    issue_date: Day | None = None
    due_date: Day | None = None
    open_amount: Amount | None = None
    po_number: Short | None = None
    discount_pct: Percent | None = None
    discount_until: Day | None = None
    status: Literal["draft", "pending_approval", "open", "void", "deleted", "unknown"] = "open"
    lines: Annotated[list[Line], Field(max_length=500)] = []
    due_dates: Annotated[list[Instalment], Field(max_length=60)] = []

    def record(self) -> Record:
        sums = _Sums(self.currency)
        amount, opened = sums.document(self.amount, self.open_amount)
        lines = sums.lines(self.lines)
        parts = [sums.money(one.amount, "due_dates", index, "amount") for index, one in enumerate(self.due_dates)]
        if parts and sum(part.minor for part in parts) != amount.minor:
            sums.wrong.append(Wrong(("due_dates",), "the instalments must add up to `amount`"))
        _customer(self.customer_id, self.customer_name, sums.wrong)
        sums.refuse()
        due = self.due_date or (min(one.due_date for one in self.due_dates) if self.due_dates else None)
        return documents.Invoice(
            source_format="push", invoice_id=self.id, number=self.number, customer_id=self.customer_id or "", amount=amount, open_amount=opened,
            customer_name=self.customer_name, customer_email=self.customer_email, issue_date=self.issue_date, due_date=due,
            po_number=self.po_number, discount_pct=self.discount_pct, discount_until=self.discount_until, status=self.status, lines=lines,
            due_dates=tuple(
                documents.DueDate(due_date=one.due_date, amount=part) for one, part in zip(self.due_dates, parts, strict=True)
            ),
        )  # fmt: skip


class CreditNote(Pushed):
    """A credit note: a positive amount that lowers what is owed."""

    number: Number
    amount: Amount
    currency: Currency
    customer_id: Key | None = None
    customer_name: Name | None = None
    date: Day | None = None
    open_amount: Amount | None = None
    related_invoice: Short | None = None
    status: Literal["draft", "pending_approval", "open", "void", "deleted", "unknown"] = "open"

    def record(self) -> Record:
        sums = _Sums(self.currency)
        amount, opened = sums.document(self.amount, self.open_amount)
        _customer(self.customer_id, self.customer_name, sums.wrong)
        sums.refuse()
        return documents.CreditNote(
            source_format="push", credit_note_id=self.id, number=self.number, customer_id=self.customer_id or "", amount=amount,
            open_amount=opened, customer_name=self.customer_name, date=self.date, related_invoice=self.related_invoice, status=self.status,
        )  # fmt: skip


class Payment(Pushed):
    """Money received. `invoice_number` where the caller knows which invoice was paid; who paid is found out where it is not said."""

    amount: Amount
    currency: Currency
    date: Day | None = None
    customer_id: Key | None = None
    customer_name: Name | None = None
    payer_name: Name | None = None
    payer_account: Code | None = None
    reference: Annotated[str, Field(max_length=300), BeforeValidator(text)] | None = None
    remittance: Text | None = None
    bank_ref: Short | None = None
    invoice_number: Short | None = None
    status: Literal["pending", "processing", "succeeded", "settled", "failed", "cancelled", "reversed"] = "succeeded"

    def record(self) -> Record:
        sums = _Sums(self.currency)
        amount = sums.money(self.amount, "amount")
        if not sums.wrong and amount.minor <= 0:
            sums.wrong.append(Wrong(("amount",), "must be more than 0: money given back is no payment"))
        sums.refuse()
        given = self.model_dump(exclude={"id", "amount", "currency"})
        return documents.Payment(source_format="push", payment_id=self.id, amount=amount, **given)


SHAPES: dict[str, type[Pushed]] = {"customers": Customer, "invoices": Invoice, "credit-notes": CreditNote, "payments": Payment}


class Asked(_Shape):
    """What a list may be asked."""

    model_config = ConfigDict(extra="forbid", strict=False)

    #: Fields one may find by, beside the place and the length of the page.
    FINDS: ClassVar[tuple[str, ...]] = ("external_id",)

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    after: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    external_id: Annotated[str, Field(min_length=1, max_length=300), BeforeValidator(text)] | None = None


class AskedCustomers(Asked):
    """Customers are found by an e-mail address of theirs too."""

    FINDS = ("external_id", "email")

    email: Annotated[str, Field(min_length=1, max_length=320), BeforeValidator(text)] | None = None


class AskedDocuments(Asked):
    """Invoices and credit notes are found by their number too."""

    FINDS = ("external_id", "number")

    number: Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(text)] | None = None


ASKED: dict[str, type[Asked]] = {"customers": AskedCustomers, "invoices": AskedDocuments, "credit-notes": AskedDocuments, "payments": Asked}


def wrongs(error: ValidationError, shape: type[BaseModel]) -> tuple[Wrong, ...]:
    """What pydantic found, in our words."""
    return tuple(Wrong(tuple(map(_place, one["loc"])), _said(one, shape)) for one in error.errors(include_url=False, include_input=True))


def _place(part: str | int) -> str | int:
    # The name of an unknown field is the caller's, and may be anything.
    return part if isinstance(part, int) else _SURROGATE.sub("?", part.replace("\x00", "␀"))[:100]


def _said(error: Any, shape: type[BaseModel]) -> str:
    given = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "is missing: give it"
        case "extra_forbidden":
            inner: type[BaseModel] | None = {"lines": Line, "due_dates": Instalment}.get(str(error["loc"][0])) if len(error["loc"]) > 1 else shape
            return f"there is no such field; the fields are {', '.join((inner or shape).model_fields)}"
        case "value_error":
            return str(given["error"])
        case "string_type":
            return f"must be text in quotes, not {type(error['input']).__name__}"
        case "literal_error":
            return f"must be one of {given['expected']}"
        case "string_too_long":
            return f"is longer than the {given['max_length']} characters it may have"
        case "string_too_short":
            return "is empty: give it, or leave the field out"
        case "string_pattern_mismatch":
            return f"must look like {given['pattern']}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "must be an object in braces"
    return str(error["msg"])


class _Sums:
    """Amounts of one object in its currency, and what is wrong with them."""

    def __init__(self, currency: str) -> None:
        self.currency, self.wrong = currency, list[Wrong]()

    def money(self, amount: str, *loc: str | int) -> Money:
        """The exact amount; 0 where it is wrong, which is noted."""
        try:
            return from_text(amount, self.currency)
        except MoneyError as error:
            self.wrong.append(Wrong(loc, f"{error}: round it as your books do, and send that"))
            return Money(0, self.currency)

    def document(self, amount: str, opened: str | None) -> tuple[Money, Money | None]:
        """What a document is over and what the caller says is still open of it."""
        whole = self.money(amount, "amount")
        rest = None if opened is None else self.money(opened, "open_amount")
        if whole.minor < 0:
            self.wrong.append(Wrong(("amount",), "must not be negative: what lowers a debt is a credit note with a positive amount"))
        elif rest is not None and not self.wrong and not 0 <= rest.minor <= whole.minor:
            self.wrong.append(Wrong(("open_amount",), "must be between 0 and `amount`"))
        return whole, rest

    def lines(self, lines: list[Line]) -> tuple[documents.Line, ...]:
        """The lines; they need not add up, for taxes may stand apart."""
        return tuple(
            documents.Line(description=one.description, quantity=one.quantity, amount=self.money(one.amount, "lines", index, "amount"))
            for index, one in enumerate(lines)
        )

    def refuse(self) -> None:
        """Raise Refused where anything is wrong."""
        if self.wrong:
            raise Refused(*self.wrong)


def _customer(customer_id: str | None, name: str | None, wrong: list[Wrong]) -> None:
    if customer_id is None and name is None:
        wrong.append(Wrong(("customer_id",), "say whose it is: give `customer_id` (your own key) or at least `customer_name`"))
