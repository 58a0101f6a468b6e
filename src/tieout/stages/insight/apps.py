from django.apps import AppConfig


class Insight(AppConfig):
    name = "tieout.stages.insight"
    label = "insight"
