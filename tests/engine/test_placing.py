"""Whether tokens may stand where somebody wants to put them: the question of repair and of migration."""

from collections import Counter

import pytest

from engine.diagram import Process, read
from engine.proving import Scope as Tokens
from engine.proving import judge_marking
from tests.engine.drawing import Scope, diagram, message, timer


def processes(*xml: str, messages: tuple[str, ...] = ()) -> dict[str, Process]:
    reading = read(diagram(*xml, messages=messages), "bpmn/p.bpmn")
    assert reading.findings == ()
    return {process.id: process for process in reading.processes}


def split_and_join() -> dict[str, Process]:
    drawn = Scope().start().user("first").par("split").user("a").user("b").par("join").user("last").end()
    drawn.path("start", "first", "split", "a", "join", "last", "end")
    drawn.path("split", "b", "join")
    return processes(drawn.process())


def code(of: dict[str, Process], *tokens: Tokens) -> tuple[str, str] | None:
    found = judge_marking(of, tokens)
    return None if found is None else (found.code, found.element)


def at(*elements: str, via: tuple[str, ...] = ()) -> Tokens:
    return Tokens("p", at=Counter(elements), via=Counter(via))


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (at("first"), None),
        (at("a", "b"), None),
        (at("a", via=("b-join",)), None),
        (at("last"), None),
        (at(), None),
        # The other branch was lost: the join starves.
        (at("a"), ("flow.deadlock", "join")),
        (at(via=("a-join",)), ("flow.deadlock", "join")),
        # A token behind the join while one is before it.
        (at("last", "b"), ("flow.deadlock", "join")),
        (at("last", "last"), ("flow.runs_twice", "last")),
        (at("a", "b", "last"), ("flow.runs_twice", "last")),
        # Nothing waits there, or it is not there at all.
        (at("split"), ("flow.no_place", "split")),
        (at("elsewhere"), ("flow.no_place", "elsewhere")),
        (at(via=("start-first",)), ("flow.no_place", "start-first")),
    ],
)
def test_tokens_stand_where_the_case_can_end(tokens: Tokens, expected: tuple[str, str] | None) -> None:
    assert code(split_and_join(), tokens) == expected


def test_tokens_inside_a_scope_are_judged_in_it() -> None:
    inside = Scope().start("s").par("ps").user("a").user("b").par("pj").end("e")
    inside.path("s", "ps", "a", "pj", "e").path("ps", "b", "pj")
    drawn = Scope().start().sub("sub", inside).end().path("start", "sub", "end")
    drawn.boundary("late", "sub", timer("P1D")).end("missed").flow("late", "missed")
    of = processes(drawn.process())
    outer = at("sub")
    assert code(of, outer, Tokens("p", "sub", 0, "sub", Counter(["a", "b"]))) is None
    assert code(of, outer, Tokens("p", "sub", 0, "sub", Counter(["b"]))) == ("flow.deadlock", "pj")


def test_a_called_process_is_judged_by_its_own_diagram() -> None:
    called = Scope().start("begin").user("x").end("done").path("begin", "x", "done").process("q")
    caller = Scope().start().call("c", "q").end().path("start", "c", "end").process("p")
    of = processes(caller, called)
    assert code(of, at("c"), Tokens("q", "", 0, "c", Counter(["x"]))) is None
    assert code(of, at("c"), Tokens("nowhere", "", 0, "c", Counter(["x"]))) == ("flow.no_place", "nowhere")


def test_an_inclusive_join_goes_on_without_the_branch_that_was_lost() -> None:
    drawn = Scope().start().inc("split").user("a").user("b").inc("join").end()
    drawn.flow("start", "split").flow("split", "a", "= x").flow("split", "b", "= y")
    drawn.path("a", "join", "end").flow("b", "join")
    of = processes(drawn.process())
    assert code(of, at("a")) is None
    assert code(of, at("a", via=("b-join",))) is None
    assert code(of, at(via=("b-join",))) is None


def test_a_message_wait_that_only_goes_round_cannot_finish() -> None:
    drawn = Scope().start().user("a").xor("merge").catch("wait", message("m")).end()
    drawn.path("start", "a", "end")
    drawn.boundary("late", "a", timer("P1D")).path("late", "merge", "wait", "merge")
    of = processes(drawn.process(), messages=("m",))
    assert code(of, at("a")) == ("flow.cannot_finish", "wait")
    assert code(of, at("wait")) == ("flow.cannot_finish", "wait")
