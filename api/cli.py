"""The command ``hejie``: wrong use ends with status 2, findings and failures with 1, everything else with 0.

``--json`` prints one object on standard output and nothing else. A command imports what it needs and no more:
``due``, ``check``, ``decide`` and ``tck`` work without a database.
"""

import argparse
import getpass
import json
import logging
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import core.now
from core.now import CHINA
from core.refusals import Invalid, NotFound, Refusal
from core.settings import Settings, SettingsError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.db import Database

#: The checkout: where diagrams, forms and limits lie when no directory is named.
HOME = Path(__file__).resolve().parent.parent

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit status."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if given.verbose else logging.WARNING, format="%(levelname)s %(message)s"
    )
    try:
        command: Command = given.command
        return command(given)
    except (Refusal, SettingsError, FileNotFoundError) as refused:
        print(refused, file=sys.stderr)
        for field, faults in getattr(refused, "fields", {}).items():
            print(f"  {field}: {'; '.join(faults)}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130


def _show(given: argparse.Namespace, report: Mapping[str, Any], lines: Callable[[Any], str]) -> None:
    print(json.dumps(report, ensure_ascii=False, default=str) if given.json else lines(report))


# -- without a database --------------------------------------------------------------------------------------------


def _due(given: argparse.Namespace) -> int:
    from disputes.timelimits.commands import due

    found = due(
        given.limit,
        given.start,
        limits=(HOME / "workflows" / "time_limits.yaml").read_bytes(),
        today=core.now.now().astimezone(CHINA).date(),
        pauses=given.pause,
        as_of=given.as_of,
        region=given.region,
    )
    _show(given, found, _due_lines)
    return 0


def _due_lines(found: Mapping[str, Any]) -> str:
    lines = [f"{found['limit']} {found['article']}", f"最后一日 last day: {found['due_on']}"]
    lines += [f"  {skipped['date']} {skipped['why']}" for skipped in found["skipped"]]
    lines += [f"  {pause['from']} → {pause['to']} {pause['why']}" for pause in found["pauses"]]
    if found["rolled"]:
        lines.append(f"顺延 rolled from {found['rolled']['from']}: {found['rolled']['why']}")
    if found["provisional"]:
        lines.append("暂定：有的年份还没有公布放假安排。 Provisional: a year is not announced yet.")
    return "\n".join(lines)


def _check(given: argparse.Namespace) -> int:
    from disputes.releases.commands import check
    from disputes.wiring import build_services

    today = core.now.now().astimezone(CHINA).date()
    report, status = check(given.directory, services=set(build_services()), today=today, foreign=given.foreign)
    _show(given, report, _finding_lines)
    return status


def _import(given: argparse.Namespace) -> int:
    from disputes.releases.commands import translated

    report, status, xml = translated(given.file)
    if given.output is not None:
        given.output.write_bytes(xml)
    elif not given.json:
        sys.stdout.write(xml.decode())
    if given.json:
        _show(given, report, _finding_lines)
    else:
        print(_finding_lines(report), file=sys.stderr)
    return status


def _corpora(given: argparse.Namespace) -> int:
    from engine import corpora

    with _scratch() as database:
        report = corpora.report(corpora.survey(given.directory, database))
    _show(given, report, corpora.text)
    return 0


def _finding_lines(report: Mapping[str, Any]) -> str:
    """The findings by file: element and code, the sentence in both languages, the way there."""
    lines: list[str] = []
    by_file: dict[str, list[Mapping[str, Any]]] = {}
    for found in report["findings"]:
        by_file.setdefault(found["file"], []).append(found)
    for file, findings in by_file.items():
        lines += [file, *(line for found in findings for line in _finding_text(found)), ""]
    files = report.get("files")
    counted = f"{len(files)} files, " if isinstance(files, list) else ""
    return "\n".join([*lines, f"{counted}{len(report['findings'])} findings"])


def _finding_text(found: Mapping[str, Any]) -> list[str]:
    lines = [f"  {found['severity']:<8}{found['element']} [{found['code']}]"]
    lines += [f"          {found['zh']}", f"          {found['en']}"]
    if found.get("trace"):
        lines.append(f"          {' → '.join(found['trace'])}")
    return lines


def _decide(given: argparse.Namespace) -> int:
    from feel.dmn import decide

    try:
        data = json.loads(given.data.read_text())
    except ValueError as error:
        raise Invalid(f"{given.data} is no JSON: {error}", code="decide.data") from None
    report = decide(given.file, given.name, data)
    _show(given, report, lambda r: json.dumps(r, ensure_ascii=False, indent=2, default=str))
    return 1 if report["findings"] else 0


def _tck(given: argparse.Namespace) -> int:
    from feel.tck import run, table

    report = run(given.directory)
    _show(given, report, table)
    return 1 if report["failures"] else 0


def _scenario(given: argparse.Namespace) -> int:
    from disputes.releases.commands import scenario

    if given.words[:1] == ["record"]:
        return _record_scenario(given)
    if len(given.words) > 1:
        raise Invalid("hejie scenario [DIR], or: hejie scenario record CASE_NO", code="scenario.words")
    report, status = scenario(Path(given.words[0]) if given.words else HOME, coverage=given.coverage)
    _show(given, report, _scenario_lines)
    return status


def _record_scenario(given: argparse.Namespace) -> int:
    from disputes.releases.commands import record_scenario

    if len(given.words) != 2:
        raise Invalid("hejie scenario record CASE_NO [-o FILE]", code="scenario.words")
    with _database().reader() as session:
        report, status = record_scenario(session, given.words[1])
    if given.output is not None:
        given.output.write_text(report["text"])
    told = {name: report[name] for name in report if name != "text" or given.output is None}
    _show(given, told, lambda r: r.get("text") or f"{given.output}")
    if report["why"]:
        print(f"重放时走得不一样 it replays differently: {report['why']}", file=sys.stderr)
    return status


def _scenario_lines(report: Mapping[str, Any]) -> str:
    lines = []
    for played in report["scenarios"]:
        lines.append(f"{'ok    ' if played['passed'] else 'FAILED'} {played['file']}: {played['name']}")
        if not played["passed"]:
            lines.append(f"       {played['why']}")
    for name, seen in (report.get("coverage") or {}).items():
        (elements, of), (flows, all_flows) = seen["elements"], seen["flows"]
        lines.append(f"{name}: {elements}/{of} elements, {flows}/{all_flows} flows; missing {seen['missing']}")
    for name, table in (report.get("decisions") or {}).items():
        (rules, of_rules), missing = table["rules"], table["missing"]
        lines.append(f"{table['file']} {name}: {rules}/{of_rules} rules; never matched {missing}")
    passed = sum(played["passed"] for played in report["scenarios"])
    return "\n".join([*lines, f"{passed} of {len(report['scenarios'])} scenarios passed"])


# -- serving -------------------------------------------------------------------------------------------------------


def _settings() -> Settings:
    return Settings.from_environment(os.environ)


def _run(given: argparse.Namespace) -> int:
    from api import server

    server.run(_settings(), host=given.host, port=given.port, directory=given.directory, demo=given.demo)
    return 0


def _web(given: argparse.Namespace) -> int:
    import tempfile

    # Before anything imports prometheus_client, which chooses its kind of counters then.
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="hejie-metrics-"))
    from api import server

    server.web(_settings(), host=given.host, port=given.port, processes=given.processes)
    return 0


