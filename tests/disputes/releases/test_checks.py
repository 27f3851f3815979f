"""The gate: a good release has no finding, and each fault has one, with file, element and both languages."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from disputes.releases.checks import check_files
from disputes.releases.commands import check
from tests.disputes.releases.building import DECIDE, DESK, LIMITS, SERVICES, release

Writer = Callable[[Mapping[str, bytes]], Path]
TODAY = date(2026, 11, 22)


def test_a_good_release_has_no_finding() -> None:
    assert check_files(release(), SERVICES, today=TODAY) == []


def desk(old: str, new: str) -> dict[str, bytes]:
    assert old in DESK
    return {"bpmn/desk.bpmn": DESK.replace(old, new).encode()}


def limits(old: str, new: str) -> dict[str, bytes]:
    text = LIMITS.decode()
    assert old in text
    return {"time_limits.yaml": text.replace(old, new).encode()}


#: The desk's own promise about the moment from which the law's C01 runs.
PROMISE = """
  S20:
    zh: 本所承诺
    en: Promise of this office
    bound: authority
    who: { zh: 承办人, en: officer }
    starts: { zh: 收到投诉, en: receipt }
    start: received_at
    amount: %d
    unit: working day
    region: service
    article: 本服务承诺
    mark: P
"""

ERRORS: list[tuple[str, dict[str, bytes | None], str, str, str]] = [
    ("unknown limit", desk('due("C01", received_at)<', 'due("C99", received_at)<'), "limit.unknown", "bpmn/desk.bpmn", "expired"),
    ("no start", desk('due("C01", received_at)<', 'due("C01")<'), "limit.no_start", "bpmn/desk.bpmn", "expired"),
    ("no such rung", desk("received_at, 1)", "received_at, 3)"), "limit.no_rung", "bpmn/desk.bpmn", "warned"),
    ("unknown role", desk('Groups="officer"', 'Groups="king"'), "bpmn.unknown_role", "bpmn/desk.bpmn", "decide"),
    ("unknown form", desk('formId="decide"', 'formId="other"'), "bpmn.unknown_form", "bpmn/desk.bpmn", "decide"),
    ("unknown service", desk('"intake.accept"', '"intake.adopt"'), "bpmn.unknown_service", "bpmn/desk.bpmn", "accept"),
    ("unknown process", desk('processId="asking"', 'processId="no"'), "bpmn.unknown_process", "bpmn/desk.bpmn", "ask"),
    ("bad expression", desk('= decision = "accept"', '= decision = = "accept"'), "feel.syntax", "bpmn/desk.bpmn", "yes"),
    ("no limits", {"time_limits.yaml": None}, "limits.missing", "time_limits.yaml", ""),
    ("limits unreadable", limits("kind: limitation", "kind: eternal"), "limits.unreadable", "time_limits.yaml", ""),
    ("longer than the law", {"time_limits.yaml": LIMITS + (PROMISE % 8).encode()}, "limit.longer_than_law", "time_limits.yaml", "S20"),
    ("form no JSON", {"forms/decide.form": b"{"}, "form.unreadable", "forms/decide.form", ""),
    ("form misnamed", {"forms/decide.form": DECIDE.replace(b'"decide"', b'"other"')}, "form.file_name", "forms/decide.form", "other"),
    ("English no JSON", {"bpmn/desk.en.json": b"{"}, "text.unreadable", "bpmn/desk.en.json", ""),
    ("English a list", {"bpmn/desk.en.json": b"[]"}, "text.unreadable", "bpmn/desk.en.json", ""),
]  # fmt: skip

WARNINGS: list[tuple[str, dict[str, bytes | None], str, str, str]] = [
    ("no English", {"forms/consent.en.json": None}, "text.no_english", "forms/consent.form", ""),
    ("one name without English", {"bpmn/desk.en.json": b'{"begun": {"name": "x"}}'}, "text.no_english", "bpmn/desk.bpmn", "decide"),
    ("form unused", {"forms/spare.form": DECIDE.replace(b'"decide"', b'"spare"')}, "form.unused", "forms/spare.form", ""),
    ("role in two lanes", desk('Groups="supervisor"', 'Groups="officer"'), "bpmn.lane_and_role", "bpmn/desk.bpmn", "overdue"),
    ("process named otherwise", {"bpmn/desk.bpmn": None, "bpmn/table.bpmn": DESK.encode()}, "bpmn.file_name", "bpmn/table.bpmn", "desk"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("severity", "changes", "code", "file", "element"),
    [("error", *case[1:]) for case in ERRORS] + [("warning", *case[1:]) for case in WARNINGS],
    ids=[case[0] for case in ERRORS + WARNINGS],
)
def test_each_fault_is_found_where_it_is(
    severity: str, changes: dict[str, bytes | None], code: str, file: str, element: str
) -> None:
    files = {path: text for path, text in {**release(), **changes}.items() if text is not None}
    findings = check_files(files, SERVICES, today=TODAY)
    found = [f for f in findings if (f.code, f.file, f.element) == (code, file, element)]
    assert found, findings
    assert found[0].severity == severity
    assert found[0].zh
    assert found[0].en


def test_a_promise_within_the_law_is_no_fault() -> None:
    files = {**release(), "time_limits.yaml": LIMITS + (PROMISE % 7).encode()}
    assert check_files(files, SERVICES, today=TODAY) == []


def test_the_command_names_files_as_they_were_found_and_fails_on_errors_alone(written: Writer) -> None:
    files = {**release(), **desk('formId="decide"', 'formId="other"')}
    report, status = check(written(files), services=SERVICES, today=TODAY)
    assert status == 1
    assert "workflows/bpmn/desk.bpmn" in report["files"]
    assert report["findings"][0] == {
        "file": "workflows/bpmn/desk.bpmn",
        "element": "decide",
        "code": "bpmn.unknown_form",
        "severity": "error",
        "zh": "没有表单“other”。",
        "en": 'There is no form "other".',
        "trace": [],
    }
    json.dumps(report)
    (written(release()) / "forms" / "consent.en.json").unlink()
    report, status = check(written({}), services=SERVICES, today=TODAY)
    assert (status, [f["severity"] for f in report["findings"]]) == (0, ["warning"])
