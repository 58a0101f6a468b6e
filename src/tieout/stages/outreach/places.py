"""Where a recipient may be: every candidate zone and country. What is not known is not guessed away."""

from __future__ import annotations

from functools import lru_cache

from babel.core import get_global

from tieout.core import days

#: Languages our letters are written in.
LANGUAGES = ("en", "de")
_GERMAN = {"DE", "AT", "LI"}


@lru_cache(maxsize=1)
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, territory in get_global("zone_territories").items():
        try:
            days.zone(name)
        except ValueError:
            continue
        found.setdefault(territory, []).append(name)
    return {country: tuple(sorted(names)) for country, names in found.items()}


@lru_cache(maxsize=4096)
def zones(time_zone: str, country: str) -> tuple[str, ...]:
    """The customer's own zone where it is known, else all zones of its country; none where neither is known."""
    if time_zone:
        try:
            days.zone(time_zone)
        except ValueError:
            pass
        else:
            return (time_zone,)
    return _zones_by_country().get(country.upper(), ())


@lru_cache(maxsize=4096)
def countries(country: str, time_zone: str) -> tuple[str, ...]:
    """The customer's country, else the one its zone lies in."""
    if country:
        return (country.upper(),)
    territory = get_global("zone_territories").get(time_zone)
    return (str(territory),) if territory and territory != "001" else ()


def language(stated: str, country: str, ours: str) -> str:
    """The language of a letter: what the customer's record says, else its country's, else our own, else English."""
    for candidate in (stated[:2].lower(), "de" if country.upper() in _GERMAN else "", ours[:2].lower()):
        if candidate in LANGUAGES:
            return candidate
    return "en"
