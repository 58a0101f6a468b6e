from django.apps import AppConfig


class Health(AppConfig):
    name = "tieout.stages.health"
    label = "health"
