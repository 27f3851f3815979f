"""The worker: a ticker that fires due timers, brings signals and sends mails, a heartbeat, and the nightly jobs.

Any number of workers may run on one PostgreSQL. Timers are claimed row by row, signals and mails too; a nightly
job runs where its row ``(job, slot)`` was written first. A killed worker leaves claims that run out, and nothing
happens twice.
"""

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

import core.now
from api import metrics
from api.models import Heartbeat, JobRun
from core.db import Database, insert_missing
from core.now import CHINA
from core.settings import Settings
from disputes.releases import moving
from engine import Engine, messages, signals, timers

log = logging.getLogger(__name__)
# A tick that takes longer than its interval is no news.
logging.getLogger("apscheduler").setLevel(logging.ERROR)

#: Seconds between two looks at the timers: half of the lateness that is promised.
TICK = 0.5
#: Seconds between two looks whether kept messages have expired; none is taken after its time, looked at or not.
EXPIRY_TICK = 60
#: Seconds between two looks at the mails that wait.
MAIL_TICK = 5
#: Seconds between two looks whether cases are to move to another release.
MOVE_TICK = 2
#: Seconds between two looks for deadlines that were ordered to be moved, and how many batches at a time.
REDERIVE_TICK, REDERIVE_BATCHES = 2, 20
#: Seconds between two heartbeats; ``/readyz`` misses a worker after two minutes.
BEAT = 5
#: Seconds between two looks whether a nightly job is due.
NIGHT_TICK = 60
#: Timers fired before the moment is read again and a stop is heeded.
BATCH = 200
#: The hour, in China, from which the nightly jobs run.
NIGHT_HOUR = 3
#: A nightly job that began so long ago and has not ended was killed; another worker takes it.
JOB_LEASE = timedelta(hours=1)
#: Heartbeats and job runs are kept so long, for whoever asks what happened.
KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Nightly:
    """One job of the night. ``run`` answers what it did; running it twice must be harmless."""

    name: str
    run: Callable[["Worker", datetime], dict[str, Any]]


class Worker:
    """Does what is due until it is told to stop."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = core.now.now,
    ) -> None:
        self.database, self.engine, self.settings, self.clock = database, engine, settings, clock
        self.owner = f"{socket.gethostname()[:80]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.fired = 0
        self._began = clock()
        self._stopping = threading.Event()
        # A store in memory: the shared one of APScheduler fires a job once per process.
        self._scheduler = BackgroundScheduler(
            timezone=CHINA,
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Begin to work, in threads of its own."""
        for work, seconds in (
            (self.tick, TICK),
            (self.bring_signals, TICK),
            (self.let_messages_expire, EXPIRY_TICK),
            (self.move_cases, MOVE_TICK),
            (self.send_mails, MAIL_TICK),
            (self.rederive, REDERIVE_TICK),
            (self.beat, BEAT),
            (self.night, NIGHT_TICK),
        ):
            self._scheduler.add_job(self._guarded(work), "interval", seconds=seconds, next_run_time=self.clock())
        self._scheduler.start()
        log.info("Worker %s works.", self.owner)

    def stop(self) -> None:
        """Finish what is being done, then rest."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        with self.database.transaction() as session:
            session.execute(delete(Heartbeat).where(Heartbeat.owner == self.owner))
        log.info("Worker %s rests.", self.owner)

    def run_until_stopped(self) -> None:
        """Work until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        self.start()
        self._stopping.wait()
        self.stop()

    def tick(self) -> int:
        """Fire what is due, in batches; answers how many fired."""
        total = 0
        while not self._stopping.is_set():
            fired = timers.drain(self.database, self.engine, owner=self.owner, now=self.clock(), limit=BATCH)
            total += fired
            if fired < BATCH:
                break
        self.fired += total
        return total

    def bring_signals(self) -> int:
        """Bring signals to the cases that they are for; answers how many arrived."""
        return signals.drain(self.database, self.engine, owner=self.owner, now=self.clock())

    def move_cases(self) -> int:
        """Go on with migrations between releases that were ordered; answers how many cases were taken up."""
        total = 0
        while not self._stopping.is_set():
            taken = moving.carry_on(self.database, self.engine, clock=self.clock, most=moving.BATCH)
            total += taken
            if taken < moving.BATCH:
                break
        return total

    def let_messages_expire(self) -> int:
        """Let messages go that nobody took in their time; answers how many."""
        total = 0
        while not self._stopping.is_set():
            with self.database.transaction() as session:
                expired = messages.expire(session, now=self.clock(), limit=BATCH)
            total += expired
            metrics.EXPIRED_MESSAGES.inc(expired)
            if expired < BATCH:
                break
        return total

    def send_mails(self) -> int:
        """Send what waits in the outbox; answers how many were sent."""
        from disputes.notices import mail

        return mail.send_waiting(self.database, self.settings, owner=self.owner, now=self.clock())

    def rederive(self) -> int:
        """Go on moving the deadlines of a re-derivation that was applied; answers how many cases were taken up."""
        from disputes.cases.rederivations import tell_moved
        from disputes.timelimits import rederivation

        total = 0
        while not self._stopping.is_set():
            taken = rederivation.carry_out(
                self.database, self.engine, clock=self.clock, tell=tell_moved, batches=REDERIVE_BATCHES
            )
            total += taken
            if not taken:
                break
        return total

    def beat(self) -> None:
        """Say that this worker lives."""
        now = self.clock()
        with self.database.transaction() as session:
            insert_missing(session, Heartbeat, owner=self.owner, started_at=self._began, at=now, fired=0)
            session.execute(update(Heartbeat).where(Heartbeat.owner == self.owner).values(at=now, fired=self.fired))

    def night(self) -> list[str]:
        """Run the nightly jobs that no worker has run for this night; answers which."""
        now = self.clock()
        local = now.astimezone(CHINA)
        if local.hour < NIGHT_HOUR:
            return []
        done = []
        for job in NIGHTLY:
            if self._stopping.is_set():
                break
            if self._take(job.name, local.date().isoformat(), now=now):
                self._carry_out(job, local.date().isoformat(), now=now)
                done.append(job.name)
        return done

    def _take(self, job: str, slot: str, *, now: datetime) -> bool:
        """Take a job for a slot: by writing its row first, or from a worker that was killed."""
        with self.database.reader() as session:
            seen = session.scalars(select(JobRun).where(JobRun.job == job, JobRun.slot == slot)).one_or_none()
        if seen is not None and (seen.ended_at is not None or now - seen.started_at < JOB_LEASE):
            return False
        with self.database.transaction() as session:
            insert_missing(session, JobRun, job=job, slot=slot, owner=self.owner, started_at=now, failed=False)
            row = session.scalars(
                select(JobRun).where(JobRun.job == job, JobRun.slot == slot).with_for_update()
            ).one()
            if row.owner != self.owner:
                if row.ended_at is not None or now - row.started_at < JOB_LEASE:
                    return False
                row.owner, row.started_at = self.owner, now
            return row.ended_at is None

    def _carry_out(self, job: Nightly, slot: str, *, now: datetime) -> None:
        failed, result = False, {}
        try:
            result = job.run(self, now)
        except Exception as error:
            log.exception("The nightly job %s failed.", job.name)
            failed, result = True, {"error": f"{type(error).__name__}: {error}"[:2000]}
        with self.database.transaction() as session:
            session.execute(
                update(JobRun)
                .where(JobRun.job == job.name, JobRun.slot == slot, JobRun.owner == self.owner)
                .values(ended_at=self.clock(), result=result, failed=failed)
            )

    def _guarded(self, work: Callable[[], object]) -> Callable[[], None]:
        """A job of the ticker goes on at its next turn, whatever happened at this one."""

        def run() -> None:
            try:
                work()
            except Exception:
                metrics.WORKER_FAILURES.labels(work.__name__).inc()
                log.exception("%s failed; it is tried again at its next turn.", work.__name__)

        return run


