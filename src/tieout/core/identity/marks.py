"""What tells a customer apart beside the name, each in one spelling: tax numbers, accounts, mailboxes, mail domains, telephones, towns."""

from __future__ import annotations

import re
from functools import lru_cache

from tieout.core.party import fold, mailbox_key

#: Providers where anybody may have an address. What is missing here is known by the many strangers that share it.
FREE_MAIL = frozenset(
    "gmail.com googlemail.com outlook.com outlook.de outlook.fr hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it live.com live.co.uk"
    " live.nl msn.com yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.co.jp ymail.com icloud.com me.com mac.com aol.com gmx.de"
    " gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de arcor.de online.de posteo.de mailbox.org proton.me protonmail.com pm.me"
    " orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr libero.it virgilio.it alice.it tiscali.it tin.it pec.it telefonica.net"
    " terra.es btinternet.com sky.com virginmedia.com talktalk.net ntlworld.com blueyonder.co.uk comcast.net verizon.net att.net sbcglobal.net"
    " bellsouth.net cox.net charter.net ziggo.nl kpnmail.nl planet.nl xs4all.nl telenet.be skynet.be bluewin.ch hispeed.ch sunrise.ch wp.pl"
    " o2.pl onet.pl interia.pl op.pl seznam.cz centrum.cz email.cz abv.bg mail.bg mail.ru bk.ru inbox.ru list.ru yandex.ru yandex.com rambler.ru"
    " ukr.net qq.com 163.com 126.com naver.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp telia.com spray.se mail.dk online.no otenet.gr aon.at"
    " chello.at fastmail.com zoho.com hey.com rediffmail.com uol.com.br bol.com.br terra.com.br bigpond.com shaw.ca rogers.com sympatico.ca".split()
)
#: VAT numbers by their two letters: what follows them, and which part of it is the company's own.
_VAT = {
    "AT": r"U\d{8}", "BE": r"[01]?\d{9}", "BG": r"\d{9,10}", "CH": r"E?(\d{9})(?:MWST|TVA|IVA)?", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}",
    "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]", "FI": r"\d{8}", "FR": r"[A-Z0-9]{2}(\d{9})",
    "GB": r"(\d{9})(?:\d{3})?", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d[A-Z0-9]\d{5}[A-Z]{1,2}", "IT": r"\d{11}", "LT": r"\d{9}|\d{12}",
    "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"(\d{9})B\d{2}", "NO": r"(\d{9})(?:MVA)?", "PL": r"\d{10}", "PT": r"\d{9}",
    "RO": r"\d{2,10}", "SE": r"(\d{10})(?:\d{2})?", "SI": r"\d{8}", "SK": r"\d{10}", "XI": r"\d{9}", "JP": r"T?(\d{13})", "US": r"\d{9}",
}  # fmt: skip
_VAT_OF = {code: re.compile(f"(?:{pattern})$") for code, pattern in _VAT.items()}
#: A French company has a number of 9 digits, each of its establishments that and 5 more; its VAT number ends in the 9.
_SIREN = re.compile(r"(\d{9})(?:\d{5})?$")
_NOT_ALNUM = re.compile(r"[^0-9A-Z]")
_NOT_DIGIT = re.compile(r"[^0-9]")
_LETTER = re.compile(r"[a-zA-Z]")
_EXTENSION = re.compile(r"(?:ext|x|durchwahl|dw)\.?\s*\d+$", re.IGNORECASE)
_NO_NUMBER = re.compile(r"(\d)\1*$|0?123456789?0?$")
#: Digits of a telephone number compared, from its end: enough to be one line, few enough to leave out how the country is dialled.
_LINE = 8
#: Towns with a name at home and another abroad, folded.
_TOWNS = {
    "cologne": "koln", "munich": "munchen", "nuremberg": "nurnberg", "hanover": "hannover", "brunswick": "braunschweig", "vienna": "wien",
    "geneva": "geneve", "genf": "geneve", "zurich": "zurich", "basle": "basel", "milan": "milano", "mailand": "milano", "rome": "roma",
    "rom": "roma", "turin": "torino", "florence": "firenze", "florenz": "firenze", "venice": "venezia", "venedig": "venezia", "naples": "napoli",
    "genoa": "genova", "padua": "padova", "prague": "praha", "prag": "praha", "warsaw": "warszawa", "warschau": "warszawa", "cracow": "krakow",
    "krakau": "krakow", "copenhagen": "kobenhavn", "kopenhagen": "kobenhavn", "gothenburg": "goteborg", "lisbon": "lisboa", "lissabon": "lisboa",
    "seville": "sevilla", "brussels": "bruxelles", "brussel": "bruxelles", "brussel bruxelles": "bruxelles", "antwerp": "antwerpen",
    "ghent": "gent", "the hague": "den haag", "s gravenhage": "den haag", "athens": "athina", "moscow": "moskva", "moskau": "moskva",
    "kiev": "kyiv", "bucharest": "bucuresti", "belgrade": "beograd", "lyons": "lyon", "new york city": "new york", "nyc": "new york",
}  # fmt: skip


