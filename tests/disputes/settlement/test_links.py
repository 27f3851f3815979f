"""Claim links: for one case, for a time, until revoked."""

from datetime import timedelta

import pytest

from core.db import Database
from core.refusals import NotFound
from disputes.settlement import links
from tests.disputes.world import NOW, build_world

SECRET = "a-secret-for-tests"


def test_a_link_opens_its_case_as_a_guest_of_the_merchant(database: Database) -> None:
    with database.transaction() as session:
        world = build_world(session)
        world.case(session)
        case = world.case(session)
        link, token = links.make(session, case, secret=SECRET, now=NOW)
        found, actor = links.open_link(session, token, secret=SECRET, now=NOW)
        assert (found.id, actor.guest_case, actor.guest_side) == (case.id, str(case.id), "respondent")
        assert link.first_used_at == NOW
        assert str(case.id) not in token


@pytest.mark.parametrize("spoil", ["signature", "secret", "expired", "revoked", "replaced", "nonsense"])
def test_any_other_link_opens_nothing(sqlite_database: Database, spoil: str) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        case = world.case(session)
        _, token = links.make(session, case, secret=SECRET, now=NOW)
        secret, now = SECRET, NOW
        match spoil:
            case "signature":
                token = token[:-1] + ("A" if token[-1] != "A" else "B")
            case "secret":
                secret = "another-secret"
            case "expired":
                now = NOW + links.LIFETIME
            case "revoked":
                links.revoke(session, case, why="test", now=NOW)
            case "replaced":
                links.make(session, case, secret=SECRET, now=NOW)
            case "nonsense":
                token = "nonsense"
        with pytest.raises(NotFound):
            links.open_link(session, token, secret=secret, now=now)
        with pytest.raises(NotFound):
            links.peek(session, token, secret=secret, now=now)


def test_a_link_works_until_its_last_moment(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        world = build_world(session)
        _, token = links.make(session, world.case(session), secret=SECRET, now=NOW)
        last = NOW + links.LIFETIME - timedelta(microseconds=1)
        assert links.peek(session, token, secret=SECRET, now=last)
