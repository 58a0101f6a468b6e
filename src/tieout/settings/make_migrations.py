"""Write migrations for changed models and apply them: `make migrations`. Run as the owner, who may read the history."""

from __future__ import annotations

import os

from tieout.settings import place

STAGES = ("base", "intake", "ledger", "cash", "dialogue", "behaviour", "collect", "outreach", "writeback", "health")


def main() -> None:
    """Compare models with migrations on the embedded database of TIEOUT_DATA and write what is missing."""
    place.prepare()
    os.environ["TIEOUT_APP_DSN"] = os.environ["TIEOUT_OWNER_DSN"]
    import django

    django.setup()
    from django.core.management import call_command

    call_command("makemigrations", *STAGES)
    call_command("migrate", database="owner", verbosity=0, interactive=False)


if __name__ == "__main__":
    main()
