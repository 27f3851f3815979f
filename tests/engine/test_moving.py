"""Moving tokens: where they may go, what goes with them, and what the token game refuses."""

from __future__ import annotations

import pytest

from core.db import Database
from core.refusals import Invalid, Refusal, WrongState
from engine import Services
from tests.engine.drawing import Scope, diagram, each, message, timer
from tests.engine.house import House
from tests.engine.operators import Operator


def line() -> bytes:
    """a → b → c, with a sub-process around b and a deadline on it."""
    inside = Scope().start("s").user("b").user("b2").end("e").path("s", "b", "b2", "e")
    drawn = Scope().start().user("a").sub("sub", inside).boundary("late", "sub", timer("P5D")).user("c").end()
    return diagram(drawn.path("start", "a", "sub", "c", "end").flow("late", "c").process())


def fork() -> bytes:
    """Two paths in parallel that join: x and y, then z."""
    drawn = Scope().start().par("fork").user("x").user("y").user("y2").par("join").user("z").end()
    drawn.path("start", "fork", "x", "join", "z", "end").path("fork", "y", "y2", "join")
    return diagram(drawn.process())


def house_of(database: Database, drawn: bytes, **data: object) -> tuple[House, Operator]:
    house = House(database, drawn)
    house.start(**data)
    return house, Operator(house)


def test_a_token_moves_forward_and_back(database: Database) -> None:
    house, operator = house_of(database, line())
    step = operator.move("a", "c", reason="已经口头答复")
    assert house.waiting() == ["c"] and [t.element for t in step.cancelled] == ["a"]
    operator.move("c", "a")
    assert house.waiting() == ["a"]
    first, _ = operator.events("token.moved")
    assert first.payload == {
        "from": [{"process": "p", "element": "a"}],
        "to": {"process": "p", "element": "c"},
        "variables": [],
        "reason": "已经口头答复",
    }
    assert first.element == "c" and first.by == "person:operator" and house.chain_is_whole()


def test_a_token_moves_into_a_sub_process_and_its_deadline_is_armed(database: Database) -> None:
    house, operator = house_of(database, line())
    operator.move("a", "b2")
    assert house.waiting() == ["b2"] and [t.element for t in house.timers()] == ["late"]
    house.complete("b2")
    assert house.waiting() == ["c"] and house.timers() == []


def test_a_token_moves_out_of_a_sub_process_which_ends(database: Database) -> None:
    house, operator = house_of(database, line())
    house.complete("a")
    operator.move("b", "c")
    assert house.waiting() == ["c"] and house.timers() == [] and len(operator.at("c", "sub")) == 1
    house.complete("c")
    assert house.instance().state == "completed"


def test_a_sub_process_moves_as_a_whole(sqlite_database: Database) -> None:
    house, operator = house_of(sqlite_database, line())
    house.complete("a")
    operator.move("sub", "c")
    assert house.waiting() == ["c"]


def test_nobody_is_left_behind_in_a_sub_process(sqlite_database: Database) -> None:
    inside = Scope().start("s").par("fork").user("b").user("b2").par("join").end("e")
    inside.path("s", "fork", "b", "join", "e").path("fork", "b2", "join")
    drawn = Scope().start().sub("sub", inside).user("c").end().path("start", "sub", "c", "end")
    house, operator = house_of(sqlite_database, diagram(drawn.process()))
    with pytest.raises(WrongState) as refused:
        operator.move("b", "c")
    assert refused.value.code == "move.leaves_others" and "b2" in refused.value.message
    operator.move(["b", "b2"], "c")
    assert house.waiting() == ["c"]


def test_the_token_game_refuses_a_doubled_token(database: Database) -> None:
    house, operator = house_of(database, fork())
    with pytest.raises(WrongState) as refused:
        operator.move("x", "z")
    assert refused.value.code == "move.unsound" and refused.value.facts["finding"].startswith("flow.")
    assert house.waiting() == ["x", "y"] and operator.events("token.moved") == []
    operator.move(["x", "y"], "z")
    assert house.waiting() == ["z"]


def test_a_token_that_starves_at_a_join_is_freed(sqlite_database: Database) -> None:
    house, operator = house_of(sqlite_database, fork())
    house.complete("x")
    assert operator.at("join")
    operator.move(["join", "y"], "z")
    assert house.waiting() == ["z"]


def test_within_one_path_of_a_fork_the_other_is_left_alone(sqlite_database: Database) -> None:
    house, operator = house_of(sqlite_database, fork())
    operator.move("y", "y2")
    house.complete("x")
    house.complete("y2")
    assert house.waiting() == ["z"]


