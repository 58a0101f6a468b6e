"""`tieout push FOLDER`: carry the exports of a legacy system into a tieout that runs elsewhere, by its push API."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import httpx2
import msgspec

from tieout.adapters.ports import registry
from tieout.adapters.ports.errors import NeedsPerson, PortError, Unsupported
from tieout.adapters.ports.format import Profile, RowFinding, Upload
from tieout.core.documents import CreditNote, Customer, Invoice, Payment, plain

#: Objects in one request, and the bytes after which no more are added; the other side takes 1,000 and 5 MB.
BATCH, BYTES = 500, 3 * 1024 * 1024
_TRIES, _WAIT_SECONDS, _TIMEOUT_SECONDS = 4, 1.0, 120.0
_WHERE: dict[type, tuple[str, str]] = {
    Customer: ("customers", "customer_id"), Invoice: ("invoices", "invoice_id"), CreditNote: ("credit-notes", "credit_note_id"),
    Payment: ("payments", "payment_id"),
}  # fmt: skip
#: What a reader notes that is about the file and not about the object.
_NOT_SENT = ("kind", "source_format", "line", "source_status", "recorded_at", "due_date_source", "tier")


class _Ended(click.ClickException):
    """The other side cannot be reached or does not let us in: nothing more is sent."""

    exit_code = 2

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - the signature is the framework's
        click.echo(f"tieout: {self.message}", err=True)


@click.command("push")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--to", "url", required=True, metavar="URL", help="Where the other tieout is reached, such as https://tieout.example.")
@click.option("--key", required=True, envvar="TIEOUT_PUSH_KEY", help="The key of its connection (tk_…); better given as TIEOUT_PUSH_KEY.")
@click.option("--profile", "profile_name", help="The ready profile to read every file by, instead of recognising its columns.")
@click.option("--answer", "answers", multiple=True, metavar="CODE=VALUE", help="Answer to a question, such as date_order=DMY or currency=EUR.")
def command(folder: Path, url: str, key: str, profile_name: str | None, answers: tuple[str, ...]) -> None:
    """Read each supported file of FOLDER and post its records. Doing it again changes nothing there.

    Exit 1 where some rows or objects were not taken, 2 where a file cannot be read or the other side does not let us in.
    """
    given = dict(text.partition("=")[::2] for text in answers)
    if profile_name is not None and profile_name not in registry.profiles():
        raise click.UsageError(f"there is no profile {profile_name!r}; there are: {', '.join(registry.profiles())}")
    profile = registry.profiles()[profile_name] if profile_name else None
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    findings = unread = 0
    with httpx2.Client(base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT_SECONDS) as client:
        for path in files:
            try:
                counts, said = _file(client, path, profile, given)
            except Unsupported as error:
                click.echo(f"{path.name}: skipped: {error}", err=True)
                continue
            except (NeedsPerson, PortError, OSError) as error:
                click.echo(f"{path.name}: {error}", err=True)
                unread += 1
                continue
            findings += counts["refused"] + counts["set aside"]
            click.echo(f"{path.name}: " + ", ".join(f"{counts[name]} {name}" for name in ("taken", "refused", "set aside", "not pushed")))
            for line in said[:20]:
                click.echo(f"  {line}", err=True)
    if not files:
        click.echo(f"tieout: there is no file in {folder}", err=True)
    sys.exit(2 if unread or not files else 1 if findings else 0)


def _file(client: httpx2.Client, path: Path, profile: Profile | None, answers: Mapping[str, str]) -> tuple[Counter[str], list[str]]:
    """Post one file; what became of its records, and what was said of those that were not taken."""
    with path.open("rb") as handle:
        content = hashlib.file_digest(handle, "sha256")
    # Read in another way, the same file is another request.
    content.update(json.dumps([dict(answers), msgspec.to_builtins(profile)], sort_keys=True, default=str).encode())
    counts: Counter[str] = Counter()
    said: list[str] = []

    def aside(finding: RowFinding) -> None:
        counts["set aside"] += 1
        said.append(f"line {finding.line or '-'}: {finding.message}")

    for number, (where, objects) in enumerate(_batches(path, profile, answers, aside, counts), 1):
        answer = _posted(client, where, objects, f"{content.hexdigest()}-{number}")
        counts["taken"] += len(answer.get("taken", ()))
        for one in answer.get("refused", ()):
            counts["refused"] += 1
            said.extend(f"{where} {one['external_id']}: {'.'.join(map(str, wrong['loc'][1:]))} {wrong['message']}" for wrong in one["errors"])
    return counts, said


def _batches(
    path: Path, profile: Profile | None, answers: Mapping[str, str], aside: Callable[[RowFinding], None], counts: Counter[str]
) -> Iterator[tuple[str, list[bytes]]]:
    """The records of a file as they are posted. An id that comes again begins a batch of its own, for the later one speaks."""
    waiting: dict[str, dict[str, bytes]] = {where: {} for where, _ in _WHERE.values()}
    sizes: Counter[str] = Counter()
    for record in registry.read(Upload.of_path(str(path)), profile=profile, answers=answers):
        if isinstance(record, RowFinding):
            if record.blocking:
                aside(record)
            continue
        if type(record) not in _WHERE:
            counts["not pushed"] += 1
            continue
        where, key = _WHERE[type(record)]
        body = {name: value for name, value in plain(record).items() if name not in _NOT_SENT and value not in ("", None)}
        body["id"] = body.pop(key, "")
        encoded = msgspec.json.encode(body)
        if body["id"] in waiting[where] or len(waiting[where]) == BATCH or sizes[where] + len(encoded) > BYTES:
            yield where, list(waiting[where].values())
            waiting[where], sizes[where] = {}, 0
        waiting[where][body["id"]] = encoded
        sizes[where] += len(encoded)
    for where, objects in waiting.items():
        if objects:
            yield where, list(objects.values())


def _posted(client: httpx2.Client, where: str, objects: list[bytes], key: str) -> dict[str, Any]:
    """Post a batch, again where the line or the other side failed for a moment: the key makes that harmless."""
    why = ""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_WAIT_SECONDS * 2 ** (attempt - 1))
        try:
            headers = {"Content-Type": "application/json", "Idempotency-Key": key}
            response = client.post(f"/api/v1/{where}", content=b"[" + b",".join(objects) + b"]", headers=headers)
        except httpx2.TransportError as error:
            why = f"{client.base_url} cannot be reached: {error}"
            continue
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _Ended(str(error)) from None
        if response.status_code in (429, 502, 503, 504):
            why = f"{client.base_url} is busy ({response.status_code})"
            continue
        return _understood(response)
    raise _Ended(why)


def _understood(response: httpx2.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    # A refusal of every object is an answer like any other; any other problem ends it all.
    if isinstance(answer, dict) and (response.status_code in (200, 207) or "refused" in answer):
        return answer
    detail = answer.get("detail", "") if isinstance(answer, dict) else "this is no push API"
    raise _Ended(f"{response.url}: {response.status_code}: {detail}")
