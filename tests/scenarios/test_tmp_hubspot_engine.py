import datetime as dt, uuid
import pytest
from tests.scenarios.connected import connect
from tieout.rehearsal.twins.hubspot import HubSpot
from tieout.rehearsal.twins.server import serving
from tieout.stages.base import walls
from tieout.stages.ledger.models import Customer, SourceRecord
from tieout.adapters.ports.connector import Ref

def customers(org):
    with walls.inside(org):
        return {(r.external_id): (r.gone_as, Customer.objects.get(pk=r.target_id).name) for r in SourceRecord.objects.filter(kind="customer")}

def test_engine(organisation: uuid.UUID) -> None:
    twin = HubSpot()
    with serving(twin, deliver=False) as s:
        firms = twin.fill(40)
        juno = twin.contact("juno@marsh.example", firstname="Juno")
        books = connect(organisation, "hubspot", access_token="pat-twin", base_url=s.url)
        got = books.sync(); print(got)
        assert got.stopped == "", got
        assert len(customers(organisation)) == 41
        got = books.sync(); print(got)
        twin.change(firms[0], name="Renamed")
        twin.associate(juno, firms[1], "Primary"); twin.change(juno, lastname="M")
        twin.archive(firms[2])
        print(books.sync(refs=[Ref("customers", firms[2].id)]))
        c = customers(organisation)
        assert c[firms[2].id][0] == "archived"; assert c[f"contact-{juno.id}"][0] == "merged"
        assert c[firms[0].id][1] == "Renamed", c[firms[0].id]
        twin.archive(firms[3])
        got = books.sync(anew=True); print(got, books.streams())
        assert got.stopped == ""
        assert customers(organisation)[firms[3].id][0] == "archived"
        print(books.sync(), books.set_aside())
        got = books.sync(anew=True); print(got)
        books.verify()
