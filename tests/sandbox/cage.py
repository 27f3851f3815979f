"""Runs hostile input in a process of its own, which the kernel ends when it takes too much time or memory.

A server imports everything once and forks for each case: so a case costs what it costs, and not what Python's imports
cost. Time is CPU time, memory what a case takes on top of the server. Nothing here looks at a clock on the wall.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import IO

#: Seconds of CPU time of one case; the kernel counts whole ones.
SECONDS = 1
#: Bytes that a case may take on top of the server.
MEMORY = 100 * 2**20


@dataclass(frozen=True)
class Outcome:
    """What came of a case: ``refused`` with a finding or refusal, ``bounded`` (it went through), else what broke."""

    how: str
    detail: str
    #: Seconds of CPU time and megabytes that it took.
    seconds: float
    megabytes: float


class Cage:
    """The server as the tests see it."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from tests.sandbox.cage import serve; serve()", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def run(self, case: str) -> Outcome:
        """Run one case of ``tests.sandbox.hostile`` by its name."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(f"{case}\n")
        stdin.flush()
        return Outcome(**json.loads(stdout.readline()))

    def close(self) -> None:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        stdin.close()
        self.process.wait()
        stdout.close()


def serve() -> None:
    """Answer case after case until standard input ends."""
    from tests.sandbox import hostile

    hostile.warm_up(Path(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(_forked(line.strip())) + "\n")
        answers.flush()


def _forked(case: str) -> dict[str, object]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as said:
            _caged(case, said)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said_by_child:
        said = said_by_child.read()
    _, status, used = os.wait4(child, 0)
    seconds = round(used.ru_utime + used.ru_stime, 3)
    if said:
        return {**json.loads(said), "seconds": seconds}
    how = "out of time" if os.WIFSIGNALED(status) else "died"
    return {"how": how, "detail": f"status {status}", "seconds": seconds, "megabytes": 0.0}


def _caged(case: str, said: IO[str]) -> None:
    from tests.sandbox import hostile

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY, resource.RLIM_INFINITY))
    try:
        how, detail = hostile.attempt(case)
    except MemoryError:
        how, detail = "out of memory", ""
    except BaseException:
        how, detail = "traceback", traceback.format_exc()[-2_000:]
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said.write(json.dumps({"how": how, "detail": detail[:2_000], "megabytes": round((after - before) / 1024, 1)}))


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
