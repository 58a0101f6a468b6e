"""A workbook by its content: a zip with a workbook inside, or an old Office document with one."""

from __future__ import annotations

import zipfile
from io import BytesIO

from tieout.adapters.ports.format import Upload

#: Stored bytes of a workbook that are looked at. Larger files are refused when read.
MOST_STORED = 200 << 20

_OLD_WORKBOOK = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))


def recognise(head: bytes, upload: Upload) -> int:
    """90 for a workbook; 0 for other zips (docx, jar) and other Office documents. The name does not count."""
    if head.startswith(b"PK\x03\x04"):
        return 90 if _is_workbook(upload) else 0
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        with upload.content() as content:
            data = content.read(MOST_STORED)
        return 90 if any(mark in data for mark in _OLD_WORKBOOK) else 0
    return 0


def _is_workbook(upload: Upload) -> bool:
    with upload.content() as content:
        data = content.read(MOST_STORED)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "mimetype" in names:
                return b"opendocument.spreadsheet" in archive.read("mimetype")[:200]
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
        return False
    return any(name.startswith("xl/workbook") for name in names)
