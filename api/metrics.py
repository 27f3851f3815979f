"""What Prometheus reads: requests, steps, timers and their lateness, incidents, what waits to be sent.

Counters and histograms belong to the process that counts. What stands in the database (waiting timers, incidents,
mails) is counted when somebody looks, by any web process. With several processes on a machine the folder
``PROMETHEUS_MULTIPROC_DIR`` adds their counters up: ``hejie web`` makes one for its own; name one yourself to
count those of ``hejie worker`` with them.
"""

import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from sqlalchemy import case, func, select, text
from sqlalchemy.orm import Session

from disputes.notices.queries import backlog
from engine import Engine
from engine.models import Delivery, Incident, Job, Outbox, SignalDelivery, Timer
from engine.steps import Step

registry = CollectorRegistry()

REQUESTS = Counter(
    "hejie_requests_total",
    "Requests answered, by route and status.",
    ("method", "route", "status"),
    registry=registry,
)
REQUEST_SECONDS = Histogram(
    "hejie_request_seconds",
    "Seconds from the first byte read to the answer.",
    ("method", "route"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30),
    registry=registry,
)
STEP_SECONDS = Histogram(
    "hejie_step_seconds",
    "Seconds of one engine command, its services included, the commit not.",
    ("command", "outcome"),
    buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
    registry=registry,
)
LATENESS_SECONDS = Histogram(
    "hejie_timer_lateness_seconds",
    "Seconds between the moment that a timer was due and the moment that it fired.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86400),
    registry=registry,
)
WORKER_FAILURES = Counter(
    "hejie_worker_failures_total",
    "Turns of a worker that failed and were tried again.",
    ("work",),
    registry=registry,
)
EXPIRED_MESSAGES = Counter(
    "hejie_messages_expired_total",
    "Messages that nobody took in their time.",
    registry=registry,
)
NOT_COUNTED = frozenset({"metrics", "static"})


class MeasuredEngine(Engine):
    """The engine with a clock beside each command."""

    def start(self, session: Session, **command: Any) -> Step:
        return _measured("start", lambda: super(MeasuredEngine, self).start(session, **command))

    def complete(self, session: Session, *command: Any, **more: Any) -> Step:
        return _measured("complete", lambda: super(MeasuredEngine, self).complete(session, *command, **more))

    def hand_over(self, session: Session, *command: Any, **more: Any) -> Step:
        return _measured("deliver", lambda: super(MeasuredEngine, self).hand_over(session, *command, **more))

    def receive_signal(self, session: Session, *command: Any, **more: Any) -> Step | None:
        return _measured("signal", lambda: super(MeasuredEngine, self).receive_signal(session, *command, **more))

    def complete_job(self, session: Session, *command: Any, **more: Any) -> Step:
        return _measured(
            "complete_job", lambda: super(MeasuredEngine, self).complete_job(session, *command, **more)
        )

    def fire(self, session: Session, *command: Any, **more: Any) -> Step | None:
        return _measured("fire", lambda: super(MeasuredEngine, self).fire(session, *command, **more))

    def cancel(self, session: Session, *command: Any, **more: Any) -> Step:
        return _measured("cancel", lambda: super(MeasuredEngine, self).cancel(session, *command, **more))


S = TypeVar("S", Step, Step | None)


def _measured(command: str, run: Callable[[], S]) -> S:
    begun, outcome = time.perf_counter(), "refused"
    try:
        step = run()
        outcome = "nobody_waited" if step is None else "incident" if step.failed else "done"
        return step
    finally:
        STEP_SECONDS.labels(command, outcome).observe(time.perf_counter() - begun)


#: In ``Session.info``: a step of this transaction met a fault of its diagram and left an incident.
PARKED = "hejie.parked"


class Lateness:
    """A listener that measures how late each timer fires, and notes on the session when a step was parked."""

    def step(self, session: Session, step: Step) -> None:
        if step.failed:
            session.info[PARKED] = True
        for timer in step.fired:
            LATENESS_SECONDS.observe(max(0.0, (step.now - timer.due_at).total_seconds()))


