"""The port of every file format: what goes in, what is asked, what comes out.

A format recognises content (never a name), shows what it would read, asks what it may not guess, and then reads as a
stream: each row becomes a record or a finding, and none is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from tieout.adapters.ports.profile import Condition, Profile, Skip, Source
from tieout.adapters.ports.upload import Upload
from tieout.core.documents import Record
from tieout.core.evidence import Finding

__all__ = ["Condition", "Format", "Option", "Preview", "Profile", "Progress", "Question", "RowFinding", "Skip", "Source", "Upload"]

#: Called now and then with (stored bytes taken, stored bytes in all).
Progress = Callable[[int, int], None]


class Option(msgspec.Struct, frozen=True, omit_defaults=True):
    """One possible answer; `example` shows what it would mean for a cell of this very file."""

    value: str
    label: str
    example: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something the file does not settle. The answer goes into `answers` under `code`."""

    code: str
    message: str
    field: str | None = None
    options: tuple[Option, ...] = ()


class RowFinding(Finding, frozen=True, kw_only=True, tag_field="kind", tag="finding", omit_defaults=True):
    """A finding with the row as it stood, so that it can be mended and read again."""

    raw: Mapping[str, str] = {}


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What reading would give, before anything is stored. `records` and `findings` come from the rows shown."""

    format: str
    profile: Profile
    questions: tuple[Question, ...]
    headers: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    records: tuple[Record, ...]
    findings: tuple[RowFinding, ...]
    row_estimate: int


@runtime_checkable
class Format(Protocol):
    """One kind of file. `recognise` gives 0 (not mine) to 100 (certain) from the first bytes and the stored size."""

    name: str
    title: str
    folder: Path

    def recognise(self, head: bytes, upload: Upload) -> int: ...

    def profiles(self) -> Mapping[str, Profile]: ...

    def preview(self, upload: Upload, *, profile: Profile | None, answers: Mapping[str, str], ready: Mapping[str, Profile]) -> Preview: ...

    def read(
        self,
        upload: Upload,
        *,
        profile: Profile | None,
        answers: Mapping[str, str],
        ready: Mapping[str, Profile],
        progress: Progress | None,
    ) -> Iterator[Record | RowFinding]: ...

    def reread(self, rows: Iterable[tuple[int, dict[str, str]]], *, profile: Profile) -> Iterator[Record | RowFinding]: ...
