"""The shared exam of all formats: samples read as expected, twice the same, never a float, failures of the four kinds.

Each sample in a format's `samples/` has a twin `<sample>.expected.jsonl`, and answers beside it where it needs some
(`<sample>.answers.json`). `python -m tieout.adapters.ports.exam` writes the twins anew; the difference is reviewed like code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import PortError
from tieout.adapters.ports.format import Format, RowFinding, Upload
from tieout.adapters.ports.profile import from_plain
from tieout.core.documents import plain

_TWIN = ".expected.jsonl"
_ANSWERS = ".answers.json"


def samples(adapter: Format) -> list[Path]:
    """The sample files of a format, without their twins and answers."""
    return sorted(p for p in (adapter.folder / "samples").iterdir() if p.is_file() and not p.name.endswith((_TWIN, _ANSWERS)))


def twin(sample: Path) -> Path:
    """The expected reading of a sample."""
    return sample.with_name(sample.name + _TWIN)


def answers(sample: Path) -> Mapping[str, str]:
    """The answers a sample needs; none as a rule."""
    path = sample.with_name(sample.name + _ANSWERS)
    given: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return given


def reading(sample: Path) -> list[dict[str, Any]]:
    """A sample as it reads now, as plain data."""
    upload = Upload.of_path(sample)
    return [plain(record) for record in registry.read(upload, answers=answers(sample))]


def complaints(adapter: Format) -> Iterator[str]:
    """Everything a format does not do as agreed, one sentence each; nothing where it passes."""
    if not (adapter.folder / "README.md").exists():
        yield "there is no README.md of its quirks"
    found = samples(adapter)
    if not found:
        yield "there are no samples"
    for sample in found:
        yield from (f"{sample.name}: {text}" for text in _of_sample(adapter, sample))
        yield from (f"{sample.name}: {text}" for text in _of_damage(adapter, sample))


def _of_sample(adapter: Format, sample: Path) -> Iterator[str]:
    data = sample.read_bytes()
    disguised = Upload.of_bytes("document.pdf", data)
    if registry.format_of(disguised).name != adapter.name:
        yield "is not recognised by its content"
    if not twin(sample).exists():
        yield f"has no twin {twin(sample).name}; write it with python -m tieout.adapters.ports.exam"
        return
    now = reading(sample)
    if _jsonl(now) != twin(sample).read_text("utf-8"):
        yield "does not read as its twin says"
    if reading(sample) != now:
        yield "reads differently the second time"
    yield from (f"carries a float at {path}" for body in now for path in floats(body))
    yield from _of_profile(adapter, sample, now)


def _of_profile(adapter: Format, sample: Path, now: list[dict[str, Any]]) -> Iterator[str]:
    """A profile that a preview proposes can be stored, and alone reads the file the same way; findings can be replayed."""
    shown = registry.preview(Upload.of_path(sample), answers=answers(sample))
    stored = from_plain(json.loads(msgspec.json.encode(shown.profile)))
    again = list(registry.read(Upload.of_path(sample), profile=stored))
    if [plain(r) for r in again] != now:
        yield "reads differently by the profile that its own preview proposed"
    refused = [r for r in again if isinstance(r, RowFinding) and r.blocking and r.raw and len(r.raw) == len(shown.headers)]
    for finding in refused:
        replayed = list(adapter.reread([(finding.line or 0, dict(finding.raw))], profile=stored))
        if finding.code not in {r.code for r in replayed if isinstance(r, RowFinding)}:
            yield f"the refused row of line {finding.line} does not come back when read again unchanged"


def _of_damage(adapter: Format, sample: Path) -> Iterator[str]:
    """Cut short or damaged, a file gives records, findings or one of the four refusals; nothing else."""
    data = sample.read_bytes()
    damaged = [data[: len(data) * part // 7] for part in range(7)]
    damaged += [data[:place] + bytes([value]) + data[place + 1 :] for place in range(0, len(data), max(len(data) // 12, 1)) for value in (0, 34, 255)]
    for number, broken in enumerate(damaged):
        try:
            for record in adapter.read(
                Upload.of_bytes(sample.name, broken), profile=None, answers=answers(sample), ready=registry.profiles(), progress=None
            ):
                msgspec.json.encode(plain(record))
        except PortError:
            continue
        except Exception as error:
            yield f"damaged copy {number} fails with {type(error).__name__}: {error}"


def floats(value: Any, path: str = "$") -> Iterator[str]:
    """Where floats stand in plain data; money never is one."""
    if isinstance(value, float):
        yield path
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from floats(part, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            yield from floats(part, f"{path}[{place}]")


def _jsonl(bodies: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(body, ensure_ascii=False, sort_keys=True) + "\n" for body in bodies)


def write_twins() -> list[Path]:
    """Write the twin of every sample of every format anew."""
    written = []
    for adapter in registry.formats().values():
        for sample in samples(adapter):
            twin(sample).write_text(_jsonl(reading(sample)), "utf-8")
            written.append(twin(sample))
    return written


if __name__ == "__main__":
    for path in write_twins():
        print(path)
