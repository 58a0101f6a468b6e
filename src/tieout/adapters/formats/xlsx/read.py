"""A workbook as a table. Cells become text in one plain way: dates in ISO form, numbers with a decimal point.

A number cell is a binary float; like the spreadsheet itself we keep 15 significant digits of it, so that a computed
0.30000000000000004 is the 0.30 that its owner sees.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from tieout.adapters.formats.xlsx.recognise import MOST_STORED
from tieout.adapters.ports.errors import NeedsPerson, Unsupported
from tieout.adapters.ports.format import Option, Profile, Question, Upload
from tieout.adapters.ports.table.source import BATCH, Raw, Row, Sample

#: Unpacked bytes of all parts. A sheet of a million rows and ten columns unpacks to some 400 MB.
MOST_UNPACKED = 1 << 30
MOST_RATIO = 300


def open_table(upload: Upload, profile: Profile | None, answers: Mapping[str, str]) -> SheetTable:
    """The table in a workbook. Raises Unsupported for a broken or locked one, NeedsPerson where several sheets hold rows."""
    with upload.content() as content:
        data = content.read(MOST_STORED + 1)
    if len(data) > MOST_STORED:
        raise Unsupported(f"{upload.name}: workbooks above {MOST_STORED >> 20} MiB are not taken; save the sheet as CSV")
    _refuse_bombs(upload.name, data)
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(data))
        name = _sheet(upload.name, book, answers.get("sheet") or (profile.sheet if profile else None))
        sheet = book.get_sheet_by_name(name)
        return SheetTable(upload, name, sheet)
    except (CalamineError, ValueError, OSError) as error:
        raise Unsupported(f"{upload.name}: the workbook cannot be opened ({error}); is it protected by a password?") from error


def _refuse_bombs(name: str, data: bytes) -> None:
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise Unsupported(f"{name}: the workbook is broken ({error})") from error
    if unpacked > MOST_UNPACKED or (unpacked > 64 << 20 and unpacked > MOST_RATIO * len(data)):
        raise Unsupported(f"{name}: unpacks to {unpacked >> 20} MiB from {len(data)} bytes; refused")


def _sheet(file: str, book: CalamineWorkbook, wanted: str | None) -> str:
    """The sheet to read: the one named, or the only one with rows below a header."""
    if wanted is not None:
        if wanted not in book.sheet_names:
            raise Unsupported(f"{file} has no sheet {wanted!r}; it has {', '.join(book.sheet_names)}")
        return wanted
    filled = [name for name in book.sheet_names if book.get_sheet_by_name(name).height >= 2]
    if len(filled) > 1:
        message = f"{file} has rows on several sheets: {', '.join(filled)}. Which one is it?"
        question = Question(code="sheet", message=message, options=tuple(Option(value=n, label=n) for n in filled))
        raise NeedsPerson(message, questions=(question,))
    return (filled or book.sheet_names)[0]


class SheetTable:
    """One sheet, held in memory (workbooks cannot be streamed: their texts stand apart from their cells)."""

    encoding: str | None = None
    delimiter: str | None = None

    def __init__(self, upload: Upload, sheet: str, content: CalamineSheet) -> None:
        self.name = upload.name
        self.size = upload.size
        self.sheet: str | None = sheet
        numeric: set[int] = set()
        self._rows: list[list[str]] = []
        for row in content.to_python(skip_empty_area=False):
            for at, cell in enumerate(row):
                if type(cell) is float or type(cell) is int:
                    numeric.add(at)
            self._rows.append([_text(cell) for cell in row])
        self.numeric: frozenset[int] = frozenset(numeric)
        self._trim()

    def _trim(self) -> None:
        """Formatting reaches further than cells do: leave out the empty rows and columns at the ends."""
        while self._rows and not any(self._rows[-1]):
            self._rows.pop()
        width = max((at + 1 for row in self._rows for at, cell in enumerate(row) if cell), default=0)
        self._rows = [row[:width] for row in self._rows]

    def _numbered(self) -> list[Row]:
        return [(line, row) for line, row in enumerate(self._rows, 1) if any(row)]

    def sample(self) -> Sample:
        """All rows: they are in memory already."""
        rows = self._numbered()
        return Sample(top=rows, spread=[], whole=True, row_estimate=len(rows))

    def batches(self, *, after: int, width: int) -> Iterator[Raw]:
        """All rows below line `after`, as wide as the header (cells beyond it stay where they are filled)."""
        rows = [(line, list(row)) for line, row in self._numbered() if line > after]
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            done = self.size * (start + len(part)) // max(len(rows), 1)
            _fill(part, width)
            yield Raw(lines=[line for line, _ in part], rows=[row for _, row in part], flaws=[], position=done)


def _fill(rows: Sequence[tuple[int, list[str]]], width: int) -> None:
    """Sheets are as wide as their widest row; a header may be narrower or, with trailing blanks, wider."""
    for _, row in rows:
        row.extend([""] * (width - len(row)))


def _text(cell: Any) -> str:
    kind = type(cell)
    if kind is str:
        return str(cell)
    if kind is float:
        return _number(cell)
    if kind is dt.datetime:
        return str(cell.date().isoformat() if cell.time() == dt.time(0) else cell.isoformat(" ", "seconds"))
    if kind is dt.date:
        return str(cell.isoformat())
    return "" if cell is None else str(cell)


def _number(value: float) -> str:
    """A number cell with 15 significant digits and no exponent."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    short = f"{value:.15g}"
    return short if "e" not in short else f"{value:.15f}".rstrip("0").rstrip(".")
