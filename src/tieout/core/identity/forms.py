"""Legal forms: which words of a name say what kind of company it is, and which of them may mean one company."""

from __future__ import annotations

#: Each line: the form, then its spellings, folded and with dots removed.
_SPELLINGS = """
ltd: ltd, limited, private limited, pvt ltd, private ltd, pty ltd, pte ltd, co ltd, company limited, coltd
plc: plc, public limited company
llp: llp
lp: lp
llc: llc, limited liability company, l l c
inc: inc, incorporated
corp: corp, corporation
gmbh: gmbh, ges mbh, gesmbh, gesellschaft mbh, gesellschaft mit beschrankter haftung, mbh, ggmbh, g mbh
gmbh & co kg: gmbh co kg, gmbh u co kg, gmbh und co kg, gmbh cokg, ggmbh co kg, gmbh and co kg
ug: ug, ug haftungsbeschrankt
ug & co kg: ug co kg, ug haftungsbeschrankt co kg
ag: ag, aktiengesellschaft
ag & co kg: ag co kg
kg: kg, co kg, kommanditgesellschaft
kgaa: kgaa
ohg: ohg
gbr: gbr, gesellschaft burgerlichen rechts
ek: ek, e k, ekfr, ekfm, eingetragener kaufmann, eingetragene kauffrau, e kfm
eu: e u
ev: ev, e v, eingetragener verein
eg: e g
partg: partg, partg mbb, partgmbb, partnerschaftsgesellschaft
se: se
sarl: sarl, s a r l, sa rl, s a rl
sas: sas, s a s, sasu
eurl: eurl
sa: sa, s a, sociedad anonima, societe anonyme
sci: sci
snc: snc, s n c
srl: srl, s r l, srls
spa: spa, s p a
sl: sl, s l, slu, s l u, sociedad limitada
sc: sc, s c
bv: bv, b v
nv: nv, n v
vof: vof, v o f
cv: cv
ab: ab, aktiebolag, ab publ
hb: hb, handelsbolag
as: as, a s
asa: asa
aps: aps
is: i s
oy: oy, oyj, oy ab
kft: kft
zrt: zrt, nyrt
sro: sro, s r o, spol s r o
doo: doo, d o o
sp zoo: spzoo, sp zoo, sp z oo, sp z o o, spolka z oo, spolka z ograniczona odpowiedzialnoscia
sp zoo sp k: sp z oo sp k, sp z o o sp k, sp zoo sp k, spzoo spk, sp z oo spk
sp k: sp k, spk
sp j: sp j, spj
sia: sia
uab: uab
ou: ou
lda: lda
ltda: ltda
sa de cv: sa de cv
srl de cv: s de rl de cv
ooo: ooo, ood
eood: eood
ad: ad
ao: ao, oao, zao, pao, jsc, ojsc
ip: ip
ae: ae, a e
epe: epe, e p e
ike: ike, i k e
oe: oe, o e
kk: kk, 株式会社, 주식회사
yk: 有限会社, yugen kaisha
gk: 合同会社, godo kaisha
有限公司: 有限公司, 股份有限公司, 有限责任公司
sdn bhd: sdn bhd
pt: pt
"""
#: Words that are a form only at the end of a name or beside another form; within it they are often words of their own.
_LOOSE = frozenset("ab ad ae ag ao as asa cv ek ev hb ip is ike kg kk lp mbh nv oe ou oy pt sa sc sci se sia sl spa spk spj ug".split())
#: Of these, the ones that stand before a name.
_BEFORE = frozenset(("ao", "ip", "pt"))
#: Legal forms that name one kind in two languages, or that people mix up.
_ALIKE = frozenset(
    frozenset(two.split("=")) for two in ("ooo=llc", "ooo=ltd", "eood=ltd", "ao=corp", "kk=ltd", "kk=inc", "inc=corp", "有限公司=ltd", "ltda=ltd")
)
#: At the end of a name these say that it is a company, which is no news.
_FILLERS = frozenset(("co", "company", "cia", "cie", "compagnie"))
_LONGEST = 5

FORMS: dict[tuple[str, ...], str] = {
    tuple(spelling.split()): form
    for form, _, spellings in (line.partition(": ") for line in _SPELLINGS.strip().splitlines())
    for spelling in (part.strip() for part in spellings.split(","))
}
#: First words of any form: most words of most names are passed over by one look here.
_STARTS = frozenset(words[0] for words in FORMS)
#: Written without a space before or after the name, longest first.
GLUED = tuple(sorted((words[0] for words in FORMS if len(words[0]) > 2 and words[0][0] > "\u3000"), key=len, reverse=True))


def part(words: list[str]) -> tuple[list[str], str]:
    """A folded name's words without its legal form, and the form ('' where it states none). A name of nothing but a form keeps it."""
    if _STARTS.isdisjoint(words) and words[-1:] and words[-1] not in _FILLERS:
        return words, ""
    kept: list[str] = []
    found = ""
    at, end = 0, len(words)
    while at < end:
        size = _form_at(words, at, end) if words[at] in _STARTS else 0
        if size:
            found = found or FORMS[tuple(words[at : at + size])]
            at += size
        else:
            kept.append(words[at])
            at += 1
    while len(kept) > 1 and kept[-1] in _FILLERS:
        kept.pop()
    return (kept, found) if kept else (words, "")


def _form_at(words: list[str], at: int, end: int) -> int:
    """How many words from `at` on are a legal form."""
    for size in range(min(_LONGEST, end - at), 0, -1):
        here = tuple(words[at : at + size])
        if here in FORMS:
            loose = here[0] in _LOOSE and not (at == 0 and here[0] in _BEFORE) if size == 1 else all(len(word) == 1 for word in here)
            return 0 if loose and at + size < end and (words[at + size],) not in FORMS else size
    return 0


def may_agree(one: str, other: str) -> bool:
    """Whether two legal forms may be of one company: the same, one of them unstated, or names for one kind."""
    return one == other or not one or not other or frozenset((one, other)) in _ALIKE