def _worker(given: argparse.Namespace) -> int:
    from api import server

    server.work(_settings())
    return 0


# -- with a database -----------------------------------------------------------------------------------------------


def _database() -> "Database":
    from api.server import open_database

    return open_database(_settings())


def _migrate(given: argparse.Namespace) -> int:
    from api import schema_version

    database = _database()
    schema_version.upgrade(database)
    database.dispose()
    _show(given, {"revision": schema_version.head()}, lambda r: f"The database is at {r['revision']}.")
    return 0


def _deploy(given: argparse.Namespace) -> int:
    from disputes.releases.commands import deploy
    from disputes.wiring import build_services

    with _database().transaction() as session:
        report, status = deploy(
            session,
            given.directory,
            name=given.name,
            services=set(build_services()),
            now=core.now.now(),
            by=f"system:{getpass.getuser()}",
        )
    _show(given, report, lambda r: f"{_finding_lines(r)}\n{(r['release'] or {}).get('digest', 'not deployed')}")
    return status


def _diff(given: argparse.Namespace) -> int:
    from contextlib import ExitStack

    from disputes.releases.commands import diff

    with ExitStack() as stack:
        report = diff(given.before, given.after, lambda: stack.enter_context(_database().reader()))
    _show(given, report, _difference_lines)
    return 1 if report["differences"] else 0


