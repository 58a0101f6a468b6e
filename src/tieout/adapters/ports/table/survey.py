"""Understanding a table before reading it: its header, what its columns mean, and what only a person can say.

What a profile already says is believed. What is missing is taken from the whole column where that leaves one possibility;
otherwise it becomes a question. `answers` settle questions by their code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tieout.adapters.ports.errors import NeedsPerson, Unsupported
from tieout.adapters.ports.format import Question, RowFinding
from tieout.adapters.ports.profile import Profile
from tieout.adapters.ports.table import columns, headers, mapping, words
from tieout.adapters.ports.table.source import Row, Sample, Table


class Survey(msgspec.Struct):
    """What is known of a table: `profile` completed as far as the file allows, and what is still asked."""

    profile: Profile
    questions: tuple[Question, ...]
    header: tuple[str, ...]
    after: int  # line of the header row; rows start below it
    rows: list[Row]  # the rows looked at
    notices: tuple[RowFinding, ...]
    row_estimate: int


def survey(table: Table, *, profile: Profile | None, answers: Mapping[str, str], ready: Mapping[str, Profile]) -> Survey:
    """Look at a table. Raises Unsupported where it holds nothing or no header can be found."""
    sample = table.sample()
    if not any(any(c.strip() for c in row) for _, row in sample.top):
        raise Unsupported(f"{table.name} is empty: there are no rows in it")
    at, header = _header(table, sample, profile, ready)
    line = sample.top[at][0] if at is not None else 0
    rows = [row for row in sample.top[0 if at is None else at + 1 :] if any(c.strip() for c in row[1])]
    rows += [row for row in sample.spread if len(row[1]) == len(header)]
    looked = columns.Looked(header, [row for _, row in rows if len(row) == len(header)], table.numeric)
    base, asked = mapping.settle(header, looked, profile=profile, answers=answers, ready=ready)
    base, more = columns.complete(base, looked, answers) if not asked else (base, ())
    notices = _notices(base, header, profile, line, sample)
    done = msgspec.structs.replace(
        base,
        fingerprint=headers.fingerprint(header),
        header_row=line,
        encoding=table.encoding,
        delimiter=table.delimiter,
        sheet=table.sheet,
    )
    return Survey(done, (*asked, *more), tuple(header), line, rows, notices, sample.row_estimate)


def settled(table: Table, *, profile: Profile | None, answers: Mapping[str, str], ready: Mapping[str, Profile]) -> Survey:
    """The same, for reading: raises NeedsPerson with the questions where anything is open."""
    found = survey(table, profile=profile, answers=answers, ready=ready)
    if found.questions:
        asked = " ".join(question.message for question in found.questions)
        raise NeedsPerson(f"{table.name} cannot be read without an answer: {asked}", questions=found.questions)
    return found


def _header(table: Table, sample: Sample, profile: Profile | None, ready: Mapping[str, Profile]) -> tuple[int | None, list[str]]:
    if profile is not None and profile.header_row == 0:
        width = max(len(row) for _, row in sample.top)
        return None, [""] * width
    at = headers.find_for(sample.top, profile) if profile is not None and profile.columns else None
    if at is None:
        at = headers.find(sample.top, ready, words.KNOWN)
    if at is None:
        first = next(row for _, row in sample.top if any(c.strip() for c in row))
        message = f"{table.name}: no header row was found in the first {headers.DEEPEST} lines (the first row is {' | '.join(first)[:200]!r})"
        question = Question(
            code="header_row",
            message=f"{message}. Add a row of column names, or give a profile with header_row 0 and columns by place (#1, #2).",
        )
        raise NeedsPerson(question.message, questions=(question,))
    return at, list(sample.top[at][1])


def _notices(base: Profile, header: Sequence[str], given: Profile | None, line: int, sample: Sample) -> tuple[RowFinding, ...]:
    """Remarks about the file as a whole; none of them stops it."""
    out: list[RowFinding] = []
    used = {at for name in _columns_used(base) for at in headers.positions(header, name)}
    ignored = [key for at, key in enumerate(headers.keys_of(header)) if at not in used and header[at].strip()]
    if ignored:
        out.append(RowFinding(code="columns_ignored", message=f"columns not used: {', '.join(ignored)}", line=line or None, blocking=False))
    if given is not None and given.fingerprint and given.fingerprint != headers.fingerprint(header):
        message = "the header row differs from the one the profile was made for; its columns were found all the same"
        out.append(RowFinding(code="header_changed", message=message, line=line or None, blocking=False))
    if sample.whole and not any(any(c.strip() for c in row) for at, row in sample.top if at > line):
        out.append(RowFinding(code="no_rows", message="there is a header row and nothing below it", line=line or None, blocking=False))
    return tuple(out)


def _columns_used(profile: Profile) -> list[str]:
    names = [*profile.columns.values(), *(c.column for c in profile.conditions), *(s.column for s in profile.skip)]
    return [*names, profile.kind_column] if profile.kind_column else names
