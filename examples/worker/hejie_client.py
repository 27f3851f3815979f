"""A client for external workers of Hejie: one file, the standard library alone, Python 3.11 or later. Copy it.

    client = Client("https://hejie.example", token)
    Worker(client, {"parcel.track": track}, name="tracker-1").run()

A handler is given a ``Job`` and returns variables; it raises ``BusinessError`` to leave by an error event of the
diagram, and anything else to have the job offered again later. A job may be offered twice (a worker that was killed
loses its lock), so what a handler does must bear a repetition.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

log = logging.getLogger("hejie.worker")

#: Seconds for which a job is held; a worker that is alive extends it long before.
LOCK = 60
#: Seconds that a request for jobs waits on the server.
WAIT = 20
#: Seconds between two tries while the server cannot be reached: doubled each time up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: Tries to return a result before the job is left to its lock.
TRIES = 5


class Refused(Exception):
    """The server refused (4xx): a problem detail with a stable ``code``."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail


class Unreachable(Exception):
    """No answer, or one that asks to come again (429, 5xx)."""


class BusinessError(Exception):
    """Raised by a handler: the case leaves the task by the error event that catches this code."""

    def __init__(self, code: str, message: str = "", variables: Mapping[str, Any] | None = None) -> None:
        super().__init__(message or code)
        self.code, self.message, self.variables = code, message, dict(variables or {})


@dataclass(frozen=True)
class Job:
    """A job that this worker holds until ``locked_until`` (ISO 8601)."""

    id: str
    type: str
    #: The business key: the case's id.
    key: str
    process: str
    element: str
    headers: Mapping[str, str]
    #: What the task's input mapping names.
    variables: Mapping[str, Any]
    #: Which activation this is; with the worker's name it proves who holds the job.
    attempt: int
    retries: int
    locked_until: str
    worker: str


Handler = Callable[[Job], Mapping[str, Any] | None]


