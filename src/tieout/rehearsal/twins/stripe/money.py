"""Currencies as Stripe counts them: which it knows, and how many decimals the smallest unit stands for."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

CURRENCIES = frozenset(
    """aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf
    dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt
    lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd
    rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar
    zmw""".split()
)
_NONE = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE = frozenset("bhd jod kwd omr tnd".split())
#: Whole units only, yet sent with two decimals that must be zero.
_WHOLE = frozenset({"isk", "ugx"})


def exponent(currency: str) -> int:
    """Decimals behind the smallest unit."""
    return 0 if currency in _NONE else 3 if currency in _THREE else 2


def step(currency: str) -> int:
    """What a charge in this currency must be a multiple of."""
    return 100 if currency in _WHOLE else 10 if currency in _THREE else 1


def written(amount: int, currency: str) -> str:
    """The amount for people: 1,250.00 EUR."""
    places = exponent(currency)
    return f"{Decimal(amount).scaleb(-places):,.{places}f} {currency.upper()}"


def parsed(text: str, currency: str) -> int | None:
    """The smallest units in an amount typed by a person; None where it is none."""
    cleaned = text.strip().replace(" ", "")
    # A comma is a decimal sign when no more than two digits follow it, as people in Europe type.
    if "," in cleaned and "." not in cleaned and len(cleaned.rsplit(",", 1)[1]) <= 2:
        cleaned = cleaned.replace(",", ".")
    try:
        amount = Decimal(cleaned.replace(",", "")).scaleb(exponent(currency))
    except InvalidOperation:
        return None
    return int(amount) if amount.is_finite() and amount == amount.to_integral_value() else None


def half_up(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))
