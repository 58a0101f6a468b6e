"""Where this installation lives: data directory, secret, keys, and the addresses of its database.

Everything comes from the environment, once, in `prepare`; the settings module then only reads what it has set.

TIEOUT_DATA        data directory (default `~/.tieout`)
DATABASE_URL       any PostgreSQL 16+ server; an administrator's login makes the roles at the first `tieout migrate`.
                   Without it the embedded server of the data directory is used.
DATABASE_OWNER_URL with a DATABASE_URL that is already the application's role: the owner's login for migrations
TIEOUT_SECRET      the installation's secret (default: made once in the data directory)
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tieout.settings import embedded, roles


def data_directory() -> Path:
    """The data directory, made where missing, readable by its owner."""
    path = Path(os.environ.get("TIEOUT_DATA") or Path.home() / ".tieout").expanduser().resolve()
    path.mkdir(parents=True, exist_ok=True)
    (path / "static").mkdir(exist_ok=True)  # the page server warns on each start where it is missing
    return path


def secret(data: Path) -> str:
    """The installation's secret, from the environment or from a file made once."""
    given = os.environ.get("TIEOUT_SECRET")
    if given:
        return given
    path = data / "secret"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as handle:
        handle.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def prepare(*, settings: str = "tieout.settings.run", keep_running: bool = False) -> None:
    """Start or find the database, make our roles where missing, and tell Django where they are. Idempotent."""
    if os.environ.get("TIEOUT_APP_DSN"):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
        return
    data = data_directory()
    key = secret(data)
    given = os.environ.get("DATABASE_URL")
    if given:
        app, owner = _of_server(given, key)
    else:
        admin = embedded.start(data, keep_running=keep_running)
        app, owner = _logins(admin, "tieout", key)
        if not _answers(app):
            roles.make(admin, database="tieout", secret=key)
    os.environ["TIEOUT_DATA"] = str(data)
    os.environ["TIEOUT_SECRET"] = key
    os.environ["TIEOUT_APP_DSN"] = app
    os.environ["TIEOUT_OWNER_DSN"] = owner
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)


def _logins(url: str, database: str, key: str) -> tuple[str, str]:
    return (
        embedded.with_login(url, user=roles.APP, password=roles.password_of(roles.APP, key), database=database),
        embedded.with_login(url, user=roles.OWNER, password=roles.password_of(roles.OWNER, key), database=database),
    )


def _of_server(url: str, key: str) -> tuple[str, str]:
    owner = os.environ.get("DATABASE_OWNER_URL")
    if owner:
        return url, owner
    database = str(conninfo_to_dict(url).get("dbname") or "tieout")
    # An administrator's address often names the maintenance database; ours is a database of its own.
    database = "tieout" if database == "postgres" else database
    app, owner = _logins(url, database, key)
    if not _answers(app):
        roles.make(url, database=database, secret=key)
    return app, owner


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
