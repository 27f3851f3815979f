"""The district, and which office an address belongs to."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.db import Database
from core.refusals import Conflict, Invalid, NotFound
from disputes.network import operations, queries, rules
from disputes.network.models import Kind, Organisation
from disputes.network.seed import REGION, seed_district
from forms.fields import Uscc

NOW = datetime(2026, 9, 18, 2, tzinfo=UTC)


def nobody(office: Organisation) -> int:
    return 0


def test_the_district_is_one_centre_nine_offices_and_fifty_six_stations(database: Database) -> None:
    with database.transaction() as session:
        seed_district(session, now=NOW)
        again = seed_district(session, now=NOW)
        kinds = Counter(place.kind for place in again.values())
    assert (kinds[Kind.CENTRE], kinds[Kind.OFFICE], kinds[Kind.STATION]) == (1, 9, 56)
    assert kinds[Kind.COUNCIL] == kinds[Kind.COURT] == 1
    assert kinds[Kind.MERCHANT] >= 24
    merchants = [place for place in again.values() if place.kind == Kind.MERCHANT]
    assert {(m.on_board, m.contactable) for m in merchants} == {(True, True), (False, True), (False, False)}
    for merchant in merchants:
        assert Uscc().deserialize(merchant.uscc) == merchant.uscc
    areas = Counter(area for place in again.values() if place.kind != Kind.BUREAU for area in place.areas)
    assert max(areas.values()) == 1


@pytest.mark.parametrize(
    ("address", "office", "station"),
    [
        ("青屏市云溪区溪口路200号", "YX-01", None),
        ("云溪区云水广场三楼", "YX-01", "YX-01-01"),
        ("鼓楼步行街17号", "YX-03", "YX-03-01"),
        ("白鹭街道青年路1号白鹭里商场", "YX-05", "YX-05-01"),
        ("南塘镇塘下村3号", "YX-07", "YX-07-02"),
        ("高新区星光直播基地5楼", "YX-09", "YX-09-01"),
    ],
)
def test_the_longest_name_in_the_address_decides(
    sqlite_database: Database, address: str, office: str, station: str | None
) -> None:
    with sqlite_database.transaction() as session:
        seed_district(session, now=NOW)
        found = queries.office_for(session, address=address, region=REGION, load=nobody)
    assert (found.office.code, found.station.code if found.station else None) == (office, station)
    assert found.office.name in found.why
    assert "第十三条" in found.why
    assert "art. 13" in found.why_en


def test_an_address_without_an_area_goes_by_the_merchant_then_by_load(database: Database) -> None:
    with database.transaction() as session:
        places = seed_district(session, now=NOW)
        merchant = places["M-0007"]
        found = queries.office_for(session, address="", merchant_id=merchant.id, region=REGION, load=nobody)
        assert found.office.code == "YX-03"
        busy = {"YX-01": 4, "YX-02": 1}
        unknown = queries.office_for(
            session, address="XX市XX商场", region=REGION, load=lambda office: busy.get(office.code, 5)
        )
        assert unknown.office.code == "YX-02"
        assert "第四十一条" in unknown.why


def test_what_belongs_elsewhere_is_told_from_here(database: Database) -> None:
    with database.transaction() as session:
        places = seed_district(session, now=NOW)
        here = places["M-0001"]
        assert queries.district(session) == REGION
        assert queries.in_district(session, REGION, "鼓楼前街3号", None)
        assert queries.in_district(session, REGION, "XX市XX商场", None)
        assert not queries.in_district(session, REGION, "北渚县人民路1号", here)
        assert queries.in_district(session, REGION, None, here)
        bureau = queries.bureau_of(session, "北渚县人民路1号", besides=REGION)
        assert bureau is not None
        assert bureau.code == "BZ"
        assert queries.station_at(session, "云水广场一楼") == places["YX-01-01"]
        assert queries.station_at(session, "溪口路1号") is None


def test_a_closed_office_gets_nothing(database: Database) -> None:
    with database.transaction() as session:
        places = seed_district(session, now=NOW)
        places["YX-03"].active = places["YX-03-01"].active = False
        session.flush()
        found = queries.office_for(session, address="鼓楼前街3号", region=REGION, load=nobody)
        assert found.office.code != "YX-03"


def test_an_empty_network_says_so(database: Database) -> None:
    with database.transaction() as session:
        with pytest.raises(NotFound, match="centre"):
            queries.district(session)
        with pytest.raises(NotFound, match="office"):
            queries.office_for(session, address="", region=REGION, load=nobody)
        with pytest.raises(NotFound):
            queries.by_code(session, "YX-01")


def test_a_merchant_is_found_by_code_by_name_and_else_added(database: Database) -> None:
    with database.transaction() as session:
        known = seed_district(session, now=NOW)["M-0001"]

        def find(**given: str | None) -> Organisation:
            return operations.find_or_add_merchant(session, now=NOW, **{"name": "松果优品数码店", **given})  # type: ignore[arg-type]

        assert find() == known
        assert find(address="云溪数码城二楼 206号 ") == known
        assert find(name="另一个名字", uscc=known.uscc) == known
        other = find(address="桥东路5号")
        assert other != known
        assert other.region == REGION
        assert find(address="桥东路5号") == other
        # Another credit code is another merchant, whatever it is called.
        assert find(uscc=rules.with_check("92330299MA2999999"), address=known.address) not in (known, other)
        named = session.scalars(select(Organisation).where(Organisation.name == "松果优品数码店")).all()
        assert len(named) == 3


def test_adding_and_changing_refuse_what_does_not_fit(database: Database) -> None:
    with database.transaction() as session:
        places = seed_district(session, now=NOW)
        with pytest.raises(Invalid, match="taken"):
            operations.add(session, code="YX-01", name="又一个", kind=Kind.OFFICE, region=REGION, now=NOW)
        with pytest.raises(Invalid, match="office"):
            operations.add(
                session, code="YX-77", name="站", kind=Kind.STATION, region=REGION, parent=places["YX-C"], now=NOW
            )
        with pytest.raises(Invalid):
            operations.add(session, code="YX-78", name="x", kind=Kind.OFFICE, region=REGION, now=NOW, secret="x")
        office = places["YX-01"]
        version = office.version
        operations.change(session, office, {"phone": "0570-1"}, version=version)
        with pytest.raises(Conflict, match="somebody else"):
            operations.change(session, office, {"phone": "0570-2"}, version=version)
        with pytest.raises(Invalid):
            operations.change(session, office, {"code": "X"}, version=office.version)


def test_pages_are_in_the_order_of_codes_and_filtered(database: Database) -> None:
    with database.transaction() as session:
        places = seed_district(session, now=NOW)
        first = queries.page(session, kind=Kind.OFFICE, limit=4)
        rest = queries.page(session, kind=Kind.OFFICE, after=first[-1].code)
        assert [place.code for place in first + rest] == [f"YX-0{n}" for n in range(1, 10)]
        assert [p.code for p in queries.page(session, parent_id=places["YX-03"].id, text="鼓楼")] == [
            "YX-03-01",
            "YX-03-03",
            "YX-03-05",
            "YX-03-06",
        ]
        assert queries.page(session, text="%") == []
