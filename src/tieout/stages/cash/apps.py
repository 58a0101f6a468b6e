from django.apps import AppConfig


class Cash(AppConfig):
    name = "tieout.stages.cash"
    label = "cash"