def _forget(worker: Worker, now: datetime) -> dict[str, Any]:
    """Drop what nobody needs any more: answers to repetitions, codes, counts of failures, old runs."""
    from api import repeats
    from disputes.cases import drafts
    from disputes.identity import phone_codes, throttles

    with worker.database.transaction() as session:
        return {
            "answers": repeats.forget_old(session, now=now),
            "codes": phone_codes.forget_old(session, now=now),
            "failures": throttles.forget_old(session, now=now),
            "drafts": drafts.forget_old(session, files=worker.settings.files, now=now),
            "messages": messages.forget_old(session, now=now),
            "signals": signals.forget_old(session, now=now),
            "runs": _forget_runs(session, now),
        }


def _forget_runs(session: Session, now: datetime) -> int:
    session.execute(delete(Heartbeat).where(Heartbeat.at < now - KEPT))
    return int(session.execute(delete(JobRun).where(JobRun.started_at < now - KEPT)).rowcount)  # type: ignore[attr-defined]


def _verify(worker: Worker, now: datetime) -> dict[str, Any]:
    """Read every chain of the audit and of the cases; a broken one fails the job and is logged."""
    from disputes.audit import queries

    with worker.database.reader() as session:
        verdict = queries.verify_all(session, folder=worker.settings.files.parent)
    if not verdict.is_whole:
        raise RuntimeError(f"{len(verdict.broken)} broken chains: {verdict.broken[:3]}")
    return {"chains": verdict.chains, "events": verdict.events}


def _anchor(worker: Worker, now: datetime) -> dict[str, Any]:
    """Anchor the heads of all chains, here and in the witness file. After the verification: only what is whole."""
    from disputes.audit import anchors

    with worker.database.transaction() as session:
        anchored = anchors.anchor(session, now=now)
        number, chains = anchored.number, anchored.chains
    anchors.testify(worker.settings.files.parent, anchored)
    return {"anchor": number, "chains": chains}


def _erase(worker: Worker, now: datetime) -> dict[str, Any]:
    """Erase personal data whose period has ended."""
    from disputes.retention import operations, periods

    report = operations.run(
        worker.database, periods.standard(), files=worker.settings.files, by="system:retention", now=now
    )
    return {"cases": len(report["cases"]), "held": report["held"], "accounts": report["accounts"]}


NIGHTLY: tuple[Nightly, ...] = (
    Nightly("forget_old", _forget),
    Nightly("verify_audit", _verify),
    Nightly("retention", _erase),
    Nightly("anchor", _anchor),
)
