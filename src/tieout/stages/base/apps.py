from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Base(AppConfig):
    name = "tieout.stages.base"
    label = "base"

    def ready(self) -> None:
        post_migrate.connect(_raise_walls, dispatch_uid="tieout-walls")


def _raise_walls(*, app_config: AppConfig, using: str, **_: Any) -> None:
    # Django's own hook at the end of every migration of an app: no table of an organisation exists for a
    # moment longer than its migration without row-level security, however the migration was started.
    from tieout.stages.base import raise_walls

    raise_walls.of_app(app_config, using=using)
