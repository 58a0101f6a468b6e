"""The published table of abilities, made from the manifests, so that it says what the engine goes by.

    python -m tieout.adapters.ports.matrix > docs/connectors.md
"""

from __future__ import annotations

from tieout.adapters.ports import registry
from tieout.adapters.ports.connector import Manifest

_HEAD = """# Connectors: what each can do, and what was tested how

Made from the manifests by `python -m tieout.adapters.ports.matrix`; a test holds it to them. Nothing here was tried with a live account:
*twin* is our own stand-in, *description* the vendor's published schema, *sdk* the vendor's client against our twin, *fake* somebody else's
stand-in, *vectors* signed samples.
"""


def page() -> str:
    """The page as Markdown."""
    found = [one.manifest for one in registry.connectors().values()]
    return _HEAD + "".join(_section(manifest) for manifest in found)


def _section(m: Manifest) -> str:
    a = m.abilities
    rate = ", ".join(
        words for words in (
            f"{a.rate.per_second:g} a second" if a.rate.per_second else "", f"{a.rate.per_minute} a minute" if a.rate.per_minute else "",
            f"{a.rate.concurrent} at once" if a.rate.concurrent else "",
        ) if words
    )  # fmt: skip
    rows = {
        "API": m.api_version, "reads": ", ".join(f"{s.title.lower()} ({', '.join(s.kinds)})" for s in m.streams),
        "writes": ", ".join(a.writes) or "nothing",
        "changes of a customer": ", ".join(a.changes) or "nothing",
        "changes by": a.incremental.replace("_", " ") + (f", {a.lookback_days} days back" if a.lookback_days else ""),
        "deletions by": a.deletes.replace("_", " "), "webhooks": a.webhook.replace("_", " "), "idempotency": a.idempotency,
        "optimistic lock": "yes" if a.optimistic_lock else "no", "money as": a.money.replace("_", " "), "time as": a.time.replace("_", " "),
        "largest page": str(a.max_page), "we keep to": rate or "no limit of our own",
        "tested": "; ".join(f"{t.what}: {t.against}" for t in m.tested),
    }  # fmt: skip
    return f"\n## {m.title}\n\n{m.about}\n\n| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


if __name__ == "__main__":
    print(page(), end="")
