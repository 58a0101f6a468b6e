from django.apps import AppConfig


class Collect(AppConfig):
    name = "tieout.stages.collect"
    label = "collect"