def tax(text: str, country: str) -> tuple[str, str] | None:
    """A tax number as (kind, number): two of one kind are comparable, two of different kinds say nothing. None: no number, or a filler.

    The country of the record tells a number written without its letters. French, Dutch, Swiss, British, Swedish and Norwegian numbers
    are cut down to the company's part, so that a registration number and the VAT number made of it are one.
    """
    plain = _NOT_ALNUM.sub("", text.upper())
    letters, rest = plain[:2], plain[2:]
    letters = "EL" if letters == "GR" else letters
    if letters in _VAT_OF and (found := _VAT_OF[letters].match(rest)):
        return _unless_filler(letters, _own(letters, found))
    home = "EL" if country == "GR" else country
    if home == "FR" and (found := _SIREN.match(plain)):
        return _unless_filler(home, found.group(1))
    if home in _VAT_OF and (found := _VAT_OF[home].match(plain)):
        return _unless_filler(home, _own(home, found))
    return _unless_filler(f"{home} {len(plain)}", plain)


def _unless_filler(kind: str, number: str) -> tuple[str, str] | None:
    digits = number if number.isdecimal() else _NOT_DIGIT.sub("", number)
    return None if len(digits) < 5 or _NO_NUMBER.match(digits) else (kind, number)


def _own(code: str, found: re.Match[str]) -> str:
    own = found.group(found.lastindex or 0)
    return own.zfill(10) if code == "BE" else own


def slip(one: str, other: str) -> bool:
    """Whether two numbers of one length differ in one character or in two neighbours that changed places."""
    if len(one) != len(other):
        return False
    at = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    return len(at) == 1 or (len(at) == 2 and at[1] == at[0] + 1 and one[at[0]] == other[at[1]] and one[at[1]] == other[at[0]])


def account(text: str) -> str:
    """A bank account: letters and digits only; '' where there are too few to be one."""
    plain = _NOT_ALNUM.sub("", text.upper())
    return plain if len(plain) > 5 and not _NO_NUMBER.match(plain) else ""


def phone(text: str) -> str:
    """The end of a telephone number, which is the same however it is dialled; '' where there is none."""
    if not text:
        return ""
    digits = _NOT_DIGIT.sub("", _EXTENSION.sub("", text) if _LETTER.search(text) else text)
    return digits[-_LINE:] if len(digits) >= _LINE and not _NO_NUMBER.match(digits) else ""


def mailbox(text: str) -> tuple[str, str]:
    """The mailbox and its domain; both '' where the text is no address."""
    key = text.strip().casefold() if text.isascii() and "xn--" not in text else mailbox_key(text)
    local, at, domain = key.rpartition("@")
    return (key, domain) if local and at and "." in domain else ("", "")


def site(text: str) -> str:
    """The domain of a web address or a bare domain, without `www.`."""
    host = text.strip().lower().partition("://")[2] or text.strip().lower()
    host = host.split("/", 1)[0].split("?", 1)[0].split(":", 1)[0].removeprefix("www.").strip(".")
    return host if "." in host and " " not in host else ""


@lru_cache(maxsize=65536)
def town(text: str) -> str:
    """A town in one spelling; of `Portland, ME` the town alone."""
    folded = fold(text.split(",", 1)[0])
    return _TOWNS.get(folded, folded)
