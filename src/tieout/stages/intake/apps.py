from django.apps import AppConfig


class Intake(AppConfig):
    name = "tieout.stages.intake"
    label = "intake"
