"""Carries a running instance to another bundle: every token to the same place in the other diagrams, or not at all.

What waits goes on waiting: tasks keep their ids, jobs their workers, timers their moments. What the other diagrams
add to something that waits begins with it, as if it had been there from its beginning; what has fired never fires
again. A case that does not fit is refused with every reason, and nothing of it has changed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from SpiffWorkflow.util.task import TaskState
from sqlalchemy import func, select, union_all

from core.refusals import Invalid, WrongState
from engine import moments, proving, state
from engine.diagram import Element, Kind, Process
from engine.incidents import Stuck
from engine.listening import events_of
from engine.models import Instance, Job, Subscription, Task, Timer
from engine.nodes import EventGateway, Joining, MultiInstance, Node, Parallel, User
from engine.run import Run
from engine.specifications import Specifications, Unsupported
from engine.steps import Change
from engine.tokens import Token

#: Ends the name of a process in a mapping: ``complaint/*`` is the process, ``complaint/accept`` an element of it.
WHOLE = "/*"

#: Process and id of an element or flow.
Place = tuple[str, str]


@dataclass(frozen=True)
class Reason:
    """Why an instance cannot be carried over, at one element."""

    #: ``migrate.missing``, ``migrate.kind``, ``migrate.scope``, ``migrate.loop``, ``migrate.flow``,
    #: ``migrate.called``, ``migrate.job``, ``migrate.no_way_on``, ``migrate.stuck``, ``migrate.incident``.
    code: str
    process: str
    element: str
    zh: str
    en: str

    def json(self) -> dict[str, str]:
        """As the API shows it."""
        return asdict(self)


class NotMigratable(WrongState):
    """The instance does not fit into the other bundle; ``reasons`` says why, element by element."""

    def __init__(self, reasons: list[Reason]) -> None:
        first = reasons[0]
        super().__init__(f"{first.zh} {first.en}", code="migration.refused", reasons=len(reasons))
        self.reasons = reasons


class Route:
    """Where each process, element and flow of one bundle is found in another.

    ``mapping`` names what the rules cannot find: ``{"accept": "decide"}``, ``{"complaint/accept": "decide"}``,
    ``{"complaint/*": "dispute/*"}``. By themselves are found: the same id; else the only new element of the same
    kind and name in the same scope; a flow between the same two elements. Raises Invalid for a mapping that names
    something which neither bundle has.
    """

    def __init__(self, old: Specifications, new: Specifications, mapping: Mapping[str, str]) -> None:
        self.old, self.new, self.mapping = old, new, mapping
        self._known: dict[Place, Place | None] = {}
        for source, target in mapping.items():
            self._require(source, target)

    def process(self, name: str) -> str | None:
        """The process that stands for this one; none where there is none."""
        given = self.mapping.get(name + WHOLE)
        if given is not None:
            return given.removesuffix(WHOLE)
        return name if name in self.new.processes else None

    def element(self, process: str, id: str) -> Element | None:
        """The element that stands for this one, of whatever kind; none where there is none."""
        place = self._place(process, id)
        return None if place is None else self.new.processes[place[0]].elements.get(place[1])

    def flow(self, process: str, id: str) -> str | None:
        """The flow that stands for this one; none where there is none."""
        place = self._place(process, id)
        if place is not None:
            return place[1] if place[1] in self.new.processes[place[0]].flows else None
        flow = self.old.processes[process].flows.get(id)
        there = self.process(process)
        if flow is None or there is None:
            return None
        source, target = self.element(process, flow.source), self.element(process, flow.target)
        if source is None or target is None:
            return None
        between = [
            other.id
            for other in self.new.processes[there].flows.values()
            if (other.source, other.target) == (source.id, target.id)
        ]
        return between[0] if len(between) == 1 else None

    def arrived_on(self, process: str, flow: str, join: Element) -> str | None:
        """The flow on which a token that has arrived at a join stands there now.

        Where the flow does not lead to the join any more, because something was put in between, the token has
        passed what is new: it stands on the one flow by which the way over new elements reaches the join.
        """
        drawn = self.new.processes[join.process]
        if flow in join.incoming:
            return flow
        before = self.old.processes[process].elements
        reached: set[str] = set()
        todo, seen = [flow] if flow in drawn.flows else [], set()
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            target = drawn.flows[here].target
            if target == join.id:
                reached.add(here)
            elif target not in before:
                todo += drawn.elements[target].outgoing
        return reached.pop() if len(reached) == 1 else None

    def _place(self, process: str, id: str) -> Place | None:
        if (process, id) not in self._known:
            self._known[process, id] = self._find(process, id)
        return self._known[process, id]

    def _find(self, process: str, id: str) -> Place | None:
        there = self.process(process)
        given = self.mapping.get(f"{process}/{id}") or self.mapping.get(id)
        if given is not None and self._exists(self.old, process, id):
            named, _, target = given.rpartition("/")
            where = named or there
            return None if where is None else (where, target)
        if there is None:
            return None
        if self._exists(self.new, there, id):
            return there, id
        return self._namesake(self.old.processes[process], self.new.processes[there], id)

    def _namesake(self, before: Process, after: Process, id: str) -> Place | None:
        """The only element of this kind and name in the scope that is new, and the only one that is gone."""
        element = before.elements.get(id)
        if element is None or not element.name:
            return None
        scope = after.id if element.scope == before.id else None
        if scope is None:
            inside = self.element(before.id, element.scope)
            if inside is None:
                return None
            scope = inside.id
        new = [other for other in after.inside(scope) if _alike(other, element) and other.id not in before.elements]
        gone = [e for e in before.inside(element.scope) if _alike(e, element) and e.id not in after.elements]
        return (after.id, new[0].id) if len(new) == len(gone) == 1 else None

    def _exists(self, bundle: Specifications, process: str, id: str) -> bool:
        drawn = bundle.processes.get(process)
        return drawn is not None and (id in drawn.elements or id in drawn.flows)

    def _require(self, source: str, target: str) -> None:
        for text, bundle, word, wort in (
            (source, self.old, "old", "原"),
            (target, self.new, "new", "新"),
        ):
            process, _, id = text.rpartition("/")
            there = [process] if process else list(bundle.processes)
            if id == "*" and (source.endswith(WHOLE) and target.endswith(WHOLE)) and process in bundle.processes:
                continue
            if id != "*" and any(self._exists(bundle, name, id) for name in there):
                continue
            raise Invalid(
                f"对应关系里写的“{text}”不在{wort}版本里。 The mapping names {text}; the {word} release lacks it.",
                code="migration.mapping_unknown",
                given=text,
            )


def _alike(one: Element, other: Element) -> bool:
    return one.kind is other.kind and one.name == other.name


# What the state becomes.


@dataclass
class Carried:
    """The state of an instance in the words of the other bundle."""

    state: dict[str, Any]
    reasons: list[Reason]
    #: Boundary events that listened and are not there any more: token and element.
    dropped: list[tuple[int, Element]]
    #: Token → element before.
    before: dict[int, Element]


def carry(packed: Mapping[str, Any], route: Route) -> Carried:
    """Rewrite an unpacked state; ``reasons`` says what does not fit. Pure."""
    found = Carried({**packed, "w": []}, [], [], {})
    inside: dict[int, str | None] = {}
    for host, key, tokens in packed["w"]:
        process = key.partition("/")[0]
        there = inside.get(host) if host else route.process(process)
        if there is None:
            if not host:
                found.reasons.append(_missing_process(process))
            continue
        found.state["w"].append([host, there, list(_tokens(tokens, key, there, route, found, inside))])
    return found


def _tokens(
    tokens: list[list[Any]],
    key: str,
    there: str,
    route: Route,
    found: Carried,
    inside: dict[int, str | None],
) -> Iterator[list[Any]]:
    """The tokens of one scope under their new names."""
    names: dict[int, str] = {}
    for number, body, status, name, internal in tokens:
        node: Node = route.old.scopes[key].task_specs[name]
        element = node.element
        found.before[number] = element
        target = route.element(element.process, element.id)
        if "host" in internal:
            if target is None or not _still_listens(element, target, names.get(internal["host"])):
                found.dropped.append((number, element))
            else:
                yield [number, body, status, target.id, {**internal, **_via(internal, element, route)}]
            continue
        reason = _misfit(node, target, there, route)
        if reason is not None:
            found.reasons.append(reason)
            inside[number] = None
            continue
        assert target is not None
        new_name = target.id + name.removeprefix(element.id)
        new: Node = route.new.scopes[there].task_specs[new_name]
        via = _via(internal, element, route)
        if isinstance(node, Joining) and "via" in via:
            arrived = route.arrived_on(element.process, via["via"], target)
            if arrived is None:
                found.reasons.append(_lost_flow(element, internal["via"]))
            else:
                via["via"] = arrived
        names[number] = target.id
        inside[number] = getattr(new, "inside", None)
        yield [number, body, status, new_name, {**internal, **via}]


def _still_listens(element: Element, target: Element, host: str | None) -> bool:
    return target.kind is Kind.BOUNDARY and target.attached_to == host and _trigger(target) == _trigger(element)


def _trigger(element: Element) -> str:
    return element.trigger.kind if element.trigger is not None else ""


def _via(internal: Mapping[str, Any], element: Element, route: Route) -> dict[str, Any]:
    """The flow on which the token came; one that is gone matters to joins only and is kept elsewhere."""
    if "via" not in internal:
        return {}
    return {"via": route.flow(element.process, internal["via"]) or internal["via"]}


def _misfit(node: Node, target: Element | None, there: str, route: Route) -> Reason | None:
    """Why a token cannot stand at the other element; none where it can."""
    element = node.element
    if target is None:
        return _reason(
            element, "missing", f"新版本里没有“{_called(element)}”。", f"The new release has no {_called(element)}."
        )
    new = route.new.scopes[_scope_of(target, route.new)].task_specs.get(target.id)
    old = route.old.scopes[_scope_of(element, route.old)].task_specs[element.id]
    if new is None or type(new) is not type(old) or isinstance(new, Unsupported) or _differs(element, target):
        if (element.loop is None) != (target.loop is None):
            return _reason(
                element,
                "loop",
                f"“{_called(element)}”{'不再' if element.loop else '改为'}逐项办理，正在办理的不能迁移。",
                f"{_called(element)} is {'no longer' if element.loop else 'now'} done once for each item.",
            )
        return _reason(
            element,
            "kind",
            f"“{_called(element)}”在新版本里不是同一种元素（{element.kind} → {target.kind}）。",
            f"{_called(element)} is another kind of element in the new release ({element.kind} → {target.kind}).",
        )
    if _scope_of(target, route.new) != there:
        return _reason(
            element,
            "scope",
            f"“{_called(element)}”移到了另一个流程或者子流程里。",
            f"{_called(element)} was moved into another process or sub-process.",
        )
    if element.loop is not None and target.loop is not None and element.loop.sequential != target.loop.sequential:
        return _reason(
            element,
            "loop",
            f"“{_called(element)}”由{'依次' if element.loop.sequential else '同时'}办理改为另一种方式。",
            f"{_called(element)} changed between one after the other and all at once.",
        )
    if element.kind is Kind.CALL and route.process(element.called) != target.called:
        return _reason(
            element,
            "called",
            f"“{_called(element)}”改为调用另一个流程（{element.called} → {target.called}）。",
            f"{_called(element)} calls another process now ({element.called} → {target.called}).",
        )
    if element.task_type != target.task_type:
        return _reason(
            element,
            "job",
            f"“{_called(element)}”已经交给外部程序（{element.task_type}），新版本换了类型（{target.task_type}）。",
            f"{_called(element)} waits for a worker of type {element.task_type}; now it is {target.task_type}.",
        )
    return None


def _differs(element: Element, target: Element) -> bool:
    if element.kind is not target.kind:
        return True
    return element.kind in (Kind.CATCH, Kind.BOUNDARY, Kind.RECEIVE) and _trigger(element) != _trigger(target)


def _scope_of(element: Element, bundle: Specifications) -> str:
    """Key of the specification in which an element is drawn."""
    return element.process if element.scope == element.process else f"{element.process}/{element.scope}"


def _called(element: Element) -> str:
    return element.name or element.id


def _reason(element: Element, code: str, zh: str, en: str) -> Reason:
    return Reason(f"migrate.{code}", element.process, element.id, zh, en)


def _lost_flow(element: Element, flow: str) -> Reason:
    return _reason(
        element,
        "flow",
        f"“{_called(element)}”正等着会合，已到达的一路（{flow}）在新版本里没有了。",
        f"{_called(element)} waits to join, and the flow {flow} on which it was reached is gone.",
    )


def _missing_process(process: str) -> Reason:
    return Reason(
        "migrate.missing",
        process,
        "",
        f"新版本里没有流程“{process}”。",
        f"The new release has no process {process}.",
    )


def stuck_reason(stuck: Stuck) -> Reason:
    """A failure on the way as a reason."""
    return Reason(
        "migrate.stuck",
        stuck.process,
        stuck.element,
        f"在新版本里走不下去：{stuck.message}",
        f"It does not go on in the new release: {stuck.message}",
    )


# What the rows become.


class Migration:
    """One instance on its way: its tokens are in the new diagrams, and its rows follow them."""

    def __init__(self, run: Run, route: Route, carried: Carried, *, rederive: bool) -> None:
        self.run, self.route, self.carried, self.rederive = run, route, carried, rederive
        assert run.step.migrated is not None
        self.report = run.step.migrated

    def apply(self) -> None:
        """Let rows follow, begin what is new, and let joins fire that wait for nothing more."""
        self._drop()
        for workflow in self.run.top.workflows():
            for token in workflow.unfinished():
                self._follow(token)
        for workflow in self.run.top.workflows():
            for token in workflow.unfinished():
                self._begin_boundaries(token)
        self._join()
        if self.rederive:
            before = {row.id: row.due_at for row in self._moments()}
            known = len(self.run.step.moved)
            self.run.rearm()
            for row in self.run.step.moved[known:]:
                self._say("due", row, before[row.id], row.due_at)

    def _moments(self) -> Iterator[Task | Timer]:
        yield from self.run.rows.tasks().values()
        for timers in self.run.rows.timers().values():
            yield from timers

    def _drop(self) -> None:
        for number, element in self.carried.dropped:
            for timer in self.run.rows.drop_timers(number, self.run.now):
                self.run.step.dropped.append(timer)
                self._say("dropped", timer, timer.due_at, None)
            for subscription in self.run.rows.subscriptions().pop(number, []):
                self.run.rows.delete(subscription)
                self._note("dropped", element, element.id, subscription.message, None)

    def _follow(self, token: Token) -> None:
        before = self.carried.before[token.id]
        after = token.node.element
        if (before.process, before.id) != (after.process, after.id):
            self.report.renamed[before.process, before.id] = (after.process, after.id)
        self._inputs(token, before, after)
        if isinstance(token.node, User):
            self._task(token, before, after)
        elif isinstance(token.node, MultiInstance):
            self._loop(token, before, after)
        job = self.run.rows.jobs().get(token.id)
        if job is not None:
            job.process, job.element = after.process, after.id
        self._listen(token)

    def _inputs(self, token: Token, before: Element, after: Element) -> None:
        """Inputs that are new are taken now; those that are gone are forgotten; others stay as they were taken."""
        if before.inputs == after.inputs or (token.id not in self.run.scopes.held and not after.inputs):
            return
        known = {target for _, target in before.inputs}
        kept = {target for _, target in after.inputs}
        local = self.run.scopes.local(token)
        for name in known - kept:
            local.pop(name, None)
        seen = self.run.scopes.visible(token)
        for source, target in after.inputs:
            if target not in known:
                seen[target] = local[target] = self.run.evaluate(token, source, seen)
        if not local:
            self.run.scopes.drop(token)

    def _task(self, token: Token, before: Element, after: Element) -> None:
        task = self.run.rows.tasks()[token.id]
        self.report.tasks.append(task.id)
        run = self.run
        if (task.process, task.element) != (after.process, after.id):
            self._note("renamed", after, before.id, before.id, after.id)
        task.process, task.element, task.name = after.process, after.id, after.name
        form, role, assignee = task.form, task.role, task.assignee
        if before.form != after.form:
            task.form = run.text_of(token, after.form)
        if before.groups != after.groups:
            task.role = run.names_of(token, after.groups)
        if before.assignee != after.assignee:
            task.assignee = run.text_of(token, after.assignee) or None
        for what, was, now in (
            ("form", form, task.form),
            ("role", role, task.role),
            ("assignee", assignee, task.assignee),
        ):
            if was != now:
                self._note(what, after, after.id, was, now)
        if before.due != after.due:
            self._task_due(task, token, before, after)

    def _task_due(self, task: Task, token: Token, before: Element, after: Element) -> None:
        """A promised date stays unless it is to be derived again; a new one counts from the task's opening."""
        if not after.due:
            due_at, note = None, None
        elif not before.due or self.rederive:
            with self.run.counting_from(task.opened_at):
                due_at, note = self.run.due_of(token, after.due)
        else:
            return
        if due_at != task.due_at:
            self._note("due", after, after.id, moments.iso(task.due_at), moments.iso(due_at), task.opened_at)
        task.due_at, task.due_note = due_at, note
        self.run.step.moved.append(task)

    def _loop(self, token: Token, before: Element, after: Element) -> None:
        old, new = before.loop, after.loop
        assert old is not None and new is not None
        if old.output != new.output:
            token.internal_data.pop("results", None)
            if new.output:
                token.internal_data["results"] = [None] * token.internal_data["n"]
        if old.item != new.item:
            for child in token.children:
                local = self.run.scopes.local(child)
                if old.item in local:
                    local[new.item] = local.pop(old.item)

    # Timers, messages.

    def _listen(self, token: Token) -> None:
        """Let the timers and subscriptions of a token follow it, drop what is gone, begin what is new."""
        events = {event.id: event for event in events_of(token)}
        begun: set[str] = set()
        for timer in list(self.run.rows.timers().get(token.id, [])):
            event = self._same(timer, events)
            if event is None:
                self._drop_timer(timer)
            else:
                begun.add(event.id)
                self._timer(token, timer, event)
        for subscription in list(self.run.rows.subscriptions().get(token.id, [])):
            event = self._same(subscription, events)
            if event is not None and self._subscription(subscription, event):
                begun.add(event.id)
            else:
                self.run.rows.subscriptions()[token.id].remove(subscription)
                self.run.rows.delete(subscription)
        for event in events.values():
            if event.id in begun or _trigger(event) in ("error", "escalation"):
                continue
            host = event.attached_to or token.node.element.id
            with self.run.counting_from(self._began(token)):
                self.run.listen(token, event, host=host)
            if self._rows(token, event):
                self._begun(token, event)

    def _same(self, row: Timer | Subscription, events: Mapping[str, Element]) -> Element | None:
        """The event that a row waits for now; none when it is gone or waits for something else."""
        target = self.route.element(row.process, row.element)
        if target is None or target.id not in events:
            return None
        return target if (_trigger(target) == "timer") == isinstance(row, Timer) else None

    def _drop_timer(self, timer: Timer) -> None:
        timer.state, timer.ended_at, timer.wake_at = Timer.State.DROPPED, self.run.now, None
        self.run.rows.timers()[timer.token].remove(timer)
        self.run.step.dropped.append(timer)
        self._say("dropped", timer, timer.due_at, None)

    def _timer(self, token: Token, timer: Timer, event: Element) -> None:
        old = self.route.old.processes[timer.process].elements[timer.element].trigger
        new = event.trigger
        assert old is not None and new is not None
        host = event.attached_to or (token.node.element.id if isinstance(token.node, EventGateway) else event.id)
        timer.process, timer.element, timer.host = event.process, event.id, host
        timer.interrupting = event.interrupting
        if (old.timer, old.text) == (new.timer, new.text):
            return
        with self.run.counting_from(self._began(token)):
            due_at, cycle, note = self.run.moment_of(token, event)
        timer.cycle = cycle
        if not self.rederive:
            if due_at != timer.due_at:
                self._say("kept", timer, timer.due_at, timer.due_at)
            return
        if cycle is not None and due_at <= self.run.now:
            following = moments.next_in_cycle(cycle, due_at, self.run.now)
            due_at, timer.cycle = following if following is not None else (due_at, cycle)
        if due_at == timer.due_at:
            return
        self._say("due", timer, timer.due_at, due_at)
        self.run.log(
            "timer.moved",
            event,
            payload={"timer": str(timer.id), "from": timer.due_at.isoformat(), "to": due_at.isoformat()},
        )
        timer.due_at, timer.note = due_at, note
        if timer.state == Timer.State.ARMED:
            timer.wake_at = due_at
        self.run.step.moved.append(timer)

    def _subscription(self, row: Subscription, event: Element) -> bool:
        """Whether the subscription still fits; one that waits for another message now is made anew."""
        old = self.route.old.processes[row.process].elements[row.element].trigger
        new = event.trigger
        assert old is not None and new is not None
        if (old.kind, old.name, old.correlation) != (new.kind, new.name, new.correlation):
            return False
        row.process, row.element, row.interrupting = event.process, event.id, event.interrupting
        return True

    def _begin_boundaries(self, token: Token) -> None:
        """Boundary events that the new diagram adds to an open activity listen from its beginning.

        One that was there before and does not listen any more has fired: it stays silent.
        """
        node = token.node
        if not node.boundaries or (not token.is_started and not token.is_waiting):
            return
        before = self.carried.before.get(token.id)
        assert before is not None
        listening = {other.node.element.id for other in node.listeners(token)}
        for name in node.boundaries:
            event = node.spec_of.node(name).element
            if name in listening or self._was_there(before, event) or self._has_fired(token, event):
                continue
            with self.run.counting_from(self._began(token)):
                node.arm_boundary(token, name)
            self._begun(token, event)

    def _was_there(self, before: Element, event: Element) -> bool:
        for other in self.route.old.processes[before.process].boundaries(before.id):
            target = self.route.element(other.process, other.id)
            if target is not None and target.id == event.id and _trigger(other) == _trigger(event):
                return True
        return False

    def _has_fired(self, token: Token, event: Element) -> bool:
        """Whether a timer of this name has fired on this activity under an earlier release."""
        return (
            self.run.session.scalar(
                select(Timer.id)
                .where(
                    Timer.instance_id == self.run.instance.id,
                    Timer.process == event.process,
                    Timer.element == event.id,
                    Timer.state == Timer.State.FIRED,
                    Timer.token > token.id,
                )
                .limit(1)
            )
            is not None
        )

    def _rows(self, token: Token, event: Element) -> list[Timer | Subscription]:
        """What waits for an event at a token or on its border."""
        rows = self.run.rows
        places = [token.id, *(other.id for other in token.node.listeners(token))]
        found: list[Timer | Subscription] = []
        for place in places:
            found += rows.timers().get(place, [])
            found += rows.subscriptions().get(place, [])
        return [row for row in found if row.element == event.id]

    def _begun(self, token: Token, event: Element) -> None:
        timers = [row for row in self._rows(token, event) if isinstance(row, Timer)]
        if timers:
            self._say("armed", timers[-1], None, timers[-1].due_at)
        else:
            self._note("armed", event, event.id, None, event.trigger.name if event.trigger else None)

    def _began(self, token: Token) -> datetime:
        """When what a token stands at began: with the first thing that waited there or inside it.

        Tokens are numbered in the order in which they came, and whatever an activity began has a later number.
        """
        number = token.internal_data.get("host", token.id)
        instance = self.run.instance.id
        opened = [
            select(column.label("at")).where(row.instance_id == instance, row.token >= number)
            for row, column in (
                (Task, Task.opened_at),
                (Timer, Timer.armed_at),
                (Job, Job.opened_at),
                (Subscription, Subscription.opened_at),
            )
        ]
        with self.run.session.no_autoflush:
            first = self.run.session.scalar(select(func.min(union_all(*opened).subquery().c.at)))
        return min(first, self.run.now) if first is not None else self.run.now

    # Joins.

    def _join(self) -> None:
        """A gateway that waits for fewer flows now may have all of them."""
        for workflow in self.run.top.workflows():
            for token in workflow.unfinished():
                if isinstance(token.node, Parallel) and token.is_waiting:
                    token.node.fire_if_complete(token)

    # What is reported.

    def _say(self, what: str, row: Timer | Task, before: datetime | None, after: datetime | None) -> None:
        element = self.route.new.processes.get(row.process, None)
        drawn = element.elements.get(row.element) if element is not None else None
        since = row.armed_at if isinstance(row, Timer) else row.opened_at
        self.report.changes.append(
            Change(
                what,
                "timer" if isinstance(row, Timer) else "task",
                row.process,
                row.element,
                (drawn.name if drawn is not None else "") or row.element,
                moments.iso(before),
                moments.iso(after),
                moments.iso(since),
            )
        )

    def _note(
        self,
        what: str,
        element: Element,
        id: str,
        before: str | None,
        after: str | None,
        since: datetime | None = None,
    ) -> None:
        kind = "task" if element.kind is Kind.USER else "event"
        self.report.changes.append(
            Change(what, kind, element.process, id, _called(element), before, after, moments.iso(since))
        )


