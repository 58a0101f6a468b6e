"""A file at the door: its name, its size and a way to open it as often as needed. Gzip is opened on the way, with a cap."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from tieout.adapters.ports.errors import Unsupported

#: Decompressed bytes beyond which a gzip file is refused, and the ratio allowed once it is larger than FREE_BYTES.
#: Deflate can reach 1032:1; tables reach 10:1 to 60:1.
MOST_BYTES = 8 << 30
FREE_BYTES = 64 << 20
MOST_RATIO = 150


class Upload(msgspec.Struct):
    """`open` gives the bytes as stored, from the start, each time it is called; `size` counts stored bytes."""

    name: str
    size: int
    open: Callable[[], BinaryIO]

    @classmethod
    def of_path(cls, path: Path | str) -> Upload:
        """The file at `path`. Raises OSError where there is none."""
        where = Path(path)
        return cls(name=where.name, size=where.stat().st_size, open=lambda: where.open("rb"))

    @classmethod
    def of_bytes(cls, name: str, data: bytes) -> Upload:
        """Bytes already in memory."""
        return cls(name=name, size=len(data), open=lambda: io.BytesIO(data))

    def head(self, length: int = 65536) -> bytes:
        """The first bytes of the content, unpacked where the file is gzip."""
        with self.content() as content:
            return content.read(length)

    def content(self) -> Content:
        """The content from the start, unpacked where the file is gzip. Raises Unsupported for a broken or bloated one."""
        return Content(self)


class Content:
    """Unpacked bytes of an upload. `position` tells how many stored bytes have been taken, for a progress bar."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._raw = upload.open()
        magic = self._raw.read(2)
        self._raw.seek(0)
        self.packed = magic == b"\x1f\x8b"
        self._stream: BinaryIO = gzip.GzipFile(fileobj=self._raw) if self.packed else self._raw  # type: ignore[assignment]

    def __enter__(self) -> Content:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._raw.close()

    @property
    def position(self) -> int:
        return self._raw.tell()

    @property
    def length(self) -> int:
        """Unpacked length in bytes; for gzip as its trailer says it (RFC 1952: modulo 2^32, so a hint only)."""
        if not self.packed:
            return self._upload.size
        here = self._raw.tell()
        self._raw.seek(-4, io.SEEK_END)
        length = int.from_bytes(self._raw.read(4), "little")
        self._raw.seek(here)
        return length

    def seek(self, offset: int) -> None:
        """Go to an unpacked offset (forward only is cheap when packed)."""
        self._stream.seek(offset)

    def read(self, length: int = -1) -> bytes:
        """At most `length` unpacked bytes; empty at the end."""
        try:
            data = self._stream.read(length)
        except (OSError, EOFError, zlib.error) as error:
            raise Unsupported(f"{self._upload.name}: the gzip file is broken ({error})") from error
        if self.packed:
            self._refuse_bombs()
        return data

    def _refuse_bombs(self) -> None:
        unpacked = self._stream.tell()
        if unpacked > MOST_BYTES or (unpacked > FREE_BYTES and unpacked > MOST_RATIO * max(self._upload.size, 1)):
            raise Unsupported(f"{self._upload.name}: unpacks to more than {unpacked >> 20} MiB from {self._upload.size} bytes; refused")


class Reader(io.RawIOBase):
    """The content as a raw stream, so that the standard library can buffer and decode it."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._content.read(len(view))
        view[: len(data)] = data
        return len(data)