def forget_process(_server: object, worker: Any) -> None:
    """gunicorn tells that one of its processes has ended: its gauges count no more."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def measured(plain: Engine) -> Engine:
    """The engine with a clock beside each command and each timer."""
    listeners = [*plain.listeners, Lateness()]
    return MeasuredEngine(
        services=plain.services,
        functions=plain.functions,
        listeners=listeners,
        function_names=plain.function_names,
    )


def init_metrics(app: Flask) -> None:
    """Count every request of this application."""
    app.before_request(_begin)
    app.after_request(_count)


def render(session: Session, *, now: datetime) -> bytes:
    """Everything in the text format of Prometheus."""
    whole = registry
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        whole = CollectorRegistry()
        MultiProcessCollector(whole)  # type: ignore[no-untyped-call]
    standing = CollectorRegistry()
    standing.register(_Standing(session, now))
    return bytes(generate_latest(whole)) + bytes(generate_latest(standing))


class _Standing(Collector):
    """What the database holds at this moment."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        waiting = (Timer.State.ARMED, Timer.State.CLAIMED)
        yield self._gauge(
            "hejie_timers_waiting",
            "Timers that are armed or held by a worker.",
            select(func.count()).select_from(Timer).where(Timer.state.in_(waiting)),
        )
        yield self._gauge(
            "hejie_timers_overdue",
            "Timers whose moment has passed and which no worker has fired.",
            select(func.count()).select_from(Timer).where(Timer.state.in_(waiting), Timer.wake_at <= self.now),
        )
        yield self._gauge(
            "hejie_timers_parked",
            "Timers that an incident holds.",
            select(func.count()).select_from(Timer).where(Timer.state == Timer.State.PARKED),
        )
        yield self._gauge(
            "hejie_incidents_open",
            "Incidents that wait for somebody.",
            select(func.count()).select_from(Incident).where(Incident.state == Incident.State.OPEN),
        )
        yield self._gauge(
            "hejie_outbox_waiting",
            "Effects outside the database that are still to be done.",
            select(func.count()).select_from(Outbox).where(Outbox.state == Outbox.State.WAITING),
        )

        kept = select(func.count()).select_from(Delivery).where(Delivery.state == Delivery.State.KEPT)
        yield self._gauge("hejie_messages_kept", "Messages that wait for somebody who waits for them.", kept)
        yield self._gauge(
            "hejie_signals_waiting",
            "Signals that are on their way to a case.",
            select(func.count()).select_from(SignalDelivery),
        )
        yield from self._jobs()
        mails = GaugeMetricFamily("hejie_mails", "Mails and text messages, by state.", labels=["state"])
        for state, number in backlog(self.session).items():
            mails.add_metric([state], number)
        yield mails

    def _jobs(self) -> Iterator[GaugeMetricFamily]:
        """Jobs of external workers: how many wait, are held and have failed, and how long the oldest has waited."""
        number = GaugeMetricFamily("hejie_jobs", "Jobs of external workers, by type.", labels=["type", "state"])
        oldest = GaugeMetricFamily(
            "hejie_jobs_oldest_seconds", "Seconds since the oldest unfinished job was opened.", labels=["type"]
        )
        failed, held = (Job.state == Job.State.FAILED, "failed"), (Job.locked_until > self.now, "held")
        standing = case(failed, held, else_="waiting").label("standing")
        statement = (
            select(Job.type, standing, func.count(), func.min(Job.opened_at))
            .where(Job.state.in_((Job.State.OPEN, Job.State.FAILED)))
            .group_by(Job.type, text("standing"))
        )
        since: dict[str, datetime] = {}
        for type_, state, count, opened_at in self.session.execute(statement):
            number.add_metric([type_, state], count)
            since[type_] = min(opened_at, since.get(type_, opened_at))
        for type_, opened_at in since.items():
            oldest.add_metric([type_], (self.now - opened_at).total_seconds())
        yield number
        yield oldest

    def _gauge(self, name: str, meaning: str, counted: Any) -> GaugeMetricFamily:
        return GaugeMetricFamily(name, meaning, value=float(self.session.scalar(counted) or 0))


def _begin() -> None:
    g.begun = time.perf_counter()


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    if request.endpoint not in NOT_COUNTED and "begun" in g:
        REQUESTS.labels(request.method, route, str(response.status_code)).inc()
        REQUEST_SECONDS.labels(request.method, route).observe(time.perf_counter() - g.begun)
    return response
