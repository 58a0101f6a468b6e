"""What systems disagree about: conflicts nobody has answered, customers who may be one, and what stands twice in one source."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Min

from tieout.stages.health.sight import Given, Sight
from tieout.stages.ledger import duplicates
from tieout.stages.ledger.models import LinkProposal
from tieout.stages.writeback.models import Conflict

KINDS = {
    "conflict": "Systems disagree",
    "pair": "Two customers may be one",
    "twice": "Something stands twice in one source",
}


def look(*, given: Given) -> Iterator[Sight]:
    """Conflicts by the system that says otherwise; the pairs and the doubles as one each."""
    said = Conflict.objects.filter(state="open").values("connection_id", "connection__name").annotate(many=Count("id"), first=Min("opened_at"))
    for row in said.order_by("connection_id"):
        name, many = row["connection__name"], row["many"]
        yield Sight(
            kind="conflict", key=f"conflict:{row['connection_id']}", severity="note", what="conflicts", subject=f"{name} says otherwise",
            says=f"{_many(many, 'value')} that {name} has otherwise than what stands here, the first for {(given.now - row['first']).days} days",
            mend="say which holds, under Conflicts", page="conflicts", page_query=f"connection={row['connection_id']}",
            connection_id=row["connection_id"], count=many,
        )  # fmt: skip
    pairs = LinkProposal.objects.filter(state="open", related=False).count()
    if pairs:
        yield Sight(
            kind="pair", key="pair", severity="note", what="customers",
            subject="Two customers may be one" if pairs == 1 else f"{pairs} pairs of customers may be one each",
            says=f"{_many(pairs, 'pair')} of which the machine is not certain; nothing is written anywhere for them before it is",
            mend="look at them side by side, under Same customer", page="identity", count=pairs,
        )  # fmt: skip
    twice = duplicates.find()
    if twice:
        yield Sight(
            kind="twice", key="twice", severity="soon", what="duplicates",
            subject="Something may stand twice in one source" if len(twice) == 1
            else f"{len(twice)} records may stand twice in their source",
            says=f"{twice[0].why} in {twice[0].connection}" + (f", and {len(twice) - 1} more" if len(twice) > 1 else ""),
            mend="take one of each away where it was made, or say that they are two", page="duplicates", count=len(twice),
        )  # fmt: skip


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
