"""Foreign diagrams by the hundred: what is accepted, what is refused and for which reason, and whether it runs.

Each file is translated and checked by itself, with the processes that it calls where another file of the corpus has
them. What is accepted is started with no data, or, where its first expressions ask for some, with the values that
they name, and runs until it waits for somebody or ends.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from core.db import Database
from engine import bundles, diagram
from engine.checking import check
from engine.findings import Catalogue, Finding, Severity
from engine.importing import translate
from engine.models import Instance
from engine.runtime import Engine
from engine.vocabulary import beyond

#: Nothing is known of the house that a foreign diagram was drawn for.
ELSEWHERE = Catalogue(complete=False)
#: The moment of every run.
NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
#: How an accepted diagram came to rest.
WAITS, ENDS, STOPS, NO_START = "waits", "ends", "stops", "no start"


@dataclass(frozen=True)
class Surveyed:
    """What came of one file."""

    path: str
    #: What it uses that is not on the list of ``engine.vocabulary``.
    beyond: tuple[str, ...]
    #: Errors of the import and of the engine's checks; none: accepted.
    findings: tuple[Finding, ...]
    #: Errors of the proofs, which are about a procedure that people live under.
    unproved: tuple[Finding, ...] = ()
    #: Process → ``waits``, ``ends`` or ``stops``, and where or why.
    runs: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        return not self.findings

    @property
    def codes(self) -> list[str]:
        """Why it is refused, each reason once."""
        return sorted({finding.code for finding in self.findings})


def survey(directory: Path, database: Database) -> list[Surveyed]:
    """Every diagram below a directory, in the order of their paths. ``database`` is empty, with all tables."""
    corpus = _Corpus(directory)
    engine = Engine(services={})
    surveyed = []
    for path in corpus.paths:
        surveyed.append(_one(corpus, engine, database, path))
    return surveyed


def _one(corpus: "_Corpus", engine: Engine, database: Database, path: str) -> Surveyed:
    raw = corpus.raw[path]
    files = corpus.with_called(path)
    findings = [f for file in files for f in corpus.imported[file].findings if f.severity is Severity.ERROR]
    findings += _errors(files, proofs=False)
    known = {(f.file, f.element, f.code) for f in findings}
    unproved = [f for f in _errors(files, proofs=True) if (f.file, f.element, f.code) not in known]
    runs = {} if findings else dict(_runs(engine, database, files, path))
    return Surveyed(path, tuple(beyond(raw)), tuple(findings), tuple(unproved), runs)


def _errors(files: Mapping[str, bytes], *, proofs: bool) -> list[Finding]:
    return [f for f in check(files, ELSEWHERE, proofs=proofs) if f.severity is Severity.ERROR]


def _runs(
    engine: Engine, database: Database, files: Mapping[str, bytes], path: str
) -> Iterator[tuple[str, tuple[str, str]]]:
    for process in diagram.read(files[path], path).processes:
        starts = [e for e in process.inside(process.id) if e.kind is diagram.Kind.START]
        if len(starts) != 1:
            yield process.id, (NO_START, "")
            continue
        with database.session() as session:
            yield process.id, _run(engine, session, files, process.id)
            session.rollback()


def _run(engine: Engine, session: Session, files: Mapping[str, bytes], process: str) -> tuple[str, str]:
    bundle = bundles.save(session, files, now=NOW)
    stopped = ""
    for data in ({}, asked_for(files)):
        step = engine.start(
            session, bundle=bundle, process=process, key="1", data=data, now=NOW, by="system:corpora"
        )
        if step.incidents:
            stopped = step.incidents[0].message
        elif step.instance.state == Instance.State.COMPLETED:
            return ENDS, str(step.ended)
        else:
            return WAITS, ", ".join(element for _, element in step.position)
    return STOPS, stopped


def asked_for(files: Mapping[str, bytes]) -> dict[str, Any]:
    """A value for each variable that collections, timers and conditions name: what it is compared with, or true."""
    data: dict[str, Any] = {}
    for path, xml in files.items():
        for process in diagram.read(xml, path).processes:
            for element in process.elements.values():
                if element.loop is not None and (name := _bare(element.loop.collection)):
                    data[name] = ["a", "b"]
                for trigger in element.triggers:
                    if name := _bare(trigger.text):
                        data[name] = "PT1H"
            for flow in process.flows.values():
                for name, number, text in _COMPARED.findall(flow.condition or ""):
                    data.setdefault(name, int(number) if number else text)
                if name := _bare(flow.condition or ""):
                    data.setdefault(name, True)
    return data


_COMPARED = re.compile(r'([^\W\d]\w*) [<>]?= (?:(\d+)|"([^"]*)")')


def _bare(text: str) -> str:
    """The variable that an expression consists of; empty for everything else."""
    name = text.removeprefix("=").strip()
    return name if text.startswith("=") and name.isidentifier() and name not in ("true", "false", "null") else ""


class _Corpus:
    """All files, translated, and which of them has which process."""

    def __init__(self, directory: Path) -> None:
        self.paths = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*.bpmn"))
        self.raw = {path: (directory / path).read_bytes() for path in self.paths}
        self.imported = {path: translate(raw, path) for path, raw in self.raw.items()}
        self.origin = dict(self._origins(directory))
        self.processes: dict[str, list[str]] = {}
        self.calls: dict[str, set[str]] = {}
        self.own: dict[str, set[str]] = {}
        for path in self.paths:
            read = diagram.read(self.imported[path].xml, path).processes
            self.own[path] = {process.id for process in read}
            self.calls[path] = {e.called for p in read for e in p.elements.values() if e.called}
            for process in read:
                self.processes.setdefault(process.id, []).append(path)

    def _origins(self, directory: Path) -> Iterator[tuple[str, str]]:
        """Where a file lay in its own project: INDEX.tsv of a corpus has a file and its path on each line."""
        for index in directory.rglob("INDEX.tsv"):
            folder = index.parent.relative_to(directory)
            for line in index.read_text().splitlines():
                name, _, origin = line.partition("\t")
                yield (folder / name).as_posix(), origin

    def with_called(self, path: str) -> dict[str, bytes]:
        """A file with what it calls, and what that calls: the nearest file of its own project that has it."""
        files = [path]
        have = set(self.own[path])
        for file in files:
            for called in sorted(self.calls[file] - have):
                found = [f for f in self.processes.get(called, ()) if not self.own[f] & have]
                if found:
                    nearest = max(found, key=lambda f: (self._common(path, f), -self.paths.index(f)))
                    files.append(nearest)
                    have |= self.own[nearest]
        return {file: self.imported[file].xml for file in files}

    def _common(self, one: str, other: str) -> int:
        """How many folders two files share, in their own project."""
        paths = [PurePosixPath(self.origin.get(path, path)).parent.parts for path in (one, other)]
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*paths, strict=False)))


def report(surveyed: Sequence[Surveyed]) -> dict[str, Any]:
    """The counts, as ``hejie corpora --json`` prints them."""
    listed = [s for s in surveyed if not s.beyond]
    accepted = [s for s in surveyed if s.accepted]
    ran = Counter(run[0] for s in accepted for run in s.runs.values())
    return {
        "files": len(surveyed),
        "accepted": len(accepted),
        "refused": len(surveyed) - len(accepted),
        "supported": len(listed),
        "supported_accepted": sum(s.accepted for s in listed),
        "proved": sum(s.accepted and not s.unproved for s in surveyed),
        "runs": dict(sorted(ran.items())),
        "stops": {s.path: dict(s.runs) for s in accepted if any(r[0] == STOPS for r in s.runs.values())},
        "reasons": _by_reason([s.codes for s in surveyed]),
        "unproved": _by_reason([sorted({f.code for f in s.unproved}) for s in accepted]),
        "beyond": _by_reason([s.beyond for s in surveyed]),
        "supported_refused": {s.path: s.codes for s in listed if not s.accepted},
        "sentences": _sentences(surveyed),
    }


def _by_reason(reasons: Sequence[Sequence[str]]) -> dict[str, list[int]]:
    """Reason → files that have it, and files that have no other."""
    files = Counter(reason for each in reasons for reason in each)
    alone = Counter(each[0] for each in reasons if len(each) == 1)
    return {reason: [count, alone[reason]] for reason, count in sorted(files.items(), key=lambda r: (-r[1], r[0]))}


def _sentences(surveyed: Sequence[Surveyed]) -> dict[str, str]:
    """Code → what a designer is told, as it was said the first time."""
    said: dict[str, str] = {}
    for each in surveyed:
        for finding in (*each.findings, *each.unproved):
            said.setdefault(finding.code, finding.en)
    return said


def text(found: Mapping[str, Any]) -> str:
    """The report as Markdown, as it stands in ``docs/corpora.md``."""
    share = 100 * found["supported_accepted"] / max(found["supported"], 1)
    runs = found["runs"]
    lines = [
        "# 别家的图 · Foreign diagrams",
        "",
        "把 Camunda 7 自己的测试图和 BPMN MIWG 的图逐个译过来、检查、启动：接受多少，拒绝多少，为什么。"
        "本页由 `hejie corpora DIR > docs/corpora.md` 生成，测试核对它与代码一致。",
        "",
        "Every diagram of the corpora was translated (`hejie import`), checked and started. "
        "This page is written by `hejie corpora DIR > docs/corpora.md`, and a test holds it to the code.",
        "",
        "| | files |",
        "|---|---|",
        f"| all | {found['files']} |",
        f"| accepted by the engine | {found['accepted']} |",
        f"| refused with findings | {found['refused']} |",
        f"| use only what is on the list of `engine/vocabulary.py` | {found['supported']} |",
        f"| of these accepted | {found['supported_accepted']} ({share:.1f} %) |",
        f"| accepted by the engine and by the token-game proofs | {found['proved']} |",
        "",
        f"Processes of accepted files, started: {runs.get(WAITS, 0)} wait, {runs.get(ENDS, 0)} end, "
        f"{runs.get(STOPS, 0)} stop with an incident, {runs.get(NO_START, 0)} have no plain start.",
        "",
    ]
    lines += _table(
        "Why files are refused",
        ("reason", "files", "only reason", "what a designer reads"),
        [
            (f"`{code}`", files, alone, found["sentences"].get(code, ""))
            for code, (files, alone) in found["reasons"].items()
        ],
    )
    lines += _table(
        "What is not on the list",
        ("construct", "files", "only this"),
        [(reason, files, alone) for reason, (files, alone) in found["beyond"].items()],
    )
    lines += _table(
        "On the list and refused all the same",
        ("file", "reasons"),
        [(path, ", ".join(f"`{code}`" for code in codes)) for path, codes in found["supported_refused"].items()],
    )
    lines += _table(
        "Accepted by the engine and not proved",
        ("reason", "files", "only reason", "what a designer reads"),
        [
            (f"`{code}`", files, alone, found["sentences"].get(code, ""))
            for code, (files, alone) in found["unproved"].items()
        ],
    )
    lines += _table(
        "Accepted, and stopped with an incident",
        ("file", "process", "why"),
        [
            (path, process, why)
            for path, processes in found["stops"].items()
            for process, (how, why) in processes.items()
            if how == STOPS
        ],
    )
    return "\n".join(lines).rstrip()


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    if not rows:
        return []
    written = [
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows
    ]
    return [f"## {title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head), *written, ""]


__all__ = ["Surveyed", "asked_for", "report", "survey", "text"]
