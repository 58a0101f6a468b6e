"""The original bytes of an envelope, as they came."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tieout.stages.intake.models import Envelope, EnvelopePart


def chunks(*, envelope: Envelope) -> Iterator[bytes]:
    """The bytes in stretches, in order."""
    if envelope.body is not None:
        yield gzip.decompress(bytes(envelope.body))
        return
    ordinals = list(EnvelopePart.objects.filter(envelope=envelope).order_by("ordinal").values_list("ordinal", flat=True))
    for ordinal in ordinals:
        yield gzip.decompress(bytes(EnvelopePart.objects.get(envelope=envelope, ordinal=ordinal).content))


@contextmanager
def on_disk(*, envelope: Envelope) -> Iterator[Path]:
    """The bytes as a file, for readers that pass over them more than once; removed afterwards."""
    with tempfile.NamedTemporaryFile(prefix="tieout-", suffix="-original") as handle:
        for chunk in chunks(envelope=envelope):
            handle.write(chunk)
        handle.flush()
        yield Path(handle.name)
