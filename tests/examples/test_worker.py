"""The example worker against a real server: killed in the middle of a job, and every parcel is found once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.db import Database
from engine import Event, Instance, Job

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "worker"
#: Seconds after which a job of the killed worker is offered again.
LOCK = 2


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    begun: list[subprocess.Popen[str]] = []
    yield begun
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def _begin(to: list[subprocess.Popen[str]], script: str, *arguments: str, **more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLE / script), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **more},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    to.append(process)
    return process


def _line(process: subprocess.Popen[str], begins: str) -> str:
    """The next line that begins so; what else is said comes into the message of the failure."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        if line.startswith(begins):
            return line.strip()
        said.append(line)
    raise AssertionError("".join(said))


def test_a_job_of_a_killed_worker_is_done_again_and_takes_effect_once(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"sqlite:///{tmp_path / 'parcels.db'}"
    server = _begin(processes, "serve.py", str(port), HEJIE_DATABASE_URL=url)
    token = _line(server, "HEJIE_TOKEN=").split()[0].removeprefix("HEJIE_TOKEN=")
    worker = {"HEJIE_TOKEN": token, "HEJIE_EXAMPLE_LOCK": str(LOCK)}
    address = f"http://127.0.0.1:{port}"

    first = _begin(processes, "track.py", address, **worker, HEJIE_EXAMPLE_SECONDS="600")
    assert _line(first, "parcel") == "parcel SF0001, attempt 1"
    first.send_signal(signal.SIGKILL)
    first.wait(60)

    second = _begin(processes, "track.py", address, **worker, HEJIE_EXAMPLE_SECONDS="0")
    seen = [_line(second, "parcel") for _ in range(10)]
    assert "parcel SF0001, attempt 2" in seen and len(set(seen)) == 10
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0, "it returns what it has in hand and stops"

    database = Database(url)
    with database.reader() as session:
        assert Counter(session.scalars(select(Instance.ended_element))) == {"found": 9, "is_lost": 1}
        kinds = Counter(session.scalars(select(Event.kind)))
        assert (kinds["job.completed"], kinds["job.threw"]) == (9, 1)
        assert Counter(session.scalars(select(Job.attempt))) == {1: 9, 2: 1}
    database.dispose()
