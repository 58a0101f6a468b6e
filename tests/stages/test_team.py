"""Team, switches and particulars: the refusals that keep the doors of other organisations shut."""

from __future__ import annotations

import uuid

import pytest

from tests.conftest import NOW
from tieout.core.evidence import Actor
from tieout.stages.base import arrange, audit, found, queries, switch, team, walls
from tieout.stages.base.models import AuditEntry, Person

ADA = Actor("person", "Ada", 1)


def _owner(email: str) -> Person:
    person = found.person(email=email, name="Ada Owner", password="a long enough password")
    found.member(person=person, role="owner", actor=ADA, now=NOW)
    return person


def _another() -> uuid.UUID:
    return found.organisation(
        name="Other", country="DE", time_zone="UTC", base_currency="EUR", language="en", sender_name="", sender_address="", now=NOW)


def _fresh(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}@marrowlane.example"


def _invite(email: str, role: str = "collector", granted_by: str = "owner") -> team.Invited:
    return team.invite(email=email, name="", role=role, granted_by=granted_by, actor=ADA, now=NOW)


def test_an_invited_person_chooses_a_password_and_is_shown_as_invited(inside: uuid.UUID) -> None:
    invited = _invite(_fresh("cora"))
    assert invited.needs_password
    [colleague] = queries.team()
    assert (colleague.email, colleague.role, colleague.invited) == (invited.email, "collector", True)


def test_somebody_who_has_an_account_elsewhere_cannot_be_invited_and_no_link_is_made(organisation: uuid.UUID) -> None:
    email = _fresh("bob")
    with walls.inside(organisation):
        _owner(email)
    other = _another()
    with walls.inside(other):
        with pytest.raises(team.NotAllowed, match="cannot be invited from here"):
            _invite(email.upper())
        assert not team.may_choose_password(Person.objects.get(email=email))


def test_an_account_without_password_that_belongs_elsewhere_gets_no_link(organisation: uuid.UUID) -> None:
    email = _fresh("carl")
    with walls.inside(organisation):
        _invite(email)
    person = Person.objects.get(email=email)
    other = _another()
    with walls.inside(other):
        assert not team.may_choose_password(person)
    with walls.inside(organisation):
        assert team.may_choose_password(person)


@pytest.mark.parametrize(("email", "role", "granted_by", "says"), [
    pytest.param("not an address", "collector", "owner", "not an e-mail address", id="a typing mistake"),
    pytest.param("", "collector", "owner", "an empty field", id="nothing typed"),
    pytest.param("x@y.example", "king", "owner", "there is no role", id="a role that does not exist"),
    pytest.param("x@y.example", "owner", "admin", "only an owner", id="an admin makes nobody owner"),
])
def test_an_invitation_is_refused_in_words(inside: uuid.UUID, email: str, role: str, granted_by: str, says: str) -> None:
    with pytest.raises(team.NotAllowed, match=says):
        _invite(email, role, granted_by)
    assert queries.team() == []


def test_the_last_owner_stays(inside: uuid.UUID) -> None:
    ada = _owner(_fresh("ada"))
    with pytest.raises(team.NotAllowed, match="last owner"):
        team.remove(person_id=ada.pk, granted_by="owner", actor=ADA, now=NOW)
    with pytest.raises(team.NotAllowed, match="last owner"):
        team.change_role(person_id=ada.pk, role="admin", granted_by="owner", actor=ADA, now=NOW)
    second = _owner(_fresh("grace"))
    with pytest.raises(team.NotAllowed, match="only an owner"):
        team.remove(person_id=second.pk, granted_by="admin", actor=ADA, now=NOW)
    team.remove(person_id=ada.pk, granted_by="owner", actor=ADA, now=NOW)
    assert [c.person_id for c in queries.team()] == [second.pk]
    assert queries.membership_of(person_id=ada.pk) is None


def test_a_person_who_left_can_come_back_once(inside: uuid.UUID) -> None:
    _owner(_fresh("ada"))
    email = _fresh("dora")
    invited = _invite(email)
    with pytest.raises(team.NotAllowed, match="already in the team"):
        _invite(email)
    team.remove(person_id=invited.person_id, granted_by="owner", actor=ADA, now=NOW)
    assert _invite(email, "auditor").person_id == invited.person_id


def test_sending_opens_only_with_a_sender_and_stops_for_everything(inside: uuid.UUID) -> None:
    arrange.organisation(values={"sender_address": ""}, actor=ADA, now=NOW)
    with pytest.raises(switch.NotReady, match="sender"):
        switch.go_live(actor=ADA, now=NOW)
    assert queries.sending_mode()[0] == "shadow"
    assert arrange.organisation(values={"sender_address": "ar@marrowlane.example"}, actor=ADA, now=NOW) == {}
    switch.go_live(actor=ADA, now=NOW)
    assert queries.sending_mode() == ("live", "")
    switch.stop(actor=ADA, now=NOW, reason="wrong figures in the import")
    assert queries.sending_mode() == ("stopped", "wrong figures in the import")
    switch.resume(actor=ADA, now=NOW)
    assert queries.sending_mode()[0] == "live"
    actions = list(AuditEntry.objects.order_by("seq").values_list("action", flat=True))
    assert actions[-3:] == ["sending.live", "sending.stop", "sending.resume"]
    assert list(audit.breaks()) == []


@pytest.mark.parametrize(("field", "value", "says"), [
    pytest.param("name", "  ", "needs a name", id="no name"),
    pytest.param("name", "x" * 301, "300", id="a name of 301 characters"),
    pytest.param("country", "Germany", "two letters", id="a country in words"),
    pytest.param("time_zone", "Berlin", "not a time zone", id="a city for a zone"),
    pytest.param("base_currency", "EURO", "ISO 4217", id="a currency in words"),
    pytest.param("sender_address", "ar@", "not an e-mail", id="half an address"),
    pytest.param("sender_name", "Ada\r\nBcc: all@example.org", "one line", id="a header smuggled into the sender"),
])
def test_particulars_are_refused_per_field_and_nothing_changes(inside: uuid.UUID, field: str, value: str, says: str) -> None:
    wrong = arrange.organisation(values={"language": "de", field: value}, actor=ADA, now=NOW)
    assert set(wrong) == {field}
    assert says in wrong[field]
    assert queries.profile().language == "en"


def test_the_trail_is_filtered_by_who_and_what(inside: uuid.UUID) -> None:
    switch.go_dark(actor=ADA, now=NOW)
    switch.go_live(actor=ADA, now=NOW)
    switch.stop(actor=ADA, now=NOW, reason="a test of the switch")
    assert [a.action for a in queries.acts(action="sending", actor_kind="person")] == ["sending.stop", "sending.live"]
    assert [a.action for a in queries.acts(text="test of the")] == ["sending.stop"]
    newest = queries.acts(limit=1)[0]
    assert [a.action for a in queries.acts(before_seq=newest.seq, limit=1)] == ["sending.live"]
    assert queries.kinds_of_acts() == ["organisation", "sending"]
