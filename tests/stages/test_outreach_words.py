"""The words of our letters: what may be said, that it is true, and that nothing a customer is called can act."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOW
from tieout.core.evidence import Actor, Refused
from tieout.stages.outreach import figures, nasty, places, render, said, statement, truth, wording, words

ADA = Actor("person", "Ada", 1)
SENDER = words.Sender("Marrow Lane Studio", "ar@marrowlane.example")
LINK = "https://x.example/o/" + "0" * 64 + "/"
GOOD = "{% for i in items %}{{ i.number }} {{ i.demanded }}\n{% endfor %}{{ sender_block }}\n{{ opt_out_url }}"


def item(**fields: object) -> said.SaidItem:
    values: dict[str, object] = {
        "document_id": 1, "number": "INV-1", "currency": "EUR", "amount_minor": 123_450, "paid_minor": 0, "open_minor": 123_450, "disputed_minor": 0,
        "demanded_minor": 123_450, "issue_date": dt.date(2026, 4, 1), "due_date": dt.date(2026, 5, 1), "days_late": 40, **fields,
    }  # fmt: skip
    return said.SaidItem(**values)  # type: ignore[arg-type]


def facts(*items: said.SaidItem, language: str = "en", customer: str = "Brightwater") -> said.Said:
    return said.Said(as_of=dt.date(2026, 6, 10), language=language, customer=customer, recipient="", items=items or (item(),))


def letter(told: said.Said, tone: str = "friendly") -> render.Text:
    chosen = wording.shipped(tone, told.language)
    made = words.of(told, sender=SENDER, opt_out_url=LINK, statement="")
    return render.letter(subject=chosen.subject, body=chosen.body, words=made)


@pytest.mark.parametrize("language", places.LANGUAGES)
@pytest.mark.parametrize("tone", wording.TONES)
def test_every_shipped_wording_passes_its_own_check(tone: str, language: str) -> None:
    chosen = wording.shipped(tone, language)
    assert wording.check(subject=chosen.subject, body=chosen.body) is None


def test_the_first_soft_letter_asks_whether_they_have_everything_they_need() -> None:
    assert "Do you have everything you need to pay?" in letter(facts()).body
    assert "Haben Sie alles, was Sie zum Bezahlen brauchen?" in letter(facts(language="de")).body


def test_several_currencies_have_one_total_each_and_are_never_added() -> None:
    told = facts(item(), item(number="INV-2", currency="JPY", demanded_minor=5_000), item(number="INV-3", demanded_minor=50))
    assert "In all: EUR 1,235.00 and JPY 5,000." in letter(told).body


@pytest.mark.parametrize(
    ("language", "minor", "currency", "shown"),
    [
        pytest.param("en", 123_450, "EUR", "EUR 1,234.50", id="English"),
        pytest.param("de", 123_450, "EUR", "1.234,50 EUR", id="German"),
        pytest.param("en", 1_234_567, "JPY", "JPY 1,234,567", id="a currency without decimals"),
        pytest.param("de", 1_234_567, "KWD", "1.234,567 KWD", id="a currency with three"),
        pytest.param("en", -5, "EUR", "EUR -0.05", id="less than nothing"),
    ],
)
def test_amounts_are_shown_with_all_their_decimals(language: str, minor: int, currency: str, shown: str) -> None:
    assert figures.money(minor, currency, language) == shown


@pytest.mark.parametrize(
    ("subject", "body", "said_of_it"),
    [
        pytest.param("Hi", GOOD, "", id="all a letter needs"),
        pytest.param("Hi", "{{ bank_account }}" + GOOD, "no fact called bank_account", id="a fact there is not"),
        pytest.param("Hi", GOOD.replace("{{ opt_out_url }}", ""), "opt_out_url", id="without the link that ends it"),
        pytest.param("Hi", GOOD.replace("{{ sender_block }}", ""), "sender_block", id="without who writes"),
        pytest.param("Hi", "{{ sender_block }}{{ opt_out_url }}", "items", id="without what it asks for"),
        pytest.param("Hi", GOOD.replace("{{ i.demanded }}", ""), "every invoice", id="without the amounts"),
        pytest.param("Hi", GOOD.replace("{{ opt_out_url }}", "{% if count == '2' %}{{ opt_out_url }}{% endif %}"), "condition", id="the link hidden"),
        pytest.param("Hi", "{% for i in items %}" + GOOD, "cannot be read", id="a loop that is not closed"),
        pytest.param("Hi", "{{ items | upper | nonsense }}" + GOOD, "nonsense", id="an unknown filter"),
        pytest.param("{{ items.first.secret }}", GOOD, "cannot be rendered", id="a field an invoice does not have"),
        pytest.param("Hi", "{% for a in (1..3000) %}x{% endfor %}" + GOOD, "limit", id="a loop of thousands"),
        pytest.param("Hi", "{% for a in (1..1999) %}" + "x" * 200 + "{% endfor %}" + GOOD, "limit", id="a text without end"),
        pytest.param("Hi", "{% include 'x' %}" + GOOD, "cannot be read", id="another template"),
        pytest.param("Hi", "{{ 'now' | date: '%Y' }}" + GOOD, "date", id="the clock"),
        pytest.param("{% if count == 'x' %}a{% endif %}", GOOD, "subject would be empty", id="an empty subject"),
        pytest.param("Hi", "x" * 20_001, "at most", id="a body without end"),
    ],
)
def test_a_wording_is_tried_on_the_worst_customers_before_it_is_saved(subject: str, body: str, said_of_it: str) -> None:
    refused = wording.check(subject=subject, body=body)
    assert (refused.reason if refused else "") == "" if not said_of_it else refused is not None and said_of_it in refused.reason


def test_a_saved_wording_is_in_force_until_it_is_withdrawn(inside: uuid.UUID) -> None:
    assert isinstance(wording.save(tone="rude", language="en", subject="Hi", body=GOOD, actor=ADA, now=NOW), Refused)
    assert isinstance(wording.save(tone="firm", language="en", subject="Hi", body="pay", actor=ADA, now=NOW), Refused)
    first = wording.save(tone="firm", language="en", subject="One", body=GOOD, actor=ADA, now=NOW)
    second = wording.save(tone="firm", language="en", subject="Two", body=GOOD, actor=ADA, now=NOW)
    assert not isinstance(first, Refused)
    assert not isinstance(second, Refused)
    assert wording.in_force()["firm", "en"].subject == "Two"
    wording.withdraw(wording=second, actor=ADA, now=NOW)
    assert wording.in_force()["firm", "en"].subject == "One"
    wording.withdraw(wording=first, actor=ADA, now=NOW)
    assert wording.in_force()["firm", "en"].version == 0
    assert wording.in_force()["firm", "de"].version == 0


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("<script>alert(1)</script>", id="a script"),
        pytest.param('<img src=x onerror="alert(1)">', id="an image with a handler"),
        pytest.param("{{ opt_out_url }} {% for i in (1..9) %}", id="template code"),
        pytest.param("A\r\nBcc: evil@z.example", id="a header"),
        pytest.param("Ω" * 300, id="300 letters"),
        pytest.param("https://evil.example/pay", id="a link"),
        pytest.param("- a list\n\n- of lines", id="lines"),
    ],
)
def test_a_name_comes_out_as_plain_words(name: str) -> None:
    from tieout.core.party import tidy

    text = letter(facts(customer=tidy(name)))
    assert tidy(name) in text.body
    assert "<script" not in text.html
    assert "<img" not in text.html
    assert 'href="https://evil' not in text.html
    assert text.html.count("href=") == 1
    assert "\n" not in text.subject
    assert "\r" not in text.body


@given(st.text(max_size=200))
def test_no_name_whatever_makes_html_of_its_own(name: str) -> None:
    from tieout.core.party import tidy

    html = render.as_html(f"Hello {tidy(name)},\n\nthis is open.\n", inert=(tidy(name),))
    assert {tag for tag in ("<script", "<a ", "<img", "<style", "<ul") if tag in html} <= ({"<ul"} if tidy(name).startswith("- ") else set())


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        pytest.param("we ask for EUR 1,234.50 today", ["1,234.50"], id="with its code before"),
        pytest.param("noch 1.234,50 EUR offen", ["1.234,50"], id="with its code after"),
        pytest.param("€12.50 or 12,50€", ["12.50", "12,50"], id="with a sign"),
        pytest.param("a hundred, that is 100 euros", ["100"], id="a whole amount in words"),
        pytest.param("due 10.05.2026, that is 40 days ago", [], id="days are none"),
        pytest.param("at 2.50 % or 19% VAT", [], id="percentages are none"),
        pytest.param("order 4711, 3 boxes", [], id="counts are none"),
        pytest.param("INV-100.50 is open", [], id="the number of an invoice is none"),
        pytest.param("plus 12.50", ["12.50"], id="two decimals are an amount"),
    ],
)
def test_amounts_in_a_text_are_found(text: str, amounts: list[str]) -> None:
    assert truth.amounts(text, without=["INV-100.50"]) == amounts


@pytest.mark.parametrize(
    ("typed", "true"),
    [
        pytest.param("EUR 1,234.50", True, id="as the ledger has it"),
        pytest.param("1.234,50 €", True, id="in the other notation"),
        pytest.param("EUR 1234.50", True, id="without the thousands mark"),
        pytest.param("EUR 1,234.05", False, id="two digits turned"),
        pytest.param("EUR 123,450", False, id="a hundred times as much"),
        pytest.param("EUR 99.00", False, id="made up"),
    ],
)
def test_a_typed_amount_must_be_one_of_the_ledgers(typed: str, true: bool) -> None:
    found = truth.statements(facts(), body=f"INV-1: {typed}", edited=True)
    assert all(one.stated == one.ledger for one in found) is true


@given(st.integers(min_value=1, max_value=10**12), st.sampled_from(["EUR", "USD", "JPY", "KWD"]), st.sampled_from(places.LANGUAGES))
def test_what_the_machine_writes_is_always_true(minor: int, currency: str, language: str) -> None:
    told = facts(item(currency=currency, amount_minor=minor, open_minor=minor, demanded_minor=minor), language=language)
    text = letter(told).body
    assert all(one.stated == one.ledger for one in truth.statements(told, body=text, edited=False))
    assert all(one.stated == one.ledger for one in truth.statements(told, body=text, edited=True))


@pytest.mark.parametrize(
    ("zone", "country", "zones", "countries"),
    [
        pytest.param("Europe/Berlin", "DE", 1, ("DE",), id="both known"),
        pytest.param("Europe/Berlin", "", 1, ("DE",), id="the country from the zone"),
        pytest.param("", "NZ", 2, ("NZ",), id="all zones of the country"),
        pytest.param("Mars/Olympus", "", 0, (), id="a zone a source made up"),
        pytest.param("", "", 0, (), id="nothing known"),
    ],
)
def test_every_place_the_recipient_may_be_in_counts(zone: str, country: str, zones: int, countries: tuple[str, ...]) -> None:
    assert len(places.zones(zone, country)) >= zones
    assert (len(places.zones(zone, country)) == 0) is (zones == 0)
    assert places.countries(country, zone) == countries


def test_the_statement_is_a_pdf_that_lists_all_that_is_open_and_needs_no_font_of_the_machine() -> None:
    rows = tuple(
        said.StatementRow(kind=kind, number=f"#{n} *x* $y$ <b>", currency=code, amount_minor=10_000, open_minor=5_000, disputed_minor=n)
        for n, (kind, code) in enumerate([("invoice", "EUR"), ("credit_note", "EUR"), ("invoice", "USD")])
    )
    told = said.Said(as_of=dt.date(2026, 6, 10), language="de", customer="O'Brien #import \"x\" & Söhne", recipient="", items=(), statement=rows)
    made = statement.pdf(told, sender=SENDER)
    assert made.startswith(b"%PDF-")
    assert made == statement.pdf(told, sender=SENDER)
    assert b"DejaVuSans-" not in made
    assert statement.name(told) == "kontoauszug-2026-06-10.pdf"
    shown = statement._shown(told, SENDER)
    assert [group["total"] for group in shown["groups"]] == ["100,00 EUR", "50,00 USD"]


def test_the_nasty_customers_are_nasty() -> None:
    names = [one["customer_name"] for one in nasty.NASTY]
    assert any("<script>" in name for name in names)
    assert any("{{" in name for name in names)
    assert any(len(name) >= 300 for name in names)
    assert all("\n" not in name for name in names)
