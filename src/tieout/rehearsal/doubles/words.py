"""What invented customers are called: parts of family and company names, trades, towns and legal forms of several countries."""

from __future__ import annotations

import msgspec


class Country(msgspec.Struct, frozen=True, kw_only=True):
    """How names are made in one country. Family and brand names are `heads` joined to `tails`; `forms` come with their weights;
    `tax` is the pattern of a tax number, # a digit and @ a letter; `dial` is the prefix of its telephone numbers."""

    code: str
    weight: int
    heads: tuple[str, ...]
    tails: tuple[str, ...]
    given: tuple[str, ...]
    trades: tuple[str, ...]
    towns: tuple[str, ...]
    forms: tuple[tuple[str, int], ...]
    tax: str
    dial: str
    sons: str = "& {other}"
    form_first: bool = False
    glue: str = ""


def _w(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _c(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


_GERMAN_HEADS = _w(
    "Lind Stein Wald Hohen Brück Ahr Eben Falken Grün Hasel Kalten König Lauter Mühl Neu Ober Rauschen Roß Schön Schwarz Silber Sonnen Tannen Unter"
    " Weiß Winter Berg Birken Buchen Eichen Erlen Feld Garten Heide Hirsch Kirch Krähen Löwen Mark Moos Nuss Öhl Pfau Quell Reb See Vogel Wein Ziegel"
)
_GERMAN_TAILS = _w(
    "mann berger felder hofer thal bach brunn hausen heim meier müller stätter städt wald burger dorfer eder kamp lein ner reuter rieder"
)
_GERMAN_GIVEN = _w(
    "Anna Maria Peter Thomas Michael Sabine Andreas Stefan Julia Jürgen Käthe Lukas Sophie Günther Hans Petra Monika Jörg Ulrike Felix"
)
_GERMAN_TRADES = _w(
    "Maschinenbau Elektrotechnik Bäckerei Metzgerei Spedition Verlag Autohaus Sanitär Druckerei Gartenbau Möbel Optik Apotheke Bau Holzbau Software"
    " Logistik Medien Textil Pflege Catering Werbung Architekten Steuerberatung Ingenieure Transporte Feinkost Brauerei Papier"
    " Kunststoffe Haustechnik"
)

COUNTRIES: tuple[Country, ...] = (
    Country(
        code="DE", weight=24, heads=_GERMAN_HEADS, tails=_GERMAN_TAILS, given=_GERMAN_GIVEN, trades=_GERMAN_TRADES,
        towns=_w("Berlin Hamburg München Köln Leipzig Stuttgart Dresden Rostock Münster Würzburg Lübeck Görlitz Freiburg Kassel Jena Ulm Kiel Trier"),
        forms=(("GmbH", 52), ("GmbH & Co. KG", 14), ("AG", 4), ("UG (haftungsbeschränkt)", 5), ("e.K.", 7), ("KG", 3), ("GbR", 5),
               ("OHG", 2), ("", 8)),
        tax="DE#########", dial="+49", sons="& Söhne",
    ),
    Country(
        code="AT", weight=4, heads=_GERMAN_HEADS, tails=_GERMAN_TAILS, given=_GERMAN_GIVEN, trades=_GERMAN_TRADES,
        towns=_w("Wien Graz Linz Salzburg Innsbruck Klagenfurt Wels"), forms=(("GmbH", 62), ("Ges.m.b.H.", 10), ("KG", 10), ("e.U.", 10), ("", 8)),
        tax="ATU########", dial="+43", sons="& Söhne",
    ),
    Country(
        code="GB", weight=17,
        heads=_w("Bright Oak Salt Thistle Hal Mar Red Fer Lamb Green Wex Stone Har Ash Copper Wil North Quay Lark Beacon Tol Mer Dun Pen Brad"
                 " Hart Kit"
                 " Fair Black Wood Chester Win Holm Carl Eden Fox Glen Haw Ken Lang Mill Nor Pem Raven Shel Strat Thorn Whit York Ald"),
        tails=_w("water haven marsh down well ton field bridge ford ley worth by wick combe stead gate hurst mere shaw bourne croft dale"),
        given=_w("James Sarah Oliver Emma William Charlotte George Amelia Harry Isla Jack Grace Thomas Lucy Alfie Alice Henry Ruby David Susan"),
        trades=_c("Coffee Roasters,Dental Practice,Solicitors,Brewing,Nurseries,Architects,Joinery,Catering,Estates,Distillery,Travel,Motors,Theatre,"
                  "Veterinary Clinic,Lettings,Florists,Cycles,Marine,Opticians,Garden Centre,Records,Plumbing,Electrical,Scaffolding,Bakery,Foods,"
                  "Consulting,Logistics,Engineering,Print,Media,Software"),
        towns=_w("London Bristol Leeds Falmouth York Norwich Manchester Glasgow Cardiff Exeter Brighton Oxford Bath Derby Sheffield Durham"),
        forms=(("Ltd", 48), ("Limited", 22), ("LLP", 6), ("plc", 2), ("", 22)), tax="GB#########", dial="+44", sons="& Sons",
    ),
    Country(
        code="US", weight=18,
        heads=_w("Cedar Blue Prairie Stone Harbor Maple Lake Copper Juniper Iron Bay Summit Fiddle Old River Tide Haw North Silver Granite Pine Sand"
                 " Eagle Bear Wolf Clear Spring Elk Sun Desert Canyon Cotton Willow Timber Ridge High Coal Bluff Fern Crest"),
        tails=_w("hollow heron lane fruit line main shore kettle trail wood berry row head water thorn fork birch field brook view"
                 " crest dale port creek"),
        given=_w("John Mary Robert Patricia Michael Jennifer David Linda Richard Barbara Joseph Susan Carlos Jessica Daniel Karen"
                 " Mark Nancy Paul Betty"),
        trades=_c("Outfitters,Brewing,Realty,Market,Credit Union,Bakery,Dental Group,Coffee,Events,Fitness,Home Goods,Law,Farms,Signs,Family Clinic,"
                  "Cider,Inns,Tours,Roofing,Plumbing,Construction,Insurance Agency,Landscaping,Trucking,Manufacturing,Technologies,Consulting,Foods,"
                  "Supply,Electric,Studios,Partners"),
        towns=_c("Portland,Albany,Richmond,Raleigh,Burlington,Austin,Denver,Columbus,Madison,Boise,Tucson,Fresno,San Jose,"
                 "Salt Lake City,Santa Fe,Omaha"),
        forms=(("LLC", 42), ("Inc.", 25), ("Inc", 8), ("Corp.", 5), ("Corporation", 2), ("Co.", 4), ("", 14)), tax="##-#######", dial="+1",
        sons="& Sons",
    ),
    Country(
        code="FR", weight=8,
        heads=_w("Beau Belle Clair Grand Haute Lar Mont Neuve Petit Roche Saint Val Vert Vieil Chante Font Mar Bon Dur Gar Ler Mer Per Tour"),
        tails=_w("mont ville rive val fontaine champ bois lieu court fort pont garde jean oux and ier elle eau"),
        given=_w("Jean Marie Pierre Camille Louis Chloé François Léa Hélène Émile Luc Zoé André Élise Hugo Anaïs Benoît Cécile"),
        trades=_c("Boulangerie,Transports,Menuiserie,Électricité,Conseil,Édition,Imprimerie,Traiteur,Plomberie,Architecture,Informatique,Optique,"
                  "Pharmacie,Jardins,Vins,Fromages,Mécanique,Textiles,Énergie,Librairie"),
        towns=_c("Paris,Lyon,Nantes,Lille,Rennes,Orléans,Besançon,Nîmes,Béziers,Tours,Angers,Le Havre,Saint-Étienne"),
        forms=(("SARL", 40), ("SAS", 35), ("SASU", 8), ("SA", 4), ("EURL", 5), ("", 8)), tax="FR###########", dial="+33", sons="et Fils",
    ),
    Country(
        code="IT", weight=6,
        heads=_w("Bel Monte Castel Rosa Bian Verde Font Cam Mar Val Serra Pietra Colle Lago Torre Gal Ner Ros Ferr Bru Cor Mor"),
        tails=_w("lli etti ini oni chi mare nova vecchia forte secca ana ara etta ario anti aldi elli ucci"),
        given=_w("Marco Giulia Luca Chiara Paolo Francesca Andrea Sara Matteo Elena Niccolò Laura Davide Anna Simone Marta"),
        trades=_c("Costruzioni,Trasporti,Alimentari,Vini,Arredamenti,Meccanica,Tessuti,Informatica,Ceramiche,Impianti,Caffè,Editore,Moda,Marmi,Legnami"),
        towns=_w("Milano Roma Torino Bologna Firenze Napoli Verona Padova Parma Bari Lucca Forlì Trento"),
        forms=(("S.r.l.", 55), ("SRL", 12), ("S.p.A.", 9), ("S.n.c.", 8), ("S.a.s.", 5), ("", 11)), tax="IT###########", dial="+39", sons="e Figli",
    ),
    Country(
        code="ES", weight=6,
        heads=_w("Monte Rio Villa Campo Puerto Torre Alta Val Agua Casa Sol Font Rojo Peña Mar Fuente Oliv Ro Gar Mon"),
        tails=_w("verde blanca nueva seca mayor alta real dorada claro bravo ares ales ero osa ino ueña"),
        given=_w("José María Carlos Lucía Antonio Carmen Javier Ana Miguel Elena Ángel Pilar Íñigo Nuria Raúl Sofía"),
        trades=_c("Construcciones,Transportes,Alimentación,Vinos,Muebles,Mecánica,Textiles,Informática,Azulejos,Instalaciones,Cafés,Ediciones,Aceites,"
                  "Jardinería,Diseño"),
        towns=_c("Madrid,Barcelona,Sevilla,Valencia,Málaga,Bilbao,Zaragoza,Córdoba,León,Gijón,Cádiz,Vigo,A Coruña"),
        forms=(("S.L.", 55), ("SL", 12), ("S.A.", 10), ("S.L.U.", 8), ("", 15)), tax="ESB########", dial="+34", sons="e Hijos",
    ),
    Country(
        code="NL", weight=5,
        heads=_w("Groen Nieuw Oud Wester Noorder Ooster Zuider Water Molen Duin Berk Linden Rozen Bloem Zand Hoog Kerk Veen"),
        tails=_w("dijk veld huis berg burg hof kamp weg hout meer stra sloot zicht stede laar"),
        given=_w("Jan Anna Pieter Sanne Daan Emma Willem Fleur Bram Lotte Kees Eva Joost Iris"),
        trades=_c("Bouw,Transport,Techniek,Advies,Beheer,Bloemen,Installatie,Drukwerk,Meubelen,Software,Logistiek,Horeca,Zuivel,Verf"),
        towns=_c("Amsterdam,Rotterdam,Utrecht,Eindhoven,Groningen,Den Haag,Leiden,Delft,Breda,Zwolle"),
        forms=(("B.V.", 58), ("BV", 16), ("N.V.", 2), ("V.O.F.", 8), ("", 16)), tax="NL#########B01", dial="+31", sons="en Zonen",
    ),
    Country(
        code="PL", weight=4,
        heads=_w("Kowal Nowa Wiśn Zielon Lew Jab Krawcz Szyman Dąbr Kozł Piotr Grab Paw Mich Król Wójc Jaśk Łuk Brzez Gór"),
        tails=_w("ski czyk ewski iński owicz owska ak ek arz anka ecki owy"),
        given=_w("Jan Anna Piotr Katarzyna Krzysztof Małgorzata Andrzej Agnieszka Tomasz Łucja Paweł Zofia"),
        trades=_c("Budownictwo,Transport,Meble,Drukarnia,Piekarnia,Elektronika,Usługi,Ogrody,Informatyka,Tekstylia,Hurtownia,Okna"),
        towns=_w("Warszawa Kraków Łódź Wrocław Poznań Gdańsk Szczecin Lublin Toruń Rzeszów"),
        forms=(("Sp. z o.o.", 60), ("sp. z o.o. sp. k.", 8), ("S.A.", 6), ("s.c.", 4), ("", 22)), tax="PL##########", dial="+48", sons="i Synowie",
    ),
    Country(
        code="SE", weight=3,
        heads=_w("Lind Berg Sjö Gran Björk Ek Ström Hög Norr Väster Öst Söder Ny Stor Sten Ång Dal Hav Ros Al"),
        tails=_w("qvist ström gren dahl berg lund holm mark stedt bäck hult vall"),
        given=_w("Erik Anna Lars Karin Nils Åsa Göran Elin Sven Märta Olle Ingrid"),
        trades=_c("Bygg,Åkeri,Bageri,Konsult,Fastigheter,Teknik,Snickeri,Måleri,Tryckeri,Trädgård,El,Data"),
        towns=_w("Stockholm Göteborg Malmö Uppsala Örebro Umeå Luleå Växjö Gävle"),
        forms=(("AB", 82), ("HB", 5), ("", 13)), tax="SE##########01", dial="+46", sons="& Söner",
    ),
    Country(
        code="DK", weight=2, heads=_w("Nør Vester Øster Sønder Lille Kær Bjerg Holm Skov Søn Ryg Hav Ny Rosen Lund Fjeld"),
        tails=_w("gaard lund bjerg sen toft holt borg rup skov bæk dal husen"),
        given=_w("Lars Mette Søren Anne Jørgen Kirsten Niels Bodil Åge Signe"),
        trades=_c("Byg,Transport,Bageri,Rådgivning,Ejendomme,Teknik,Tømrer,Maler,Trykkeri,Have,El,Fisk"),
        towns=_w("København Aarhus Odense Aalborg Esbjerg Køge Hillerød Næstved"), forms=(("ApS", 55), ("A/S", 28), ("I/S", 3), ("", 14)),
        tax="DK########", dial="+45", sons="& Sønner",
    ),
    Country(
        code="BG", weight=2, heads=_w("Бел Черн Зелен Слънч Горн Долн Камен Мед Рил Пирин Дунав Роз Злат Нов Стар Бор Яс"),
        tails=_w("ица ово оград ино стил маш продукт ев ова ен ски"), given=_w("Иван Мария Георги Елена Димитър Йорданка Стоян Цветан Петя"),
        trades=_c("Строй,Транспорт,Мебели,Хлебозавод,Консулт,Електро,Агро,Печат,Текстил,Вино"), towns=_w("София Пловдив Варна Бургас Русе Плевен"),
        forms=(("ЕООД", 50), ("ООД", 35), ("АД", 9), ("", 6)), tax="BG#########", dial="+359", sons="и Синове",
    ),
    Country(
        code="GR", weight=2, heads=_w("Παπα Καρα Χατζη Νικο Κων Θεο Αλεξ Δημ Γεωρ Στεφ Μεσο Θαλασσ Ελαι Αιγ"),
        tails=_w("δόπουλος γιάννης λίδης ίου άκης ώνας ινός ίδης ούσης αίος"), given=_w("Γιώργος Μαρία Νίκος Ελένη Κώστας Σοφία Δημήτρης"),
        trades=_c("Τεχνική,Μεταφορές,Τρόφιμα,Οινοποιία,Έπιπλα,Εκδόσεις,Ναυτιλιακή,Ενεργειακή"), towns=_w("Αθήνα Πάτρα Βόλος Χανιά Λάρισα Κέρκυρα"),
        forms=(("Α.Ε.", 38), ("Ε.Π.Ε.", 20), ("Ι.Κ.Ε.", 28), ("Ο.Ε.", 8), ("", 6)), tax="EL#########", dial="+30", sons="& Υιοί",
    ),
    Country(
        code="JP", weight=2, heads=_w("東 西 北 南 青 白 赤 黒 高 中 大 小 新 古 森 林 川 山 石 松 竹 梅 桜 金 銀 星 月 光 朝"),
        tails=_w("山 川 田 野 原 村 島 崎 橋 井 沢 谷 浜 本 木 岡 葉 水 風 雲 ヶ丘"), given=_w("太郎 花子 健一 美咲 翔 陽子 誠 由美"),
        trades=_w("工業 商事 製作所 運輸 電機 食品 印刷 建設 出版 薬品 繊維 システム"), towns=_w("東京 大阪 京都 札幌 仙台 福岡 広島 金沢"),
        forms=(("株式会社", 80), ("有限会社", 12), ("合同会社", 8)), tax="T#############", dial="+81", sons="", form_first=True, glue="none",
    ),
)  # fmt: skip

#: What companies of one house are called beside their common name, and how often each is met.
HOUSE = {
    "DE": (("Holding", 30), ("Verwaltungs", 25), ("Service", 15), ("Immobilien", 12), ("Vertriebs", 10), ("Logistik", 8)),
    "": (("Holding", 25), ("Holdings", 15), ("Services", 20), ("International", 10), ("Properties", 10), ("Logistics", 10), ("Trading", 10)),
}
#: Mail providers where anybody can have an address, and how common they are. All end in `.example`: no mail ever reaches anybody.
FREE_MAIL = (("postfach.example", 34), ("mailhaus.example", 22), ("freepost.example", 18), ("brievenbus.example", 9), ("courriel.example", 9),
             ("postino.example", 8))  # fmt: skip
MAILBOXES = _w("info office accounts ap billing finance rechnung buchhaltung compta admin kontakt hello")
#: Long words people shorten, each to one thing.
SHORTER = {
    "International": "Intl", "Services": "Svcs", "Manufacturing": "Mfg", "Technologies": "Tech", "Engineering": "Eng", "Consulting": "Cons.",
    "Maschinenbau": "Masch.bau", "Elektrotechnik": "Elektrotechn.", "Steuerberatung": "Stb.", "Transporte": "Transp.", "Logistics": "Log.",
    "Construction": "Constr.", "Construcciones": "Constr.", "Costruzioni": "Costr.", "Transports": "Transp.", "Transportes": "Transp.",
    "Solicitors": "Sols", "Electrical": "Elec.", "Söhne": "S.", "Sons": "Sons",
}  # fmt: skip
#: How Cyrillic and Greek are written by those who have no such keys.
LATIN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n",
    "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht", "ъ": "a", "ь": "y",
    "ю": "yu", "я": "ya", "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l", "μ": "m",
    "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
