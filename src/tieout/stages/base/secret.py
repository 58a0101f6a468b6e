"""Secrets at rest: AES-256-GCM with a data key of its own per secret, wrapped by a key-encryption key.

The blob is `key id | wrapped data key | nonce | ciphertext`; organisation and name are authenticated with it, so a
blob copied to another row or another organisation does not open. `rotate` rewraps under the current key without
touching what is inside.
"""

from __future__ import annotations

import base64
import datetime as dt
import fcntl
import json
import os
import secrets
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from tieout.stages.base import walls
from tieout.stages.base.models import Secret


class SecretUnreadable(Exception):
    """The secret cannot be opened: its key is not in the key file, or the blob was changed or moved."""


class Kept(msgspec.Struct, frozen=True):
    """That a secret is stored, for a page: its name, when it was set, and whether the current key seals it."""

    name: str
    set_at: dt.datetime
    current: bool


class Keyring:
    """Key-encryption keys by id, from a file only the product's account can read. The last added is current."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            self._write({secrets.token_hex(4): base64.b64encode(secrets.token_bytes(32)).decode()})

    def _read(self) -> dict[str, str]:
        keys: dict[str, str] = json.loads(self.path.read_text())
        return keys

    def _write(self, keys: dict[str, str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            json.dump(keys, handle)
        temporary.replace(self.path)

    def current(self) -> tuple[str, bytes]:
        key_id, key = list(self._read().items())[-1]
        return key_id, base64.b64decode(key)

    def get(self, key_id: str) -> bytes:
        try:
            return base64.b64decode(self._read()[key_id])
        except KeyError:
            raise SecretUnreadable(f"key {key_id} is not in the key file") from None

    def add(self) -> str:
        """Make a new current key; older ones stay to open what they sealed until it is rotated."""
        key_id = secrets.token_hex(4)
        with self.path.with_suffix(".lock").open("w") as guard:
            # Two at once would each write the file they read, and one key, with what it sealed, would be lost.
            fcntl.flock(guard, fcntl.LOCK_EX)
            self._write({**self._read(), key_id: base64.b64encode(secrets.token_bytes(32)).decode()})
        return key_id


def keyring() -> Keyring:
    """The installation's keys, beside its data."""
    return Keyring(Path(settings.TIEOUT_KEYS_FILE))


def put(*, name: str, value: str, now: dt.datetime) -> None:
    """Store `value` under `name` for the current organisation, replacing what was there."""
    key_id, wrapping = keyring().current()
    data_key = AESGCM.generate_key(256)
    blob = _seal(wrapping, data_key, name + "|key") + _seal(data_key, value.encode(), name)
    Secret.objects.update_or_create(name=name, defaults={"blob": _pack(key_id, blob), "key_id": key_id, "set_at": now})


def get(*, name: str) -> str | None:
    """The value, or None where nothing was stored. Raises SecretUnreadable."""
    row = Secret.objects.filter(name=name).first()
    if row is None:
        return None
    key_id, blob = _unpack(bytes(row.blob))
    data_key = _open(keyring().get(key_id), blob[:60], name + "|key")
    return _open(data_key, blob[60:], name).decode()


def forget(*, name: str) -> None:
    """Remove the value."""
    Secret.objects.filter(name=name).delete()


def kept() -> list[Kept]:
    """Which secrets the current organisation has; never what they are."""
    current_id, _ = keyring().current()
    return [Kept(row.name, row.set_at, row.key_id == current_id) for row in Secret.objects.order_by("name").only("name", "set_at", "key_id")]


def rotate() -> int:
    """Rewrap every secret of the current organisation under the current key; returns how many changed."""
    current_id, wrapping = keyring().current()
    changed = 0
    for row in Secret.objects.exclude(key_id=current_id).select_for_update():
        key_id, blob = _unpack(bytes(row.blob))
        data_key = _open(keyring().get(key_id), blob[:60], row.name + "|key")
        row.blob = _pack(current_id, _seal(wrapping, data_key, row.name + "|key") + blob[60:])
        row.key_id = current_id
        row.save(update_fields=["blob", "key_id"])
        changed += 1
    return changed


def _bound(name: str) -> bytes:
    return f"{walls.current()}|{name}".encode()


def _seal(key: bytes, value: bytes, name: str) -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, value, _bound(name))


def _open(key: bytes, sealed: bytes, name: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], _bound(name))
    except InvalidTag:
        raise SecretUnreadable(f"the stored secret {name!r} was changed or belongs elsewhere") from None


def _pack(key_id: str, blob: bytes) -> bytes:
    return key_id.encode().ljust(16) + blob


def _unpack(blob: bytes) -> tuple[str, bytes]:
    return blob[:16].decode().strip(), blob[16:]
