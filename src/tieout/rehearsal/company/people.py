"""The customers of the sample company: names, seats, mailboxes, terms and ways of paying.

All are invented; every address ends in `.example`, which no mail ever reaches (RFC 2606).
"""

from __future__ import annotations

import random
import unicodedata

import msgspec

GERMAN = (
    "Bäckerei Grünspän & Söhne", "Müller & Öztürk Architekten", "Wirtshaus zum Schwarzen Roß", "Teehaus Löwenzahn", "Kanzlei Dr. Weißenfels",
    "Möbelwerkstatt Ahrend", "Stadtwerke Lindenau", "Buchhandlung Fährmann", "Optik Sauerländer", "Zahnärzte am Kanal", "Gärtnerei Pfeiffer",
    "Fahrradkontor Nord", "Elektro Brömmel", "Hotel Seeterrassen Warnow", "Reisebüro Horizont", "Physio am Markt", "Brauerei Kuckuckshof",
    "Weingut Steinbrück", "Theater im Speicher", "Filmkontor Havel", "Messebau Kranich", "Sanitär Hölscher", "Autohaus Rüttgers",
    "Spedition Wendtland", "Kaffeerösterei Mokkasand", "Apotheke am Obertor", "Modehaus Silbermann", "Immobilien Tannert", "Steuerkanzlei Brandis",
    "Pflegedienst Sonnenhof", "Institut für Windkraft Nordsee", "Landbäckerei Heimfeld", "Konzertagentur Dreiklang", "Naturkost Ährenfeld",
    "Schreinerei Zirbel", "Verlag Drei Linden", "Segelschule Boddenwind", "Eventtechnik Lauterbach", "Fotostudio Lichthof", "Galerie Weißraum",
    "Hofladen Kräuterkate", "Praxisgemeinschaft Dahlem", "Softwarehaus Karlsberg", "Maschinenbau Ehrlinger", "Chocolaterie Brünnhild",
    "Tanzschule Allegra", "Zoohandlung Pelikan", "Bootsbau Kielwasser", "Reinigung Perlweiß", "Gasthof Drei Eichen", "Kfz-Technik Holtkamp",
    "Gesellschaft für kommunale Öffentlichkeitsarbeit, Veranstaltungstechnik und Besucherlenkung der Mecklenburgischen Seenplatte mbH & Co. KG",
)
BRITISH = (
    "Brightwater Coffee Roasters", "Oakhaven Dental", "Penrose & Vale Solicitors", "Saltmarsh Brewing", "Thistledown Nurseries", "Corbel Architects",
    "Halcyon Yoga Studios", "Marlowe Street Books", "Redfern Events", "Tamar Valley Cheese", "Kittiwake Surf School", "Ferrier Joinery",
    "Lambton Property Services", "Greenfinch Catering", "Wexcombe Estates", "Old Mill Distillery", "Peregrine Travel", "Stonebridge Motors",
    "Harbour Light Theatre", "Ashdown Veterinary", "Copperfield Lettings", "Willow & Wren Florists", "Northgate Cycles", "Quayside Marine",
    "Larkrise Nursery School", "Beacon Hill Physio", "Tolland Opticians", "Merrivale Garden Centre", "Dunmore Records",
)
AMERICAN = (
    "Cedar Hollow Outfitters", "Blue Heron Brewing Co.", "Prairie Lane Realty", "Stonefruit Market", "Harborline Credit Union", "Maple & Main Bakery",
    "Lakeshore Dental Group", "Copper Kettle Coffee", "Juniper Trail Events", "Ironwood Fitness", "Bayberry Home Goods", "Summit Row Law",
    "Fiddlehead Farms", "Old Depot Theater", "Riverbend Schools Foundation", "Tidewater Signs", "Hawthorn Family Clinic", "Northfork Cider",
    "Silver Birch Inns", "Granite State Tours",
)
_LEGAL = {"DE": ("GmbH", "GmbH", "e.K.", "KG", "GbR", ""), "GB": ("Ltd", "Ltd", "Ltd", "LLP", ""), "US": ("LLC", "Inc.", "")}
_CITIES = {
    "DE": ("Leipzig", "Hamburg", "Rostock", "Köln", "Görlitz", "Münster", "Würzburg", "Lübeck"),
    "AT": ("Wien", "Linz", "Graz"),
    "GB": ("Bristol", "Leeds", "Falmouth", "York", "Norwich"),
    "US": ("Portland, ME", "Albany, NY", "Richmond, VA", "Raleigh, NC", "Burlington, VT"),
}
ZONES = {"DE": "Europe/Berlin", "AT": "Europe/Vienna", "GB": "Europe/London", "US": "America/New_York"}
CURRENCIES = {"DE": "EUR", "AT": "EUR", "GB": "GBP", "US": "USD"}
_MAILBOXES = {"DE": ("rechnung", "buchhaltung", "kreditoren"), "AT": ("buchhaltung",), "GB": ("accounts", "ap", "finance"), "US": ("ap", "billing")}