class Client:
    """Talks to one server with one token. It keeps no connection, so that threads may share it."""

    def __init__(self, base: str, token: str, *, timeout: float = WAIT + 15) -> None:
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base!r} is not the address of a server, such as https://hejie.example.")
        self._parts, self._token, self._timeout = parts, token, timeout

    def activate(
        self, types: Collection[str], *, worker: str, limit: int = 1, lock: int = LOCK, wait: int = WAIT
    ) -> list[Job]:
        """Take up to ``limit`` jobs; wait up to ``wait`` seconds for the first."""
        body = {
            "types": sorted(types),
            "worker": worker,
            "limit": limit,
            "lock_seconds": lock,
            "wait_seconds": wait,
        }
        answer = self._post("/jobs/activate", body)
        return [Job(**item, worker=worker) for item in answer["items"]]

    def extend(self, job: Job, *, lock: int = LOCK) -> None:
        """Hold a job for longer. Raises Refused (409) once it is another's."""
        self._post(f"/jobs/{job.id}/extend", {**_held(job), "lock_seconds": lock})

    def complete(self, job: Job, variables: Mapping[str, Any] | None = None) -> None:
        """Return a job; the case goes on."""
        body = {**_held(job), "variables": dict(variables or {})}
        self._post(f"/jobs/{job.id}/complete", body, once=f"{job.id}-{job.attempt}-complete")

    def fail(self, job: Job, error: str, *, retries: int | None = None, retry_after: int = 0) -> None:
        """Give a job back: it is offered again after so many seconds, unless its retries are used up."""
        body = {**_held(job), "error": error[:2000] or "failed", "retry_after_seconds": retry_after}
        if retries is not None:
            body["retries"] = retries
        self._post(f"/jobs/{job.id}/fail", body, once=f"{job.id}-{job.attempt}-fail")

    def throw(self, job: Job, code: str, message: str = "", variables: Mapping[str, Any] | None = None) -> None:
        """End a job by an error of the business."""
        body = {**_held(job), "code": code, "message": message, "variables": dict(variables or {})}
        self._post(f"/jobs/{job.id}/error", body, once=f"{job.id}-{job.attempt}-error")

    def publish(
        self,
        case: str,
        message: str,
        payload: Mapping[str, Any] | None = None,
        *,
        message_id: str | None = None,
        ttl: int = 0,
    ) -> str:
        """Send a message to a case; answers ``delivered``, ``kept``, ``repeated`` or ``unwanted``."""
        body: dict[str, Any] = {
            "case": case,
            "message": message,
            "payload": dict(payload or {}),
            "ttl_seconds": ttl,
        }
        if message_id is not None:
            body["message_id"] = message_id
        return str(self._post("/messages", body)["outcome"])

    def _post(self, path: str, body: Mapping[str, Any], *, once: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if once is not None:
            headers["Idempotency-Key"] = once  # a repetition has one effect and one answer
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout)
        try:
            connection.request("POST", f"{self._parts.path.rstrip('/')}/api/v1{path}", json.dumps(body), headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        if status == 429 or status >= 500:
            raise Unreachable(f"{status} {text[:200]!r}")
        try:
            found: dict[str, Any] = json.loads(text) if text else {}
        except ValueError as error:
            raise Unreachable(f"{status} and no JSON: {text[:200]!r}") from error
        if status >= 400:
            raise Refused(status, str(found.get("code", "")), str(found.get("detail", "")))
        return found


class Worker:
    """Takes jobs one after the other and hands them to their handlers, until it is told to stop."""

    def __init__(
        self,
        client: Client,
        handlers: Mapping[str, Handler],
        *,
        name: str,
        lock: int = LOCK,
        wait: int = WAIT,
        retry_after: int = 10,
    ) -> None:
        self.client, self.handlers, self.name = client, dict(handlers), name
        self.lock, self.wait, self.retry_after = lock, wait, retry_after
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Take no further job; the one in hand is finished. Safe in a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Work until ``stop``. Raises Refused when the server wants nothing from this worker (401, 403, 422)."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                jobs = self.client.activate(
                    self.handlers, worker=self.name, limit=1, lock=self.lock, wait=self.wait
                )
            except Unreachable as error:
                log.warning("The server cannot be reached; next try in about %.1f s: %s", pause, error)
                self._stopping.wait(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            if not jobs:
                self._stopping.wait(FIRST_PAUSE)  # a server whose places for waiting are taken answers at once
            for job in jobs:
                self.work(job)

    def work(self, job: Job) -> None:
        """Do one job and return it. A job that was lost meanwhile is left to whoever has it."""
        done = threading.Event()
        holder = threading.Thread(target=self._hold, args=(job, done), daemon=True)
        holder.start()
        try:
            result = self.handlers[job.type](job)
        except BusinessError as error:
            answer = partial(self.client.throw, job, error.code, error.message, error.variables)
        except Exception as error:
            log.exception("Job %s (%s) failed.", job.id, job.type)
            words = f"{type(error).__name__}: {error}"
            answer = partial(self.client.fail, job, words, retry_after=self.retry_after)
        else:
            answer = partial(self.client.complete, job, result)
        try:
            self._return(job, answer)
        finally:
            done.set()
            holder.join()

    def _return(self, job: Job, answer: Callable[[], None]) -> None:
        pause = FIRST_PAUSE
        for _ in range(TRIES):
            try:
                answer()
            except Refused as refused:
                log.warning("Job %s was not taken back: %s", job.id, refused)
                return
            except Unreachable as error:
                log.warning("Job %s cannot be returned yet: %s", job.id, error)
                self._stopping.wait(pause)
                pause *= 2
            else:
                return

    def _hold(self, job: Job, done: threading.Event) -> None:
        """Say from time to time that the job is still being done."""
        while not done.wait(self.lock / 3):
            try:
                self.client.extend(job, lock=self.lock)
            except Unreachable as error:
                log.warning("Job %s cannot be held for longer yet: %s", job.id, error)
            except Refused as refused:
                log.warning("Job %s is lost: %s", job.id, refused)
                return


def _held(job: Job) -> dict[str, Any]:
    return {"worker": job.worker, "attempt": job.attempt}
