"""Names and addresses of parties: folding for comparison, and one validated mail address at a time."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache

import idna
import msgspec
from email_validator import EmailNotValidError, validate_email

_SPACES = re.compile(r"\s+")
_WORDS = re.compile(r"[^\w]+", re.UNICODE)

#: Legal forms that do not tell two companies apart. Lower case, dots removed.
LEGAL_FORMS = frozenset(
    "ab ag aps as asa bv co company corp corporation cv eg eurl gbr gesellschaft gmbh inc incorporated kft kg kk limited llc llp"
    " lp ltd ltda mbh nv ohg oy oyj plc pte pty sa sarl sas sasu sl slu spa sp spzoo srl sro ug unipersonale vof".split()
)


def tidy(text: str) -> str:
    """One line, single spaces, no control characters, canonical Unicode composition (NFC)."""
    cleaned = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFC", text))
    return _SPACES.sub(" ", cleaned).strip()


@lru_cache(maxsize=65536)  # payers repeat; a bank file names each of them dozens of times
def fold(name: str) -> str:
    """A name for comparison: case, accents, punctuation and legal form removed; `Müller & Söhne GmbH` → `muller sohne`."""
    decomposed = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold().replace(".", "")
    words = [w for w in _WORDS.split(bare) if w]
    kept = [w for w in words if w not in LEGAL_FORMS]
    return " ".join(kept or words)


class AddressRefused(msgspec.Struct, frozen=True):
    """Why a mail address was not taken: a value to show, not an exception."""

    reason: str


@lru_cache(maxsize=65536)  # an address repeats on each invoice of its customer
def mail_address(text: str) -> str | AddressRefused:
    """One address, normalised (lower-case domain), or the reason it is refused. Two addresses in one field are refused."""
    candidate = text.strip()
    if len(re.findall("@", candidate)) > 1 and re.search(r"[,;\s]", candidate):
        return AddressRefused("holds more than one address; give one per contact")
    try:
        # Delivery is not probed: no network in the core, and special-use domains are fine for a rehearsal.
        result = validate_email(candidate, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return AddressRefused(str(error))
    return result.normalized


@lru_cache(maxsize=65536)
def mailbox_key(address: str) -> str:
    """The key under which one mailbox is counted: `AP@x.example` and `ap@X.example` are one, and so are a domain and its
    `xn--` form; else one mailbox would have two contact budgets."""
    bare = address.strip()
    if bare.isascii() and "xn--" not in bare.casefold():
        return bare.casefold()
    local, at, domain = bare.rpartition("@")
    with suppress(idna.IDNAError):
        domain = idna.decode(domain)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local + at + domain).casefold())
