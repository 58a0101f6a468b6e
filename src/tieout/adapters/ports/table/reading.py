"""The road of a row: from the file to a record or to a finding. Nothing else can happen to it.

Rows that cannot be taken carry their cells, so that a person can mend them; rows that are no records (totals, headings,
rows the profile leaves out) are named as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import cast, get_args

import msgspec

from tieout.adapters.ports.format import Progress, RowFinding
from tieout.adapters.ports.profile import Kind, Profile
from tieout.adapters.ports.table import build, seen, words
from tieout.adapters.ports.table.cells import Refused, clean
from tieout.adapters.ports.table.plan import HEADING, Batch, Parsed, Plan
from tieout.adapters.ports.table.source import BATCH, Raw, Table
from tieout.core.documents import Record

#: Rows of one invoice that are held together; more than that is no invoice but a stuck number.
MOST_LINES = 10_000

Out = list[Record | RowFinding]


class Reading:
    """One pass over a table with one plan."""

    def __init__(self, plan: Plan, source_format: str) -> None:
        self.plan = plan
        self.seen = seen.Seen(source_format)
        self._heading = ""
        self._held = Batch([], [])

    def records(self, table: Table, *, after: int, progress: Progress | None = None) -> Iterator[Record | RowFinding]:
        """Every row below line `after` as records and findings, in the order of the file."""
        for raw in table.batches(after=after, width=self.plan.width):
            yield from self.take(raw)
            if progress:
                progress(raw.position, table.size)
        yield from self.finish()
        if progress:
            progress(table.size, table.size)

    def take(self, raw: Raw, *, headed: bool = False) -> Out:
        """The records and findings of one batch; `headed` says that the rows already carry the heading they stand under."""
        out: Out = [self._flaw(flaw.line, flaw.code, flaw.message, flaw.text) for flaw in raw.flaws]
        batch = Batch(raw.lines, raw.rows) if headed else self._even(Batch(raw.lines, raw.rows), out)
        if self.plan.profile.heading_field and not headed:
            batch = self._fill_headings(batch, out)
        if self.plan.profile.one_per == "line":
            batch = self._hold_last(batch)
        self._judge(batch, out)
        return self._in_order(out)

    def signed(self, notices: Iterable[RowFinding]) -> Out:
        """Remarks about the file as a whole, signed with the format."""
        return self._in_order(list(notices))

    def finish(self) -> Out:
        """What was held back for a further line of its invoice."""
        out: Out = []
        held, self._held = self._held, Batch([], [])
        self._judge(held, out)
        return self._in_order(out)

    def _in_order(self, out: Out) -> Out:
        """In the order of the file, findings signed with the format; the plain case of records only passes through."""
        if RowFinding in set(map(type, out)):
            for place, record in enumerate(out):
                if type(record) is RowFinding:
                    out[place] = msgspec.structs.replace(record, source_format=self.seen.format)
        elif self.plan.kind_at is None:
            return out
        out.sort(key=lambda record: record.line or 0)
        return out

    def _flaw(self, line: int, code: str, message: str, text: str, *, blocking: bool = True) -> RowFinding:
        raw = {self.plan.keys[0]: text} if text and self.plan.keys else {}
        return RowFinding(code=code, message=message, line=line, blocking=blocking, raw=raw)

    def _even(self, batch: Batch, out: Out) -> Batch:
        """Rows as wide as the header; others are refused, because a cell too many or too few shifts the rest."""
        width = self.plan.width
        if set(map(len, batch.rows)) <= {width}:
            return batch
        keep: list[int] = []
        for place, row in enumerate(batch.rows):
            if len(row) == width:
                keep.append(place)
            elif not any(c.strip() for c in row):
                continue
            elif not any(c.strip() for c in row[width:]) and len(row) > width:
                batch.rows[place] = row[:width]  # type: ignore[index]
                keep.append(place)
            else:
                out.append(self._ragged(batch.lines[place], row))
        return batch.only(keep)

    def _ragged(self, line: int, row: Sequence[str]) -> RowFinding:
        keys = list(self.plan.keys) + [f"#{i + 1}" for i in range(self.plan.width, len(row))]
        raw = dict(zip(keys, row, strict=False))
        short = [c for c in row if c.strip()]
        if len(row) < self.plan.width and len(short) <= 1:
            return RowFinding(code="not_a_row", message=f"no record: {' '.join(short)[:120]}", line=line, blocking=False, raw=raw)
        message = f"the row has {len(row)} cells, the header has {self.plan.width}: a delimiter inside a text, or cells missing"
        return RowFinding(code="ragged_row", message=message, line=line, raw=raw)

    def _fill_headings(self, batch: Batch, out: Out) -> Batch:
        """Give each row the heading it stands under; heading rows themselves are named and left out."""
        lines, rows = [], []
        for line, row in zip(batch.lines, batch.rows, strict=True):
            filled = [c for c in row if c.strip()]
            if len(filled) == 1 and row[0].strip() and not self._is_total(row):
                self._heading = clean(row[0])
                out.append(self._plain(line, row, "heading", f"heading of the rows below: {self._heading[:120]}"))
                continue
            if self._is_total(row):
                self._heading = "" if len(filled) <= 1 else self._heading
            lines.append(line)
            rows.append([*row, self._heading])
        return Batch(lines, rows)

    def _plain(self, line: int, row: Sequence[str], code: str, message: str, *, blocking: bool = False) -> RowFinding:
        return RowFinding(code=code, message=message, line=line, blocking=blocking, raw=self.plan.raw(row))

    def _hold_last(self, batch: Batch) -> Batch:
        """Keep the last invoice back until its further lines have come."""
        lines = [*self._held.lines, *batch.lines]
        rows = [*self._held.rows, *batch.rows]
        at = self.plan.index.get("invoice_id", self.plan.index.get("number", 0))
        cut = len(rows)
        while cut > 0 and rows[cut - 1][at] == rows[-1][at] and len(rows) - cut < MOST_LINES:
            cut -= 1
        self._held = Batch(lines[cut:], rows[cut:])
        return Batch(lines[:cut], rows[:cut])

    def _judge(self, batch: Batch, out: Out) -> None:
        if not batch.rows:
            return
        batch = self._leave_out(batch, out)
        for kind, part in self._by_kind(batch, out):
            self._one_kind(kind, part, out)

    def _leave_out(self, batch: Batch, out: Out) -> Batch:
        """Rows the profile leaves out, each with its reason."""
        for at, words_, reason in self.plan.skips:
            drop = {i for i, row in enumerate(batch.rows) if row[at].strip() in words_}
            out.extend(self._plain(batch.lines[i], batch.rows[i], "left_out", reason) for i in sorted(drop))
            if drop:
                batch = batch.only([i for i in range(len(batch.rows)) if i not in drop])
        return batch

    def _by_kind(self, batch: Batch, out: Out) -> Iterable[tuple[Kind, Batch]]:
        profile, at = self.plan.profile, self.plan.kind_at
        if at is None:
            return [(profile.kind, batch)]
        known = {word.lower(): kind for word, kind in profile.kinds.items()}
        places: dict[str, list[int]] = {}
        for i, row in enumerate(batch.rows):
            word = clean(row[at])
            kind = known.get(word.lower())
            if kind in get_args(Kind):
                places.setdefault(str(kind), []).append(i)
            elif kind == "skip":
                out.append(self._plain(batch.lines[i], row, "left_out", f"{word} is no receivable document"))
            else:
                self._no_kind(batch, i, word, out)
        return [(cast("Kind", kind), batch.only(found)) for kind, found in places.items()]

    def _no_kind(self, batch: Batch, place: int, word: str, out: Out) -> None:
        row, line = batch.rows[place], batch.lines[place]
        if self._is_no_record(line, row, out):
            return
        column = self.plan.profile.kind_column
        message = f"the profile does not say what {word!r} is" if word else "nothing says what kind of document this is"
        out.append(RowFinding(code="kind_unknown", message=message, line=line, column=column, value=word[:200] or None, raw=self.plan.raw(row)))

    def _one_kind(self, kind: Kind, batch: Batch, out: Out) -> None:
        parsed = self.plan.read(kind, batch)
        if parsed.troubles:
            parsed = self._sort_out(parsed, out)
        if not parsed.batch.rows:
            return
        out.extend(build.builder(kind, self.plan)(self.plan, parsed, self.seen))

    def _sort_out(self, parsed: Parsed, out: Out) -> Parsed:
        """Say what is wrong row by row; the rest goes on."""
        blocked = parsed.blocked()
        if self.plan.profile.one_per == "line":
            blocked |= self._whole_invoices(parsed, blocked, out)
        for place, troubles in sorted(parsed.troubles.items()):
            row, line = parsed.batch.rows[place], parsed.batch.lines[place]
            if place in blocked and self._is_no_record(line, row, out):
                continue
            for field, what, cell in troubles:
                blocking = type(what) is Refused
                out.append(seen.finding(self.plan, parsed, place, what.code, what.message, field=field, blocking=blocking, cell=cell))
        return parsed.without(blocked) if blocked else parsed

    def _whole_invoices(self, parsed: Parsed, blocked: set[int], out: Out) -> set[int]:
        """With one line refused the whole invoice waits: its total would be wrong."""
        keys = [own or number for own, number in zip(parsed.get("invoice_id"), parsed.get("number"), strict=True)]
        bad = {keys[i] for i in blocked if keys[i] is not None}
        rest = {i for i, key in enumerate(keys) if key in bad and i not in blocked}
        message = "another line of this invoice could not be read; the invoice waits for it"
        out.extend(seen.finding(self.plan, parsed, i, "invoice_waits", message) for i in sorted(rest))
        return rest

    def _is_no_record(self, line: int, row: Sequence[str], out: Out) -> bool:
        """Blank rows vanish; totals, headings and repeated headers are named without blame."""
        filled = [c for c in row[: self.plan.width] if c.strip()]
        if not filled:
            return True
        if self._is_total(row):
            out.append(self._plain(line, row, "totals_row", f"a row of totals: {' '.join(filled)[:120]}"))
        elif [clean(c) for c in row[: self.plan.width]] == [clean(h) for h in self.plan.header]:
            out.append(self._plain(line, row, "repeated_header", "the header again"))
        elif len(filled) == 1 and self.plan.width > 2 and not filled[0].strip().isdigit():
            out.append(self._plain(line, row, "not_a_row", f"no record: {filled[0].strip()[:120]}"))
        else:
            return False
        return True

    @staticmethod
    def _is_total(row: Sequence[str]) -> bool:
        first = next((clean(c) for c in row if c.strip()), "").lower().rstrip(":")
        return first in words.TOTALS or first.startswith(("total for ", "total ", "grand total", "subtotal ", "summe "))


def reread(rows: Iterable[tuple[int, dict[str, str]]], *, profile: Profile, source_format: str) -> Iterator[Record | RowFinding]:
    """Mended rows, as their findings carried them, read by the profile they were first read by."""
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        return
    reading = Reading(Plan(profile, [key for key in first[1] if key != HEADING]), source_format)
    headed = bool(profile.heading_field)
    keys = [*reading.plan.keys, HEADING] if headed else list(reading.plan.keys)
    for batch in _batches(chain([first], waiting)):
        cells = [[raw.get(key, "") for key in keys] for _, raw in batch]
        yield from reading.take(Raw(lines=[line for line, _ in batch], rows=cells, flaws=[], position=0), headed=headed)
    yield from reading.finish()


def _batches(rows: Iterator[tuple[int, dict[str, str]]]) -> Iterator[list[tuple[int, dict[str, str]]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
