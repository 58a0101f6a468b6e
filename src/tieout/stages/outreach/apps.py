from django.apps import AppConfig


class Outreach(AppConfig):
    name = "tieout.stages.outreach"
    label = "outreach"
