"""The deploy gate: what the engine would not run, and what the release does not say, or says against the law.

``check_files`` is pure. The engine judges diagrams and decisions against the catalogue; here the catalogue is made
from the files, and forms, limits, lanes and English texts are judged.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import engine.checking
from core.now import CHINA
from disputes.cases.filing import ROUTING_FACTS
from disputes.identity.roles import HUMAN_ROLES, Role
from disputes.releases.law import law_findings
from disputes.releases.tree import Tree
from disputes.timelimits.calendar import Calendar
from disputes.timelimits.limits import Kind, Limit, Limits, LimitsError, load_limits
from disputes.timelimits.rules import compute
from engine import Catalogue, Finding, Severity
from engine import diagram as diagrams
from engine.diagram import Process
from forms import Form, FormError, compile_form

LIMITS_PATH = "time_limits.yaml"

_WARNING = re.compile(r'\bwarning\s*\(\s*"([^"]*)"\s*,.*?,\s*(\d+)\s*\)')


def check_files(files: Mapping[str, bytes], services: Collection[str], *, today: date) -> list[Finding]:
    """Every finding of a release, errors first, in the order of the files."""
    limits, findings = _limits(files)
    forms, about_forms = _forms(files)
    findings += about_forms
    catalogue = catalogue_of(forms, limits, services)
    findings += engine.checking.check(files, catalogue)
    processes = read_processes(files)
    for process in processes:
        findings += _ladders(process, limits, today)
        findings += _lanes(process)
        findings += _named_after_its_file(process)
    findings += _unused_forms(files, forms, processes)
    findings += _english(files, processes)
    findings += _service_limits(limits, today)
    findings += law_findings(processes, limits, today=today)
    findings = engine.checking.unexplained(findings, processes)
    return sorted(dict.fromkeys(findings), key=lambda f: (f.severity != Severity.ERROR, f.file, f.element))


def check_tree(tree: Tree, services: Collection[str], *, today: date) -> list[Finding]:
    """As ``check_files``, with the files named as they were found."""
    return [replace(f, file=tree.shown(f.file)) for f in check_files(tree.files, services, today=today)]


def catalogue_of(forms: Mapping[str, Form], limits: Limits | None, services: Collection[str]) -> Catalogue:
    """What exists outside the diagrams of a release, as plain data."""
    return Catalogue(
        forms={id: form.fields for id, form in forms.items()},
        choices={id: form.choices for id, form in forms.items()},
        data=ROUTING_FACTS,
        roles={role.value for role in HUMAN_ROLES},
        services=set(services),
        time_limits=set(limits or ()),
        parties={Role.COMPLAINANT.value, Role.RESPONDENT.value},
        supervisors={Role.SUPERVISOR.value, Role.HEAD.value},
    )


def read_processes(files: Mapping[str, bytes]) -> list[Process]:
    """The processes of a release, in the order of their files."""
    paths = [path for path in sorted(files) if path.endswith(".bpmn")]
    return [process for path in paths for process in diagrams.read(files[path], path).processes]


def compile_forms(files: Mapping[str, bytes]) -> dict[str, Form]:
    """The forms of a release by id; those that cannot be read are left out."""
    return _forms(files)[0]


# Forms.


def _forms(files: Mapping[str, bytes]) -> tuple[dict[str, Form], list[Finding]]:
    forms: dict[str, Form] = {}
    findings: list[Finding] = []
    for path in sorted(files):
        if not path.endswith(".form"):
            continue
        try:
            form = compile_form(files[path], texts=texts_of(files, path))
        except FormError as error:
            findings.append(_error(path, "", "form.unreadable", f"表单读不出来：{error}", str(error)))
            continue
        stem = path.removeprefix("forms/").removesuffix(".form")
        if form.id != stem:
            findings.append(
                _error(
                    path,
                    form.id,
                    "form.file_name",
                    f"表单的 id“{form.id}”要和文件名“{stem}”一致。",
                    f'The form\'s id "{form.id}" must equal its file\'s name "{stem}".',
                )
            )
        forms[stem] = form
        findings.extend(
            Finding(path, f.element, f"form.{f.code.removeprefix('form.')}", Severity(f.severity), f.zh, f.en)
            for f in form.check()
        )
    return forms, findings


def texts_of(files: Mapping[str, bytes], path: str) -> dict[str, object]:
    """The English texts beside a file, by element id; empty when there are none or they cannot be read."""
    beside = files.get(path.rsplit(".", 1)[0] + ".en.json")
    if beside is None:
        return {}
    try:
        texts = json.loads(beside)
    except ValueError:
        return {}
    return texts if isinstance(texts, dict) else {}


def _unused_forms(
    files: Mapping[str, bytes], forms: Mapping[str, Form], processes: list[Process]
) -> Iterator[Finding]:
    used = {element.form for process in processes for element in process.elements.values()}
    for id in forms:
        # The form that starts a case belongs to no task.
        if id not in used and id != "file-complaint" and processes:
            yield _warn(f"forms/{id}.form", "", "form.unused", "没有任务用这张表单。", "No task uses this form.")


# Limits.


def _limits(files: Mapping[str, bytes]) -> tuple[Limits | None, list[Finding]]:
    content = files.get(LIMITS_PATH)
    if content is None:
        return None, [
            _error(LIMITS_PATH, "", "limits.missing", "没有 time_limits.yaml。", "There is no time_limits.yaml.")
        ]
    try:
        return load_limits(content), []
    except LimitsError as error:
        return None, [_error(LIMITS_PATH, "", "limits.unreadable", f"期限表有误：{error}", str(error))]


def _ladders(process: Process, limits: Limits | None, today: date) -> Iterator[Finding]:
    for element in process.elements.values():
        for trigger in element.triggers:
            for id, rung in _WARNING.findall(trigger.text):
                if limits is None or id not in limits:
                    continue
                editions = [e for e in limits.editions[id] if e.holds_until is None or e.holds_until > today]
                shortest = min((len(edition.warn_after) for edition in editions), default=0)
                if int(rung) > shortest or int(rung) < 1:
                    yield _error(
                        process.file,
                        element.id,
                        "limit.no_rung",
                        f"期限 {id} 的预警只有 {shortest} 级，没有第 {rung} 级。",
                        f"{id} has {shortest} warnings; there is no rung {rung}.",
                    )


def _service_limits(limits: Limits | None, today: date) -> Iterator[Finding]:
    """A promise of the service must not be longer than the law that runs from the same start."""
    if limits is None:
        return
    in_force = [e for editions in limits.editions.values() for e in editions if e.holds_on(today)]
    legal = [e for e in in_force if e.legal and e.kind is Kind.TIMER]
    for promise in in_force:
        if promise.legal or promise.kind is not Kind.TIMER:
            continue
        for law in legal:
            same = law.id == promise.id or (
                law.mark == "V" and law.start == promise.start and law.bound is promise.bound and law.region == "CN"
            )
            if same and _may_be_longer(promise, law, today):
                yield _error(
                    LIMITS_PATH,
                    promise.id,
                    "limit.longer_than_law",
                    f"服务期限 {promise.id}（{promise.name_zh}）可能长于法定期限 {law.id}（{law.article}）。",
                    f"The service limit {promise.id} may end later than the law's {law.id} ({law.article}).",
                )


def _may_be_longer(promise: Limit, law: Limit, today: date) -> bool:
    """Whether it ends after the law on any start within a year of announced days."""
    calendar = Calendar()
    moments = [datetime.combine(today - timedelta(days=n), time(10), CHINA) for n in range(0, 365, 3)]
    return any(
        compute(promise, m, calendar=calendar).due_at > compute(law, m, calendar=calendar).due_at for m in moments
    )


# Diagrams.


def _lanes(process: Process) -> Iterator[Finding]:
    """Lanes say who acts, candidateGroups decides it: one role must not work in two lanes of a process."""
    lanes: dict[str, dict[str, str]] = {}
    for element in process.elements.values():
        lane = process.lanes.get(element.id)
        if element.kind is not diagrams.Kind.USER or lane is None or element.groups.startswith("="):
            continue
        for role in filter(None, (part.strip() for part in element.groups.split(","))):
            lanes.setdefault(role, {}).setdefault(lane, element.id)
    for role, places in lanes.items():
        if len(places) > 1:
            (first, _), (second, element_id) = list(places.items())[:2]
            yield _warn(
                process.file,
                element_id,
                "bpmn.lane_and_role",
                f"角色“{role}”在泳道“{first}”和“{second}”里都有任务：泳道要和办理角色一致。",
                f'The role "{role}" has tasks in the lanes "{first}" and "{second}"; lane and role must agree.',
            )


def _named_after_its_file(process: Process) -> Iterator[Finding]:
    stem = process.file.removeprefix("bpmn/").removesuffix(".bpmn")
    if process.id != stem:
        yield _warn(
            process.file,
            process.id,
            "bpmn.file_name",
            f"流程 id“{process.id}”和文件名“{stem}”不一致。",
            f'The process id "{process.id}" differs from its file\'s name "{stem}".',
        )


def _english(files: Mapping[str, bytes], processes: list[Process]) -> Iterator[Finding]:
    """English texts lie beside each diagram, form and table; a missing one is a warning."""
    for path in sorted(files):
        if path.endswith(".en.json"):
            yield from _readable(path, files[path])
        elif path.endswith((".bpmn", ".dmn", ".form")):
            beside = path.rsplit(".", 1)[0] + ".en.json"
            if beside not in files:
                yield _warn(path, "", "text.no_english", f"没有英文文本 {beside}。", f"There is no {beside}.")
    for process in processes:
        texts = texts_of(files, process.file)
        if not texts:
            continue
        for element in process.elements.values():
            if element.name and element.id not in texts:
                yield _warn(
                    process.file,
                    element.id,
                    "text.no_english",
                    f"“{element.name}”没有英文。",
                    f'"{element.name}" has no English text.',
                )


def _readable(path: str, content: bytes) -> Iterator[Finding]:
    try:
        texts = json.loads(content)
    except ValueError as error:
        yield _error(path, "", "text.unreadable", f"不是 JSON：{error}", f"Not JSON: {error}")
        return
    if not isinstance(texts, dict):
        yield _error(
            path, "", "text.unreadable", "英文文本要按元素 id 写。", "English texts are keyed by element id."
        )


def _error(file: str, element: str, code: str, zh: str, en: str) -> Finding:
    return Finding(file, element, code, Severity.ERROR, zh, en)


def _warn(file: str, element: str, code: str, zh: str, en: str) -> Finding:
    return Finding(file, element, code, Severity.WARNING, zh, en)


__all__ = ["catalogue_of", "check_files", "check_tree", "compile_forms", "read_processes", "texts_of"]
