"""Plain text that is nothing more particular can be a table of cells."""

from __future__ import annotations

from tieout.adapters.ports.content import kind_of, looks_like_text
from tieout.adapters.ports.format import Upload


def recognise(head: bytes, upload: Upload) -> int:
    """20 for text that could be a table; a more particular text format outbids it. The name does not count."""
    del upload
    return 20 if kind_of(head) is None and looks_like_text(head) else 0
