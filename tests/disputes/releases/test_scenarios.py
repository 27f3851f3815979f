"""Scenarios: what passes, what is told when something differs, and what the scenarios reached."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.refusals import Invalid
from disputes.releases.commands import scenario
from disputes.releases.scenarios.reading import ScenarioError, read_scenarios
from tests.disputes.releases.building import release

Writer = Callable[[Mapping[str, bytes]], Path]

DEFAULTS = {
    "now": "2026-09-18T10:00:00+08:00",
    "facts": {"case_id": "case-1", "received_at": "2026-09-18T10:00:00+08:00", "region": "330299"},
}
ACCEPT = {"complete": "decide", "as": "officer", "with": {"decision": "accept"}}


def play(written: Writer, *steps: dict[str, Any], coverage: bool = False, **given: Any) -> dict[str, Any]:
    top = {key: given.pop(key) for key in ("services", "calls") if key in given}
    tree = {
        "diagram": "desk",
        "calendar": "calendar_day",
        "defaults": DEFAULTS,
        **top,
        "scenarios": [{"name": "一", "given": given, "steps": list(steps)}],
    }
    text = yaml.safe_dump(tree, allow_unicode=True).encode()
    report, status = scenario(written({**release(), "scenarios/desk.scenarios.yaml": text}), coverage=coverage)
    (result,) = report["scenarios"]
    assert status == (0 if result["passed"] and not coverage else 1)
    return {**result, **report}


def test_a_case_is_played_from_its_start_to_its_end(written: Writer) -> None:
    result = play(
        written,
        {"then": {"waiting": ["decide"], "due": {"C01": date(2026, 9, 29)}, "called": [], "fired": []}},
        {"when": ACCEPT, "then": {"waiting": ["answer", "answer"], "called": ["intake.accept"], "complete": False}},
        {"when": {"complete": "answer", "for": "complainant", "with": {"consent": "yes"}}},
        {
            "when": {"complete": "answer", "for": "respondent", "with": {"consent": "yes"}},
            "then": {"ended": "done", "complete": True, "data": {"consents": ["yes", "yes"]}, "waiting": []},
        },
    )
    assert (result["passed"], result["why"], result["ended"], result["virtual_days"]) == (True, None, "done", 0.0)
    assert result["file"] == "workflows/scenarios/desk.scenarios.yaml"


def test_the_clock_fires_everything_on_its_way_in_order_and_at_its_own_moment(written: Writer) -> None:
    result = play(
        written,
        {"when": {"advance": "2026-09-29T23:59:59+08:00"}, "then": {"fired": ["warned"], "waiting": ["decide"]}},
        {
            "when": {"advance": "2026-10-02T00:00:00+08:00"},
            "then": {
                "fired": ["expired", "day_passed", "day_passed"],
                "called": ["notices.remind", "notices.remind"],
                "waiting": ["overdue"],
            },
        },
        {
            "when": {"complete": "overdue", "as": "supervisor", "with": {"decision": "refuse"}},
            "then": {"ended": "refused", "complete": True},
        },
    )
    assert (result["passed"], result["why"]) == (True, None)
    assert result["virtual_days"] == 13.58


def test_a_service_limit_may_be_changed_for_a_scenario_and_the_law_may_not(written: Writer) -> None:
    steps = (
        {"when": ACCEPT, "then": {"due": {"S06": date(2026, 9, 22)}}},
        {
            "when": {"advance": "2026-09-23T00:00:00+08:00"},
            "then": {"fired": ["silent"], "ended": "unanswered", "complete": True},
        },
    )
    assert play(written, *steps, limits={"S06": "3 working days"})["why"] is None
    assert "应当是 2026-09-22，实际 2026-09-24" in play(written, *steps)["why"]
    with pytest.raises(Invalid, match="C01 is a limit of law"):
        play(written, *steps, limits={"C01": "3 working days"})


def test_a_called_process_may_have_a_stand_in_that_sets_data_or_waits(written: Writer) -> None:
    result = play(
        written,
        {"when": ACCEPT, "then": {"ended": "done", "complete": True, "data": {"consents": ["yes"], "n": 2}}},
        calls={"asking": {"consents": ["yes"], "n": 2}},
    )
    assert result["why"] is None
    result = play(
        written,
        {"when": ACCEPT, "then": {"waiting": ["asking_waits"]}},
        {"when": {"message": "complaint.withdrawn"}, "then": {"ended": "gone", "complete": True}},
        calls={"asking": "waits"},
    )
    assert result["why"] is None
    result = play(
        written,
        {"when": ACCEPT},
        {"when": {"message": "asking.finished"}, "then": {"ended": "done"}},
        calls={"asking": "waits"},
    )
    assert result["why"] is None


def test_services_answer_as_the_scenario_says_or_plausibly(written: Writer) -> None:
    given = {"intake.accept": {"grounds": [{"item": 5, "reason": "x"}, {"item": 2, "reason": "y"}]}}
    moment = datetime.fromisoformat("2026-09-18T10:00:00+08:00")
    result = play(
        written,
        {"when": ACCEPT, "then": {"grounds": [2, 5], "data": {"accepted_at": moment}}},
        services=given,
    )
    assert result["why"] is None


def test_a_service_that_fails_stops_the_case_where_it_failed(written: Writer) -> None:
    fails = {"intake.accept": {"fails": "打印机没有纸"}}
    assert play(written, {"when": ACCEPT, "then": {"incident": "accept"}}, services=fails)["why"] is None
    assert "打印机没有纸" in play(written, {"when": ACCEPT}, services=fails)["why"]


def test_a_failed_service_is_tried_again_once_it_answers(written: Writer) -> None:
    steps = (
        {"when": ACCEPT, "then": {"incident": {"at": "accept", "kind": "service", "says": "没有纸"}}},
        {
            "given": {"services": {"intake.accept": {}}},
            "when": {"retry": "accept"},
            "then": {"called": ["intake.accept"], "papers": ["acceptance"], "reached": ["accept", "ask"]},
        },
    )
    fails = {"intake.accept": {"fails": "打印机没有纸"}}
    assert play(written, *steps, services=fails)["why"] is None
    assert "没有停住" in play(written, {"when": {"retry": "accept"}}, services=fails)["why"]
    wrong = {"when": ACCEPT, "then": {"incident": {"at": "accept", "says": "断电"}}}
    assert "应当停在 accept，断电，实际停在 accept" in play(written, wrong, services=fails)["why"]


def test_a_service_answers_call_by_call(written: Writer) -> None:
    one, two = {"grounds": [1]}, {"grounds": [2]}
    steps = (
        {"when": ACCEPT, "then": {"incident": "accept"}},
        {"when": {"retry": "accept"}, "then": {"grounds": [2]}},
    )
    assert play(written, *steps, services={"intake.accept": [{"fails": "x"}, two, one]})["why"] is None


def test_an_external_worker_does_a_job_gives_up_or_throws(written: Writer) -> None:
    external = {"intake.accept": {"external": True}}
    accepted = {"when": ACCEPT, "then": {"waiting": ["accept"], "called": []}}
    done = {
        "when": {"job": "intake.accept", "with": {"grounds": [3], "accepted_at": DEFAULTS["now"]}},
        "then": {"grounds": [3]},
    }
    assert play(written, accepted, done, services=external)["why"] is None
    gives_up = {
        "when": {"job": "intake.accept", "fails": "没有网络"},
        "then": {"incident": {"at": "accept", "kind": "job", "says": "没有网络"}},
    }
    assert play(written, accepted, gives_up, services=external)["why"] is None
    assert "没有待办的外部作业 intake.accept" in play(written, {"when": {"job": "intake.accept"}})["why"]


def test_tasks_by_role_deadlines_notices_and_what_never_happened(written: Writer) -> None:
    day = date(2026, 9, 29)
    steps = (
        {
            "then": {
                "open": {"officer": ["decide"], "supervisor": []},
                "due": {"C01": {"on": day, "at": "2026-09-30T00:00:00+08:00", "state": "running", "for": "decide"}},
            }
        },
        {
            "when": {"advance": "2026-09-29T23:00:00+08:00"},
            "then": {"notices": [{"service": "notices.remind"}], "never": ["expired", "intake.accept"]},
        },
        {
            "when": ACCEPT,
            "then": {"due": {"C01": {"state": "met"}, "C20": "none"}, "never": ["expired"], "sent": []},
        },
    )
    assert play(written, *steps)["why"] is None


@pytest.mark.parametrize(
    ("then", "why", "line"),
    [
        ({"open": {"supervisor": ["decide"]}}, "open supervisor 应当是 [decide]，实际 []", 13),
        ({"due": {"C01": {"state": "paused"}}}, "期限 C01 的状态应当是 paused，实际 running", 13),
        ({"due": {"C01": "none"}}, "期限 C01 不应当在计", 13),
        ({"never": ["decide"]}, "不应当发生 [decide]", 13),
        ({"reached": ["accept"]}, "应当经过 [accept]", 13),
        ({"notices": [{"service": "notices.remind"}]}, "notices 应当是", 13),
        ({"papers": ["refusal"]}, "papers 应当是 [refusal]，实际 []", 13),
        ({"sent": ["x"]}, "sent 应当是 [x]，实际 []", 13),
        ({"decided": {"d": 1}}, "d 应当是 1，实际 None", 13),
    ],
)
def test_what_differs_has_its_line_moment_and_both_values(
    written: Writer, then: dict[str, Any], why: str, line: int
) -> None:
    result = play(written, {"then": {"waiting": ["decide"], **then}})
    told = result["difference"]
    assert why in told["zh"] and told["zh"] in result["why"]
    assert (told["step"], told["at"]) == (1, "2026-09-18T10:00:00+08:00")
    assert told["what"] == next(iter(then)) and told["en"]
    assert told["line"] >= line


def test_a_word_that_stands_twice_is_refused_with_its_line() -> None:
    text = "diagram: desk\nscenarios:\n  - name: a\n    name: b\n    steps: [{then: {}}]\n"
    with pytest.raises(
        ScenarioError, match=r"desk.scenarios.yaml:4: no YAML: the word 'name' stands here a second"
    ):
        read_scenarios(text.encode(), "desk.scenarios.yaml")


def test_aliases_without_end_are_refused() -> None:
    bomb = "a: &a [x]\n" + "b: [" + ",".join(["*a"] * 200) + "]\n"
    with pytest.raises(ScenarioError, match="more than 100 aliases"):
        read_scenarios(bomb.encode(), "bomb.scenarios.yaml")


def test_an_answer_that_the_form_refuses_goes_no_further(written: Writer) -> None:
    wrong = {"complete": "decide", "with": {"decision": "perhaps"}}
    assert play(written, {"when": wrong, "then": {"refused": ["decision"], "waiting": ["decide"]}})["why"] is None
    assert "表单 decide 不接受：decision" in play(written, {"when": wrong})["why"]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"then": {"waiting": []}}, "第1步（2026-09-18 10:00，第 14 行）：waiting 应当是 []，实际 [decide]"),
        ({"then": {"due": {"C01": date(2026, 9, 28)}}}, "C01 的最后一日应当是 2026-09-28，实际 2026-09-29"),
        ({"then": {"due": {"C03": date(2026, 9, 28)}}}, "实际 没有在计"),
        ({"then": {"data": {"region": "420100"}}}, "region 应当是 '420100'，实际 '330299'"),
        ({"then": {"ended": "done"}}, "应当到达 done，实际到达 []"),
        ({"then": {"complete": True}}, "整个流程应当已结束，实际正在等待 [decide]"),
        ({"then": {"grounds": [5]}}, "grounds 应当是 [5]，实际 []"),
        ({"when": {"complete": "overdue"}}, "没有待办的任务 overdue；正在等待 [decide]"),
        ({"when": {**ACCEPT, "as": "supervisor"}}, "decide 由 officer 办，不是 supervisor"),
        ({"when": {"message": "nothing"}}, "没有谁在等消息 nothing"),
        ({"when": {"advance": "2026-09-17T10:00:00+08:00"}}, "时钟不能往回拨"),
        (
            {"when": {"advance": "2026-09-30T00:00:00+08:00"}, "then": {"fired": ["expired"]}},
            "实际 [warned, expired]",
        ),
        ({"when": ACCEPT, "then": {"called": []}}, "called 应当是 []，实际 [intake.accept]"),
        ({"when": ACCEPT, "then": {"incident": "accept"}}, "应当停在 accept，实际没有停"),
        ({"when": ACCEPT, "then": {"refused": ["decision"]}}, "应当不接受 [decision]，实际 []"),
    ],
)
def test_what_differs_is_told_with_both_sides(written: Writer, step: dict[str, Any], why: str) -> None:
    result = play(written, step)
    assert not result["passed"]
    assert why in result["why"]


def test_one_of_several_equal_tasks_has_to_be_named(written: Writer) -> None:
    result = play(written, {"when": ACCEPT}, {"when": {"complete": "answer", "with": {"consent": "yes"}}})
    assert "answer 有 2 个" in result["why"]


def test_coverage_counts_what_was_reached_and_an_end_that_nobody_reaches_is_a_finding(written: Writer) -> None:
    result = play(written, {"when": {"complete": "decide", "with": {"decision": "refuse"}}}, coverage=True)
    assert result["passed"]
    desk = result["coverage"]["desk"]
    assert desk["elements"] == [5, 20]
    assert desk["flows"] == [4, 15]
    assert "done" in desk["missing"]
    assert "refused" not in desk["missing"]
    assert result["coverage"]["asking"]["elements"] == [0, 5]


def test_every_end_reached_is_good(written: Writer) -> None:
    tree = {
        "diagram": "asking",
        "defaults": {**DEFAULTS, "facts": {**DEFAULTS["facts"], "accepted_at": "2026-09-18T10:00:00+08:00"}},
        "scenarios": [
            {"name": "沉默", "steps": [{"when": {"advance": "2026-12-01T00:00:00+08:00"}}]},
            {
                "name": "答复",
                "steps": [
                    {"when": {"complete": "answer", "for": side, "with": {"consent": "no"}}}
                    for side in ("complainant", "respondent")
                ],
            },
        ],
    }
    files = {path: text for path, text in release().items() if "desk" not in path}
    files["scenarios/asking.scenarios.yaml"] = yaml.safe_dump(tree, allow_unicode=True).encode()
    report, status = scenario(written(files), coverage=True)
    assert status == 0
    assert report["coverage"] == {"asking": {"elements": [5, 5], "flows": [3, 3], "missing": []}}
    assert report["decisions"] == {}


def test_a_rule_that_no_scenario_matched_is_told() -> None:
    report, status = scenario(Path(), coverage=True)
    assert status == 0
    table = report["decisions"]["和解渠道（D5）"]
    assert table["rules"][0] + len(table["missing"]) == table["rules"][1]
    assert {"channel_rule_2"} == set(table["missing"])


def test_without_a_scenario_nothing_is_shown(written: Writer) -> None:
    assert scenario(written(release())) == ({"scenarios": []}, 1)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"diagram": None}, "'diagram' names the process"),
        ({"calendar": "moon"}, "the calendar is calendar_day"),
        ({"scenarios": []}, "'scenarios' is a list"),
        ({"colour": "red"}, r"desk.scenarios.yaml:1: unknown word 'colour'; there is calendar"),
        ({"defaluts": {}}, "unknown word 'defaluts': did you mean 'defaults'"),
        ({"scenarios": [{"steps": []}]}, "has no name"),
        ({"scenarios": [{"name": "a", "steps": []}]}, "'steps' is a list"),
        ({"scenarios": [{"name": "a", "steps": [{"then": {}}]}] * 2}, "two scenarios are named 'a'"),
        ({"scenarios": [{"name": "a", "steps": [{"then": {}}, {"then": {}}]}]}, "only the first step"),
        (
            {"scenarios": [{"name": "a", "steps": [{"when": {}}]}]},
            "one of complete, message, job, retry and advance",
        ),
        ({"scenarios": [{"name": "a", "steps": [{"when": {"message": "m", "as": "x"}}]}]}, "'as' goes with"),
        ({"scenarios": [{"name": "a", "steps": [{"when": {"advance": "soon"}}]}]}, "moment with its offset"),
        ({"scenarios": [{"name": "a", "steps": [{"then": {"wait": []}}]}]}, "unknown word 'wait'"),
        ({"scenarios": [{"name": "a", "steps": [{"then": {"fired": "x"}}]}]}, "'fired' is a list"),
        ({"scenarios": [{"name": "a", "steps": [{"then": {"due": {"C01": 5}}}]}]}, "due C01 is a date"),
        ({"scenarios": [{"name": "a", "steps": [{"then": {"due": {"C01": {"state": "runing"}}}}]}]}, "'running'"),
        (
            {"scenarios": [{"name": "a", "steps": [{"when": {"job": "x", "with": {"a": 1}, "error": "E"}}]}]},
            "one of them",
        ),
        (
            {"scenarios": [{"name": "a", "steps": [{"when": {"message": "m", "error": "E"}}]}]},
            "'error' goes with job",
        ),
        (
            {"scenarios": [{"name": "a", "steps": [{"then": {"incident": {"says": "x"}}}]}]},
            "'at' names the element",
        ),
        ({"scenarios": [{"name": "a", "steps": [{"then": {"open": {"officer": "x"}}}]}]}, "a list of tasks"),
        ({"scenarios": [{"name": "a", "steps": [{"given": {"now": 1}, "then": {}}]}]}, "unknown word 'now'"),
        ({"defaults": {"now": "2026-09-18T10:00:00"}}, "moment with its offset"),
        ({"defaults": {**DEFAULTS, "limits": {"S06": "soon"}}}, "a length such as"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(changes: dict[str, Any], what: str) -> None:
    good = {"diagram": "desk", "defaults": DEFAULTS, "scenarios": [{"name": "a", "steps": [{"then": {}}]}]}
    with pytest.raises(ScenarioError, match=what):
        read_scenarios(yaml.safe_dump({**good, **changes}).encode(), "desk.scenarios.yaml")
