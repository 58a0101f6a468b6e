"""The shared exam of all connectors: samples read as expected, twice the same, never a float, damage is one of the four errors,
abilities declared are there, no secret in any text.

Each sample in `samples/` is one object, `<stream>.<what>.json`, with a twin `<file>.expected.jsonl`.
`python -m tieout.adapters.ports.connector_exam` writes the twins anew; the difference is reviewed like code.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Connector, NotGenuine, Raw
from tieout.adapters.ports.errors import PortError
from tieout.adapters.ports.exam import floats
from tieout.core.documents import plain

_TWIN = ".expected.jsonl"
_SETTINGS = {"time_zone": "UTC", "account": "acct", "currency": "EUR"}
_NOW = dt.datetime(2026, 6, 10, tzinfo=dt.UTC)


def samples(connector: Connector) -> list[Path]:
    """The sample objects of a connector."""
    return sorted(p for p in (connector.folder / "samples").glob("*.json"))


def reading(connector: Connector, sample: Path) -> str:
    """A sample as it reads now, a line for each record."""
    records = connector.translate(_raw(sample, sample.read_bytes()), _SETTINGS)
    return "".join(json.dumps(plain(record), ensure_ascii=False, sort_keys=True) + "\n" for record in records)


def complaints(connector: Connector) -> Iterator[str]:
    """Everything a connector does not do as agreed, one sentence each; nothing where it passes."""
    m = connector.manifest
    if not (connector.folder / "README.md").exists():
        yield "there is no README.md of its oddities"
    streams = {stream.name for stream in m.streams}
    sampled = {sample.name.split(".")[0] for sample in samples(connector)}
    yield from (f"stream {name} has no sample" for name in sorted(streams - sampled))
    yield from (f"a sample is of {name}, which is no stream" for name in sorted(sampled - streams))
    for sample in samples(connector):
        if sample.name.split(".")[0] in streams:
            yield from (f"{sample.name}: {text}" for text in _of_sample(connector, sample))
    yield from _of_secrets(connector)
    if m.abilities.webhook != "none":
        try:
            connector.delivery(headers={}, body=b"{}", url="https://tieout.example/", secrets=("secret",), now=_NOW)
            yield "takes a delivery without a signature for genuine"
        except NotGenuine:
            pass
    if len({stream.name for stream in m.streams}) != len(m.streams):
        yield "two streams have one name"
    if m.auth == "oauth2" and m.oauth is None:
        yield "is connected by consent and does not say where that is given"


def _of_sample(connector: Connector, sample: Path) -> Iterator[str]:
    twin = sample.with_name(sample.name + _TWIN)
    if not twin.exists():
        yield f"has no twin {twin.name}"
        return
    now = reading(connector, sample)
    if now != twin.read_text("utf-8"):
        yield "does not read as its twin says"
    if reading(connector, sample) != now:
        yield "reads differently the second time"
    yield from (f"carries a float at {path}" for line in now.splitlines() for path in floats(json.loads(line)))
    kinds = set(next(s.kinds for s in connector.manifest.streams if s.name == sample.name.split(".")[0]))
    yield from (f"becomes a {kind}, which its stream does not declare" for kind in {json.loads(line)["kind"] for line in now.splitlines()} - kinds)
    for broken in _damaged(sample.read_bytes()):
        try:
            connector.translate(_raw(sample, broken), _SETTINGS)
        except PortError:
            continue
        except Exception as error:
            yield f"damaged, fails with {type(error).__name__}: {error}"
            return


def _damaged(data: bytes) -> Iterator[bytes]:
    """The object cut short, and with each of its fields missing, of another type, or of a value nobody knows."""
    yield from (data[: len(data) * part // 5] for part in range(5))
    whole: dict[str, Any] = json.loads(data)
    for key in whole:
        yield json.dumps({k: v for k, v in whole.items() if k != key}).encode()
        odd: Any
        for odd in (None, "odd", -1, [], {}):
            yield json.dumps({**whole, key: odd}).encode()


def _of_secrets(connector: Connector) -> Iterator[str]:
    secrets = {field.name: f"secret-{field.name}" for field in connector.manifest.fields if field.secret}
    secrets |= {"access_token": "secret-access", "refresh_token": "secret-refresh"}
    if any(value in connector.base_url(_SETTINGS) for value in secrets.values()):
        yield "has a secret in its address"
    headers = connector.authorise(_SETTINGS, secrets)
    if not any(value in text for text in headers.values() for value in secrets.values()):
        yield "lets itself in without any secret"


def _raw(sample: Path, body: bytes) -> Raw:
    return Raw(stream=sample.name.split(".")[0], id="sample", body=body)


if __name__ == "__main__":
    for one in registry.connectors().values():
        for path in samples(one):
            path.with_name(path.name + _TWIN).write_text(reading(one, path), "utf-8")
            print(path.name)
