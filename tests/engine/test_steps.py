"""A step is one transaction: what is refused leaves nothing behind, what fails leaves an incident and can go on."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, update

from core.db import Database
from core.refusals import NotFound, Refusal, WrongState
from engine import Event, Incident, Instance, Services, Task, Timer, bundles, events, timers
from engine.models import Job
from tests.engine.drawing import Scope, diagram, error, message, timer
from tests.engine.house import NOW, House

PLAIN = diagram(
    Scope()
    .start()
    .user("a", outputs={"x": "= x"})
    .boundary("late", "a", timer("P1D"))
    .end()
    .end("lapsed")
    .path("start", "a", "end")
    .flow("late", "lapsed")
    .process()
)


def test_completing_twice_is_refused(database: Database) -> None:
    house = House(database, PLAIN)
    (task,) = house.start().opened
    house.complete("a")
    with database.transaction() as session, pytest.raises(WrongState) as refused:
        house.engine.complete(session, task.id, {}, now=NOW, by="person:late")
    assert refused.value.code == "task.already_completed"
    with database.transaction() as session, pytest.raises(NotFound):
        house.engine.complete(session, uuid4(), {}, now=NOW, by="person:late")


def test_completing_after_the_deadline_is_refused_and_firing_after_completion_does_nothing(
    database: Database,
) -> None:
    house = House(database, PLAIN)
    (task,) = house.start().opened
    house.advance(timedelta(days=1))
    with database.transaction() as session, pytest.raises(WrongState, match="cancelled"):
        house.engine.complete(session, task.id, {}, now=house.now, by="person:late")
    house.start(key="case-2")
    (claimed,) = timers.claim(database, owner="w", now=house.now + timedelta(days=1))
    house.complete("a")
    assert timers.fire(database, house.engine, claimed, owner="w", now=house.now + timedelta(days=1)) is None
    assert [t.state for t in house.timers("dropped")] == ["dropped"]


def test_a_claim_is_fenced_by_owner_attempt_and_lease(database: Database) -> None:
    house = House(database, PLAIN)
    house.start()
    due = NOW + timedelta(days=1)
    assert timers.claim(database, owner="one", now=due - timedelta(microseconds=1)) == []
    (claimed,) = timers.claim(database, owner="one", now=due)
    assert timers.claim(database, owner="two", now=due) == []
    assert timers.fire(database, house.engine, claimed, owner="two", now=due) is None
    later = due + timers.LEASE
    assert timers.claim(database, owner="two", now=later) == [claimed], "a dead worker's claim runs out"
    assert timers.fire(database, house.engine, claimed, owner="one", now=later) is None
    assert timers.fire(database, house.engine, claimed, owner="two", attempt=1, now=later) is None
    step = timers.fire(database, house.engine, claimed, owner="two", attempt=2, now=later)
    assert step is not None and step.ended == "lapsed"
    assert timers.fire(database, house.engine, claimed, owner="two", now=later) is None


def test_a_claimed_timer_that_was_moved_does_not_fire_early(sqlite_database: Database) -> None:
    due = {"at": NOW + timedelta(days=1)}
    drawn = (
        Scope()
        .start()
        .user("a", due="= limit()")
        .boundary("late", "a", timer("= limit()", "timeDate"))
        .end()
        .end("lapsed")
        .path("start", "a", "end")
        .flow("late", "lapsed")
    )

    def functions(context):
        def limit():
            context.note({"at": due["at"].isoformat()})
            return due["at"]

        return {"limit": limit}

    house = House(sqlite_database, diagram(drawn.process()), functions=functions, function_names=("limit",))
    step = house.start()
    (claimed,) = timers.claim(sqlite_database, owner="w", now=due["at"])
    old = due["at"]
    due["at"] += timedelta(days=2)
    with sqlite_database.transaction() as session:
        moved = house.engine.rearm(session, step.instance.id, now=NOW, by="system").moved
    assert [type(row) for row in moved] == [Timer, Task]
    assert timers.fire(sqlite_database, house.engine, claimed, owner="w", now=old) is None
    (armed,) = house.timers()
    assert (armed.due_at, armed.note, house.tasks()[0].due_at) == (
        due["at"],
        {"at": due["at"].isoformat()},
        due["at"],
    )
    with sqlite_database.transaction() as session:
        assert house.engine.rearm(session, step.instance.id, now=NOW, by="system").moved == []
    assert house.advance(timedelta(days=3)) == ["late"]


def test_a_service_that_stops_a_clock_has_the_moments_evaluated_again(sqlite_database: Database) -> None:
    due = {"at": NOW + timedelta(days=1)}
    services = Services()

    @services.add("pause")
    def pause(call):
        due["at"] += timedelta(days=5)
        call.rearm()

    inside = Scope().start("s2").user("a").service("s", "pause").user("b").end("e2").path("s2", "a", "s", "b", "e2")
    drawn = (
        Scope()
        .start()
        .sub("scope", inside)
        .boundary("late", "scope", timer("= limit()", "timeDate"))
        .end()
        .end("lapsed")
        .path("start", "scope", "end")
        .flow("late", "lapsed")
    )
    house = House(
        sqlite_database,
        diagram(drawn.process()),
        services=services,
        functions=lambda context: {"limit": lambda: due["at"]},
        function_names=("limit",),
    )
    house.start()
    step = house.complete("a")
    assert [timer.element for timer in step.moved] == ["late"]
    assert house.advance(timedelta(days=5)) == [] and house.advance(timedelta(days=1)) == ["late"]


def test_due_timers_fire_in_order_and_a_warning_before_the_expiry_of_the_same_moment(database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .user("a")
        .boundary("expired", "a", timer("P1D"))
        .boundary("warned", "a", timer("P1D"), interrupting=False)
        .boundary("first", "a", timer("PT1H"), interrupting=False)
        .end()
        .end("e1")
        .end("e2")
        .end("e3")
        .path("start", "a", "end")
        .flow("expired", "e1")
        .flow("warned", "e2")
        .flow("first", "e3")
    )
    house = House(database, diagram(drawn.process()))
    house.start()
    heard = []

    class Listener:
        def step(self, session, step):
            heard.extend(timer.element for timer in step.fired)

    house.engine.listeners.append(Listener())
    late = NOW + timedelta(days=3)
    assert timers.drain(database, house.engine, owner="w", now=late) == 3
    assert heard == ["first", "warned", "expired"]
    assert timers.drain(database, house.engine, owner="w", now=late) == 0


def test_a_failing_service_leaves_an_incident_and_the_case_where_it_was(database: Database) -> None:
    services = Services()
    broken = [True]

    @services.add("flaky")
    def flaky(call):
        call.session.add(
            Job(
                instance_id=call.instance.id,
                key="k",
                process="p",
                element="s",
                type="trace",
                opened_at=NOW,
                token=0,
            )
        )
        call.session.flush()
        if broken:
            raise RuntimeError("the printer is on fire")

    drawn = (
        Scope().start().user("a", outputs={"x": "= x"}).service("s", "flaky").end().path("start", "a", "s", "end")
    )
    house = House(database, diagram(drawn.process()), services=services)
    house.start()
    noise = house.start(key="another case").instance.id
    with database.reader() as session:
        first = session.scalars(select(Task).where(Task.key == "case-1")).one()
    with database.transaction() as session:
        step = house.engine.complete(session, first.id, {"x": 1}, now=NOW, by="person:a")
        assert session.get_one(Task, first.id).state == "open", "the session has forgotten what was rolled back"
    (incident,) = step.incidents
    assert (incident.kind, incident.element, incident.state) == ("service", "s", "open")
    assert "the printer is on fire" in incident.message and step.failed and step.position == [("p", "a")]
    with database.reader() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 0, "what the service wrote is gone"
        assert session.get_one(Task, first.id).state == "open"
        assert session.get_one(Instance, step.instance.id).incidents == 1
        assert events.verify(session, step.instance.id)
        sealed = session.connection().exec_driver_sql("SELECT command FROM incident").scalar_one()
    assert b'"x"' not in bytes(sealed), "an answer is not kept in the clear"

    with database.transaction() as session:
        again = house.engine.retry(session, incident.id, now=NOW, by="person:operator")
    assert again.incidents[0].id == incident.id and again.incidents[0].attempts == 2

    broken.clear()
    with database.transaction() as session:
        done = house.engine.retry(session, incident.id, now=NOW + timedelta(hours=1), by="person:operator")
    assert (done.ended, done.data["x"]) == ("end", 1)
    with database.reader() as session:
        resolved = session.get_one(Incident, incident.id)
        assert (resolved.state, resolved.resolved_by) == ("resolved", "person:operator")
        assert session.get_one(Instance, step.instance.id).incidents == 0
        assert session.get_one(Instance, noise).state == "running"
        assert events.verify(session, step.instance.id)
    with database.transaction() as session, pytest.raises(WrongState):
        house.engine.retry(session, incident.id, now=NOW, by="person:operator")


def test_a_refusal_of_a_service_goes_back_to_the_person_and_rolls_everything_back(
    sqlite_database: Database,
) -> None:
    services = Services()

    @services.add("refuses")
    def refuses(call):
        raise WrongState("Not today.", code="not.today")

    drawn = (
        Scope()
        .start()
        .user("a")
        .boundary("late", "a", timer("P1D"))
        .xor("x")
        .service("s", "refuses")
        .end()
        .path("start", "a", "x", "s", "end")
        .flow("late", "x")
    )
    house = House(sqlite_database, diagram(drawn.process()), services=services)
    house.start()
    with pytest.raises(Refusal, match="Not today"):
        house.complete("a")
    assert house.waiting() == ["a"]
    assert house.advance(timedelta(days=1)) == [], "nobody is there to hear a refusal of a timer"
    (incident,) = house.steps[-1].incidents
    (parked,) = house.timers("parked")
    assert incident.message == "Not today." and (parked.wake_at, parked.owner, parked.attempt) == (None, None, 1)
    steps = len(house.steps)
    assert house.advance(timedelta(days=1)) == [] and len(house.steps) == steps, "a parked timer wakes nobody"
    services._services["refuses"] = lambda call: None
    with sqlite_database.transaction() as session:
        assert house.engine.retry(session, incident.id, now=house.now, by="person:o").ended == "end"


@pytest.mark.parametrize(
    ("kind", "drawn"),
    [
        (
            "gateway",
            Scope().start().user("a").xor("g").end("e1").end("e2").path("start", "a", "g")
            .flow("g", "e1", "= n > 5").flow("g", "e2", "= n < 5"),
        ),
        (
            "gateway",
            Scope().start().user("a").inc("g").end("e1").end("e2").path("start", "a", "g")
            .flow("g", "e1", "= n > 5").flow("g", "e2", "= n < 5"),
        ),
        (
            "expression",
            Scope().start().user("a").xor("g", default="g-e2").end("e1").end("e2").path("start", "a", "g")
            .flow("g", "e1", "= n").flow("g", "e2"),
        ),
        (
            "expression",
            Scope().start().user("a").catch("g", timer("= n", "timeDate")).end().path("start", "a", "g", "end"),
        ),
        ("expression", Scope().start().user("a").script("g", "= n +", "m").end().path("start", "a", "g", "end")),
        ("decision", Scope().start().user("a").rule("g", "nowhere", "m").end().path("start", "a", "g", "end")),
        ("error_event", Scope().start().user("a").end("g", error("bad")).path("start", "a", "g")),
        ("data", Scope().start().user("a").script("g", "= for i in 1..3000 return i", "m").end().path("start", "a", "g", "end")),
        ("data", Scope().start().user("a").script("g", "= [1..5]", "m").end().path("start", "a", "g", "end")),
        ("data", Scope().start().user("a").script("g", "= {f: function(x) x}", "m").end().path("start", "a", "g", "end")),
        ("engine", Scope().start().user("a").call("g", "nowhere").end().path("start", "a", "g", "end")),
        ("engine", Scope().start().user("a").node("complexGateway", "g").end().path("start", "a", "g", "end")),
        (
            "loop",
            Scope().start().user("a").xor("g").xor("h").path("start", "a", "g", "h").flow("h", "g"),
        ),
    ],
)  # fmt: skip
def test_what_can_go_wrong_in_a_diagram_is_an_incident_on_its_element(
    sqlite_database: Database, kind: str, drawn: Scope
) -> None:
    house = House(sqlite_database, diagram(drawn.process(), errors=("bad",)))
    house.start(n=5)
    step = house.complete("a")
    (incident,) = step.incidents
    assert incident.kind == kind and incident.element in ("g", "h", "") and incident.message
    assert house.waiting() == ["a"]


def test_a_case_that_cannot_begin_can_be_retried(database: Database) -> None:
    services = Services()
    drawn = Scope().start().service("s", "later").user("a").end().path("start", "s", "a", "end")

    @services.add("later")
    def later(call):
        raise RuntimeError("not yet")

    house = House(database, diagram(drawn.process()), services=services)
    (incident,) = house.start(n=1).incidents
    services._services["later"] = lambda call: {}
    with database.transaction() as session:
        step = house.engine.retry(session, incident.id, now=NOW, by="person:o")
    assert step.position == [("p", "a")] and step.data["n"] == 1


def test_cancelling_leaves_nothing_open(database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .par("g")
        .user("a")
        .boundary("late", "a", timer("P1D"))
        .catch("m", message("m"))
        .service("job", "external")
        .end("e1")
        .end("e2")
        .end("e3")
        .end("e4")
        .path("start", "g", "a", "e1")
        .path("g", "m", "e2")
        .path("g", "job", "e3")
        .flow("late", "e4")
    )
    house = House(database, diagram(drawn.process(), messages=("m",)))
    step = house.start()
    with database.transaction() as session:
        ended = house.engine.cancel(session, step.instance.id, reason="filed twice", now=NOW, by="person:s")
    assert [t.element for t in ended.cancelled] == ["a"] and [t.element for t in ended.dropped] == ["late"]
    assert house.instance().state == "cancelled" and house.subscriptions() == [] and house.waiting() == []
    with database.reader() as session:
        assert [job.state for job in session.scalars(select(Job))] == ["cancelled"]
    with database.transaction() as session, pytest.raises(WrongState):
        house.engine.cancel(session, step.instance.id, reason="again", now=NOW, by="person:s")


def test_an_unknown_service_becomes_a_job_that_an_external_worker_does(database: Database) -> None:
    drawn = (
        Scope()
        .start()
        .service("s", "external", inputs={"n": "= 1"}, outputs={"answer": "= result"})
        .boundary("broken", "s", error("broken"))
        .end()
        .end("e2")
        .path("start", "s", "end")
        .flow("broken", "e2")
    )
    house = House(database, diagram(drawn.process(), errors=("broken",)))
    (job,) = house.start().jobs
    assert (job.type, job.inputs, house.waiting()) == ("external", {"n": 1}, ["s"])
    with database.transaction() as session:
        assert house.engine.fail_job(session, job.id, "busy", retries=1, now=NOW, by="worker") is None
    with database.transaction() as session:
        failed = house.engine.fail_job(session, job.id, "dead", retries=0, now=NOW, by="worker")
    assert failed is not None and failed.incidents[0].kind == "job"
    with database.transaction() as session:
        house.engine.retry(session, failed.incidents[0].id, now=NOW, by="person:o")
    with database.transaction() as session:
        step = house.engine.complete_job(session, job.id, {"result": 42}, now=NOW, by="worker")
    assert (step.ended, step.data["answer"]) == ("end", 42)
    with database.transaction() as session, pytest.raises(WrongState):
        house.engine.complete_job(session, job.id, {}, now=NOW, by="worker")
    (job,) = house.start(key="case-2").jobs
    with database.transaction() as session:
        step = house.engine.throw_job(session, job.id, "broken", "no", now=NOW, by="worker")
    assert step is not None and step.ended == "e2"


def test_the_log_is_chained_and_survives_erasure_but_no_tampering(database: Database) -> None:
    house = House(database, PLAIN)
    instance_id = house.start().instance.id
    house.complete("a", x="1")
    with database.reader() as session:
        kinds = [event.kind for event in events.history(session, instance_id)]
        assert kinds == [
            "instance.started", "task.opened", "timer.armed", "task.completed", "end.reached",
            "instance.completed",
        ]  # fmt: skip
        assert events.verify(session, instance_id)
    with database.transaction() as session:
        assert events.erase_payloads(session, instance_id, kinds=("task.opened",)) == 1
    with database.reader() as session:
        assert events.verify(session, instance_id)
        erased = events.history(session, instance_id)[1]
        assert erased.payload is None and erased.salt is None
    tamperings = (
        update(Event).where(Event.number == 1).values(by="person:somebody-else"),
        update(Event).where(Event.number == 3).values(payload={"due_at": "later"}),
        delete(Event).where(Event.number == 6),
        delete(Event).where(Event.number == 4),
    )
    for tampering in tamperings:
        with database.session() as session:
            session.execute(tampering.where(Event.instance_id == instance_id))
            assert not events.verify(session, instance_id)
            session.rollback()
    with database.transaction() as session:
        instance = session.get_one(Instance, instance_id)
        events.append(session, instance, "note", payload={"text": "later"}, at=NOW, by="person:s")
    with database.reader() as session:
        assert events.verify(session, instance_id)


def test_a_bundle_is_its_content(database: Database) -> None:
    files = {"bpmn/p.bpmn": PLAIN, "forms/f.form": b"{}", "bild.bin": bytes(range(256))}
    with database.transaction() as session:
        digest = bundles.save(session, files, now=NOW)
        assert bundles.save(session, dict(reversed(files.items())), now=NOW) == digest
        assert bundles.save(session, {**files, "forms/f.form": b"{ }"}, now=NOW) != digest
    bundles._cache.clear()
    with database.reader() as session:
        loaded = bundles.load(session, digest)
        assert dict(loaded.files) == files and list(loaded.under("bpmn", ".bpmn")) == ["bpmn/p.bpmn"]
        with pytest.raises(NotFound):
            bundles.load(session, "0" * 64)


def test_a_listener_hears_each_step_once_and_can_stop_it(sqlite_database: Database) -> None:
    house = House(sqlite_database, PLAIN)
    heard = []

    class Listener:
        def step(self, session, step):
            heard.append((step.command, [t.element for t in step.opened]))
            if step.command == "complete":
                raise WrongState("no", code="no")

    house.engine.listeners.append(Listener())
    house.start()
    with pytest.raises(WrongState):
        house.complete("a")
    assert heard == [("start", ["a"]), ("complete", [])] and house.waiting() == ["a"]


def test_a_step_takes_few_statements_and_one_commit(database: Database) -> None:
    from engine import bench

    measured = bench.Bench(database)
    task = measured.start().opened[0].id
    with bench.counting(database.writing) as counter:
        measured.complete(task)
    assert counter.statements <= 25 and counter.commits == 1


def test_now_in_a_diagram_is_the_moment_of_the_command_in_chinas_time(sqlite_database: Database) -> None:
    drawn = Scope().start().script("s", "= now()", "moment").script("t", "= today()", "day").end()
    house = House(sqlite_database, diagram(drawn.path("start", "s", "t", "end").process()))
    house.now = NOW.replace(hour=17)
    data = house.start().data
    assert data["moment"] == house.now and data["moment"].utcoffset() == timedelta(hours=8)
    assert data["day"].isoformat() == "2026-03-03", "one in the morning of the next day in China"
