"""Words for the tests of readers: files made of text, and what they read as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieout.adapters.ports import registry
from tieout.adapters.ports.format import Profile, RowFinding, Upload
from tieout.core.documents import plain

HEADER = "invoice_id,customer_id,customer_name,issue_date,due_date,currency,amount"


def upload(content: str | bytes, *, name: str = "export.csv") -> Upload:
    """A file with this content."""
    return Upload.of_bytes(name, content.encode() if isinstance(content, str) else content)


def invoices(*rows: str, header: str = HEADER) -> Upload:
    """A file of invoices with these rows."""
    return upload("\n".join([header, *rows]) + "\n")


def read(file: Upload, *, profile: Profile | None = None, answers: Mapping[str, str] | None = None) -> tuple[list[Any], list[RowFinding]]:
    """The records and the findings of a file; notices about unused columns left aside."""
    everything = list(registry.read(file, profile=profile, answers=answers or {}))
    findings = [r for r in everything if isinstance(r, RowFinding) and r.code != "columns_ignored"]
    return [r for r in everything if not isinstance(r, RowFinding)], findings


def kinds(records: list[Any], kind: str) -> list[dict[str, Any]]:
    """The records of one kind as plain data."""
    return [body for body in map(plain, records) if body["kind"] == kind]
