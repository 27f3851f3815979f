"""Each kind of element does what BPMN says, and what it does is written down."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.db import Database
from engine import BpmnError, Services, Step
from tests.engine.drawing import (
    TERMINATE,
    Scope,
    diagram,
    each,
    error,
    mapping,
    message,
    signal,
    timer,
)
from tests.engine.house import NOW, House


def only(step: Step | None) -> Step:
    assert step is not None
    assert not step.incidents, [i.message for i in step.incidents]
    return step


def test_only_what_the_mapping_names_enters_the_data(database: Database) -> None:
    drawn = Scope().start().user("a", outputs={"decision": "= choice"}).end().path("start", "a", "end")
    house = House(database, diagram(drawn.process()))
    house.start(amount=Decimal("12.50"), on=date(2026, 3, 2))
    step = only(house.complete("a", choice="yes", secret="a private word"))
    assert dict(step.data) == {
        "case_id": "case-1",
        "amount": Decimal("12.50"),
        "on": date(2026, 3, 2),
        "decision": "yes",
    }
    assert step.ended == "end" and house.instance().state == "completed"
    assert house.data() == dict(step.data)
    assert house.chain_is_whole()


def test_a_task_says_who_does_it_by_when_and_what_it_sees(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .user("a", groups="= [party]", due="= noted(3)", inputs={"doubled": "= amount * 2"})
        .end()
        .path("start", "a", "end")
    )

    def functions(context):
        def noted(days):
            context.note({"limit": "S01"})
            return context.now + timedelta(days=int(days))

        return {"noted": noted}

    house = House(sqlite_database, diagram(drawn.process()), functions=functions, function_names=("noted",))
    only(house.start(party="respondent", amount=21))
    (task,) = house.tasks()
    assert (task.role, task.due_at, task.due_note) == ("respondent", NOW + timedelta(days=3), {"limit": "S01"})
    assert (task.process, task.element, task.form, task.key, task.state) == ("p", "a", "f", "case-1", "open")
    with house.database.reader() as session:
        assert house.engine.seen_by(session, task.id)["doubled"] == 42


def test_now_in_an_expression_is_the_moment_of_the_step(sqlite_database: Database) -> None:
    drawn = Scope().start().user("a", outputs={"at": "= now()", "on": "= today()"}).end().path("start", "a", "end")
    house = House(sqlite_database, diagram(drawn.process()))
    house.start()
    house.advance(timedelta(hours=15, minutes=30))
    step = only(house.complete("a"))
    assert step.data["at"] == NOW + timedelta(hours=15, minutes=30)
    assert step.data["on"] == date(2026, 3, 3)  # 00:30 in China, still 16:30 the day before in UTC


def test_a_service_sees_its_inputs_and_its_result_stays_local(sqlite_database: Database) -> None:
    services = Services()
    seen = {}

    @services.add("add")
    def add(call):
        seen.update(inputs=call.inputs, data=dict(call.data), by=call.by, now=call.now)
        return {"sum": call.inputs["left"] + call.inputs["right"], "noise": "x" * 100}

    drawn = (
        Scope()
        .start()
        .service("s", "add", inputs={"left": "= 2", "right": "= three"}, outputs={"total": "= sum"})
        .end()
        .path("start", "s", "end")
    )
    step = only(House(sqlite_database, diagram(drawn.process()), services=services).start(three=3))
    assert step.data["total"] == 5 and "noise" not in step.data and "left" not in step.data
    assert seen["inputs"] == {"left": 2, "right": 3} and seen["data"]["case_id"] == "case-1"
    assert (seen["by"], seen["now"], step.services) == ("person:tester", NOW, ["add"])


def test_exclusive_gateway_takes_the_first_true_flow_and_the_default_otherwise(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .xor("g", default="g-c")
        .end("a")
        .end("b")
        .end("c")
        .flow("start", "g")
        .flow("g", "a", "= n > 10")
        .flow("g", "b", "= n > 5")
        .flow("g", "c")
    )
    house = House(sqlite_database, diagram(drawn.process()))
    for n, end in ((11, "a"), (6, "b"), (1, "c"), (None, "c")):
        assert only(house.start(n=n)).ended == end


def test_parallel_branches_join_once(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .par("split")
        .user("a")
        .user("b")
        .par("join")
        .user("c")
        .end()
        .path("start", "split", "a", "join", "c", "end")
        .path("split", "b", "join")
    )
    house = House(sqlite_database, diagram(drawn.process()))
    house.start()
    assert house.waiting() == ["a", "b"]
    house.complete("b")
    assert house.waiting() == ["a"]
    house.complete("a")
    assert house.waiting() == ["c"]
    assert only(house.complete("c")).ended == "end"


def test_tokens_that_wait_twice_on_one_flow_are_not_lost(sqlite_database: Database) -> None:
    """Two tokens on the left flow and one on the right: the join fires once, and again with the next on the right."""
    drawn = (
        Scope()
        .start()
        .par("split")
        .user("l1")
        .user("l2")
        .user("r1")
        .user("r2")
        .xor("left")
        .xor("right")
        .par("join")
        .user("after")
        .end()
        .path("start", "split", "l1", "left", "join", "after", "end")
        .path("split", "l2", "left")
        .path("split", "r1", "right", "join")
        .path("split", "r2", "right")
    )
    house = House(sqlite_database, diagram(drawn.process()))
    house.start()
    house.complete("l1")
    house.complete("l2")
    assert "after" not in house.waiting()
    house.complete("r1")
    assert house.waiting() == ["after", "r2"]
    house.complete("r2")
    assert house.waiting() == ["after", "after"]


def test_inclusive_join_waits_for_what_may_still_arrive_and_for_nothing_else(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .inc("split", default="split-c")
        .user("a")
        .user("b")
        .user("c")
        .inc("join")
        .user("after")
        .end()
        .flow("start", "split")
        .flow("split", "a", "= a")
        .flow("split", "b", "= b")
        .flow("split", "c")
        .path("a", "join", "after", "end")
        .flow("b", "join")
        .flow("c", "join")
    )
    house = House(sqlite_database, diagram(drawn.process()))
    house.start(a=True, b=True)
    assert house.waiting() == ["a", "b"]
    house.complete("a")
    assert house.waiting() == ["b"]
    house.complete("b")
    assert house.waiting() == ["after"]
    house.start(key="case-2", a=False, b=False)
    assert [t.element for t in house.tasks(instance=house.steps[-1].instance.id)] == ["c"]


def test_event_gateway_takes_the_first_event_and_forgets_the_other(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .events("g")
        .catch("came", message("news"), outputs={"count": "= n"})
        .catch("late", timer("P2D"), outputs={"count": "= 0"})
        .end("e1")
        .end("e2")
        .path("start", "g", "came", "e1")
        .path("g", "late", "e2")
    )
    house = House(sqlite_database, diagram(drawn.process(), messages=("news",)))
    house.start()
    assert house.waiting() == ["g"]
    step = only(house.deliver("news", n=3))
    assert (step.ended, step.data["count"], step.messages) == ("e1", 3, ["news"])
    assert house.timers() == [] and house.subscriptions() == []
    assert house.deliver("news") is None
    house.start()
    assert house.advance(timedelta(days=3)) == ["late"]
    assert house.steps[-1].ended == "e2" and house.subscriptions() == []


@pytest.mark.parametrize("interrupting", [True, False])
def test_boundary_timer_on_a_task(database: Database, interrupting: bool) -> None:
    drawn = (
        Scope()
        .start()
        .user("a")
        .boundary("late", "a", timer("PT1H"), interrupting=interrupting)
        .user("chase")
        .end()
        .end("end2")
        .path("start", "a", "end")
        .path("late", "chase", "end2")
    )
    house = House(database, diagram(drawn.process()))
    house.start()
    assert house.advance(timedelta(minutes=59, seconds=59, microseconds=999_999)) == []
    assert house.advance(timedelta(microseconds=1)) == ["late"]
    assert house.waiting() == (["chase"] if interrupting else ["a", "chase"])
    assert house.advance(timedelta(days=9)) == []
    if not interrupting:
        house.complete("a")
        assert house.waiting() == ["chase"], "a branch that began beside the task outlives it"
    assert only(house.complete("chase")).ended is not None


def test_a_cycle_repeats_until_its_task_is_done_and_skips_what_it_slept_through(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .user("a")
        .boundary("day", "a", timer("R/P1D", "timeCycle"), interrupting=False)
        .service("remind", "remind")
        .end()
        .end("reminded")
        .path("start", "a", "end")
        .path("day", "remind", "reminded")
    )
    services = Services()
    services.add("remind")(lambda call: None)
    house = House(sqlite_database, diagram(drawn.process()), services=services)
    house.start()
    assert house.advance(timedelta(days=3)) == ["day", "day", "day"]
    house.now += timedelta(days=5, hours=1)  # nobody looked for five days
    assert house.advance(timedelta()) == ["day"]
    (armed,) = house.timers()
    assert armed.due_at == NOW + timedelta(days=9)
    assert house.advance(timedelta(days=1)) == ["day"]
    house.complete("a")
    assert house.advance(timedelta(days=30)) == []


def test_a_counted_cycle_stops_by_itself(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .user("a")
        .boundary("hour", "a", timer("R3/PT1H", "timeCycle"), interrupting=False)
        .end()
        .end("e2")
        .path("start", "a", "end")
        .flow("hour", "e2")
    )
    house = House(sqlite_database, diagram(drawn.process()))
    house.start()
    assert house.advance(timedelta(days=2)) == ["hour"] * 3
    assert house.waiting() == ["a"] and house.timers() == []


def test_a_message_boundary_that_does_not_interrupt_can_happen_again(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .user("a")
        .boundary("note", "a", message("note"), interrupting=False, outputs={"last": "= text"})
        .end()
        .end("e2")
        .path("start", "a", "end")
        .flow("note", "e2")
    )
    house = House(sqlite_database, diagram(drawn.process(), messages=("note",)))
    house.start()
    only(house.deliver("note", text="one"))
    step = only(house.deliver("note", text="two"))
    assert (step.data["last"], house.waiting()) == ("two", ["a"])
    house.complete("a")
    assert house.subscriptions() == []


def test_interrupting_a_sub_process_takes_everything_inside_away(database: Database) -> None:
    inside = (
        Scope()
        .start("s2")
        .par("split")
        .user("a", outputs={"kept": "= x"})
        .user("b", loop=each("= [1, 2, 3]"))
        .boundary("late_b", "b", timer("P5D"))
        .user("c")
        .end("e2")
        .end("e3")
        .end("e4")
        .path("s2", "split", "a", "c", "e2")
        .path("split", "b", "e3")
        .flow("late_b", "e4")
    )
    drawn = (
        Scope()
        .start()
        .sub("inner", inside)
        .boundary("out", "inner", message("withdrawn"))
        .user("after")
        .end()
        .end("e5")
        .path("start", "inner", "end")
        .path("out", "after", "e5")
    )
    house = House(database, diagram(drawn.process(), messages=("withdrawn",)))
    house.start()
    house.complete("a", x="written before")
    assert house.waiting() == ["b", "b", "b", "c"]
    step = only(house.deliver("withdrawn"))
    assert house.waiting() == ["after"]
    assert sorted(t.element for t in step.cancelled) == ["b", "b", "b", "c"]
    assert [t.element for t in step.dropped] == ["late_b"]
    assert house.data()["kept"] == "written before", "what an interrupted part wrote is not lost"
    assert only(house.complete("after")).ended == "e5"


def test_parallel_multi_instance_collects_and_stops_early(database: Database) -> None:
    loop = each(
        '= ["complainant", "respondent"]',
        "party",
        output="consents",
        output_item="= consent",
        completion="= consent = false",
    )
    drawn = (
        Scope()
        .start()
        .user("ask", groups="= [party]", outputs={"consent": "= agreed"}, loop=loop)
        .end()
        .path("start", "ask", "end")
    )
    house = House(database, diagram(drawn.process()))
    step = only(house.start())
    assert [(t.item, t.role) for t in step.opened] == [("complainant", "complainant"), ("respondent", "respondent")]
    assert only(house.complete("ask", item="respondent", agreed=True)).ended is None
    step = only(house.complete("ask", item="complainant", agreed=True))
    assert step.data["consents"] == [True, True] and "consent" not in step.data
    house.start(key="case-2")
    step = only(house.complete("ask", item="respondent", agreed=False))
    assert (step.ended, step.data["consents"]) == ("end", [None, False])
    assert [t.item for t in step.cancelled] == ["complainant"]


def test_sequential_multi_instance_asks_one_after_the_other(database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .user(
            "ask",
            outputs={"said": "= answer"},
            loop=each("= names", "name", output="all", output_item="= said", sequential=True),
        )
        .end()
        .path("start", "ask", "end")
    )
    house = House(database, diagram(drawn.process()))
    house.start(names=["a", "b", "c"])
    for name in "abc":
        (task,) = house.tasks()
        assert task.item == name
        step = only(house.complete("ask", answer=name.upper()))
    assert step.data["all"] == ["A", "B", "C"]
    assert only(house.start(names=[])).data["all"] == []


def test_sequential_multi_instance_needs_no_output(sqlite_database: Database) -> None:
    drawn = Scope().start().user("ask", loop=each("= [1, 2]", sequential=True)).end().path("start", "ask", "end")
    house = House(sqlite_database, diagram(drawn.process()))
    house.start()
    house.complete("ask")
    assert only(house.complete("ask")).ended == "end"


def test_interrupting_a_multi_instance_sub_process(sqlite_database: Database) -> None:
    inside = Scope().start("s2").user("a").end("e2").path("s2", "a", "e2")
    drawn = (
        Scope()
        .start()
        .sub("inner", inside, loop=each("= [1, 2, 3]"))
        .boundary("late", "inner", timer("P1D"))
        .end()
        .end("lapsed")
        .path("start", "inner", "end")
        .flow("late", "lapsed")
    )
    house = House(sqlite_database, diagram(drawn.process()))
    house.start()
    house.complete("a")
    assert house.waiting() == ["a", "a"]
    assert house.advance(timedelta(days=1)) == ["late"]
    assert house.steps[-1].ended == "lapsed" and house.tasks() == []


def test_a_called_process_has_data_of_its_own(database: Database) -> None:
    child = (
        Scope()
        .start()
        .user("a", outputs={"outcome": "= said", "private": "= 1"})
        .end()
        .path("start", "a", "end")
        .process("child")
    )
    parent = Scope().start().call("c", "child").end("done").path("start", "c", "done").process()
    picky = (
        Scope()
        .start()
        .call(
            "c",
            "child",
            mappings=mapping({"n": "= 1"}, {"result": "= outcome"}),
            propagateAllParentVariables="false",
        )
        .end("done")
        .path("start", "c", "done")
        .process("picky")
    )
    house = House(database, diagram(parent), diagram(child), diagram(picky))
    step = only(house.start(given=7))
    assert step.position == [("child", "a")] and step.opened[0].process == "child"
    with house.database.reader() as session:
        assert house.engine.seen_by(session, step.opened[0].id)["given"] == 7
    step = only(house.complete("a", said="accepted"))
    assert (step.ended, step.data["outcome"], step.data["private"]) == ("done", "accepted", 1)
    step = only(house.start(process="picky", given=7))
    with house.database.reader() as session:
        assert house.engine.seen_by(session, step.opened[0].id) == {"n": 1}
    step = only(house.complete("a", said="refused"))
    assert dict(step.data) == {"case_id": "case-1", "given": 7, "result": "refused"}


def test_a_message_reaches_the_innermost_event_that_waits_for_it(sqlite_database: Database) -> None:
    child = (
        Scope()
        .start()
        .user("a")
        .boundary("inner", "a", message("stop"))
        .end()
        .end("stopped")
        .path("start", "a", "end")
        .flow("inner", "stopped")
        .process("child")
    )
    parent = (
        Scope()
        .start()
        .call("c", "child")
        .boundary("outer", "c", message("stop"))
        .user("b")
        .boundary("now_outer", "b", message("stop"))
        .end("e1")
        .end("e2")
        .end("e3")
        .path("start", "c", "b", "e1")
        .flow("outer", "e2")
        .flow("now_outer", "e3")
    )
    house = House(
        sqlite_database, diagram(parent.process(), messages=("stop",)), diagram(child, messages=("stop",))
    )
    house.start()
    only(house.deliver("stop"))
    assert house.waiting() == ["b"]
    assert only(house.deliver("stop")).ended == "e3"


def test_a_message_is_delivered_once_under_its_id(database: Database) -> None:
    drawn = Scope().start().catch("c", message("m")).catch("d", message("m")).end().path("start", "c", "d", "end")
    house = House(database, diagram(drawn.process(), messages=("m",)))
    house.start()
    house.start(key="another case")
    assert house.deliver("m", message_id="1") is not None
    assert house.deliver("m", message_id="1") is None
    assert house.deliver("m", "nobody") is None and house.deliver("unknown") is None
    assert only(house.deliver("m", message_id="2")).ended == "end"


def test_an_error_leaves_by_the_nearest_event_that_catches_it(sqlite_database: Database) -> None:
    services = Services()

    @services.add("fails")
    def fails(call):
        raise BpmnError("no_stock", "nothing left")

    inside = (
        Scope()
        .start("s2")
        .service("s", "fails")
        .boundary("other", "s", error("unrelated"))
        .end("e2")
        .end("e3")
        .path("s2", "s", "e2")
        .flow("other", "e3")
    )
    drawn = (
        Scope()
        .start()
        .sub("inner", inside)
        .boundary("caught", "inner", error("no_stock"), outputs={"why": "= errorMessage"})
        .end()
        .end("gone")
        .path("start", "inner", "end")
        .flow("caught", "gone")
    )
    house = House(sqlite_database, diagram(drawn.process(), errors=("no_stock", "unrelated")), services=services)
    step = only(house.start())
    assert (step.ended, step.data["why"]) == ("gone", "nothing left")


def test_an_error_end_event_leaves_its_sub_process(sqlite_database: Database) -> None:
    inside = (
        Scope()
        .start("s2")
        .par("split")
        .user("waits")
        .end("e2")
        .end("wrong", error("bad"))
        .path("s2", "split", "waits", "e2")
        .flow("split", "wrong")
    )
    drawn = (
        Scope()
        .start()
        .sub("inner", inside)
        .boundary("any", "inner", error(""))
        .end()
        .end("left")
        .path("start", "inner", "end")
        .flow("any", "left")
    )
    step = only(House(sqlite_database, diagram(drawn.process(), errors=("bad",))).start())
    assert step.ended == "left" and [t.element for t in step.cancelled] == ["waits"]


def test_terminate_ends_its_scope_and_only_that(sqlite_database: Database) -> None:
    inside = (
        Scope()
        .start("s2")
        .par("split")
        .user("a")
        .user("b")
        .end("e2")
        .end("stop", TERMINATE)
        .path("s2", "split", "a", "e2")
        .path("split", "b", "stop")
    )
    drawn = Scope().start().sub("inner", inside).user("after").end().path("start", "inner", "after", "end")
    house = House(sqlite_database, diagram(drawn.process()))
    house.start()
    house.complete("b")
    assert house.waiting() == ["after"]


def test_a_signal_reaches_everything_that_waits_for_it_in_the_case(sqlite_database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .par("split")
        .catch("c", signal("go"))
        .user("u")
        .boundary("b", "u", signal("go"))
        .user("first")
        .throw("t", signal("go"))
        .end("e1")
        .end("e2")
        .end("e3")
        .end("e4")
        .path("start", "split", "c", "e1")
        .path("split", "u", "e2")
        .path("split", "first", "t", "e3")
        .flow("b", "e4")
    )
    house = House(sqlite_database, diagram(drawn.process(), signals=("go",)))
    house.start()
    step = only(house.complete("first"))
    assert sorted(end for _, end in step.ends) == ["e1", "e3", "e4"]
    assert house.instance().state == "completed"


def test_script_receive_send_and_plain_tasks(sqlite_database: Database) -> None:
    services = Services()
    services.add("send")(lambda call: {"sent": True})
    drawn = (
        Scope()
        .start()
        .script("sum", "= n + 1", "m")
        .node("task", "plain")
        .node("manualTask", "by_hand")
        .throw("milestone")
        .service("send", "send", tag="sendTask", outputs={"sent": "= sent"})
        .node("receiveTask", "reply", "", mapping(None, {"said": "= text"}), messageRef="m_reply")
        .service("tell", "send", tag="endEvent", inner='<bpmn:messageEventDefinition messageRef="m_reply" />')
        .path("start", "sum", "plain", "by_hand", "milestone", "send", "reply", "tell")
    )
    house = House(sqlite_database, diagram(drawn.process(), messages=("reply",)), services=services)
    step = only(house.start(n=1))
    assert (step.data["m"], step.data["sent"], step.position) == (2, True, [("p", "reply")])
    step = only(house.deliver("reply", text="hello"))
    assert (step.ended, step.data["said"], step.services) == ("tell", "hello", ["send"])


DECISION = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="size" name="Size"><variable name="size" /><decisionTable hitPolicy="UNIQUE" id="t">
<input id="i"><inputExpression id="ie" typeRef="number"><text>amount</text></inputExpression></input>
<output id="o" name="size" typeRef="string" />
<rule id="small"><inputEntry id="a"><text>&lt; 100</text></inputEntry><outputEntry id="b"><text>"small"</text></outputEntry></rule>
<rule id="large"><inputEntry id="c"><text>&gt;= 100</text></inputEntry><outputEntry id="e"><text>"large"</text></outputEntry></rule>
<rule id="odd"><inputEntry id="f"><text>13</text></inputEntry><outputEntry id="g"><text>"odd"</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


def test_a_business_rule_task_asks_its_table(sqlite_database: Database) -> None:
    drawn = Scope().start().rule("r", "size", "answer").end().path("start", "r", "end")
    mapped = (
        Scope()
        .start()
        .rule("r", "Size", "answer", {"kept": "= upper case(answer)"})
        .end()
        .path("start", "r", "end")
    )
    house = House(sqlite_database, diagram(drawn.process()), diagram(mapped.process("mapped")), DECISION)
    step = only(house.start(amount=250))
    assert step.data["answer"] == "large"
    (decided,) = step.decisions
    assert (decided.decision, decided.value, decided.matched) == ("size", "large", ["large"])
    step = only(house.start(process="mapped", amount=1))
    assert dict(step.data) == {"case_id": "case-1", "amount": 1, "kept": "SMALL"}
    (incident,) = house.start(amount=13).incidents
    assert incident.kind == "decision" and incident.element == "r"