def incident_open(instance: Instance) -> NotMigratable:
    """The refusal of a case that stands still because something failed."""
    return NotMigratable(
        [
            Reason(
                "migrate.incident",
                instance.process,
                "",
                f"案件有 {instance.incidents} 个未处理的故障，先处理故障再迁移。",
                f"{instance.incidents} incidents are open; settle them first.",
            )
        ]
    )


def marking_of(packed: Mapping[str, Any], bundle: Specifications) -> list[proving.Scope]:
    """The tokens of a state, scope by scope, as the token game asks for them."""
    scopes: list[proving.Scope] = []
    hosts: dict[int, tuple[int, str]] = {}
    for host, key, tokens in packed["w"]:
        process, _, element = key.partition("/")
        index, inside = hosts.get(host, (None, ""))
        scope = proving.Scope(process, element, index, inside)
        for number, body, status, name, internal in tokens:
            node: Node = bundle.scopes[key].task_specs[name]
            hosts[number] = (len(scopes), node.element.id)
            if body or "host" in internal:
                continue
            if isinstance(node, Joining) and status == TaskState.WAITING:
                scope.via[internal["via"]] += 1
            else:
                scope.at[node.element.id] += 1
        scopes.append(scope)
    return scopes


def require_a_way_on(packed: Mapping[str, Any], run: Run, route: Route) -> None:
    """Refuse where a saved run has come to rest, if the new diagram cannot end from there.

    ``packed`` is the state before: a case that stood no better in its own diagram may go over. Raises
    NotMigratable.
    """
    if run.instance.state != Instance.State.RUNNING:
        return
    services = run.engine.services
    here = marking_of(state.unpack(run.instance.blob), route.new)
    found = proving.judge_marking(route.new.processes, here, services=services)
    if found is None:
        return
    if proving.judge_marking(route.old.processes, marking_of(packed, route.old), services=services) is not None:
        return
    process = next((p.id for p in route.new.processes.values() if p.file == found.file), "")
    raise NotMigratable([Reason("migrate.no_way_on", process, found.element, found.zh, found.en)])


def migrate(run: Run, packed: Mapping[str, Any], route: Route, *, rederive: bool) -> None:
    """Plant the carried state into a run of the new bundle and let everything follow. Raises NotMigratable."""
    carried = carry(packed, route)
    if carried.reasons:
        raise NotMigratable(carried.reasons)
    instance, report = run.instance, run.step.migrated
    assert report is not None
    process = route.process(instance.process)
    assert process is not None
    instance.bundle, instance.process = report.new, process
    run.log("instance.migrated", payload={"from": report.old, "to": report.new, "mapping": dict(route.mapping)})
    run.top, run.scopes = state.plant(carried.state, run.specifications, run)
    Migration(run, route, carried, rederive=rederive).apply()
