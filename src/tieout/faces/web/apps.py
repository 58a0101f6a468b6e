from django.apps import AppConfig


class Web(AppConfig):
    name = "tieout.faces.web"
    label = "web"