def _difference_lines(report: Mapping[str, Any]) -> str:
    lines = []
    for found in report["differences"]:
        touched = f"  [{found['touches']}]" if found["touches"] else ""
        lines.append(f"{found['file']}: {found['zh']}{touched}\n    {found['en']}")
    return "\n".join(lines) or "两版说的一样。 Both say the same."


def _move_cases(given: argparse.Namespace) -> int:
    from disputes.releases.commands import move_cases
    from disputes.wiring import build_engine

    pairs = [text.partition("=") for text in given.map]
    if wrong := [text for text, (old, _, new) in zip(given.map, pairs, strict=True) if not (old and new)]:
        raise Invalid(f"对应关系写作 旧=新。 A mapping is written OLD=NEW, not {wrong[0]!r}.", code="migration.map")
    report, status = move_cases(
        _database(),
        build_engine(_settings()),
        given.before,
        given.after,
        mapping={old: new for old, _, new in pairs},
        rederive=given.rederive,
        apply=given.apply,
        clock=core.now.now,
        by=f"system:{getpass.getuser()}",
    )
    _show(given, report, _moved_lines)
    return status


def _moved_lines(report: Mapping[str, Any]) -> str:
    lines = []
    for case in report["cases"]:
        said = [reason["zh"] + " " + reason["en"] for reason in case["reasons"]]
        said += [f"{c['what']} {c['name']}: {c['before']} → {c['after']}" for c in case["changes"]]
        lines.append("\n    ".join([f"{case['case_no']}  {case['state']}", *said]))
    counts = "  ".join(f"{name} {count}" for name, count in report["counts"].items())
    return "\n".join([*lines, f"{report['state']}: {counts}"])


@contextmanager
def _scratch() -> "Iterator[Database]":
    """An empty database with all tables, gone afterwards."""
    import tempfile

    import disputes.models  # noqa: F401
    from core import sealing
    from core.db import Base, Database

    sealing.unlock(_settings().data_keys)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'scratch.db'}")
        Base.metadata.create_all(database.writing)
        yield database
        database.dispose()


def _demo(given: argparse.Namespace) -> int:
    import tempfile

    from core.db import Base, Database
    from disputes.demo import run
    from disputes.demo.report import text

    if given.keep:
        from api import schema_version

        settings, database = _settings(), _database()
        schema_version.upgrade(database)
        report = run(database, row=given.row, directory=HOME, files=settings.files)
    else:
        import disputes.models  # noqa: F401
        from core import sealing

        sealing.unlock(_settings().data_keys)
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{Path(folder) / 'demo.db'}")
            Base.metadata.create_all(database.writing)
            report = run(database, row=given.row, directory=HOME, files=Path(folder) / "files")
            database.dispose()
    _show(given, report, text)
    return 0


def _bench(given: argparse.Namespace) -> int:
    from api.bench import run, text

    report = run(given.database, directory=HOME, quick=given.quick)
    _show(given, report, text)
    return 0


def _seed(given: argparse.Namespace) -> int:
    from api import schema_version
    from disputes.demo.seed import seed

    settings, database = _settings(), _database()
    schema_version.upgrade(database)
    report = seed(database, cases=given.cases, directory=HOME, files=settings.files, now=core.now.now())
    _show(given, report, lambda r: f"{r['cases']} cases, {r['tasks']} tasks in {r['seconds']:.1f} s")
    return 0


def _audit(given: argparse.Namespace) -> int:
    from disputes.audit.queries import verify_all

    with _database().reader() as session:
        found = verify_all(session, folder=_settings().files.parent)
    broken = [{"chain": b.chain, "number": b.number, "why": b.why} for b in found.broken]
    report = {"chains": found.chains, "events": found.events, "broken": broken}
    _show(given, report, lambda r: f"{r['chains']} chains, {r['events']} events, broken: {r['broken'] or 'none'}")
    return 1 if report["broken"] else 0


