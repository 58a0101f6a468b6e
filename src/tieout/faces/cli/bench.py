"""`tieout bench`: the performance figures, as ratios against a named peer or limit in the same run."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from tieout.rehearsal.bench import BENCHMARKS, peers, run
from tieout.rehearsal.bench.figures import Figure, Slope, slopes


@click.command()
@click.argument("name", required=False, type=click.Choice(list(BENCHMARKS)))
@click.option("--json", "as_json", is_flag=True, help="JSON lines: figures, then slopes")
@click.option("--size", type=click.IntRange(min=10), help="the large run's size; the small one is a tenth of it")
@click.option("--peer", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="a script that measures the peer here and now (slow)")
def command(name: str | None, as_json: bool, size: int | None, peer: Path | None) -> None:
    """Measure: each benchmark at two sizes, beside its peer or limit, on a private database that is gone afterwards.

    A figure that something is asked of says `aim`, `must` or `missed`; the slope says how its time grows with the size (1 is in
    step with the work). Exit 1 where a must is missed or a benchmark failed.
    """
    missed = False
    try:
        given = peers.measured(peer) if peer else {}
    except peers.PeerFailed as error:
        click.echo(f"tieout: {error}", err=True)
        sys.exit(2)
    for wanted in [name] if name else list(BENCHMARKS):
        if not as_json:
            click.echo(f"{wanted}: {BENCHMARKS[wanted].title}")
        try:
            figures = run.run(wanted, size=size, given=given, told=_told)
        except run.BenchmarkFailed as error:
            click.echo(f"tieout: {error}", err=True)
            missed = True
            continue
        missed = missed or any(figure.verdict == "missed" for figure in figures)
        (_as_json if as_json else _as_text)(wanted, figures)
    sys.exit(1 if missed else 0)


def _told(what: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  … {what}", err=True)


def _as_json(name: str, figures: list[Figure]) -> None:
    for figure in figures:
        click.echo(msgspec.json.encode({"benchmark": name, "kind": "figure", **msgspec.to_builtins(figure), "verdict": figure.verdict}))
    for slope in slopes(figures):
        click.echo(msgspec.json.encode({"benchmark": name, "kind": "slope", **msgspec.to_builtins(slope)}))


def _as_text(name: str, figures: list[Figure]) -> None:
    # Ratios first: they are what counts; absolute figures move with the machine.
    for figure in sorted(figures, key=lambda f: (f.unit != "x", not f.verdict)):
        click.echo(f"  {figure.verdict or '-':<7}{_what(name, figure.name):<52}{figure.size:>10,} {_value(figure):>16}{_asked(figure)}")
    for slope in slopes(figures):
        click.echo(f"  {'-':<7}{_what(name, slope.name):<52}{'slope':>10} {slope.power:>16.2f}{_slope(slope)}")


def _what(benchmark: str, name: str) -> str:
    return name.removeprefix(f"{benchmark}: ")


def _value(figure: Figure) -> str:
    places = 3 if figure.unit == "x" and figure.value < 10 else 0 if figure.value >= 100 or figure.value == int(figure.value) else 1
    return f"{figure.value:,.{places}f} {figure.unit}"


def _asked(figure: Figure) -> str:
    if figure.must is None:
        return f"   against {figure.against}" if figure.against else ""
    sign = "≥" if figure.better == "more" else "≤"
    parts = [f"must {sign} {figure.must:g}"]
    if figure.aim is not None:
        parts.append(f"aim {sign} {figure.aim:g}")
    if figure.against:
        parts.append(f"against {figure.against}")
    return "   " + ", ".join(parts)


def _slope(slope: Slope) -> str:
    return f"   {slope.small:,} to {slope.large:,}"
