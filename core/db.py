"""The database: one place for everything that differs between SQLite and PostgreSQL.

A *session* writes: on SQLite it takes the write lock when it begins (``BEGIN IMMEDIATE``), so that a read
followed by a write never meets "database is locked". A *reader* runs in autocommit on an engine of its own and
never takes that lock. Exactly one place commits: the edge, through ``Database.transaction``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Engine, MetaData, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction, sessionmaker
from sqlalchemy.types import TypeDecorator

#: Seconds that a writer waits for another before it gives up.
BUSY_TIMEOUT = 30


class Moment(TypeDecorator[datetime]):
    """A moment: aware, stored in UTC, read as UTC. A naive datetime is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A moment needs its offset: {value!r} has none.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


#: JSON text on SQLite, JSONB on PostgreSQL.
Json = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """The base of all models. Constraints are named, so that a migration can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def insert_missing(session: Session, model: type[Base], **values: object) -> None:
    """Insert a row unless its key is taken, without an error for the one who comes second.

    The other's transaction is waited for, so that the row is there to be locked afterwards.
    """
    insert_missing_many(session, model, [values])


def insert_missing_many(session: Session, model: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert each row unless its key is taken; see ``insert_missing``."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(model).on_conflict_do_nothing()
    if len(rows) == 1:
        session.execute(statement.values(**rows[0]))
    else:
        session.execute(statement, list(rows))


def hold(session: Session, names: Iterable[str]) -> None:
    """Hold locks of these names until the transaction ends, or until the savepoint in which they were taken is
    rolled back. Taken in one order, so that two who want the same ones do not wait for each other.

    On SQLite whoever writes holds everything already.
    """
    wanted = sorted(set(names))
    if wanted and session.get_bind().dialect.name == "postgresql":
        session.execute(_HOLD, {"names": wanted})


_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(CAST(:names AS text[])) AS name")


class WritingSession(Session):
    """A session that keeps what it has loaded until its transaction ends: one row is read once.

    SQLAlchemy's own memory is weak: an object that nobody holds is forgotten and read again, five times a request.
    """


def _keep(session: Session, instance: object) -> None:
    session.info.setdefault("kept", []).append(instance)


def _forget(session: Session, transaction: SessionTransaction) -> None:
    # The end of a savepoint is not the end of the transaction: ``after_commit`` would hear of both.
    if transaction.parent is None:
        session.info.pop("kept", None)


for moment in ("loaded_as_persistent", "pending_to_persistent"):
    event.listen(WritingSession, moment, _keep)
event.listen(WritingSession, "after_transaction_end", _forget)


def of_transaction(session: Session, name: str) -> dict[Any, Any]:
    """What the session's transaction has noted under a name, for example what it has locked; empty in the next."""
    transaction = session.get_transaction()
    known, noted = session.info.get(name, (None, {}))
    if transaction is None or known is not transaction:
        noted = {}
        session.info[name] = (transaction, noted)
    found: dict[Any, Any] = noted
    return found


class Database:
    """Two engines on one database: ``writing`` and ``reading``. Create it after a fork."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect == "sqlite":
            self.writing, self.reading = _sqlite_engines(url)
        elif self.dialect == "postgresql":
            self.writing, self.reading = _postgresql_engines(url, pool_size)
        else:
            raise ValueError(f"HEJIE_DATABASE_URL names {self.dialect}; Hejie runs on sqlite and postgresql.")
        self._sessions = sessionmaker(self.writing, class_=WritingSession, expire_on_commit=False)
        self._readers = sessionmaker(self.reading, expire_on_commit=False, autoflush=False)

    def session(self) -> Session:
        """A session that may write. The caller closes it."""
        return self._sessions()

    def reader(self) -> Session:
        """A session that only reads and holds nobody up. The caller closes it."""
        return self._readers()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        with self.session() as session, session.begin():
            yield session

    def dispose(self) -> None:
        """Close all connections."""
        self.writing.dispose()
        self.reading.dispose()


def _sqlite_engines(url: str) -> tuple[Engine, Engine]:
    path = make_url(url).database
    if not path or path == ":memory:":
        raise ValueError("SQLite needs a file: two engines cannot share a database in memory.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)

    def pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -32000")
        cursor.close()

    def begin_immediate(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    options: dict[str, Any] = {"connect_args": {"isolation_level": None, "check_same_thread": False}}
    writing = create_engine(url, **options)
    reading = create_engine(url, isolation_level="AUTOCOMMIT", **options)
    for engine in (writing, reading):
        event.listen(engine, "connect", pragmas)
    event.listen(writing, "begin", begin_immediate)
    return writing, reading


def _postgresql_engines(url: str, pool_size: int) -> tuple[Engine, Engine]:
    url = make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    timeouts = "-c statement_timeout=60000 -c lock_timeout=30000 -c idle_in_transaction_session_timeout=60000"
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_pre_ping": True,
        "connect_args": {"options": f"{timeouts} -c timezone=UTC"},
    }
    return create_engine(url, **options), create_engine(url, isolation_level="AUTOCOMMIT", **options)