def _anchor(given: argparse.Namespace) -> int:
    from disputes.audit import anchors

    with _database().transaction() as session:
        anchored = anchors.anchor(session, now=core.now.now())
    anchors.testify(_settings().files.parent, anchored)
    report = {"anchor": anchored.number, "chains": anchored.chains, "digest": anchored.digest}
    _show(given, report, lambda r: f"anchor {r['anchor']}: {r['chains']} chains, {r['digest']}")
    return 0


def _retention(given: argparse.Namespace) -> int:
    from disputes.retention import operations, periods

    settings, database = _settings(), _database()
    report = operations.run(
        database,
        periods.standard(),
        files=settings.files,
        rehearse=given.rehearse,
        by=f"system:{getpass.getuser()}",
        now=core.now.now(),
    )
    _show(given, report, _retention_lines)
    return 0


def _retention_lines(report: Mapping[str, Any]) -> str:
    lines = [f"{one['case_no']} {', '.join(one['kinds'])}: {one['counts']}" for one in report["cases"]]
    done = "会删除 would be erased" if report["rehearsed"] else "已删除 erased"
    told = f"{done}: {len(report['cases'])} cases, {report['accounts']} accounts; 保留 held: {report['held']}"
    return "\n".join([*lines, told])


def _rederive(given: argparse.Namespace) -> int:
    """Rehearse what a cause would move, or carry a rehearsal out to its end."""
    from disputes.cases.rederivations import tell_moved
    from disputes.timelimits import rederivation
    from disputes.timelimits.models import Rederivation

    database = _database()
    by = f"system:{getpass.getuser()}"
    if given.apply is None:
        wanted: dict[str, Any] = {"cause": "limits" if given.limits else "check"}
        wanted["release"] = given.release
        return _rehearsed(given, database, wanted, by)
    with database.transaction() as session:
        plan = rederivation.find(session, given.apply, lock=True)
        if plan.state != Rederivation.State.APPLYING:  # after a kill the command is given again
            rederivation.begin(session, plan, now=core.now.now(), by=by)
    from disputes.wiring import build_engine

    engine = build_engine(_settings())
    rederivation.carry_out(database, engine, clock=core.now.now, tell=tell_moved, plan_id=given.apply)
    with database.reader() as session:
        report = _plan_report(session, given.apply)
    _show(given, report, _plan_lines)
    return 1 if report["items"].get("failed") else 0


def _rehearsed(given: argparse.Namespace, database: "Database", wanted: dict[str, Any], by: str) -> int:
    from disputes.timelimits import rederivation

    with database.transaction() as session:
        plan_id = rederivation.rehearse_wanted(session, wanted, now=core.now.now(), by=by).id
    with database.reader() as session:
        report = _plan_report(session, plan_id)
    _show(given, report, _plan_lines)
    return 1 if report["items"].get("failed") else 0


def _plan_report(session: "Session", plan_id: UUID) -> dict[str, Any]:
    from disputes.timelimits import rederivation

    plan = rederivation.find(session, plan_id)
    rows, after = [], 0
    while page := rederivation.items(session, plan_id, after=after, limit=1000):
        after = page[-1].number
        rows += [
            {
                "case": item.key,
                "limit": item.limit,
                "start": item.start,
                "before": item.before_on.isoformat(),
                "after": item.after_on.isoformat(),
                "effect": str(item.effect),
                "state": str(item.state),
                "note": item.note,
            }
            for item in page
        ]
    return {
        "plan": str(plan.id),
        "cause": str(plan.cause),
        "state": str(plan.state),
        "counts": plan.counts,
        "items": rederivation.progress(session, plan_id),
        "rows": rows,
    }


#: Rows printed for people; --json has all.
_ROWS_SHOWN = 20


