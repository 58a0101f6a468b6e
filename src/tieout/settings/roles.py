"""Roles of our own: an owner for migrations, the application without bypass, intake for staging.

Made once with an administrator's login; the product then connects as `tieout_app`, which owns no table, is no
superuser and cannot bypass row-level security.
"""

from __future__ import annotations

import hashlib
import hmac

import psycopg
from psycopg import sql

OWNER, APP, INTAKE = "tieout_owner", "tieout_app", "tieout_intake"


class RolesRefused(Exception):
    """The given login may not make our roles, or is one the product must not run as; says what to do."""


def password_of(role: str, secret: str) -> str:
    """A role's password, derived from the installation's secret, so that no second secret must be kept."""
    return hmac.new(secret.encode(), f"role:{role}".encode(), hashlib.sha256).hexdigest()[:40]


def make(admin_url: str, *, database: str, secret: str) -> None:
    """Create roles and database where they are missing; existing ones are brought to the same rights. Idempotent."""
    try:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            for role in (OWNER, APP):
                _login(connection, role, password_of(role, secret))
            _ensure(connection, INTAKE, "NOLOGIN")
            # The application may step into the intake role for one transaction; it never holds its rights otherwise.
            connection.execute(sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(sql.Identifier(INTAKE), sql.Identifier(APP)))
            # A session meant for nobody's organisation sees nothing, and a stuck one ends.
            connection.execute(sql.SQL("ALTER ROLE {} SET idle_in_transaction_session_timeout = '10min'").format(sql.Identifier(APP)))
            exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
            if not exists:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER)))
            connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(APP)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise RolesRefused(f"this login may not create roles or databases ({error}); give an administrator's address once") from error
    except psycopg.OperationalError as error:
        raise RolesRefused(f"the database server does not answer or refuses this login: {str(error).strip()}") from error


def _ensure(connection: psycopg.Connection[tuple[object, ...]], role: str, options: str) -> None:
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if exists else "CREATE"
    rights = f"{verb} ROLE {{}} {options} NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB"
    connection.execute(sql.SQL(rights).format(sql.Identifier(role)))


def _login(connection: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    _ensure(connection, role, "LOGIN")
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
