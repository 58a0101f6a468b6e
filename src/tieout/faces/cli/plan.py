"""`tieout plan`: who is due what today, from files."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tieout.core.policy import book, language, packs
from tieout.core.policy.schema import PolicyInvalid
from tieout.core.policy.situation import Decision
from tieout.faces.cli import _situations, _tables

COLUMNS = ("customer_id", "invoice_ids", "step", "channel", "decision", "reason", "not_before")
EXPLAINED = ("tone", "approval", "escalate_to", "amounts", "trace")


def policy_of(path: str | None) -> language.Policy:
    """The policy in `path`, or the default one. Raises UnreadableInput (exit 2) with every problem of the file."""
    if path is None:
        return language.read_policy(packs.pack_text("default"))
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _tables.UnreadableInput(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return language.read_policy(text)
    except PolicyInvalid as invalid:
        raise _tables.UnreadableInput("\n".join(f"{path}, {problem}" for problem in invalid.problems)) from None


def _records(decisions: list[Decision]) -> Iterator[dict[str, Any]]:
    """A row per decision; documents that wait beside a send or a task get a hold row per reason."""
    for d in decisions:
        yield {
            "customer_id": d.customer_id,
            "invoice_ids": list(d.invoice_ids),
            "step": d.step,
            "channel": d.channel,
            "decision": d.decision,
            "reason": d.reason,
            "not_before": d.not_before.isoformat().replace("+00:00", "Z") if d.not_before else None,
            "tone": d.tone,
            "approval": d.approval,
            "escalate_to": d.escalate_to,
            "amounts": [str(m) for m in d.amounts],
            "trace": list(d.trace),
        }
        if d.decision == "hold":
            continue
        for reason in sorted({h.reason for h in d.held}):
            waiting = [h.invoice_id for h in d.held if h.reason == reason]
            yield {"customer_id": d.customer_id, "invoice_ids": waiting, "decision": "hold", "reason": reason}


@click.command(name="plan")
@click.option("--as-of", "as_of", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day to plan for.")
@click.option("--invoices", required=True, metavar="F", help="Open invoices; - is standard input.")
@click.option("--customers", metavar="F", help="Names, addresses, debtor type, tier. Without it nobody is known to be a business.")
@click.option("--payments", metavar="F", help="Money seen but not applied yet: what it could settle waits.")
@click.option("--holds", metavar="F", help="What must wait, and why; `until` is the first day it no longer does.")
@click.option("--touches", metavar="F", help="Contacts so far: a step is done once.")
@click.option("--policy", "policy_file", metavar="F", help="The policy (default: the one a new organisation starts with).")
@click.option("--out", default="-", metavar="F", help="Where to write; a .jsonl ending gives JSON lines.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of CSV.")
@click.option("--explain", is_flag=True, help="Adds tone, approval, amounts and the sentences behind each decision.")
def command(
    as_of: dt.datetime,
    invoices: str,
    customers: str | None,
    payments: str | None,
    holds: str | None,
    touches: str | None,
    policy_file: str | None,
    out: str,
    as_json: bool,
    explain: bool,
) -> None:
    """Decide who is due what on a day: send, task, hold or none, with the reason and the first moment it may happen."""
    policy = policy_of(policy_file)
    today = as_of.date()
    situations, findings = _situations.gather(today, invoices=invoices, customers=customers, payments=payments, holds=holds, touches=touches)
    decisions = book.plan(policy, situations, today)
    _tables.write(_records(decisions), columns=COLUMNS + (EXPLAINED if explain else ()), out=out, as_json=as_json)
    for finding in findings:
        click.echo(finding, err=True)
    if findings:
        raise click.exceptions.Exit(1)
