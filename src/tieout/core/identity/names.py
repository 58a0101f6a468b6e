"""A name taken apart for comparison: its words in one spelling and one alphabet, its legal form, its numbers and its places.

Finer than `party.fold`, which keeps scripts and spellings: here `Müller`, `Mueller` and `MULLER` are one word, `Бел` and `Bel` too,
and what tells two companies apart (a number, a town, the word Holding) is known as such.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from tieout.core.identity import forms

_WORD = re.compile(r"[^\W_]+")
#: Dots between single letters join them: S.p.A. is spa.
_INITIALS = re.compile(r"(?<![^\W_]{2})(?<=[^\W\d_])\.(?=[^\W\d_](?![^\W_]))")
#: Letters that do not come apart into a plain one and its accent; Cyrillic and Greek as they are mostly spelled in Latin letters.
_LATIN = str.maketrans(
    {
        "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "", "'": "", "`": "", "´": "",
        "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "є": "ye", "ж": "zh", "з": "z", "и": "i", "і": "i", "ј": "j", "к": "k",
        "л": "l", "љ": "lj", "м": "m", "н": "n", "њ": "nj", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "ћ": "c", "у": "u", "ф": "f", "х": "h",
        "ц": "ts", "ч": "ch", "џ": "dz", "ш": "sh", "щ": "sht", "ъ": "a", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya", "ђ": "dj",
        "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x",
        "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
    }
)  # fmt: skip
#: The marks that make another Japanese sound of a sign; every other accent is dropped.
_SOUNDED = ("\u3099", "\u309a")
_BRACKETED = {"(株)": "株式会社", "(有)": "有限会社", "(합)": ""}
#: Words that are no part of anybody's name.
_EMPTY = frozenset("and und et og och the mr mrs ms miss herr frau dr prof mme u".split())
#: Words written in two ways, in the spelling of `plain`.
_ONE_WAY = {
    "bros": "brothers", "gebr": "gebruder", "intl": "international", "intern": "international", "mfg": "manufacturing", "svc": "services",
    "svcs": "services", "center": "centre", "theater": "theatre", "sankt": "saint", "st": "saint",
    "assoc": "associates", "stg": "stichting", "univ": "university", "groupe": "group", "gruppe": "group", "groep": "group",
    "no": "nr", "number": "nr", "num": "nr",
}  # fmt: skip
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8"}
#: Parts of words that make another company of a house: the one that owns, the one that manages, the one that lets the ground.
_HOUSE = re.compile(
    r"holding|beteiligung|verwaltung|besitz|grundst|vermogen|stichting|stiftung|foundation|^(?:immobil|propert|pension|beheer|trust|vertrieb|leasing"
    r"|capital|servic|logisti|international|trading)"
)


class Name(msgspec.Struct, frozen=True, gc=False):
    """`text` as given. `words` in one spelling, legal form and fillers aside; `key` them joined: equal keys are one name however it is
    parted."""

    text: str
    words: tuple[str, ...]
    key: str
    form: str

    @property
    def numbers(self) -> set[str]:
        """The words with a digit at either end."""
        if self.key.isalpha():
            return set()
        return {word for word in self.words if word[0].isdigit() or word[-1].isdigit()}


def read(text: str) -> Name:
    """The name in `text`; of an empty one every part is empty."""
    lowered = text.lower()
    if not lowered.isascii():
        lowered = _one_alphabet(lowered)
    elif "'" in lowered:
        lowered = lowered.replace("'", "")
    if "." in lowered:
        lowered = _INITIALS.sub("", lowered)
    words, form = forms.part([word for word in _WORD.findall(lowered) if word not in _EMPTY])
    spelled = tuple([plain(word) for word in words])
    return Name(text, spelled, "".join(spelled), form)


def _one_alphabet(lowered: str) -> str:
    apart = unicodedata.normalize("NFKD", lowered)
    bare = "".join([c for c in apart if c in _SOUNDED or not unicodedata.combining(c)]).casefold().translate(_LATIN)
    if any(c > "\u2e80" for c in bare):
        bare = unicodedata.normalize("NFC", bare)
        for glued in (*_BRACKETED, *forms.GLUED):
            if glued in bare:
                bare = bare.replace(glued, f" {_BRACKETED.get(glued, glued)} ")
                break
    return bare


@lru_cache(maxsize=65536)  # most words of names are met again and again
def plain(word: str) -> str:
    """One word in one spelling: ae, oe, ue as the plain vowel, so that Mueller and Müller meet; numbers without their zeros."""
    if word in _ONE_WAY:
        return _ONE_WAY[word]
    if word in _ROMAN:
        return _ROMAN[word]
    if "e" in word:
        word = word.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    elif word[0] == "0":
        return word.lstrip("0") or "0"
    return word.replace("aa", "a") if "aa" in word else word


def of_house(word: str) -> bool:
    """Whether a word of a name makes another company of the same house of it."""
    return _HOUSE.search(word) is not None
