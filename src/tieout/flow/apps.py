from django.apps import AppConfig


class Flow(AppConfig):
    name = "tieout.flow"
    label = "flow"
