"""A profile bound to the headers of a file: for every field its column and its reader, made once per file.

A batch of rows is read column by column; what could not be taken comes back beside the values, row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from tieout.adapters.ports.errors import NeedsPerson
from tieout.adapters.ports.profile import Kind, Profile
from tieout.adapters.ports.table import cells, headers, words
from tieout.adapters.ports.table.amounts import MoneyByCurrency, currency_in_cell
from tieout.adapters.ports.table.cells import Cells, Noted, Refused
from tieout.adapters.ports.table.currencies import CurrencyCells, CurrencyOrNone
from tieout.adapters.ports.table.dates import DateCells

#: Key under which a finding keeps the heading that its row stands under.
HEADING = "(heading)"

Trouble = tuple[str, Refused | Noted, str]  # field, what is wrong, the cell


class StatusCells(Cells):
    """The word of the source -> (our status, the word). A word nobody explained is `unknown`, or refused for money."""

    def __init__(self, kind: Kind, given: Mapping[str, str]) -> None:
        super().__init__()
        self._payment = kind == "payment"
        self._words = {**(words.PAYMENT_STATUS if self._payment else words.DOCUMENT_STATUS), **{k.lower(): v for k, v in given.items()}}

    def parse(self, text: str) -> Any:
        word = cells.clean(text)
        if not word:
            return ("succeeded" if self._payment else "open", None)
        status = self._words.get(word.lower())
        if status:
            return (status, word)
        if self._payment:
            return Refused("status_unknown", f"the payment status {word[:40]!r} is not known; say in the profile what it means")
        return Noted(("unknown", word), "status_unknown", f"the status {word[:40]!r} is not known; kept as it stands")


class Batch:
    """Some rows of a file with their line numbers, all as wide as the header."""

    __slots__ = ("lines", "rows")

    def __init__(self, lines: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
        self.lines = lines
        self.rows = rows

    def only(self, keep: Sequence[int]) -> Batch:
        """The rows at these places."""
        return Batch([self.lines[i] for i in keep], [self.rows[i] for i in keep])


class Parsed:
    """The values of a batch for one kind, by field, and what was wrong, by place."""

    __slots__ = ("batch", "kind", "troubles", "values")

    def __init__(self, kind: Kind, batch: Batch) -> None:
        self.kind = kind
        self.batch = batch
        self.values: dict[str, list[Any]] = {}
        self.troubles: dict[int, list[Trouble]] = {}

    def get(self, field: str, default: Any = None) -> Iterable[Any]:
        """The values of a field; the default for every row where the file has no such column."""
        return self.values.get(field) or repeat(default, len(self.batch.rows))

    def trouble(self, place: int, field: str, what: Refused | Noted, cell: str) -> None:
        self.troubles.setdefault(place, []).append((field, what, cell))

    def blocked(self) -> set[int]:
        return {place for place, found in self.troubles.items() if any(type(what) is Refused for _, what, _ in found)}

    def without(self, places: set[int]) -> Parsed:
        """The same without the rows at these places; remaining remarks move along."""
        keep = [i for i in range(len(self.batch.rows)) if i not in places]
        rest = Parsed(self.kind, self.batch.only(keep))
        rest.values = {field: [column[i] for i in keep] for field, column in self.values.items()}
        rest.troubles = {new: self.troubles[old] for new, old in enumerate(keep) if old in self.troubles}
        return rest


class Plan:
    """`keys` names the columns for people and for the raw rows of findings. Raises NeedsPerson where a column is gone."""

    def __init__(self, profile: Profile, header: Sequence[str], *, numeric: frozenset[int] = frozenset()) -> None:
        self.profile = profile
        self.header = tuple(header)
        self.keys = headers.keys_of(header)
        self.width = len(self.keys)
        self.index = {field: self._at(column) for field, column in profile.columns.items()}
        self._numeric = numeric
        self._conditions = [(c, self._at(c.column)) for c in profile.conditions]
        self.skips = [(self._at(s.column), frozenset(s.equals), s.reason) for s in profile.skip]
        self.kind_at = self._at(profile.kind_column) if profile.kind_column else None
        if profile.heading_field:
            self.index[profile.heading_field] = self.width  # a cell added to each row under a heading
        self.fields = set(self.index) | set(profile.constants) | {c.field for c in profile.conditions}
        self._readers: dict[tuple[Kind, str], Cells] = {}
        self._currencies = CurrencyCells(profile.symbols)
        self._money = {field: self._money_cells(field) for field in words.MONEY_FIELDS & self.fields}

    def _at(self, column: str) -> int:
        found = headers.positions(self.header, column)
        if len(found) == 1:
            return found[0]
        if found:
            places = " and ".join(str(i + 1) for i in found)
            raise NeedsPerson(f"the header {column!r} stands twice, as columns {places}; name the column by its place, such as '#{found[0] + 1}'")
        raise NeedsPerson(f"there is no column {column!r}; found: {', '.join(self.keys)}")

    def _money_cells(self, field: str) -> MoneyByCurrency:
        # Number cells of a spreadsheet are written with a point, whatever the text cells around them use.
        numeric = self.index.get(field) in self._numeric
        return MoneyByCurrency(self.profile, decimal_mark="." if numeric else None)

    def column_name(self, field: str) -> str | None:
        """The header under which a field stands in the file."""
        at = self.index.get(field)
        return self.keys[at] if at is not None and at < self.width else None

    def raw(self, row: Sequence[str]) -> dict[str, str]:
        """A row by header, as findings carry it."""
        raw = dict(zip(self.keys, row, strict=False))
        if len(row) > self.width:
            raw[HEADING] = row[self.width]
        return raw

    def texts(self, field: str, columns: Sequence[Sequence[str]]) -> Sequence[str] | None:
        """The cells of a field before reading: from its column, else by condition, else constant; None where it has none."""
        at = self.index.get(field)
        if at is not None:
            column = columns[at]
            constant = self.profile.constants.get(field)
            return [c or constant for c in column] if constant else column
        for condition, where in self._conditions:
            if condition.field == field:
                chosen = dict.fromkeys(condition.equals, condition.value)
                return [chosen.get(c.strip(), condition.otherwise) for c in columns[where]]
        constant = self.profile.constants.get(field)
        return [constant] * len(columns[0]) if constant is not None and columns else None

    def read(self, kind: Kind, batch: Batch) -> Parsed:
        """All fields of a batch for one kind."""
        parsed = Parsed(kind, batch)
        if not batch.rows:
            return parsed
        columns = list(zip(*batch.rows, strict=True))
        codes = self._codes(kind, columns, parsed)
        for field in words.VOCABULARY[kind]:
            texts = self.texts(field, columns) if field in self.fields else None
            if texts is None:
                continue
            if field in words.MONEY_FIELDS:
                self._read_money(field, texts, codes, parsed)
            elif field != "currency" or kind == "customer":
                self._read_plain(field, self._reader(kind, field), texts, parsed)
        self._demand(kind, parsed)
        return parsed

    def _reader(self, kind: Kind, field: str) -> Cells:
        if (kind, field) not in self._readers:
            self._readers[kind, field] = self._make_reader(kind, field)
        return self._readers[kind, field]

    def _make_reader(self, kind: Kind, field: str) -> Cells:
        if field in words.DATE_FIELDS:
            order = self.profile.date_orders.get(field) or self.profile.date_order or "YMD"
            return DateCells(order, serials=self.index.get(field) in self._numeric)
        if field in words.ID_FIELDS:
            return cells.IdCells() if self.profile.whole_ids else cells.TextCells()
        if field == "status":
            return StatusCells(kind, self.profile.statuses)
        if field == "debtor_type":
            return cells.ChoiceCells({"business": "business", "b2b": "business", "company": "business", "consumer": "consumer", "b2c": "consumer"})
        if field == "currency":
            return CurrencyOrNone(self.profile.symbols)
        made: dict[str, type[Cells]] = {
            "customer_email": cells.MailCells,
            "email": cells.MailCells,
            "aliases": cells.ListCells,
            "accounts": cells.ListCells,
            "discount_pct": cells.PercentCells,
            "recorded_at": cells.MomentCells,
        }
        return made.get(field, cells.TextCells)()

    def _read_plain(self, field: str, reader: Cells, texts: Sequence[str], parsed: Parsed) -> None:
        before = reader.troubles
        values = reader.read(texts)
        if reader.troubles != before:
            self._note(field, values, texts, parsed)
        parsed.values[field] = values

    @staticmethod
    def _note(field: str, values: list[Any], texts: Sequence[str], parsed: Parsed) -> None:
        for place, value in enumerate(values):
            if type(value) is Refused:
                parsed.trouble(place, field, value, texts[place])
                values[place] = None
            elif type(value) is Noted:
                parsed.trouble(place, field, value, texts[place])
                values[place] = value.value

    def _codes(self, kind: Kind, columns: Sequence[Sequence[str]], parsed: Parsed) -> list[str | None]:
        """The currency of every row: the column's, the condition's, the constant's, or the sign in the amount cell."""
        if kind == "customer":
            return []
        texts = self.texts("currency", columns)
        if texts is not None:
            default = self.profile.currency
            before = self._currencies.troubles
            codes = self._currencies.read([t if t.strip() else default for t in texts] if default else texts)
            if self._currencies.troubles != before:
                self._note("currency", codes, texts, parsed)
            return codes
        if self.profile.currency:
            return [self.profile.currency] * len(parsed.batch.rows)
        return self._codes_by_sign(columns, parsed)

    def _codes_by_sign(self, columns: Sequence[Sequence[str]], parsed: Parsed) -> list[str | None]:
        given = [t for t in (self.texts(f, columns) for f in ("amount", "credit", "debit", "open_amount", "line_amount")) if t is not None]
        codes: list[Any] = []
        for place in range(len(parsed.batch.rows)):
            cell = next((t[place] for t in given if t[place].strip()), "")
            code = currency_in_cell(cell, self.profile.symbols) if cell else None
            codes.append(code)
            if type(code) is Refused:
                parsed.trouble(place, "amount", code, cell)
                codes[place] = None
        return codes

    def _read_money(self, field: str, texts: Sequence[str], codes: list[str | None], parsed: Parsed) -> None:
        readers = self._money[field]
        before = readers.troubles
        values = readers.read(texts, codes)
        if readers.troubles != before:
            self._note(field, values, texts, parsed)
        parsed.values[field] = values

    def _demand(self, kind: Kind, parsed: Parsed) -> None:
        """Mark the rows that lack what their kind cannot do without."""
        for choice in words.NEEDED[kind]:
            if choice == ("amount", "line_amount") and self.profile.one_per == "row":
                choice = ("amount",)
            present = [parsed.values[f] for f in choice if f in parsed.values]
            if any(not any(v is None for v in column) for column in present):
                continue
            for place in range(len(parsed.batch.rows)):
                if all(column[place] is None for column in present) and not self._refused(parsed, place, choice):
                    parsed.trouble(place, choice[0], Refused("missing", f"there is no {' or '.join(choice).replace('_', ' ')}"), "")

    @staticmethod
    def _refused(parsed: Parsed, place: int, fields: Sequence[str]) -> bool:
        fields = [*fields, "currency"] if words.MONEY_FIELDS & set(fields) else fields
        return any(field in fields and type(what) is Refused for field, what, _ in parsed.troubles.get(place, ()))
