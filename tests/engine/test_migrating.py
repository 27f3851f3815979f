"""A running case goes on under another release: same tasks, same moments, or a refusal with every reason."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.db import Database
from core.refusals import Invalid, WrongState
from engine import Event, Services, Step, bundles
from engine.migrating import NotMigratable
from engine.models import Instance, Job, Timer
from tests.engine.drawing import Scope, diagram, each, message, signal, timer
from tests.engine.house import NOW, House
from tests.engine.wandering import wander


def drawn(scope: Scope, *others: str, **declared: Any) -> bytes:
    return diagram(scope.process(), *others, **declared)


def changed(house: House, *files: bytes) -> str:
    """Another release of the house."""
    with house.database.transaction() as session:
        return bundles.save(session, {f"bpmn/{n}.bpmn": f for n, f in enumerate(files)}, now=NOW)


def migrate(house: House, bundle: str, mapping: Mapping[str, str] = {}, *, rederive: bool = False) -> Step:
    with house.database.transaction() as session:
        return house.engine.migrate(
            session, house.instance().id, bundle=bundle, mapping=mapping, rederive=rederive, now=house.now, by="d"
        )


def reasons(house: House, bundle: str, mapping: Mapping[str, str] = {}) -> list[tuple[str, str]]:
    """Codes and elements of the refusal; the instance is as it was."""
    before = house.instance()
    with pytest.raises(NotMigratable) as refused:
        migrate(house, bundle, mapping)
    after = house.instance()
    assert (after.bundle, after.blob, after.event_count) == (before.bundle, before.blob, before.event_count)
    for reason in refused.value.reasons:
        assert reason.zh and reason.en
    return [(reason.code, reason.element) for reason in refused.value.reasons]


def simple(task: str = "a", days: str = "P7D", **more: Any) -> bytes:
    return drawn(
        Scope()
        .start()
        .user(task, outputs={"x": "= x"}, **more)
        .boundary("late", task, timer(days))
        .end()
        .end("lapsed")
        .path("start", task, "end")
        .flow("late", "lapsed")
    )


def test_the_same_diagram_changes_nothing_but_the_release(database: Database) -> None:
    house = House(database, simple())
    step = house.start(n=1)
    before, (task,), (armed,) = house.instance(), house.tasks(), house.timers()
    moved = migrate(house, changed(house, simple() + b"<!-- drawn again -->"))
    after = house.instance()
    assert after.bundle != before.bundle and after.blob == before.blob
    assert after.event_count == before.event_count + 1
    assert moved.migrated is not None and moved.migrated.tasks == [task.id] and not moved.migrated.changes
    assert not (moved.opened or moved.armed or moved.dropped or moved.moved)
    (still,), (timer_after,) = house.tasks(), house.timers()
    assert (still.id, still.opened_at, still.version) == (task.id, task.opened_at, task.version)
    assert (timer_after.id, timer_after.due_at) == (armed.id, armed.due_at)
    assert moved.position == step.position == moved.migrated.position
    assert house.chain_is_whole()
    with house.database.reader() as session:
        last = session.scalars(select(Event).order_by(Event.number.desc())).first()
        assert last is not None and (last.kind, last.by) == ("instance.migrated", "d")
    assert house.complete("a", x=1).ended == "end"


def test_a_renamed_task_keeps_its_id_and_goes_on(database: Database) -> None:
    house = House(database, simple())
    house.start()
    (task,) = house.tasks()
    other = changed(house, simple("b"))
    assert reasons(house, other) == [("migrate.missing", "a")]
    step = migrate(house, other, {"p/a": "b"})
    (renamed,) = house.tasks()
    assert (renamed.id, renamed.element, renamed.name) == (task.id, "b", "b")
    assert step.migrated is not None and step.migrated.renamed[("p", "a")] == ("p", "b")
    (late,) = house.timers()
    assert (late.element, late.host) == ("late", "b")
    assert house.advance(timedelta(days=7)) == ["late"]
    assert house.instance().ended_element == "lapsed"


def test_a_longer_timer_moves_only_when_asked(database: Database) -> None:
    house = House(database, simple())
    house.start()
    house.advance(timedelta(days=2))
    (armed,) = house.timers()
    step = migrate(house, changed(house, simple(days="P10D")))
    assert step.migrated is not None
    assert [(c.what, c.before, c.after) for c in step.migrated.changes] == [
        ("kept", armed.due_at.isoformat(), armed.due_at.isoformat())
    ]
    assert house.timers()[0].due_at == NOW + timedelta(days=7)
    house.start(key="case-2")
    step = migrate(house, changed(house, simple(days="P12D")), rederive=True)
    assert [t.due_at for t in house.timers()] == [NOW + timedelta(days=7), NOW + timedelta(days=14)]
    assert [type(row).__name__ for row in step.moved] == ["Timer"]
    assert house.advance(timedelta(days=5)) == ["late"]


def test_a_moment_given_by_an_expression_moves_only_when_asked(sqlite_database: Database) -> None:
    def drawing(days: int) -> bytes:
        return drawn(
            Scope()
            .start()
            .user("a", due=f'= begun + duration("P{days}D")')
            .boundary("late", "a", timer(f'= begun + duration("P{days}D")', "timeDate"))
            .end()
            .end("lapsed")
            .path("start", "a", "end")
            .flow("late", "lapsed")
        )

    house = House(sqlite_database, drawing(7))
    house.start(begun=NOW)
    migrate(house, changed(house, drawing(10)))
    assert house.timers()[0].due_at == house.tasks()[0].due_at == NOW + timedelta(days=7)
    step = migrate(house, changed(house, drawing(12)), rederive=True)
    assert house.timers()[0].due_at == house.tasks()[0].due_at == NOW + timedelta(days=12)
    assert step.migrated is not None and len([c for c in step.migrated.changes if c.what == "due"]) == 2


def test_a_new_boundary_timer_counts_from_the_opening_of_the_task(database: Database) -> None:
    plain = drawn(Scope().start().user("a").end().path("start", "a", "end"))
    house = House(database, plain)
    house.start()
    house.advance(timedelta(days=3))
    step = migrate(house, changed(house, simple(days="P7D")))
    (armed,) = house.timers()
    assert armed.due_at == NOW + timedelta(days=7) and armed.armed_at == NOW + timedelta(days=3)
    assert step.migrated is not None and [c.what for c in step.migrated.changes] == ["armed"]
    assert house.advance(timedelta(days=4)) == ["late"]


def test_a_timer_that_is_gone_is_dropped(database: Database) -> None:
    house = House(database, simple())
    house.start()
    step = migrate(house, changed(house, drawn(Scope().start().user("a").end().path("start", "a", "end"))))
    assert [t.element for t in step.dropped] == ["late"] and not house.timers()
    assert house.advance(timedelta(days=30)) == []
    assert house.complete("a").ended == "end"


def test_a_timer_that_has_fired_never_fires_again(database: Database) -> None:
    def drawing(days: str, name: str = "warn", *, with_it: bool = True) -> bytes:
        scope = Scope().start().user("a").end().end("warned").path("start", "a", "end")
        if with_it:
            scope.boundary(name, "a", timer(days), interrupting=False).flow(name, "warned")
        return drawn(scope)

    house = House(database, drawing("P1D"))
    house.start()
    assert house.advance(timedelta(days=2)) == ["warn"]
    for bundle, mapping in (
        (drawing("P5D"), {}),
        (drawing("P6D", "remind"), {"warn": "remind"}),
        (drawing("P7D", "remind"), {}),
    ):
        assert not migrate(house, changed(house, bundle), mapping).armed
    # It goes and comes back under its own name: the log remembers that it has fired.
    migrate(house, changed(house, drawing("", with_it=False)))
    assert not migrate(house, changed(house, drawing("P8D"))).armed
    assert house.advance(timedelta(days=30)) == []
    assert house.complete("a").ended == "end"


def test_a_cycle_goes_on_where_it_was(sqlite_database: Database) -> None:
    def drawing(cycle: str) -> bytes:
        scope = Scope().start().user("a").end().end("said").path("start", "a", "end")
        scope.boundary("remind", "a", timer(cycle, "timeCycle"), interrupting=False).flow("remind", "said")
        return drawn(scope)

    house = House(sqlite_database, drawing("R/P2D"))
    house.start()
    assert house.advance(timedelta(days=3)) == ["remind"]
    migrate(house, changed(house, drawing("R/P3D")))
    # The next was promised for day 4; after it every three days.
    assert house.advance(timedelta(days=1)) == ["remind"]
    assert house.advance(timedelta(days=2)) == []
    assert house.advance(timedelta(days=1)) == ["remind"]


def test_a_new_branch_before_the_task_matters_to_later_cases_only(database: Database) -> None:
    branched = drawn(
        Scope()
        .start()
        .xor("which", default="to_a")
        .user("a", outputs={"x": "= x"})
        .user("quick")
        .boundary("late", "a", timer("P7D"))
        .end()
        .end("lapsed")
        .flow("start", "which")
        .flow("which", "a", id="to_a")
        .flow("which", "quick", "= small")
        .path("a", "end")
        .path("quick", "end")
        .flow("late", "lapsed")
    )
    house = House(database, simple())
    house.start(small=True)
    other = changed(house, branched)
    migrate(house, other)
    house.complete("a", x=1)
    assert house.instance().ended_element == "end"
    house.bundle = other
    assert house.start(key="case-2", small=True).opened[0].element == "quick"


def two_branches(*names: str, extra: str = "") -> bytes:
    scope = Scope().start().par("split").par("join").end().flow("start", "split").flow("join", "end")
    for name in names:
        scope.user(name).flow("split", name).flow(name, "join")
    return drawn(scope)


def test_a_half_full_join_keeps_what_has_arrived(database: Database) -> None:
    house = House(database, two_branches("a", "b"))
    house.start()
    house.complete("a")
    migrate(house, changed(house, two_branches("a", "b") + b"<!-- again -->"))
    assert house.waiting() == ["b"]
    assert house.complete("b").ended == "end"


def test_a_join_that_waits_for_nothing_more_fires(database: Database) -> None:
    house = House(database, two_branches("a", "b", "c"))
    house.start()
    house.complete("a")
    house.complete("b")
    assert reasons(house, changed(house, two_branches("a", "b"))) == [("migrate.missing", "c")]
    straight = Scope().start().par("split").par("join").user("c").end().flow("start", "split").flow("join", "end")
    for name in ("a", "b"):
        straight.user(name).flow("split", name).flow(name, "join")
    straight.end("aside").flow("split", "c").flow("c", "aside")
    step = migrate(house, changed(house, drawn(straight)))
    assert step.ends == [("p", "end")] and house.waiting() == ["c"]
    assert house.complete("c").ended == "aside"


def test_a_join_whose_flow_is_gone_refuses_what_came_on_it(sqlite_database: Database) -> None:
    house = House(sqlite_database, two_branches("a", "b"))
    house.start()
    house.complete("a")
    assert reasons(house, changed(house, two_branches("b", "c"))) == [("migrate.flow", "join")]


def test_inside_a_called_process_and_a_sub_process_with_boundaries(database: Database) -> None:
    def drawing(days: str, inner: str = "i", warned: bool = False) -> bytes:
        inside = Scope().start("s1").user(inner).end("e1").path("s1", inner, "e1")
        outer = Scope().start().sub("sub", inside).call("call", "q").end().end("lapsed")
        outer.path("start", "sub", "call", "end")
        outer.boundary("late", "call", timer(days)).flow("late", "lapsed")
        if warned:
            outer.boundary("warn", "call", timer("P3D"), interrupting=False).end("warned").flow("warn", "warned")
        called = Scope().start("s2").user("c").end("e2").path("s2", "c", "e2")
        return drawn(outer, called.process("q"))

    house = House(database, drawing("P9D"))
    house.start()
    migrate(house, changed(house, drawing("P9D", "j")), {"i": "j"})
    house.advance(timedelta(days=1))
    house.complete("j")
    (task,) = house.tasks()
    house.advance(timedelta(days=1))
    step = migrate(house, changed(house, drawing("P9D", "j", warned=True)))
    assert [t.element for t in step.armed] == ["warn"]
    # The call began on the second day; the warning is due three days after that.
    assert [t.due_at for t in house.timers()] == [NOW + timedelta(days=4), NOW + timedelta(days=10)]
    assert house.tasks()[0].id == task.id
    assert house.advance(timedelta(days=2)) == ["warn"]
    assert house.complete("c").ended == "end"


def test_another_called_process_is_refused(sqlite_database: Database) -> None:
    def drawing(called: str) -> bytes:
        outer = Scope().start().call("call", called).end().path("start", "call", "end")
        inner = Scope().start("s2").user("c").end("e2").path("s2", "c", "e2")
        return drawn(outer, inner.process(called))

    house = House(sqlite_database, drawing("q"))
    house.start()
    other = changed(house, drawing("r"))
    assert reasons(house, other) == [("migrate.called", "call")]
    step = migrate(house, other, {"q/*": "r/*"})
    assert [(t.process, t.element) for t in house.tasks()] == [("r", "c")] and step.position == [("r", "c")]
    assert house.complete("c").ended == "end"


def test_a_multi_instance_goes_on_with_what_is_open(database: Database) -> None:
    def drawing(task: str, output: str = "") -> bytes:
        scope = Scope().start().user(task, loop=each("= [1, 2, 3]", output=output, output_item="= item")).end()
        return drawn(scope.path("start", task, "end"))

    house = House(database, drawing("m"))
    house.start()
    house.complete("m", item=2)
    ids = {task.item: task.id for task in house.tasks()}
    migrate(house, changed(house, drawing("many", "all")), {"m": "many"})
    assert {task.item: task.id for task in house.tasks()} == ids
    house.complete("many", item=1)
    step = house.complete("many", item=3)
    assert step.ended == "end" and step.data["all"] == [1, None, 3]


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (Scope().start().service("a", "work").end().path("start", "a", "end"), "migrate.kind"),
        (Scope().start().user("a", loop=each("= [1]")).end().path("start", "a", "end"), "migrate.loop"),
        (
            Scope().start().sub("s", Scope().start("s1").user("a").end("e1").path("s1", "a", "e1")).end()
            .path("start", "s", "end"),
            "migrate.scope",
        ),
        (Scope().start().user("b").end().path("start", "b", "end"), "migrate.missing"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_reason(sqlite_database: Database, scope: Scope, code: str) -> None:
    house = House(sqlite_database, drawn(Scope().start().user("a").end().path("start", "a", "end")))
    house.start()
    assert reasons(house, changed(house, drawn(scope))) == [(code, "a")]


def test_an_element_is_found_by_its_name_where_it_is_the_only_new_one(sqlite_database: Database) -> None:
    def drawing(*ids: str) -> bytes:
        scope = Scope().start().path("start", *ids, "end").end()
        for id in ids:
            scope.node("userTask", id, "", "<zeebe:userTask />", name="查看")
        return drawn(scope)

    house = House(sqlite_database, drawing("old"))
    house.start()
    migrate(house, changed(house, drawing("new")))
    assert house.waiting() == ["new"]
    assert reasons(house, changed(house, drawing("one", "two"))) == [("migrate.missing", "new")]


def test_catch_events_event_gateways_and_messages_follow(database: Database) -> None:
    def drawing(days: str, message_name: str, third: bool = False) -> bytes:
        scope = Scope().start().events("g").catch("m", message(message_name)).catch("t", timer(days)).xor("x")
        scope.path("start", "g", "m", "x").path("g", "t", "x").end().catch("again", message("go"))
        if third:
            scope.catch("u", timer("P2D")).path("g", "u", "x")
        return drawn(scope.path("x", "again", "end"), messages=("one", "two", "go"))

    house = House(database, drawing("P5D", "one"))
    house.start()
    house.advance(timedelta(days=1))
    (before,) = house.timers()
    migrate(house, changed(house, drawing("P5D", "two", third=True)))
    assert [(s.message, s.element) for s in house.subscriptions()] == [("two", "m")]
    assert [(t.element, t.due_at, t.host) for t in house.timers()] == [
        ("u", NOW + timedelta(days=2), "g"),
        ("t", before.due_at, "g"),
    ]
    assert house.timers()[1].id == before.id
    assert house.deliver("one") is None
    step = house.deliver("two")
    assert step is not None and step.position == [("p", "again")] and not house.timers()
    migrate(house, changed(house, drawing("P5D", "two")))
    step = house.deliver("go")
    assert step is not None and step.ended == "end"


def test_a_boundary_that_changes_its_trigger_is_begun_anew(sqlite_database: Database) -> None:
    def drawing(trigger: str, interrupting: bool = True) -> bytes:
        scope = Scope().start().user("a").end().end("other").path("start", "a", "end")
        scope.boundary("b", "a", trigger, interrupting=interrupting).flow("b", "other")
        return drawn(scope, messages=("go",), signals=("sig",))

    house = House(sqlite_database, drawing(timer("P1D")))
    house.start()
    migrate(house, changed(house, drawing(message("go"))))
    assert not house.timers() and [s.element for s in house.subscriptions()] == ["b"]
    migrate(house, changed(house, drawing(message("go"), interrupting=False)))
    step = house.deliver("go")
    assert step is not None and step.position == [("p", "a")]
    migrate(house, changed(house, drawing(timer("P3D"))))
    assert house.advance(timedelta(days=3)) == ["b"]


def test_jobs_stay_with_their_workers(sqlite_database: Database) -> None:
    def drawing(id: str, type: str = "outside") -> bytes:
        return drawn(Scope().start().service(id, type).end().path("start", id, "end"))

    house = House(sqlite_database, drawing("s"), services=Services())
    house.start()
    assert reasons(house, changed(house, drawing("s", "other"))) == [("migrate.job", "s")]
    migrate(house, changed(house, drawing("t")), {"s": "t"})
    with house.database.transaction() as session:
        job = session.scalars(select(Job)).one()
        assert job.element == "t"
        step = house.engine.complete_job(session, job.id, {}, now=house.now, by="worker")
    assert step.ended == "end"


def test_form_role_and_inputs_follow_the_diagram(sqlite_database: Database) -> None:
    house = House(sqlite_database, simple(inputs={"one": "= 1"}))
    house.start(side="respondent")
    (task,) = house.tasks()
    other = changed(house, simple(form="g", groups="= [side]", inputs={"two": "= 1 + 1"}))
    step = migrate(house, other)
    (after,) = house.tasks()
    assert (after.id, after.form, after.role) == (task.id, "g", "respondent")
    assert step.migrated is not None
    assert {(c.what, c.before, c.after) for c in step.migrated.changes} == {
        ("form", "f", "g"),
        ("role", "officer", "respondent"),
    }
    with house.database.reader() as session:
        seen = house.engine.seen_by(session, task.id)
        assert seen["two"] == 2 and "one" not in seen


def test_a_mapping_that_names_nothing_is_invalid(sqlite_database: Database) -> None:
    house = House(sqlite_database, simple())
    house.start()
    other = changed(house, simple("b"))
    for mapping in ({"z": "b"}, {"a": "z"}, {"q/a": "b"}, {"p/*": "q/*"}, {"a": "p/*"}):
        with pytest.raises(Invalid):
            migrate(house, other, mapping)


def test_a_stored_incident_and_a_failing_expression_refuse(sqlite_database: Database) -> None:
    house = House(sqlite_database, simple())
    house.start()
    broken = changed(house, simple(due="= begun + 1"), simple())
    with pytest.raises(NotMigratable) as refused:
        migrate(house, changed(house, simple(due='= "never"')))
    assert refused.value.reasons[0].code == "migrate.stuck"
    with house.database.transaction() as session:
        session.get_one(Instance, house.instance().id).incidents = 1
    assert reasons(house, broken) == [("migrate.incident", "")]


def test_a_case_that_has_ended_is_refused(sqlite_database: Database) -> None:
    house = House(sqlite_database, simple())
    house.start()
    house.complete("a")
    with pytest.raises(WrongState):
        migrate(house, changed(house, simple("b")))


def test_a_rehearsal_leaves_no_trace(database: Database) -> None:
    house = House(database, simple())
    house.start()
    before = house.instance()
    other = changed(house, simple("b", "P9D"))
    with house.database.transaction() as session:
        report = house.engine.rehearse(
            session, before.id, bundle=other, mapping={"a": "b"}, rederive=True, now=NOW, by="d"
        )
    assert [(c.what, c.element) for c in report.changes] == [("renamed", "a"), ("due", "late")]
    assert report.position == [("p", "b")]
    after = house.instance()
    assert (after.bundle, after.blob, after.version, after.event_count) == (
        before.bundle,
        before.blob,
        before.version,
        before.event_count,
    )
    assert [t.element for t in house.tasks()] == ["a"]
    assert [t.due_at for t in house.timers()] == [NOW + timedelta(days=7)]
    with house.database.transaction() as session, pytest.raises(NotMigratable):
        house.engine.rehearse(session, before.id, bundle=other, now=NOW, by="d")


def test_a_signal_that_the_new_diagram_adds_is_heard(sqlite_database: Database) -> None:
    scope = Scope().start().user("a").par("split").user("b").throw("say", signal("stop")).end("e1").end("e2")
    scope.end("stopped").flow("start", "split").path("split", "a", "e1").path("split", "b", "say", "e2")
    before = drawn(scope, signals=("stop",))
    scope.boundary("heard", "a", signal("stop")).flow("heard", "stopped")
    house = House(sqlite_database, before)
    house.start()
    migrate(house, changed(house, drawn(scope, signals=("stop",))))
    step = house.complete("b")
    assert ("p", "stopped") in step.ends and not house.tasks()


def test_a_timer_that_should_have_fired_fires_at_once(sqlite_database: Database) -> None:
    house = House(sqlite_database, drawn(Scope().start().user("a").end().path("start", "a", "end")))
    house.start()
    house.advance(timedelta(days=30))
    migrate(house, changed(house, simple(days="P7D")))
    assert house.advance(timedelta(seconds=0)) == ["late"]
    with house.database.reader() as session:
        assert session.scalars(select(Timer.state)).all() == ["fired"]


def test_random_cases_wander_through_growing_diagrams(sqlite_database: Database) -> None:
    moved = refused = 0
    for seed in range(25):
        went, stayed = wander(sqlite_database, seed)
        moved, refused = moved + went, refused + stayed
    assert moved > 20
    assert refused == 0


def test_a_case_between_split_and_join_is_refused_where_a_branch_was_added(database: Database) -> None:
    """The third branch never had a token, so the join would wait for it for ever."""
    house = House(database, two_branches("a", "b"))
    house.start()
    other = changed(house, two_branches("a", "b", "c"))
    ((code, _),) = reasons(house, other)
    assert code == "migrate.no_way_on"
    house.complete("a")
    assert [code for code, _ in reasons(house, other)] == ["migrate.no_way_on"]
    before_the_split = Scope().start().user("first").par("split").par("join").end().flow("join", "end")
    for name in ("a", "b"):
        before_the_split.user(name).flow("split", name).flow(name, "join")
    before_the_split.path("start", "first", "split")
    house = House(database, drawn(before_the_split))
    house.start(key="case-2")
    before_the_split.user("c").flow("split", "c").flow("c", "join")
    migrate(house, changed(house, drawn(before_the_split)))
    house.complete("first")
    instance = house.instance().id
    assert sorted(t.element for t in house.tasks(instance=instance)) == ["a", "b", "c"]
    with house.database.transaction() as session:
        for task in house.tasks(instance=instance):
            step = house.engine.complete(session, task.id, {}, now=house.now, by="t")
    assert step.ended == "end"
