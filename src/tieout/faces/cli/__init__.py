"""The command line: one file per command, each exporting `command`; loaded only when called, so that the judgement
commands (`read`, `match`, `plan`, `aging`) start without a database or a framework.

Exit codes are a contract: 0 done, 1 done with findings, 2 wrong usage or unreadable input.
"""

from __future__ import annotations

import importlib
import pkgutil

import click

from tieout import __version__


class Commands(click.Group):
    """Finds `tieout.faces.cli.<name>` lazily; `tie_out.py` is the command `tie-out`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tieout")
def main() -> None:
    """Get invoices paid: one ledger that ties out, cash applied with reasons, the rest collected decently."""
