"""`tieout policy`: a policy file is valid; its own cases hold."""

from __future__ import annotations

import click

from tieout.core.policy import cases
from tieout.faces.cli.plan import policy_of


@click.group(name="policy")
def command() -> None:
    """Check and test a policy file."""


@command.command(name="check")
@click.argument("file", metavar="FILE")
def check(file: str) -> None:
    """Read FILE (- is standard input); every problem is named with line, column, path and cause (exit 2)."""
    policy = policy_of(file)
    steps = sum(len(segment.steps) for segment in policy.segments)
    click.echo(f"{policy.name}: valid, {len(policy.segments)} segments, {steps} steps, {len(policy.cases)} cases")


@command.command(name="test")
@click.argument("file", metavar="FILE", required=False)
@click.option("--explain", is_flag=True, help="Shows the sentences behind each decision.")
def run(file: str | None, explain: bool) -> None:
    """Judge the policy's own cases (default: those of the default policy); exit 1 where one does not hold."""
    policy = policy_of(file)
    results = cases.run_cases(policy)
    for result in results:
        click.echo(f"{'FAILED' if result.differences else 'ok'}  {result.case.name}")
        for difference in result.differences:
            click.echo(f"        line {result.case.line}: {difference}")
        if explain or result.differences:
            for sentence in result.decision.trace:
                click.echo(f"        because {sentence}")
    failed = sum(bool(r.differences) for r in results)
    click.echo(f"{len(results)} cases, {failed} failed" if results else "the policy has no cases; add some under `cases`")
    if failed or not results:
        raise click.exceptions.Exit(1)
