from django.apps import AppConfig


class Writeback(AppConfig):
    name = "tieout.stages.writeback"
    label = "writeback"
