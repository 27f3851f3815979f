"""The database's promises: aware moments, one writer at a time, readers who never wait."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from core.db import Database, Moment
from core.now import CHINA, now


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        Moment().process_bind_param(datetime(2026, 9, 18, 10), None)  # type: ignore[arg-type]


def test_a_moment_comes_back_in_utc(database: Database) -> None:
    from sqlalchemy import Column, Integer, MetaData, Table, insert, select

    table = Table("moments", MetaData(), Column("id", Integer, primary_key=True), Column("at", Moment))
    with database.transaction() as session:
        table.create(session.connection())
        session.execute(insert(table).values(at=datetime(2026, 9, 18, 10, tzinfo=CHINA)))
        assert session.execute(select(table.c.at)).scalar_one() == datetime(2026, 9, 18, 2, tzinfo=UTC)
        with pytest.raises(StatementError, match="offset"):
            session.execute(insert(table).values(at=datetime(2026, 9, 18, 10)))


def test_now_is_aware_and_china_has_no_daylight_saving() -> None:
    assert now().utcoffset() == timedelta(0)
    assert CHINA.utcoffset(None) == timedelta(hours=8) and isinstance(CHINA, timezone)


def test_what_is_raised_inside_a_transaction_rolls_it_back(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE kept (n integer)"))
    with pytest.raises(RuntimeError), database.transaction() as session:
        session.execute(text("INSERT INTO kept VALUES (1)"))
        raise RuntimeError
    with database.reader() as reader:
        assert reader.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0


def test_two_readers_during_a_write_are_not_held_up(database: Database) -> None:
    """SQLAlchemy begins a transaction on autocommit connections too; a reader must not take the write lock."""
    with database.transaction() as session:
        session.execute(text("CREATE TABLE shelf (n integer)"))
        session.execute(text("INSERT INTO shelf VALUES (1)"))
    writing, may_commit, seen = threading.Event(), threading.Event(), []

    def write() -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO shelf VALUES (2)"))
            writing.set()
            may_commit.wait(20)

    def read() -> None:
        with database.reader() as reader:
            seen.append(reader.execute(text("SELECT count(*) FROM shelf")).scalar_one())

    writer = threading.Thread(target=write)
    writer.start()
    assert writing.wait(20)
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(20)
    # Both have answered while the writer still holds its transaction, and see only what was committed.
    assert writer.is_alive()
    assert seen == [1, 1]
    may_commit.set()
    writer.join(20)


def test_writers_in_parallel_lose_nothing(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE tally (id integer primary key, n integer)"))
        session.execute(text("INSERT INTO tally VALUES (1, 0)"))

    def add() -> None:
        for _ in range(10):
            with database.transaction() as session:
                lock = " FOR UPDATE" if database.dialect == "postgresql" else ""
                n = session.execute(text(f"SELECT n FROM tally WHERE id = 1{lock}")).scalar_one()
                session.execute(text("UPDATE tally SET n = :n WHERE id = 1"), {"n": n + 1})

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reader() as reader:
        assert reader.execute(text("SELECT n FROM tally")).scalar_one() == 80
