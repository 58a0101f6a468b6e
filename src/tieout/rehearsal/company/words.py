"""What stands on bills and transfers."""

from __future__ import annotations

import datetime as dt
import random

from tieout.rehearsal.company.people import Client

WORK = {
    "de": ("Plakate A1", "Imagebroschüre, 24 Seiten", "Visitenkarten", "Messewand 4 x 2,5 m", "Speisekarten", "Gestaltung Logo", "Etiketten"),
    "en": ("Posters A1", "Annual report, 48 pages", "Business cards", "Exhibition panels", "Menus", "Logo design", "Labels"),
}
_VAGUE = {
    "de": ("Druckauftrag {month}", "Zahlung Ihre Rechnung", "Abschlag Broschüre", "Rechnung vom {date}"),
    "en": ("print work {month}", "your invoice", "design services", "invoice dated {date}"),
}
_NAMING = {
    "de": ("Rechnung {number}", "RE {number} danke", "{number}", "Re.Nr. {number} Kd. {key}"),
    "en": ("Invoice {number}", "{number}", "INV {number} thanks", "{number} {key}"),
}


def remittance(client: Client, numbers: tuple[str, ...], issued: dt.date, salt: int) -> str:
    """The text of a transfer for these bills, in the payer's manner."""
    rng = random.Random(f"{salt}:{numbers}")
    style, language = client.style, client.language
    if style == "vague":
        date = f"{issued:%d.%m.%Y}" if language == "de" else f"{issued:%d/%m/%Y}"
        return rng.choice(_VAGUE[language]).format(month=f"{issued:%m/%Y}", date=date)
    if style == "digits":
        return " ".join(number.split("-", 1)[1] for number in numbers)
    if len(numbers) > 1:
        return ("Rechnungen " if language == "de" else "Invoices ") + ", ".join(numbers)
    return rng.choice(_NAMING[language]).format(number=numbers[0], key=client.key)
