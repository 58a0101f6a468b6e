"""A CSV file as a table: a sample to understand it by, and its rows in batches with true line numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice

from tieout.adapters.formats.csv.dialect import delimiter_of
from tieout.adapters.formats.csv.encoding import check, encoding_of, is_utf8, single_byte
from tieout.adapters.formats.csv.lines import LONGEST, Lines
from tieout.adapters.ports.errors import Unsupported
from tieout.adapters.ports.format import Profile, Upload
from tieout.adapters.ports.table.source import BATCH, FIRST, WHOLE, Flaw, Raw, Row, Sample
from tieout.adapters.ports.upload import Content, Reader

#: Longest cell. A quotation mark that never closes is found out after this many characters.
LONGEST_CELL = 1 << 17
csv.field_size_limit(LONGEST_CELL)

#: Rows taken apart because of stray quotation marks before the file is given up: each costs up to a cell of re-reading.
MOST_REPAIRS = 200

#: Places from which a large file is sampled besides its beginning, and the bytes looked at in each.
PLACES = 40
LOOKED = 1 << 16


def open_table(upload: Upload, profile: Profile | None, answers: Mapping[str, str]) -> CsvTable:
    """The table in a file. Raises Unsupported where the bytes are no text in any encoding we know."""
    head = upload.head(1 << 20)
    named = answers.get("encoding") or (profile.encoding if profile else None)
    encoding = encoding_of(head)
    if named and not _same_family(check(named), encoding):
        encoding = check(named)
    return CsvTable(upload, encoding, answers.get("delimiter") or (profile.delimiter if profile else None))


def _same_family(named: str, found: str) -> bool:
    """Whether the file says better itself: by a byte-order mark, or as UTF-8 where UTF-8 was named."""
    return found in ("utf-8-sig", "utf-16") or (found == "utf-8" and named in ("utf-8", "utf-8-sig"))


class CsvTable:
    """One CSV file, open for reading again and again."""

    sheet: str | None = None
    numeric: frozenset[int] = frozenset()

    def __init__(self, upload: Upload, encoding: str, delimiter: str | None) -> None:
        self.name = upload.name
        self.size = upload.size
        self._upload = upload
        self._position: Callable[[], int] = lambda: 0
        self.encoding: str | None = self._look_through(encoding)
        self.delimiter: str | None = delimiter or self._find_delimiter()

    def _look_through(self, encoding: str) -> str:
        """One fast pass over the bytes: is UTF-8 true to the end, are there NUL bytes, quotation marks, endless lines?

        Where UTF-8 breaks further down, the whole file is read in the encoding of those bytes.
        """
        wide = encoding.startswith("utf-16")
        self._tame, self._quoted = not wide, wide
        tail = b""
        with self._upload.content() as content:
            while block := content.read(LONGEST // 2):
                if not wide:
                    self._tame = self._tame and b"\0" not in block and (b"\n" in block or len(block) < LONGEST // 2)
                    self._quoted = self._quoted or b'"' in block or b"\r" in block.replace(b"\r\n", b"").rstrip(b"\r")
                if encoding == "utf-8" and not (tail + block).isascii():
                    data = tail + block
                    cut = max(data.rfind(b"\n") + 1, len(data) - 8)
                    if not is_utf8(data[:cut]):
                        encoding = single_byte(data[:cut])
                    tail = data[cut:]
                else:
                    tail = b""
        return encoding

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        content = self._upload.content()
        with content, io.BufferedReader(Reader(content), 1 << 16) as binary:
            self._position = lambda: content.position
            yield io.TextIOWrapper(binary, encoding=self.encoding, errors="replace", newline="")

    def _find_delimiter(self) -> str:
        text = self._upload.head(1 << 18).decode(self.encoding or "utf-8", errors="replace").replace("\0", "")
        return delimiter_of(text.splitlines(keepends=True)[:200])

    def sample(self) -> Sample:
        """The whole file up to 50,000 rows; else its beginning and evenly spread places."""
        top: list[Row] = []
        width = 0
        for raw in self._batches(after=0, width=None):
            top.extend(zip(raw.lines, raw.rows, strict=True))
            width = max(width, *(len(row) for row in raw.rows[:50]), 0) if raw.rows else width
            if len(top) > WHOLE:
                return self._large(top)
        return Sample(top=top, spread=[], whole=True, row_estimate=len(top))

    def _large(self, top: list[Row]) -> Sample:
        read_so_far = sum(len(",".join(row)) + 1 for _, row in top[:FIRST])
        with self._upload.content() as content:
            length = content.length
            spread = [row for place in range(1, PLACES) for row in self._look(content, length * place // PLACES)]
        estimate = max(len(top), int(length / max(read_so_far / FIRST, 1)))
        return Sample(top=top[:FIRST], spread=spread, whole=False, row_estimate=estimate)

    def _look(self, content: Content, offset: int) -> list[Row]:
        """The full lines in a stretch of the file; line numbers are not known there and stay 0."""
        content.seek(offset - offset % 2)
        data: bytes = content.read(LOOKED)
        encoding = "utf-16-le" if self.encoding == "utf-16" else (self.encoding or "utf-8")
        lines = data.decode(encoding, errors="replace").splitlines(keepends=True)[1:-1]
        try:
            return [(0, row) for row in csv.reader(lines, delimiter=self.delimiter or ",") if row]
        except csv.Error:
            return []

    def batches(self, *, after: int, width: int) -> Iterator[Raw]:
        """All rows below line `after`, with what could not be made a row."""
        return self._batches(after=after, width=width)

    def _batches(self, *, after: int, width: int | None) -> Iterator[Raw]:
        if self._tame and not self._quoted:
            yield from self._plain_batches(after)
            return
        with self._text() as text:
            lines = Lines(text, tame=self._tame)
            repairs = 0
            while True:
                lines.forget()
                first = lines.count + 1
                rows: list[list[str]] = []
                broken = False
                try:
                    rows.extend(islice(csv.reader(lines, delimiter=self.delimiter or ","), BATCH))
                except csv.Error:
                    broken = True
                if not rows and not broken:
                    return
                raw = Raw(lines=range(first, first + len(rows)), rows=rows, flaws=[], position=self._position())
                plain = len(lines.taken) == len(rows) and not broken and not lines.nul and not lines.too_long
                if not plain or (width is not None and not set(map(len, rows)) <= {width}):
                    repairs += self._carefully(raw, lines, first, width)
                    if repairs > MOST_REPAIRS:
                        raise Unsupported(f"{self.name}: the quotation marks do not pair up ({repairs} stray ones by line {lines.count})")
                if after >= first:
                    _drop_until(raw, after)
                yield raw

    def _plain_batches(self, after: int) -> Iterator[Raw]:
        """Without quotation marks every line is a row, so nothing needs to be remembered for repairs."""
        with self._text() as text:
            reader = csv.reader(text, delimiter=self.delimiter or ",")
            first = 1
            while True:
                rows: list[list[str]] = []
                flaws: list[Flaw] = []
                try:
                    rows.extend(islice(reader, BATCH))
                except csv.Error:
                    line = first + len(rows)
                    flaws.append(Flaw(line, "cell_too_long", f"a cell of this line is longer than {LONGEST_CELL} characters"))
                if not rows and not flaws:
                    return
                raw = Raw(lines=range(first, first + len(rows)), rows=rows, flaws=flaws, position=self._position())
                first += len(rows) + len(flaws)
                if after >= first - len(rows) - len(flaws):
                    _drop_until(raw, after)
                yield raw

    def _carefully(self, raw: Raw, lines: Lines, first: int, width: int | None) -> int:
        """Row by row: true line numbers, rows with NUL bytes set aside, rows that swallowed others taken apart."""
        taken = list(lines.taken)
        reader = csv.reader(iter(taken), delimiter=self.delimiter or ",")
        numbers: list[int] = []
        rows: list[list[str]] = []
        start = 0
        swallowed = False
        while start < len(taken):
            try:
                row = next(reader, None)
            except csv.Error:
                row, swallowed = None, True
                break
            if row is None:
                break
            if reader.line_num - start > 1 and width is not None and len(row) != width:
                swallowed = True
                break
            self._take(row, first + start, taken[start], numbers, rows, raw.flaws)
            start = reader.line_num
        if swallowed:
            message = "a quotation mark in this line has no partner where one could be"
            raw.flaws.append(Flaw(first + start, "stray_quote", message, taken[start].rstrip("\r\n")[:2000]))
            lines.put_back(taken[start + 1 :])
        for number, text in lines.too_long:
            raw.flaws.append(Flaw(number, "line_too_long", "the line is longer than a million characters; stepped over", text))
        raw.lines, raw.rows = numbers, rows
        return int(swallowed)

    @staticmethod
    def _take(row: list[str], number: int, text: str, numbers: list[int], rows: list[list[str]], flaws: list[Flaw]) -> None:
        if "\0" in text and any("\0" in cell for cell in row):
            shown = text.replace("\0", "\u2400").strip()[:2000]
            flaws.append(Flaw(number, "nul_bytes", "the line holds NUL bytes: the file was damaged on its way", shown))
        elif row:
            numbers.append(number)
            rows.append(row)


def _drop_until(raw: Raw, after: int) -> None:
    """Leave out the lines above the rows."""
    numbers: Sequence[int] = raw.lines
    keep = [i for i, number in enumerate(numbers) if number > after]
    raw.lines = [numbers[i] for i in keep]
    raw.rows = [raw.rows[i] for i in keep]
    raw.flaws = [flaw for flaw in raw.flaws if flaw.line > after]
