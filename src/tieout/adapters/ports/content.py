"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a bitmap image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"RIFF", "a media file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x1f\x8b", "a gzip file inside a gzip file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"{\\rtf", "a rich text document"),
)
_TEXT_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"<?xml", "an XML document"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"from ", "a mailbox"),
    (b"ofxheader", "an OFX statement"),
    (b"!type:", "a QIF file"),
    (b"begin:vcard", "a contact card"),
)
#: Two letters are too few to condemn a file that otherwise reads as text ("BMW;...").
_WEAK = {b"BM", b"MZ"}


def kind_of(head: bytes) -> str | None:
    """What the bytes plainly are (`a PDF document`), or None where they may be a plain table."""
    for magic, label in _MAGIC:
        if head.startswith(magic) and not (magic in _WEAK and looks_like_text(head)):
            return label
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    for mark, label in _TEXT_STARTS:
        if start.startswith(mark) and not (mark == b"from " and b"@" not in head[:200]):
            return label
    if start.startswith((b"{", b"[{")):
        return "a JSON document"
    return None


def looks_like_text(head: bytes) -> bool:
    """Whether the bytes can be text: a byte-order mark, or hardly any control bytes."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    sample = head[:4096]
    controls = sum(1 for byte in sample if byte < 9 or 13 < byte < 32)
    nuls = sample.count(0)
    # UTF-16 without a mark has a NUL in every second byte of Western text; a few stray NULs stand in broken text files.
    sixteen = nuls > len(sample) // 4 and (sample[1::2].count(0) == nuls or sample[::2].count(0) == nuls)
    return sixteen or controls <= max(2, len(sample) // 50)
