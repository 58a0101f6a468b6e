"""`tieout backup FILE`: the embedded database whole, with the secret and the keys that open what it holds."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import click

from tieout import __version__

MEMBERS = ("secret", "keys.json", "anchors.jsonl")


@click.command(help="Write the whole embedded database, with its keys, to FILE. Keep the file as safe as the system.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def command(file: Path) -> None:
    from tieout.settings import embedded, place

    if os.environ.get("DATABASE_URL"):
        click.echo("tieout: this installation uses a server of its own (DATABASE_URL); back it up with that server's tools", err=True)
        sys.exit(2)
    data = place.data_directory()
    admin = embedded.start(data)
    from tieout.faces.cli import _setup

    _setup.django()
    dump = data / f"backup-{os.getpid()}.dump"
    try:
        made = subprocess.run(
            [str(embedded.programs(data) / "pg_dump"), "--format=custom", f"--file={dump}", "--dbname", embedded.database_of(admin, "tieout")],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            click.echo(f"tieout: the backup was not made: {made.stderr.strip()}", err=True)
            sys.exit(2)
        _pack(file, dump, data)
    finally:
        dump.unlink(missing_ok=True)
    click.echo(f"Wrote {file} ({file.stat().st_size / 1e6:.1f} MB). It holds the keys too: whoever has it can read everything.")


def _pack(file: Path, dump: Path, data: Path) -> None:
    temporary = file.with_name(file.name + ".part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle, tarfile.open(fileobj=handle, mode="w") as tar:
        note = json.dumps({"tieout": __version__, "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}).encode()
        info = tarfile.TarInfo("tieout-backup.json")
        info.size = len(note)
        tar.addfile(info, io.BytesIO(note))
        tar.add(dump, "database.dump")
        for name in MEMBERS:
            if (data / name).exists():
                tar.add(data / name, name)
    temporary.replace(file)
