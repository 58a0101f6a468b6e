"""`tieout restore FILE`: a backup into an empty data directory. It starts with sending frozen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import click


@click.command(help="Restore a backup into the data directory (TIEOUT_DATA), which must hold no database yet. Sending starts frozen.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def command(file: Path) -> None:
    from tieout.settings import embedded, place, roles

    data = place.data_directory()
    if (data / "postgres").exists():
        click.echo(f"tieout: {data} holds a database already; give an empty directory with TIEOUT_DATA=...", err=True)
        sys.exit(2)
    dump = data / "restore.dump"
    try:
        _unpack(file, dump, data)
        admin = embedded.start(data)
        roles.make(admin, database="tieout", secret=place.secret(data))
        done = subprocess.run(
            [str(embedded.programs(data) / "pg_restore"), "--exit-on-error", "--dbname", embedded.database_of(admin, "tieout"), str(dump)],
            capture_output=True,
            text=True,
            check=False,
        )
    except (tarfile.TarError, KeyError) as error:
        click.echo(f"tieout: {file} is not a backup of Tieout: {error}", err=True)
        sys.exit(2)
    finally:
        dump.unlink(missing_ok=True)
    if done.returncode:
        embedded.stop(data)
        shutil.rmtree(data / "postgres", ignore_errors=True)
        click.echo(f"tieout: the backup could not be restored; nothing was kept: {done.stderr.strip()}", err=True)
        sys.exit(2)
    _freeze(file)
    click.echo(f"Restored into {data}. Sending is frozen until somebody has checked the sources and thawed it in Settings.")


def _unpack(file: Path, dump: Path, data: Path) -> None:
    with tarfile.open(file) as tar:
        for name in ("tieout-backup.json", "database.dump", "secret", "keys.json", "anchors.jsonl"):
            if name not in tar.getnames():
                if name in ("anchors.jsonl", "keys.json"):  # made when the first anchor or secret is
                    continue
                raise KeyError(f"it holds no {name}")
            source = tar.extractfile(name)
            assert source is not None
            target = dump if name == "database.dump" else data / name
            if name == "tieout-backup.json":
                continue
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if name != "database.dump" else 0o644)
            with os.fdopen(descriptor, "wb") as handle:
                shutil.copyfileobj(source, handle)


def _freeze(file: Path) -> None:
    from tieout.faces.cli import _setup

    _setup.django()
    from tieout.flow import restored

    restored.freeze(reason=f"restored from {file.name}; the providers and sources may know more than this copy")
