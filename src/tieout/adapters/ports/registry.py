"""Finds the formats by their folders and hands each file to the one that knows its content.

Nobody names an adapter: whoever reads a file comes here. A folder under `formats/` exports `FORMAT`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from tieout.adapters.ports.channel import Channel
from tieout.adapters.ports.connector import Connector
from tieout.adapters.ports.content import kind_of
from tieout.adapters.ports.door import Door
from tieout.adapters.ports.errors import Unsupported
from tieout.adapters.ports.format import Format, Preview, Profile, Progress, RowFinding, Upload
from tieout.core.documents import Record

_NO_ANSWERS: Mapping[str, str] = MappingProxyType({})


@lru_cache(maxsize=1)
def formats() -> Mapping[str, Format]:
    """Every file format there is, by name."""
    package = importlib.import_module("tieout.adapters.formats")
    found: dict[str, Format] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            adapter: Format = importlib.import_module(f"{package.__name__}.{module.name}").FORMAT
            found[adapter.name] = adapter
    return MappingProxyType(found)


@lru_cache(maxsize=1)
def channels() -> Mapping[str, Channel]:
    """Every way to reach a person, by name. A folder under `channels/` exports `CHANNEL`."""
    return MappingProxyType({one.name: one for one in _exported("channels", "CHANNEL")})


@lru_cache(maxsize=1)
def doors() -> Mapping[str, Door]:
    """Every way things come in by themselves, by name. A folder under `doors/` exports `DOOR`."""
    return MappingProxyType({one.name: one for one in _exported("doors", "DOOR")})


@lru_cache(maxsize=1)
def connectors() -> Mapping[str, Connector]:
    """Every system that can be connected, by name. A folder under `connectors/` exports `CONNECTOR`."""
    return MappingProxyType({one.manifest.name: one for one in _exported("connectors", "CONNECTOR")})


def _exported(family: str, export: str) -> Iterator[Any]:
    package = importlib.import_module(f"tieout.adapters.{family}")
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            yield getattr(importlib.import_module(f"{package.__name__}.{module.name}"), export)


@lru_cache(maxsize=1)
def profiles() -> Mapping[str, Profile]:
    """Every ready profile, by name."""
    return MappingProxyType({name: profile for one in formats().values() for name, profile in one.profiles().items()})


def format_of(upload: Upload, *, name: str | None = None) -> Format:
    """The format of a file by its content, or the one named. Raises Unsupported with what the file is instead."""
    if name is not None:
        if name not in formats():
            raise Unsupported(f"there is no format {name!r}; there are: {', '.join(sorted(formats()))}")
        return formats()[name]
    head = upload.head()
    if not head:
        raise Unsupported(f"{upload.name} is empty")
    scores = {one.name: one.recognise(head, upload) for one in formats().values()}
    best = max(scores, key=lambda key: scores[key])
    if scores[best] > 0:
        return formats()[best]
    kind = kind_of(head) or "of no kind that is known here"
    raise Unsupported(f"{upload.name} is {kind}, by its content; it can be read as: {', '.join(one.title for one in formats().values())}")


def preview(upload: Upload, *, profile: Profile | None = None, answers: Mapping[str, str] = _NO_ANSWERS, format_name: str | None = None) -> Preview:
    """What reading would give, and what must be answered first. Raises Unsupported."""
    return format_of(upload, name=format_name).preview(upload, profile=profile, answers=answers, ready=profiles())


def read(
    upload: Upload,
    *,
    profile: Profile | None = None,
    answers: Mapping[str, str] = _NO_ANSWERS,
    progress: Progress | None = None,
    format_name: str | None = None,
) -> Iterator[Record | RowFinding]:
    """Every row as a record or a finding, as a stream in bounded memory.

    Raises at the call: Unsupported where the content is of no kind we read, NeedsPerson (with `questions`) where the
    columns leave something open that neither `profile` nor `answers` settle.
    """
    chosen = format_of(upload, name=format_name)
    return chosen.read(upload, profile=profile, answers=answers, ready=profiles(), progress=progress)


def reread(rows: Iterable[tuple[int, dict[str, str]]], *, profile: Profile, format_name: str = "csv") -> Iterator[Record | RowFinding]:
    """Mended rows (line, cells by header, as `RowFinding.raw` carried them) read by a profile."""
    return formats()[format_name].reread(rows, profile=profile)
