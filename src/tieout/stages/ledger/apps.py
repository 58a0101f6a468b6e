from django.apps import AppConfig


class Ledger(AppConfig):
    name = "tieout.stages.ledger"
    label = "ledger"