def _plan_lines(report: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{name} {number}" for name, number in report["counts"].items())
    lines = [f"{report['state']} {report['plan']}", f"  {counts}"]
    for row in report["rows"][:_ROWS_SHOWN]:
        moved = f"{row['limit']:<5}{row['before']} → {row['after']}"
        lines.append(f"  {row['case']} {moved} {row['effect']} {row['state']} {row['note']}".rstrip())
    if len(report["rows"]) > _ROWS_SHOWN:
        lines.append(f"  … {len(report['rows']) - _ROWS_SHOWN} more: --json")
    if report["state"] == "rehearsed":
        lines.append(f"预演，什么都没有改。 Nothing was changed: hejie rederive --apply {report['plan']}")
    return "\n".join(lines)


def _calendar_import(given: argparse.Namespace) -> int:
    """Rehearse the days of a file: date,is_workday,name with a heading."""
    from disputes.timelimits.commands import read_days

    wanted = {
        "cause": "calendar",
        "days": read_days(given.file.read_text(encoding="utf-8-sig")),
        "document_no": given.document,
        "source": given.source or given.file.name,
    }
    return _rehearsed(given, _database(), wanted, f"system:{getpass.getuser()}")


def _export(given: argparse.Namespace) -> int:
    from disputes.history import ocel
    from disputes.identity.actor import SYSTEM

    scope = ocel.Scope(_moment(given.since), _moment(given.until))
    with _database().reader() as session:
        pieces = ocel.export(session, scope, by=SYSTEM)
        if given.output is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
        else:
            with given.output.open("wb") as file:
                file.writelines(pieces)
    return 0


def _moment(text: str | None) -> datetime | None:
    """A day in China, or a moment with its offset."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text} is no day and no moment: 2026-09-18.", code="export.moment") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=CHINA)


def _conformance(given: argparse.Namespace) -> int:
    from disputes.history.commands import conformance

    if bool(given.case_no) == given.all:
        raise Invalid("hejie conformance CASE_NO, or --all", code="conformance.words")
    with _database().reader() as session:
        report = conformance(session, given.case_no)
    _show(given, report, _conformance_lines)
    return 0 if all(case["conforms"] for case in report["cases"]) else 1


def _conformance_lines(report: Mapping[str, Any]) -> str:
    lines = []
    for case in report["cases"]:
        lines.append(f"{case['case_no']} {'ok' if case['conforms'] else 'DEVIATES'} fitness {case['fitness']}")
        lines += [f"  [{one['kind']}] {one['zh']}" for one in case["deviations"]]
    return "\n".join(lines)


def _outbox(given: argparse.Namespace) -> int:
    """There is no text-message gateway in this edition: on one's own machine the codes are read here."""
    from disputes.notices import queries

    settings = _settings()
    with _database().reader() as session:
        report: dict[str, Any] = {"undelivered": queries.undelivered_counts(session), "messages": []}
        if not settings.production:  # in production an operator learns how many wait, and never what they say
            report["messages"] = [
                {name: getattr(mail, name) for name in _OUTBOX_SHOWN} for mail in queries.undelivered(session)
            ]
    _show(given, report, _outbox_lines)
    return 0


def _incidents(given: argparse.Namespace) -> int:
    """What has stopped; ``retry`` carries the commands out again, each case in a transaction of its own."""
    from disputes.repair import queries

    database = _database()
    if given.act is None:
        with database.reader() as session:
            found = queries.incidents(session, queries.Filters(), limit=given.limit)
        report: dict[str, Any] = {
            "incidents": [
                {**{name: getattr(line.incident, name) for name in _INCIDENT_SHOWN}, "case_no": line.case_no}
                for line in found[: given.limit]
            ],
            "more": len(found) > given.limit,
        }
        _show(given, report, _incident_lines)
        return 1 if report["incidents"] else 0
    if given.act != "retry" or (given.id is None) is not given.all:
        raise Invalid("hejie incidents retry ID, or hejie incidents retry --all", code="incidents.usage")
    report = _retry(database, None if given.all else given.id)
    _show(given, report, _retried_lines)
    return 1 if report["failed"] or report["refused"] else 0


def _retry(database: "Database", one: UUID | None) -> dict[str, Any]:
    from sqlalchemy import select

    from disputes.identity.actor import Actor
    from disputes.repair import operations
    from disputes.wiring import build_engine
    from engine import Incident

    engine, by = build_engine(_settings()), Actor.system()
    open_ones = select(Incident.id).where(Incident.state == Incident.State.OPEN).order_by(Incident.at, Incident.id)
    with database.reader() as session:
        wanted = [one] if one is not None else list(session.scalars(open_ones))
    report: dict[str, Any] = {"resolved": [], "failed": {}, "refused": {}}
    for incident_id in wanted:
        try:
            with database.transaction() as session:
                done = operations.retry(session, engine, incident_id, by=by, now=core.now.now())
        except Refusal as refused:
            report["refused"][str(incident_id)] = refused.message
            continue
        if done.failed:
            report["failed"][str(incident_id)] = done.failed
        else:
            report["resolved"].append(str(incident_id))
    return report


_INCIDENT_SHOWN = ("id", "at", "last_at", "attempts", "process", "element", "kind", "message")


def _incident_lines(report: Mapping[str, Any]) -> str:
    lines = [
        f"{i['at'].astimezone(CHINA):%m-%d %H:%M} {i['case_no']} {i['process']}/{i['element']} [{i['kind']}] "
        f"×{i['attempts']}\n  {i['id']}  {i['message']}"
        for i in report["incidents"]
    ]
    return "\n".join(lines) or "没有停住的案件。 No case has stopped."


def _retried_lines(report: Mapping[str, Any]) -> str:
    lines = [f"{identity}: {why}" for why_of in ("failed", "refused") for identity, why in report[why_of].items()]
    counted = ", ".join(f"{name} {len(report[name])}" for name in ("resolved", "failed", "refused"))
    return "\n".join([*lines, counted])


_OUTBOX_SHOWN = ("channel", "state", "created_at", "kind", "recipient", "subject", "text", "last_error")


def _outbox_lines(report: Mapping[str, Any]) -> str:
    lines = [
        f"{m['created_at'].astimezone(CHINA):%m-%d %H:%M} {m['channel']} {m['state']} → {m['recipient']}"
        f"\n  {m['text']}"
        for m in report["messages"]
    ]
    counted = ", ".join(f"{channel} {number}" for channel, number in report["undelivered"].items())
    return "\n".join([*lines, f"未送出 undelivered: {counted}"])


def _add_person(given: argparse.Namespace) -> int:
    from disputes.audit.operations import record
    from disputes.identity import operations as identity
    from disputes.network.queries import by_code

    password = os.environ.get("HEJIE_NEW_PASSWORD")
    if not password and given.role == "worker":
        password = secrets.token_urlsafe(32)  # a program signs in by its token, and nobody by this
    password = password or getpass.getpass("Password: ")
    with _database().transaction() as session:
        now = core.now.now()
        person = identity.register(session, name=given.name, login=given.login, password=password, now=now)
        chain, by = f"person:{person.id}", f"system:{getpass.getuser()}"
        record(session, chain=chain, action="identity.registered", by=by, now=now)
        if given.role:
            place = by_code(session, given.organisation)
            identity.grant(session, person, given.role, place.id, now=now)
            facts = {"role": given.role, "organisation": str(place.id)}
            record(session, chain=chain, action="identity.role_granted", facts=facts, by=by, now=now)
        report = {"person": str(person.id), "login": person.login}
    _show(given, report, lambda r: f"{r['login']} {r['person']}")
    return 0


def _issue_token(given: argparse.Namespace) -> int:
    """For programs on the machine's own authority; people issue theirs over the API."""
    from disputes.audit.operations import record
    from disputes.identity import queries, tokens

    with _database().transaction() as session:
        now = core.now.now()
        person = queries.by_login(session, given.login)
        if person is None:
            raise NotFound(
                f"没有帐号 {given.login}。 There is no account {given.login}.", code="identity.no_person"
            )
        token, plain = tokens.issue(
            session,
            person,
            name=given.name,
            scopes=given.scope or ["job.*"],
            lasts=timedelta(days=given.days),
            now=now,
        )
        facts = {"token": str(token.id), "scopes": token.scopes}
        by = f"system:{getpass.getuser()}"
        record(session, chain=f"person:{person.id}", action="identity.token_issued", facts=facts, by=by, now=now)
        report = {"token": plain, "id": str(token.id), "expires_at": token.expires_at.isoformat()}
    _show(given, report, lambda r: r["token"])
    return 0


# -- the command line ----------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hejie", description="和解 Hejie: consumer disputes, exactly as drawn.")
    parser.add_argument("--verbose", action="store_true", help="say what is being done")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, help: str, *, report: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=command)
        if report:
            sub.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        return sub

    run = add("run", _run, "web and one worker in one process", report=False)
    run.add_argument("--demo", action="store_true", help="fill an empty database with the demonstration's cases")
    web = add("web", _web, "the web service alone (gunicorn)", report=False)
    web.add_argument("--processes", type=_positive, help="web processes; one per core by default")
    for sub in (run, web):
        sub.add_argument("--host", default=os.environ.get("HEJIE_HOST", "127.0.0.1"))
        sub.add_argument("--port", type=_positive, default=int(os.environ.get("HEJIE_PORT", "8315")))
    add("worker", _worker, "a worker alone: timers, mails, nightly jobs", report=False)
    add("migrate", _migrate, "bring the database to this version's tables")
    deploy = add("deploy", _deploy, "deploy the diagrams, decisions, forms and limits below a directory")
    deploy.add_argument("--name", default="", help="what people call this release")
    diff = add("diff", _diff, "what two releases say differently, in sentences")
    diff.add_argument("before", metavar="A", help="a directory, or the number of a release")
    diff.add_argument("after", metavar="B")
    move = add("move-cases", _move_cases, "rehearse, or carry over, the running cases of a release to another")
    move.add_argument("before", metavar="FROM", type=_positive, help="the number of a release")
    move.add_argument("after", metavar="TO", type=_positive)
    move.add_argument("--map", action="append", default=[], metavar="OLD=NEW", help="where ids differ")
    move.add_argument("--rederive", action="store_true", help="reckon due dates again by the new release")
    how = move.add_mutually_exclusive_group()
    how.add_argument("--rehearse", action="store_true", help="only say what would happen (the default)")
    how.add_argument("--apply", action="store_true", help="carry over the cases that fit")
    check = add("check", _check, "check a release without deploying it")
    check.add_argument("--foreign", action="store_true", help="diagrams drawn for Camunda 7: translate them first")
    foreign = add("import", _import, "translate a diagram drawn for Camunda 7")
    foreign.add_argument("file", type=Path)
    foreign.add_argument("-o", "--output", type=Path, help="where to write it; standard output by default")
    corpora = add("corpora", _corpora, "translate, check and start every foreign diagram below a directory")
    corpora.add_argument("directory", type=_directory)
    scenario = add("scenario", _scenario, "play the scenarios of a release over a virtual clock")
    scenario.add_argument("words", nargs="*", metavar="DIR | record CASE_NO", help="a release, or a case to record")
    scenario.add_argument("--coverage", action="store_true", help="which elements, flows and rules they reach")
    scenario.add_argument("-o", "--output", type=Path, help="record: the file to write")
    for sub in (run, deploy, check):
        sub.add_argument("directory", type=_directory, nargs="?", default=HOME)
    due = add("due", _due, "when a time limit ends, and why then")
    due.add_argument("limit", help="C01, S06 …")
    due.add_argument("start", help="a day or a moment: 2026-09-18")
    due.add_argument("--pause", action="append", default=[], metavar="FROM/TO", help="FROM counted, TO not")
    due.add_argument("--as-of", metavar="DATE", help="the edition in force on that day")
    due.add_argument("--region", help="330299 or CN-ZJ")
    decide = add("decide", _decide, "ask one decision of a DMN file")
    decide.add_argument("file", type=Path)
    decide.add_argument("name")
    decide.add_argument("--data", type=Path, required=True, help="a JSON file")
    add("tck", _tck, "run the DMN test cases below a directory").add_argument("directory", type=_directory)
    demo = add("demo", _demo, "play the demonstration and print each case's timeline")
    demo.add_argument("--row", help="one story by its name")
    demo.add_argument("--keep", action="store_true", help="into the database of the settings")
    bench = add("bench", _bench, "measure steps, timers and memory beside a bare transaction")
    bench.add_argument("--database", help="a database URL; a fresh SQLite file by default")
    bench.add_argument("--quick", action="store_true", help="fewer rounds: is everything measured at all?")
    rederive = add("rederive", _rederive, "reckon all running deadlines again: rehearse, then apply the rehearsal")
    what = rederive.add_mutually_exclusive_group()
    what.add_argument("--rehearse", action="store_true", help="only say what would move (the default)")
    what.add_argument("--apply", type=_uuid, metavar="PLAN", help="carry a rehearsal out; given again after a kill")
    rederive.add_argument("--limits", action="store_true", help="by the time limits of a release")
    rederive.add_argument("--release", metavar="DIGEST", help="with --limits: which one, else the one in force")
    add("seed", _seed, "add synthetic cases").add_argument("--cases", type=_positive, required=True)
    stopped = add("incidents", _incidents, "what has stopped; 'retry ID' or 'retry --all' carries it out again")
    stopped.add_argument("act", nargs="?", choices=["retry"])
    stopped.add_argument("id", nargs="?", type=UUID)
    stopped.add_argument("--all", action="store_true", help="retry everything that is open")
    stopped.add_argument("--limit", type=_positive, default=100, help="how many to list at most")
    add("outbox", _outbox, "what has not left the house; its text in development only")
    audit = commands.add_parser("audit", help="the chains of events").add_subparsers(required=True, metavar="WHAT")
    verify = audit.add_parser("verify", help="read every chain and say which were altered")
    anchor = audit.add_parser("anchor", help="note all heads under a seal; the worker does it nightly")
    retention = commands.add_parser("retention", help="personal data and its periods").add_subparsers(
        required=True, metavar="WHAT"
    )
    erase = retention.add_parser("run", help="erase what has reached its end; the worker does it nightly")
    erase.add_argument("--rehearse", action="store_true", help="say what would go, and erase nothing")
    export = commands.add_parser("export", help="what leaves the house").add_subparsers(
        required=True, metavar="WHAT"
    )
    mining = export.add_parser("ocel", help="the event log as OCEL 2.0 JSON; people are pseudonyms")
    mining.set_defaults(command=_export)
    mining.add_argument("-o", "--output", type=Path, help="a file; standard output by default")
    mining.add_argument("--from", dest="since", metavar="DATE", help="events from this day or moment")
    mining.add_argument("--to", dest="until", metavar="DATE", help="events before this day or moment")
    follows = add("conformance", _conformance, "does a case follow its release: chain, hand-made changes, course")
    follows.add_argument("case_no", nargs="?")
    follows.add_argument("--all", action="store_true", help="every case")
    people = commands.add_parser("people", help="accounts").add_subparsers(required=True, metavar="WHAT")
    person = people.add_parser("add", help="add an account; the password is asked or HEJIE_NEW_PASSWORD")
    person.add_argument("login")
    person.add_argument("name")
    person.add_argument("--role", help="a role in an organisation")
    person.add_argument("--organisation", help="the organisation's code")
    token = people.add_parser("token", help="print a new token of an account, once; by default for jobs only")
    token.add_argument("login")
    token.add_argument("--name", default="worker", help="what its owner calls it")
    token.add_argument("--scope", action="append", metavar="PERMISSION", help="job.*, job.work, task.*, …")
    token.add_argument("--days", type=_positive, default=90)
    days = commands.add_parser("calendar", help="the calendar").add_subparsers(required=True, metavar="WHAT")
    days_in = days.add_parser("import", help="rehearse a file of days: date,is_workday,name")
    days_in.add_argument("file", type=Path)
    days_in.add_argument("--document", default="", metavar="NO", help="number of the notice")
    days_in.add_argument("--source", default="", help="who announced it; the file's name by default")
    for sub, command in (
        (verify, _audit),
        (anchor, _anchor),
        (erase, _retention),
        (person, _add_person),
        (token, _issue_token),
        (days_in, _calendar_import),
    ):
        sub.set_defaults(command=command)
        sub.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected the id of a rehearsal, found {text!r}") from None


def _directory(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {text}")
    return path


if __name__ == "__main__":
    sys.exit(main())
