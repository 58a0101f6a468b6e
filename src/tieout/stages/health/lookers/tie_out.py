"""Differences without a cause: the last comparison with a system left something that nothing explains."""

from __future__ import annotations

from collections.abc import Iterator

from tieout.core.money import minor_text
from tieout.stages.health import looking
from tieout.stages.health.sight import Given, Sight

KINDS = {"unexplained": "A difference nobody can explain"}

_LAST = """
SELECT DISTINCT ON (c.id) c.id, c.name, r.at, r.unexplained, r.differing
  FROM ledger_tieoutrun r JOIN intake_connection c ON c.organisation_id = r.organisation_id AND c.id = r.connection_id AND c.paused_at IS NULL
 WHERE r.organisation_id = %(org)s ORDER BY c.id, r.at DESC, r.id DESC"""


def look(*, given: Given) -> Iterator[Sight]:  # noqa: ARG001 - every looker is given the same
    """One for each connection whose last comparison ended so."""
    for pk, name, at, unexplained, differing in looking.rows(_LAST):
        kept = looking.as_mapping(unexplained)
        if not kept:
            continue
        sums = " and ".join(f"{minor_text(minor, currency)} {currency}" for currency, minor in sorted(kept.items()))
        yield Sight(
            kind="unexplained", key=f"unexplained:{pk}", severity="urgent", what="tie-out", subject=f"Our books and {name} differ without a cause",
            says=f"{sums} unexplained, by the comparison of {at:%Y-%m-%d %H:%M} UTC; {differing} document{'' if differing == 1 else 's'} differ",
            mend="open the comparison: every line leads to its document, with what each side says", page="tie_out_one", page_key=pk,
            connection_id=pk, count=differing,
        )  # fmt: skip
