"""How two tools hold the same customer: what each asks for, who types it, and what goes wrong on the way."""

from __future__ import annotations

import random
import unicodedata

import msgspec

from tieout.core.identity import Record
from tieout.rehearsal.doubles.words import FREE_MAIL, LATIN, SHORTER
from tieout.rehearsal.doubles.world import Party, slug

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "å": "aa", "æ": "ae"})
_FORMS = {
    "GmbH": ("GmbH", "Gmbh", "GMBH", "Gesellschaft mbH"), "GmbH & Co. KG": ("GmbH & Co. KG", "GmbH & Co KG", "GmbH u. Co. KG", "GmbH"),
    "Ltd": ("Ltd", "Ltd.", "Limited", "LTD"), "Limited": ("Limited", "Ltd", "Ltd.", "LIMITED"), "LLC": ("LLC", "L.L.C.", "llc"),
    "Inc.": ("Inc.", "Inc", "Incorporated"), "Inc": ("Inc", "Inc.", "INC"), "Corp.": ("Corp.", "Corp", "Corporation"), "S.r.l.": ("S.r.l.",
    "SRL", "srl"),
    "S.L.": ("S.L.", "SL", "S.L"), "B.V.": ("B.V.", "BV", "bv"), "Sp. z o.o.": ("Sp. z o.o.", "Sp. z o. o.", "SP Z OO", "sp.z o.o."),
    "A/S": ("A/S", "AS"), "S.A.": ("S.A.", "SA"), "S.p.A.": ("S.p.A.", "SpA", "SPA"), "UG (haftungsbeschränkt)": ("UG (haftungsbeschränkt)", "UG"),
    "株式会社": ("株式会社", "(株)", "㈱"), "ООД": ("ООД", "OOD"), "ЕООД": ("ЕООД", "EOOD"), "e.K.": ("e.K.", "e. K.", "eK"),
}  # fmt: skip


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool holds, as chances: that a field is filled, that the legal form was typed, and of each kind of slip."""

    name: str
    email: float
    own_domain: float  # of a company's address, rather than somebody's private one
    tax: float
    city: float
    country: float
    phone: float
    account: float
    form: float
    slip: float
    trading: float
    shorter: float
    alias: float
    parent: float
    twice: float


#: A gateway: customers type their names themselves. A ledger: a clerk copies them from a letterhead.
GATEWAY = Tool(
    name="gateway", email=0.97, own_domain=0.86, tax=0.28, city=0.55, country=0.88, phone=0.3, account=0.1, form=0.66, slip=0.04, trading=0.35,
    shorter=0.07, alias=0.0, parent=0.0, twice=0.015,
)  # fmt: skip
LEDGER = Tool(
    name="ledger", email=0.76, own_domain=0.95, tax=0.66, city=0.93, country=0.95, phone=0.62, account=0.35, form=0.93, slip=0.015, trading=0.05,
    shorter=0.02, alias=0.3, parent=0.5, twice=0.006,
)  # fmt: skip


def record(rng: random.Random, party: Party, tool: Tool, key: str, parents: dict[int, str]) -> Record:
    """The party as the tool holds it."""
    uses_trading = bool(party.trading) and rng.random() < tool.trading
    name = party.trading if uses_trading else _with_form(rng, party, _typed(rng, party, tool), tool)
    if uses_trading:
        name = _slip(rng, name) if rng.random() < tool.slip else name
    return Record(
        key=key, source=tool.name, name=_in_case(rng, name), emails=_emails(rng, party, tool), domain="",
        phone=_dialled(rng, party) if rng.random() < tool.phone else "", tax_id=_tax(rng, party) if rng.random() < tool.tax else "",
        country=party.country.code if rng.random() < tool.country else "", city=_town(rng, party) if rng.random() < tool.city else "",
        accounts=(_spaced(rng, party.account),) if rng.random() < tool.account else (),
        aliases=(party.trading,) if party.trading and not uses_trading and rng.random() < tool.alias else (),
        parent=parents.get(party.parent) if party.parent is not None and rng.random() < tool.parent else None,
    )  # fmt: skip


def _typed(rng: random.Random, party: Party, tool: Tool) -> str:
    """The name without its legal form, as somebody typed it."""
    text = party.brand
    if party.country.code in ("BG", "GR") and rng.random() < 0.12:
        text = "".join(LATIN.get(c, c) for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c)).title()
    chance = rng.random()
    if chance < 0.12:
        text = text.translate(_UMLAUTS)
    elif chance < 0.22 and not party.country.glue:
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).replace("ß", "ss")
    words = text.split()
    if len(words) > 2 and party.kind == "company" and rng.random() < tool.shorter:
        words = words[:-1] if words[-2] != "&" else words[:-2]  # the trade is left out
    if rng.random() < 0.04:
        words = [SHORTER.get(word, word) for word in words]
    if "&" in words and rng.random() < 0.25:
        words[words.index("&")] = rng.choice(("and", "und", "+") if party.country.code in ("DE", "AT") else ("and", "+"))
    if party.kind == "person" and rng.random() < 0.06:
        words = [words[-1] + ",", *words[:-1]] if rng.random() < 0.5 else [words[-1], *words[:-1]]
    elif party.kind == "person" and rng.random() < 0.03:
        words[0] = words[0][0] + "."
    text = " ".join(words)
    return _slip(rng, text) if rng.random() < tool.slip else text


def _with_form(rng: random.Random, party: Party, text: str, tool: Tool) -> str:
    if not party.form or rng.random() > tool.form:
        return text
    form = rng.choice(_FORMS.get(party.form, (party.form,))) if rng.random() < 0.4 else party.form
    if rng.random() < 0.004:
        form = rng.choice(party.country.forms)[0]  # a clerk guessed
    between = "" if party.country.form_first else (", " if form[:1] in "LI" and rng.random() < 0.15 else " ")
    return f"{form}{between}{text}" if party.country.form_first and rng.random() < 0.85 else f"{text}{between}{form}"


def _slip(rng: random.Random, text: str) -> str:
    """One slip of the fingers: a letter left out, doubled, swapped with its neighbour or struck wrong."""
    places = [i for i, c in enumerate(text) if c.isalpha() and i > 0]
    if len(places) < 3:
        return text
    at = rng.choice(places)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    if kind == 2 and at + 1 < len(text):
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + rng.choice("aeionrst") + text[at + 1 :]


def _in_case(rng: random.Random, name: str) -> str:
    chance = rng.random()
    if chance < 0.04:
        return name.upper()
    if chance < 0.08:
        return name.lower()
    return f" {name}  " if chance < 0.09 else name


def _emails(rng: random.Random, party: Party, tool: Tool) -> tuple[str, ...]:
    if rng.random() > tool.email:
        return ()
    if not party.domain:
        # People keep their mailbox; some have two.
        return (party.mailbox,) if rng.random() < 0.88 else (_private(rng, party),)
    if rng.random() > tool.own_domain:
        return (_private(rng, party),)
    local = party.mailbox if rng.random() < 0.45 else slug(rng.choice(party.country.given)) or f"tanto{rng.randrange(99)}"
    return (f"{local}@{party.domain}",)


def _private(rng: random.Random, party: Party) -> str:
    provider = rng.choices([domain for domain, _ in FREE_MAIL], [n for _, n in FREE_MAIL])[0]
    return f"{slug(rng.choice(party.country.given)) or 'm'}{rng.randrange(1000, 99999)}@{provider}"


def _tax(rng: random.Random, party: Party) -> str:
    tax, chance = party.tax, rng.random()
    if not tax:
        return ""
    if chance < 0.005:
        at = rng.randrange(3, len(tax))
        return tax[:at] + str(rng.randrange(10)) + tax[at + 1 :]
    if chance < 0.10 and tax[:2].isalpha():
        return tax[2:]
    if chance < 0.22 and tax[:2].isalpha():
        return f"{tax[:2]} {tax[2:5]} {tax[5:8]} {tax[8:]}".strip()
    return tax.replace("-", "") if chance < 0.3 else tax


def _town(rng: random.Random, party: Party) -> str:
    if rng.random() < 0.03:
        return rng.choice(party.country.towns)  # the address of before they moved
    return party.town.upper() if rng.random() < 0.03 else party.town


def _dialled(rng: random.Random, party: Party) -> str:
    chance = rng.random()
    if chance < 0.04:
        return f"{party.country.dial} {rng.randrange(20, 999)} {rng.randrange(10**6, 10**7)}"  # somebody's mobile
    if chance < 0.3:
        return "0" + party.phone.split(" ", 1)[1].replace(" ", "/" if chance < 0.15 else " ", 1)
    return party.phone.replace(" ", "") if chance < 0.5 else party.phone


def _spaced(rng: random.Random, account: str) -> str:
    return " ".join(account[i : i + 4] for i in range(0, len(account), 4)) if rng.random() < 0.4 else account
