from django.apps import AppConfig


class Dialogue(AppConfig):
    name = "tieout.stages.dialogue"
    label = "dialogue"