def test_targets_come_with_the_verdict_of_the_token_game(sqlite_database: Database) -> None:
    house, operator = house_of(sqlite_database, fork())
    targets = operator.targets("y")
    assert targets["y2"].finding is None and targets["z"].finding is not None
    assert "join" not in targets and "start" not in targets
    assert house.waiting() == ["x", "y"], "asking changes nothing"
    for name, target in targets.items():
        outcome = None
        with sqlite_database.session() as session:
            try:
                house.engine.move(
                    session,
                    house.instance().id,
                    tokens=operator.at("y"),
                    to=("p", name),
                    reason="r",
                    now=house.now,
                    by="t",
                )
            except Refusal as refused:
                outcome = refused.code
            session.rollback()
        assert (outcome == "move.unsound") == (target.finding is not None), name


@pytest.mark.parametrize(
    ("to", "code"),
    [("start", "move.no_target"), ("late", "move.no_target"), ("nowhere", "move.unknown_target")],
)
def test_what_is_no_target(sqlite_database: Database, to: str, code: str) -> None:
    _, operator = house_of(sqlite_database, line())
    with pytest.raises(Refusal) as refused:
        operator.move("a", to)
    assert refused.value.code == code


def test_a_token_that_is_not_there(sqlite_database: Database) -> None:
    _, operator = house_of(sqlite_database, line())
    for tokens in ([], [999]):
        with pytest.raises(Invalid):
            operator("move", tokens=tokens, to=("p", "c"))


def test_one_instance_of_many_is_not_moved_but_all_are(sqlite_database: Database) -> None:
    inside = Scope().start("s").user("in").end("e").path("s", "in", "e")
    drawn = Scope().start().sub("many", inside, loop=each("= [1, 2]")).user("c").end()
    house, operator = house_of(sqlite_database, diagram(drawn.path("start", "many", "c", "end").process()))
    with pytest.raises(WrongState) as refused:
        operator("move", tokens=operator.at("in")[:1], to=("p", "c"))
    assert refused.value.code == "move.multi_instance"
    operator.move("many", "c")
    assert house.waiting() == ["c"]
    with pytest.raises(WrongState) as refused:
        operator.move("c", "in")
    assert refused.value.code == "move.multi_instance"


def test_within_a_called_process_but_not_across_its_border(sqlite_database: Database) -> None:
    inner = Scope().start("s").user("one").user("two").end("e").path("s", "one", "two", "e")
    outer = Scope().start().call("call", "q").user("c").end().path("start", "call", "c", "end")
    house, operator = house_of(sqlite_database, diagram(outer.process(), inner.process("q")))
    operator.move("one", "two", process="q")
    assert house.waiting() == ["two"]
    with pytest.raises(WrongState) as refused:
        operator.move("two", "c")
    assert refused.value.code == "move.called_process"
    operator.move("call", "c")
    with pytest.raises(WrongState) as refused:
        operator.move("c", "one", process="q")
    assert refused.value.code == "move.other_process"


def test_an_event_gateway_is_moved_but_not_skipped(sqlite_database: Database) -> None:
    drawn = Scope().start().events("wait").catch("told", message("m")).catch("late", timer("P1D")).end()
    drawn.path("start", "wait", "told", "end").path("wait", "late", "end").user("c").flow("c", "end")
    house, operator = house_of(sqlite_database, diagram(drawn.process(), messages=("m",)))
    with pytest.raises(WrongState) as refused:
        operator.skip("wait")
    assert refused.value.code == "skip.gateway"
    operator.move("wait", "told")
    assert house.timers() == [] and [s.element for s in house.subscriptions()] == ["told"]
    operator.move("told", "c")
    assert house.subscriptions() == [] and house.waiting() == ["c"]


def test_a_target_that_waits_for_nobody_is_carried_out_at_once(sqlite_database: Database) -> None:
    services = Services()
    called: list[str] = []

    @services.add("note")
    def note(call: object) -> dict[str, object]:
        called.append("note")
        return {"noted": True}

    drawn = (
        Scope().start().user("a").user("b").service("note", "note", outputs={"noted": "= noted"}).user("c").end()
    )
    house = House(
        sqlite_database, diagram(drawn.path("start", "a", "b", "note", "c", "end").process()), services=services
    )
    house.start()
    operator = Operator(house)
    operator.move("a", "note", variables={"noted": False})
    assert house.waiting() == ["c"] and called == ["note"] and house.data()["noted"] is True
    operator.move("c", "end")
    assert house.instance().state == "completed"
