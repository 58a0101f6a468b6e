"""What `tieout doctor` sees of the machine before any database is asked: interpreter, packages, data directory, keys."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from tieout import __version__
from tieout.stages.health.finding import Finding, note, ok, wrong

OLDEST_PYTHON = (3, 11)
#: Free space in bytes below which a full disk is near (PostgreSQL stops on one), and below which it is worth knowing.
TIGHT, LOW = 500_000_000, 5_000_000_000

_REQUIRED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?((?:[<>=!~]=?[0-9.]+,?)*)$")


def look(data: Path) -> Iterator[Finding]:
    """Look at this machine; `data` is the data directory."""
    yield from _python()
    yield from _packages()
    yield from _directory(data)
    yield from _keys(data)


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield wrong("python", f"Python {version}", f"use Python {'.'.join(map(str, OLDEST_PYTHON))} or later")
    else:
        yield ok("python", f"Python {version}, Tieout {__version__}")


def _packages() -> Iterator[Finding]:
    missing = [problem for text in metadata.requires("tieout") or () if ";" not in text and (problem := _lacking(text.replace(" ", "")))]
    for problem in missing:
        yield wrong("packages", problem, "install again: `make setup`, or `pip install --upgrade tieout`")
    if not missing:
        yield ok("packages", "all there, in the versions asked for")


def _lacking(required: str) -> str:
    found = _REQUIRED.match(required)
    if found is None:
        return ""
    name, bounds = found.groups()
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is not installed"
    least = re.search(r">=([0-9.]+)", bounds)
    below = re.search(r"<([0-9.]+)", bounds)
    if least and _numbers(installed) < _numbers(least[1]):
        return f"{name} is {installed}, and at least {least[1]} is needed"
    if below and _numbers(installed) >= _numbers(below[1]):
        return f"{name} is {installed}, and a version below {below[1]} is needed"
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    """The release numbers, zeros at the end left out: 5.2 and 5.2.0 are the same."""
    numbers = [int(part) for part in re.match(r"[0-9.]*", version)[0].strip(".").split(".") if part]  # type: ignore[index]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _directory(data: Path) -> Iterator[Finding]:
    if not data.is_dir():
        yield wrong("data directory", f"{data} is not there", "run `tieout init`, or point TIEOUT_DATA at the directory of the installation")
        return
    if not os.access(data, os.W_OK | os.X_OK):
        yield wrong("data directory", f"{data} cannot be written to by this account", f"give it to the account that runs Tieout: `chown` {data}")
        return
    free = shutil.disk_usage(data).free
    says = f"{data}, {free / 1e9:,.1f} GB free"
    if free < TIGHT:
        yield wrong("data directory", says, "free some space: the database stops on a full disk")
    elif free < LOW:
        yield note("data directory", says, "space is getting low")
    else:
        yield ok("data directory", says)


def _keys(data: Path) -> Iterator[Finding]:
    keys = Path(os.environ.get("TIEOUT_KEYS_FILE", str(data / "keys.json")))
    for path, what in ((data / "secret", "secret file"), (keys, "key file")):
        if not path.exists():
            continue
        others = stat.S_IMODE(path.stat().st_mode) & 0o077
        if others:
            yield wrong(what, f"{path} can be read by others (mode {stat.S_IMODE(path.stat().st_mode):04o})", f"`chmod 600 {path}`")
        elif not os.access(path, os.R_OK):
            yield wrong(what, f"{path} cannot be read by this account", f"give it to the account that runs Tieout: `chown` {path}")
        elif path == keys and not _is_keyring(path):
            yield wrong(what, f"{path} is damaged", "put the file of the last backup back; without it stored passwords cannot be opened")
        else:
            yield ok(what, f"{path} is closed to others")


def _is_keyring(path: Path) -> bool:
    try:
        keys = json.loads(path.read_text())
    except ValueError:
        return False
    return isinstance(keys, dict) and bool(keys)
