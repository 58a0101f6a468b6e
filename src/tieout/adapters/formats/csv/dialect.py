"""Which character divides the cells: the one that gives most rows one width.

For each candidate: the share of rows with the most usual width, times the root of that width less one. On 237 real files
this rule failed once, the standard library's sniffer 16 times (formats note, 7.1).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from math import sqrt

CANDIDATES = (",", ";", "\t", "|")


def delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter of these first lines; a comma where there is but one column."""
    # A line that Excel writes to tell itself the delimiter.
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:
        return lines[0].strip()[4]
    scores = {candidate: _consistency(lines, candidate) for candidate in CANDIDATES}
    best = max(CANDIDATES, key=lambda candidate: scores[candidate])
    return best if scores[best] > 0 else ","


def _consistency(lines: Sequence[str], delimiter: str) -> float:
    try:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
    except csv.Error:
        return 0.0
    if not widths:
        return 0.0
    width, rows = max(widths.items(), key=lambda item: (item[1] * sqrt(max(item[0] - 1, 0)), item[0]))
    return rows / sum(widths.values()) * sqrt(width - 1)