class Habit(msgspec.Struct, frozen=True):
    """How somebody pays: days after the due date (mean, spread), and how many bills in a hundred are forgotten for weeks."""

    name: str
    late: float
    spread: float
    forgets: float


PROMPT = Habit("prompt", -3, 2, 0.3)
STEADY = Habit("steady", 2, 3, 0.6)
SLOW = Habit("slow", 12, 6, 1.5)
POOR = Habit("poor", 38, 14, 5)
_HABITS = ((PROMPT, 37), (STEADY, 36), (SLOW, 18), (POOR, 9))


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One customer. `style` says what their transfers say: the `number`, its bare `digits`, several at a time (`runs`), or
    something `vague`. `terms` in days, None where no due date is agreed. `part` is a part in the story (see `story`)."""

    key: str
    name: str
    country: str
    city: str
    language: str
    currency: str
    email: str
    phone: str
    vat: str
    account: str
    business: bool = True
    parent: str = ""
    terms: int | None = 30
    habit: Habit = STEADY
    style: str = "number"
    every: float = 30.0
    median_minor: int = 90_000
    part: str = ""

    @property
    def office(self) -> str:
        """Which of the two systems bills them."""
        return "us" if self.country == "US" else "main"

    @property
    def time_zone(self) -> str:
        return ZONES[self.country]


#: People of the story: name, country, part, and what differs from chance.
STORY: tuple[tuple[str, str, str, dict[str, object]], ...] = (
    ("Hollander Gruppe AG", "DE", "parent", {"habit": STEADY}),
    ("Hollander Messebau GmbH", "DE", "child", {"habit": STEADY, "terms": 30}),
    ("Brightwell Interiors Ltd", "GB", "lookalike", {"habit": STEADY, "style": "vague"}),
    ("Brightwell Interior Design Ltd", "GB", "", {"habit": SLOW}),
    ("Clara Whitcombe", "GB", "consumer", {"habit": SLOW, "business": False}),
    ("Kulturverein Elbhang e.V.", "DE", "undated", {"habit": STEADY, "terms": None}),
    ("Seehotel Morgenrot GmbH", "DE", "kept", {"habit": SLOW}),
    ("Ravensworth Leisure Ltd", "GB", "broken", {"habit": POOR}),
    ("Druckwerk Vertrieb Sander GmbH", "DE", "dispute", {"habit": STEADY}),
    ("Pinecrest Conference Center LLC", "US", "double", {"habit": STEADY}),
    ("Eisdiele Venezia Schön OHG", "DE", "dead mailbox", {"habit": SLOW}),
    ("Fellgate Fabrications Ltd", "GB", "lets it lie", {"habit": POOR}),
    ("Lindqvist & Partner GmbH", "AT", "says paid", {"habit": SLOW}),
    ("Tischlerei Obermoser", "AT", "no mail", {"habit": SLOW}),
    ("Hartwell Copy & Sign Inc.", "US", "no mail", {"habit": SLOW}),
    ("Gasthaus Alte Mühle", "DE", "no mail", {"habit": STEADY}),
    ("Orchard Row Cider Ltd", "GB", "opts out", {"habit": SLOW}),
    ("Bühnenbau Schächtele GmbH", "DE", "short", {"habit": SLOW}),
    ("Kunsthalle Mühlberg gGmbH", "DE", "credited", {"habit": SLOW}),
    ("Casco Harbor Inn LLC", "US", "drags on", {"habit": POOR}),
    ("Penhallow Boatyard Ltd", "GB", "refuses", {"habit": SLOW}),
)


def clients(seed: int) -> tuple[Client, ...]:
    """All of them, the same for the same seed."""
    rng = random.Random(f"{seed}:people")
    found: list[Client] = []
    wanted: list[tuple[str, str, str, dict[str, object]]] = [*STORY]
    wanted += [(_legal(rng, name, "DE"), "AT" if rng.random() < 0.1 else "DE", "", {}) for name in GERMAN]
    wanted += [(_legal(rng, name, "GB"), "GB", "", {}) for name in BRITISH]
    wanted += [(_legal(rng, name, "US"), "US", "", {}) for name in AMERICAN]
    for number, (name, country, part, special) in enumerate(wanted):
        found.append(_client(rng, number, name, country, part, special))
    parent = next(c for c in found if c.part == "parent")
    return tuple(msgspec.structs.replace(c, parent=parent.key) if c.part == "child" else c for c in found)


def _client(rng: random.Random, number: int, name: str, country: str, part: str, special: dict[str, object]) -> Client:
    base = _base(rng, number, name, country, part)
    habit = rng.choices([h for h, _ in _HABITS], [w for _, w in _HABITS])[0]
    style = rng.choices(("number", "digits", "runs", "vague"), (79, 4, 13, 4))[0]
    terms = rng.choices((14, 30, 45, 60), (22, 52, 14, 12))[0]
    every = 45.0 if part else rng.uniform(17, 52)
    median = round(rng.lognormvariate(11.2, 0.55))
    chosen = {"habit": habit, "style": "number" if part else style, "terms": terms, "every": every, "median_minor": median}
    return msgspec.structs.replace(base, **{**chosen, **special})


def _base(rng: random.Random, number: int, name: str, country: str, part: str) -> Client:
    digits = f"{rng.randrange(10**9):09d}"
    vat = {"DE": f"DE{digits}", "AT": f"ATU{digits[:8]}", "GB": f"GB{digits}", "US": ""}[country]
    check = rng.randrange(10, 99)
    account = {"DE": f"DE{check}7001{digits}{rng.randrange(10**5):05d}", "GB": f"GB{check}ALDR4047{digits}"}.get(country, "")
    shown = account if rng.random() < 0.6 else ""
    mail = "" if part in ("no mail",) else f"{rng.choice(_MAILBOXES[country])}@{_domain(name)}.example"
    language = "de" if country in ("DE", "AT") else "en"
    prefix = {"DE": "+49 341 5550", "AT": "+43 1 55500", "GB": "+44 117 496 0", "US": "+1 207 555 01"}[country]
    return Client(
        key=f"{'U' if country == 'US' else 'K'}{1001 + number}", name=name, country=country, city=rng.choice(_CITIES[country]), language=language,
        currency=CURRENCIES[country], email=mail, phone=f"{prefix}{number % 100:02d}", vat=vat, account=shown, part=part,
    )  # fmt: skip


def _legal(rng: random.Random, name: str, country: str) -> str:
    return f"{name} {rng.choice(_LEGAL[country])}".strip() if len(name) < 60 and not name.endswith(("Co.", "Foundation")) else name


def _domain(name: str) -> str:
    spelled = name.lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    return "-".join(words[:2])[:40].strip("-")
