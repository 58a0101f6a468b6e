"""The performance figures: what the product does per second beside a named peer or limit, in the same run.

Each benchmark stands in a file of its own and runs in a process of its own, on a private embedded PostgreSQL in a temporary
directory; nobody's data directory is touched. Absolute figures move with the machine; what counts is the ratio.
"""

from __future__ import annotations

from typing import NamedTuple


class Benchmark(NamedTuple):
    """`module` holds `run(size)`; `sizes` are the small and the large run; `database` whether it needs one."""

    title: str
    module: str
    sizes: tuple[int, int]
    database: bool = True


BENCHMARKS: dict[str, Benchmark] = {
    "read": Benchmark("CSV rows read into canonical records", "reading", (100_000, 1_000_000), database=False),
    "import": Benchmark("CSV file to merged ledger", "importing", (100_000, 1_000_000)),
    "backfill": Benchmark("a vendor's pages to merged ledger", "backfilling", (10_000, 100_000)),
    "match": Benchmark("cash application", "matching", (2_000, 20_000), database=False),
    "identity": Benchmark("the same customer in two tools", "identifying", (10_000, 100_000), database=False),
    "link": Benchmark("the same customer in two tools, in the database", "linking", (10_000, 100_000)),
    "plan": Benchmark("planning a day, decisions and traces stored", "planning", (10_000, 100_000)),
    "send": Benchmark("reminders rendered, gated, certified, handed over", "sending", (200, 1_000)),
    "hooks": Benchmark("the door webhooks come to", "hooking", (1_000, 10_000)),
    "propagation": Benchmark("a change in one tool, to all others", "propagating", (200, 6_000)),
    "pages": Benchmark("overview and work list", "paging", (1_000_000, 1_000_000)),
    "start": Benchmark("the demo, to a page that answers", "starting", (1, 1), database=False),
    "flow": Benchmark("a click on the Stripe twin's page, seen in QuickBooks and HubSpot", "flowing", (20, 20), database=False),
}
