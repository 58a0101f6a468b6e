"""`tieout read`: any supported file to canonical records, one JSON object a line.

Exit 0 when every row became a record, 1 when some rows could not be taken (they are in the output, as findings), 2 when a
file cannot be read at all or a question is open.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, NoReturn

import click
import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import NeedsPerson, PortError
from tieout.adapters.ports.format import Profile, RowFinding, Upload
from tieout.adapters.ports.profile import load
from tieout.core.documents import plain


@click.command("read")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=str))
@click.option("--format", "format_name", help="Read as this format instead of recognising it by content.")
@click.option("--profile", "profile_file", type=click.Path(path_type=Path), help="Profile of the columns (YAML or JSON), or the name of a ready one.")
@click.option("--answer", "answers", multiple=True, metavar="CODE=VALUE", help="Answer to a question, such as date_order=DMY or currency=EUR.")
@click.option("--out", default="-", help="Where the records go; - is standard output.")
def command(files: tuple[str, ...], format_name: str | None, profile_file: Path | None, answers: tuple[str, ...], out: str) -> None:
    """Turn FILES into canonical records, one JSON object a line; - is standard input. Gzip is understood."""
    profile = _profile(profile_file)
    given = _answers(answers)
    findings = 0
    with _sink(out) as sink:
        for file in files:
            with _upload(file) as upload:
                findings += _read(upload, profile, given, format_name, sink)
    if findings:
        click.echo(f"{findings} row{'s' if findings > 1 else ''} could not be taken; see kind finding in the output", err=True)
        sys.exit(1)


def _read(upload: Upload, profile: Profile | None, answers: dict[str, str], format_name: str | None, sink: IO[bytes]) -> int:
    """Write the records of one file; the number of rows that could not be taken."""
    encode = msgspec.json.Encoder().encode
    refused = 0
    try:
        with _progress(upload) as progress:
            for record in registry.read(upload, profile=profile, answers=answers, progress=progress, format_name=format_name):
                if isinstance(record, RowFinding):
                    refused += record.blocking
                sink.write(encode(_line(record)) + b"\n")
    except NeedsPerson as error:
        _stop(str(error), *_asked(error))
    except PortError as error:
        message = str(error)
        _stop(message if message.startswith(upload.name) else f"{upload.name}: {message}")
    return refused


def _line(record: msgspec.Struct) -> dict[str, Any]:
    """The record as the contract has it: `kind` and `source_format` first."""
    body = plain(record)
    return {"kind": body.pop("kind"), "source_format": body.pop("source_format", ""), **body}


def _asked(error: NeedsPerson) -> Iterator[str]:
    for question in error.questions:
        yield f"  --answer {question.code}=...   {question.message}"
        for option in question.options:
            yield f"      {option.value}: {option.label}{f' ({option.example})' if option.example else ''}"


def _stop(*lines: str) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(2)


def _profile(file: Path | None) -> Profile | None:
    if file is None:
        return None
    if not file.exists() and str(file) in registry.profiles():
        return registry.profiles()[str(file)]
    try:
        return load(file)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}; ready profiles are {', '.join(registry.profiles())}") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _answers(given: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in given)
    for code, value in pairs.items():
        if not value:
            raise click.UsageError(f"--answer {code}: give it as CODE=VALUE, such as date_order=DMY")
    return pairs


@contextmanager
def _upload(file: str) -> Iterator[Upload]:
    """The file, or standard input put aside first because columns are looked at before they are read."""
    if file != "-":
        try:
            upload = Upload.of_path(file)
            upload.head(1)
        except OSError as error:
            _stop(f"{file}: {error.strerror or error}")
        yield upload
        return
    with tempfile.NamedTemporaryFile() as aside:
        while block := sys.stdin.buffer.read(1 << 20):
            aside.write(block)
        aside.flush()
        upload = Upload.of_path(aside.name)
        upload.name = "standard input"
        yield upload


@contextmanager
def _sink(out: str) -> Iterator[BinaryIO | IO[bytes]]:
    if out == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        file = Path(out).open("wb")  # noqa: SIM115 - only the opening may fail here
    except OSError as error:
        _stop(f"{out}: {error.strerror or error}")
    with file:
        yield file


@contextmanager
def _progress(upload: Upload) -> Iterator[Any]:
    """A bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty() or upload.size < 1 << 20:
        yield None
        return
    with click.progressbar(length=upload.size, label=upload.name, file=sys.stderr) as bar:
        last = 0

        def advance(done: int, _total: int) -> None:
            nonlocal last
            bar.update(max(done - last, 0))
            last = max(done, last)

        yield advance
