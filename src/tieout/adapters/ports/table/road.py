"""The port of tabular formats, so that a format folder only says how its bytes become rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path

from tieout.adapters.ports.format import Preview, Progress, RowFinding, Upload
from tieout.adapters.ports.profile import Profile, load
from tieout.adapters.ports.table import reading
from tieout.adapters.ports.table.headers import keys_of
from tieout.adapters.ports.table.plan import Plan
from tieout.adapters.ports.table.source import Raw, Table
from tieout.adapters.ports.table.survey import Survey, settled, survey
from tieout.core.documents import Record

#: Rows that a preview shows.
SHOWN = 20

OpenTable = Callable[[Upload, Profile | None, Mapping[str, str]], Table]


class TableFormat:
    """A format whose files are one table: `open_table` gives its rows, `recognise` knows its bytes."""

    def __init__(self, *, name: str, title: str, folder: Path, recognise: Callable[[bytes, Upload], int], open_table: OpenTable) -> None:
        self.name = name
        self.title = title
        self.folder = folder
        self._recognise = recognise
        self._open = open_table

    def recognise(self, head: bytes, upload: Upload) -> int:
        """How sure the format is of these bytes, 0 to 100."""
        return self._recognise(head, upload)

    @cached_property
    def _ready(self) -> Mapping[str, Profile]:
        files = sorted((self.folder / "profiles").glob("*.yaml"))
        return {profile.name: profile for profile in map(load, files)}

    def profiles(self) -> Mapping[str, Profile]:
        """The ready profiles that come with the format."""
        return self._ready

    def preview(self, upload: Upload, *, profile: Profile | None, answers: Mapping[str, str], ready: Mapping[str, Profile]) -> Preview:
        """What reading would give; with open questions there are rows but no records."""
        table = self._open(upload, profile, answers)
        found = survey(table, profile=profile, answers=answers, ready=ready)
        shown = list(islice(((line, row) for line, row in found.rows if len(row) == len(found.header)), SHOWN))
        made: list[Record | RowFinding] = [*found.notices]
        plan = None if found.questions else Plan(found.profile, found.header, numeric=table.numeric)
        if plan:
            read = reading.Reading(plan, self.name)
            made += read.take(Raw(lines=[line for line, _ in shown], rows=[list(row) for _, row in shown], flaws=[], position=0))
            made += read.finish()
        return Preview(
            format=self.name,
            profile=found.profile,
            questions=found.questions,
            headers=keys_of(found.header),
            rows=tuple(dict(zip(keys_of(found.header), row, strict=True)) for _, row in shown),
            records=tuple(r for r in made if not isinstance(r, RowFinding)),
            findings=tuple(r for r in made if isinstance(r, RowFinding)),
            row_estimate=found.row_estimate,
        )

    def read(
        self,
        upload: Upload,
        *,
        profile: Profile | None,
        answers: Mapping[str, str],
        ready: Mapping[str, Profile],
        progress: Progress | None,
    ) -> Iterator[Record | RowFinding]:
        """All rows. Raises Unsupported or NeedsPerson at the call, before the first record."""
        table = self._open(upload, profile, answers)
        found = settled(table, profile=profile, answers=answers, ready=ready)
        plan = Plan(found.profile, found.header, numeric=table.numeric)
        return self._records(table, found, plan, progress)

    def _records(self, table: Table, found: Survey, plan: Plan, progress: Progress | None) -> Iterator[Record | RowFinding]:
        found.rows.clear()  # the rows looked at are not needed any more
        read = reading.Reading(plan, self.name)
        yield from read.signed(found.notices)
        yield from read.records(table, after=found.after, progress=progress)

    def reread(self, rows: Iterable[tuple[int, dict[str, str]]], *, profile: Profile) -> Iterator[Record | RowFinding]:
        """Mended rows by the profile they were first read by."""
        return reading.reread(rows, profile=profile, source_format=self.name)
