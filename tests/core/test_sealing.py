"""Personal data: unreadable without the key, readable after rotation, found by fingerprint."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text

from core import sealing
from core.db import Database


@pytest.fixture(autouse=True)
def _keys_of_the_tests() -> Iterator[None]:
    yield
    sealing.unlock(("a-key-for-tests",))


def test_what_is_sealed_is_not_in_the_file_and_comes_back(database: Database) -> None:
    people = Table(
        "sealed_people", MetaData(), Column("id", Integer, primary_key=True), Column("phone", sealing.Sealed)
    )
    with database.transaction() as session:
        people.create(session.connection())
        session.execute(insert(people).values(phone="13800138000"))
        session.execute(insert(people).values(phone=None))
        assert session.execute(select(people.c.phone).order_by(people.c.id)).scalars().all() == [
            "13800138000",
            None,
        ]
        stored = bytes(session.execute(text("SELECT phone FROM sealed_people WHERE id = 1")).scalar_one())
    assert b"13800138000" not in stored


def test_equal_text_seals_differently_and_fingerprints_alike() -> None:
    assert sealing.seal("330203199001011234") != sealing.seal("330203199001011234")
    assert sealing.fingerprint(" 13800138000 ") == sealing.fingerprint("13800138000")
    assert sealing.fingerprint("13800138000") != sealing.fingerprint("13800138001")


def test_rotation_keeps_old_data_readable_and_fingerprints_stable() -> None:
    sealing.unlock(("old-key",))
    sealed, found = sealing.seal("地址"), sealing.fingerprint("13800138000")
    sealing.unlock(("new-key", "old-key"))
    assert sealing.unseal(sealed) == "地址"
    assert sealing.fingerprint("13800138000") == found
    sealing.unlock(("new-key",))
    with pytest.raises(sealing.SealedError, match="does not have"):
        sealing.unseal(sealed)


def test_no_keys_is_refused() -> None:
    with pytest.raises(sealing.SealedError):
        sealing.unlock(())


def test_throwaway_keys_are_gone_afterwards_and_never_replace_the_real_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = sealing.seal("x")
    with sealing.with_throwaway_keys():
        assert sealing.unseal(before) == "x"
    assert sealing.unseal(before) == "x"
    monkeypatch.setattr(sealing._Keys, "fernet", None)
    with sealing.with_throwaway_keys():
        assert sealing.unseal(sealing.seal("y")) == "y"
    with pytest.raises(sealing.SealedError):
        sealing.seal("z")
