from django.apps import AppConfig


class Behaviour(AppConfig):
    name = "tieout.stages.behaviour"
    label = "behaviour"
